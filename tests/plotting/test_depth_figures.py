"""Figures of depths show the numbers that they are given."""

import numpy as np
import pytest

from paperlib import plotting


def test_the_histogram_counts_all_and_names_the_spread():
    errors = {"training": np.array([[-1e4, 10.0], [20.0, 1e4]]), "testing": np.full(5, 40.0)}
    (ax,) = plotting.depth_errors(errors).axes
    heights = [patch.get_xy()[:, 1].max() for patch in ax.patches]
    assert heights == pytest.approx([25, 100])  # %
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [f"training: σ = {np.std([-1e4, 10, 20, 1e4]):.0f} mm", "testing: σ = 0 mm"]


def test_each_joint_has_a_dot_of_each_kind():
    errors = {"in depth": [3.0, 4.0], "across the line of sight": [1.0, 2.0]}
    (ax,) = plotting.error_per_joint(errors, ("left_knee", "pelvis"), "mm").axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[3, 4], [1, 2]]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["left knee", "pelvis"]
    assert len({line.get_color() for line in ax.lines}) == 2


def test_marginals_stand_on_the_middles_of_their_bins():
    shares = [np.array([0.25, 0.75]), np.ones(4) / 4, np.ones(5) / 5]
    figure = plotting.marginals(np.zeros((8, 8, 3)), shares, (0.125, 0, 0), (0.2, 0, -0.4))
    bars = figure.axes[1].patches
    assert [bar.get_x() + bar.get_width() / 2 for bar in bars] == pytest.approx([-0.25, 0.25])
    assert [bar.get_height() for bar in bars] == [0.25, 0.75]
    assert [line.get_xdata()[0] for line in figure.axes[1].lines] == [0.125, 0.2]
