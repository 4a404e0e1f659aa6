"""One skeleton for a sequence: exact on rigid bodies, nearest on others, still without joints."""

import numpy as np
import pytest
import torch
from samples import assert_close
from walks import holes, standing, walk

from paperlib.datasets import cmu, expmap
from paperlib.errors import MissingDataError
from paperlib.exports import Fitted, fit
from paperlib.inverse_kinematics import inverse_kinematics, rest_pose
from paperlib.kinematics import (
    bone_lengths,
    forward_kinematics,
    rotation_about,
    rotation_from_vector,
)
from paperlib.skeletons import CMU_38, H36M_17, Skeleton, convert

RNG = np.random.default_rng(7)
MILLIMETRE = 1e-3


def placed(fitted: Fitted, skeleton: Skeleton = H36M_17) -> np.ndarray:
    return fitted.positions()[:, [fitted.joints.index(j) for j in skeleton.joints]].numpy()


def noisy(positions: np.ndarray, deviation: float) -> np.ndarray:
    return positions + RNG.normal(0, deviation, positions.shape)


def steps(fitted: Fitted, joint: str) -> torch.Tensor:
    """By how much a joint turns from frame to frame, radians."""
    turns = fitted.rotations[:, fitted.joints.index(joint)]
    between = turns[:-1].mT @ turns[1:]
    trace = between.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    return torch.acos(((trace - 1) / 2).clamp(-1, 1))


def test_a_shin_lifted_by_hand():
    """It points backwards, +y, then: a quarter of a turn about x, of the knee alone."""
    knee, ankle = H36M_17.index("left_knee"), H36M_17.index("left_ankle")
    poses = np.stack([standing()] * 2)
    poses[1, ankle] = poses[1, knee] + [0, 0.3, 0]
    fitted = fit(poses, H36M_17, 50)
    assert fitted.residual < 1e-6
    quarter = rotation_about("x", torch.tensor(np.pi / 2).double())
    turned = fitted.rotations[1, fitted.joints.index("left_knee")]
    assert_close(turned, quarter, 1e-6)
    others = [j for j, name in enumerate(fitted.joints) if name != "left_knee"]
    assert_close(fitted.rotations[1, others], torch.eye(3).expand(len(others), 3, 3), 1e-6)
    assert_close(fitted.offsets[fitted.joints.index("left_ankle")], [0, 0, -0.3], 1e-6)


def test_a_rigid_body_comes_back():
    true = walk(100)
    fitted = fit(true, H36M_17, 50)
    assert fitted.residual < 1e-3  # a thousandth of a millimetre
    assert_close(placed(fitted), true, 1e-5)
    assert_close(fitted.rotations @ fitted.rotations.mT, torch.eye(3).expand(100, 21, 3, 3), 1e-9)
    assert_close(torch.linalg.det(fitted.rotations), torch.ones(100, 21), 1e-9)


def test_a_body_moved_and_turned_has_the_same_skeleton():
    true = walk(40)
    turn = rotation_from_vector(torch.tensor([0.3, -0.2, 2.0]).double()).numpy()
    one, other = fit(true, H36M_17, 50), fit(true @ turn.T + [3.0, 1.0, 0.5], H36M_17, 50)
    assert_close(one.offsets, other.offsets, 1e-6)
    assert_close(one.rotations[:, 1:], other.rotations[:, 1:], 1e-4)
    assert_close(torch.from_numpy(turn) @ one.rotations[:, 0], other.rotations[:, 0], 1e-4)


def test_noise_is_met_halfway_and_not_added_up():
    """Of 51 numbers of a pose, 35 are free: 3 of the root, 2 of each bone. So the least squares
    leave sqrt(16 / 51) of the noise, and less than bones laid one after the other."""
    true = walk(150)
    given = noisy(true, 0.01)
    fitted = fit(given, H36M_17, 50)
    left = np.sqrt(np.square(placed(fitted) - given).mean())
    assert left == pytest.approx(0.01 * np.sqrt(16 / 51), rel=0.05)
    distance = np.linalg.norm(placed(fitted) - given, axis=-1).mean()
    assert fitted.residual == pytest.approx(1000 * distance)
    lengths = bone_lengths(torch.from_numpy(placed(fitted)), H36M_17.parents)
    assert lengths.std(dim=0).max() < 1e-9
    assert_close(
        lengths[0], bone_lengths(torch.from_numpy(true), H36M_17.parents)[0], 4 * MILLIMETRE
    )
    # joint by joint
    rotations = inverse_kinematics(given, H36M_17)
    measured = bone_lengths(torch.from_numpy(given), H36M_17.parents).median(dim=0).values
    offsets = rest_pose(H36M_17)
    offsets[1:] *= measured[:, None]
    chained = forward_kinematics(
        rotations, offsets, H36M_17.parents, torch.from_numpy(given[:, 0])
    ).numpy()
    assert distance < 0.6 * np.linalg.norm(chained - given, axis=-1).mean()


def test_noise_does_not_spin_the_pelvis_nor_straight_limbs():
    poses = np.stack([standing()] * 100)
    fitted = fit(noisy(poses, 0.01), H36M_17, 50)
    assert steps(fitted, "pelvis").max() < 0.5
    for joint in ("left_shoulder", "right_hip", "thorax_to_neck_nose"):
        assert steps(fitted, joint).max() < 0.5, joint


def test_an_upper_arm_is_turned_as_its_bent_elbow_tells():
    """A forearm that stands across turns about a hanging upper arm, through more than a circle."""
    shoulder, elbow, wrist = (H36M_17.index(f"left_{j}") for j in ("shoulder", "elbow", "wrist"))
    poses = np.stack([standing()] * 200)
    poses[:, elbow] = poses[:, shoulder] + [0, 0, -0.3]
    angle = np.linspace(0, 3 * np.pi, 200)
    away = np.stack([np.cos(angle), np.sin(angle), np.zeros(200)], axis=-1)
    poses[:, wrist] = poses[:, elbow] + 0.3 * away
    fitted = fit(poses, H36M_17, 50)
    assert fitted.residual < 1e-6
    turned = fitted.rotations[:, fitted.joints.index("left_shoulder")]
    # the forearm, seen from the upper arm, always bends the same way
    world = forward_world(fitted, "left_shoulder")
    seen = (torch.from_numpy(away)[:, None] @ world).squeeze(1)
    assert seen[20:-20].std(dim=0).max() < 0.1 and turned.isfinite().all()
    assert steps(fitted, "left_shoulder").max() < 0.1


def forward_world(fitted: Fitted, joint: str) -> torch.Tensor:
    number, turn = fitted.joints.index(joint), torch.eye(3).double()
    chain = []
    while number >= 0:
        chain.append(number)
        number = fitted.parents[number]
    for each in reversed(chain):
        turn = turn @ fitted.rotations[:, each]
    return turn


def test_missing_joints_are_put_where_they_can_be():
    true = walk(100)
    given = holes(true)
    given[40:45] = np.nan
    fitted = fit(given, H36M_17, 50)
    assert list(fitted.frames) == [*range(40), *range(45, 100)]
    assert fitted.residual < 0.1
    off = np.linalg.norm(placed(fitted) - true[fitted.frames], axis=-1)
    assert off.max() < 60 * MILLIMETRE and off.mean() < MILLIMETRE
    # frames given with their numbers, without those in which there is nothing: the same
    same = fit(given[fitted.frames], H36M_17, 50, fitted.frames)
    assert_close(same.positions(), fitted.positions(), 1e-12)


def test_between_frames_joints_turn_on_and_outside_they_rest():
    fitted = fit(walk(3), H36M_17, 50, np.array([10, 14, 16]))
    rotations, root = fitted.at(np.array([0, 10, 12, 14, 99]))
    assert_close(rotations[[0, 1, 3, 4]], fitted.rotations[[0, 0, 1, 2]], 1e-12)
    assert_close(root[2], fitted.root[:2].mean(dim=0), 1e-12)
    back, on = (rotations[2].mT @ fitted.rotations[which] for which in (0, 1))
    assert_close(back, on.mT, 1e-9)  # halfway: as far from either


def test_any_tree_of_joints_is_fitted():
    """Not a body: no rest pose, children before their parents, two bones on one joint."""
    crane = Skeleton("crane", ("hook", "mast", "arm", "weight", "rope"), (4, -1, 1, 1, 2))
    offsets = torch.tensor([[0, 0, -0.5], [0, 0, 0], [1.0, 0, 0.2], [-0.4, 0, 0], [0, 0, -0.5]])
    frames = 30
    turns = rotation_from_vector(
        torch.from_numpy(RNG.normal(0, 0.3, (frames, 5, 3)).cumsum(axis=0))
    )
    points, world = torch.zeros(frames, 5, 3).double(), {}
    for joint in crane.order:
        parent = crane.parents[joint]
        world[joint] = turns[:, joint] if parent < 0 else world[parent] @ turns[:, joint]
        if parent >= 0:
            points[:, joint] = points[:, parent] + world[parent] @ offsets[joint].double()
    fitted = fit(points.numpy(), crane, 50)
    assert fitted.residual < 1e-3
    assert_close(placed(fitted, crane), points, 1e-5)
    assert fitted.joints[0] == "mast" and fitted.joints.index("rope") < fitted.joints.index("hook")


@pytest.mark.parametrize("poses", [walk(1), np.zeros((3, 17, 3)), walk(2)])
def test_little_is_enough(poses):
    fitted = fit(poses, H36M_17, 50)
    assert fitted.residual < 1e-3 and fitted.rotations.isfinite().all()


def test_a_joint_that_is_never_seen_is_refused():
    poses = walk(5)
    poses[:, [3, 6]] = np.nan
    with pytest.raises(ValueError, match=r"never seen: right_ankle, left_ankle\. A skeleton needs"):
        fit(poses, H36M_17, 50)


@pytest.mark.data
def test_motion_capture_of_rigid_bones_is_met():
    """CMU's own joints exactly; Human3.6M's, of which some bones are none of CMU's, within 1 mm."""
    try:
        texts = cmu._texts(cmu.find())
    except MissingDataError as missing:
        pytest.skip(str(missing))
    root, local = expmap.parse_motion(texts["test/running/running_1"], "running_1", True)
    joints = expmap.positions_38(root[::6], local[::6], expmap.rest_offsets())
    assert fit(joints.numpy(), CMU_38, 20).residual < 1e-3
    assert fit(convert(joints, CMU_38, H36M_17).numpy(), H36M_17, 20).residual < 1
