"""Cards: short, true, harmless, and shown by a notebook without being asked for."""

import re
from dataclasses import replace
from importlib import import_module

import pandas as pd
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

import paperlib
from paperlib import cards, datasets
from paperlib.evaluation import evaluate
from paperlib.models import TemporalModel
from paperlib.training import Recipe
from paperlib.training.runs import Run


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", subjects="S6", families=("walking", "waving"), seconds=1)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_a_recording_says_what_is_known_of_it(data):
    whole = data.test[0]
    text = words(cards.of(whole))
    assert whole.name in text and "50 frames, 1.0 s at 50 Hz" in text
    assert "(50, 17, 2) pixels, h36m_17, mean confidence 1.00" in text
    assert "(50, 17, 3) metres" in text and "also visible" in text
    film = replace(whole, positions=None, visible=None)
    assert "positions not known" in words(cards.of(film)) and "also" not in words(cards.of(film))


def test_the_drawing_has_the_bones_of_joints_that_were_found(data):
    whole = data.test[0]
    assert cards.of(whole).count("<line") == 16
    confidence = whole.confidence.clone()
    confidence[len(whole) // 2, 3] = 0  # the right ankle
    assert cards.of(whole.with_keypoints(whole.keypoints, confidence)).count("<line") == 15
    nobody = whole.with_keypoints(whole.keypoints, torch.zeros_like(confidence))
    assert "<svg" not in cards.of(nobody)
    assert cards.of(whole).count("stroke-dasharray") == 6


def test_names_are_no_html(data):
    bad = replace(data.test[0], action="<script>")
    assert "<script>" not in cards.of(bad) and "&lt;script&gt;" in cards.of(bad)


def test_a_data_set_counts_its_parts(data):
    text = words(cards.of(data))
    frames = sum(len(r) for r in data.test)
    assert f"test {len(data.test)} 1 2 {frames}" in text
    assert words(data.source) in text and "unseen" not in text


def test_an_evaluation_has_a_row_for_each_action(data):
    model = TemporalModel(17, 2, 17, (3, 3), channels=8)
    found = evaluate(model, data.test[:8])
    text = words(cards.of(found))
    for action in {r.action for r in data.test[:8]}:
        value = found.per("mpjpe")[0][action]
        assert f"{action} {1000 * value:.1f}" in text
    assert f"mean of actions {1000 * found.average('mpjpe'):.1f}" in text


def test_a_run_says_how_it_came_to_be():
    model = TemporalModel(17, 2, 17, (3, 3), channels=8)
    recipe = Recipe.pavllo2019("smoke")
    about = {"model": {"class": "TemporalModel"}, "recipe": recipe.as_dict()}
    about |= {"seed": 3, "device": "cpu"}
    history = [{"epoch": 1, "train_mpjpe": 0.1234}]
    text = words(cards.of(Run(model, "temporal-seed3-ab", about, history, 2.4, 1)))
    count = sum(p.numel() for p in model.parameters())
    assert f"TemporalModel, {count:,} parameters" in text and "123.4 mm" in text
    assert f"1 of {recipe.epochs} epochs in 2 s" in text and "found on disk" not in text
    assert f"batch size {recipe.batch_size}" in words(cards.of(recipe))


def test_plain_text_stays_a_line(data):
    for thing in (data, data.test[0]):
        assert "\n" not in repr(thing) and len(repr(thing)) < 120


def test_a_notebook_shows_them_by_itself(data):
    shell = InteractiveShell.instance()
    try:
        paperlib._shown_as_cards()
        shown, _ = shell.display_formatter.format(data.test[0])
        assert shown["text/html"] == cards.of(data.test[0])
        assert shown["text/plain"] == repr(data.test[0])
    finally:
        InteractiveShell.clear_instance()


def test_what_is_shown_as_a_card_has_one():
    assert {name for _, name in paperlib._CARDS} == set(cards.CARDS)
    for module, name in paperlib._CARDS:
        assert getattr(import_module(module), name).__module__ == module


def test_a_dressed_table_shows_words_and_keeps_its_names():
    table = pd.DataFrame(
        {"walking_extra": [1.0], "average": [2.0]}, index=pd.Index(["single frame"], name="system")
    )
    dressed = table.style.format("{:.1f}").set_caption("measured on humaneva_like")
    text = words(cards.of(dressed))
    assert "walking extra" in text and "measured on HumanEva-like" in text and "1.0" in text
    assert list(table.columns) == ["walking_extra", "average"]
    assert dressed.caption == "measured on humaneva_like"
    assert "walking_extra" in words(dressed._repr_html_())
    hidden = words(cards.of(pd.DataFrame({"error_m": [1.0]}, index=["a_b"]).style.hide()))
    assert "error, m" in hidden and "a b" not in hidden and "a_b" not in hidden
    two = pd.DataFrame({("one_two", "three_four"): [1.0], ("one_two", 5): [2.0]})
    assert "three four 5" in words(cards.of(two.style))
    named = pd.DataFrame({"one": [1.0]}, index=pd.Index([27], name="receptive_field"))
    assert "receptive field" in words(cards.of(named.style))


def test_a_run_that_travels_along_says_so():
    model = TemporalModel(17, 2, 17, (3,), channels=8)
    about = {"recipe": Recipe().as_dict(), "seed": 0, "device": "cpu"}
    run = Run(model, "k", about | {"model": {"class": "TemporalModel"}})
    assert "travels" not in words(cards.of(run))
    run.description |= {"commit": "abc1234", "portable_code": "…"}
    assert "at commit abc1234, travels with the project" in words(cards.of(run))
