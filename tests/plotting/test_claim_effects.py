"""The picture of all effects: each where its test says, in the look of its verdict."""

import math
from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from paperlib import claims, plotting
from paperlib.plotting.effects import _LOOKS

PARAMETERS = {"27 frames": 8.56, "81 frames": 12.75, "243 frames": 16.95}
ABOUT = {"dataset": "cmu", "detector": "simulated", "preset": "laptop"}


def seeds(*values) -> pd.Series:
    return pd.Series(values, dtype=float)


def judged(name, effects, but=""):
    return claims.judge(name, effects, "table1", ABOUT, but)


def drawn(ax):
    """The effects of a panel: (mean, colour) by height; and the papers' strokes."""
    dots = [line for line in ax.lines if line.get_linewidth() == 0]
    strokes = [d for d in dots if d.get_marker() == "|"]
    means = [d for d in dots if d.get_marker() != "|"]
    place = {round(float(d.get_ydata()[0]), 4): float(d.get_xdata()[0]) for d in strokes}
    return [
        (
            float(d.get_xdata()[0]),
            to_hex(d.get_color()),
            place.get(round(float(d.get_ydata()[0]), 4)),
        )
        for d in sorted(means, key=lambda d: d.get_ydata()[0])
    ]


def test_effects_stand_where_their_tests_say():
    lines = claims.recorded() | {
        # below 0 mm, to 0.5; the paper has -5.0
        "pavllo2019-c01": judged("pavllo2019-c01", seeds(-5, -6, -7)),
        # about 0 %, to 1; the paper has -0.6
        "pavllo2019-c05": judged("pavllo2019-c05", seeds(0.1, 0.2, 0.3)),
        # computed: no line for it
        "pavllo2019-c13": judged("pavllo2019-c13", PARAMETERS),
        # above 0 mm, to 0.5; the paper has 14.7
        "pavllo2019-c26": judged("pavllo2019-c26", seeds(-9, -10, -11)),
    }
    chosen = [f"pavllo2019-c{n}" for n in ("01", "05", "13", "26")]
    figure = plotting.claim_effects({name: lines[name] for name in chosen})
    found = [effect for ax in figure.axes for effect in drawn(ax)]
    look = {word: to_hex(_LOOKS[word]["color"]) for word in _LOOKS}
    assert found == [
        (pytest.approx(12), look["shows"], 10.0),
        (pytest.approx(0.2), look["shows"], -0.6),
        (pytest.approx(-20), look["opposite"], pytest.approx(29.4)),
    ]
    names = [t.get_text() for ax in figure.axes for t in ax.get_yticklabels()]
    assert names == [
        "243 frames beat one  c01",
        "boxes: detected as good as true  c05",
        "semi-supervised helps (50 Hz)  c26",
    ]


def test_bars_are_the_intervals_and_one_seed_has_none():
    line = judged("pavllo2019-c01", seeds(-5, -6, -7))  # ± 2.484 mm, and the margin is 0.5
    (one,) = [judged("pavllo2019-c02", seeds(-3.0))]
    figure = plotting.claim_effects({"pavllo2019-c01": line, "pavllo2019-c02": one})
    bars = [b for ax in figure.axes for b in ax.lines if b.get_linewidth() == 1.5]
    ends = [sorted(float(x) for x in bar.get_xdata()) for bar in bars]
    assert ends[0] == pytest.approx([2 * (6 - 2.4841), 2 * (6 + 2.4841)], abs=1e-3)
    assert all(math.isnan(x) for x in ends[1])


def test_what_does_not_decide_is_drawn_as_undecided():
    line = judged("pavllo2019-c01", seeds(-5, -6, -7), but="27 frames, not 243")
    figure = plotting.claim_effects({"pavllo2019-c01": line})
    ((_, colour, _),) = [effect for ax in figure.axes for effect in drawn(ax)]
    assert colour == to_hex(_LOOKS["not decided"]["color"])


def test_nothing_measured_is_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        plotting.claim_effects({"pavllo2019-c34": claims.cannot("pavllo2019-c34", "table1", "no")})


def test_the_whole_ledger_fits_on_the_page_and_no_two_labels_touch():
    figure = plotting.claim_effects(claims.recorded())
    figure.canvas.draw()
    page = figure.bbox
    assert figure.get_figheight() < 12
    for ax in figure.axes:
        titles = [text for text in ax.texts if text.get_text()]
        boxes = [label.get_window_extent() for label in (*ax.get_yticklabels(), *titles)]
        boxes.sort(key=lambda box: -box.y1)
        assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
        ticks = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert all(left.x1 <= right.x0 for left, right in pairwise(ticks))
        assert all(box.x0 >= page.x0 and box.x1 <= page.x1 for box in (*boxes, *ticks))
    effects = [
        e for v in claims.recorded().values() if isinstance(v, claims.Verdict) for e in v.effects
    ]
    measured = sum(bool(effect.seeds) for effect in effects)
    assert sum(len(drawn(ax)) for ax in figure.axes) == measured
