"""The record of measurements: what is kept, what replaces what, and how it is shown."""

import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib import results


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """The record and a reader's own results, both in a temporary folder."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "kept")
    monkeypatch.setattr(results, "OUT", tmp_path / "out")
    monkeypatch.delenv("PAPERLIB_RECORD", raising=False)
    return tmp_path


def row(**changes) -> dict:
    words = "dataset cmu detector simulated preset laptop system temporal metric mpjpe".split()
    words += ["action", "average", "unit", "mm", "device", "2 CPU threads"]
    numbers = {"receptive_field": 27, "seed": 0, "value": 50.0, "seconds": 1.5}
    return dict(zip(words[::2], words[1::2], strict=True)) | numbers | changes


def test_a_reader_s_rows_do_not_touch_the_record(places, monkeypatch):
    path = results.record("pavllo2019/table1", [row()])
    assert path == places / "out" / "results" / "pavllo2019_table1.csv"
    assert not (places / "kept").exists()
    assert results.recorded("pavllo2019/table1").empty
    for value in ("0", "", "true"):
        monkeypatch.setenv("PAPERLIB_RECORD", value)
        assert not results.keeping()


def test_rows_are_kept_when_told(places, monkeypatch):
    assert results.record("table1", [row()], keep=True) == places / "kept" / "table1.csv"
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    assert results.record("table2", [row()]) == places / "kept" / "table2.csv"
    assert results.record("table3", [row()], keep=False).parent == places / "out" / "results"


def test_who_writes_at_the_same_time_loses_nothing():
    """Threads hold files open of their own, as the processes of a sweep do."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: results.record("t", [row(seed=seed)], True), range(24)))
    assert sorted(results.recorded("t").seed) == [*range(24)]


def test_a_row_comes_back_with_its_origin():
    results.record("t", [row(value=46.823456)], keep=True)
    table = results.recorded("t")
    assert tuple(table.columns) == results.COLUMNS
    (got,) = table.to_dict("records")
    assert got["value"] == pytest.approx(46.823, abs=5e-4)
    assert got["torch"] == torch.__version__.split("+")[0]
    assert got["commit"] == results.commit()
    for column in ("dataset", "system", "receptive_field", "seed", "metric", "unit", "device"):
        assert got[column] == row()[column], column
    assert table["seed"].dtype.kind == "i" and table["receptive_field"].dtype.kind == "i"


def test_the_same_measurement_is_replaced_and_another_is_added():
    results.record("t", [row(value=50.0), row(seed=1, value=51.0)], keep=True)
    results.record("t", [row(value=40.0, device="GPU"), row(metric="p_mpjpe", value=9.0)], True)
    table = results.recorded("t").set_index(["metric", "seed"])
    assert table["value"].to_dict() == {("mpjpe", 0): 40.0, ("mpjpe", 1): 51.0, ("p_mpjpe", 0): 9.0}
    assert table.loc[("mpjpe", 0), "device"] == "GPU"


@pytest.mark.parametrize("column", results.IDENTITY)
def test_whatever_differs_in_identity_is_another_measurement(column):
    other = 81 if column in ("receptive_field", "seed") else "other"
    results.record("t", [row()], keep=True)
    results.record("t", [row(**{column: other})], keep=True)
    assert len(results.recorded("t")) == 2


@pytest.mark.parametrize("text", ["", "NA", "None", "null", "nan"])
def test_a_text_that_looks_like_nothing_is_a_text(text):
    for value in (1.0, 2.0, 3.0):
        results.record("t", [row(detector=text, value=value)], keep=True)
    (got,) = results.recorded("t").to_dict("records")
    assert (got["detector"], got["value"]) == (text, 3.0)


def test_a_number_that_is_not_known_stays_so():
    results.record("t", [row(seconds=float("nan")), row(seed=1)], keep=True)
    assert results.recorded("t")["seconds"].isna().tolist() == [True, False]


def test_writing_twice_changes_nothing():
    rows = [row(seed=s, value=50 + s / 3, seconds=s * 1e5) for s in range(4)]
    path = results.record("t", rows, keep=True)
    first = path.read_bytes()
    results.record("t", reversed(rows), keep=True)
    assert path.read_bytes() == first
    results.record("t", rows[2:3], keep=True)
    assert path.read_bytes() == first


def test_a_commit_made_of_digits_stays_a_text(monkeypatch):
    monkeypatch.setattr(results, "commit", lambda: "0012345678")
    results.record("t", [row()], keep=True)
    results.record("t", [row(seed=1)], keep=True)
    assert results.recorded("t")["commit"].tolist() == ["0012345678"] * 2


def test_rows_with_unknown_or_missing_columns_are_refused(places):
    with pytest.raises(ValueError, match=r"unknown {'mpjpe'}"):
        results.record("t", [row(mpjpe=3.0)])
    for column in ("detector", "value"):
        with pytest.raises(ValueError, match=f"missing {{'{column}'}}"):
            results.record("t", [{name: it for name, it in row().items() if name != column}])
    with pytest.raises(ValueError, match="missing"):
        results.record("t", [])
    assert list(places.iterdir()) == []


def test_nothing_recorded_is_an_empty_table():
    table = results.recorded("never")
    assert table.empty and tuple(table.columns) == results.COLUMNS


# --- several seeds ---------------------------------------------------------------------------


def test_the_interval_is_student_s():
    """46, 47, 48, 49: s = 1.29099, standard error 0.645497, t(0.975, 3) = 3.182446."""
    mean, half = results.interval([46.0, 47.0, 48.0, 49.0])
    assert mean == pytest.approx(47.5)
    assert half == pytest.approx(3.182446 * 0.645497, abs=1e-5)
    # two values: t(0.975, 1) = 12.7062, standard error is half their distance
    assert results.interval([1.0, 2.0]) == pytest.approx((1.5, 12.7062 * 0.5), abs=1e-4)


def test_one_value_has_no_spread():
    mean, half = results.interval([46.0])
    assert mean == 46.0 and math.isnan(half)
    assert results.interval(iter([3.0, 3.0, 3.0])) == (3.0, 0.0)


def test_numbers_are_shown_with_their_interval():
    assert results.shown(46.84, 0.31) == "46.8 ± 0.3"
    assert results.shown(46.84, float("nan")) == "46.8"
    assert results.shown(46.84, 0.0) == "46.8 ± 0.0"


def test_numbers_are_shown_as_finely_as_asked():
    assert results.shown(0.123, 0.456, decimals=2) == "0.12 ± 0.46"
    assert results.shown(0.123, math.nan, decimals=2) == "0.12"


def test_so_many_seeds_are_as_narrow_as_wanted():
    """With five seeds t is 2.776, with four 3.182: a spread of 1 needs five for 2.776 / sqrt 5."""
    assert results.seeds_needed(1.242, 1.0) == 5
    assert results.seeds_needed(1.241, 1.0) == 6
    assert results.seeds_needed(1.0, 0.0) == 2
    many = results.seeds_needed(0.1, 1.0)  # with so many t is 1.966
    assert many == pytest.approx((1.966 / 0.1) ** 2, rel=0.03)


@pytest.mark.parametrize(("effect", "spread"), [(0, 1), (-1, 1), (1, math.nan), (1, math.inf)])
def test_impossible_effects_are_refused(effect, spread):
    with pytest.raises(ValueError, match="an effect above 0 and a finite spread"):
        results.seeds_needed(effect, spread)


def test_seeds_become_a_table_of_systems():
    rows = [
        row(system="temporal", metric=metric, seed=seed, value=base + seed)
        for metric, base in (("mpjve", 2.0), ("mpjpe", 46.0))
        for seed in range(4)
    ]
    rows.append(row(system="single frame", metric="mpjpe", value=60.04))
    table = results.over_seeds(pd.DataFrame(rows))
    assert list(table.columns) == ["mpjve", "mpjpe"]  # as they came
    assert table.loc["temporal", "mpjpe"] == "47.5 ± 2.1"
    assert table.loc["temporal", "mpjve"] == "3.5 ± 2.1"
    assert table.loc["single frame", "mpjpe"] == "60.0"
    assert pd.isna(table.loc["single frame", "mpjve"])


def test_seeds_can_be_shown_by_action():
    rows = pd.DataFrame([row(action=a, value=v) for a, v in (("walking", 1.0), ("average", 2.0))])
    table = results.over_seeds(rows, columns="action")
    assert table.loc["temporal"].to_dict() == {"walking": "1.0", "average": "2.0"}
    finer = results.over_seeds(rows, columns="action", decimals=3)
    assert finer.loc["temporal"].to_dict() == {"walking": "1.000", "average": "2.000"}


def test_rows_of_several_actions_are_not_taken_for_seeds():
    """An interval over actions is none over seeds."""
    rows = pd.DataFrame([row(action=a, value=v) for a, v in (("walking", 1.0), ("running", 9.0))])
    with pytest.raises(ValueError, match="action"):
        results.over_seeds(rows)


def test_rows_are_selected_by_all_conditions():
    rows = pd.DataFrame([row(), row(seed=1), row(seed=1, metric="p_mpjpe")])
    assert len(results.select(rows, seed=1)) == 2
    (only,) = results.select(rows, seed=1, metric="mpjpe").to_dict("records")
    assert (only["seed"], only["metric"]) == (1, "mpjpe")
    assert len(results.select(rows)) == 3
    assert results.select(rows, dataset="human36m").empty


def test_a_misspelt_condition_is_refused():
    with pytest.raises(ValueError, match=r"unknown column 'datset'.*mean 'dataset'"):
        results.select(pd.DataFrame([row()]), datset="cmu")


# --- the papers' own -------------------------------------------------------------------------


def test_tables_of_the_papers_have_the_printed_values():
    table = results.paper_table("pavllo2019_table1a")
    full = table.query("own_model == 'yes' and uses_gt_boxes == 'no' and convolution=='symmetric'")
    assert full["average"].tolist() == [46.8]
    velocity = results.paper_table("pavllo2019_table2").set_index("model")["average"]
    assert velocity.to_dict() == {"Single-frame": 11.6, "Temporal": 2.8}
    cost = results.paper_table("pavllo2019_table5").set_index("model")
    assert cost.loc["Ours 243f", "parameters_millions"] == 16.95
    assert cost.loc["Ours 27f", "flops_millions_per_frame"] == 17.09


def test_an_unknown_table_is_refused_with_the_likely_one():
    with pytest.raises(ValueError, match=r"unknown table 'pavlo2019_table2'.*'pavllo2019_table2'"):
        results.paper_table("pavlo2019_table2")
    with pytest.raises(ValueError, match="unknown table"):
        results.paper_table("claims")


# --- what stands below a table ---------------------------------------------------------------


def protocol(**changes) -> str:
    about = {"data": "Embedded motion, split by subject.", "detector": "simulated", "joints": 17}
    about |= {"keypoint_error": 6.04, "fps": 50.0, "receptive_field": 27, "test_flip": True}
    about |= {"seeds": (0, 1, 2), "preset": "laptop", "device": "2 CPU threads"}
    return str(results.Protocol(**about | {"training": "256 channels, 12 epochs"} | changes))


def test_the_protocol_says_all_that_must_be_said():
    text = protocol()
    said = (
        "Embedded motion, split by subject.|2D: simulated, 6.0 px mean error|17 joints|50 Hz|"
        "root-relative|see 27 frames|averaged over the mirrored input|"
        "frames pooled within an action|excluded: nothing|seeds 0, 1, 2|Preset laptop|"
        "on 2 CPU threads"
    )
    assert [part for part in said.split("|") if part not in text] == []


def test_the_protocol_follows_what_was_done():
    assert "no test-time flip" in protocol(test_flip=False)
    assert "seed 7;" in protocol(seeds=(7,))
    assert "excluded: S9 Greeting" in protocol(excluded="S9 Greeting")
    assert "untrained" in protocol(preset="smoke") and "untrained" not in protocol()
    shown = protocol(data="40 walking_extra.", device="1 CPU threads, x86_64")
    assert shown.startswith("40 walking extra. 2D") and "on 1 CPU thread, seeds" in shown
    assert "59.94 Hz" in protocol(fps=59.94)


def test_an_unknown_keypoint_error_is_not_printed_as_a_number():
    assert "nan" not in protocol(keypoint_error=float("nan"))


def test_the_commit_is_short_and_says_where_files_had_changed():
    assert re.fullmatch(r"unknown|[0-9a-f]{10}\+?", results.commit())


def test_without_git_the_commit_is_unknown(monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(results.subprocess, "run", none)
    assert results.commit.__wrapped__() == "unknown"


def test_the_machine_is_named():
    assert results.machine("cpu").startswith(f"{torch.get_num_threads()} CPU threads, ")
    assert np.isfinite(len(results.machine("cpu")))
