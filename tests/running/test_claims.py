"""A claim judged anew: by what is measured now, in a record of its own."""

import os

import nbformat
import pandas as pd
import pytest

from paperlib import claims, results
from paperlib.errors import NotebookFailed
from paperlib.running import claims as running
from paperlib.running.claims import judge_again

C01 = "pavllo2019-c01"  # below 0 mm, to 0.5
ABOUT = {"dataset": "synthetic", "detector": "simulated_v2", "preset": "laptop"}
PARAMETERS = """# Parameters
dataset = "auto"  # as anywhere
preset = "auto"  # as anywhere
seed = 0  # as anywhere
device = "cpu"  # as anywhere
retrain = False  # as anywhere
detector = "simulated"  # or another"""
BEGIN = """from paperlib import claims
from paperlib.experiment import Experiment
experiment = Experiment.begin("table9", globals(), detector=None)
print(dataset, preset, detector, seed)"""
# the temporal model is better by 5, 6, … mm; of a seed that nobody ran there must be nothing
MEASURE = """def row(system, value):
    about = experiment.about(system) | {"metric": "mpjpe", "action": "average", "unit": "mm"}
    return about | {"value": value}


rows = [row("temporal", 50.0 - seed), row("single frame", 55.0)]
experiment.record(rows)
errors = claims.by_seed(experiment.measured(rows), "mpjpe", action="average")"""
JUDGE = f"""experiment.judge("{C01}", errors["temporal"] - errors["single frame"])
import matplotlib.pyplot as plt
experiment.save_figure(plt.figure(), "a_figure")"""


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A project with a record of its own, in which the claim was judged by seeds 0 and 7."""
    kept = tmp_path / "record"
    monkeypatch.setattr(results, "RESULTS", kept)
    monkeypatch.setattr(running, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    about = ABOUT | {"receptive_field": 1, "metric": "mpjpe", "action": "average", "unit": "mm"}
    rows = [
        about | {"system": system, "seed": seed, "value": value, "seconds": 60.0}
        for system, value in (("temporal", 99.0), ("single frame", 1.0))
        for seed in (0, 7)
    ]
    results.record("table9", rows + [row | {"dataset": "cmu"} for row in rows])
    claims.judge(C01, pd.Series([98.0, 98.0], index=[0, 7]), "table9", ABOUT)
    claims.judge("pavllo2019-c02", pd.Series([1.0]), "table9", ABOUT)
    monkeypatch.delenv("PAPERLIB_RECORD")
    return kept


def contents(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_notebook_is_run_for_each_seed_and_judges(record, tmp_path, write_notebook, printed):
    write_notebook(PARAMETERS, BEGIN, MEASURE, JUDGE, name="table9.ipynb")
    before = contents(record)
    assert claims.recorded()[C01].word == "opposite"
    verdict = judge_again(C01, [1, 2], tmp_path / "own")
    (effect,) = verdict.effects
    assert (verdict.word, effect.mean, effect.seeds) == ("shows", -6.5, (1, 2))
    assert [printed(tmp_path / "own" / f"run{n}.ipynb") for n in (0, 1)] == [
        "synthetic laptop simulated_v2 1\n",
        "synthetic laptop simulated_v2 2\n",
    ]
    assert contents(record) == before and "PAPERLIB_RECORD" not in os.environ
    rows = results.read(tmp_path / "own" / "results" / "table9.csv")
    assert set(rows[rows["dataset"] == "synthetic"]["seed"]) == {1, 2}
    assert set(rows[rows["dataset"] == "cmu"]["seed"]) == {0, 7}
    assert (tmp_path / "own" / "figures" / "a_figure.png").is_file()
    # what was there is not added to; by default the seeds of the record are run
    again = judge_again(C01, folder=tmp_path / "own")
    assert again.effects[0].seeds == (0, 7) and again.effects[0].mean == -8.5


@pytest.mark.usefixtures("record")
def test_what_the_ledgers_own_page_judges_is_judged_there(tmp_path, write_notebook):
    write_notebook(PARAMETERS, BEGIN, MEASURE, name="table9.ipynb")
    with pytest.raises(ValueError, match=r"there is no notebook .*claims\.ipynb"):
        judge_again(C01, [1, 2], tmp_path / "own")
    page = f"""from paperlib.claims import Rows
rows = Rows("table9", dataset="synthetic")
errors = rows.by_seed("mpjpe")
rows.judge("{C01}", errors["temporal"] - errors["single frame"])"""
    write_notebook("# Parameters\nseed = 0  # none", page, name="claims.ipynb")
    verdict = judge_again(C01, [1, 2], tmp_path / "own")
    assert (verdict.word, verdict.effects[0].mean) == ("shows", -6.5)
    write_notebook("# Parameters\nseed = 0  # none", "pass", name="claims.ipynb")
    with pytest.raises(NotebookFailed, match=f"table9 ran, and gave no verdict on {C01}"):
        judge_again(C01, [1], tmp_path / "own")


@pytest.mark.usefixtures("record")
def test_each_detector_is_run_where_the_page_takes_one(tmp_path, write_notebook):
    write_notebook(PARAMETERS, BEGIN, name="table9.ipynb")
    what = claims.Need("table9", "cmu, random cameras", "laptop", ("a", "b"), (3,), 0.0, "")
    fixed = {"dataset": "cmu", "preset": "laptop", "seed": 3}
    assert list(running._runs(what, (3,))) == [fixed | {"detector": d} for d in ("a", "b")]
    write_notebook(PARAMETERS.replace("detector = ", "other = "), name="table9.ipynb")
    assert list(running._runs(what, (3, 4))) == [fixed, fixed | {"seed": 4}]
    takes = claims.Need("table9", "cmu", "laptop", ("a",), (), 0.0, "")  # over takes, not seeds
    assert list(running._runs(takes, ())) == [fixed | {"seed": 0}]
    timed = claims.Need("table9", "timed on cpu", "", (), (), 0.0, "")
    assert list(running._runs(timed, ())) == [{}]


@pytest.mark.usefixtures("record")
def test_what_a_page_was_published_with_it_is_run_with(tmp_path, write_notebook):
    path = write_notebook(PARAMETERS + "\nleft_out = False  # or True", BEGIN, name="table9.ipynb")
    page = nbformat.read(path, as_version=4)
    page.metadata["paperlib"] = {"published_with": {"dataset": "mocap", "left_out": True}}
    nbformat.write(page, path)
    what = claims.Need("table9", "cmu", "laptop", ("a",), (3,), 0.0, "")
    (own,) = running._runs(what, (3,))
    assert own == {
        "dataset": "cmu",
        "left_out": True,
        "preset": "laptop",
        "seed": 3,
        "detector": "a",
    }


@pytest.mark.usefixtures("record")
def test_what_cannot_be_judged_keeps_its_verdict_and_runs_nothing(monkeypatch):
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    claims.cannot("pavllo2019-c34", "table9", "it takes Human3.6M")
    monkeypatch.delenv("PAPERLIB_RECORD")
    monkeypatch.setattr(running, "run", None)
    assert judge_again("pavllo2019-c34") == claims.recorded()["pavllo2019-c34"]


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize(
    ("name", "seeds", "message"),
    [
        ("pavllo2019-c99", None, "no claim 'pavllo2019-c99'"),
        ("kato2020-c01", None, "kato2020-c01 is open: no notebook has judged it"),
        (C01, [], "name at least one seed"),
        (C01, [-1], "seed"),
    ],
)
def test_wrong_claims_and_seeds_are_refused_before_anything_runs(
    name, seeds, message, tmp_path, monkeypatch
):
    monkeypatch.setattr(running, "run", None)
    with pytest.raises(ValueError, match=message):
        judge_again(name, seeds, tmp_path / "own")
    assert not (tmp_path / "own").exists()
