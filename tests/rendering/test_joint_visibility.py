"""What of a body of capsules the camera sees."""

import numpy as np
import pytest
import torch

from paperlib import arrays
from paperlib.rendering import capsule_radii, joint_visibility
from paperlib.rendering.visibility import _may_hide, sight_distance
from paperlib.skeletons import H36M_17, SKELETONS

# a person facing the camera, upright: x right, y down, metres from the pelvis
_STANDING = {"pelvis": (0, 0), "spine": (0, -0.24), "thorax": (0, -0.50)}
_STANDING |= {"neck_nose": (0, -0.62), "head_top": (0, -0.74)}
_STANDING |= {"right_hip": (-0.13, 0), "right_knee": (-0.14, 0.45), "right_ankle": (-0.15, 0.88)}
_STANDING |= {"right_shoulder": (-0.17, -0.47), "right_elbow": (-0.38, -0.25)}
_STANDING |= {"right_wrist": (-0.50, -0.02)}


def standing(distance: float = 5.0) -> torch.Tensor:
    """(17, 3) camera space; the left side mirrors the right."""
    rows = []
    for name in H36M_17.joints:
        x, y = _STANDING[name.replace("left_", "right_")]
        rows.append((-x if name.startswith("left_") else x, y, distance))
    return torch.tensor(rows)


def put(pose: torch.Tensor, joint: str, *place: float) -> torch.Tensor:
    moved = pose.clone()
    moved[H36M_17.index(joint)] = torch.tensor(place)
    return moved


def seen(pose: torch.Tensor, joint: str) -> bool:
    return bool(joint_visibility(pose, H36M_17)[H36M_17.index(joint)])


def test_many_poses_are_seen_as_each_alone(monkeypatch):
    poses = torch.stack([standing() + 0.3 * torch.randn(17, 3) for _ in range(10)]).view(
        2, 5, 17, 3
    )
    expected = joint_visibility(poses, H36M_17)
    assert not expected.all()
    monkeypatch.setattr(arrays, "_AT_ONCE", {"cpu": 3 * 17 * len(H36M_17.bones)})
    assert torch.equal(joint_visibility(poses.numpy(), H36M_17), expected)


def test_other_joints_than_the_skeletons_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 16, 3\), expected \(\.\.\., 17, 3\)"):
        joint_visibility(torch.zeros(4, 16, 3), H36M_17)


@pytest.mark.parametrize("distance", [2.0, 5.0, 9.0])
def test_someone_facing_the_camera_is_seen_whole(distance):
    visible = joint_visibility(standing(distance), H36M_17)
    assert visible.dtype == torch.bool
    assert [H36M_17.joints[j] for j in (~visible).nonzero().flatten()] == []


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_behind_the_back_is_hidden_and_one_before_the_chest_is_seen(side):
    sign = 1 if side == "left" else -1
    behind = put(standing(), f"{side}_elbow", sign * 0.30, -0.25, 5.25)
    behind = put(behind, f"{side}_wrist", 0.0, -0.30, 5.30)
    before = put(standing(), f"{side}_elbow", sign * 0.30, -0.25, 4.75)
    before = put(before, f"{side}_wrist", 0.0, -0.24, 4.70)
    assert not seen(behind, f"{side}_wrist")
    assert seen(before, f"{side}_wrist")
    assert seen(standing(), "spine")
    assert not seen(before, "spine")  # it is behind that hand now


def test_the_farther_leg_is_hidden_by_the_nearer_one_from_the_side():
    front = standing() - torch.tensor([0.0, 0.0, 5.0])
    # turned by a quarter about the vertical: the right side towards the camera
    side = torch.stack([-front[:, 2], front[:, 1], front[:, 0]], dim=-1)
    side = side + torch.tensor([0.0, 0.0, 5.0])
    assert seen(side, "right_knee")
    assert seen(side, "right_ankle")
    assert not seen(side, "left_knee")
    assert not seen(side, "left_ankle")


def test_a_bone_hides_as_far_as_its_radius():
    """The left hand, far behind a fore arm that hangs along the camera's axis."""
    hand_behind = put(standing(), "left_elbow", 0.9, 0.0, 9.0)
    for shift, expected in ((0.030, False), (0.040, True)):  # a wrist's radius is 35 mm
        pose = put(hand_behind, "right_elbow", 0.0, -2.0, 3.0)
        pose = put(pose, "right_wrist", 0.0, -1.0, 3.0)
        # seen at three times the distance, the same direction is three times as far off
        pose = put(pose, "left_wrist", 3 * shift, -4.5, 9.0)
        assert seen(pose, "left_wrist") == expected


def test_a_bone_hides_with_its_end_too():
    """A fore arm almost along the line of sight, nearest to it at the wrist."""
    for shift, expected in ((0.030, False), (0.045, True)):
        pose = put(standing(), "left_elbow", 0.9, 0.0, 9.0)
        pose = put(pose, "left_wrist", 0.0, -4.5, 9.0)
        pose = put(pose, "right_wrist", shift, -1.5, 3.0)
        pose = put(pose, "right_elbow", shift + 0.1, -3.0, 6.0)
        assert seen(pose, "left_wrist") == expected


def test_a_joint_is_not_hidden_by_its_own_bones():
    # an arm stretched straight at the camera: each joint stands before the next
    pose = put(standing(), "left_shoulder", 0.0, -0.47, 5.0)
    pose = put(pose, "left_elbow", 0.0, -0.46, 4.7)
    pose = put(pose, "left_wrist", 0.0, -0.45, 4.4)
    assert seen(pose, "left_wrist")
    assert seen(pose, "left_elbow")


@pytest.mark.parametrize("name", ["h36m_17", "humaneva_15", "mupots_17"])
def test_mirroring_changes_sides_and_nothing_else(name):
    skeleton = SKELETONS[name]
    poses = torch.randn(60, len(skeleton), 3, dtype=torch.float64) * 0.3
    poses[..., 2] += 4
    flip = torch.tensor([-1.0, 1.0, 1.0])
    mirrored = (poses * flip)[:, skeleton.mirrored]
    visible = joint_visibility(poses, skeleton)
    assert torch.equal(joint_visibility(mirrored, skeleton), visible[:, skeleton.mirrored])
    assert 0.2 < visible.double().mean() < 0.99


def test_poses_may_come_in_any_batch(device):
    poses = (torch.randn(2, 3, 17, 3) * 0.3 + torch.tensor([0.0, 0.0, 4.0])).to(device)
    visible = joint_visibility(poses, H36M_17)
    assert visible.shape == (2, 3, 17)
    assert visible.device.type == device.type
    assert torch.equal(visible[1, 2], joint_visibility(poses[1, 2], H36M_17))


@pytest.mark.parametrize("distance", [0.0, 3.0, 30.0])
def test_a_bone_that_is_left_out_at_first_glance_could_not_have_hidden_the_joint(distance):
    poses = torch.randn(2000, 17, 3) * 0.3 + torch.tensor([0.0, 0.0, distance])
    poses[0, 3] = 0.0  # a joint in the camera itself
    radii, bones = capsule_radii(H36M_17), H36M_17.bones
    start, end = poses[:, [p for p, _ in bones]], poses[:, [c for _, c in bones]]
    depth = poses.norm(dim=-1, keepdim=True)
    sight = poses * ((depth - 0.1) / depth).clamp_min(0)
    hides = sight_distance(sight[:, :, None], start[:, None], (end - start)[:, None]) < radii
    glance = _may_hide(poses, depth, start, end - start, radii)
    assert not (hides & ~glance).any()
    assert hides.sum() < glance.sum() < 0.5 * glance.numel() or distance == 0


def nearest_along_sight(target, start, end):
    """By many small steps along the line of sight: how near it comes to a bone's axis."""
    points = np.linspace(0, 1, 4001)[:, None] * target
    along = end - start
    t = np.clip((points - start) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - start - t[:, None] * along, axis=1).min()


def test_visibility_is_that_of_many_small_steps_along_each_sight():
    radii = capsule_radii(H36M_17).tolist()
    poses = torch.randn(6, 17, 3, dtype=torch.float64) * 0.35
    poses[..., 2] += 3
    visible = joint_visibility(poses, H36M_17)
    compared = 0
    for pose, answer in zip(poses.numpy(), visible, strict=True):
        for joint in range(17):
            around = {joint, H36M_17.parents[joint]}
            around |= {c for p, c in H36M_17.bones if p == joint}
            sight = pose[joint] * (1 - 0.1 / np.linalg.norm(pose[joint]))
            room = min(
                nearest_along_sight(sight, pose[p], pose[c]) - radius
                for (p, c), radius in zip(H36M_17.bones, radii, strict=True)
                if not around & {p, c}
            )
            if abs(room) > 1e-4:
                assert answer[joint].item() == (room > 0)
                compared += 1
    assert compared > 95


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_each_bone_has_a_radius_and_both_sides_the_same(skeleton):
    radii = capsule_radii(skeleton)
    assert radii.shape == (len(skeleton.bones),)
    assert ((radii > 0.02) & (radii < 0.2)).all()
    by_child = {child: radii[i].item() for i, (_, child) in enumerate(skeleton.bones)}
    for left, right in zip(skeleton.left, skeleton.right, strict=True):
        if left in by_child:
            assert by_child[left] == by_child[right]


def test_limbs_taper():
    children = [H36M_17.joints[child] for _, child in H36M_17.bones]
    radius = dict(zip(children, capsule_radii(H36M_17), strict=True))
    assert radius["left_wrist"] < radius["left_elbow"] < radius["left_shoulder"]
    assert radius["left_ankle"] < radius["left_knee"] < radius["thorax"]
