"""Weights that travel with the package."""

import pytest
from samples import same, swinging, weights

from paperlib.errors import CheckpointError
from paperlib.models import TemporalModel
from paperlib.paths import ROOT
from paperlib.recordings import Dataset
from paperlib.training import (
    Recipe,
    Supervised,
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
    assert same(weights(found), weights(run)) and not found.model.training
    assert found.history == run.history and found.description["seed"] == run.description["seed"]
    said = provenance(found)
    assert said.startswith("A test; learnt from Somebody who swings. Seed 0, 1 epochs")
    assert "abc1234" in said and "changed" not in said


def test_other_code_of_the_training_is_said(trained, folder):
    run, objective = trained
    run.description["code"] = "that of before"
    ship(run, "swinger", objective, **ABOUT)
    assert "training again would give other weights" in provenance(shipped("swinger"))


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
    assert size < 4e6, f"{size / 1e6:.1f} MB"
    for name in shipped_models():
        run = shipped(name)
        assert not run.description["commit"].endswith("+")
        assert provenance(run)
    assert shipping.FOLDER.is_relative_to(ROOT)
