"""An LSTM as a lifting network: its cells by hand, what it costs, and that it learns over time."""

import pytest
import torch
from networks import randomised
from samples import recording
from torch import Tensor, nn

from paperlib import training
from paperlib.models import (
    HighResolutionNet,
    LinearModel,
    LSTMModel,
    RecurrentForecaster,
    TemporalModel,
    channels_for,
    count_parameters,
    filter_widths,
    flops_per_frame,
)
from paperlib.prediction import predict
from paperlib.recordings import Dataset, Recording
from paperlib.training import Recipe, Supervised


def tiny(length: int = 9, **options) -> LSTMModel:
    sizes = {"num_joints_in": 5, "in_features": 2, "num_joints_out": 4, "channels": 6}
    return randomised(LSTMModel(length=length, **(sizes | options)))


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_every_frame_of_a_window_gets_a_pose(frames):
    model = tiny(frames)
    assert (model.receptive_field, model.causal, model.length) == (1, False, frames)
    assert model(torch.randn(3, frames, 5, 2)).shape == (3, frames, 4, 3)


@torch.no_grad()
def test_a_pose_knows_of_all_frames_of_its_window_and_of_no_other():
    model, sequence = tiny(), torch.randn(2, 9, 5, 2)
    changed = sequence.clone()
    changed[1, 4] += 1
    moved = (model(changed) - model(sequence)).abs().amax((2, 3)) > 1e-7
    assert not moved[0].any() and moved[1].all()


def test_windows_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"windows of 8 frames, this network reads 9.*chunk=9"):
        tiny()(torch.randn(1, 8, 5, 2))
    data = Dataset("one", "made here", (recording(20),), ())
    learning = Supervised(lambda: LSTMModel(17, 2, 17, 12, channels=4), data)
    with pytest.raises(ValueError, match="windows of 1 frames, this network reads 12"):
        training.train(learning, Recipe(epochs=1), device="cpu", progress=False)


@pytest.mark.parametrize("frames", [1, 5, 12, 13, 40])
def test_recordings_of_any_length_are_read(frames):
    model = randomised(LSTMModel(17, 2, 17, 12, channels=4))
    poses = predict(model, recording(frames))
    assert poses.shape == (frames, 17, 3) and poses.isfinite().all()


def read(x: Tensor, cells: dict[str, Tensor], name: str) -> list[Tensor]:
    """What cells say of each frame of ``(T, C)``, one number of memory after the other."""
    size = cells[f"weight_hh_{name}"].shape[1]
    memory = said = torch.zeros(size)
    out = []
    for frame in x:
        gates = cells[f"weight_ih_{name}"] @ frame + cells[f"bias_ih_{name}"]
        gates = gates + cells[f"weight_hh_{name}"] @ said + cells[f"bias_hh_{name}"]
        enter, keep, new, tell = gates.split(size)
        memory = torch.sigmoid(keep) * memory + torch.sigmoid(enter) * torch.tanh(new)
        said = torch.sigmoid(tell) * torch.tanh(memory)
        out.append(said)
    return out


@torch.no_grad()
def test_two_layers_by_hand():
    model, sequence = tiny(7), torch.randn(7, 10)
    cells, x = dict(model.cells.named_parameters()), sequence
    for layer in ("l0", "l1"):
        forwards, backwards = read(x, cells, layer), read(x.flip(0), cells, f"{layer}_reverse")
        pairs = zip(forwards, backwards[::-1], strict=True)
        x = torch.stack([torch.cat(pair) for pair in pairs])
    expected = (x @ model.shrink.weight.T + model.shrink.bias).view(1, 7, 4, 3)
    torch.testing.assert_close(model(sequence.view(1, 7, 5, 2)), expected)


def test_cells_begin_by_keeping_what_they_hold():
    """Or nothing would be left after a few frames: a gate of one half keeps 3 % after five."""
    model = LSTMModel(5, 2, 4, channels=6)
    for name, bias in model.cells.named_parameters():
        if name.startswith("bias"):
            _, forget, _, _ = bias.split(6)
            expected = 1.0 if name.startswith("bias_ih") else 0.0
            assert (forget == expected).all() and bias.sum() == 6 * expected


# ---- what it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1024, 7, 30])
def test_parameters_and_flops_by_formula(channels):
    with torch.device("meta"):
        model = LSTMModel(17, 2, 16, channels=channels)
    matrices = sum(2 * 4 * channels * (width + channels) for width in (34, 2 * channels))
    matrices += 2 * channels * 48
    biases = 2 * 2 * 2 * 4 * channels + 48
    assert flops_per_frame(model) == 2 * matrices
    assert count_parameters(model) == matrices + biases


def test_other_recurrent_networks_are_counted_and_images_refused():
    with torch.device("meta"):
        forecaster, images = RecurrentForecaster(17, 1024), HighResolutionNet(17)
    gates, step = 3 * 1024 * (51 + 1024), 1024 * 51
    assert flops_per_frame(forecaster) == 2 * (gates + step)
    with pytest.raises(ValueError, match="counted of matrix products, and there is a Conv2d"):
        flops_per_frame(images)


@pytest.mark.parametrize("channels", [64, 256, 1024])
@pytest.mark.parametrize("receptive_field", [27, 243])
def test_it_can_cost_what_a_temporal_model_costs(channels, receptive_field):
    """Both in operations and, since either uses each weight once a frame, in parameters."""
    with torch.device("meta"):
        model = TemporalModel(17, 2, 17, filter_widths(receptive_field), channels=channels)

    def build(width: int) -> LSTMModel:
        return LSTMModel(17, 2, 17, channels=width)

    wanted = flops_per_frame(model)
    best = channels_for(build, wanted, flops_per_frame)
    with torch.device("meta"):
        lstm, others = build(best), [build(best - 1), build(best + 1)]
    off = abs(flops_per_frame(lstm) - wanted)
    assert off / wanted < 0.02
    assert all(off <= abs(flops_per_frame(other) - wanted) for other in others)
    assert count_parameters(lstm) == pytest.approx(count_parameters(model), rel=0.03)


def test_channels_are_found_for_any_cost():
    def build(channels: int) -> LinearModel:
        return LinearModel(5, 2, 4, channels=channels)

    for channels in (1, 2, 3, 50):
        with torch.device("meta"):
            wanted = count_parameters(build(channels))
        assert channels_for(build, wanted) == channels
        assert channels_for(build, wanted + 1) == channels
    with pytest.raises(ValueError, match=r"one channel costs \d+ already, more than the 3 wanted"):
        channels_for(build, 3)


# ---- learning ------------------------------------------------------------------------------------


def turning(clip: str, forwards: bool) -> Recording:
    """Keypoints that turn one way or the other, each frame of which is in both; what is asked for
    is the way: 20 cm in front of the root, or behind it."""
    angle = torch.arange(48) * torch.pi / 12 * (1 if forwards else -1)
    places = torch.stack([angle.cos(), angle.sin()], dim=-1)
    positions = torch.zeros(48, 17, 3)
    positions[:, 1:, 2] = 0.2 if forwards else -0.2
    keypoints = 500 + 300 * places[:, None].expand(48, 17, 2)
    return recording(48, clip, keypoints=keypoints, positions=positions + torch.tensor([0, 0, 5.0]))


def test_it_learns_what_no_frame_shows_and_reads_longer_sequences_in_windows():
    films = [turning("one way", True), turning("the other", False)]
    data = Dataset("turning", "made here", tuple(films), ())
    recipe = Recipe(epochs=30, batch_size=48, chunk=12, learning_rate=1e-2, train_flip=False)

    def trained(build) -> nn.Module:
        options = {"device": "cpu", "progress": False}
        return training.train(Supervised(build, data), recipe, **options).model

    def off(model: nn.Module) -> float:
        away = [(predict(model, film, flip=False) - film.pose).abs()[:, 1:, 2] for film in films]
        assert all(len(part) == 48 for part in away)
        return torch.stack(away).mean().item()

    assert off(trained(lambda: LinearModel(17, 2, 17, channels=16, dropout=0.0))) > 0.15
    model = trained(lambda: LSTMModel(17, 2, 17, 12, channels=16, dropout=0.0))
    assert off(model) < 0.05  # some windows begin where no chunk did
