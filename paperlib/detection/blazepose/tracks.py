"""People followed from picture to picture: where somebody was is where they are looked for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from paperlib.detection.blazepose.detector import overlap
from paperlib.detection.blazepose.landmarks import JOINTS, Landmarks
from paperlib.detection.blazepose.networks import Networks
from paperlib.detection.blazepose.regions import Region
from paperlib.detection.blazepose.smoothing import Smoother, steadier

_PRESENT = 0.5  # presence from which somebody is there
_INSIDE = 0.25  # share of somebody's region in the picture, below which they have left it
_KNOWN = 0.5  # intersection over union from which a region is of somebody who is followed already
_PATIENCE = 60  # frames after which somebody who was lost comes back as somebody else
_REACH, _WIDER, _WIDEST = 0.3, 0.1, 0.8  # body sizes from where they were: at once, a frame, most
_SAME = 0.1  # of the region's side: the mean distance of the joints of one and the same person


class Seen(NamedTuple):
    """Somebody in one picture. ``stretch`` counts from 0: who is followed without a break has one
    number. ``joints`` (33, 2) in pixels and ``visibility`` (33,), 0 to 1, are smoothed where that
    was asked for; ``raw`` (33, 2) are the joints before."""

    stretch: int
    joints: np.ndarray
    visibility: np.ndarray
    raw: np.ndarray


class Tracker:
    """Finds up to ``people`` in the pictures of a film, given in their order.

    The detector is asked where fewer are followed. ``smooth`` smooths joints over time as MediaPipe
    does; the region in which a person is looked for next is smoothed always. Who is hardly in the
    picture any more, or found twice, is not followed further. Stretches count from ``first``.
    """

    def __init__(self, networks: Networks, people: int = 1, smooth: bool = True, first: int = 0):
        self.networks, self.people, self.smooth = networks, people, smooth
        self._followed: list[_Followed] = []
        self._stretches = first

    def step(self, picture: np.ndarray, time: float) -> list[Seen]:
        """Who is in the picture ``(H, W, 3)`` of bytes at ``time`` seconds."""
        height, width = picture.shape[:2]
        if len(self._followed) < self.people:
            self._look_for_more(picture)
        seen, followed = [], []
        for one in self._followed:
            found = self.networks.landmarks(picture, one.region)
            if found.presence < _PRESENT:
                continue
            now = one.step(found, time, self.smooth)
            if one.region.inside(width, height) < _INSIDE:
                continue
            if any(_apart(now, other) < _SAME * one.region.side for other in seen):
                continue
            seen.append(now)
            followed.append(one)
        self._followed = followed
        return seen

    def _look_for_more(self, picture: np.ndarray) -> None:
        for region in self.networks.people(picture):
            known = np.array([one.region.box() for one in self._followed]).reshape(-1, 4)
            if (overlap(region.box(), known) < _KNOWN).all():
                self._followed.append(_Followed(region, self._stretches))
                self._stretches += 1
            if len(self._followed) == self.people:
                break


class _Followed:
    """Somebody who is followed: the region in which they are in the next picture."""

    def __init__(self, region: Region, stretch: int):
        self.region, self.stretch = region, stretch
        self._rim, self._joints = Smoother(cutoff=0.01, beta=10.0), Smoother(cutoff=0.05, beta=80.0)
        self._visibility: np.ndarray | None = None

    def step(self, found: Landmarks, time: float, smooth: bool) -> Seen:
        raw, visibility = found.points[:JOINTS], found.visibility
        size = found.region(wider=1.0).side
        joints, rim = raw, self._rim.points(found.points[JOINTS:], time, size)
        if smooth:
            joints = self._joints.points(raw, time, size)
            visibility = self._visibility = steadier(self._visibility, visibility)
        self.region = found._replace(points=np.concatenate([joints, rim])).region()
        return Seen(self.stretch, joints, visibility, raw)


def _apart(one: Seen, other: Seen) -> float:
    return float(np.linalg.norm(one.joints - other.joints, axis=-1).mean())


def linked(stretches: Iterable[Sequence[tuple[int, Seen]]]) -> list[int]:
    """Who each of the ``stretches`` is, from 0: pairs of a frame's number and who was seen there,
    in the order in which they begin. Somebody who was lost goes on where their joints are near the
    last ones known, by less the sooner it is."""
    numbers: list[int] = []
    last: list[tuple[int, Seen]] = []  # of each person
    for stretch in stretches:
        begin, first = stretch[0]
        size = max(float(np.linalg.norm(np.ptp(first.joints, axis=0))), 1.0)
        near = []
        for number, (end, one) in enumerate(last):
            reach = min(_REACH + _WIDER * (begin - end - 1), _WIDEST)
            if end < begin <= end + _PATIENCE and _apart(first, one) < reach * size:
                near.append((_apart(first, one), number))
        numbers.append(min(near)[1] if near else len(last))
        last[numbers[-1] : numbers[-1] + 1] = [stretch[-1]]
    return numbers
