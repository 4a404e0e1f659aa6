"""Bodies: 2D keypoints in their image, 3D poses, and poses over time."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import INK, SIDES, colour_of
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17, Skeleton

_CIRCLE = {"ms": 9, "mfc": "none", "mec": "#e3000f", "mew": 1.3}


def upright(pose: np.ndarray) -> np.ndarray:
    """Camera space (x right, y down, z forward) as a figure shows it: z up, the camera in front."""
    pose = np.asarray(pose)
    return np.stack([pose[..., 0], pose[..., 2], -pose[..., 1]], axis=-1)


def seen_from(pose: np.ndarray, azimuth: float, elevation: float = 12) -> np.ndarray:
    """A pose ``(…, J, 3)`` in camera space as it looks from a side: ``(…, J, 2)``, metres to the
    right and up, without perspective. Angles are degrees; the camera itself stands at azimuth -90,
    elevation 0."""
    a, e = np.radians(azimuth), np.radians(elevation)
    right = [-np.sin(a), np.cos(a), 0]
    up = [-np.cos(a) * np.sin(e), -np.sin(a) * np.sin(e), np.cos(e)]
    return upright(pose) @ np.stack([right, up], axis=-1)


def draw_limbs(
    ax: Axes, points: np.ndarray, skeleton: Skeleton, colour: str | None = None, **look
) -> None:
    """Bones between ``(J, D)`` points on an axis of D dimensions; in the colours of their sides by
    default."""
    for parent, child in skeleton.bones:
        colours = {"color": colour or SIDES[skeleton.side(child)]}
        ax.plot(*points[[parent, child]].T, solid_capstyle="round", **colours, **look)


def draw_keypoints(ax: Axes, keypoints: np.ndarray, skeleton: Skeleton = H36M_17) -> None:
    """One frame's keypoints ``(K, 2)`` in pixels, left limbs blue and right ones red."""
    draw_limbs(ax, np.asarray(keypoints), skeleton, lw=2)
    ax.set_aspect("equal")
    ax.set_axis_off()


def draw_pose(
    ax: Axes,
    pose: np.ndarray,
    skeleton: Skeleton = H36M_17,
    colour: str | None = None,
    alpha: float = 1.0,
    lw: float = 2.0,
) -> None:
    """One pose ``(J, 3)`` in camera space on a 3D axis; in the colours of its sides by default."""
    draw_limbs(ax, upright(pose), skeleton, colour, alpha=alpha, lw=lw)


def _frame(ax: Axes, centre: np.ndarray, size: float, azimuth: float) -> None:
    """The same cube for every pose, without the clutter of a 3D plot."""
    for limits, middle in zip((ax.set_xlim, ax.set_ylim, ax.set_zlim), centre, strict=True):
        limits(middle - size, middle + size)
    ax.set_box_aspect((1, 1, 1), zoom=1.6)
    ax.view_init(elev=12, azim=azimuth)
    ax.set_axis_off()


def pose_sequence(
    recording: Recording,
    predictions: Mapping[str, np.ndarray],
    frames: Sequence[int],
    azimuth: float | Mapping[str, float] = -40,
    circled: float | None = None,
    pictures: Sequence[tuple[np.ndarray, Sequence[float]]] = (),
) -> Figure:
    """A strip of moments: what the detector saw, and below it each system's pose over the truth.

    ``predictions`` names systems and their poses ``(T, J, 3)``, root-relative, in camera space;
    ``frames`` are the moments, left to right. The truth is drawn broad and grey behind. Poses are
    shown from ``azimuth`` degrees, or each system from its own; the camera itself stands at -90,
    and from there every error of depth would be hidden. Keypoints whose confidence is 0 are left
    out. About joints that are wrong by more than ``circled`` metres, where that is given, stands a
    red circle. ``pictures`` are drawn behind the keypoints: for each moment ``(H, W, 3)``, from 0
    to 1, and where its edges lie in the film, in pixels: left, right, bottom, top. ``ValueError``
    for pictures of another number of moments, and for systems without an azimuth.
    """
    if pictures and len(pictures) != len(frames):
        raise ValueError(f"{len(pictures)} pictures of {len(frames)} moments: one for each")
    azimuths = azimuth if isinstance(azimuth, Mapping) else dict.fromkeys(predictions, azimuth)
    if missing := [name for name in predictions if name not in azimuths]:
        raise ValueError(f"no azimuth is given for {', '.join(missing)}")
    rows, columns = 1 + len(predictions), len(frames)
    figure = plt.figure(figsize=(1.6 * columns, 2.0 * rows), layout="none")
    apart = 0.05 if pictures else 0
    figure.subplots_adjust(left=0.05, right=1, top=0.95, bottom=0.0, wspace=apart, hspace=0)
    truth = recording.pose.numpy()
    size = 0.55 * np.ptp(truth[list(frames)], axis=1).max()
    seen = recording.confidence.numpy() > 0
    keypoints = np.where(seen[..., None], recording.keypoints.numpy(), np.nan)
    digits = 1 if columns < 2 or frames[1] - frames[0] >= recording.fps / 10 else 2
    spans = [np.ptp(keypoints[f][seen[f]], axis=0).max() for f in frames if seen[f].any()]
    half = (0.7 if pictures else 0.55) * max(spans, default=1.0)
    for column, frame in enumerate(frames):
        ax = figure.add_subplot(rows, columns, column + 1)
        if pictures:
            picture, extent = pictures[column]
            ax.imshow(picture, extent=extent)
            draw_limbs(ax, keypoints[frame], recording.keypoint_skeleton, "white", lw=4)
        draw_keypoints(ax, keypoints[frame], recording.keypoint_skeleton)
        found = keypoints[frame][seen[frame]]
        if len(found) < len(seen[frame]):  # what is left without its neighbours has no bones
            ax.plot(*found.T, "o", ms=2.5, color=INK)
        u, v = (found.min(axis=0) + found.max(axis=0)) / 2 if len(found) else (0, 0)
        ax.set(xlim=(u - half, u + half), ylim=(v + half, v - half))
        when = f"{frame / recording.fps:.{digits}f} s"
        ax.set_title(when, loc="center", fontweight="normal", color=INK)
        for row, (name, poses) in enumerate(predictions.items(), start=1):
            ax = figure.add_subplot(rows, columns, row * columns + column + 1, projection="3d")
            draw_pose(ax, truth[frame], recording.skeleton, colour=INK, alpha=0.35, lw=4)
            pose = np.asarray(poses)[frame]
            draw_pose(ax, pose, recording.skeleton)
            if circled is not None:
                wrong = np.linalg.norm(pose - truth[frame], axis=-1) > circled
                ax.plot(*upright(pose[wrong]).T, "o", **_CIRCLE)
            middle = (truth[frame].min(axis=0) + truth[frame].max(axis=0)) / 2
            _frame(ax, upright(middle), size, azimuths[name])
    names = ["2D keypoints", *predictions]
    for row, name in enumerate(names):
        height = 0.94 * (1 - (row + 0.5) / rows)
        look = {"fontweight": "bold", "color": colour_of(" ".join(name.split())) if row else INK}
        figure.text(0.025, height, name, rotation=90, ha="center", va="center", **look)
    return figure
