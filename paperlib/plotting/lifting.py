"""From keypoints over time to a pose: the whole of pavllo2019 in one drawing (its figure 1)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from paperlib.models import TemporalModel
from paperlib.plotting.diagrams import layer_taps, needed_frames
from paperlib.plotting.poses import AZIMUTH, VIEW, bones, name_sides, seen_from
from paperlib.plotting.style import IDLE, INK, MUTED, colour_of
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton

SPAN = 27.0  # of the receptive field on the page; all other lengths are in this unit
_BODY, _POSE = 3.7, 7.0  # heights of a keypoint body and of the pose
FIRST, STEP = 5.6, 3.1  # where the row of input dots lies, and each layer above it
_MOST_BODIES = 9


def lifting(
    recording: Recording,
    model: TemporalModel,
    poses: np.ndarray,
    frame: int,
    influence: Sequence[float],
    azimuth: float = AZIMUTH,
) -> Figure:
    """Keypoints below, the convolutions that read them in the middle, the pose on top.

    ``poses`` (T, J, 3) are the model's, root-relative, in camera space; the one of ``frame`` is
    shown, its neighbours faintly. ``influence`` has a number for each frame of the receptive field:
    the dot of an input frame is as large as its share.
    """
    reach = model.receptive_field
    if len(influence) != reach:
        raise ValueError(f"{len(influence)} influences, the model reads {reach} frames")
    levels, taps = needed_frames(model), layer_taps(model)
    first, last = frame + min(levels[0]), frame + max(levels[0])
    if first < 0 or last >= len(recording):
        raise ValueError(
            f"frame {frame} needs frames {first} to {last}, the recording has {len(recording)}: "
            "choose one further inside"
        )
    unit = SPAN / reach
    figure, ax = plt.subplots(figsize=(9, 6.6))
    _keypoints(ax, recording, range(first, last + 1), frame, unit)
    draw_layers(ax, taps, levels, unit)
    draw_influence(ax, sorted(levels[0]), influence, unit)
    top = FIRST + len(taps) * STEP
    for shift in (-reach // 3, 0, reach // 3):
        if 0 <= frame + shift < len(poses):
            _pose(ax, poses[frame + shift], recording.skeleton, shift * unit, top, azimuth, shift)
    middle = (min(levels[0]) + max(levels[0])) * unit / 2
    ax.set(xlim=(middle - 0.73 * SPAN, middle + 0.55 * SPAN), ylim=(-1.6, top + _POSE + 1.4))
    ax.set_aspect("equal")
    ax.set_axis_off()
    name_sides(figure, title=VIEW if azimuth == AZIMUTH else "")
    return figure


def _keypoints(ax: Axes, recording: Recording, frames: range, frame: int, unit: float) -> None:
    """A body below every n-th input frame, all of one scale, and the time axis."""
    keypoints = recording.keypoints.numpy()
    every = -(-len(frames) // _MOST_BODIES)
    chosen = [f for f in frames if (f - frame) % every == 0]
    scale = _BODY / np.ptp(keypoints[chosen], axis=1).max()
    for f in chosen:
        x = (f - frame) * unit
        middle = (keypoints[f].min(axis=0) + keypoints[f].max(axis=0)) / 2
        points = (keypoints[f] - middle) * [scale, -scale] + [x, _BODY / 2]
        ax.add_collection(bones(points, recording.keypoint_skeleton, lw=1.8))
        ax.plot([x, x], [_BODY + 0.35, FIRST - 0.6], color=IDLE, lw=0.8)
        when = f"{1000 * (f - frame) / recording.fps:+.0f}"
        ax.annotate(when, (x, -0.5), ha="center", va="top", color=MUTED)
    side = (frames[0] - frame) * unit - 1.2
    ax.annotate("time, ms", (side, -0.5), ha="right", va="top", color=MUTED)
    ax.annotate("2D keypoints", (side, _BODY / 2), ha="right", va="center", fontweight="bold")


def draw_layers(ax: Axes, taps: list[list[int]], levels: list[set[int]], unit: float) -> None:
    """Every frame of every layer as a dot; those that the one pose needs, and their lines, in
    colour."""
    colour = colour_of("temporal")
    first, last = min(levels[0]), max(levels[0])
    side = first * unit - 1.2
    for level, used in enumerate(levels):
        y = FIRST + level * STEP
        if level:
            offsets = taps[level - 1]
            ways = [((f + o) * unit, y - STEP, f * unit, y) for f in used for o in offsets]
            look = {"colors": colour, "lw": 0.7 + 0.5 * level, "alpha": 0.5}
            ax.add_collection(LineCollection([_curve(*way) for way in ways], **look))
            apart = f", {offsets[1] - offsets[0]} apart" if level > 1 else ""
            words = f"layer {level}\n{len(offsets)} frames{apart}"
            ax.annotate(words, (side, y), ha="right", va="center", color=INK)
            first, last = first - offsets[0], last - offsets[-1]
            idle = np.arange(min(levels[0]), max(levels[0]) + 1)
            ax.scatter(idle * unit, [y] * len(idle), s=9, color=IDLE, zorder=2)
            ax.scatter(np.array(sorted(used)) * unit, [y] * len(used), s=34, color=colour, zorder=3)
    ax.scatter([0], [y], s=110, color=INK, zorder=4)


def _curve(x: float, y: float, to_x: float, to_y: float) -> np.ndarray:
    """A line that leaves and arrives upright."""
    t = np.linspace(0, 1, 24)
    return np.stack([x + (to_x - x) * t * t * (3 - 2 * t), y + (to_y - y) * t], axis=-1)


def draw_influence(ax: Axes, frames: list[int], influence: Sequence[float], unit: float) -> None:
    """The input frames as dots, each as large as its share of the ``influence``."""
    share = np.asarray(influence, dtype=float) / np.max(influence)
    look = {"s": 10 + 190 * share, "color": colour_of("temporal"), "zorder": 3, "lw": 0}
    ax.scatter(np.array(frames) * unit, [FIRST] * len(frames), **look)
    side = min(frames) * unit - 1.2
    words = f"{len(frames)} frames\nlarge: much influence"
    ax.annotate(words, (side, FIRST), ha="right", va="center", color=INK)


def _pose(
    ax: Axes, pose: np.ndarray, skeleton: Skeleton, x: float, y: float, azimuth: float, shift: int
) -> None:
    points = seen_from(pose, azimuth)
    low, high = points.min(axis=0), points.max(axis=0)
    size, look = (0.72, {"lw": 2.2, "alpha": 0.25}) if shift else (1, {"lw": 3.4, "alpha": 1})
    scale = size * _POSE / (high - low).max()
    points = (points - [(low[0] + high[0]) / 2, low[1]]) * scale + [x, y + 0.9]
    ax.add_collection(bones(points, skeleton, **look))
    if shift == 0:
        words, place = "3D pose\nof the middle frame", (-SPAN / 2 - 0.7, y + _POSE / 2)
        ax.annotate(words, place, ha="right", va="center", fontweight="bold")
