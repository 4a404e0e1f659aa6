"""Who is who from frame to frame: the people of a film followed by where their joints are.

A person is expected where their last steps lead, and each frame's people are assigned to those
expected at the least total cost (Hungarian algorithm). The cost is the mean distance of the joints
that both have, in body sizes: joint by joint, since two who pass each other have one middle and one
box for a while, yet other poses.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

_PATIENCE = 60  # frames after which somebody who was lost comes back as somebody else
_PACE = 8  # frames over which a person's speed is taken
_REACH, _WIDER, _WIDEST = 0.3, 0.1, 0.8  # body sizes off what is expected: at once, a frame, most
_SHARED = 3  # joints that must be comparable
_NEVER = 2.0  # body sizes: the cost of what cannot be
_AGE = 0.002  # body sizes a frame by which whoever was just seen goes first


def follow(people: Mapping[int, Sequence[np.ndarray]], step: int = 1) -> dict[int, list[int]]:
    """For the people ``(K, 3)`` of each frame, x, y in pixels and a score that is 0 where a joint
    was not found, the number of each, from 0 in the order in which they appear. ``step`` is that of
    the frame numbers. Nobody is twice in a frame."""
    follower = Follower()
    return {t: follower.step(people[t], t / step) for t in sorted(people)}


class Follower:
    """:func:`follow` while the film is being filmed: frame by frame, looking back only."""

    def __init__(self):
        self._active: dict[int, _Track] = {}
        self._total = 0

    def step(self, people: Sequence[np.ndarray], time: float) -> list[int]:
        """The numbers of the ``people`` ``(K, 3)`` of the next frame; its ``time`` counts frames,
        and need not be a whole number."""
        from scipy.optimize import linear_sum_assignment

        active = {n: one for n, one in self._active.items() if time - one.time <= _PATIENCE}
        who = [-1] * len(people)
        if active and who:
            costs = _costs([*active.values()], np.stack(people), time)
            reach = np.array([[one.reach(time)] for one in active.values()])
            # out of reach is all alike: nobody is to give up a near one so that another gets a far
            pairs = linear_sum_assignment(costs.clip(max=reach))
            for row, column in zip(*pairs, strict=True):
                if costs[row, column] < reach[row]:
                    who[column] = [*active][row]
        for column, one in enumerate(people):
            if who[column] < 0:
                who[column] = self._total
                active[self._total] = _Track(len(one))
                self._total += 1
            active[who[column]].add(one, time)
        self._active = active
        return who


class _Track:
    """Somebody who is followed."""

    def __init__(self, joints: int):
        self.place, self.known = np.zeros((joints, 2)), np.zeros(joints, dtype=bool)
        self.past: deque = deque(maxlen=_PACE + 1)
        self.time, self.size, self.speed = 0.0, 1.0, np.zeros(2)

    def add(self, one: np.ndarray, time: float) -> None:
        found = one[:, 2] > 0
        # joints not found now are where they would be
        self.place = self.expected(time)
        self.place[found], self.known = one[found, :2], self.known | found
        self.past.append((time, one[:, :2], found, _extent(one)))
        self.time = time
        self.size = max(max(extent for *_, extent in self.past), 1.0)
        then, before, seen, _ = self.past[0]
        both = seen & found
        if time > then and both.sum() >= _SHARED:
            self.speed = np.median(one[both, :2] - before[both], axis=0) / (time - then)

    def expected(self, time: float) -> np.ndarray:
        return self.place + self.speed * (time - self.time)

    def reach(self, time: float) -> float:
        return min(_REACH + _WIDER * (time - self.time - 1), _WIDEST)


def _costs(tracks: list[_Track], people: np.ndarray, time: float) -> np.ndarray:
    """``(tracks, people)``: how far ``people`` (P, K, 3) are from where each track is expected."""
    places = np.stack([one.expected(time) for one in tracks])
    known = np.stack([one.known for one in tracks])
    both = known[:, None] & (people[..., 2] > 0)
    sizes = np.maximum.outer([one.size for one in tracks], [_extent(one) for one in people])
    away = np.linalg.norm(places[:, None] - people[..., :2], axis=-1) / sizes[..., None]
    shared = both.sum(axis=-1)
    costs = (away.clip(max=1) * both).sum(axis=-1) / shared.clip(min=1)
    costs += [[_AGE * (time - one.time)] for one in tracks]
    enough = np.minimum(known.sum(axis=-1), _SHARED).clip(min=1)
    return np.where(shared >= enough[:, None], costs, _NEVER)


def _extent(one: np.ndarray) -> float:
    """The diagonal of the box around what was found of somebody, ``(K, 3)``."""
    found = one[one[:, 2] > 0, :2]
    return math.dist(found.max(axis=0), found.min(axis=0)) if len(found) else 0.0
