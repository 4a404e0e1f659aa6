"""What is exported: the poses of one person or several, at the frames of one film."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np
import torch

from paperlib.arrays import as_positions, require_metres
from paperlib.errors import one_of
from paperlib.exports.fitting import Fitted, fit
from paperlib.skeletons import Skeleton

_LONGEST = 2**20  # frames from the first to the last; nearly five hours at 60 a second
# rotations to z up, which mirror nobody
_TO_Z_UP = {
    "z": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "-y": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),  # of a level camera: x right, y down, z forward
}
UPS = ("y", "z")  # of files


@dataclass(frozen=True, eq=False)
class Person:
    """One person at the frames in which there is a pose, which may lack joints (NaN)."""

    frames: np.ndarray  # (T,) int64, numbers in the film from 0, which rise
    positions: np.ndarray  # (T, J, 3) float64 metres, z up; all three are NaN where one was
    scores: np.ndarray | None  # (T, J) float64


@dataclass(frozen=True, eq=False)
class Motion:
    """Poses that were checked, in metres with z up. :meth:`of` makes one.

    Time is that of the film: frame f is at f / fps seconds. Formats that have a row for every frame
    go from ``frames[0]`` to ``frames[-1]``, the same for everybody."""

    people: dict[int | str, Person]
    fps: float
    skeleton: Skeleton

    @classmethod
    def of(
        cls, poses, fps: float, skeleton: Skeleton, *, frames=None, scores=None, poses_up: str = "z"
    ) -> "Motion":
        """Check poses that are to be written.

        ``poses`` are ``(T, J, 3)`` metres, NumPy or torch, of the joints of ``skeleton``; NaN is a
        joint that is missing, of which all three numbers are taken to be. Several people are a
        dictionary ``{id: poses}``, each with a number of frames of its own; their ids, numbers or
        words, become part of names. ``frames`` ``(T,)`` are the numbers of these frames in the
        film, whole, from 0, rising, with gaps where nobody was seen; 0 to T - 1 by default. ``fps``
        is the rate to which they count. ``scores`` are ``(T, J)``. Of several people both are
        dictionaries as well. ``poses_up`` is the axis of the poses that points up: ``"z"`` in world
        space, ``"y"``, or ``"-y"`` in camera space (y down, of a level camera).

        ``ValueError`` for what is none of that, for no people, no frames, or poses without a joint.
        """
        if isinstance(fps, bool) or not isinstance(fps, Real) or not 0 < fps < math.inf:
            raise ValueError(f"fps {fps!r}: expected frames a second, more than 0")
        if not isinstance(skeleton, Skeleton):
            raise ValueError(f"skeleton is a {type(skeleton).__name__}, expected a Skeleton")
        turn = np.array(_TO_Z_UP[one_of("up axis of poses", poses_up, _TO_Z_UP)], dtype=np.float64)
        people = dict(poses) if isinstance(poses, Mapping) else {1: poses}
        _check_names(people)
        several = isinstance(poses, Mapping)
        frames, scores = (_each(what, several, people) for what in (frames, scores))
        made = {}
        for name, given in people.items():
            try:
                made[name] = _person(given, frames.get(name), scores.get(name), skeleton, turn)
            except ValueError as problem:
                raise ValueError(f"person {name}: {problem}") from None
        result = cls(made, float(fps), skeleton)
        first = min(person.frames[0] for person in made.values())
        if (span := max(person.frames[-1] for person in made.values()) - first + 1) > _LONGEST:
            raise ValueError(
                f"{span} frames from the first to the last, at most {_LONGEST} are written"
            )
        return result

    @cached_property
    def frames(self) -> np.ndarray:
        """All frames from the first to the last in which there is a pose of anybody."""
        first = min(person.frames[0] for person in self.people.values())
        return np.arange(first, max(person.frames[-1] for person in self.people.values()) + 1)

    def positions(self, name: int | str, up: str) -> np.ndarray:
        """``(T, J, 3)`` float64 metres of one person at all :attr:`frames`, NaN where missing."""
        person = self.people[name]
        rows = np.full((len(self.frames), len(self.skeleton), 3), np.nan)
        rows[person.frames - self.frames[0]] = person.positions @ axes(up).T
        return rows

    def fitted(self, name: int | str) -> Fitted:
        """One person's skeleton of constant bone lengths, found once (:func:`.fitting.fit`)."""
        if name not in self._fits:
            person = self.people[name]
            try:
                found = fit(person.positions, self.skeleton, self.fps, person.frames)
            except ValueError as problem:
                raise ValueError(f"person {name}: {problem}") from None
            self._fits[name] = found
        return self._fits[name]

    @cached_property
    def _fits(self) -> dict[int | str, Fitted]:
        return {}


def axes(up: str) -> np.ndarray:
    """``(3, 3)`` float64, from z up to ``"y"`` or ``"z"`` up: (x, y, z) to (x, z, -y)."""
    return np.array(_TO_Z_UP[one_of("up axis of a file", up, UPS)], dtype=np.float64).T


def _check_names(people: dict) -> None:
    if not people:
        raise ValueError("no people: there is nothing to write")
    for name in people:
        if isinstance(name, bool) or not re.fullmatch(r"[\w-]{1,60}", str(name)):
            raise ValueError(
                f"person {name!r}: an id becomes part of names, expected a number or a word of "
                "letters, digits, _ and -"
            )
    if len({str(name) for name in people}) < len(people):
        raise ValueError(f"people {list(people)} have ids that are written alike")


def _each(given, several: bool, people: dict) -> dict:
    """Frames or scores of each person."""
    if given is None:
        return {}
    if isinstance(given, Mapping) != several or (several and set(given) != set(people)):
        raise ValueError(
            "frames and scores are given as poses are: arrays of one person, or dictionaries that "
            f"have the same ids, {list(people)}"
        )
    return dict(given) if several else {1: given}


def _person(given, frames, scores, skeleton: Skeleton, turn: np.ndarray) -> Person:
    points = as_positions(given)
    if points.ndim != 3 or points.shape[1] != len(skeleton):
        raise ValueError(
            f"poses have shape {tuple(points.shape)}, expected (T, {len(skeleton)}, 3), the joints "
            f"of {skeleton.name}; several people are a dictionary"
        )
    require_metres(points, "poses")
    positions = points.double().cpu().numpy() @ turn.T
    missing = np.isnan(positions).any(axis=-1)
    if missing.all():
        raise ValueError("all poses are missing (NaN)")
    positions[missing] = np.nan
    numbers = _frames(frames, len(positions))
    if scores is not None:
        scores = _numbers(scores).astype(np.float64)
        if scores.shape != missing.shape:
            raise ValueError(f"scores have shape {scores.shape}, expected {missing.shape}")
    return Person(numbers, positions, scores)


def _frames(given, count: int) -> np.ndarray:
    numbers = np.arange(count) if given is None else _numbers(given)
    if numbers.shape != (count,):
        raise ValueError(
            f"frames have shape {numbers.shape}, expected ({count},), one of each pose"
        )
    whole = numbers.astype(np.int64)
    if (whole != numbers).any() or whole[0] < 0 or (np.diff(whole) < 1).any():
        raise ValueError("frames are whole numbers from 0, each larger than the one before")
    return whole


def _numbers(given) -> np.ndarray:
    values = given.detach().cpu() if isinstance(given, torch.Tensor) else given
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"frames and scores are numbers, got an array of {array.dtype}")
    return array
