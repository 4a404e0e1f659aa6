"""The temporal model: its two schedules, what its outputs see, what it costs, what it refuses."""

import csv
from pathlib import Path

import pytest
import torch
from networks import randomised
from torch import nn
from torch.nn import functional as F

from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, count_parameters, filter_widths
from paperlib.models.complexity import flops_per_frame, flops_per_window
from paperlib.models.temporal import dilated, strided

TABLE5 = Path(__file__).resolve().parents[2] / "data" / "papers" / "pavllo2019_table5.csv"


def tiny(widths=(3, 3, 3), joints_in=5, features=2, joints_out=4, channels=6, **options):
    sizes = (joints_in, features, joints_out, widths)
    return randomised(TemporalModel(*sizes, channels=channels, **options))


def kernels(layer) -> torch.Tensor:
    """``(C_out, C_in, width)``, as PyTorch's convolutions have them."""
    return layer.conv.weight.unflatten(1, (layer.width, -1)).transpose(1, 2)


def textbook(model: TemporalModel, keypoints: torch.Tensor) -> torch.Tensor:
    """The paper's network in plain Conv1d and BatchNorm1d over (B, C, T), with the weights of
    ``model``: always dilated, or without dilation, and cropped at every short cut."""
    config = model.config
    widths = config["filter_widths"]

    def layer(ours, dilation=1):
        weights = kernels(ours).detach()
        conv = nn.Conv1d(*weights.shape[1::-1], ours.width, dilation=dilation, bias=False)
        conv.weight.data = weights.contiguous()
        norm = nn.BatchNorm1d(len(weights))
        norm.load_state_dict(ours.norm.state_dict())
        return nn.Sequential(conv, norm.eval(), nn.ReLU())

    x = keypoints.reshape(*keypoints.shape[:2], -1).transpose(1, 2)
    x = layer(model.expand)(x)
    dilation = widths[0]
    for block, width in zip(model.blocks, widths[1:], strict=True):
        cut = (width - 1) * dilation // 2
        y = layer(block.point)(layer(block.wide, 1 if config["dense"] else dilation)(x))
        x = (x[:, :, 2 * cut :] if config["causal"] else x[:, :, cut : x.shape[2] - cut]) + y
        dilation *= width
    shrink = nn.Conv1d(x.shape[1], model.shrink.out_features, 1)
    shrink.weight.data = model.shrink.weight.detach()[:, :, None]
    shrink.bias.data = model.shrink.bias.detach()
    return shrink(x).transpose(1, 2).unflatten(2, (config["num_joints_out"], 3))


# ---- the two schedules ---------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", RECEPTIVE_FIELDS)
def test_both_schedules_give_the_same_poses(receptive_field, causal, device):
    model = tiny(filter_widths(receptive_field), causal=causal).to(device)
    assert model.receptive_field == receptive_field
    sequence = torch.randn(2, receptive_field + 3, 5, 2, device=device)
    dilated = model(sequence)
    assert dilated.shape == (2, 4, 4, 3)
    assert dilated.std() > 0.01
    windows = sequence.unfold(1, receptive_field, 1).movedim(-1, 2).flatten(0, 1)
    strided = model(windows, schedule="strided").view_as(dilated)
    torch.testing.assert_close(strided, dilated, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_window_is_run_strided_unless_asked_otherwise(monkeypatch):
    model = tiny()
    asked = []
    run = type(model.blocks[0]).forward
    monkeypatch.setattr(
        type(model.blocks[0]), "forward", lambda *args: asked.append(args[2]) or run(*args)
    )
    window = torch.randn(2, 27, 5, 2)
    poses = {schedule: model(window, schedule) for schedule in ("auto", "strided", "dilated")}
    assert asked == [strided, strided] * 2 + [dilated, dilated]
    assert torch.equal(poses["auto"], poses["strided"])
    torch.testing.assert_close(poses["auto"], poses["dilated"], rtol=1e-5, atol=1e-5)
    model(torch.randn(2, 28, 5, 2))
    assert asked[6:] == [dilated, dilated]


VARIANTS = {"symmetric": {}, "causal": {"causal": True}, "dense": {"dense": True}}
VARIANTS["causal and dense"] = VARIANTS["causal"] | VARIANTS["dense"]


@torch.no_grad()
@pytest.mark.parametrize("widths", [(3,), (3, 3, 3), (3, 5, 3), (5, 3), (1, 1, 1), (1, 3)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_a_textbook_convolutional_network(variant, widths, device):
    model = tiny(widths, **VARIANTS[variant]).to(device)
    reach = model.receptive_field
    sequence = torch.randn(3, reach + 4, 5, 2)
    on_cpu = tiny(widths, **VARIANTS[variant])
    on_cpu.load_state_dict(model.state_dict())
    expected = textbook(on_cpu, sequence)
    assert expected.shape == (3, 5, 4, 3)
    torch.testing.assert_close(model(sequence.to(device)).cpu(), expected, rtol=1e-5, atol=1e-5)
    first = model(sequence[:, :reach].to(device)).cpu()  # strided, where there is such a schedule
    torch.testing.assert_close(first, expected[:, :1], rtol=1e-5, atol=1e-5)


def test_strided_training_steps_are_those_of_a_strided_convolution():
    """In training, batch statistics are over exactly the frames that the strided layers give."""
    model = TemporalModel(5, 2, 4, (3, 3), channels=6, dropout=0.0).train()
    windows = torch.randn(8, 9, 5, 2)
    x = windows.flatten(2).transpose(1, 2)

    def layer(x, ours, stride):
        y = F.conv1d(x, kernels(ours), stride=stride)
        mean, var = y.mean((0, 2), keepdim=True), y.var((0, 2), unbiased=False, keepdim=True)
        return F.relu((y - mean) / (var + 1e-5).sqrt())

    x = layer(x, model.expand, 3)
    block = model.blocks[0]
    x = x[:, :, 1::3] + layer(layer(x, block.wide, 3), block.point, 1)
    expected = model.shrink(x[:, :, 0]).view(8, 1, 4, 3)
    torch.testing.assert_close(model(windows), expected, rtol=1e-4, atol=1e-5)


def test_both_schedules_have_the_same_gradients():
    model = tiny((3, 3), causal=True)
    window = torch.randn(2, 9, 5, 2)
    gradients = []
    for schedule in ("strided", "dilated"):
        model.zero_grad()
        model(window, schedule).square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


# ---- what an output sees -------------------------------------------------------------------------


def frames_seen(model: TemporalModel, frames: int, output: int) -> list[int]:
    """Input frames with a part in one output frame, by the gradient. Squares hide no sign."""
    sequence = torch.randn(1, frames, 5, 2, requires_grad=True)
    model(sequence, "dilated")[0, output].square().sum().backward()
    return sequence.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()


@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", [1, 3, 9, 27])
def test_an_output_sees_exactly_one_receptive_field(receptive_field, causal, dense):
    model = tiny(filter_widths(receptive_field), causal=causal, dense=dense, channels=32)
    for output in (0, 2):
        seen = frames_seen(model, receptive_field + 4, output)
        assert seen == list(range(output, output + receptive_field))


@torch.no_grad()
@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
def test_a_causal_model_never_sees_the_future(dense):
    model = tiny(causal=True, dense=dense)
    sequence = torch.randn(1, 60, 5, 2)
    before = model(sequence)
    for frame in (30, 45, 59):
        changed = sequence.clone()
        changed[:, frame:] += 10
        after = model(changed)
        # output t belongs to input frame t + 26
        torch.testing.assert_close(after[:, : frame - 26], before[:, : frame - 26])
        assert (after[:, frame - 26 :] - before[:, frame - 26 :]).abs().amax((0, 2, 3)).min() > 1e-3


@pytest.mark.parametrize(("causal", "home"), [(False, 13), (True, 26)])
def test_the_short_cuts_carry_the_frame_an_output_belongs_to(causal, home):
    """With all convolutions of the blocks silenced, only the frames under the kernel of the first
    layer are left: those next to the middle one, or the last three if causal."""
    model = TemporalModel(5, 2, 4, (3, 3, 3), causal=causal, channels=32).eval()
    for block in model.blocks:
        nn.init.zeros_(block.wide.conv.weight)
        nn.init.zeros_(block.point.conv.weight)
    window = torch.randn(1, 27, 5, 2, requires_grad=True)
    for schedule in ("strided", "dilated"):
        window.grad = None
        model(window, schedule).square().sum().backward()
        seen = window.grad[0].abs().sum((1, 2)).nonzero().flatten().tolist()
        assert seen == ([24, 25, 26] if causal else [12, 13, 14])
        assert home in seen


# ---- filter widths -------------------------------------------------------------------------------


def test_filter_widths():
    expected = {1: (1,), 3: (3,), 9: (3, 3), 27: (3, 3, 3), 81: (3,) * 4, 243: (3,) * 5}
    expected[729] = (3,) * 6
    assert {r: filter_widths(r) for r in RECEPTIVE_FIELDS} == expected


@pytest.mark.parametrize("wrong", [0, -3, 2, 28, 242, 2187, None, "27"])
def test_other_receptive_fields_are_refused_and_the_choices_named(wrong):
    with pytest.raises(ValueError, match="1, 3, 9, 27, 81, 243, 729") as error:
        filter_widths(wrong)
    assert repr(wrong) in str(error.value)


# ---- what it costs -------------------------------------------------------------------------------


def full_size(widths, joints_out=17, **options) -> TemporalModel:
    """With the paper's 1024 channels, but without the memory for its weights."""
    with torch.device("meta"):
        return TemporalModel(17, 2, joints_out, widths, **options)


COSTS = {
    ("27", "yes"): ((3, 3, 3), {}, 8_555_571, 17_090_560),
    ("81", "yes"): ((3, 3, 3, 3), {}, 12_753_971, 25_479_168),
    ("243", "yes"): ((3, 3, 3, 3, 3), {}, 16_952_371, 33_867_776),
    ("27", "no"): ((3, 3, 3), {"dense": True}, 29_527_091, 59_033_600),
}


@pytest.mark.parametrize("row", COSTS, ids=" dilated: ".join)
def test_parameters_and_flops_are_those_of_table_5(row):
    widths, options, parameters, flops = COSTS[row]
    for causal in (False, True):
        model = full_size(widths, causal=causal, **options)
        assert count_parameters(model) == parameters
        assert flops_per_frame(model) == flops
    with TABLE5.open(newline="") as file:
        ours = [r for r in csv.DictReader(file) if r["own_model"] == "yes"]
    (printed,) = (r for r in ours if (r["receptive_field"], r["dilated"]) == row)
    assert f"{parameters / 1e6:.2f}" == printed["parameters_millions"]
    assert f"{flops / 1e6:.2f}" == printed["flops_millions_per_frame"]


def test_parameters_of_the_single_frame_and_the_trajectory_model():
    assert count_parameters(full_size((1, 1, 1, 1, 1))) == 8_494_131
    assert count_parameters(full_size((3, 3, 3, 3, 3), joints_out=1)) == 16_903_171


def test_frozen_weights_are_not_counted_as_parameters():
    model = tiny()
    everything = count_parameters(model)
    model.shrink.requires_grad_(False)
    assert count_parameters(model) == everything - (6 * 12 + 12)


def test_causal_and_symmetric_models_share_their_weights():
    symmetric, causal = tiny(), tiny(causal=True)
    causal.load_state_dict(symmetric.state_dict())
    window = torch.randn(1, 27, 5, 2)
    assert not torch.allclose(causal(window), symmetric(window), atol=1e-3)


def test_weights_begin_as_those_of_a_torch_convolution():
    model = TemporalModel(17, 2, 17, (3, 3), channels=64)
    for layer in model.layers:
        weight = kernels(layer)
        theirs = nn.Conv1d(weight.shape[1], weight.shape[0], weight.shape[2], bias=False).weight
        assert weight.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.01)
        assert weight.std().item() == pytest.approx(theirs.std().item(), rel=0.05)
        assert abs(weight.mean().item()) < 0.01


# ---- what is refused -----------------------------------------------------------------------------


def test_what_is_no_tensor_is_refused():
    with pytest.raises(ValueError, match=r"\(B, T, 5, 2\) as a tensor, got a ndarray"):
        tiny()(torch.zeros(1, 27, 5, 2).numpy())


@pytest.mark.parametrize("frames", [0, 1, 26])
def test_fewer_frames_than_the_receptive_field_are_refused(frames):
    with pytest.raises(ValueError, match=rf"{frames} frames .* 27.*pad"):
        tiny()(torch.zeros(1, frames, 5, 2))


def test_strided_takes_windows_of_one_receptive_field_only():
    with pytest.raises(ValueError, match=r"exactly 27 frames.*got 28"):
        tiny()(torch.zeros(1, 28, 5, 2), schedule="strided")
    with pytest.raises(ValueError, match="dense=True"):
        tiny(dense=True)(torch.zeros(1, 27, 5, 2), schedule="strided")
    with pytest.raises(ValueError, match="'auto', 'dilated', 'strided'"):
        tiny()(torch.zeros(1, 27, 5, 2), schedule="stride")


@pytest.mark.parametrize("widths", [(), (2,), (3, 4), (3, 0), (3, -3), (3.5,), 27, "333", None])
def test_even_and_missing_widths_are_refused(widths):
    with pytest.raises(ValueError, match="odd and at least one") as error:
        TemporalModel(5, 2, 4, widths, channels=6)
    assert repr(widths) in str(error.value)


def test_a_receptive_field_for_widths_is_answered_with_the_widths():
    with pytest.raises(ValueError, match=r"\(3, 3, 3\).*filter_widths\(27\).*got 27"):
        TemporalModel(17, 2, 17, 27)


def test_a_model_without_dilation_has_no_strided_cost():
    with pytest.raises(ValueError, match="dense=True"):
        flops_per_window(tiny(dense=True))
