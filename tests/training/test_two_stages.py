"""The two stages of kato2020 are what their pages say, and equal calls are equal runs."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from samples import same, weights

from paperlib.datasets import synthetic
from paperlib.datasets.other_bodies import other_bodies
from paperlib.models import IntegralRegression
from paperlib.rendering import Augmentation, FilmImages
from paperlib.rendering.crops import CROP_MARGIN
from paperlib.training import (
    FIRST_STAGE,
    MARGINALS,
    SECOND_STAGE,
    ImageJoints,
    JointDepths,
    Recipe,
    first_stage,
    second_stage,
    train,
)
from paperlib.training.objectives.base import described


@pytest.fixture(scope="module")
def data():
    whole = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking",))
    short = replace(whole, train=whole.train[:2], test=whole.test[:1])
    return short.map(lambda r: replace(r.cut(0, 12), depths=r.pose[:12, :, 2]))


@pytest.mark.parametrize("preset", FIRST_STAGE)
def test_the_first_stage_is_as_large_as_the_preset_says(data, preset):
    objective, recipe = first_stage(data, preset)
    with torch.device("meta"):
        config = objective.build().config
    assert config == {"num_joints_out": 17, "extent": 1.5} | FIRST_STAGE[preset]
    assert recipe == Recipe.kato2020_images(preset)


def test_other_bodies_stand_beside_those_of_the_data(data):
    objective, _ = first_stage(data)
    assert objective.dataset is data and objective.marginals == MARGINALS
    assert objective.flat.fingerprint == other_bodies(data).fingerprint
    assert objective.augmentation == Augmentation(margin=CROP_MARGIN)
    assert FilmImages(data.test[0]).margin == CROP_MARGIN  # what it is tested on
    assert first_stage(data, "laptop")[0].augmentation.rotation == 10
    changed, _ = first_stage(data, flat=None, marginals=0.0, augmentation=Augmentation.none())
    assert (changed.flat, changed.marginals) == (None, 0.0)
    assert changed.augmentation == Augmentation.none()


@pytest.mark.parametrize("frames", SECOND_STAGE)
def test_the_second_stage_sees_as_many_frames_as_it_is_told(data, frames):
    objective, recipe = second_stage(data, "smoke", "2d_depth", frames)
    assert objective.model(recipe).receptive_field == frames
    assert recipe == Recipe.kato2020("smoke")


def test_the_second_stage_is_by_itself_that_of_the_paper(data):
    objective, recipe = second_stage(data)
    assert described(objective) == described(JointDepths(data))
    assert (objective.sigma, objective.noise_on) == (0.1, "depth")
    assert recipe == Recipe.kato2020("paper")
    assert second_stage(data, "laptop")[1].batch_size == 64
    other, _ = second_stage(data, sigma=0.2, noise_on="both")
    assert (other.sigma, other.noise_on) == (0.2, "both")


def test_equal_calls_are_one_run_and_by_hand_too(data):
    objective, recipe = first_stage(data, "smoke")
    recipe = recipe.but(epochs=1, epoch_examples=8)
    go = partial(train, recipe=recipe, device="cpu", progress=False)
    first = go(objective)
    build = partial(IntegralRegression, 17, **FIRST_STAGE["smoke"])
    drawn = Augmentation(margin=0.125, rotation=10.0, scale=(0.9, 1.1))
    by_hand = ImageJoints(build, data, other_bodies(data), drawn, marginals=0.05)
    for again in (first_stage(data, "smoke")[0], by_hand):
        run = go(again)
        assert run.reused and same(weights(run), weights(first))
    objective, recipe = second_stage(data, "smoke", "2d", 27)
    go = partial(train, recipe=recipe.but(epochs=1), device="cpu", progress=False)
    go(objective)
    assert go(JointDepths(data, "2d", SECOND_STAGE[27])).reused


def test_what_there_is_not_is_refused(data):
    with pytest.raises(ValueError, match="unknown option of the first stage 'marginal'"):
        first_stage(data, marginal=0.1)
    with pytest.raises(ValueError, match="unknown option of the first stage 'build'"):
        first_stage(data, build=None)
    with pytest.raises(ValueError, match="unknown option of the second stage 'noise'"):
        second_stage(data, noise="both")
    with pytest.raises(ValueError, match="unknown preset 'tiny'"):
        first_stage(data, "tiny")
    with pytest.raises(ValueError, match="unknown receptive_field 9: choose one of 1, 27, 81, 243"):
        second_stage(data, receptive_field=9)
