"""Hidden joints in pictures: labellings side by side, the boxed man, scores, heatmaps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from scipy.spatial import ConvexHull
from torch import Tensor

from paperlib.cameras import project
from paperlib.cards import SIDES
from paperlib.occlusion import Curve, body_of, boxes, labels
from paperlib.occlusion.boxed_man import WIDTH
from paperlib.plotting.people import PEOPLE
from paperlib.plotting.poses import DASHES, bones, name_sides
from paperlib.plotting.style import GRID, INK, MUTED, bare, colour_of
from paperlib.recordings import Recording
from paperlib.rendering import render, shade

HIDDEN, ALARM, MISSED = "#e12d3c", "#d27800", "#2867b2"
_FLESH = "#dfe4e8"
_PIXELS = 240  # across the picture of a body
# what is said of a joint, and how it is drawn
_MARKS = {
    "seen": {"marker": "o", "ms": 4.5, "mfc": INK, "mec": "white", "mew": 0.7},
    "hidden": {"marker": "o", "ms": 8.5, "mfc": "white", "mec": HIDDEN, "mew": 2.2},
    "false alarm": {"marker": "X", "ms": 9.5, "mfc": ALARM, "mec": "white", "mew": 0.9},
    "missed": {"marker": "s", "ms": 8, "mfc": "white", "mec": MISSED, "mew": 2.2},
}
_WORDS = {
    "false alarm": "false alarm: marked as hidden, but seen",
    "missed": "missed: hidden, but not marked",
}


def verdicts(truth: np.ndarray, said: np.ndarray) -> dict[str, np.ndarray]:
    """Which joints ``(J,)`` are rightly ``"seen"`` or ``"hidden"``, a ``"false alarm"`` or
    ``"missed"``, for what is hidden and what is said to be, both ``(J,)`` bool."""
    return {
        "seen": ~truth & ~said,
        "hidden": truth & said,
        "false alarm": ~truth & said,
        "missed": truth & ~said,
    }


class View(NamedTuple):
    """A body as its camera sees it, cropped."""

    picture: np.ndarray  # (H, W), light grey on white, from 0 to 1
    extent: tuple[float, float, float, float]  # left, right, bottom, top of it in pixels
    points: np.ndarray  # (J, 2) pixels, where the joints are


def body_view(recording: Recording, frame: int, width: int = _PIXELS) -> View:
    """A frame's body of capsules and what is around it; the picture is ``width`` pixels wide."""
    if not 0 <= frame < len(recording):
        raise ValueError(f"frame {frame}: {recording.name} has frames 0 to {len(recording) - 1}")
    camera, positions = recording.camera, recording.positions[frame]
    points = project(positions, camera).cpu().numpy()
    low, high = points.min(axis=0), points.max(axis=0)
    sides = 1.2 * (high - low) + 0.1 * (high - low).max()
    sides = np.ceil(np.maximum(sides, 0.55 * sides[1])).astype(int)
    left, top = (low + high - sides) / 2
    centre = (camera.centre[0] - left, camera.centre[1] - top)
    view = replace(camera, width=int(sides[0]), height=int(sides[1]), centre=centre)
    rendered = render(positions[None, None], recording.skeleton, view, width)
    picture = shade(rendered, [_FLESH])[0, ..., 1].cpu().numpy()
    return View(picture, (left, left + sides[0], top + sides[1], top), points)


def labellings(
    recording: Recording,
    frame: int,
    labels: Mapping[str, np.ndarray | Tensor],
    size: tuple[float, float] = (9.0, 4.0),
) -> Figure:
    """One pose and what several labellings say of it, side by side over the body as it is seen.

    ``labels`` maps names to what is hidden, ``(J,)`` bool of the joints of ``recording.skeleton``.
    The first is taken for the truth; the others' false alarms and misses are marked. ``size`` is
    the figure's, in inches.
    """
    said = {name: np.asarray(label) for name, label in labels.items()}
    joints = (len(recording.skeleton),)
    wrong = [n for n, s in said.items() if s.shape != joints or s.dtype != bool]
    if wrong or not said:
        raise ValueError(
            f"labels of frame {frame}: {', '.join(wrong) or 'none given'}; expected a bool for "
            f"each of the {joints[0]} joints of {recording.skeleton.name}, True where hidden"
        )
    figure, axes = plt.subplots(1, len(said), figsize=size, squeeze=False, layout="constrained")
    truth = next(iter(said.values()))
    points = _draw_body(axes[0], recording, frame)
    used = set()
    for ax, (name, label) in zip(axes[0], said.items(), strict=True):
        ax.add_collection(bones(points, recording.skeleton, colour=INK, lw=1, alpha=0.55))
        used |= _mark(ax, points, verdicts(truth, label))
        ax.set_title(name.replace("_", " "), loc="center", fontsize=10.5)
        look = {"ha": "center", "va": "top", "color": MUTED, "fontsize": 9.5}
        ax.text(0.5, 0.99, f"{label.sum()} hidden", transform=ax.transAxes, **look)
    _legend(figure, [verdict for verdict in _MARKS if verdict in used])
    return figure


def boxed_body(
    recording: Recording, frame: int, width: float = WIDTH, ax: Axes | None = None
) -> Figure:
    """How the boxed man (wang2020, 4.2, figure 5) is built: a box about each limb and the head,
    what shoulders and hips span for the trunk, and the joints that lie in a box not their own.

    ``width`` is half that of a box, in screen coordinates. Drawn on ``ax`` where there is one.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
    skeleton, camera = recording.skeleton, recording.camera
    points = _draw_body([ax], recording, frame)
    body = body_of(skeleton)
    seen = project(recording.positions[frame], camera)
    half = width * camera.width / 2
    corners = boxes(seen, skeleton, half).numpy()
    trunk = points[list(body.corners)]
    # a body seen from the side may have its corners on one line
    trunk = trunk[ConvexHull(trunk, qhull_options="QJ").vertices]
    ax.add_patch(Polygon(trunk, fc=SIDES["centre"], ec="none", alpha=0.22))
    ax.add_patch(Polygon(trunk, fill=False, ec=SIDES["centre"], lw=1.3))
    dashes = {colour: DASHES[side] for side, colour in SIDES.items()}
    colours = [SIDES.get(name.split("_")[0], SIDES["centre"]) for name in body.names]
    ax.add_collection(PolyCollection(corners, facecolors=colours, edgecolors="none", alpha=0.22))
    edges = {"edgecolors": colours, "linestyles": [dashes[c] for c in colours], "lw": 1.3}
    ax.add_collection(PolyCollection(corners, facecolors="none", **edges))
    ax.add_collection(bones(points, skeleton, colour=INK, lw=0.8, alpha=0.5, linestyle=(0, (4, 3))))
    hidden = labels(recording.cut(frame, frame + 1), "boxed_man", width=width)[0].numpy()
    _mark(ax, points, verdicts(hidden, hidden))
    _name(ax, points[hidden], [n for n, h in zip(skeleton.joints, hidden, strict=True) if h])
    ax.set_title(f"boxed man, half width {width:g} ({half:.0f} pixels)", loc="center")
    name_sides(ax.figure)
    return ax.figure


def tolerance_curves(
    curves: Mapping[str, Curve], xlabel: str, chosen: Mapping[str, float] | None = None
) -> Figure:
    """Precision, recall and F1 of labellings against the tolerance that they have, and precision
    against recall, with the average precision in the legend.

    NaN leaves a gap. ``chosen`` has the tolerance in use of some of them, which a dot marks.
    """
    figure = plt.figure(figsize=(9, 4.6), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1, 1.15))
    small = [figure.add_subplot(grid[row, 0]) for row in range(3)]
    large = figure.add_subplot(grid[:, 1])
    for place, (name, curve) in enumerate(curves.items()):
        tolerances, *values = (np.asarray(part, dtype=float) for part in curve)
        precision, recall, _ = values
        look = {"color": PEOPLE[place % len(PEOPLE)], "lw": 1.8}
        for ax, value in zip(small, values, strict=True):
            ax.plot(tolerances, value, **look)
        words = f"{name.replace('_', ' ')}, AP {curve.average_precision:.2f}"
        large.plot(recall, precision, label=words, **look)
        if chosen and name in chosen:
            at = np.abs(tolerances - chosen[name]).argmin()
            dot = {"marker": "o", "ms": 7, "mfc": look["color"], "mec": "white", "mew": 1.2}
            for ax, value in zip(small, values, strict=True):
                ax.plot(tolerances[at], value[at], **dot)
            large.plot(recall[at], precision[at], **dot)
    for ax, name in zip(small, ("precision", "recall", "F1"), strict=True):
        ax.set(ylabel=name, ylim=(0, 1.03))
        ax.label_outer()
    small[-1].set_xlabel(xlabel)
    large.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.03))
    figure.legend(*large.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def joint_scores(table: pd.DataFrame, label: str = "F1") -> Figure:
    """A number from 0 to 1 for each joint, camera or whatever the rows of ``table`` are, and each
    labelling, its columns: the darker the better. NaN, where nothing was to be found, is a dash."""
    values = table.to_numpy(dtype=float)
    rows, columns = values.shape
    figure, ax = plt.subplots(
        figsize=(2.4 + 1.25 * columns, 1.3 + 0.3 * rows), layout="constrained"
    )
    blues = LinearSegmentedColormap.from_list("scores", ["#f4f6f8", "#9dbbdc", colour_of("direct")])
    blues = blues.with_extremes(bad=GRID)
    picture = ax.imshow(np.ma.masked_invalid(values), blues, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(rows, columns):
        value = values[row, column]
        words, colour = "–" if np.isnan(value) else f"{value:.2f}", "white" if value > 0.62 else INK
        ax.text(column, row, words, ha="center", va="center", fontsize=9, color=colour)
    ax.set_xticks(range(columns), [str(n).replace("_", " ").replace(", ", ",\n") for n in table])
    ax.set_yticks(range(rows), [str(name).replace("_", " ") for name in table.index])
    ax.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    ax.grid(which="major", visible=False)
    ax.grid(which="minor", color="white", lw=1.5)
    ax.tick_params(which="both", length=0)
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    figure.colorbar(picture, label=label, shrink=0.6, aspect=25).outline.set_visible(False)
    return figure


def heatmap_strip(maps: Mapping[str, np.ndarray | Tensor], frames: Sequence[int]) -> Figure:
    """Heatmaps of a moving body, as wang2020's figure 2 has them: a row for each of ``maps``
    ``(T, K, H, W)``, a column for each of ``frames``, the brightest of all K keypoints."""
    look = {"figsize": (9, 0.1 + 8.8 * len(maps) / len(frames)), "layout": "constrained"}
    gaps = {"wspace": 0.02, "hspace": 0.02}
    figure, axes = plt.subplots(len(maps), len(frames), squeeze=False, gridspec_kw=gaps, **look)
    for row, (name, own) in zip(axes, maps.items(), strict=True):
        for ax, frame in zip(row, frames, strict=True):
            ax.imshow(np.asarray(own[frame]).max(axis=0), "inferno", vmin=0, vmax=1)
            bare(ax)
        row[0].set_ylabel(name, fontweight="bold")
    return figure


def _draw_body(axes: Sequence[Axes], recording: Recording, frame: int) -> np.ndarray:
    """The body of a frame on all ``axes``; gives its joints ``(J, 2)`` in pixels."""
    picture, extent, points = body_view(recording, frame)
    for ax in axes:
        ax.imshow(picture, "gray", vmin=0, vmax=1, extent=extent, interpolation="bilinear")
        ax.set_axis_off()
    return points


def _mark(ax: Axes, points: np.ndarray, said: Mapping[str, np.ndarray]) -> set[str]:
    """Each joint as its verdict is drawn, seen ones on top; the verdicts that there are."""
    for verdict, joints in said.items():
        if joints.any():
            above = 5 if verdict == "seen" else 4
            ax.plot(*points[joints].T, ls="none", zorder=above, **_MARKS[verdict])
    return {verdict for verdict, joints in said.items() if joints.any()}


def _legend(figure: Figure, shown: Sequence[str]) -> None:
    keys = [Line2D([], [], ls="none", label=_WORDS.get(v, v), **_MARKS[v]) for v in shown]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), handletextpad=0.2)


def _name(ax: Axes, points: np.ndarray, names: Sequence[str]) -> None:
    """Names to the right of the picture, each with a line to its point, and none on another."""
    left, right = sorted(ax.get_xlim())
    bottom, top = ax.get_ylim()
    step = 0.055 * (bottom - top)
    height, line = -np.inf, {"arrowstyle": "-", "color": HIDDEN, "lw": 0.8, "alpha": 0.6}
    for place in np.argsort(points[:, 1]):
        height = max(points[place, 1], height + step)
        words, beside = names[place].replace("_", " "), (right + 0.02 * (right - left), height)
        look = {"va": "center", "color": HIDDEN, "annotation_clip": False, "arrowprops": line}
        ax.annotate(words, points[place], beside, **look)
