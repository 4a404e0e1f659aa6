"""From images to depths to refined poses: the whole of kato2020 in one drawing (its figure 1), of
what running networks gave."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from paperlib.models import TemporalModel
from paperlib.plotting.diagrams import layer_taps, needed_frames
from paperlib.plotting.lifting import FIRST, SPAN, STEP, draw_influence, draw_layers
from paperlib.plotting.poses import AZIMUTH, VIEW, bones, draw_truth, name_sides, seen_from
from paperlib.plotting.style import IDLE, INK, MUTED
from paperlib.skeletons import Skeleton

_SIDE, _GAP = 3.5, 0.55  # of a picture, and between two rows of them
_POSE = 7.0  # height of a pose
_LABELS = -SPAN / 2 - 1.4  # where they end
_DEEP = 0.3  # metres from the root at which colours end
_VIEWS = {"from the camera": (-90, 0), "from the side": (0, 0)}


def two_stages(
    model: TemporalModel,
    frames: Sequence[int],
    pictures: Mapping[str, np.ndarray],
    points: np.ndarray,
    depths: np.ndarray,
    influence: Sequence[float],
    pose: np.ndarray,
    truth: np.ndarray,
    skeleton: Skeleton,
    fps: float,
) -> Figure:
    """The way of a clip, from the bottom to the top.

    ``frames`` are N of those that the second stage ``model`` reads, relative to the one that it
    answers. ``pictures`` are rows of them by their titles, the lowest first: ``(N, H, W)`` or ``(N,
    H, W, 3)``, rows of a picture downwards. What the first stage made of them are ``points (N, J,
    2)`` from 0 to 1, to the right and down, and ``depths (N, J)``, metres from the root. Each frame
    of the receptive field has a number in ``influence``. ``pose (J, 3)`` is the answer, drawn over
    the ``truth``: both relative to the root, in camera space.
    """
    reach, levels = model.receptive_field, needed_frames(model)
    if len(influence) != reach:
        raise ValueError(f"{len(influence)} influences, the model reads {reach} frames")
    lengths = {len(values) for values in (*pictures.values(), points, depths, frames)}
    if len(lengths) > 1 or not lengths.isdisjoint({0}):
        raise ValueError(f"pictures, points and depths of {sorted(lengths)} frames: one number")
    unit = SPAN / reach
    places = np.asarray(frames) * unit
    low = FIRST - 0.7 - (len(pictures) + 1) * (_SIDE + _GAP)
    top = FIRST + (len(levels) - 1) * STEP
    height = top + _POSE + 3.0 - low + 2.6
    figure, ax = plt.subplots(figsize=(9, 9 * height / (1.34 * SPAN)))
    for row, (title, several) in enumerate(pictures.items()):
        y = low + row * (_SIDE + _GAP)
        for x, picture in zip(places, several, strict=True):
            _picture(ax, picture, x, y)
        _say(ax, title, y + _SIDE / 2)
    _joints(ax, places, low + len(pictures) * (_SIDE + _GAP), points, depths, skeleton)
    for x, frame in zip(places, frames, strict=True):
        when = f"{1000 * frame / fps:+.0f}"
        ax.annotate(when, (x, low - 0.4), ha="center", va="top", color=MUTED)
        ax.plot([x, x], [FIRST - _GAP, FIRST - 0.15], color=IDLE, lw=0.8)
    ax.annotate("time, ms", (_LABELS, low - 0.4), ha="right", va="top", color=MUTED)
    draw_layers(ax, layer_taps(model), levels, unit)
    draw_influence(ax, sorted(levels[0]), influence, unit)
    _poses(ax, top + 1.0, pose, truth, skeleton)
    ax.set(xlim=(-0.78 * SPAN, 0.56 * SPAN), ylim=(low - 1.6, low - 1.6 + height))
    ax.set_aspect("equal")
    ax.set_axis_off()
    name_sides(figure, truth=True)
    return figure


def _say(ax: Axes, words: str, y: float) -> None:
    ax.annotate(words, (_LABELS, y), ha="right", va="center", fontweight="bold")


def _picture(ax: Axes, picture: np.ndarray, x: float, y: float) -> None:
    extent = (x - _SIDE / 2, x + _SIDE / 2, y, y + _SIDE)
    look = {"vmin": 0, "vmax": 1} if picture.ndim == 3 else {"vmin": 0, "cmap": "inferno"}
    ax.imshow(picture, extent=extent, aspect="auto", **look)


def _joints(
    ax: Axes, places: np.ndarray, y: float, points: np.ndarray, depths: np.ndarray, skeleton
) -> None:
    """What the first stage found: a body in each frame, its joints in the colours of depth."""
    for x, at, deep in zip(places, points, depths, strict=True):
        flat = (np.asarray(at) - 0.5) * [_SIDE, -_SIDE] + [x, y + _SIDE / 2]
        ax.add_collection(bones(flat, skeleton, colour=IDLE, lw=1.5))
        look = {"cmap": "RdBu", "vmin": -_DEEP, "vmax": _DEEP, "edgecolor": INK, "lw": 0.4}
        ax.scatter(*flat.T, s=16, c=deep, zorder=3, **look)
    _say(ax, "joints and depths $x_t$\nred: near, blue: far", y + _SIDE / 2)


def _poses(ax: Axes, y: float, pose: np.ndarray, truth: np.ndarray, skeleton: Skeleton) -> None:
    """The answer over the truth, of one scale, from each of the views."""
    scale = _POSE / np.ptp(np.asarray(truth)[:, 1])
    for x, (view, angles) in zip((-0.22 * SPAN, 0.22 * SPAN), _VIEWS.items(), strict=True):
        flat = [seen_from(one, *angles) * scale for one in (truth, pose)]
        lift = [x, y - flat[0][:, 1].min()]
        draw_truth(ax, flat[0] + lift, skeleton, lw=5)
        ax.add_collection(bones(flat[1] + lift, skeleton, lw=2.6, zorder=3))
        ax.annotate(view, (x, y + _POSE + 0.6), ha="center", color=INK)
    _say(ax, "3D pose $y_t$ of the\nmiddle frame, over\nthe truth in grey", y + _POSE / 2)


def film_strip(
    pictures: np.ndarray,
    boxes: np.ndarray,
    points: np.ndarray,
    poses: np.ndarray,
    truth: np.ndarray,
    skeleton: Skeleton,
    titles: Sequence[str],
    azimuth: float = AZIMUTH,
) -> Figure:
    """Moments of a film, left to right. On top the pictures ``(N, H, W, 3)`` with the box ``(4,)``
    of a person (left, top, width, height; NaN for none); in the middle the same from nearby, with
    the joints ``(J, 2)`` that were found; below, the poses ``(N, J, 3)`` that came of them, over
    the truth in grey. Boxes and joints are pixels."""
    count, points = len(pictures), np.asarray(points)
    figure, rows = plt.subplots(3, count, figsize=(1.9 * count, 6.2), squeeze=False)
    size = 1.1 * np.abs(np.asarray(truth)).max()
    half = 0.75 * np.ptp(points, axis=1).max()
    for column, (whole, near, below) in enumerate(rows.T):
        picture, box = pictures[column], boxes[column]
        for ax in (whole, near):
            ax.imshow(picture, extent=(0, picture.shape[1], picture.shape[0], 0))
        whole.set_title(titles[column], loc="center", fontsize=10)
        if not np.isnan(box).any():
            whole.add_patch(Rectangle(box[:2], *box[2:], fill=False, edgecolor="white", lw=1.2))
        near.add_collection(bones(points[column], skeleton, colour="white", lw=3))
        near.add_collection(bones(points[column], skeleton, lw=1.6))
        u, v = (points[column].min(axis=0) + points[column].max(axis=0)) / 2
        near.set(xlim=(u - half, u + half), ylim=(v + half, v - half))
        draw_truth(below, seen_from(truth[column], azimuth), skeleton)
        below.add_collection(bones(seen_from(poses[column], azimuth), skeleton, lw=2, zorder=3))
        below.set(xlim=(-size, size), ylim=(-size, size), aspect="equal")
        for ax in (whole, near, below):
            ax.set_axis_off()
    name_sides(figure, truth=True, title=VIEW if azimuth == AZIMUTH else "")
    return figure
