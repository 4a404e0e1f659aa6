"""The Temporal PoseNet: its size, and what its numbers mean."""

import pytest
import torch

from paperlib.models import TemporalPoseNet, count_parameters, filter_widths


def small(**options):
    return TemporalPoseNet(14, 17, filter_widths(9), channels=8, **options)


def test_parameters_of_the_reference():
    """14 joints with scores in, 17 joints out, 1024 channels, 81 frames: counted by hand."""
    assert count_parameters(TemporalPoseNet(14, 17)) == 12_778_547
    assert TemporalPoseNet(14, 17).receptive_field == 81


def test_what_is_learnt_is_standardised_and_what_is_given_is_not(device):
    model = small(root=2).to(device).eval()
    inputs = torch.randn(2, 12, 14, 3, device=device)
    plain = model.answer(inputs)
    mean, std = torch.randn(14, 3), torch.rand(14, 3) + 0.5
    output_mean, output_std = torch.randn(17, 3), torch.rand(17, 3) + 0.5
    model.standardised_by(mean, std, output_mean, output_std)
    shifted = inputs * std.to(device) + mean.to(device)
    assert torch.allclose(model.answer(shifted), plain, atol=1e-4)
    answer = plain * output_std.to(device) + output_mean.to(device)
    assert torch.allclose(model.standardise(answer), plain, atol=1e-4)
    # by hand: x and y of the root, its depth from the logarithm, all others relative to it
    given = model(shifted)
    root = torch.cat([answer[:, :, 2, :2], answer[:, :, 2, 2:].exp()], dim=-1)
    assert given.shape == (2, 4, 17, 3)
    assert torch.allclose(given[:, :, 2], root, atol=1e-4)
    assert torch.allclose(given[:, :, 5], answer[:, :, 5] + root, atol=1e-4)
    assert (given[:, :, 2, 2] > 0).all()  # never behind the camera


def test_statistics_travel_with_the_weights():
    model = small().standardised_by(*(torch.rand(j, 3) for j in (14, 14, 17, 17)))
    other = small()
    other.load_state_dict(model.state_dict())
    inputs = torch.randn(1, 9, 14, 3)
    assert torch.equal(model.eval()(inputs), other.eval()(inputs))


def test_a_window_and_a_sequence_give_the_same():
    model = small().eval()
    inputs = torch.randn(1, 20, 14, 3)
    whole = model(inputs)
    windows = torch.cat([model(inputs[:, s : s + 9]) for s in range(12)], dim=1)
    assert torch.allclose(whole, windows, atol=1e-4)


def test_a_root_that_is_no_joint_is_refused():
    with pytest.raises(ValueError, match="root must be one of 17"):
        small(root=17)
    for wrong in (-1, "hip"):
        with pytest.raises(ValueError, match=f"root={wrong!r}"):
            small(root=wrong)


def test_a_receptive_field_for_widths_is_answered_with_the_widths():
    with pytest.raises(ValueError, match=r"\(3, 3, 3\).*got 81"):
        TemporalPoseNet(14, 17, 81)
