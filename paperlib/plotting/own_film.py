"""A film of one's own in motion: the people that a detector found, and their poses in the room."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from paperlib.detection.sequences import Keypoints2D
from paperlib.lifting import Lifted
from paperlib.plotting.poses import bones, name_sides, seen_from
from paperlib.plotting.style import GRID, INK, MUTED
from paperlib.skeletons import COCO_17, H36M_17

_AZIMUTH, _SWING = -55, 30  # degrees: where poses are seen from, and how far that goes to and fro
_SHORTEST = 40  # milliseconds that a picture is shown at least
_SHARE = 0.99  # of places that a picture must hold: a detector's worst errors may lie outside
# COCO's bones leave the trunk open
_ACROSS = [
    [COCO_17.index(f"{side}_{joint}") for side in ("left", "right")]
    for joint in ("shoulder", "hip")
]


def film_animation(
    people: Sequence[Keypoints2D],
    lifted: Sequence[Lifted],
    fps: float,
    most: int = 250,
    pictures: Mapping[int, np.ndarray] | None = None,
) -> FuncAnimation:
    """The keypoints of ``people`` as the camera sees them, over ``pictures`` ``(H, W, 3)`` by frame
    where there are any, and beside them the same people ``lifted``, on the ground. At the film's
    speed, in at most ``most`` pictures; the viewpoint swings to and fro.
    """
    frames, interval = frames_shown(lifted, fps, most)
    figure = Figure(figsize=(8, 4.5), layout="none")
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.07, top=0.92, wspace=0.02)
    name_sides(figure, loc="lower center", frameon=False)
    for ax, title, middle in ((left, "what the camera sees", 0.25), (right, "in the room", 0.75)):
        figure.text(middle, 0.94, title, ha="center", color=INK, weight="bold")
        ax.set_aspect("equal")
        ax.set_axis_off()

    # NaN where somebody is not there
    seen = [_at(one.frames, one.converted(COCO_17).keypoints, frames) for one in people]
    poses = [_at(one.frames, one.level.numpy(), frames) for one in lifted]
    poses, side, top = _about_the_middle(poses)
    low, half = -0.35 * side, max(1.1 * side, (top + 0.35 * side) / 2)
    right.set(xlim=(-half, half), ylim=(low, low + 2 * half))
    tiles = _tiles(side)
    floor = right.add_collection(LineCollection([], colors=GRID, lw=0.8))
    shown = None
    if pictures:
        size = people[0].width, people[0].height
        shown = left.imshow(pictures[min(pictures)], extent=(0, size[0], size[1], 0))
    else:
        _frame(left, seen)
    flat = [left.add_collection(bones(one[0], COCO_17, lw=2)) for one in seen]
    across = [left.add_collection(LineCollection([], colors=MUTED, lw=2)) for _ in seen]
    deep = [right.add_collection(bones(one[0, :, :2], H36M_17, lw=2.4)) for one in poses]
    clock = left.text(0.03, 0.02, "", transform=left.transAxes, color=MUTED)
    above, below = np.asarray(COCO_17.bones), np.asarray(H36M_17.bones)

    def show(moment: int):
        azimuth = _AZIMUTH + _SWING * np.sin(2 * np.pi * moment / len(frames))
        clock.set_text(f"{frames[moment] / fps:.1f} s")
        floor.set_segments(seen_from(tiles, azimuth))
        if shown is not None and frames[moment] in pictures:
            shown.set_data(pictures[frames[moment]])
        for keypoints, pose, body, trunk, turned in zip(
            seen, poses, flat, across, deep, strict=True
        ):
            body.set_segments(keypoints[moment][above])
            trunk.set_segments(keypoints[moment][_ACROSS])
            turned.set_segments(seen_from(pose[moment], azimuth)[below])

    timing = {"frames": len(frames), "interval": interval}
    return FuncAnimation(figure, show, init_func=lambda: None, **timing)


def frames_shown(lifted: Sequence[Lifted], fps: float, most: int) -> tuple[np.ndarray, int]:
    """Frames of a film of ``fps``, at most so many, from the first to the last in which there is
    anybody, and for how many milliseconds each is shown. These are whole hundredths of a second,
    since a GIF knows no other times, so that frames are as far apart as that asks for."""
    step = frame_step(lifted)
    first = min(int(one.frames[0]) for one in lifted)
    last = max(int(one.frames[-1]) for one in lifted)
    frame, whole = 1000 * step / fps, 1000 * (last - first + step) / fps  # milliseconds
    interval = 10 * int(np.ceil(max(_SHORTEST, frame, whole / most) / 10 - 1e-6))
    count = max(1, int(whole / interval + 1e-6))
    return first + step * np.round(np.arange(count) * interval / frame).astype(int), interval


def frame_step(lifted: Sequence[Lifted]) -> int:
    """How far the numbers of frames are apart: 2 where a detector saw every second one."""
    return int(min((np.diff(one.frames).min() for one in lifted if len(one.frames) > 1), default=1))


def _at(numbers: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values of the frames ``numbers`` at those ``wanted``, NaN where there is none."""
    rows = np.full((len(wanted), *values.shape[1:]), np.nan)
    place = np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)
    known = numbers[place] == wanted
    rows[known] = values[place[known]]
    return rows


def _about_the_middle(poses: Sequence[np.ndarray]) -> tuple[list[np.ndarray], float, float]:
    """Poses about the point of the ground in their middle; how far they go from it to the side, and
    up."""
    every = np.concatenate([pose.reshape(-1, 3) for pose in poses])
    every = every[np.isfinite(every).all(axis=1)]
    middle = np.median(every, axis=0)
    middle[1] = np.quantile(every[:, 1], _SHARE)  # y is down
    away = every - middle
    side = max(1.0, float(np.quantile(np.hypot(away[:, 0], away[:, 2]), _SHARE)))
    return [pose - middle for pose in poses], side, max(1.4, -float(away[:, 1].min())) + 0.2


def _tiles(side: float) -> np.ndarray:
    """Lines ``(N, 2, 3)`` of the ground, half a metre apart."""
    count = int(np.ceil(side / 0.5))
    at = 0.5 * np.arange(-count, count + 1)
    end = 0.5 * count
    along = [((x, 0, -end), (x, 0, end)) for x in at]
    across = [((-end, 0, z), (end, 0, z)) for z in at]
    return np.array([*along, *across])


def _frame(ax, seen: Sequence[np.ndarray]) -> None:
    """Limits of the picture about all keypoints, y down."""
    every = np.concatenate([one.reshape(-1, 2) for one in seen])
    every = every[np.isfinite(every).all(axis=1)]
    low, high = np.quantile(every, 1 - _SHARE, axis=0), np.quantile(every, _SHARE, axis=0)
    middle, half = (low + high) / 2, 0.6 * max(*(high - low), 1.0)
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] + half, middle[1] - half))
