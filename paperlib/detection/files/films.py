"""What a tool has found in a film, before anybody is followed through it."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from paperlib.detection.files.joint_sets import Named, settled
from paperlib.skeletons import Skeleton

T = TypeVar("T")

# a list of pictures that are no frames of one video would otherwise become one, mostly of gaps
_MOST_GAPS = 0.9
_FARTHEST = 1e6  # pixels, beyond which nothing was detected in an image
_NORMALISED = 2.5  # all coordinates below that are no pixels


class Found(NamedTuple):
    """One person in one frame: ``joints`` (K, 3) are x and y in pixels and a score, all 0 where a
    joint was not found; ``track`` is the tool's own number of the person."""

    joints: np.ndarray
    track: int | None = None


class Film(NamedTuple):
    """The people in each frame of a film. ``frames`` are all that it is known to have: numbers from
    0 where the tool counts frames, else those in its names of images. ``size`` is width and height,
    if told."""

    name: str
    skeleton: Skeleton
    people: dict[int, list[Found]]
    frames: range
    size: tuple[int | None, int | None] = (None, None)


class Options(NamedTuple):
    """What who calls knows of a file beyond its content."""

    layout: str | None = None
    size: tuple[int, int] | None = None


def film(
    people: Mapping[int, Sequence[Found]],
    frames: range,
    path: Path,
    options: Options,
    named: Named | None = None,
    size: tuple[int | None, int | None] = (None, None),
    name: str | None = None,
) -> Film:
    """The film of these people, whose points are still those of the file: their joint set is the
    one that the file has ``named``, or the one that fits."""
    points = [one.joints for found in people.values() for one in found]
    if not any((each[:, 2] > 0).any() for each in points):
        raise nobody(path)
    if named is None or options.layout is not None:
        skeleton = settled(points, options.layout, path)
        kept = list(range(len(skeleton)))
    else:
        skeleton, kept, total = named
        if wrong := {len(each) for each in points} - {total}:
            raise ValueError(f"{path}: it names {total} joints, and has people of {min(wrong)}")
    check_pixels(points, path)
    chosen = {
        t: [Found(one.joints[kept], one.track) for one in found if (one.joints[:, 2] > 0).any()]
        for t, found in people.items()
    }
    return Film(name or path.stem, skeleton, chosen, frames, options.size or size)


def check_pixels(points: Sequence[np.ndarray], path: Path | str) -> None:
    """``ValueError`` for points ``(n, 3)`` of people that are shares of a picture, no pixels."""
    if max(float(np.abs(each[:, :2]).max()) for each in points) < _NORMALISED:
        raise ValueError(
            f"{path}: keypoints up to {_NORMALISED:g}: normalised? expected pixels; run the tool "
            "without a scale (of OpenPose, --keypoint_scale 0)"
        )


def triples(numbers: Any, where: str, scores: Any = None) -> np.ndarray:
    """``[x, y, score, x, y, score, ...]``, or x and y beside a list of ``scores``, as (n, 3).

    What was not found is 0: a joint whose score is not above 0, that is NaN, or that lies where
    tools put what they have not found, exactly at (0, 0) or (-1, -1).
    """
    values = _numbers(numbers, where)
    if scores is not None:
        scores = _numbers(scores, where).reshape(-1)
        if values.shape != (len(scores), 2):
            raise ValueError(
                f"{where}: keypoints of shape {values.shape} with {len(scores)} scores; expected "
                "x and y in pixels for each"
            )
        values = np.column_stack([values, scores])
    return missing_as_zero(threes(values, where), where)


def threes(numbers: Any, where: str) -> np.ndarray:
    """``[x, y, score, x, y, score, ...]`` as (n, 3), whatever the third number means."""
    values = _numbers(numbers, where)
    if values.size % 3:
        raise ValueError(f"{where}: {values.size} numbers per person are no x, y, score of joints")
    return values.reshape(-1, 3)


def _numbers(numbers: Any, where: str) -> np.ndarray:
    try:
        return np.asarray(numbers, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"{where}: keypoints are no list of numbers x, y, score, …: {str(numbers)[:80]}"
        ) from None


def frame_number(number: Any, where: Path) -> int:
    """The number that a file gives a frame."""
    try:
        return int(number)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{where}: a frame called {number!r}; expected its number") from None


def missing_as_zero(joints: np.ndarray, where: str) -> np.ndarray:
    """``(n, 3)`` of x, y and score with 0 for what was not found, see :func:`triples`."""
    if (np.abs(joints) > _FARTHEST).any():
        raise ValueError(f"{where}: keypoints hold numbers that no image has")
    x, y, score = joints.T
    nowhere = (x == y) & ((x == 0) | (x == -1))
    found = np.isfinite(joints).all(axis=1) & (score > 0) & ~nowhere
    joints = np.where(found[:, None], joints, 0)
    joints[:, 2] = joints[:, 2].clip(max=1)  # some tools give scores above 1
    return joints


def track_of(number: Any) -> int | None:
    """A tool's number of a person: a whole number, or one in lists as AlphaPose nests them; None
    for what is none, and for OpenPose's -1."""
    while isinstance(number, list) and number:
        number = number[0]
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return int(number) if number >= 0 and number == int(min(number, 2**53)) else None


def numbered(names: Mapping[str, T], path: Path) -> tuple[dict[int, T], range]:
    """What was found by image name, by frame number, and the frames that the film had.

    The number is the last one in a name: ``9.jpg`` comes before ``10.jpg``. Frames that are left
    out of a regular sequence are those in which nobody was found.
    """
    frames: dict[int, T] = {}
    videos = set()
    for name, value in names.items():
        match = re.fullmatch(r"(.*?)(\d{1,18})\D*", name, flags=re.DOTALL)
        if match is None:
            raise ValueError(f"{path}: image {name!r} has no frame number in its name")
        videos.add(match[1])
        frames[int(match[2])] = value
    if not frames:
        raise nobody(path)
    if len(videos) > 1 or len(frames) < len(names):
        some = ", ".join(repr(name) for name in sorted(names)[:4])
        raise ValueError(
            f"{path}: images of several videos, or a frame twice ({some}, ...); give one file or "
            "folder for each video"
        )
    return frames, timeline(frames, path)


def timeline(numbers: Mapping[int, Any], path: Path) -> range:
    """All frames of a film of which these are named: from the first to the last, by their common
    step."""
    if not numbers:
        raise nobody(path)
    ordered = sorted(numbers)
    step = reduce(math.gcd, np.diff(ordered).tolist(), 0) or 1
    frames = range(ordered[0], ordered[-1] + 1, step)
    if len(ordered) < (1 - _MOST_GAPS) * len(frames):
        raise ValueError(
            f"{path}: {len(ordered)} images numbered from {ordered[0]} to {ordered[-1]} are no "
            "frames of one video; name them by frame number"
        )
    return frames


def nobody(path: Path, why: str = "look at the detector's threshold and input") -> ValueError:
    return ValueError(f"{path}: nobody was detected in any frame; {why}")
