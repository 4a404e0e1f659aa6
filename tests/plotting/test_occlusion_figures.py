"""Figures of hidden joints show what they are given."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib import datasets
from paperlib.occlusion import Curve, boxed_man, boxes, heatmaps, labels
from paperlib.plotting import boxed_body, heatmap_strip, joint_scores, labellings, tolerance_curves
from paperlib.plotting.occlusion import body_view, verdicts


@pytest.fixture(scope="module")
def recording():
    return datasets.load("synthetic", subjects="S6", families="boxing", seconds=0.5).test[1]


def marked(ax) -> dict[str, np.ndarray]:
    """Points by their mark."""
    return {
        line.get_marker() + line.get_markerfacecolor(): line.get_xydata()
        for line in ax.get_lines()
        if line.get_linestyle() == "None"
    }


def test_verdicts_by_hand():
    truth, said = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    found = {
        name: np.flatnonzero(joints).tolist() for name, joints in verdicts(truth, said).items()
    }
    assert found == {"seen": [0], "false alarm": [1], "missed": [2], "hidden": [3]}


def test_the_view_of_a_body_holds_all_of_it(recording):
    picture, (left, right, bottom, top), points = body_view(recording, 4, 100)
    np.testing.assert_allclose(points, recording.keypoints[4], atol=1e-3)
    assert left < points[:, 0].min() and points[:, 0].max() < right
    assert top < points[:, 1].min() and points[:, 1].max() < bottom
    height = 100 * (bottom - top) / (right - left)
    assert picture.shape[1] == 100 and picture.shape[0] == pytest.approx(height, abs=1.5)
    # there is flesh under every joint, and none in the corners
    columns = ((points[:, 0] - left) / (right - left) * 100).astype(int)
    rows = ((points[:, 1] - top) / (bottom - top) * len(picture)).astype(int)
    assert (picture[rows, columns] < 0.99).all()
    assert picture[0, 0] == picture[-1, -1] == 1
    with pytest.raises(ValueError, match=r"frame 400: .* has frames 0 to"):
        body_view(recording, 400)


def test_each_labelling_has_a_panel_with_its_verdicts(recording):
    truth, said = torch.zeros(17, dtype=torch.bool), torch.zeros(17, dtype=torch.bool)
    truth[[2, 3]] = True
    said[[3, 9]] = True
    figure = labellings(recording, 4, {"rendered": truth, "boxed_man": said.numpy()})
    first, second = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["rendered", "boxed man"]
    points = recording.keypoints[4].numpy()
    by_mark = marked(second)
    np.testing.assert_allclose(by_mark["X#d27800"], points[[9]], atol=1e-2)
    np.testing.assert_allclose(by_mark["swhite"], points[[2]], atol=1e-2)
    np.testing.assert_allclose(by_mark["owhite"], points[[3]], atol=1e-2)
    assert "swhite" not in marked(first) and len(marked(first)["owhite"]) == 2
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[:2] == ["seen", "hidden"] and len(words) == 4


def test_labels_of_another_skeleton_are_refused(recording):
    with pytest.raises(ValueError, match="labels of frame 0: short; expected a bool for each"):
        labellings(recording, 0, {"short": np.zeros(15, bool)})
    with pytest.raises(ValueError, match="none given"):
        labellings(recording, 0, {})


def test_the_boxed_body_is_that_of_its_labels(recording):
    figure = boxed_body(recording, 4, width=0.03)
    ax = figure.axes[0]
    hidden = labels(recording, "boxed_man", width=0.03)[4].numpy()
    np.testing.assert_allclose(marked(ax)["owhite"], recording.keypoints[4][hidden], atol=1e-2)
    drawn = [p.vertices for c in ax.collections for p in c.get_paths() if len(p.vertices) == 5]
    expected = boxes(recording.keypoints[4], recording.skeleton, 15.0).numpy()  # pixels
    for corners in expected:
        assert any(np.allclose(path[:4], corners, atol=1e-2) for path in drawn)
    assert "15 pixels" in ax.get_title()


def test_the_boxes_of_a_wide_picture_have_the_width_of_the_labels(recording):
    """Screen coordinates take half of the width, not of the height, for 1."""
    wide = replace(recording, camera=replace(recording.camera, height=700))
    found = marked(boxed_body(wide, 4, width=0.03).axes[0])["owhite"]
    pixels = boxed_man(wide.keypoints[4], wide.skeleton, 15.0).numpy()
    np.testing.assert_allclose(found, wide.keypoints[4][pixels], atol=1e-2)


def test_curves_and_the_tolerance_in_use():
    curve = Curve((0.1, 0.2, 0.3), (1.0, 0.8, 0.5), (0.2, 0.5, 1.0), (0.33, 0.62, 0.67))
    figure = tolerance_curves({"boxed_man": curve}, "tolerance, m", {"boxed_man": 0.2})
    small, large = figure.axes[:3], figure.axes[3]
    for ax, values in zip(small, curve[1:], strict=True):
        line, dot = ax.get_lines()
        np.testing.assert_allclose(line.get_xydata(), np.stack([curve.tolerances, values], 1))
        np.testing.assert_allclose(dot.get_xydata(), [[0.2, values[1]]])
    np.testing.assert_allclose(large.get_lines()[0].get_xydata().T, [curve.recall, curve.precision])
    # 0.2 * 1 + 0.3 * 0.8 + 0.5 * 0.5
    assert figure.legends[0].get_texts()[0].get_text() == "boxed man, AP 0.69"


def test_scores_are_written_in_their_cells():
    table = pd.DataFrame({"a": [0.25, np.nan], "b_c": [1.0, 0.5]}, ["left_hip", "spine"])
    ax = joint_scores(table).axes[0]
    assert [text.get_text() for text in ax.texts] == ["0.25", "1.00", "–", "0.50"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["left hip", "spine"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b c"]


def test_a_strip_shows_the_brightest_of_all_keypoints(recording):
    maps = heatmaps(recording.keypoints, recording.visible, size=32)
    figure = heatmap_strip({"seen": maps, "none": torch.zeros_like(maps)}, [0, 5])
    pictures = [ax.get_images()[0].get_array() for ax in figure.axes]
    assert len(pictures) == 4
    np.testing.assert_allclose(pictures[1], maps[5].amax(dim=0))
    assert pictures[0].max() > 0.8 and pictures[2].max() == 0
