"""BVH read back by the project's reader and by two others; angles that do not jump."""

import numpy as np
import pytest
import torch
from samples import assert_close
from walks import holes, standing, walk, y_up

from paperlib.datasets.bvh import Bvh, read_bvh
from paperlib.exports import Motion, write_bvh
from paperlib.exports.bvh import continuous_angles
from paperlib.kinematics import rotation_from_euler
from paperlib.skeletons import H36M_17

TENTH = 1e-4  # of a millimetre, in metres
TRUE = walk(40)
MOTION = Motion.of(TRUE, 50, H36M_17)


def joints(bvh: Bvh) -> np.ndarray:
    """``(T, 17, 3)`` metres."""
    return bvh.positions()[:, [bvh.index(j) for j in H36M_17.joints]].numpy() / 100


@pytest.mark.parametrize("up", ["y", "z"])
def test_positions_come_back(tmp_path, up):
    (path,) = write_bvh(MOTION, tmp_path / "walk.bvh", up)
    bvh = read_bvh(path)
    assert_close(joints(bvh), y_up(TRUE) if up == "y" else TRUE, TENTH)
    assert bvh.fps == pytest.approx(50) and len(bvh) == 40
    assert bvh.channels[0][:3] == ("Xposition", "Yposition", "Zposition")


def test_a_quarter_turn_by_hand(tmp_path):
    """A shin lifted backwards: 90 degrees about x, of the knee alone; ankles hang below knees."""
    knee, ankle = H36M_17.index("left_knee"), H36M_17.index("left_ankle")
    poses = np.stack([standing() + np.array([1.0, 2.0, 3.0])] * 2)
    poses[1, ankle] = poses[1, knee] + [0, 0.3, 0]
    (path,) = write_bvh(Motion.of(poses, 25, H36M_17), tmp_path / "shin.bvh")
    bvh = read_bvh(path)
    assert_close(bvh.offsets[bvh.index("left_ankle")], [0, -30, 0], 1e-3)
    assert_close(bvh.offsets[bvh.index("left_hip")], [30, 0, 0], 1e-3)  # faces +z: left is +x
    first = sum(map(len, bvh.channels[: bvh.index("left_knee")]))
    about_x = bvh.channels[bvh.index("left_knee")].index("Xrotation")
    expected = np.zeros((2, bvh.values.shape[1]))
    expected[:, :3] = 100, 300, -200
    expected[1, first + about_x] = 90
    assert_close(bvh.values, expected, 1e-3)


def test_other_libraries_read_the_same(tmp_path):
    bvhio, pybvh = pytest.importorskip("bvhio"), pytest.importorskip("pybvh")
    (path,) = write_bvh(MOTION, tmp_path / "walk.bvh")
    read = pybvh.read_bvh_file(str(path))
    names = [node.name for node in read.nodes if not node.is_end_site()]
    places = read.joint_positions()[:, [names.index(j) for j in H36M_17.joints]]
    assert_close(places / 100, y_up(TRUE), TENTH)
    assert read.frame_time == pytest.approx(0.02)
    root = bvhio.readAsHierarchy(str(path))
    found = {joint.Name: joint for joint, _, _ in root.layout()}
    for frame in (0, 17, 39):
        root.loadPose(frame)
        places = np.array([found[j].PositionWorld for j in H36M_17.joints])
        assert_close(places / 100, y_up(TRUE)[frame], TENTH)


def test_gaps_are_bridged_and_the_ends_are_held(tmp_path):
    given = holes(TRUE, 0.1)
    given[10:12] = np.nan
    second = TRUE[:5] + np.array([1.0, 0, 0])
    motion = Motion.of(
        {3: given, "b": second}, 50, H36M_17, frames={3: np.arange(20, 60), "b": range(18, 23)}
    )
    paths = write_bvh(motion, tmp_path / "both.bvh", "z")
    assert [path.name for path in paths] == ["both_3.bvh", "both_b.bvh"]
    one, other = (joints(read_bvh(path)) for path in paths)
    assert len(one) == len(other) == 42  # frames 18 to 59
    assert_close(one[:3], one[[2, 2, 2]], TENTH)
    assert_close(one[42 - 40 + 10, 0], (TRUE[9, 0] * 2 + TRUE[12, 0]) / 3, 2e-3)  # not holes' own
    assert np.nanmax(np.abs(one[2:] - given)) < 2 * TENTH
    assert_close(other[:5], second, TENTH)
    assert_close(other[5:], np.broadcast_to(other[4], (37, 17, 3)), TENTH)


def test_a_body_that_spins_goes_on_past_a_whole_turn(tmp_path):
    angle = np.linspace(0, 5 * np.pi, 100)
    c, s, o = np.cos(angle), np.sin(angle), np.zeros(100)
    turn = np.stack([[c, -s, o], [s, c, o], [o, o, o + 1]]).transpose(2, 0, 1)
    poses = standing() @ turn.transpose(0, 2, 1)
    (path,) = write_bvh(Motion.of(poses, 50, H36M_17), tmp_path / "spin.bvh")
    bvh = read_bvh(path)
    heading = bvh.values[:, 3 + bvh.channels[0][3:].index("Yrotation")]
    assert_close(heading - heading[0], np.rad2deg(angle), 1e-3)
    assert bvh.values.diff(dim=0)[:, 3:].abs().max() < 10


def test_angles_are_the_rotations_and_do_not_jump():
    """Two joints: one turns through the gimbal lock of the usual order, one far beyond 180."""
    time = torch.linspace(0, 4, 400).double()
    far = torch.stack([3 * time, 0.3 * time.sin(), -2 * time], dim=-1)
    through = torch.stack([0.2 * time.sin(), 1.2 * time, 0.1 * time.cos()], dim=-1)
    rotations = torch.stack(
        [rotation_from_euler("zxy", far), rotation_from_euler("zxy", through)], dim=1
    )
    orders, angles = continuous_angles(rotations)
    assert orders[0] == "zxy" and orders[1] != "zxy"
    assert_close(angles[:, 0], far, 1e-9)
    for joint, order in enumerate(orders):
        assert_close(rotation_from_euler(order, angles[:, joint]), rotations[:, joint], 1e-9)
    assert angles.diff(dim=0).abs().max() < 0.1
