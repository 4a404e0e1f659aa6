"""An experiment looks at its data through one detector or another."""

import pytest

from paperlib import results
from paperlib.detection import detect, resolve
from paperlib.detection.simulated import PROFILES
from paperlib.evaluation import evaluate, over_clips
from paperlib.experiment import Experiment
from paperlib.models import LinearModel, TemporalModel, filter_widths
from paperlib.training import Recipe, Run, Supervised


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def experiment() -> Experiment:
    cell = {"dataset": "synthetic", "preset": "smoke", "seed": 3, "device": "cpu", "retrain": False}
    return Experiment.begin("tests", cell | {"receptive_field": 9}, receptive_field=(3, 9))


def test_another_detector_sees_the_same_recordings_with_other_keypoints(experiment):
    view = experiment.with_detector("simulated_coarse")
    assert (view.detector, experiment.detector) == ("simulated_coarse", "ground_truth")
    assert (view.seed, view.notebook, view.dataset) == (3, "tests", "synthetic")
    assert view.parameters["receptive_field"] == 9
    assert view.exact is experiment.exact  # not read again
    expected = detect(experiment.exact, "simulated_coarse", 3)
    assert view.load().fingerprint == expected.fingerprint
    assert experiment.load().fingerprint == experiment.exact.fingerprint
    recipe = Recipe.pavllo2019("smoke")
    views = [experiment.with_detector(name) for name in ("ground_truth", *PROFILES)]
    errors = [view.protocol(view.load(), recipe, 9).keypoint_error for view in views]
    assert errors[0] == 0 and errors == sorted(set(errors))


def test_rows_name_the_version_of_a_detector_that_is_asked_for_without_one(experiment):
    view = experiment.with_detector("simulated")
    assert view.detector == resolve("simulated") != "simulated"
    assert view.load().fingerprint == detect(experiment.exact, "simulated", 3).fingerprint


def test_rows_name_the_detector(experiment):
    view = experiment.with_detector("simulated_fine")
    data = view.load()
    recipe = Recipe.pavllo2019("smoke").shortened(1)
    objective = Supervised(lambda: LinearModel(17, 2, 17, channels=8), data)
    run = view.train("linear", objective, recipe)
    rows = view.rows("linear", evaluate(run.model, data.test, device="cpu"), run)
    assert {row["detector"] for row in rows} == {"simulated_fine"}
    assert {row["receptive_field"] for row in rows} == {9}
    cells = view.rows("linear", evaluate(run.model, data.test), run, by=("action", "subject"))
    subjects = {r.subject for r in data.test}
    names = {f"{r.action} {s}" for r in data.test for s in subjects} | {"average"}
    assert {row["action"] for row in cells} == names


def test_what_was_not_trained_has_rows_as_well(experiment):
    about = experiment.about("boxed man")
    assert (about["receptive_field"], about["seconds"]) == (9, 0.0)  # the parameter's
    del experiment.parameters["receptive_field"]
    assert experiment.about("boxed man")["receptive_field"] == 1


def test_other_seeds_of_the_same_systems_join_what_goes_on_record(
    experiment, tmp_path, monkeypatch
):
    monkeypatch.setattr(results, "RESULTS", tmp_path)

    def row(system, seed, value):
        about = experiment.about(system) | {"seed": seed}
        return about | {"metric": "mpjpe", "action": "average", "value": value, "unit": "mm"}

    before = [row("linear", 1, 40.0), row("linear", 3, 41.0), row("temporal", 1, 30.0)]
    results.record("tests", before, keep=True)
    new = [row("linear", 3, 42.0)]
    assert experiment.measured(new)["value"].tolist() == [42.0]  # a reader's own
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    assert experiment.measured(new)["value"].tolist() == [42.0, 40.0]


def test_all_receptive_fields_are_those_of_the_runs(experiment, tmp_path, monkeypatch):
    """A notebook of several keeps the rows of each apart, and finds all of them again."""
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    experiment.parameters["receptive_field"] = "all"
    fields, rows = (1, 9), []
    for field in fields:
        model = TemporalModel(17, 2, 17, filter_widths(field), channels=4)
        about = experiment.about("temporal", Run(model, "a key", {}))
        rows.append(about | {"metric": "mpjpe", "action": "average", "value": 40.0, "unit": "mm"})
    assert [row["receptive_field"] for row in rows] == [1, 9]
    results.record("tests", rows, keep=True)
    assert set(experiment.on_record()["receptive_field"]) == {1, 9}
    experiment.parameters["receptive_field"] = 9
    assert set(experiment.on_record()["receptive_field"]) == {9}


def test_unknown_detectors_are_refused(experiment):
    with pytest.raises(ValueError, match="'ground_truth', 'simulated_fine'"):
        experiment.with_detector("simulated_best").load()
    with pytest.raises(ValueError, match="detector='sh_ft_h36m' is a file"):
        experiment.with_detector("sh_ft_h36m").load()


def test_rows_say_which_cameras_and_which_coordinates():
    cell = {"dataset": "synthetic", "preset": "smoke", "seed": 0, "device": "cpu", "retrain": False}
    own = {"cameras": ("studio", "random"), "normalisation": ("screen", "person")}

    def begin(cameras, normalisation):
        given = {"cameras": cameras, "normalisation": normalisation}
        return Experiment.begin("tests", cell | given, **own)

    plain, other = begin("studio", "screen"), begin("random", "person")
    assert plain.about("linear")["dataset"] == "synthetic"
    assert other.about("linear")["dataset"] == "synthetic, random cameras, person"
    assert other.exact.name == "synthetic-random-cameras" != plain.exact.name
    assert len({r.camera.position for r in other.exact.test}) == len(other.exact.test)


def test_all_folds_are_run_but_with_the_smoke_preset(monkeypatch):
    cell = {"seed": 0, "device": "cpu", "retrain": False}

    def begin(dataset, preset):
        return Experiment.begin("tests", cell | {"dataset": dataset, "preset": preset})

    assert begin("mocap", "laptop").folds == begin("bandai_namco", "laptop").folds == (0, 1, 2)
    assert begin("mocap", "smoke").folds == begin("synthetic", "laptop").folds == (0,)


def test_intervals_over_clips_are_rows_where_they_are_asked_for(experiment):
    data = experiment.load()
    recipe = Recipe.pavllo2019("smoke").shortened(1)
    run = experiment.train(
        "linear", Supervised(lambda: LinearModel(17, 2, 17, channels=8), data), recipe
    )
    found = evaluate(run.model, data.test, device="cpu")
    _, low, high = over_clips(found)
    rows = experiment.rows("linear", found, run, clips=True)
    (half,) = [row["value"] for row in rows if row["metric"] == "mpjpe_over_clips"]
    assert half == pytest.approx(1000 * (high - low) / 2, nan_ok=True)
    assert rows[1:] == experiment.rows("linear", found, run)
    shares = experiment.rows(
        "linear", evaluate(run.model, data.test, device="cpu", shares=True), run
    )
    assert shares[: len(rows) - 1] == rows[1:]
    assert {row["metric"]: row["unit"] for row in shares[len(rows) - 1 :]} == {
        "pck3d": "%",
        "auc3d": "%",
    }
    assert "not over clips" in str(experiment.protocol(data, recipe, 9))
    assert "half that over clips" in str(experiment.protocol(data, recipe, 9, clips=True))
