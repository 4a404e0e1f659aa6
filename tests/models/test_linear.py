"""The linear baseline lifts each frame by itself."""

import pytest
import torch
from networks import randomised
from torch.nn import functional as F

from paperlib.models import LinearModel, count_parameters, flops_per_frame


def tiny(**options) -> LinearModel:
    sizes = {"num_joints_in": 5, "in_features": 2, "num_joints_out": 4}
    return randomised(LinearModel(**(sizes | options)))


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_every_frame_gets_a_pose(frames, device):
    model = tiny(channels=8).to(device)
    assert (model.receptive_field, model.causal) == (1, False)
    assert model(torch.randn(3, frames, 5, 2, device=device)).shape == (3, frames, 4, 3)


@torch.no_grad()
def test_frames_stand_alone():
    model = tiny(channels=16)
    sequence = torch.randn(2, 6, 5, 2)
    poses = model(sequence)
    changed = sequence.clone()
    changed[1, 3] += 1
    different = (model(changed) - poses).abs().amax((2, 3)) > 1e-4
    assert different.nonzero().tolist() == [[1, 3]]
    alone = torch.stack([model(sequence[:, t : t + 1])[:, 0] for t in range(6)], dim=1)
    torch.testing.assert_close(alone, poses)


@torch.no_grad()
def test_a_block_is_two_layers_and_a_short_cut():
    model = tiny(channels=7, num_blocks=1)
    x = torch.randn(3, 10)

    def layer(x, which):
        norm = which.norm
        y = x @ which.conv.weight.T + which.conv.bias
        y = (y - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        return F.relu(y * norm.weight + norm.bias)

    expected = layer(x, model.first)
    one, two = model.blocks[0]
    expected = expected + layer(layer(expected, one), two)
    expected = expected @ model.last.weight.T + model.last.bias
    torch.testing.assert_close(model(x.view(3, 1, 5, 2)), expected.view(3, 1, 4, 3))


@pytest.mark.parametrize(("joints", "channels", "blocks"), [(17, 1024, 2), (16, 64, 3), (5, 8, 0)])
def test_parameters_and_flops_by_formula(joints, channels, blocks):
    with torch.device("meta"):
        model = LinearModel(joints, 2, joints, channels=channels, num_blocks=blocks)
    inner = channels * channels + channels + 2 * channels  # weights, biases, scale and shift
    first = 2 * joints * channels + 3 * channels
    last = 3 * joints * channels + 3 * joints
    assert count_parameters(model) == first + 2 * blocks * inner + last
    products = 2 * joints * channels + 2 * blocks * channels**2 + 3 * joints * channels
    assert flops_per_frame(model) == 2 * products


def test_parameters_at_the_papers_size():
    with torch.device("meta"):
        assert count_parameters(LinearModel(17, 2, 17)) == 4_296_755
