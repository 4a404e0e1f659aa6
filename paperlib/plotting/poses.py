"""Bodies: 2D keypoints in their image, 3D poses, and poses over time."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from paperlib.cards import SIDES
from paperlib.plotting.style import GRID, INK, TRUTH, bare, colour_of
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17, Skeleton

_CIRCLE = {"ms": 9, "mfc": "none", "mec": "#7b2d8b", "mew": 1.3}
#: from where poses are drawn beside their images, in degrees: the camera's side, so that left and
#: right are where the image has them, but from above, so that an error of depth is seen
AZIMUTH, ELEVATION = -90.0, 30.0
VIEW = f"poses: from the camera's side, {ELEVATION:.0f}° from above"
_LIGHT = "#e3e8ec"
DASHES = {"left": "-", "right": (0, (2.6, 0.8)), "centre": "-"}
_WORDS = {"left": "left", "right": "right (dashed)", "centre": "trunk and head"}


def upright(pose: np.ndarray) -> np.ndarray:
    """Camera space (x right, y down, z forward) as a figure shows it: z up, the camera in front."""
    pose = np.asarray(pose)
    return np.stack([pose[..., 0], pose[..., 2], -pose[..., 1]], axis=-1)


def seen_from(
    pose: np.ndarray, azimuth: float = AZIMUTH, elevation: float = ELEVATION
) -> np.ndarray:
    """A pose ``(…, J, 3)`` in camera space as it looks from a side: ``(…, J, 2)``, metres to the
    right and up, without perspective. Angles are degrees; the camera itself stands at azimuth -90,
    elevation 0."""
    a, e = np.radians(azimuth), np.radians(elevation)
    right = [-np.sin(a), np.cos(a), 0]
    up = [-np.cos(a) * np.sin(e), -np.sin(a) * np.sin(e), np.cos(e)]
    return upright(pose) @ np.stack([right, up], axis=-1)


def bones(
    points: np.ndarray, skeleton: Skeleton, colour: str | None = None, **look
) -> LineCollection:
    """A body ``(J, 2)`` as one artist; in the colours of its sides by default, and then with the
    right limbs dashed, for eyes or printers that do not tell the colours apart."""
    ends = np.asarray(points)[np.asarray(skeleton.bones)]
    if colour:
        return LineCollection(ends, colors=colour, capstyle="round", **look)
    sides = [skeleton.side(child) for _, child in skeleton.bones]
    lines = {"colors": [SIDES[s] for s in sides], "linestyles": [DASHES[s] for s in sides]}
    return LineCollection(ends, capstyle="butt", **lines, **look)


def true_bones(points: np.ndarray, skeleton: Skeleton, lw: float = 4.0) -> list[LineCollection]:
    """A true body ``(J, 2)``, to be drawn behind an answer: light, with an edge around it."""
    edge = bones(points, skeleton, colour=TRUTH, lw=lw + 1.6, zorder=1)
    return [edge, bones(points, skeleton, colour=_LIGHT, lw=lw, zorder=1.1)]


def draw_truth(ax: Axes, points: np.ndarray, skeleton: Skeleton, lw: float = 4.0) -> None:
    for artist in true_bones(points, skeleton, lw):
        ax.add_collection(artist)


def name_sides(
    figure: Figure, *more: Line2D, truth: bool = False, title: str = "", **look
) -> Legend:
    """The legend of a figure's bodies, below it: what their colours mean, ``more`` that is drawn,
    and with ``truth`` the grey one behind them. A figure has one, however many bodies it shows."""
    if figure.legends:
        return figure.legends[0]
    keys = [Line2D([], [], color=SIDES[s], ls=DASHES[s], lw=2.2, label=_WORDS[s]) for s in SIDES]
    edge = [withStroke(linewidth=6, foreground=TRUTH)]
    keys += [Line2D([], [], color=_LIGHT, lw=4.4, path_effects=edge, label="truth")] * truth
    below = {"loc": "outside lower center", "fontsize": 9, "handlelength": 2.4} | look
    keys += more
    named = figure.legend(handles=keys, **{"ncols": len(keys), "title": title or None} | below)
    named.get_title().set_fontsize(9)
    return named


def draw_keypoints(ax: Axes, keypoints: np.ndarray, skeleton: Skeleton = H36M_17) -> None:
    """One frame's keypoints ``(K, 2)`` in pixels, left limbs blue and right ones red; the figure
    has a legend of that."""
    ax.add_collection(bones(keypoints, skeleton, lw=2))
    ax.autoscale_view()
    ax.set_aspect("equal")
    ax.set_axis_off()
    name_sides(ax.figure)


def draw_floor(ax: Axes, pose: np.ndarray, azimuth: float, elevation: float) -> None:
    """A square of a metre on the floor under a pose ``(J, 3)``: it shows how one looks on it."""
    low, (x, _, z) = np.max(pose[..., 1]), np.mean(pose, axis=0)
    corners = [[x + a, low, z + b] for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
    flat = seen_from(np.array(corners), azimuth, elevation)
    ax.fill(*flat.T, facecolor=GRID, alpha=0.55, lw=0, zorder=0)


def pose_sequence(
    recording: Recording,
    predictions: Mapping[str, np.ndarray],
    frames: Sequence[int],
    azimuth: float | Mapping[str, float] = AZIMUTH,
    elevation: float = ELEVATION,
    circled: float | None = None,
    pictures: Sequence[tuple[np.ndarray, Sequence[float]]] = (),
) -> Figure:
    """A strip of moments: what the detector saw, and below it each system's pose over the truth.

    ``predictions`` names systems and their poses ``(T, J, 3)``, root-relative, in camera space;
    ``frames`` are the moments, left to right. The truth, where it is known, is drawn broad and grey
    behind. Poses are shown from the camera's side, and from above: left and right are where the
    keypoints have them, and errors of depth, which the camera itself cannot see, go up and down;
    or from another ``azimuth``, or each system from its own. Keypoints whose confidence is 0 are
    left out. About joints that are wrong by more than ``circled`` metres, where that is given,
    stands a circle. ``pictures`` are drawn behind the keypoints: for each moment ``(H, W, 3)``,
    from 0 to 1, and where its edges lie in the film, in pixels: left, right, bottom, top.

    ``ValueError`` for pictures of another number of moments, and for a system without an azimuth.
    """
    frames, rows = list(frames), 1 + len(predictions)
    if pictures and len(pictures) != len(frames):
        raise ValueError(f"{len(pictures)} pictures of {len(frames)} moments: one for each")
    azimuths = azimuth if isinstance(azimuth, Mapping) else dict.fromkeys(predictions, azimuth)
    if missing := [name for name in predictions if name not in azimuths]:
        raise ValueError(f"no azimuth is given for {', '.join(missing)}")
    size = (1.6 * len(frames), 1.75 * rows + 0.5)
    figure, axes = plt.subplots(
        rows, len(frames), figsize=size, squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    for ax in axes.flat:
        bare(ax)
    _keypoints(axes[0], recording, frames, pictures)
    bodies = {name: np.asarray(poses)[frames] for name, poses in predictions.items()}
    known = recording.positions is not None
    truth = recording.pose.numpy()[frames] if known else next(iter(bodies.values()), None)
    for row, (name, pose) in zip(axes[1:], bodies.items(), strict=True):
        view = (azimuths[name], elevation)
        _poses(row, pose, truth, recording.skeleton, view, known, circled)
    names = ["2D keypoints", *predictions]
    for number, (ax, name) in enumerate(zip(axes[:, 0], names, strict=True)):
        colour = colour_of(" ".join(name.split())) if number else INK
        ax.set_ylabel(name, fontweight="bold", color=colour)
    circle = Line2D([], [], marker="o", ls="none", **_CIRCLE)
    circle.set_label(f"wrong by more than {1000 * (circled or 0):.0f} mm")
    words = f"poses: {elevation:.0f}° from above"
    if not isinstance(azimuth, Mapping):  # else the systems' names say it
        default = (azimuth, elevation) == (AZIMUTH, ELEVATION)
        words = VIEW if default else f"poses: azimuth {azimuth:.0f}°, elevation {elevation:.0f}°"
    more = [circle] * (circled is not None)
    columns = 5 if len(frames) > 3 else 2
    name_sides(figure, *more, truth=known, title=words if predictions else "", ncols=columns)
    return figure


def _keypoints(
    row: Sequence[Axes],
    recording: Recording,
    frames: Sequence[int],
    pictures: Sequence[tuple[np.ndarray, Sequence[float]]] = (),
) -> None:
    seen = recording.confidence.numpy() > 0
    keypoints = np.where(seen[..., None], recording.keypoints.numpy(), np.nan)
    digits = 1 if len(frames) < 2 or frames[1] - frames[0] >= recording.fps / 10 else 2
    spans = [np.ptp(keypoints[f][seen[f]], axis=0).max() for f in frames if seen[f].any()]
    half = (0.7 if pictures else 0.55) * max(spans, default=1.0)
    for ax, (picture, edges) in zip(row, pictures, strict=False):
        ax.imshow(picture, extent=edges)
    for ax, frame in zip(row, frames, strict=True):
        skeleton = recording.keypoint_skeleton
        if pictures:  # an edge, to be seen on any of them
            ax.add_collection(bones(keypoints[frame], skeleton, colour="white", lw=4))
        ax.add_collection(bones(keypoints[frame], skeleton, lw=2))
        found = keypoints[frame][seen[frame]]
        if len(found) < len(seen[frame]):  # what is left without its neighbours has no bones
            ax.plot(*found.T, "o", ms=2.5, color=INK)
        u, v = (found.min(axis=0) + found.max(axis=0)) / 2 if len(found) else (0, 0)
        ax.set(xlim=(u - half, u + half), ylim=(v + half, v - half), aspect="equal")
        when = f"{frame / recording.fps:.{digits}f} s"
        ax.set_title(when, loc="center", fontweight="normal", color=INK)


def _poses(
    row: Sequence[Axes],
    poses: np.ndarray,
    truth: np.ndarray,
    skeleton: Skeleton,
    view: tuple[float, float],
    known: bool,
    circled: float | None,
) -> None:
    """A pose in each of the axes, of one scale; the grey truth behind it where it is ``known``."""
    flat = seen_from(truth, *view)
    middle = (np.nanmin(flat, axis=1) + np.nanmax(flat, axis=1)) / 2
    half = 0.62 * max((np.nanmax(flat, axis=1) - np.nanmin(flat, axis=1)).max(), 0.1)
    for ax, own, pose, (x, y) in zip(row, truth, poses, middle, strict=True):
        draw_floor(ax, own, *view)
        if known:
            draw_truth(ax, seen_from(own, *view), skeleton)
        ax.add_collection(bones(seen_from(pose, *view), skeleton, lw=2))
        if circled is not None and known:
            wrong = np.linalg.norm(pose - own, axis=-1) > circled
            ax.plot(*seen_from(pose[wrong], *view).T, "o", **_CIRCLE)
        ax.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
