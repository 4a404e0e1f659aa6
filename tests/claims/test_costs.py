"""What a claim takes: read from what is on record, and from nothing else."""

import math

import pandas as pd
import pytest

from paperlib import claims, results

ABOUT = {"dataset": "cmu", "detector": "simulated_v2", "preset": "laptop"}
C01, C02, C13 = (f"pavllo2019-c{n}" for n in ("01", "02", "13"))


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record of its own: two networks with two seeds, and answers that share a run."""
    monkeypatch.setattr(results, "RESULTS", tmp_path)

    def row(system, seed, seconds, **changes):
        about = ABOUT | {"system": system, "receptive_field": 27, "seed": seed, "metric": "mpjpe"}
        about |= {"action": "average", "value": 50.0, "unit": "mm", "device": "1 CPU threads"}
        return about | {"seconds": seconds} | changes

    rows = [row("temporal", 0, 120.0), row("temporal", 1, 60.0), row("filtered", 0, 120.0)]
    rows += [row("temporal", 0, 120.0, metric="p_mpjpe"), row("single frame", 0, 30.0)]
    # none of these belongs to it: another seed, other data, another detector, nothing trained
    rows += [row("temporal", 2, 1e6), row("temporal", 0, 1e6, dataset="synthetic")]
    rows += [row("temporal", 0, 1e6, detector="ground_truth"), row("line", 0, 0.0)]
    results.record("table1", rows, keep=True)
    return tmp_path


def judged(name, effects, notebook="table1", **changes):
    return claims.judge(name, effects, notebook, ABOUT | changes)


@pytest.mark.usefixtures("record")
def test_each_run_counts_once():
    what = claims.need(judged(C01, pd.Series([-5.0, -6.0])))
    assert (what.notebook, what.dataset, what.preset) == ("table1", "cmu", "laptop")
    assert (what.detectors, what.seeds) == (("simulated_v2",), (0, 1))
    assert (what.seconds, what.per_seed) == (120 + 60 + 30, 105)
    assert str(what) == (
        "the notebook table1 on cmu data, simulated_v2, preset laptop, seeds 0, 1: "
        "4 minutes of training on 1 CPU thread"
    )
    both = claims.need(judged(C01, pd.Series([-5.0]), detector="ground_truth, simulated_v2"))
    assert both.detectors == ("ground_truth", "simulated_v2")
    assert both.seconds == 120 + 30 + 1e6  # of seed 0


@pytest.mark.usefixtures("record")
def test_what_is_not_on_record_is_not_invented():
    what = claims.need(judged(C01, pd.Series([-5.0, -6.0]), notebook="table2"))
    assert math.isnan(what.seconds) and what.machine == ""
    assert str(what).endswith("seeds 0, 1: how long that took is not on record")
    counted = {"27 frames": 8.56, "81 frames": 12.75, "243 frames": 16.95}
    exact = claims.need(judged(C13, counted))
    assert exact.seeds == () and str(exact) == "the notebook table1, which computes it"


@pytest.mark.usefixtures("record")
def test_the_rounds_of_a_timing_are_no_seeds():
    """Or its notebook would be run with numbers of rounds for seeds."""
    about = {"dataset": "timed on cpu", "detector": "", "preset": ""}
    rounds = pd.Series([1.0, 1.1]).rename_axis("round")
    timed = claims.need(judged("pavllo2019-c33", rounds, "speed", **about))
    assert timed.seeds == () and timed.detectors == ()
    assert str(timed) == "the notebook speed, which reads what `make benchmarks` timed"


@pytest.mark.usefixtures("record")
def test_takes_are_no_seeds_and_their_data_are_named():
    takes = pd.Series([-5.0, -6.0]).rename_axis("take")
    what = claims.need(judged(C01, takes, notebook="table2"))
    assert what.seeds == () and (what.dataset, what.preset) == ("cmu", "laptop")
    assert str(what) == "the notebook table2 on cmu data, simulated_v2, preset laptop"


def test_where_nothing_was_measured_nothing_can_be_run():
    assert claims.need(claims.cannot("pavllo2019-c34", "table1", "no Human3.6M")) is None


@pytest.mark.usefixtures("record")
def test_claims_of_one_notebook_cost_what_it_costs():
    lines = claims.recorded() | {
        C01: judged(C01, pd.Series([-5.0, -6.0])),
        C02: judged(C02, pd.Series([-5.0, -6.0])),
        C13: judged(C13, {"27 frames": 8.56, "81 frames": 12.75, "243 frames": 16.95}, "table5"),
        "wang2020-c03": judged("wang2020-c03", pd.Series([1.0]), dataset="synthetic"),
    }
    table = claims.costs(lines)
    assert table["claims"].tolist() == [C13, "pavllo2019-c01, c02", "wang2020-c03"]
    assert table["seeds"].tolist() == [0, 2, 1]
    assert table["minutes"].tolist()[1:] == [3.5, pytest.approx(1e6 / 60)]
    assert math.isnan(table["minutes"][0])
    assert claims.costs({}).empty


def test_every_measured_claim_of_the_project_names_a_notebook_that_runs():
    for name, line in claims.recorded().items():
        what = claims.need(line) if isinstance(line, claims.Verdict) else None
        if what and what.seeds:
            assert what.dataset and what.preset and what.detectors, name
