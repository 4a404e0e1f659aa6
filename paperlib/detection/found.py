"""One person in one frame of what a tool has written, and a film of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.detection.layouts import settled
from paperlib.detection.sequences import nobody

FARTHEST = 1e6  # pixels, beyond which nothing was detected in an image
_MARKS = (0.0, -1.0)  # both coordinates of what was not found
_ID_KEYS = ("idx", "track_id", "person_id", "instance_id")

Size = tuple[int | None, int | None]


@dataclass(frozen=True, eq=False)
class Found:
    """One person in one frame: ``points`` (K, 2), NaN where not found, ``confidence`` (K,) and the
    tool's own number of the person, if it has one."""

    frame: int
    points: np.ndarray
    confidence: np.ndarray
    track: int | None


@dataclass(frozen=True, eq=False)
class Film:
    """Everybody who was found; ``empty`` are frames that the file has and that may be without."""

    name: str
    joints: tuple[str, ...]
    size: Size
    detections: list[Found]
    empty: Iterable[int] = ()


def found(frame: int, values: np.ndarray, track: Any = None) -> Found:
    """Of (K, 3) x, y, score: what is impossible or without a score was not found."""
    points, score = values[:, :2].copy(), values[:, 2]
    mark = np.logical_or.reduce([(points == at).all(axis=1) for at in _MARKS])
    seen = np.isfinite(values).all(axis=1) & ~mark
    seen &= np.nan_to_num(score) > 0
    points[~seen] = np.nan
    # some tools give scores slightly above 1
    return Found(int(frame), points, np.where(seen, score, 0).clip(0, 1), _track(track))


def _track(number: Any) -> int | None:
    """A tool's number of a person; -1, which some write, is none."""
    while isinstance(number, list) and len(number) == 1:
        number = number[0]
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number:
        return None
    return int(number) if number >= 0 and number == int(number) else None


def own_number(person: dict) -> Any:
    return next((person[key] for key in _ID_KEYS if key in person), None)


def numbers_of(values: Any, width: int, where: object) -> np.ndarray:
    """(K, width) of a list of numbers, nested or not."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{where}: keypoints are no numbers: {str(values)[:80]}") from None
    if array.size == 0 or array.size % width:
        raise ValueError(
            f"{where}: {array.size} numbers per person, expected {width} for each joint"
        )
    if (np.abs(array) > FARTHEST).any():
        raise ValueError(f"{where}: keypoints hold numbers that no image has")
    return array.reshape(-1, width)


class Joints:
    """Settles the layout once and holds all people of the file to it."""

    def __init__(self, among: tuple[str, ...], joints: str | None):
        self.among, self.named, self.layout = among, joints, None

    def body(self, values: np.ndarray, where: object) -> np.ndarray:
        if self.layout is None:
            self.layout = settled(len(values), self.among, self.named, where)
        if len(values) != self.layout.written:
            raise ValueError(f"{where}: {len(values)} joints, others have {self.layout.written}")
        return values[: len(self.layout.joints)]

    def film(self, path: Path, size: Size, people: list[Found], empty: Iterable[int] = ()) -> Film:
        if self.layout is None:
            raise nobody(path)
        return Film(path.stem, self.layout.joints, size, people, empty)
