"""Recipes hold the paper's numbers, and their presets keep the shape of the paper's schedule."""

import json
import math
from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest

from paperlib.training import PRESETS, Recipe, resolve_preset


def test_the_papers_numbers():
    recipe = Recipe.pavllo2019()
    assert recipe == Recipe.pavllo2019("paper") == Recipe()
    assert (recipe.epochs, recipe.batch_size, recipe.channels) == (80, 1024, 1024)
    assert (recipe.learning_rate, recipe.decay, recipe.dropout) == (1e-3, 0.95, 0.25)
    assert (recipe.momentum_start, recipe.momentum_end) == (0.1, 0.001)
    assert recipe.train_flip and recipe.test_flip
    assert recipe.stride == 1


def test_momentum_falls_as_in_the_reference():
    recipe = Recipe()
    assert recipe.momentum(0) == 0.1
    assert recipe.momentum(80) == pytest.approx(0.001)
    assert recipe.momentum(40) == pytest.approx(0.01)
    for epoch in range(81):
        formula = 0.1 * math.exp(-epoch / 80 * math.log(0.1 / 0.001))
        assert recipe.momentum(epoch) == pytest.approx(formula)


def test_smaller_presets_are_smaller_but_fall_as_far():
    sizes = [Recipe.pavllo2019(preset) for preset in ("smoke", "laptop", "paper")]
    for smaller, larger in pairwise(sizes):
        assert smaller.epochs < larger.epochs
        assert smaller.channels < larger.channels
        assert smaller.batch_size <= larger.batch_size
        assert smaller.stride > larger.stride
    for recipe in sizes:
        if recipe.schedule == "exponential":
            assert recipe.rate(recipe.epochs - 1) == pytest.approx(1e-3 * 0.95**79)
        assert recipe.momentum(0) == 0.1
        assert recipe.momentum(recipe.epochs) == pytest.approx(0.001)
        assert (recipe.dropout, recipe.train_flip, recipe.test_flip) == (0.25, True, True)


def test_rates_by_hand():
    falling = Recipe(epochs=10, learning_rate=0.1, decay=0.5)
    assert [falling.rate(at) for at in (0, 0.9, 1, 2.5)] == [0.1, 0.1, 0.05, 0.025]
    steady = falling.but(schedule="linear")
    assert [steady.rate(at) for at in (0, 2.5, 5)] == pytest.approx([0.1, 0.075, 0.05])
    assert steady.shortened(2).rate(1) == pytest.approx(0.05)


def test_a_wave_and_steps_by_hand():
    """Half of a cosine; a tenth after two thirds of the epochs, a hundredth after five sixths."""
    wave = Recipe(epochs=12, learning_rate=0.2, schedule="cosine")
    assert [wave.rate(at) for at in (0, 4, 6, 8, 12)] == pytest.approx([0.2, 0.15, 0.1, 0.05, 0])
    steps = wave.but(schedule="steps")
    assert [steps.rate(at) for at in (0, 7.9, 8, 9.9, 10, 11.9)] == pytest.approx(
        [0.2, 0.2, 0.02, 0.02, 0.002, 0.002]
    )


def test_kato2020_keeps_what_is_printed():
    second = Recipe.kato2020()
    assert (second.channels, second.dropout, second.epochs) == (1024, 0.25, 80)
    assert (Recipe.kato2020("laptop").stride, Recipe.kato2020("laptop").channels) == (8, 256)
    first = Recipe.kato2020_images("laptop")
    assert 2 * first.epochs * first.epoch_examples == 200_000  # images, half of them without depths
    assert first.momentum(0) == first.momentum(first.epochs) == pytest.approx(0.1)
    smoke = Recipe.kato2020_images("smoke")
    assert smoke.epochs * smoke.steps(10**6) == 30


def test_the_network_of_cheng2020_s_maps_sees_so_many_pictures():
    for preset, pictures in (("paper", 10_000_000), ("laptop", 200_000), ("smoke", 128)):
        recipe = Recipe.cheng2020_maps(preset)
        assert recipe.epochs * recipe.epoch_examples == pictures
        assert (recipe.chunk, recipe.stride, recipe.rate(recipe.epochs)) == (1, 1, 0)
    with pytest.raises(ValueError, match="'laptop'"):
        Recipe.cheng2020_maps("large")


def test_the_laptop_takes_about_as_many_steps_whatever_the_data():
    assert Recipe.pavllo2019("laptop").epochs == 12
    for frames in (20_000, 90_000, 622_000):  # each twice, mirrored, and every other one a target
        recipe = Recipe.pavllo2019("laptop", 2 * frames)
        assert recipe.steps(2 * frames) == math.ceil(frames / 256)
        assert 0.75 < recipe.epochs * recipe.steps(2 * frames) / 5000 < 1.3
    assert Recipe.pavllo2019("laptop", 100_000_000).epochs == 1
    assert Recipe.pavllo2019("paper", 1000) == Recipe()
    assert Recipe.pavllo2019("smoke", 1000) == Recipe.pavllo2019("smoke")


def test_subsets_of_any_size_are_learnt_from_in_about_as_many_steps():
    for examples in (640, 5_000, 30_000, 34_000, 200_000):
        recipe = Recipe.semi_supervised("laptop", examples)
        assert recipe.epochs >= 8
        assert 0.95 < recipe.epochs * recipe.steps(examples) / 4000 < 1.1
        assert (recipe.epoch_examples > 0) == (examples > 32_000)
    assert Recipe.semi_supervised("paper", 200_000).epoch_examples == 0
    untold = Recipe.semi_supervised("laptop")  # as of a large one
    assert untold == Recipe.semi_supervised("laptop", 200_000)


def test_steps_are_of_windows_however_many_targets_one_has():
    frames = Recipe(batch_size=9 * 27, stride=2)
    assert frames.steps(1000) == 3  # 500 windows with one target each, 243 of them a step
    chunks = Recipe(batch_size=9 * 27, chunk=27)
    assert chunks.steps(1000) == 112  # 9 of them a step
    assert chunks.but(epoch_examples=90).steps(1000) == 10


def test_cheng2020_learns_from_whole_windows():
    for preset, pairs in (("paper", 64), ("laptop", 2), ("smoke", 4)):
        for length in (32, 64):
            recipe = Recipe.cheng2020(preset, length=length)
            assert (recipe.chunk, recipe.stride) == (length, 1)
            assert recipe.batch_windows == pairs * 64 // length
    assert Recipe.cheng2020("laptop", windows=1250).epochs == 8
    many = Recipe.cheng2020("laptop", windows=19_000)
    assert (many.epochs, many.epoch_examples) == (5, 1000)  # pairs
    assert Recipe.cheng2020().epochs == 80


@pytest.mark.parametrize("length", [8, 16, 32, 128])
def test_of_every_length_as_many_frames_are_learnt_from_in_as_many_steps(length):
    """2,000 windows of 64 frames are 128,000 frames: 16,000 windows of 8."""
    frames = 19_000 * 64
    usual = Recipe.cheng2020("laptop", frames // 64)
    other = Recipe.cheng2020("laptop", frames // length, length)
    assert other.epochs == usual.epochs
    assert other.epoch_examples * length == usual.epoch_examples * 64
    assert other.batch_size == usual.batch_size


@pytest.mark.parametrize("epochs", [2, 7, 80, 160])
def test_shortening_keeps_the_overall_fall(epochs):
    recipe = Recipe(learning_rate=0.01, decay=0.9, epochs=30, batch_size=7)
    other = recipe.shortened(epochs)
    assert other.epochs == epochs
    assert other.decay ** (epochs - 1) == pytest.approx(0.9**29)
    assert other.but(epochs=30, decay=0.9) == recipe
    assert recipe.epochs == 30


def test_shortening_to_the_same_length_or_to_one_epoch():
    assert Recipe().shortened(80).decay == pytest.approx(0.95)
    assert Recipe().shortened(1).epochs == 1


def test_a_recipe_never_changes():
    recipe = Recipe()
    assert recipe.but(epochs=3).epochs == 3
    assert recipe.epochs == 80
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 3
    with pytest.raises(ValueError, match="epoch_count"):
        recipe.but(epoch_count=3)


def test_as_dict_holds_everything_and_is_plain():
    recipe = Recipe.pavllo2019("smoke").but(stride=5)
    assert Recipe(**json.loads(json.dumps(recipe.as_dict()))) == recipe


# ---- presets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_a_named_preset_is_taken_whatever_the_environment_says(preset, monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", "smoke" if preset == "paper" else "paper")
    assert resolve_preset(preset) == preset


@pytest.mark.parametrize(("gpu", "expected"), [(True, "paper"), (False, "laptop")])
def test_auto_follows_the_hardware(gpu, expected, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    monkeypatch.delenv("PAPERLIB_PRESET", raising=False)
    assert resolve_preset() == resolve_preset("auto") == expected
    monkeypatch.setenv("PAPERLIB_PRESET", "")
    assert resolve_preset() == expected


def test_auto_follows_the_environment_first(monkeypatch):
    for preset in PRESETS:
        monkeypatch.setenv("PAPERLIB_PRESET", preset)
        assert resolve_preset() == preset


@pytest.mark.parametrize("wrong", ["papers", "auto", "LAPTOP"])
def test_wrong_presets_in_the_environment_are_refused(wrong, monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", wrong)
    with pytest.raises(ValueError, match="'smoke', 'laptop', 'paper'") as error:
        resolve_preset()
    assert "PAPERLIB_PRESET" in str(error.value)
    assert repr(wrong) in str(error.value)


@pytest.mark.parametrize("wrong", ["fast", "", None])
def test_wrong_presets_are_refused(wrong):
    with pytest.raises(ValueError, match="'smoke', 'laptop', 'paper'"):
        resolve_preset(wrong)
    with pytest.raises(ValueError, match="'smoke', 'laptop', 'paper'"):
        Recipe.pavllo2019(wrong)


# ---- what is refused -----------------------------------------------------------------------------


WRONG = [(name, 0) for name in "epochs batch_size channels stride chunk".split()]
WRONG += [(name, 0.0) for name in "learning_rate decay momentum_start momentum_end".split()]
WRONG += [("epochs", -1), ("learning_rate", -1e-3), ("learning_rate", math.nan), ("dropout", 1.0)]
WRONG += [("dropout", -0.1), ("momentum_end", -0.1), ("precision", "float16")]
WRONG += [("epochs", 1.5), ("learning_rate", math.inf)]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_values_out_of_range_are_refused(name, value):
    for act in (Recipe, Recipe().but):
        with pytest.raises(ValueError, match=name) as error:
            act(**{name: value})
        assert repr(value) in str(error.value)


def test_a_batch_holds_at_least_one_chunk():
    assert [Recipe(chunk=chunk).batch_windows for chunk in (1, 4, 100, 1024)] == [1024, 256, 10, 1]
    with pytest.raises(ValueError, match="batches of 1024 frames cannot hold a chunk of 1025"):
        Recipe(chunk=1025)
