"""From heat maps over several strides to poses that are judged: the whole of cheng2020 in one
drawing (its figure 2), of numbers that a running network gave."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from paperlib.plotting.poses import AZIMUTH, bones, name_sides, seen_from
from paperlib.plotting.style import IDLE, INK, bare, colour_of
from paperlib.skeletons import Skeleton

_SHOWN = 8  # frames whose maps and poses are drawn
_DIMENSIONS = 48  # of the embedding, of those there are
_TITLES = (
    "heat maps $m_t$,\nall joints together",
    "embedding\n$r_t = f_E(m_t)$",
    "convolutions:\nwhat the\nmiddle frame\nsees",
    "3D poses $X_t$,\nfrom above\nthe camera",
)


def multi_stride_system(
    maps: np.ndarray,
    embedded: np.ndarray,
    reached: Mapping[int, Sequence[float]],
    poses: np.ndarray,
    skeleton: Skeleton,
    judged: Mapping[str, np.ndarray],
    verdict: str,
    azimuth: float = AZIMUTH,
) -> Figure:
    """A window of T frames from top to bottom: its maps ``(T, K, H, W)``, what they are
    ``embedded`` to ``(T, E)``, how much of each frame the branch of each stride sees, ``(T,)``
    numbers of 0 or more, and the poses ``(T, J, 3)``, in camera space; at the bottom the matrices
    that are ``judged``, by their names, and the ``verdict`` on them. Frames stand above each
    other."""
    frames = len(maps)
    if not len(embedded) == len(poses) == frames or any(len(r) != frames for r in reached.values()):
        raise ValueError(
            f"maps of {frames} frames, embedded {len(embedded)}, poses {len(poses)}, reached "
            f"{[len(r) for r in reached.values()]}: expected as many frames of each"
        )
    # after a figure without an engine was saved, it would have that of the defaults
    fixed = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=False)
    figure = plt.figure(figsize=(9, 8.6), layout=fixed)
    heights, edges = (1.0, 1.1, 0.32 * len(reached) + 0.3, 1.3), {"left": 0.24, "right": 0.98}
    above = edges | {"top": 0.97, "bottom": 0.27}
    grid = figure.add_gridspec(4, 1, height_ratios=heights, hspace=0.22, **above)
    axes = [figure.add_subplot(grid[row]) for row in range(4)]
    for ax, title in zip(axes, _TITLES, strict=True):
        bare(ax)
        ax.set(xlim=(-0.5, frames - 0.5))
        look = {"ha": "left", "va": "center", "fontweight": "bold", "annotation_clip": False}
        ax.annotate(title, (-0.31, 0.5), xycoords="axes fraction", **look)
    chosen = np.unique(np.linspace(0, frames - 1, _SHOWN).round().astype(int))
    _maps(axes[0], maps, chosen)
    _embedding(axes[1], embedded)
    _strides(axes[2], reached)
    _poses(axes[3], poses, skeleton, chosen, azimuth)
    below = edges | {"top": 0.215, "bottom": 0.01}
    _judged(figure, figure.add_gridspec(1, len(judged) + 1, wspace=0.3, **below), judged, verdict)
    name_sides(figure, loc="center left", bbox_to_anchor=(0.0, 0.27), ncols=1, frameon=False)
    return figure


def _places(frames: int, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Where the pictures of some frames stand so that none leaves the panel, and half their
    width."""
    half = 0.45 * frames / len(chosen)
    return np.linspace(-0.5 + half, frames - 0.5 - half, len(chosen)), half


def _maps(ax: Axes, maps: np.ndarray, chosen: np.ndarray) -> None:
    middles, half = _places(len(maps), chosen)
    for middle, frame in zip(middles, chosen, strict=True):
        look = {"vmin": 0, "vmax": 1, "aspect": "auto"}
        extent = (middle - half, middle + half, 1, 0)
        ax.imshow(np.asarray(maps[frame]).max(axis=0), "inferno", extent=extent, **look)
        ax.annotate(f"t = {frame}", (middle, -0.02), ha="center", va="bottom", color=INK)
    ax.set(xlim=(-0.5, len(maps) - 0.5), ylim=(1, -0.16))


def _embedding(ax: Axes, embedded: np.ndarray) -> None:
    values = np.asarray(embedded)
    moving = np.sort(values.std(axis=0).argsort()[::-1][:_DIMENSIONS])
    ax.imshow(values[:, moving].T, "cividis", aspect="auto", interpolation="nearest")
    ax.set(xlim=(-0.5, len(values) - 0.5))


def _strides(ax: Axes, reached: Mapping[int, Sequence[float]]) -> None:
    colour = colour_of("whole system")
    for row, (stride, influence) in enumerate(reached.items()):
        share = np.asarray(influence, dtype=float)
        share = share / max(share.max(), 1e-12)
        seen = np.flatnonzero(share > 1e-6)
        ax.plot(range(len(share)), [row] * len(share), ".", ms=3, color=IDLE)
        ax.scatter(seen, [row] * len(seen), s=8 + 60 * share[seen], color=colour, lw=0, zorder=3)
        look = {"ha": "right", "va": "center", "annotation_clip": False}
        ax.annotate(f"stride {stride}", (-1.2, row), **look)
    ax.set(ylim=(len(reached) - 0.4, -0.6))


def _poses(
    ax: Axes, poses: np.ndarray, skeleton: Skeleton, chosen: np.ndarray, azimuth: float
) -> None:
    middles, half = _places(len(poses), chosen)
    flat = seen_from(np.asarray(poses)[chosen], azimuth)
    flat = flat - (flat.min(axis=1, keepdims=True) + flat.max(axis=1, keepdims=True)) / 2
    wide, high = np.maximum(np.ptp(flat, axis=1).max(axis=0), 1e-6) / 2
    box = ax.get_window_extent()
    scale = len(poses) * box.height / box.width / 2  # as wide as it is high, in pixels
    across = 1.04 * max(high, wide * scale / half)  # metres up and down, so that all fits
    scale /= across
    for middle, pose in zip(middles, flat, strict=True):
        points = np.stack([middle + pose[:, 0] * scale, pose[:, 1]], axis=-1)
        ax.add_collection(bones(points, skeleton, lw=2))
    ax.set(xlim=(-0.5, len(poses) - 0.5), ylim=(-across, across))


def _judged(figure: Figure, grid: GridSpec, judged: Mapping[str, np.ndarray], verdict: str) -> None:
    for column, (name, matrix) in enumerate(judged.items()):
        ax = figure.add_subplot(grid[column])
        limit = max(np.abs(matrix).max(), 1e-12)
        ax.imshow(matrix, "RdBu_r", vmin=-limit, vmax=limit)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, loc="center", fontsize=10)
    ax = figure.add_subplot(grid[len(judged)])
    ax.set_axis_off()
    look = {"ha": "center", "va": "center", "fontweight": "bold"}
    ax.annotate(f"discriminator\n\n{verdict}", (0.5, 0.5), xycoords="axes fraction", **look)
