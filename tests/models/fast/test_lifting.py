"""A folded model gives what the model gives, and a sequence in parts what it gives whole."""

import pytest
import torch
from networks import randomised

from paperlib.models import LinearModel, PoseAndTrajectory, TemporalModel, fold, lift


def trained(widths=(3, 3, 3), **options) -> TemporalModel:
    return randomised(TemporalModel(17, 2, 17, widths, channels=24, **options))


@pytest.mark.parametrize("widths", [(1,), (3,), (3, 3, 3), (1, 1, 1)])
@pytest.mark.parametrize("options", [{}, {"causal": True}, {"dense": True}], ids=str)
def test_the_same_poses(widths, options, device):
    model = trained(widths, **options).to(device)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    quick = fold(model)
    for frames in (model.receptive_field, model.receptive_field + 13):
        x = torch.randn(2, frames, 17, 2, device=device)
        torch.testing.assert_close(quick(x), model(x), rtol=1e-5, atol=1e-5)
    # the model it was made of is as it was
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.expand.conv.bias is None and model.expand.conv.weight.requires_grad


@pytest.mark.parametrize("options", [{}, {"causal": True}, {"dense": True}], ids=str)
def test_lifting_with_a_folded_model_gives_the_same(options, device):
    """On a processor another kind of convolution computes it."""
    model = trained(**options).to(device)
    x = torch.randn(2, 90, 17, 2, device=device)
    for part in (20, 1000):
        torch.testing.assert_close(lift(fold(model), x, part), model(x), rtol=1e-5, atol=1e-5)
    assert torch.equal(lift(fold(model), x.double()), lift(fold(model), x))
    window = x[:, : model.receptive_field]
    torch.testing.assert_close(lift(fold(model), window), model(window), rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="are fewer than the receptive field of 27"):
        lift(fold(model), x[:, :10])


def test_a_folded_model_that_is_changed_lifts_as_it_then_is():
    quick, x = fold(trained()), torch.randn(1, 40, 17, 2)
    before = lift(quick, x)
    assert torch.equal(lift(quick, x), before)
    for parameter in quick.parameters():
        parameter += 0.1
    torch.testing.assert_close(lift(quick, x), quick(x), rtol=1e-5, atol=1e-5)
    quick.load_state_dict(fold(trained()).state_dict())
    torch.testing.assert_close(lift(quick, x), quick(x), rtol=1e-5, atol=1e-5)
    assert (lift(quick, x) - before).abs().max() > 1e-3
    with torch.inference_mode():
        other = fold(trained())
        torch.testing.assert_close(lift(other, x), other(x), rtol=1e-5, atol=1e-5)


def test_new_weights_in_the_place_of_old_ones_are_noticed():
    """Where a tensor was freed, the next one of its size often comes to lie."""
    quick, x = fold(trained((3,))), torch.randn(1, 8, 17, 2)
    for factor in (2.0, 0.5, 3.0, 0.1, 5.0, 0.2):
        for _ in range(2):
            conv = quick.expand.conv
            conv.weight = torch.nn.Parameter(conv.weight.detach() * factor)
        torch.testing.assert_close(lift(quick, x), quick(x), rtol=1e-5, atol=1e-5)
        quick.half().float()
        torch.testing.assert_close(lift(quick, x), quick(x), rtol=1e-5, atol=1e-5)


def test_half_precision_moves_poses_a_little(device):
    model = trained().to(device)
    quick, x = fold(model, torch.bfloat16), torch.randn(1, 100, 17, 2, device=device)
    assert quick.expand.conv.weight.dtype == torch.bfloat16
    poses, exact = quick(x), model(x)
    assert poses.dtype == torch.float32
    assert 0 < (poses - exact).norm() < 0.01 * exact.norm()


def test_there_is_nothing_left_to_normalise_or_train():
    quick = fold(trained())
    assert not any("norm" in name for name, _ in quick.named_modules())
    assert not any(values.requires_grad for values in quick.parameters())
    with pytest.raises(ValueError, match=r"float32 or torch\.bfloat16, got torch\.float16"):
        fold(trained(), torch.float16)


def test_what_cannot_be_folded_is_refused():
    with pytest.raises(ValueError, match="folded already"):
        fold(fold(trained()))
    with pytest.raises(ValueError, match="PoseAndTrajectory has no batch norms of its own"):
        fold(PoseAndTrajectory(17, 2, 17, filter_widths=(3,), channels=4))


@pytest.mark.parametrize("part", [1, 7, 50, 74, 1000])
def test_parts_make_the_whole(part):
    model, x = trained(), torch.randn(2, 100, 17, 2)
    torch.testing.assert_close(lift(model, x, part), model(x), rtol=1e-5, atol=1e-6)


def test_parts_of_a_single_frame_model_and_of_too_short_a_sequence():
    x = torch.randn(2, 10, 17, 2)
    model = LinearModel(17, 2, 17, channels=8).eval()
    torch.testing.assert_close(lift(model, x, 3), model(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="10 frames are fewer than the receptive field of 27"):
        lift(trained(), x)
