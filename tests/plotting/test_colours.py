"""Colours that can be told apart, by everybody, and from the page; left and right beside colour."""

from dataclasses import replace
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb

from paperlib import datasets, plotting
from paperlib.cameras import project
from paperlib.cards import SIDES
from paperlib.plotting.people import PEOPLE
from paperlib.plotting.poses import bones, draw_keypoints, seen_from
from paperlib.plotting.style import COLOURS, MUTED, TRUTH, dashes_of, marker_of
from paperlib.skeletons import H36M_17

# what people without one kind of cones see, of linear RGB (Machado, Oliveira and Fernandes 2009)
EYES = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
_XYZ = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]


def linear(colour: str) -> np.ndarray:
    values = np.array(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(colour: str) -> float:
    """With white, from 1 to 21 (WCAG 2)."""
    return 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear(colour)) + 0.05)


def lab(colour: str, eyes: str) -> np.ndarray:
    """CIELAB of a colour as those eyes see it."""
    white = np.sum(_XYZ, axis=1)
    share = _XYZ @ np.clip(np.array(EYES[eyes]) @ linear(colour), 0, 1) / white
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours, eyes: str) -> float:
    return min(np.linalg.norm(lab(a, eyes) - lab(b, eyes)) for a, b in combinations(colours, 2))


def test_the_ruler_measures():
    assert contrast("#ffffff") == pytest.approx(1) and contrast("#000000") == pytest.approx(21)
    assert nearest(("#000000", "#ffffff"), "protanopia") == pytest.approx(100, abs=0.5)
    red, green = "#d62728", "#5f8a00"
    assert nearest((red, green), "all cones") > 80 > 40 > nearest((red, green), "deuteranopia")


@pytest.mark.parametrize("eyes", EYES)
def test_colours_are_told_apart(eyes):
    assert nearest(SIDES.values(), eyes) > 40
    assert nearest({*COLOURS.values(), MUTED}, eyes) > 19
    assert nearest(PEOPLE, eyes) > 19


def test_colours_stand_out_from_the_page():
    for colour in {*COLOURS.values(), *SIDES.values(), *PEOPLE, MUTED, TRUTH}:
        assert contrast(colour) >= 3, colour


def test_a_colour_has_a_marker_and_a_line_of_its_own():
    one = {colour: name for name, colour in COLOURS.items() if name != "truth"}
    looks = [(marker_of(name), str(dashes_of(name))) for name in one.values()]
    assert len(set(looks)) == len(looks) == 8
    assert dashes_of("truth") == dashes_of("temporal") == "-"


def test_right_limbs_are_dashed_and_left_ones_are_not():
    body = bones(np.zeros((17, 2)), H36M_17)
    for (_, child), colour, line in zip(
        H36M_17.bones, body.get_colors(), body.get_linestyle(), strict=True
    ):
        side = H36M_17.side(child)
        assert to_hex(colour) == SIDES[side] and (line[1] is not None) == (side == "right")


@pytest.fixture(scope="module")
def recording():
    return datasets.load("synthetic", subjects="S6", families="walking", seconds=1).test[0]


def bodies(ax) -> list[np.ndarray]:
    return [np.array(c.get_segments()) for c in ax.collections if isinstance(c, LineCollection)]


def test_poses_have_left_and_right_where_the_image_has_them(recording):
    figure = plotting.pose_sequence(recording, {"temporal": recording.pose.numpy()}, [0, 20, 40])
    axes = np.array(figure.axes).reshape(2, 3)
    for column in range(3):
        (image,), (edge, inside, pose) = map(bodies, axes[:, column])
        np.testing.assert_allclose(pose, edge)
        np.testing.assert_allclose(pose, inside)
        seen = [np.corrcoef(image[..., 0].ravel(), pose[..., 0].ravel())[0, 1]]
        assert seen[0] > 0.99
    plt.close(figure)


def test_a_step_away_from_the_camera_goes_up_and_none_to_the_side():
    away = seen_from(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]))
    np.testing.assert_allclose(away, [[0, 0], [0, 0.5], [0, np.sqrt(0.75)]], atol=1e-12)


def test_every_figure_of_bodies_names_their_sides_once(recording):
    pose = recording.pose.numpy()
    shown = project(recording.positions, recording.camera)
    moving = plotting.lifting_animation(recording, {"temporal": pose}, [0, 20])
    moving._draw_was_started = True  # it is not played here
    figures = [
        plotting.pose_sequence(recording, {"temporal": pose}, [0, 20], circled=0.1),
        plotting.reprojections(recording, recording.positions, [0, 20]),
        plotting.boxed_body(recording, 0),
        moving._fig,
    ]
    figure, axes = plt.subplots(1, 2)
    for ax in axes:
        draw_keypoints(ax, shown[0].numpy())
    for each in [*figures, figure]:
        (legend,) = each.legends
        words = [text.get_text() for text in legend.get_texts()]
        assert words[:3] == ["left", "right (dashed)", "trunk and head"]
    plt.close("all")


def test_a_film_without_truth_has_no_truth_in_its_legend(recording):
    film = replace(recording, positions=None, visible=None)
    figure = plotting.pose_sequence(film, {"temporal": torch.zeros(50, 17, 3).numpy()}, [0])
    assert "truth" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(bodies(figure.axes[1])) == 1
    plt.close(figure)
