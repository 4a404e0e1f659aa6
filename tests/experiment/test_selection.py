"""A share of the data has all actions, in all views."""

from dataclasses import replace

import pytest

from paperlib import datasets
from paperlib.experiment import Experiment, pictured
from paperlib.experiment.parameters import parse
from paperlib.experiment.selection import excerpt, listed


@pytest.fixture(scope="module")
def data():
    one = datasets.load("synthetic", small=True)
    clips = [f"{n}" for n in range(5)]
    made = {
        part: tuple(replace(r, clip=clip) for r in getattr(one, part) for clip in clips)
        for part in ("train", "test")
    }
    alone = replace(one.test[0], action="sitting")
    return replace(one, **made, unseen=(alone,))


def test_takes_are_spread_over_those_there_are_and_clips_begin_where_they_did(data):
    some = excerpt(data, learnt=2, tested=9, seconds=0.5)
    assert {r.take for r in some.train} == {"0", "2"}  # of 5: every 2.5th, rounded down
    assert {r.take for r in some.test} == {r.take for r in data.test}  # there are no nine
    frames = round(0.5 * data.test[0].fps)
    assert {len(r) for r in (*some.train, *some.test)} == {frames}
    first = data.test[0]
    kept = next(r for r in some.test if r.name == first.name)
    assert kept.truth.equal(first.truth[:frames])
    for part in ("train", "test"):
        whole, kept = getattr(data, part), getattr(some, part)
        about = [{(r.action, r.subject, r.camera.name) for r in rs} for rs in (whole, kept)]
        assert about[0] == about[1]
    assert some.unseen == ()
    assert some.fingerprint != data.fingerprint and some.name != data.name
    assert "up to 2 takes of each action to learn from and 9 to test on" in some.source


@pytest.mark.parametrize(
    "wrong", [{"learnt": 0}, {"tested": 0}, {"seconds": 0.0}, {"seconds": float("nan")}]
)
def test_nothing_is_no_excerpt(data, wrong):
    with pytest.raises(ValueError, match="one take or more"):
        excerpt(data, **{"learnt": 1, "tested": 1, "seconds": 1.0} | wrong)


def test_pictures_are_of_a_share_but_for_the_papers_preset():
    cell = {"dataset": "synthetic", "preset": "smoke", "seed": 0, "device": "cpu", "retrain": False}
    experiment = Experiment.begin("tests", cell)
    some = pictured(experiment).with_detector("simulated")
    assert some.exact.name == f"{experiment.exact.name}-3-2-takes-6s"
    assert some.load().test[0].keypoints.shape == some.exact.test[0].keypoints.shape
    assert len(some.load().test) == len(some.exact.test)
    whole = replace(experiment, preset="paper")
    assert pictured(whole) is whole


def test_a_list_may_be_one_number_as_a_command_line_gives_it():
    assert listed("receptive_fields", parse("27")) == ["27"]
    assert listed("strides", parse("2,3,2")) == ["2", "3"] == listed("strides", [2, 3])
    for nothing in ("", "2,,3", []):
        with pytest.raises(ValueError, match=r"strides=.*expected names"):
            listed("strides", nothing)
