"""The second stage of kato2020: its noise, its sizes, and that depths help it."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from samples import same, swinging, weights

from paperlib import training
from paperlib.evaluation import evaluate
from paperlib.models import TemporalModel
from paperlib.recordings import Dataset
from paperlib.training import SECOND_STAGE, JointDepths, Recipe
from paperlib.windows import INPUTS, as_inputs

RECIPE = Recipe(epochs=3, batch_size=16, channels=8, dropout=0.0, precision="float32")


def deep(one, error=0.02):
    """A recording with depths that are a little wrong."""
    chance = torch.Generator().manual_seed(len(one))
    off = error * torch.randn(one.keypoints.shape[:2], generator=chance)
    return replace(one, depths=one.pose[..., 2] + off)


DATA = Dataset(
    "swings",
    "made here",
    (deep(swinging("a", 40, 0.21)), deep(swinging("b", 20, 0.33))),
    (deep(swinging("c", 30, 0.27)),),
)


def train(recipe=RECIPE, data=DATA, device="cpu", **options):
    options = {"widths": (3,)} | options
    return training.train(JointDepths(data, **options), recipe, device=device, progress=False)


def seen(monkeypatch, **options) -> torch.Tensor:
    """All that the network is given in an epoch of training, ``(N, 3, 17, F)``."""
    given, forward = [], TemporalModel.forward

    def noting(self, keypoints, schedule="auto"):
        given.append(keypoints.detach().clone())
        return forward(self, keypoints, schedule)

    with monkeypatch.context() as patch:
        patch.setattr(TemporalModel, "forward", noting)
        train(RECIPE.but(epochs=1), **options)
    return torch.cat(given)


def test_noise_is_on_the_depths_of_each_joint_and_frame(monkeypatch):
    """The same windows in the same order, so that the difference is the noise."""
    plain = seen(monkeypatch, inputs="2d_depth")
    noisy = seen(monkeypatch, inputs="2d_depth_noise", sigma=0.1)
    noise = (noisy - plain)[..., 2]
    assert torch.equal(noisy[..., :2], plain[..., :2])
    assert noise.std().item() == pytest.approx(0.1, rel=0.05)
    assert abs(noise.mean().item()) < 0.01
    assert noise.std(dim=0).min() > 0.05 and noise.std(dim=1).min() > 0  # joints and frames
    assert (noise.flatten(1).unique(dim=0)).shape[0] == len(noise)  # windows


def test_noise_on_both_is_on_keypoints_too(monkeypatch):
    plain = seen(monkeypatch, inputs="2d_depth")
    noise = seen(monkeypatch, inputs="2d_depth_noise", sigma=0.05, noise_on="both") - plain
    for number in range(3):
        assert noise[..., number].std().item() == pytest.approx(0.05, rel=0.06)


def test_without_noise_nothing_is_added(monkeypatch):
    plain = seen(monkeypatch, inputs="2d_depth")
    assert torch.equal(seen(monkeypatch, inputs="2d_depth", sigma=0.3), plain)
    assert torch.equal(seen(monkeypatch, inputs="2d_depth_noise", sigma=0.0), plain)


def test_testing_adds_no_noise():
    run = train(sigma=5.0)
    recordings = [as_inputs(r, "2d_depth_noise") for r in DATA.test]
    assert evaluate(run.model, recordings, device="cpu") == evaluate(
        run.model, recordings, device="cpu"
    )


@pytest.mark.parametrize("inputs", INPUTS)
def test_each_input_learns(inputs, device):
    recipe = RECIPE.but(epochs=15, channels=32, learning_rate=5e-3)
    run = train(recipe, inputs=inputs, device=device.type)
    losses = [row["train_mpjpe"] for row in run.history]
    assert losses[-1] < 0.6 * losses[0]
    test = [as_inputs(r, inputs) for r in DATA.test]
    assert evaluate(run.model, test, device=device.type).average("mpjpe") < losses[0]
    assert run.model.config["in_features"] == (3 if "depth" in inputs else 2)


def test_resumed_is_as_uninterrupted(whole_and_resumed):
    whole, resumed = whole_and_resumed(train, (2, 7))
    assert not resumed.reused
    assert same(weights(whole), weights(resumed))


def test_options_are_other_runs():
    options = [{}, {"inputs": "2d_depth"}, {"sigma": 0.2}, {"noise_on": "both"}, {"widths": (1,)}]
    keys = {train(RECIPE.but(epochs=1), **one).key for one in options}
    assert len(keys) == len(options)


def test_receptive_fields_are_those_of_the_table():
    """W ** (B + 1); a single frame goes through two blocks too."""
    assert {1: (1, 2), 27: (3, 2), 81: (3, 3), 243: (3, 4)} == {
        field: (widths[0], len(widths) - 1) for field, widths in SECOND_STAGE.items()
    }
    for field, widths in SECOND_STAGE.items():
        assert TemporalModel(17, 3, 17, widths, channels=4).receptive_field == field


def test_what_does_not_fit_is_refused():
    refused = partial(train, RECIPE.but(epochs=1))
    for sigma in (-0.1, float("nan"), float("inf"), "0.1"):
        with pytest.raises(ValueError, match="sigma must be a number from 0"):
            refused(sigma=sigma)
    with pytest.raises(ValueError, match=r"unknown noise_on 'depths'.*Did you mean 'depth'"):
        refused(noise_on="depths")
    with pytest.raises(ValueError, match=r"unknown inputs 'gt'"):
        refused(inputs="gt")
    plain = replace(DATA, train=(swinging("a", 40, 0.21),))
    with pytest.raises(ValueError, match="has no depths"):
        refused(data=plain)
    with pytest.raises(ValueError, match="no recordings"):
        refused(data=replace(DATA, train=()))
