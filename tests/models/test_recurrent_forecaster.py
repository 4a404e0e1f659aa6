"""The recurrent forecaster: a step from the last pose, by hand; what it sees, what it refuses."""

import pytest
import torch
from torch import nn

from paperlib.evaluation import zero_velocity
from paperlib.models import RecurrentForecaster, count_parameters

JOINTS = 5


def forecaster(channels: int = 12) -> RecurrentForecaster:
    """As if trained: the last layer begins with zeros."""
    torch.manual_seed(1)
    model = RecurrentForecaster(JOINTS, channels)
    nn.init.normal_(model.step.weight, std=0.1)
    nn.init.normal_(model.step.bias, std=0.1)
    return model.eval()


def poses(batch: int = 3, frames: int = 7) -> torch.Tensor:
    return torch.randn(batch, frames, JOINTS, 3, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
@pytest.mark.parametrize("seen", [1, 2, 50])
@pytest.mark.parametrize("frames", [1, 2, 25])
def test_untrained_it_says_that_nobody_moves(seen, frames):
    past = poses(frames=seen)
    found = RecurrentForecaster(JOINTS, 8)(past, frames)
    assert found.shape == (3, frames, JOINTS, 3)
    assert torch.equal(found, zero_velocity(past, frames))


@torch.no_grad()
def test_one_step_by_hand():
    """The gates of Cho et al. 2014, as PyTorch orders them: reset, update, new."""
    model, past = forecaster(), poses(frames=3)
    unit, state = model.unit, torch.zeros(3, 12)
    for x in past.flatten(2).unbind(1):
        given = x @ unit.weight_ih.T + unit.bias_ih
        kept = state @ unit.weight_hh.T + unit.bias_hh
        (r, z, n), (hr, hz, hn) = given.chunk(3, dim=1), kept.chunk(3, dim=1)
        r, z = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
        state = (1 - z) * torch.tanh(n + r * hn) + z * state
    step = state @ model.step.weight.T + model.step.bias
    right = past[:, -1] + step.unflatten(1, (JOINTS, 3))
    torch.testing.assert_close(model(past, 1)[:, 0], right)


@torch.no_grad()
def test_it_reads_its_own_answers():
    """What comes after an answer is what comes after it as the last pose seen."""
    model, past = forecaster(), poses()
    whole = model(past, 6)
    for known in range(1, 6):
        read = torch.cat([past, whole[:, :known]], dim=1)
        torch.testing.assert_close(model(read, 6 - known), whole[:, known:])
        assert torch.equal(model(past, known), whole[:, :known])


@torch.no_grad()
def test_windows_are_independent_and_the_order_of_frames_counts():
    model, past = forecaster(), poses()
    found, order = model(past, 4), torch.tensor([2, 0, 1])
    torch.testing.assert_close(model(past[order], 4), found[order])
    swapped = past[:, [1, 0, *range(2, 7)]]  # the last pose stays
    assert (model(swapped, 4) - found).abs().max() > 1e-4


def test_gradients_reach_the_first_frame_through_its_own_answers():
    past = poses().requires_grad_()
    forecaster()(past, 5)[:, -1].sum().backward()
    assert (past.grad.abs().amax(dim=(0, 2, 3)) > 0).all()


@torch.no_grad()
def test_mixed_precision_leaves_poses_alone():
    model, past = forecaster(), poses()
    with torch.autocast("cpu", torch.bfloat16):
        found = model(past, 5)
    assert found.dtype == torch.float32 and torch.equal(found, model(past, 5))


def test_parameters_at_its_own_size():
    with torch.device("meta"):
        model = RecurrentForecaster(17)
    inputs, channels = 3 * 17, 1024
    unit = 3 * channels * (inputs + channels + 2)
    assert count_parameters(model) == unit + inputs * (channels + 1)


@pytest.mark.parametrize("frames", [0, -1, 2.0, True, None])
def test_no_frame_to_come_is_refused(frames):
    with pytest.raises(ValueError, match="whole number from 1, got frames="):
        forecaster()(poses(), frames)


@pytest.mark.parametrize("shape", [(2, 7, 4, 3), (2, 7, 5, 2), (7, 5, 3), (2, 0, 5, 3)])
def test_other_poses_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected poses \(B, T, 5, 3\)|0 frames are fewer"):
        forecaster()(torch.zeros(shape))
