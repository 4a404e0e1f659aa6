"""Losses without a pose to compare with: worked by hand, and what they are blind to."""

import pytest
import torch

from paperlib.cameras import Camera, project_to_screen, screen_intrinsics
from paperlib.kinematics import bone_lengths, rotation_apply, rotation_from_vector
from paperlib.losses import (
    bone_length_loss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    multi_view_loss,
    orthographic_fit,
    orthographic_loss,
    pose_loss,
    projection_loss,
)
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


# ---- squared errors of poses, and of two views ---------------------------------------------------


def test_squares_are_summed_over_a_pose_and_averaged_over_poses():
    target = torch.zeros(2, 1, 2, 3)
    predicted = target.clone()
    predicted[0, 0, 0] = torch.tensor([1.0, 2.0, 0.0])
    predicted[0, 0, 1] = torch.tensor([0.0, 0.0, 3.0])
    assert pose_loss(predicted, target).item() == pytest.approx((1 + 4 + 9) / 2)


def test_poses_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="twice the same shape"):
        pose_loss(torch.zeros(2, 4, 17, 3), torch.zeros(2, 3, 17, 3))


def views() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Poses in the world, and two world-to-camera rotations for each."""
    turns = rotation_from_vector(torch.randn(2, 3, 3, dtype=torch.float64))
    return torch.randn(3, 4, 17, 3, dtype=torch.float64), turns[0], turns[1]


def test_true_poses_of_two_views_agree():
    world, one, other = views()
    first, second = (rotation_apply(turn[:, None, None], world) for turn in (one, other))
    between = other @ one.transpose(-1, -2)
    assert multi_view_loss(first, second, between) < 1e-24
    assert multi_view_loss(second, first, between.transpose(-1, -2)) < 1e-24
    assert multi_view_loss(second, first, between) > 1
    # an error of one view is an error between the two, whichever it is
    off = torch.randn(3, 4, 17, 3, dtype=torch.float64)
    for pair in ((first + off, second), (first, second + off)):
        torch.testing.assert_close(multi_view_loss(*pair, between), pose_loss(off, 0 * off))


def test_views_by_hand():
    quarter = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]])  # x to y
    first = torch.tensor([1.0, 0.0, 2.0]).expand(1, 1, 1, 3)
    second = torch.tensor([0.5, 1.0, 2.0]).expand(1, 1, 1, 3)
    assert multi_view_loss(first, second, quarter).item() == 0.25


def test_the_gradient_of_views_reaches_both():
    world, one, other = views()
    poses = [world[:, :, :3].clone().requires_grad_(), torch.randn_like(world[:, :, :3])]
    between = other @ one.transpose(-1, -2)
    assert torch.autograd.gradcheck(
        lambda a, b: multi_view_loss(a, b, between), [poses[0], poses[1].requires_grad_()]
    )


def test_views_without_a_rotation_each_are_refused():
    world, one, _ = views()
    with pytest.raises(ValueError, match=r"need rotations \(3, 3, 3\)"):
        multi_view_loss(world, world, one[:2])


# ---- orthographic projection ---------------------------------------------------------------------


def seen() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Poses, and keypoints that fit them roughly; a third of the joints are hidden."""
    poses = torch.randn(3, 4, 17, 3, dtype=torch.float64)
    scale = 0.1 + torch.rand(3, 4, 1, 1, dtype=torch.float64)
    shift = torch.randn(3, 4, 1, 2, dtype=torch.float64)
    keypoints = scale * poses[..., :2] + shift
    return poses, keypoints + 0.05 * torch.randn_like(keypoints), torch.rand(3, 4, 17) > 1 / 3


def test_the_best_scale_and_shift_are_those_that_a_search_finds():
    poses, keypoints, visible = seen()
    scale, shift, metres = orthographic_fit(poses, keypoints, visible)
    found = [torch.ones_like(scale).requires_grad_(), torch.zeros_like(shift).requires_grad_()]
    search = torch.optim.LBFGS(found, max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-16)

    def away() -> torch.Tensor:
        search.zero_grad()
        off = visible[..., None] * (found[0] * poses[..., :2] + found[1] - keypoints)
        off.square().sum().backward()
        return off.square().sum()

    search.step(away)
    torch.testing.assert_close(scale, found[0].detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(shift, found[1].detach(), rtol=1e-5, atol=1e-6)
    # and the loss is what they leave, in the metres of the pose
    off = metres * (scale * poses[..., :2] + shift - keypoints) * visible[..., None]
    expected = off.square().sum(dim=(-2, -1)).mean()
    torch.testing.assert_close(orthographic_loss(poses, keypoints, visible), expected)
    torch.testing.assert_close(metres * scale, torch.ones_like(scale), rtol=0.1, atol=0)


def test_a_pose_over_its_own_keypoints_loses_nothing_wherever_and_however_large():
    poses, _, visible = seen()
    keypoints = 300 * poses[..., :2] + 1000
    assert orthographic_loss(poses, keypoints, visible) < 1e-20
    deeper = poses + torch.tensor([0.0, 0.0, 1.0]) * torch.randn(3, 4, 17, 1)
    assert orthographic_loss(deeper, keypoints, visible) < 1e-20


def test_orthographic_loss_by_hand():
    """Two joints 2 m apart along x are seen 1 apart along x, and a third one, in the middle, is
    seen 1/4 off: that is half a metre, but best shift and the spreads share in it."""
    pose = torch.tensor([[-1.0, 0, 5], [0, 0, 3], [1, 0, 9]]).double()[None, None]
    keypoints = torch.tensor([[-0.5, 0.0], [0.0, 0.25], [0.5, 0.0]]).double()[None, None]
    everything = torch.ones(1, 1, 3, dtype=torch.bool)
    scale, shift, metres = orthographic_fit(pose, keypoints, everything)
    assert scale.item() == 0.5
    assert shift.flatten().tolist() == pytest.approx([0, 0.25 / 3])
    left = 0.25**2 * 2 / 3  # of the square of 1/4, after the best shift
    assert metres.item() ** 2 == pytest.approx(2 / (0.5 + left))
    loss = orthographic_loss(pose, keypoints, everything)
    assert loss.item() == pytest.approx(left * 2 / (0.5 + left))
    # hidden, it does not count
    assert orthographic_loss(pose, keypoints, torch.tensor([[[True, False, True]]])) < 1e-20


def test_units_and_place_of_the_keypoints_do_not_matter_and_metres_do():
    poses, keypoints, visible = seen()
    loss = orthographic_loss(poses, keypoints, visible)
    torch.testing.assert_close(orthographic_loss(poses, 250 * keypoints - 40, visible), loss)
    torch.testing.assert_close(orthographic_loss(3 * poses, keypoints, visible), 9 * loss)


def test_nothing_is_gained_by_becoming_smaller():
    poses, keypoints, visible = seen()
    size = torch.ones((), dtype=torch.float64, requires_grad=True)
    centred = poses - poses.mean(dim=2, keepdim=True)
    orthographic_loss(size * centred, keypoints, visible).backward()
    assert size.grad.abs() < 1e-12


def test_following_the_gradient_leads_over_the_keypoints():
    poses, keypoints, visible = seen()
    for _ in range(50):
        poses = poses.detach().requires_grad_()
        loss = orthographic_loss(poses, keypoints, visible)
        loss.backward()
        poses = poses - 2 * poses.grad  # a step of a mean over 12 frames
    assert loss < 1e-3 * orthographic_loss(*seen())


def test_hidden_joints_have_no_part_in_it():
    poses, keypoints, visible = seen()
    poses.requires_grad_()
    loss = orthographic_loss(poses, keypoints, visible)
    loss.backward()
    assert poses.grad[~visible].abs().max() == 0
    assert poses.grad[visible][:, :2].abs().min() > 0
    assert poses.grad[..., 2].abs().max() == 0
    torch.testing.assert_close(
        orthographic_loss(poses, torch.where(visible[..., None], keypoints, 7.0), visible), loss
    )


@pytest.mark.parametrize("many", [0, 1])
def test_what_has_no_extent_teaches_nothing(many):
    poses, keypoints, visible = seen()
    few = torch.zeros_like(visible)
    few[..., :many] = True
    one_place = torch.full_like(keypoints, 0.3)
    for seen_at, joints in ((keypoints, few), (one_place, visible)):
        poses = poses.detach().requires_grad_()
        loss = orthographic_loss(poses, seen_at, joints)
        loss.backward()
        assert loss.item() == 0 and poses.grad.abs().max() == 0


def test_no_image_is_turned_upside_down():
    poses, keypoints, visible = seen()
    scale, _, _ = orthographic_fit(poses, -keypoints, visible)
    assert scale.max() == 0
    assert orthographic_loss(poses, -keypoints, visible) > 1


def test_joints_that_are_not_those_of_the_keypoints_are_refused():
    poses, keypoints, visible = seen()
    for given in ((poses[:, :, :16], keypoints, visible), (poses, keypoints, visible[:2])):
        with pytest.raises(ValueError, match="must be the same joints of the same frames"):
            orthographic_loss(*given)


# ---- the two-player game -------------------------------------------------------------------------


def test_the_losses_of_the_game_are_those_of_probabilities():
    real, fake = torch.randn(7, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    told = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    torch.testing.assert_close(discriminator_loss(real, fake), told)
    torch.testing.assert_close(generator_loss(fake), -fake.sigmoid().log().mean())
    nothing = torch.zeros(3)
    coin = 2 * torch.tensor(2.0).log()
    torch.testing.assert_close(discriminator_loss(nothing, nothing), coin)


def test_a_generator_that_is_found_out_still_learns():
    """What non-saturating means: the gradient is largest where the discriminator is surest."""
    fake = torch.tensor([-200.0, 0.0, 200.0], requires_grad=True)
    generator_loss(fake).backward()
    torch.testing.assert_close(3 * fake.grad, torch.tensor([-1.0, -0.5, 0.0]))


def test_the_penalty_by_hand():
    """Logits w x + x_0^2: the gradient is w, and 2 x_0 more in the first place."""
    real = torch.tensor([[1.0, 2.0], [3.0, 0.0]], requires_grad=True)
    weight = torch.tensor([1.0, -2.0], requires_grad=True)
    penalty = gradient_penalty(real @ weight + real[:, 0] ** 2, real)
    assert penalty.item() == pytest.approx(((3**2 + 4) + (7**2 + 4)) / 2 / 2)
    penalty.backward()
    torch.testing.assert_close(weight.grad, torch.tensor([(3.0 + 7) / 2, -2.0]))
