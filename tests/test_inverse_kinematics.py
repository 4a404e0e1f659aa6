"""Joint rotations from positions: forward and back, limbs worked by hand, real joint angles."""

import math
from functools import cache

import pytest
import torch
from samples import assert_close

from paperlib.datasets import cmu, expmap
from paperlib.errors import MissingDataError
from paperlib.inverse_kinematics import inverse_kinematics, rest_pose
from paperlib.kinematics import (
    forward_kinematics,
    rotation_about,
    rotation_from_vector,
    vector_from_rotation,
)
from paperlib.skeletons import (
    CMU_38,
    COCO_17,
    COMMON_14,
    H36M_17,
    HUMANEVA_15,
    MPII_16,
    MUPOTS_17,
    convert,
)

REST = rest_pose(H36M_17)
LENGTHS = torch.linspace(0.1, 0.5, 17, dtype=torch.float64)[:, None]
OFFSETS = LENGTHS * REST
ROOT = torch.tensor([0.3, -0.2, 5.0], dtype=torch.float64)
FLEXIBLE = "pelvis thorax spine neck_nose left_hip right_hip left_shoulder right_shoulder".split()


def placed(rotations: torch.Tensor, offsets=OFFSETS) -> torch.Tensor:
    return forward_kinematics(rotations, offsets, H36M_17.parents, ROOT)


def still(frames: int = 1) -> torch.Tensor:
    return torch.eye(3, dtype=torch.float64).repeat(frames, 17, 1, 1)


def hinge_axis(joint: int) -> torch.Tensor:
    """Across the bone and the way it bends: knees backward, elbows forward."""
    forward = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    bend = -forward if "knee" in H36M_17.joints[joint] else forward
    return torch.linalg.cross(REST[joint], bend, dim=-1)


def moving(frames: int, bent: float = 0.6) -> torch.Tensor:
    """Rotations that positions tell: hinges bend in their planes, spine and neck do not twist."""
    rotations = still(frames)
    for name in FLEXIBLE:
        joint = H36M_17.index(name)
        vector = torch.randn(frames, 3, dtype=torch.float64) * 0.4
        if name in ("spine", "neck_nose"):
            vector[:, 2] = 0  # their bones point up
        rotations[:, joint] = rotation_from_vector(vector)
    for name in ("left_knee", "right_knee", "left_elbow", "right_elbow"):
        joint = H36M_17.index(name)
        angle = bent + torch.rand(frames, 1, dtype=torch.float64)
        rotations[:, joint] = rotation_from_vector(angle * hinge_axis(joint))
    return rotations


def test_rotations_that_positions_tell_come_back():
    rotations = moving(40)
    assert_close(inverse_kinematics(placed(rotations), H36M_17), rotations, 1e-9)


@pytest.mark.parametrize("bent", [0.0, 0.05, 0.25])
def test_positions_come_back_whatever_is_not_told(bent):
    """Straight limbs, twisted forearms, shins and spines."""
    rotations = moving(40, bent)
    for name in ("spine", "neck_nose", "left_elbow", "right_knee"):
        joint = H36M_17.index(name)
        twist = torch.randn(40, 3, dtype=torch.float64)
        rotations[:, joint] = rotations[:, joint] @ rotation_from_vector(twist)
    positions = placed(rotations)
    found = inverse_kinematics(positions, H36M_17)
    assert_close(placed(found), positions, 1e-9)
    assert_close(found @ found.mT, still(40), 1e-9)
    assert_close(torch.linalg.det(found), torch.ones(40, 17), 1e-9)


def test_an_upper_arm_that_turns_about_itself_is_told_by_the_bent_forearm():
    shoulder, elbow = H36M_17.index("left_shoulder"), H36M_17.index("left_elbow")
    rotations = still()
    rotations[:, shoulder] = rotation_from_vector(0.7 * REST[elbow])
    for bend, share in ((0.5, 1.0), (math.radians(15), 0.5), (math.radians(9), 0.0)):
        rotations[:, elbow] = rotation_from_vector(bend * hinge_axis(elbow))
        found = vector_from_rotation(inverse_kinematics(placed(rotations), H36M_17)[0, shoulder])
        assert_close(found, 0.7 * share * REST[elbow], 0.01 if share == 0.5 else 1e-9)


def test_a_knee_bent_by_hand():
    """The shin points backward: a quarter of a turn about the axis to the left, y."""
    positions = placed(still())[0].clone()
    knee, ankle = H36M_17.index("right_knee"), H36M_17.index("right_ankle")
    positions[ankle] = positions[knee] + torch.tensor([-0.4, 0.0, 0.0])
    rotations = still()[0]
    rotations[knee] = rotation_about("y", torch.tensor(math.pi / 2, dtype=torch.float64))
    assert_close(inverse_kinematics(positions[None], H36M_17)[0], rotations, 1e-9)


def test_turning_and_moving_a_pose_turns_its_root_alone():
    positions = placed(moving(10, 0.0))
    turn = rotation_from_vector(torch.tensor([0.4, -2.0, 0.9], dtype=torch.float64))
    before = inverse_kinematics(positions, H36M_17)
    after = inverse_kinematics(3 + 1.2 * positions @ turn.mT, H36M_17)
    assert_close(after[:, 1:], before[:, 1:], 1e-9)
    assert_close(after[:, 0], turn @ before[:, 0], 1e-9)


def test_a_mirrored_pose_has_mirrored_rotations():
    positions = placed(moving(10, 0.0))
    flip = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    mirrored = inverse_kinematics((positions * flip)[:, list(H36M_17.mirrored)], H36M_17)
    expected = inverse_kinematics(positions, H36M_17)[:, list(H36M_17.mirrored)]
    assert_close(mirrored, flip[:, None] * expected * flip, 1e-9)


def test_small_moves_change_rotations_little():
    """Also where a hinge straightens: what cannot be told fades, and does not jump."""
    bend = torch.linspace(0, 0.6, 601, dtype=torch.float64)[:, None]
    rotations = still(601)
    elbow = H36M_17.index("right_elbow")
    rotations[:, H36M_17.index("right_shoulder")] = rotation_from_vector(REST[elbow] * 1.2)
    rotations[:, elbow] = rotation_from_vector(bend * hinge_axis(elbow))
    steps = inverse_kinematics(placed(rotations), H36M_17).diff(dim=0)
    assert steps.norm(dim=(-2, -1)).max() < 0.03


@pytest.mark.parametrize("skeleton", [HUMANEVA_15, MUPOTS_17, MPII_16, COMMON_14, H36M_17])
def test_other_skeletons_rest_in_their_rest_pose(skeleton):
    rest, positions = rest_pose(skeleton), torch.zeros(1, len(skeleton), 3, dtype=torch.float64)
    for joint in skeleton.order[1:]:
        positions[:, joint] = positions[:, skeleton.parents[joint]] + rest[joint]
    eye = torch.eye(3).expand(1, len(skeleton), 3, 3)
    assert_close(inverse_kinematics(positions, skeleton), eye, 1e-12)


def test_bones_on_one_line_turn_the_shortest_way():
    """Of the 14 common joints, only the shoulders leave the neck, to both sides of it."""
    rest, neck = rest_pose(COMMON_14), COMMON_14.index("neck")
    rotations = torch.eye(3, dtype=torch.float64).repeat(1, 14, 1, 1)
    rotations[:, neck] = rotation_about("z", torch.tensor(0.5, dtype=torch.float64))
    positions = forward_kinematics(rotations, rest, COMMON_14.parents, ROOT)
    assert_close(inverse_kinematics(positions, COMMON_14), rotations, 1e-9)


def test_points_on_one_place_have_no_rotation():
    assert inverse_kinematics(torch.zeros(2, 17, 3), H36M_17).isfinite().all()


@pytest.mark.parametrize(
    ("positions", "options", "said"),
    [
        (torch.zeros(2, 16, 3), {}, r"\(2, 16, 3\), expected \(\.\.\., T, 17, 3\).*h36m_17"),
        (torch.full((2, 17, 3), torch.nan), {}, "NaN"),
        (torch.zeros(17, 3), {}, r"\(17, 3\), expected"),
        (torch.zeros(2, 17, 3), {"rest": torch.zeros(16, 3)}, r"rest of shape \(16, 3\)"),
        (torch.zeros(2, 17, 3), {"rest": torch.full((17, 3), torch.nan)}, "without NaN"),
    ],
)
def test_refusals(positions, options, said):
    with pytest.raises(ValueError, match=said):
        inverse_kinematics(positions, H36M_17, **options)


def test_joints_without_a_rest_pose():
    with pytest.raises(ValueError, match=r"'left_eye'.*pass rest"):
        inverse_kinematics(torch.zeros(2, 17, 3), COCO_17)


@pytest.mark.data
@pytest.mark.parametrize("clip", ["running/running_1", "basketball/basketball_1"])
def test_limbs_of_real_motion_turn_as_they_were_captured(clip):
    """CMU's own joint angles. Its elbows bend 30 degrees out of the plane that the rest pose has:
    another zero of the upper arm's twist, which stays the same over time."""
    root, local = expmap.parse_motion(text_of(clip), clip, root_correction=True)
    root, local = root[::6], local[::6]
    captured = frames(local, CMU_38)
    joints = expmap.positions_38(root, local, expmap.rest_offsets())
    still = torch.eye(3, dtype=torch.float64).expand(1, 38, 3, 3)
    upright = convert(expmap.positions_38(root[:1], still, expmap.rest_offsets()), CMU_38, H36M_17)[
        0
    ]
    rest = upright - upright[[max(parent, 0) for parent in H36M_17.parents]]
    found = inverse_kinematics(convert(joints, CMU_38, H36M_17), H36M_17, rest)
    turned = frames(found, H36M_17)
    # the capture has y up where positions have z up: a turn of all that is given
    to_z_up = expmap.y_up_to_z_up(torch.eye(3, dtype=torch.float64)).T
    for side in ("left", "right"):
        for ours, theirs, hinge, their_hinge, offset in (
            ("hip", "up_leg", "knee", "leg", 0.0),
            ("shoulder", "arm", "elbow", "fore_arm", 30.0),
        ):
            bend = angle(local[:, CMU_38.index(f"{side}_{their_hinge}")])
            told = bend > 20
            assert told.sum() > 20
            mine = turned[told, H36M_17.index(f"{side}_{ours}")]
            true = to_z_up @ captured[told, CMU_38.index(f"{side}_{theirs}")] @ to_z_up.T
            assert_close(angle(mine.mT @ true), torch.full((int(told.sum()),), offset), 0.2)
            assert_close(angle(found[:, H36M_17.index(f"{side}_{hinge}")])[told], bend[told], 0.01)


def frames(rotations: torch.Tensor, skeleton) -> torch.Tensor:
    """``(T, J, 3, 3)``: each joint's rotation against the world."""
    found: list[torch.Tensor] = [torch.empty(0)] * len(skeleton)
    for joint in skeleton.order:
        above, own = skeleton.parents[joint], rotations[:, joint]
        found[joint] = own if above < 0 else found[above] @ own
    return torch.stack(found, dim=1)


def angle(rotations: torch.Tensor) -> torch.Tensor:
    return torch.rad2deg(vector_from_rotation(rotations).norm(dim=-1))


def text_of(clip: str) -> bytes:
    try:
        return unpacked(cmu.find())[f"test/{clip}"]
    except MissingDataError as missing:
        pytest.skip(str(missing))


unpacked = cache(cmu._texts)
