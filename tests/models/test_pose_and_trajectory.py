"""Two networks side by side, one for the pose, one for the root, nothing in common; or a single
one for both."""

import pytest
import torch

from paperlib.models import (
    PoseAndTrajectory,
    SharedPoseAndTrajectory,
    TemporalModel,
    count_parameters,
    lift,
)
from paperlib.windows import pad_sequence


def tiny(**options) -> PoseAndTrajectory:
    return PoseAndTrajectory(17, 2, 17, filter_widths=(3, 3), channels=6, **options)


@pytest.mark.parametrize("causal", [False, True])
def test_a_pose_and_a_root_for_every_output_frame(causal):
    model = tiny(causal=causal)
    assert (model.receptive_field, model.causal) == (9, causal)
    keypoints = torch.randn(4, 13, 17, 2)
    assert model(keypoints).shape == (4, 5, 17, 3)
    assert model.trajectory(keypoints).shape == (4, 5, 1, 3)


def test_called_it_gives_what_the_pose_network_alone_gives():
    model, keypoints = tiny().eval(), torch.randn(2, 9, 17, 2)
    assert torch.equal(model(keypoints), model.pose(keypoints))
    assert not torch.equal(model(keypoints)[:, :, :1], model.trajectory(keypoints))


def test_no_weights_are_shared():
    model = tiny()
    held = [{p.data_ptr() for p in part.state_dict().values()} for part in model.children()]
    assert len(held) == 2 and not held[0] & held[1]
    keypoints = torch.randn(4, 9, 17, 2)
    model(keypoints).sum().backward()
    assert all(p.grad is None for p in model.trajectory.parameters())
    model.zero_grad()
    model.trajectory(keypoints).sum().backward()
    assert all(p.grad is None for p in model.pose.parameters())


def test_the_two_do_not_begin_alike():
    model = tiny()
    assert not torch.equal(model.pose.expand.conv.weight, model.trajectory.expand.conv.weight)


def test_the_size_of_the_papers_networks():
    """243 frames, 1024 channels: table 5's network, and one with a single joint to give."""
    with torch.device("meta"):
        model = PoseAndTrajectory(17, 2, 17, filter_widths=(3,) * 5)
    assert count_parameters(model.pose) == 16_952_371
    assert count_parameters(model.trajectory) == 16_903_171
    assert count_parameters(model) == 16_952_371 + 16_903_171


def test_both_have_the_same_architecture_but_for_the_joints_they_give():
    options = {"causal": True, "dropout": 0.1, "dense": True}
    model = tiny(**options)
    assert {k: model.config[k] for k in options} == options
    assert model.config == TemporalModel(17, 2, 17, (3, 3), channels=6, **options).config
    assert model.trajectory.config == model.config | {"num_joints_out": 1}


def test_a_whole_sequence_is_lifted_like_any_other_models():
    model = tiny().eval()
    keypoints = torch.randn(20, 17, 2)
    poses = lift(model, pad_sequence(keypoints, 9)[None], part=7)
    assert poses.shape == (1, 20, 17, 3)
    torch.testing.assert_close(poses, model(pad_sequence(keypoints, 9)[None]))


def test_both_at_once_is_what_each_of_the_two_gives():
    model, keypoints = tiny().eval(), torch.randn(2, 11, 17, 2)
    poses, roots = model.both(keypoints)
    assert torch.equal(poses, model.pose(keypoints))
    assert torch.equal(roots, model.trajectory(keypoints))


def test_one_network_for_both_has_the_root_as_a_joint_more():
    options = {"filter_widths": (3, 3), "channels": 6, "causal": True}
    model = SharedPoseAndTrajectory(17, 2, 17, **options).eval()
    keypoints = torch.randn(2, 11, 17, 2)
    poses, roots = model.both(keypoints)
    assert (poses.shape, roots.shape) == ((2, 3, 17, 3), (2, 3, 1, 3))
    whole = model.network(keypoints)
    assert torch.equal(torch.cat([poses, roots], dim=2), whole)
    assert torch.equal(model(keypoints), poses)
    assert torch.equal(model.trajectory(keypoints), roots)
    alone = count_parameters(TemporalModel(17, 2, 17, **options))
    assert count_parameters(model) == alone + 3 * (6 + 1)
    assert model.config == tiny(causal=True).config
    assert (model.receptive_field, model.causal) == (9, True)
