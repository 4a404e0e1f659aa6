"""Weights that travel with the package."""

import ast
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from samples import same, swinging, weights

from paperlib import datasets, results
from paperlib.detection import detect
from paperlib.detection.coco import as_coco
from paperlib.errors import CheckpointError
from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.models import OcclusionAware, TemporalModel
from paperlib.occlusion import with_labels
from paperlib.paths import ROOT
from paperlib.recordings import Dataset
from paperlib.training import (
    Recipe,
    Supervised,
    portable,
    provenance,
    ship,
    shipped,
    shipped_models,
    shipping,
    train,
)

ABOUT = {"for": "A test", "data": "Somebody who swings.", "commit": "abc1234"}


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))
    data = Dataset("swinging", "a test", train=(swinging("a", 40, 0.2),), test=())
    objective = Supervised(lambda: TemporalModel(17, 2, 17, (3,), channels=8), data)
    return train(objective, Recipe(epochs=1, batch_size=16, channels=8), progress=False), objective


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "FOLDER", tmp_path / "shipped")
    return tmp_path / "shipped"


def test_what_is_shipped_is_what_was_trained(trained, folder):
    run, objective = trained
    ship(run, "swinger", objective, **ABOUT)
    assert shipped_models() == ["swinger"]
    found = shipped("swinger")
    assert not found.model.training
    for name, value in weights(run).items():
        assert torch.allclose(weights(found)[name], value, atol=value.abs().max() / 4000)
    assert found.history == run.history and found.description["seed"] == run.description["seed"]
    said = provenance(found)
    assert said.startswith("A test; learnt from Somebody who swings. Seed 0, 1 epochs")
    assert "abc1234" in said and "changed" not in said


def test_other_code_of_the_training_is_said(trained, folder):
    run, objective = trained
    ship(run, "swinger", objective, **ABOUT | {"portable_code": "that of before"})
    assert "training again would give other weights" in provenance(shipped("swinger"))


def test_other_code_of_what_made_the_data_is_said(trained, folder, monkeypatch):
    run, objective = trained
    ship(run, "swinger", objective, data_made_by=[as_coco], **ABOUT)
    ship(run, "other", objective, **ABOUT)
    tree_of = portable._tree
    changed = {as_coco.__module__: ast.parse("HIPS = 0.3")}
    monkeypatch.setattr(portable, "_tree", lambda m: changed.get(m) or tree_of(m))
    assert "would give other weights" in provenance(shipped("swinger"))
    assert "would give other weights" not in provenance(shipped("other"))


def test_only_whole_files_of_finished_runs(trained, folder):
    run, objective = trained
    ship(run, "swinger", objective, **ABOUT)
    path = folder / "swinger.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        shipped("swinger")
    run.epoch = 0
    with pytest.raises(ValueError, match="only what is finished"):
        ship(run, "swinger", objective, **ABOUT)
    with pytest.raises(ValueError, match="swinger"):
        shipped("walker")


def test_what_travels_along():
    """Small, each of a commit, and for the joints that it says."""
    assert "any_camera" in shipped_models()
    size = sum(path.stat().st_size for path in shipping.FOLDER.iterdir())
    assert size <= shipping.MOST_BYTES, f"{size / 1e6:.1f} MB"
    for name in shipped_models():
        run = shipped(name)
        assert not run.description["commit"].endswith("+")
        assert provenance(run)
    assert shipping.FOLDER.is_relative_to(ROOT)


# --- runs of pages -------------------------------------------------------------------------------

RECIPE = Recipe(epochs=1, batch_size=16, channels=8)


@pytest.fixture
def page(trained, folder, tmp_path, monkeypatch):
    """An experiment whose training travels along, and what it trains; no run of it is kept."""
    run, objective = trained
    ship(run, "page_swinger", objective, RECIPE, **ABOUT)
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "none"))
    cell = {"dataset": "synthetic", "preset": "smoke", "seed": 0, "device": "cpu"}
    return Experiment.begin("tests", cell | {"retrain": False}), objective


def test_what_travels_along_is_not_trained(page, trained, tmp_path, capsys):
    experiment, objective = page
    run = experiment.train("swinger", objective, RECIPE)
    said = capsys.readouterr().out
    assert said.startswith("swinger: weights that travel with the project; trained at commit abc")
    assert said.count("\n") == 1 and said.endswith("minutes; retrain=True trains\n")
    assert run.reused and not (tmp_path / "none").exists()
    assert same(weights(run), weights(shipped("page_swinger")))


def test_retrain_trains_and_ones_own_run_goes_first(page, trained, capsys):
    experiment, objective = page
    run = replace(experiment, retrain=True).train("swinger", objective, RECIPE, progress=False)
    assert not run.reused and same(weights(run), weights(trained[0]))
    assert capsys.readouterr().out == ""
    own = experiment.train("swinger", objective, RECIPE)
    assert own.reused and own.path.is_dir() and same(weights(own), weights(run))
    assert capsys.readouterr().out == ""


def test_what_goes_on_record_is_trained(page, monkeypatch):
    experiment, objective = page
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    assert results.keeping()
    assert not experiment.train("swinger", objective, RECIPE, progress=False).reused


def test_another_training_is_trained(page, capsys):
    experiment, objective = page
    faster = replace(objective, dataset=replace(objective.dataset, train=(swinging("a", 40, 0.3),)))
    wider = replace(objective, build=lambda: TemporalModel(17, 2, 17, (3,), channels=16))
    others = [
        (experiment, faster, RECIPE, {}),
        (experiment, wider, RECIPE, {}),
        (experiment, objective, RECIPE.but(learning_rate=1e-2), {}),
        (replace(experiment, seed=1), objective, RECIPE, {}),
        (experiment, objective, RECIPE, {"each_epoch": lambda model: {"one": 1.0}}),
    ]
    for who, what, recipe, options in others:
        assert not who.train("swinger", what, recipe, progress=False, **options).reused
    assert capsys.readouterr().out == ""


def test_other_code_of_the_training_makes_them_stale(page, monkeypatch, capsys):
    """All else equal: said, and never served."""
    experiment, objective = page
    monkeypatch.setattr(shipping.portable, "code_of", lambda modules: "that of today")
    run = experiment.train("swinger", objective, RECIPE, progress=False)
    said = capsys.readouterr().out
    assert not run.reused and "are stale" in said and "since commit abc1234" in said


def rewritten(path, change) -> None:
    """The file with another description, and a digest that agrees with it."""
    state, progress = shipping.read(path)
    change(progress["description"])
    text = json.dumps(progress)
    save_file(state, path, {"run": text, "digest": shipping.digest_of(state, text)})


def test_damaged_and_hostile_files_are_refused(page, folder):
    experiment, objective = page
    path = folder / "page_swinger.safetensors"
    whole = path.read_bytes()

    def refused(match):
        with pytest.raises(CheckpointError, match=match):
            experiment.train("swinger", objective, RECIPE, progress=False)

    for content in (b"", whole[:100], b"\x80\x04pickle", whole[:-1], bytes(len(whole))):
        path.write_bytes(content)
        refused("page_swinger.safetensors: damaged or not a checkpoint.*retrain=True")
    flipped = bytearray(whole)
    flipped[-3] ^= 1
    path.write_bytes(flipped)
    refused("damaged.*its content has changed")
    path.write_bytes(whole)
    rewritten(path, lambda about: about["model"].update(channels=16))
    refused("is not stored as")
    path.write_bytes(whole)
    rewritten(path, lambda about: about.update(model="none"))
    refused("says neither its model")
    # whoever trains anew needs no file
    assert not replace(experiment, retrain=True).train("s", objective, RECIPE).reused


PAGES = [name for name in shipped_models() if "errors" in shipped(name).description]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_good_as_what_was_trained(name):
    """The errors that were measured when it was shipped come out again, of two actions, by data
    that are made here."""
    run = shipped(name)
    two = {"subjects": ("S6", "S7"), "families": ("walking", "boxing")}
    data = detect(datasets.load("synthetic", **two), "simulated", 0)
    if isinstance(run.model, OcclusionAware):
        data = data.map(lambda r: with_labels(r, "boxed_man", "boxed_man"))
    about = run.description
    found = evaluate(run.model, data.test, about["recipe"]["test_flip"], "cpu").per("mpjpe")[0]
    assert set(found) == {"walking", "boxing"} and abs(about["rounding"]["mean"]) < 0.05
    for action, error in found.items():
        assert 1000 * error == pytest.approx(about["errors"][action], abs=0.05)
