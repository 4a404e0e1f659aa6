"""Supervised training with several target frames a window, and tested after each epoch."""

from functools import partial

import pytest
import torch
from samples import same, swinging, weights
from torch import nn

from paperlib import training
from paperlib.evaluation import HeldOutError, evaluate
from paperlib.models import TemporalModel
from paperlib.recordings import Dataset
from paperlib.training import Recipe, Supervised
from paperlib.windows import Windows, keypoint_windows

RECIPE = Recipe(epochs=4, batch_size=16, channels=8, dropout=0.25)
TRAIN = (swinging("a", 15, 0.21), swinging("b", 7, 0.33))
TEST = (swinging("c", 30, 0.27), swinging("d", 9, 0.7, action="waving"))
DATA = Dataset("swings", "made here", TRAIN, TEST)


def build(**options) -> nn.Module:
    return TemporalModel(17, 2, 17, (3,), **{"channels": 8, "dropout": 0.25} | options)


def train(recipe=RECIPE, make=build, device="cpu", **options):
    return training.train(Supervised(make, DATA), recipe, device=device, progress=False, **options)


def batches(monkeypatch, recipe) -> list[int]:
    """The sizes of the batches of an epoch, in windows."""
    sizes, batch = [], Windows.batch

    def noting(self, examples):
        sizes.append(len(examples))
        return batch(self, examples)

    with monkeypatch.context() as patch:
        patch.setattr(Windows, "batch", noting)
        train(recipe.but(epochs=1))
    return sizes


# ---- chunks --------------------------------------------------------------------------------------


def test_a_batch_has_as_many_target_frames_whatever_the_chunk(monkeypatch):
    """15 and 7 frames, and their mirror images: 44, or 8 and 4 chunks of 4, 2 and 2 of 16."""
    assert batches(monkeypatch, RECIPE) == [16, 16, 12]
    assert batches(monkeypatch, RECIPE.but(chunk=4)) == [4, 4, 4]
    assert batches(monkeypatch, RECIPE.but(chunk=5, batch_size=16)) == [3, 3, 3, 1]


def test_a_batch_of_one_window_is_left_out_only_where_it_has_one_frame(monkeypatch):
    """Several frames are enough for batch norm."""
    assert batches(monkeypatch, RECIPE.but(chunk=16)) == [1, 1, 1, 1]
    assert batches(monkeypatch, RECIPE.but(batch_size=43)) == [43]


def test_the_loss_is_the_mean_over_all_target_frames():
    recipe = RECIPE.but(epochs=1, batch_size=1000, train_flip=False, dropout=0.0, chunk=3)
    still = partial(build, dropout=0.0)
    torch.manual_seed(0)
    model = still().train()
    inputs, target = keypoint_windows(DATA.train, 3, flip=False, chunk=3).batch(torch.arange(8))
    assert inputs.shape == (8, 5, 17, 2) and target.shape == (8, 3, 17, 3)
    loss = (model(inputs) - target).norm(dim=-1).mean().item()
    assert train(recipe, still).history[0]["train_mpjpe"] == pytest.approx(loss, rel=1e-5)


def test_another_chunk_is_another_run():
    first, second = train(), train(RECIPE.but(chunk=4))
    assert first.key != second.key
    assert not second.reused
    assert train(RECIPE.but(chunk=4)).reused
    assert not same(weights(first), weights(second))


def test_training_in_chunks_learns(device):
    larger = partial(build, channels=48, dropout=0.0)
    recipe = Recipe(epochs=20, batch_size=16, learning_rate=5e-3, chunk=4)
    losses = [row["train_mpjpe"] for row in train(recipe, larger, device.type).history]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0])
def test_seeds_that_no_generator_takes_are_refused(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4294967295, got "):
        train(seed=seed)


def test_chunks_with_a_stride_are_refused_before_training():
    with pytest.raises(ValueError, match="chunk 4 with stride 2"):
        train(RECIPE.but(chunk=4, stride=2))


# ---- looked at after each epoch ------------------------------------------------------------------


def test_each_epoch_is_tested_and_training_goes_on_as_without(device):
    plain = train(device=device.type)
    watched = train(device=device.type, each_epoch=HeldOutError(DATA))
    assert watched.key != plain.key and not watched.reused
    for name, value in weights(watched).items():
        if device.type == "cpu":
            assert torch.equal(value, plain.model.state_dict()[name])
        else:  # sums may be added up in another order
            torch.testing.assert_close(value, plain.model.state_dict()[name])
    assert [set(row) for row in plain.history] == [{"epoch", "train_mpjpe"}] * 4
    assert [set(row) for row in watched.history] == [{"epoch", "train_mpjpe", "test_mpjpe"}] * 4
    if device.type == "cpu":
        assert [row["train_mpjpe"] for row in plain.history] == [
            row["train_mpjpe"] for row in watched.history
        ]


@pytest.mark.parametrize("flip", [False, True])
def test_the_error_after_an_epoch_is_that_of_the_model_as_it_then_stood(flip):
    states = []

    def keep(model):
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        return {}

    run = train(each_epoch=HeldOutError(DATA, flip))
    train(each_epoch=keep)
    model = build()
    for state, row in zip(states, run.history, strict=True):
        model.load_state_dict(state)
        found = evaluate(model, DATA.test, flip, "cpu")
        assert row["test_mpjpe"] == found.average("mpjpe")
        assert row["test_mpjpe"] != found.frame_mean("mpjpe")
    assert len({row["test_mpjpe"] for row in run.history}) == 4


def test_a_watched_run_is_found_with_what_was_measured():
    first = train(each_epoch=HeldOutError(DATA))
    again = train(each_epoch=HeldOutError(DATA))
    assert again.reused and again.history == first.history
    assert not train(each_epoch=HeldOutError(DATA, flip=False)).reused
    assert not train(each_epoch=lambda model: {}).reused


def test_what_is_done_after_an_epoch_has_no_effect_on_training():
    """Not even where random numbers are drawn; and the model is in evaluation mode."""
    modes = []

    def meddle(model):
        modes.append(model.training)
        torch.rand(1000)
        return {"seen": len(modes)}

    plain, watched = train(), train(each_epoch=meddle)
    assert same(weights(plain), weights(watched))
    assert modes == [False] * 4
    assert [row["seen"] for row in watched.history] == [1, 2, 3, 4]


@pytest.mark.usefixtures("gpu")
def test_a_model_is_tested_where_it_is_trained_although_there_is_a_gpu():
    model = build()
    HeldOutError(DATA)(model)
    assert not next(model.parameters()).is_cuda
    assert train(each_epoch=HeldOutError(DATA)).history[-1]["test_mpjpe"] > 0


def test_an_interrupted_run_misses_no_epoch(interrupted):
    watching = HeldOutError(DATA)
    whole = train(each_epoch=watching)
    with interrupted(8):  # within the third of four epochs
        train(each_epoch=watching, retrain=True)
    resumed = train(each_epoch=watching)
    assert not resumed.reused
    assert same(weights(whole), weights(resumed))
    assert resumed.history == whole.history
