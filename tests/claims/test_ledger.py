"""Judging claims, keeping the verdicts, and the ledger as it is kept."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from paperlib import claims, results
from paperlib.claims import OPEN, VERDICTS, Verdict
from paperlib.claims.ledger import COLUMNS, path
from paperlib.experiment import Experiment
from paperlib.paths import ROOT

ABOUT = {"dataset": "cmu", "detector": "simulated", "preset": "laptop"}
C01 = "pavllo2019-c01"  # below 0 mm, to 0.5


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A record of its own, into which verdicts go."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "kept")
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    return tmp_path / "kept" / "claims.csv"


def seeds(*values) -> pd.Series:
    return pd.Series(values, index=range(len(values)), dtype=float)


def judged(name=C01, effects=None, notebook="table1", **changes) -> Verdict:
    effects = seeds(-5, -6, -7) if effects is None else effects
    return claims.judge(name, effects, notebook, ABOUT | changes)


# --- by hand ---------------------------------------------------------------------------------


def test_a_verdict_by_hand():
    # mean -6, standard deviation 1, t(2) = 4.303: ± 4.303 / sqrt(3) = 2.484
    verdict = judged()
    (effect,) = verdict.effects
    assert (effect.mean, effect.half) == (-6, pytest.approx(2.4841, abs=1e-4))
    assert (verdict.word, verdict.why, verdict.measured) == ("shows", "", "-6.0 ± 2.5 mm")
    assert verdict.origin == "CMU, simulated, laptop, 3 seeds"
    assert judged(effects=seeds(5, 6, 7)).word == "opposite"
    assert judged(effects=seeds(-0.1, 0, 0.1)).word == "does not show"  # ± 0.25


def test_what_is_not_decided_says_how_many_seeds_it_takes():
    # mean -1, standard deviation 1, ± 2.48; with 7 seeds t(6) / sqrt(7) = 2.447 / 2.646 = 0.92
    verdict = judged(effects=seeds(0, -1, -2))
    assert (verdict.word, verdict.why) == ("not decided", "about 7 seeds would decide")
    single = judged(effects=seeds(-6))
    assert (single.word, single.measured) == ("not decided", "-6.0 mm")
    assert single.why == "about 2 seeds would decide"
    many = judged(effects=seeds(-30, 0.25 * 3, 30))
    assert many.why == "more than 1,000 seeds would decide"


def test_a_claim_of_parts_has_the_worst_verdict_and_shows_all():
    effects = {"lower": seeds(-52, -53, -52), "by three quarters": seeds(-52, -53, -52)}
    verdict = judged("pavllo2019-c06", effects)
    assert verdict.word == "does not show"
    assert verdict.measured == (
        "lower: -52.3 ± 1.4 % (shows); by three quarters: -52.3 ± 1.4 % (does not show)"
    )


def test_what_is_computed_needs_no_seeds():
    numbers = {"27 frames": 8.555571, "81 frames": 12.753971, "243 frames": 16.952371}
    verdict = judged("pavllo2019-c13", numbers)
    assert verdict.word == "reproduced exactly" and verdict.exact and verdict.origin == ""
    assert verdict.measured.startswith("27 frames: 8.555571 M; ")
    assert judged("pavllo2019-c13", numbers | {"27 frames": 8.566}).word == "does not show"


def test_a_timing_has_rounds_and_neither_detector_nor_preset():
    about = {"dataset": "timed on cpu", "detector": "", "preset": ""}
    rounds = seeds(1.0, 1.1, 0.9).rename_axis("round")
    verdict = judged("pavllo2019-c33", rounds, "speed", **about)
    assert (verdict.word, verdict.origin) == ("shows", "timed on cpu, 3 rounds")
    assert verdict.seeds == () and judged().seeds == (0, 1, 2)


def test_what_was_repeated_is_kept_and_said():
    takes = seeds(*range(-50, 52)).rename_axis("take")  # 102 of them, and nothing decided
    verdict = judged(effects=takes)
    assert verdict.origin.endswith(", laptop, 102 takes")
    assert verdict.why.endswith("takes would decide")
    named = pd.Series([-5.0, -6.0], index=["walk", "run"]).rename_axis("take")
    assert judged(effects=named).rows()[0]["seeds"] == "2 takes"
    for one, kept in ((verdict, "102 takes"), (judged(), "0 1 2")):
        assert [row["seeds"] for row in one.rows()] == [kept]
        again = Verdict.of_rows(one.claim, one.rows())
        assert (again.effects[0].seeds, again.over) == (one.effects[0].seeds, one.over)
        assert str(again) == str(one)


def test_a_reason_keeps_numbers_from_deciding():
    verdict = claims.judge(C01, seeds(-5, -6, -7), "table1", ABOUT, but="27 frames, not 243")
    assert (verdict.word, verdict.why) == ("not decided", "27 frames, not 243")
    assert verdict.measured == "-6.0 ± 2.5 mm"
    never = claims.cannot("pavllo2019-c34", "table1", "no Human3.6M")
    assert (never.word, never.why, never.measured) == (VERDICTS[-1], "no Human3.6M", "")


# --- wrong input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "effects", "message"),
    [
        ("pavllo2019-c1", seeds(1, 2), "no claim 'pavllo2019-c1'.*did you mean pavllo2019-c"),
        ("", seeds(1, 2), "no claim ''"),
        (C01, {"lower": seeds(1, 2)}, r"has the parts \[''\].*given for \['lower'\]"),
        ("pavllo2019-c06", seeds(1, 2), "has the parts"),
        ("pavllo2019-c06", {"lower": seeds(1, 2)}, "has the parts"),
        (C01, seeds(1, np.nan, 2), r"no value for seeds \[1\]: systems are paired by seed"),
        (C01, seeds(), "one value for each seed"),
        (C01, pd.Series([1.0, 2.0], index=[0, 0]), r"one value for each seed, got seeds \[0, 0\]"),
        (C01, seeds(1, 2).rename_axis("clip"), "unknown unit 'clip'"),
        (C01, float("nan"), "a finite number, got nan"),
        ("pavllo2019-c22", seeds(0, 1), "an effect with a spread is not exact"),
    ],
)
def test_wrong_effects_are_refused_and_nothing_is_kept(kept, name, effects, message):
    with pytest.raises(ValueError, match=message):
        judged(name, effects)
    assert not kept.exists()


def test_what_cannot_be_judged_needs_a_reason():
    with pytest.raises(ValueError, match="say why"):
        claims.cannot(C01, "table1", " ")


def test_systems_are_paired_by_seed():
    about = {"dataset": "cmu", "detector": "simulated", "preset": "laptop", "receptive_field": 27}
    about |= {"metric": "mpjpe", "action": "average"}
    values = {("a", 0): 5.0, ("a", 1): 7.0, ("b", 1): 4.0, ("b", 0): 3.0, ("b", 2): 9.0}
    rows = pd.DataFrame(
        [about | {"system": s, "seed": n, "value": v} for (s, n), v in values.items()]
    )
    cells = claims.by_seed(rows, "mpjpe", action="average")
    assert (cells["a"] - cells["b"]).dropna().to_dict() == {0: 2.0, 1: 3.0}
    with pytest.raises(ValueError, match=r"no value for seeds \[2\]"):
        judged(effects=cells["a"] - cells["b"])
    with pytest.raises(ValueError, match="no rows with"):
        claims.by_seed(rows, "p_mpjpe")
    twice = pd.concat([rows, rows.assign(dataset="synthetic")])
    with pytest.raises(ValueError, match="more than the seed, in dataset: select first"):
        claims.by_seed(twice, "mpjpe")


# --- what is kept ----------------------------------------------------------------------------


def test_a_reader_s_verdict_is_shown_and_not_kept(kept, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RECORD", "0")
    assert "**shows**" in judged()._repr_markdown_()
    assert not kept.exists()


def test_a_verdict_comes_back_as_it_was(kept):
    given = {
        C01: judged(),
        "pavllo2019-c06": judged(
            "pavllo2019-c06", {"by three quarters": seeds(-70, -60), "lower": seeds(-1, 1)}
        ),
        "pavllo2019-c14": judged(
            "pavllo2019-c14", {"27 frames": 17.09056, "81 frames": 25.479, "243 frames": 33.8678}
        ),
        "pavllo2019-c34": claims.cannot("pavllo2019-c34", "table1", "no Human3.6M, and so on"),
        "wang2020-c03": claims.judge("wang2020-c03", seeds(1), "table1", ABOUT, "one, alone"),
    }
    table = pd.read_csv(kept)
    assert tuple(table.columns) == COLUMNS and len(table) == 8
    found = claims.recorded()
    assert list(found) == list(dict.fromkeys(found)) and len(found) == 88
    for name, verdict in given.items():
        for what in ("word", "why", "measured", "origin", "notebook", "commit"):
            assert getattr(found[name], what) == getattr(verdict, what), (name, what)
    assert found[C01].commit == results.commit()
    counts = claims.counts(found)
    assert counts.loc["pavllo2019"].to_dict() == dict.fromkeys(VERDICTS, 0) | {
        "shows": 1, "not decided": 1, "reproduced exactly": 1, "cannot be judged here": 1, OPEN: 30
    }  # fmt: skip
    assert counts.loc["wang2020", "not decided"] == 1 and counts.to_numpy().sum() == 88


def test_the_same_notebook_replaces_its_verdict(kept):
    judged(effects=seeds(-5, -6, -7))
    judged(effects=seeds(5, 6, 7))
    assert claims.recorded()[C01].word == "opposite"
    assert len(pd.read_csv(kept)) == 1


def test_who_judges_at_the_same_time_loses_nothing(kept):
    names = [name for name, line in claims.recorded().items() if line.paper == "pavllo2019"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: claims.cannot(name, "table1", "why not"), names))
    assert pd.read_csv(kept)["claim"].tolist() == names and len(names) == 34


def test_two_notebooks_cannot_judge_one_claim(kept):
    judged()
    before = kept.read_text()
    with pytest.raises(ValueError, match=f"{C01} is judged by the notebook table1, and now by tab"):
        judged(notebook="table2")
    assert kept.read_text() == before
    lines = before.splitlines()
    kept.write_text("\n".join([*lines, lines[1].replace(",table1,", ",table2,")]))
    with pytest.raises(ValueError, match="several notebooks"):
        claims.recorded()


def test_smoke_is_not_kept_but_what_is_exact_is(kept):
    smoke = judged(preset="smoke")
    assert smoke.word == "not decided" and "untrained" in smoke.why
    assert not kept.exists()
    judged("pavllo2019-c22", 0.0, preset="smoke")
    assert pd.read_csv(kept)["claim"].tolist() == ["pavllo2019-c22"]


def test_a_changed_test_asks_for_a_new_verdict(kept):
    judged()
    kept.write_text(kept.read_text().replace(f"{C01},shows,,,", f"{C01},shows,,other,"))
    with pytest.raises(ValueError, match=f"{C01} has other parts than when table1 was executed"):
        claims.recorded()
    kept.write_text(kept.read_text().replace(C01, "pavllo2019-c99"))
    with pytest.raises(ValueError, match="unknown claims: pavllo2019-c99"):
        claims.recorded()


def test_an_experiment_judges_with_its_own_origin(kept):
    experiment = Experiment("table1", "synthetic", "laptop", 0, "cpu", False, {"detector": "x"})
    experiment.judge(C01, seeds(-5, -6, -7))
    (row,) = pd.read_csv(kept).to_dict("records")
    wanted = {"claim": C01, "verdict": "shows", "notebook": "table1", "dataset": "synthetic"}
    wanted |= {"detector": "x", "preset": "laptop", "seeds": "0 1 2", "unit": "mm"}
    assert {key: row[key] for key in wanted} == wanted


def test_recorded_rows_judge_for_the_notebook_that_measured_them(kept):
    about = {"dataset": "cmu", "detector": "old", "preset": "laptop", "receptive_field": 27}
    about |= {"metric": "mpjpe", "action": "average", "unit": "mm"}
    values = {"temporal": (50, 51, 53), "single frame": (56, 58, 58)}  # -6, -7, -5
    for system, numbers in values.items():
        rows = [about | {"system": system, "seed": s, "value": v} for s, v in enumerate(numbers)]
        results.record("t", rows)
    rows = claims.Rows("t", dataset="cmu")
    errors = rows.by_seed("mpjpe")
    verdict = rows.judge(C01, errors["temporal"] - errors["single frame"])
    assert (verdict.notebook, verdict.detector, verdict.measured) == ("t", "old", "-6.0 ± 2.5 mm")
    with pytest.raises(ValueError, match="no rows of t are on record with"):
        claims.Rows("t", dataset="synthetic")


def test_a_bar_in_a_claim_s_words_does_not_break_the_table():
    lines = claims.table(claims.recorded().values(), folder="../").splitlines()
    assert len(lines) == 90 and {line.count("|") for line in lines} == {7}


# --- the ledger of this project --------------------------------------------------------------

LEDGER = claims.recorded()
DONE = ("pavllo2019", "veges2020", "wang2020")


@pytest.mark.parametrize("name", LEDGER)
def test_every_claim_has_a_test_and_a_verdict_that_follows(name):
    line = LEDGER[name]
    if not isinstance(line, Verdict):
        assert line.paper not in DONE and line.parts
        return
    assert line.claim.paper in claims.TITLES and line.claim.parts
    assert line.word in VERDICTS
    assert (ROOT / "notebooks" / f"{line.notebook}.ipynb").is_file()
    if line.word in ("not decided", "cannot be judged here"):
        assert line.why
    else:
        assert line.effects
    if line.effects and not line.exact:
        timed = line.dataset.startswith("timed on ")  # where nothing was trained
        assert line.dataset and line.commit and bool(line.preset) != timed


def test_recorded_words_are_those_that_the_numbers_give():
    rows = pd.read_csv(path(), keep_default_na=False)
    words = {name: verdict.word for name, verdict in LEDGER.items() if isinstance(verdict, Verdict)}
    assert rows.groupby("claim")["verdict"].agg(set).to_dict() == {n: {w} for n, w in words.items()}
    parts = rows[rows["of the part"] != ""].set_index(["claim", "part"])["of the part"].to_dict()
    effects = [(n, e) for n, v in LEDGER.items() if n in words for e in v.effects]
    assert parts == {(name, effect.part.name): effect.verdict for name, effect in effects}


def test_the_page_prints_the_ledger_as_it_is_on_record():
    page = json.loads((ROOT / "notebooks" / "claims.ipynb").read_text("utf-8"))
    outputs = [output for cell in page["cells"] for output in cell.get("outputs", [])]
    shown = "\n".join("".join(o.get("data", {}).get("text/markdown", "")) for o in outputs)
    for paper in claims.TITLES:
        lines = [line for name, line in LEDGER.items() if name.startswith(paper)]
        assert claims.table(lines, folder="") in shown, "`make notebooks ONLY=claims`"
