"""Weights of a page are made by the page itself."""

import pytest

from paperlib.training import provenance, shipped, shipped_models, shipping
from tools import ship, ship_pages

PAGE = """
# %% tags=["parameters"]
# Parameters
dataset = "cmu"  # not what is shipped
preset = "auto"
seed = 0
device = "auto"
retrain = False

# %%
from paperlib.experiment import Experiment
from paperlib.models import LinearModel
from paperlib.training import Recipe, Supervised

experiment = Experiment.begin("page", globals())
data, recipe = experiment.load(), Recipe.pavllo2019(experiment.preset).shortened(1)
objective = Supervised(lambda: LinearModel(17, 2, 17, channels=8), data)
run = experiment.train("a system", objective, recipe, progress=False)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(shipping, "FOLDER", tmp_path / "shipped")
    for module in (ship, ship_pages):
        monkeypatch.setattr(module, "FOLDER", tmp_path / "shipped")
    monkeypatch.setattr(ship_pages, "ROOT", tmp_path)
    monkeypatch.setattr(ship_pages, "WITH", ship_pages.WITH | {"preset": "smoke"})
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "page.py").write_text(PAGE)


def test_a_page_ships_what_it_trains_once(capsys):
    assert ship_pages.ship_page("page", "abc1234") == ["page_a_system"] == shipped_models()
    about = shipped("page_a_system").description
    assert set(about["errors"]) == {"walking", "reaching", "boxing"}
    assert abs(about["rounding"]["mean"]) <= about["rounding"]["largest of an action"] < 0.05
    assert provenance(shipped("page_a_system")).startswith(
        "page, a system; learnt from procedural motion of invented people"
    )
    path = shipping.FOLDER / "page_a_system.safetensors"
    before = path.read_bytes()
    capsys.readouterr()
    assert ship_pages.ship_page("page", "another") == ["page_a_system"]
    assert path.read_bytes() == before
    assert "weights that travel with the project" in capsys.readouterr().out


def test_rounding_that_changes_an_error_is_not_shipped(monkeypatch):
    monkeypatch.setattr(ship_pages, "TOLERANCE", -1.0)
    with pytest.raises(ValueError, match="rounding changes the error"):
        ship_pages.ship_page("page", "abc1234")
    assert shipped_models() == []


def test_what_is_no_page_of_these_is_refused():
    with pytest.raises(ValueError, match="any_camera"):
        ship.ship_all(["table9"])
