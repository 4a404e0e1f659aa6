"""Figures of several people show what they are given."""

import matplotlib.pyplot as plt
import numpy as np

from paperlib.plotting import energy_curves, floor_plan, occluded_path, shade_gaps
from paperlib.plotting.people import gaps


def test_gaps_are_the_runs_of_frames_whose_score_is_zero():
    for score, expected in (
        ([0.9, 0, 0, 0.5, 0.8, 0], [(1, 3), (5, 6)]),
        ([0, 0, 0.1, 0], [(0, 2), (3, 4)]),
        ([0, 0], [(0, 2)]),
        ([0.2, 1.0], []),
    ):
        assert gaps(score) == gaps(np.array(score)) == expected


def test_grey_is_where_the_score_is_zero():
    _, ax = plt.subplots()
    shade_gaps(ax, np.array([0.9, 0, 0, 0.5, 0.8, 0]), np.arange(6) / 2)
    spans = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
    found = [(round(span.x0, 3), round(span.x1, 3)) for span in spans]
    assert found == [(0.25, 1.25), (2.25, 2.75)]


def test_a_path_is_drawn_for_each_answer_in_the_frames_asked_for():
    truth = np.zeros((50, 3, 3))
    truth[:, 1, 2] = np.linspace(3, 5, 50)
    wild = truth + 100
    figure = occluded_path({"truth": truth, "refinement": wild}, np.ones(50), slice(10, 30), 10, 1)
    above, below = figure.axes
    line = below.get_lines()[0]
    np.testing.assert_allclose(line.get_xdata(), np.arange(10, 30) / 10)
    np.testing.assert_allclose(line.get_ydata(), truth[10:30, 1, 2])
    assert below.get_ylim()[1] < 6  # what leaves the truth by metres leaves the panel
    assert [t.get_text() for t in above.get_legend().get_texts()] == ["truth", "refinement"]
    free = occluded_path({"refinement": wild}, np.ones(50), slice(0, 50), 10, 1)
    assert free.axes[1].get_ylim()[1] > 104


def test_everybody_stands_where_they_are():
    ways = np.random.default_rng(0).uniform(1, 5, (3, 20, 3))
    ax = floor_plan(ways, ["a", "b", "c"], frame=7).axes[0]
    marks = {line.get_label(): line for line in ax.get_lines()}
    for person, name in enumerate("abc"):
        np.testing.assert_allclose(marks[name].get_xydata()[0], ways[person, 7, [0, 2]])


def test_energies_are_shown_above_the_lowest():
    curves = {"adam": ([1, 2], [3.0, 2.0]), "direct": ([0.1], [1.0])}
    ax = energy_curves(curves, best=1.0).axes[0]
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [2.0, 1.0])
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), [1e-6])
