"""The whole system of cheng2020 is what its page says, and each part of it can be left out."""

from dataclasses import replace

import pytest
from samples import same, weights
from views import data, filmed, without_poses

from paperlib.models import MultiStrideTCN
from paperlib.occlusion import OcclusionMasks
from paperlib.training import MASKS, Adversarial, Recipe, spatio_temporal, train
from paperlib.training.objectives.base import described

DATA = data(*filmed("a", 70, 4, seed=1), *filmed("b", 30, 2, seed=2))
FILMS = without_poses(*filmed("c", 40, 2, seed=3))
SHORT = {"length": 16, "strides": (1, 2)}


def learning(preset="smoke", films=FILMS, **options) -> Adversarial:
    return spatio_temporal(DATA, preset, films, **options)[0]


def test_the_recipe_counts_windows_of_every_view_mirrored_ones_too():
    """70 frames are two windows of 64 and five of 16; 30 frames are one and two."""
    for length, windows in ((64, 2 * (4 * 2 + 2 * 1)), (16, 2 * (4 * 5 + 2 * 2))):
        made = spatio_temporal(DATA, "laptop", length=length, strides=(1,))[1]
        assert made == Recipe.cheng2020("laptop", windows, length)
    assert spatio_temporal(DATA)[1] == Recipe.cheng2020()


@pytest.mark.parametrize(
    ("preset", "cells", "sigma", "embedding"),
    [("smoke", 8, 1.0, 32), ("laptop", 16, 1.0, 256), ("paper", 64, 2.0, 512)],
)
def test_the_network_is_as_large_as_the_preset_says(preset, cells, sigma, embedding):
    config = learning(preset).build().config
    assert (config["strides"], config["length"]) == ((1, 2, 3, 5, 7), 64)
    assert (config["maps"]["size"], config["maps"]["sigma"]) == (cells, sigma)
    assert (config["embedding"], config["in_features"]) == (embedding, 3)


def test_the_whole_has_every_part_at_the_objectives_own_settings():
    whole = learning()
    assert whole.films is FILMS and whole.masks == MASKS
    assert whole.views and whole.projection and whole.adversarial and whole.spatial
    assert whole.intervals == (1,)
    assert replace(whole, masks=None) == Adversarial(whole.build, DATA, FILMS)


def test_parts_are_left_out():
    base = learning(strides=(1,), cells=0, masks=None, films=None, views=0.0, adversarial=0.0)
    config = base.build().config
    assert config["strides"] == (1,) and config["maps"] is None and config["in_features"] == 2
    assert base.films is None and base.masks is None and not base.views and not base.adversarial
    other = learning(embedding=48, masks=OcclusionMasks(future=4), intervals=(), rotated=True)
    assert other.build().config["embedding"] == 48
    assert (other.intervals, other.rotated, other.masks.future) == ((), True, 4)


def test_equal_calls_are_one_run_and_by_hand_too():
    objective, recipe = spatio_temporal(DATA, "smoke", FILMS, **SHORT)
    first = train(objective, recipe, device="cpu", progress=False)
    assert first.finished and first.history[-1]["projection"] > 0

    def build():
        maps, size = {"size": 8}, {"channels": recipe.channels, "dropout": recipe.dropout}
        return MultiStrideTCN(17, 3, 17, (2, 1), 16, maps, embedding=32, **size)

    by_hand = Adversarial(build, DATA, FILMS, masks=MASKS)
    for again in (learning(**SHORT), by_hand):
        assert described(again) == described(objective)
        run = train(again, recipe, device="cpu", progress=False)
        assert run.reused and same(weights(run), weights(first))


@pytest.mark.parametrize(
    "options", [{"view": 0.5}, {"build": None}, {"preset": "tiny"}, {"length": 8}]
)
def test_what_there_is_not_is_refused(options):
    with pytest.raises(ValueError, match=r"option of the system|preset|windows of 8 frames"):
        learning(**options).build()
