"""People followed from picture to picture: where somebody was is where they are looked for."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from paperlib.detection.blazepose.detector import overlap
from paperlib.detection.blazepose.landmarks import JOINTS, Landmarks
from paperlib.detection.blazepose.networks import Networks
from paperlib.detection.blazepose.others import share_on
from paperlib.detection.blazepose.regions import Region
from paperlib.detection.blazepose.smoothing import Smoother, steadier

_PRESENT = 0.5  # presence from which somebody is there
_INSIDE = 0.25  # share of somebody's region in the picture, below which they have left it
_LOOKED_AT = 0.9  # intersection over union from which two regions show the same person
_EVERY = 5  # pictures after which further people are looked for beside those who are followed
_PATIENCE = 60  # frames after which somebody who was lost comes back as somebody else
_REACH, _WIDER, _WIDEST = 0.3, 0.1, 0.8  # body sizes from where they were: at once, a frame, most
_SAME = 0.1  # of the region's side: the mean distance of the joints of one and the same person
_CLEARER = 0.02  # of visibility by which whoever hides somebody is seen better than they are
_MOSTLY = 0.5  # of somebody's limbs on those who were painted out: that is not somebody else
_REMEMBERED = 0.8  # of how far somebody has moved, from picture to picture


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

    The detector is asked where fewer are followed: in each picture while it is nobody, else in
    every fifth. For several it looks at parts of the picture too, as whoever is small or stands
    beside somebody else is not found in the whole. Whoever is seen better is painted out where
    somebody is looked for who is seen worse, and may be behind. ``smooth`` smooths joints over time
    as MediaPipe does; the region in which a person is looked for next is smoothed always. Who is
    hardly in the picture any more, or found twice, is not followed further. Stretches count from
    ``first``.
    """

    def __init__(self, networks: Networks, people: int = 1, smooth: bool = True, first: int = 0):
        self.networks, self.people, self.smooth = networks, people, smooth
        self._followed: list[_Followed] = []
        self._stretches, self._pictures = first, 0

    def step(self, picture: np.ndarray, time: float) -> list[Seen]:
        """Who is in the picture ``(H, W, 3)`` of bytes at ``time`` seconds, clearest first."""
        looks = len(self._followed) < self.people
        looks &= not self._followed or self._pictures % _EVERY == 0
        self._pictures += 1
        here: list[tuple[_Followed, Seen]] = []
        for one in sorted(self._followed, key=lambda each: -each.clear):
            before = [seen.joints for other, seen in here if other.clear > one.clear + _CLEARER]
            if found := self._found(one, picture, time, before):
                here.append(found)
        here = without_doubles(here)
        if looks:
            here = self._with_more(here, picture, time)
        self._followed = [one for one, _ in here]
        return [seen for _, seen in here]

    def _found(
        self, one: "_Followed", picture: np.ndarray, time: float, before: Sequence[np.ndarray]
    ) -> "tuple[_Followed, Seen] | None":
        """Where somebody is now, behind those whose joints are ``before`` them."""
        height, width = picture.shape[:2]
        found = self.networks.landmarks(picture, one.region, before)
        if found.presence < _PRESENT or share_on(before, found.points) > _MOSTLY:
            return None
        now = one.step(found, time, self.smooth)
        return (one, now) if one.region.inside(width, height) >= _INSIDE else None

    def _with_more(
        self, here: "list[tuple[_Followed, Seen]]", picture: np.ndarray, time: float
    ) -> "list[tuple[_Followed, Seen]]":
        looked_at = [one.region.box() for one, _ in here]
        for region in self.networks.people(picture, parts=self.people > 1):
            if len(here) >= self.people:
                break
            if (overlap(region.box(), np.array(looked_at).reshape(-1, 4)) > _LOOKED_AT).any():
                continue
            looked_at.append(region.box())
            # nobody knows whether this is somebody else: so nobody is painted out
            found = self._found(_Followed(region, self._stretches), picture, time, before=())
            more = without_doubles([*here, found]) if found else here
            self._stretches += len(more) - len(here)
            here = more
        return here


class _Followed:
    """Somebody who is followed: the region in which they are in the next picture."""

    def __init__(self, region: Region, stretch: int):
        self.region, self.stretch = region, stretch
        self._rim, self._joints = Smoother(cutoff=0.01, beta=10.0), Smoother(cutoff=0.05, beta=80.0)
        self._visibility: np.ndarray | None = None
        self._last: np.ndarray | None = None
        self.moved = math.inf  # of late, as a share of their size
        self.clear = 0.0  # mean visibility, of late

    def step(self, found: Landmarks, time: float, smooth: bool) -> Seen:
        raw, visibility = found.points[:JOINTS], found.visibility
        size = found.region(wider=1.0).side
        self.moved = self._moved_to(raw, size)
        self.clear = float(steadier(self.clear or None, np.mean(visibility)))
        joints, rim = raw, self._rim.points(found.points[JOINTS:], time, size)
        if smooth:
            joints = self._joints.points(raw, time, size)
            visibility = self._visibility = steadier(self._visibility, visibility)
        self.region = found._replace(points=np.concatenate([joints, rim])).region()
        return Seen(self.stretch, joints, visibility, raw)

    def _moved_to(self, raw: np.ndarray, size: float) -> float:
        last, self._last = self._last, raw
        if last is None:
            return math.inf
        step = float(np.linalg.norm(raw - last, axis=-1).mean()) / size
        return step + (_REMEMBERED * self.moved if math.isfinite(self.moved) else 0.0)


def without_doubles(found: "Sequence[tuple[_Followed, Seen]]") -> "list[tuple[_Followed, Seen]]":
    """Of those who are ``found`` in the same place only one: whose joints moved less of late. A
    region that slips from somebody hidden to the one in front makes them jump; the other's stay."""
    kept: list[tuple[_Followed, Seen]] = []
    for one, now in found:
        same = [_apart(now, seen) < _SAME * one.region.side for _, seen in kept]
        if not any(same):
            kept.append((one, now))
        elif one.moved < kept[same.index(True)][0].moved:
            kept[same.index(True)] = one, now
    return kept


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
