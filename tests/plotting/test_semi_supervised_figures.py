"""Figures of what labels are worth."""

import numpy as np
import pandas as pd
import pytest

from paperlib import plotting
from paperlib.results import interval

SHARES = ["1 %", "5 %", "10 %"]


def table(methods, shares=SHARES, seeds=(0, 1, 2)) -> pd.DataFrame:
    columns = pd.MultiIndex.from_product([methods, shares])
    values = 50 + np.random.default_rng(0).normal(size=(len(seeds), len(columns)))
    return pd.DataFrame(values, index=list(seeds), columns=columns)


def test_a_panel_for_each_table_and_a_line_for_each_method():
    b, c = table(["supervised"]), table(["supervised", "semi-supervised, no bone term"])
    figure = plotting.label_curves({"b: detector": b, "c: exact": c}, SHARES)
    assert [ax.get_title() for ax in figure.axes] == ["b: detector", "c: exact"]
    assert [len(ax.containers) for ax in figure.axes] == [1, 2]
    assert [t.get_text() for t in figure.legends[0].texts] == [*dict.fromkeys(m for m, _ in c)]
    figure.canvas.draw()
    for ax in figure.axes:
        assert [t.get_text() for t in ax.get_xticklabels()] == SHARES
    line, whiskers = figure.axes[0].containers[0][0], figure.axes[0].containers[0][2][0]
    expected = [interval(b["supervised", share]) for share in SHARES]
    assert line.get_ydata() == pytest.approx([mean for mean, _ in expected])
    spans = [segment[:, 1] for segment in whiskers.get_segments()]
    assert [(high - low) / 2 for low, high in spans] == pytest.approx([h for _, h in expected])


def test_a_share_that_one_method_lacks_leaves_a_gap_in_its_line_alone():
    whole, part = table(["supervised"]), table(["semi-supervised"], SHARES[1:])
    figure = plotting.label_curves({"c": pd.concat([whole, part], axis=1)}, SHARES)
    first, second = (
        np.asarray(container[0].get_xdata(), float) for container in figure.axes[0].containers
    )
    assert np.round(first).tolist() == [0, 1, 2] and np.round(second).tolist() == [1, 2]
