"""Intervals over clips: worked by hand, and against what chance gives."""

import math
from dataclasses import replace

import numpy as np
import pytest
import samples

from paperlib.evaluation import Evaluation, over_clips
from paperlib.evaluation.errors import METRICS

SIDE = replace(samples.CAMERA, name="side")


def evaluation(*rows: tuple[str, str, int, float], **changes) -> Evaluation:
    """Of (action, clip, frames, error) each."""
    recordings = [samples.recording(n, clip, action=a, **changes) for a, clip, n, _ in rows]
    return Evaluation(tuple(recordings), {"mpjpe": tuple(value for *_, value in rows)})


def test_an_interval_worked_by_hand():
    """Two clips of one action: what is drawn is (a, a), (a, b), (b, a) or (b, b), a quarter of the
    draws each; of these means 2.5 % are on either side of the smallest and of the largest."""
    mean, low, high = over_clips(evaluation(("walk", "a", 10, 1.0), ("walk", "b", 30, 5.0)))
    assert mean == pytest.approx((10 * 1 + 30 * 5) / 40)  # frames are pooled
    assert (low, high) == pytest.approx((1.0, 5.0))


def test_actions_count_alike_and_the_mean_is_that_of_the_table():
    """The second action's only clip adds nothing to the width, which halves."""
    one = evaluation(("walk", "a", 10, 1.0), ("walk", "b", 30, 5.0), ("run", "c", 5, 8.0))
    mean, low, high = over_clips(one)
    assert mean == pytest.approx(one.average("mpjpe"))
    assert (low, high) == pytest.approx(((1 + 8) / 2, (5 + 8) / 2))


def test_views_and_pieces_of_a_take_are_drawn_together():
    """Four recordings of one take are one draw: with another take of the same error as their mean,
    nothing varies; by themselves there is nothing to draw from."""
    views = [
        samples.recording(10, clip, camera=c)
        for clip in ("a#1", "a#2")
        for c in (SIDE, samples.CAMERA)
    ]
    values = (1.0, 2.0, 3.0, 6.0)
    other = samples.recording(7, "b")
    both = Evaluation((*views, other), {"mpjpe": (*values, 3.0)})
    assert over_clips(both) == pytest.approx((3.0, 3.0, 3.0))
    mean, low, high = over_clips(Evaluation(tuple(views), {"mpjpe": values}))
    assert mean == 3.0 and math.isnan(low) and math.isnan(high)


def test_the_width_is_that_of_a_mean_of_many_clips():
    """200 clips of normal errors: 1.96 standard errors to either side."""
    errors = np.random.default_rng(0).normal(60, 8, 200)
    rows = [("walk", f"take{n}", 10, float(e)) for n, e in enumerate(errors)]
    mean, low, high = over_clips(evaluation(*rows), draws=4000)
    half = 1.96 * errors.std() / math.sqrt(200)
    assert mean == pytest.approx(errors.mean())
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.08)


def test_models_of_several_seeds_are_averaged_first_and_seeds_of_draws_matter():
    rng = np.random.default_rng(1)
    rows = [
        [("walk", f"t{n}", 5, float(v)) for n, v in enumerate(rng.random(30))] for _ in range(2)
    ]
    several = [evaluation(*r) for r in rows]
    means = [(a, clip, n, (v + w) / 2) for (a, clip, n, v), (_, _, _, w) in zip(*rows, strict=True)]
    assert over_clips(several) == pytest.approx(over_clips(evaluation(*means)))
    assert over_clips(several) == over_clips(several) != over_clips(several, seed=1)


def test_recordings_too_short_for_a_metric_are_left_out():
    short = evaluation(("walk", "a", 1, math.nan), ("walk", "b", 9, 2.0), ("walk", "c", 9, 4.0))
    short = replace(short, values={"mpjve": short.values["mpjpe"]})
    assert "mpjve" in METRICS
    assert over_clips(short, "mpjve") == pytest.approx((3.0, 2.0, 4.0))


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda one: over_clips([]), "no evaluation"),
        (
            lambda one: over_clips([one, evaluation(("walk", "b", 5, 1.0))]),
            "not of the same record",
        ),
        (lambda one: over_clips(one, "mpjp"), "unknown metric 'mpjp'"),
        (lambda one: over_clips(one, draws=10), "draws is 10"),
        (lambda one: over_clips(one, seed=-1), "seed must be a whole number"),
    ],
)
def test_wrong_arguments(attempt, said):
    with pytest.raises(ValueError, match=said):
        attempt(evaluation(("walk", "a", 5, 1.0)))


def test_a_difference_is_taken_clip_by_clip():
    """Clips differ by tens, one system is better by 1 or 2 on each: the interval is of that."""
    hard = [float(n) for n in range(10, 90, 10)]
    one = evaluation(*(("walk", f"t{n}", 5, e) for n, e in enumerate(hard)))
    other = evaluation(*(("walk", f"t{n}", 5, e + 1 + n % 2) for n, e in enumerate(hard)))
    mean, low, high = over_clips(one, less=other)
    assert mean == pytest.approx(-1.5) and -2 <= low < -1.5 < high <= -1
    assert over_clips([one, one], less=[other]) == pytest.approx((mean, low, high))
    assert over_clips(one, less=one) == pytest.approx((0, 0, 0))
    with pytest.raises(ValueError, match="not of the same recordings"):
        over_clips(one, less=evaluation(("walk", "t0", 5, 1.0)))
