"""Losses without a pose to compare with: worked by hand, and what they are blind to."""

import pytest
import torch

from paperlib.cameras import Camera, project_to_screen, screen_intrinsics
from paperlib.kinematics import bone_lengths, rotation_from_vector
from paperlib.losses import bone_length_loss, projection_loss
from paperlib.skeletons import H36M_17, HUMANEVA_15
from paperlib.windows import mirror

STRAIGHT = Camera("straight", 1000, 800, focal=(1000.0, 1000.0), centre=(500.0, 400.0))
LENS = {"radial": (-0.2, 0.24, -0.002), "tangential": (-0.009, -0.014)}
BENT = Camera("bent", 1000, 800, focal=(1100.0, 1090.0), centre=(512.0, 385.0), **LENS)
CHAIN = (-1, 0, 1)  # two bones


def rows(*cameras: Camera) -> torch.Tensor:
    return torch.stack([screen_intrinsics(camera) for camera in cameras]).double()


def scene(batch=4, frames=2, joints=17) -> torch.Tensor:
    """Absolute joints in front of the camera, none 45 degrees off its axis."""
    around = torch.rand(batch, frames, joints, 3, dtype=torch.float64) * 2 - 1
    return around + torch.tensor([0.0, 0.0, 5.0])


def chain(*lengths: float) -> torch.Tensor:
    """(1, 1, J, 3): joints along x, that far from each other."""
    steps = torch.tensor([0.0, *lengths], dtype=torch.float64).cumsum(0)
    return torch.stack([steps, 0 * steps, 0 * steps], dim=-1)[None, None]


# ---- projection ----------------------------------------------------------------------------------


def test_projection_loss_by_hand():
    # focal length 2 in screen units, centre (0, 0): seen at (0.5, 0) and (0.5, 1)
    joints = torch.tensor([[1.0, 0.0, 4.0], [0.5, 1.0, 2.0]], dtype=torch.float64)[None, None]
    keypoints = torch.tensor([[0.5, 0.0], [0.8, 0.6]], dtype=torch.float64)[None, None]
    # distances 0 and (0.3, 0.4): 0.5
    assert projection_loss(joints, keypoints, rows(STRAIGHT)).item() == pytest.approx(0.25)


@pytest.mark.parametrize("distortion", [True, False])
def test_nothing_is_lost_where_joints_fall_on_their_keypoints(distortion):
    joints, cameras = scene(), rows(STRAIGHT, BENT, BENT.mirrored(), STRAIGHT)
    seen = project_to_screen(joints, cameras, distortion)
    assert projection_loss(joints, seen, cameras, distortion).item() == 0
    assert projection_loss(joints, seen, cameras, not distortion) > 1e-4


def test_each_example_is_seen_by_its_own_camera():
    joints, keypoints = scene(2), torch.rand(2, 2, 17, 2, dtype=torch.float64)
    both = projection_loss(joints, keypoints, rows(STRAIGHT, BENT))
    first, second = (
        projection_loss(joints[i : i + 1], keypoints[i : i + 1], rows(camera))
        for i, camera in enumerate((STRAIGHT, BENT))
    )
    torch.testing.assert_close(both, (first + second) / 2)
    assert (both - projection_loss(joints, keypoints, rows(BENT, STRAIGHT))).abs() > 1e-3


def test_projection_cannot_tell_a_person_from_one_twice_as_large_and_far():
    """Why bones need a term of their own."""
    joints, keypoints = scene(), torch.rand(4, 2, 17, 2, dtype=torch.float64)
    cameras = rows(BENT, BENT, BENT, BENT)
    loss = projection_loss(joints, keypoints, cameras)
    torch.testing.assert_close(projection_loss(2 * joints, keypoints, cameras), loss)


def test_the_mirror_image_loses_as_much():
    joints, keypoints = scene(), torch.rand(4, 2, 17, 2, dtype=torch.float64)
    loss = projection_loss(joints, keypoints, rows(*[BENT] * 4))
    images = (mirror(points, H36M_17) for points in (joints, keypoints))
    mirrored = projection_loss(*images, rows(*[BENT.mirrored()] * 4))
    torch.testing.assert_close(mirrored, loss, rtol=1e-6, atol=0)


@pytest.mark.parametrize("distortion", [True, False])
def test_the_gradient_of_projection(distortion):
    joints, keypoints = scene(2, 1, 3), torch.rand(2, 1, 3, 2, dtype=torch.float64)

    def loss(positions):
        return projection_loss(positions, keypoints, rows(BENT, STRAIGHT), distortion)

    assert torch.autograd.gradcheck(loss, joints.requires_grad_())


def test_a_perfect_projection_has_no_gradient_instead_of_none_that_is_a_number():
    joints, cameras = scene(1).requires_grad_(), rows(BENT)
    projection_loss(joints, project_to_screen(joints, cameras).detach(), cameras).backward()
    assert joints.grad.abs().max() == 0


def test_joints_that_are_not_the_keypoints_are_refused():
    joints, cameras = scene(), rows(*[BENT] * 4)
    for shape in ((4, 2, 16, 2), (4, 1, 17, 2), (3, 2, 17, 2)):
        with pytest.raises(ValueError, match="must be the same joints of the same frames"):
            projection_loss(joints, torch.zeros(shape, dtype=torch.float64), cameras)


# ---- bones ---------------------------------------------------------------------------------------


def test_bone_length_loss_by_hand():
    # means 3 and 5 against 2 and 1: (1 + 4) / 2, whatever the bones of either person
    unlabelled = torch.cat([chain(2, 4), chain(4, 6)])
    labelled = torch.cat([chain(1, 1), chain(2, 0.5), chain(3, 1.5)])
    assert bone_length_loss(unlabelled, labelled, CHAIN).item() == pytest.approx(2.5)
    assert bone_length_loss(labelled, unlabelled, CHAIN).item() == pytest.approx(2.5)


def test_bones_too_long_do_not_make_up_for_bones_too_short():
    assert bone_length_loss(chain(1, 3), chain(2, 2), CHAIN).item() == pytest.approx(1.0)


def test_means_over_people_are_compared_not_people():
    tall_and_short = torch.cat([chain(1, 1), chain(3, 3)])
    both_middling = torch.cat([chain(2, 2), chain(2, 2)])
    assert bone_length_loss(tall_and_short, both_middling, CHAIN).item() == 0


def test_frames_count_like_people():
    people = torch.cat([chain(1, 1), chain(2, 4)])
    frames = people.transpose(0, 1)
    assert frames.shape == (1, 2, 3, 3)
    loss = bone_length_loss(people, chain(5, 5), CHAIN)
    torch.testing.assert_close(bone_length_loss(frames, chain(5, 5), CHAIN), loss)


@pytest.mark.parametrize("skeleton", [H36M_17, HUMANEVA_15], ids=lambda s: s.name)
def test_bones_are_those_of_the_skeleton(skeleton):
    one, other = (torch.randn(b, 3, len(skeleton), 3, dtype=torch.float64) for b in (5, 7))
    means = [bone_lengths(p, skeleton.parents).mean(dim=(0, 1)) for p in (one, other)]
    expected = sum(abs(a - b) for a, b in zip(*map(torch.Tensor.tolist, means), strict=True))
    found = bone_length_loss(one, other, skeleton.parents).item()
    assert found == pytest.approx(expected / (len(skeleton) - 1))


def test_bones_may_turn_and_go_anywhere():
    poses, labelled = (torch.randn(4, 1, 17, 3, dtype=torch.float64) for _ in range(2))
    turn = rotation_from_vector(torch.randn(4, 1, 3, dtype=torch.float64))
    moved = poses @ turn.transpose(-1, -2) + torch.randn(4, 1, 1, 3, dtype=torch.float64)
    loss = bone_length_loss(poses, labelled, H36M_17.parents)
    torch.testing.assert_close(bone_length_loss(moved, labelled, H36M_17.parents), loss)


def test_the_gradient_of_bone_lengths_reaches_both_halves():
    poses = [torch.randn(b, 1, 5, 3, dtype=torch.float64, requires_grad=True) for b in (2, 3)]

    def loss(unlabelled, labelled):
        return bone_length_loss(unlabelled, labelled, (-1, 0, 1, 0, 3))

    assert torch.autograd.gradcheck(loss, poses)
    loss(*poses).backward()
    assert all(p.grad.abs().max() > 1e-3 for p in poses)
