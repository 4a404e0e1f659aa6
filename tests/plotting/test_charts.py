"""Errors of single views: every number is drawn, at its place."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from paperlib import plotting

VIEWS = ["cam01", "cam02", "cam03"]


@pytest.fixture
def figure():
    one = pd.DataFrame([[100, 140, 120], [90, 300, 95]], index=["temporal", "flat"], columns=VIEWS)
    other = pd.DataFrame([[400, np.nan, 200]], index=["flat"], columns=VIEWS)
    figure = plotting.by_view({"one": one, "other": other}, "MPJPE, mm", 43)
    yield figure
    plt.close(figure)


def numbered(ax) -> list[tuple[str, float, float]]:
    return sorted((text.get_text(), *text.xy) for text in ax.texts)


def test_each_view_stands_with_its_number_at_its_error(figure):
    one, other = figure.axes
    rows = [("1", 100, 0), ("2", 140, 0), ("3", 120, 0), ("1", 90, 1), ("2", 300, 1), ("3", 95, 1)]
    assert numbered(one) == sorted(rows)
    # a system keeps its row, and what was not measured is not drawn
    assert numbered(other) == [("1", 400, 1), ("3", 200, 1)]


def test_all_that_is_drawn_is_in_the_picture_and_the_band_is_as_wide_as_the_doubt(figure):
    for ax in figure.axes:
        assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 400
        (band,) = ax.patches
        assert (band.get_x(), band.get_width()) == (0, 43)
    (legend,) = figure.legends
    assert "1: cam01, 2: cam02, 3: cam03" in legend.get_texts()[0].get_text()
