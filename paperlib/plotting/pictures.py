"""From pictures to maps and poses: a network that sees, drawn from what it holds of a picture, and
what comes of the pictures of a film."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import ConnectionPatch

from paperlib.plotting.poses import AZIMUTH, VIEW, bones, draw_truth, name_sides, seen_from
from paperlib.plotting.style import INK, MUTED, bare, colour_of
from paperlib.skeletons import Skeleton

_SIDES = (1.0, 0.74, 0.54)  # of the panels of each resolution, shares of the finest one's
_TOP = 0.94  # of the figure; above it are the names of the stages


def high_resolution(
    picture: np.ndarray, stages: Mapping[str, Sequence[np.ndarray]], maps: np.ndarray
) -> Figure:
    """From a ``picture`` ``(S, S, 3)`` on the left to the ``maps`` ``(K, H, W)`` of its joints,
    laid over each other, on the right. Between them stand the ``stages`` by their names, each with
    its branches ``(C, H, W)``, the finest one first: the mean size of their channels. A line leads
    from every branch to every one that it has a part in."""
    panels = [("picture", [picture])]
    panels += [(name, [np.abs(b).mean(axis=0) for b in found]) for name, found in stages.items()]
    panels += [("maps", [np.asarray(maps).max(axis=0)])]
    shapes = [[picture.shape[:2]], *([b.shape for b in found] for found in stages.values())]
    shapes += [[maps.shape]]
    deepest = max(len(found) for _, found in panels)
    if deepest > len(_SIDES):
        raise ValueError(f"{deepest} branches: drawn are {len(_SIDES)} at most")
    fixed = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=False)
    figure = plt.figure(figsize=(1.75 * len(panels), 1.65 * deepest + 0.5), layout=fixed)
    before: list[Axes] = []
    for column, (name, found) in enumerate(panels):
        axes = [_panel(figure, column, row, len(panels), deepest) for row in range(len(found))]
        for ax, values, shape in zip(axes, found, shapes[column], strict=True):
            ax.imshow(values, None if values.ndim == 3 else _colours(name), aspect="auto")
            ax.set_xlabel(" × ".join(map(str, shape)), color=MUTED, fontsize=8.5, labelpad=3)
        axes[0].set_title(name, loc="center", fontsize=10)
        for one in before:
            for ax in axes:
                ends = {"xyA": (1, 0.5), "xyB": (0, 0.5), "axesA": one, "axesB": ax}
                inside = {"coordsA": "axes fraction", "coordsB": "axes fraction"}
                figure.add_artist(ConnectionPatch(**ends, **inside, color=INK, lw=0.8, alpha=0.6))
        before = axes
    return figure


def _panel(figure: Figure, column: int, row: int, columns: int, rows: int) -> Axes:
    """One picture of the row of its resolution, in the middle of its column."""
    wide, high, inches = 1 / columns, _TOP / rows, figure.get_size_inches()
    size = 0.78 * _SIDES[row] * min(wide * inches[0], high * inches[1]) / inches
    middle = ((column + 0.5) * wide, _TOP - (row + 0.5) * high)
    ax = figure.add_axes((middle[0] - size[0] / 2, middle[1] - size[1] / 2, *size))
    bare(ax)
    return ax


def _colours(name: str) -> str:
    return "inferno" if name == "maps" else "cividis"


def pictures_to_poses(
    pictures: np.ndarray,
    maps: Mapping[str, np.ndarray],
    poses: Mapping[str, np.ndarray],
    truth: np.ndarray,
    skeleton: Skeleton,
    azimuth: float = AZIMUTH,
) -> Figure:
    """Moments from left to right. On top their ``pictures`` ``(N, S, S, 3)``, below them ``maps``
    ``(N, K, H, W)`` by their names, all joints together, and below these ``poses`` ``(N, J, 3)`` by
    their systems, relative to the root, over the ``truth``, which is broad and grey. Poses are in
    camera space, and shown from ``azimuth`` degrees, the camera's own by default, from above."""
    count, rows = len(pictures), 1 + len(maps) + len(poses)
    if any(len(found) != count for found in (truth, *maps.values(), *poses.values())):
        raise ValueError(f"{count} pictures: expected maps, poses and the truth of as many moments")
    figure, axes = plt.subplots(rows, count, figsize=(1.5 * count, 1.55 * rows), squeeze=False)
    for ax in axes.flat:
        bare(ax)
    for ax, picture in zip(axes[0], pictures, strict=True):
        ax.imshow(picture)
    for row, found in zip(axes[1:], maps.values(), strict=False):
        for ax, values in zip(row, found, strict=True):
            ax.imshow(values.max(axis=0), "inferno", vmin=0, vmax=1)
    flat = seen_from(truth, azimuth)
    middle = (flat.min(axis=1) + flat.max(axis=1)) / 2
    half = 0.58 * np.ptp(flat, axis=1).max()
    for row, found in zip(axes[1 + len(maps) :], poses.values(), strict=True):
        for ax, own, pose, (x, y) in zip(row, flat, found, middle, strict=True):
            draw_truth(ax, own, skeleton)
            ax.add_collection(bones(seen_from(pose, azimuth), skeleton, lw=1.8))
            ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    names = ["pictures", *maps, *poses]
    for number, (ax, name) in enumerate(zip(axes[:, 0], names, strict=True)):
        colour = colour_of(" ".join(name.split())) if number > len(maps) else INK
        ax.set_ylabel(name, fontweight="bold", color=colour)
    name_sides(figure, truth=True, title=VIEW if azimuth == AZIMUTH else "")
    return figure
