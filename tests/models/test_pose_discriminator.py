"""The pose discriminator: what it sees, what it cannot see, and that it learns."""

import pytest
import torch
from torch import Tensor

from paperlib.kinematics import bone_vectors, rotation_apply, rotation_from_vector
from paperlib.losses import discriminator_loss
from paperlib.models.pose_discriminator import PoseDiscriminator, _pressed
from paperlib.skeletons import H36M_17, HUMANEVA_15

PARENTS = H36M_17.parents
SMALL = {"channels": 8, "num_blocks": 1}


def sequences(count: int = 3, frames: int = 8, joints: int = 17) -> Tensor:
    """(N, T, J, 3): people who swing to and fro, about as large as people are; root at 0."""
    rest, swing = torch.randn(2, count, 1, joints, 3).unbind()
    phase, speed = torch.rand(2, count, 1, 1, 1).unbind()
    time = torch.arange(frames)[:, None, None]
    poses = 0.3 * rest + 0.2 * swing * torch.sin(0.4 * (1 + speed) * time + 6 * phase)
    return poses - poses[:, :, :1]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ({}, [51, 136, 136]),
        ({"intervals": ()}, [51, 136]),
        ({"spatial": False}, [51, 136]),
        ({"intervals": (1, 3, 5), "coordinates": False}, [136] * 4),
        ({"spatial": False, "intervals": ()}, [51]),
    ],
)
def test_what_each_frame_is_described_by(options, sizes):
    judge, poses = PoseDiscriminator(PARENTS, **SMALL, **options), sequences()
    kinds = judge.kinds(poses)
    assert [tuple(kind.shape) for kind in kinds] == [(3, 8, size) for size in sizes]
    assert judge(poses).shape == (3,)


def test_features_by_hand():
    judge = PoseDiscriminator(PARENTS, intervals=(1, 3), **SMALL)
    poses = sequences(1)
    coordinates, spatial, *temporal = judge.kinds(poses + torch.randn(3))
    torch.testing.assert_close(coordinates, poses.flatten(2))
    bones = bone_vectors(poses[0], PARENTS)
    pairs = [(i, j) for i in range(16) for j in range(i, 16)]
    for frame in range(8):
        for number, (i, j) in enumerate(pairs):
            product = bones[frame, :, i] @ bones[frame, :, j]
            assert spatial[0, frame, number].item() == pytest.approx(product.item(), abs=1e-5)
    for interval, phi in zip((1, 3), temporal, strict=True):
        change = spatial[:, interval:] - spatial[:, :-interval]
        torch.testing.assert_close(phi[:, :-interval], change, atol=1e-6, rtol=0)
        assert phi[:, -interval:].abs().max() == 0


def test_kcs_alone_neither_sees_turns_nor_places():
    judge = PoseDiscriminator(PARENTS, coordinates=False, **SMALL)
    poses = sequences()
    turn = rotation_from_vector(torch.randn(3, 1, 1, 3))
    moved = rotation_apply(turn, poses) + torch.randn(3, 8, 1, 3)
    judge.eval()
    torch.testing.assert_close(judge(moved), judge(poses), atol=1e-4, rtol=0)


def test_coordinates_see_turns_but_no_places():
    judge, poses = PoseDiscriminator(PARENTS, **SMALL).eval(), sequences()
    turn = rotation_from_vector(torch.randn(3, 1, 1, 3))
    assert (judge(rotation_apply(turn, poses)) - judge(poses)).abs().min() > 1e-4
    # a root that is not quite at 0 must not give away what a network has made
    torch.testing.assert_close(judge(poses + torch.randn(3, 8, 1, 3)), judge(poses))


def test_the_scales_are_those_of_true_motion():
    judge, poses = PoseDiscriminator(PARENTS, intervals=(1, 5), **SMALL), sequences(20)
    judge.standardised_by(poses)
    for kind, scale in zip(judge.kinds(poses), judge.scales, strict=True):
        assert scale.item() == pytest.approx(kind.square().mean().sqrt().item(), rel=1e-4)
    still = poses[:, :1].expand(20, 8, 17, 3)
    judge.standardised_by(still)
    assert judge.scales[2:].tolist() == [1.0, 1.0]  # nothing to divide by
    assert "scales" in judge.state_dict()


def test_features_are_pressed_by_asinh_and_so_are_their_gradients():
    x = torch.cat([torch.linspace(-1e4, 1e4, 2000), torch.linspace(-3, 3, 1000)])
    x = x.requires_grad_(True)
    found, expected = _pressed(x), torch.asinh(x)
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=1e-6)
    slopes = [torch.autograd.grad(y.sum(), x)[0] for y in (found, expected)]
    torch.testing.assert_close(*slopes, atol=2e-6, rtol=1e-4)


def test_each_sequence_stands_alone_and_the_order_of_its_frames_counts():
    judge, poses = PoseDiscriminator(PARENTS, **SMALL).eval(), sequences(4)
    logits = judge(poses)
    torch.testing.assert_close(judge(poses[[2, 0]]), logits[[2, 0]])
    assert (judge(poses.flip(1)) - logits).abs().min() > 1e-4


def test_no_layer_stretches_anything():
    judge, poses = PoseDiscriminator(PARENTS, **SMALL), sequences()
    with torch.no_grad():
        for parameter in judge.parameters():
            parameter.mul_(50)
        for _ in range(30):  # each call in training goes on looking for the largest singular value
            judge(poses)
    for layer in (judge.first, *judge.blocks, judge.last):
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        assert largest.item() == pytest.approx(1.0, rel=0.02)
    free = PoseDiscriminator(PARENTS, spectral_norm=False, **SMALL)
    assert not any("parametrizations" in name for name in free.state_dict())


def test_every_frame_and_joint_gets_a_gradient():
    judge, poses = PoseDiscriminator(PARENTS, **SMALL), sequences().requires_grad_()
    judge(poses).sum().backward()
    assert poses.grad.norm(dim=-1).min() > 0


def test_the_logits_stay_finite_for_what_no_person_can_do():
    judge = PoseDiscriminator(PARENTS, **SMALL)
    judge.standardised_by(sequences())
    assert judge(1e4 * sequences()).abs().max() < 100


@pytest.mark.parametrize(
    "options", [{"coordinates": False, "intervals": (1,)}, {"spatial": False}, {}], ids=str
)
def test_it_learns_to_tell_shuffled_sequences_from_true_ones(options):
    judge = PoseDiscriminator(PARENTS, channels=16, num_blocks=1, **options)
    judge.standardised_by(sequences(64))
    optimizer = torch.optim.Adam(judge.parameters(), lr=3e-3, betas=(0.5, 0.9))

    def pair(count: int) -> tuple[Tensor, Tensor]:
        true, other = sequences(2 * count).chunk(2)
        return true, other[:, torch.randperm(8)]

    for _ in range(150):
        true, shuffled = pair(16)
        logits = judge(torch.cat([true, shuffled]))
        optimizer.zero_grad()
        discriminator_loss(*logits.chunk(2)).backward()
        optimizer.step()
    true, shuffled = (judge(poses).detach() for poses in pair(200))
    assert (true > 0).float().mean() > 0.85
    assert (shuffled < 0).float().mean() > 0.85


def test_spatial_features_alone_cannot_tell_the_order_of_two_frames_but_temporal_ones_can():
    """A network that sees one frame at a time: its first kernel is cut down to the middle."""
    poses = sequences()
    for options, told in (({"intervals": ()}, False), ({"spatial": False}, True)):
        judge = PoseDiscriminator(
            PARENTS, coordinates=False, num_blocks=0, spectral_norm=False, channels=8, **options
        )
        with torch.no_grad():
            judge.first.weight[..., [0, 2]] = 0
        changed = (judge(poses) - judge(poses.flip(1))).abs().max().item()
        assert (changed > 1e-4) == told


def test_another_skeleton():
    assert PoseDiscriminator(HUMANEVA_15.parents)(sequences(joints=15)).shape == (3,)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("intervals", [(1, 1), (0,), (-1,), (1.5,), (True,), 1, "1"], ids=str)
def test_wrong_intervals_are_refused(intervals):
    with pytest.raises(ValueError, match="intervals must be different numbers of frames"):
        PoseDiscriminator(PARENTS, intervals=intervals)


def test_a_discriminator_that_sees_nothing_is_refused():
    with pytest.raises(ValueError, match="sees nothing"):
        PoseDiscriminator(PARENTS, spatial=False, intervals=(), coordinates=False)


@pytest.mark.parametrize("parents", [(), (-1,), (-1, -1), (0, 1), (-1, 5), (-2, -1)], ids=str)
def test_what_is_no_tree_is_refused(parents):
    with pytest.raises(ValueError, match="those of a skeleton"):
        PoseDiscriminator(parents)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("channels", 0), ("num_blocks", -1), ("spatial", 1), ("spectral_norm", "no")],
)
def test_values_out_of_range_are_refused(argument, value):
    with pytest.raises(ValueError, match=f"{argument}={value!r}"):
        PoseDiscriminator(PARENTS, **{argument: value})


@pytest.mark.parametrize("shape", [(3, 5, 17, 3), (3, 8, 16, 3), (3, 8, 17, 2), (8, 17, 3)])
def test_other_joints_and_sequences_no_longer_than_the_interval_are_refused(shape):
    judge = PoseDiscriminator(PARENTS, intervals=(1, 5))
    with pytest.raises(ValueError, match=r"expected poses \(B, T, 17, 3\) of 6 or more frames"):
        judge(torch.zeros(shape))
