"""Who is who from frame to frame: the people of a film followed by where their joints are.

A person is expected where their last steps lead, and each frame's people are assigned to those
expected at the least total cost (Hungarian algorithm). The cost is the mean distance of the joints
that both have, in body sizes: joint by joint, since two who pass each other have one middle and one
box for a while, yet other poses.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

_PATIENCE = 60  # frames after which somebody who was lost comes back as somebody else
_PACE = 8  # frames over which a person's speed is taken
_REACH, _WIDER, _WIDEST = 0.3, 0.1, 0.8  # body sizes off what is expected: at once, a frame, most
_SHARED = 3  # joints that must be comparable
_AGE = 0.002  # body sizes a frame by which whoever was just seen goes first


def follow(people: Mapping[int, Sequence[np.ndarray]], step: int = 1) -> dict[int, list[int]]:
    """For the people ``(K, 3)`` of each frame, x, y in pixels and a score that is 0 where a joint
    was not found, the number of each, from 0 in the order in which they appear. ``step`` is that of
    the frame numbers. Nobody is twice in a frame."""
    from scipy.optimize import linear_sum_assignment

    tracks: list[_Track] = []
    active: list[int] = []
    numbers: dict[int, list[int]] = {}
    for t in sorted(people):
        time = t / step
        active = [n for n in active if time - tracks[n].time <= _PATIENCE]
        who = [-1] * len(people[t])
        costs = np.array([[tracks[n].cost(one, time) for one in people[t]] for n in active])
        if costs.size:
            for row, column in zip(*linear_sum_assignment(costs.clip(max=2.0)), strict=True):
                if costs[row, column] <= tracks[active[row]].reach(time):
                    who[column] = active[row]
        for column, one in enumerate(people[t]):
            if who[column] < 0:
                who[column] = len(tracks)
                active.append(len(tracks))
                tracks.append(_Track(len(one)))
            tracks[who[column]].add(one, time)
        numbers[t] = who
    return numbers


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
        self.past.append((time, one[:, :2], found, _extent(one[found, :2])))
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

    def cost(self, one: np.ndarray, time: float) -> float:
        both = self.known & (one[:, 2] > 0)
        if both.sum() < max(1, min(_SHARED, self.known.sum())):
            return np.inf
        away = np.linalg.norm(self.expected(time)[both] - one[both, :2], axis=-1)
        size = max(self.size, _extent(one[both, :2]))
        return float((away / size).clip(max=1).mean()) + _AGE * (time - self.time)


def _extent(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.ptp(points, axis=0))) if len(points) else 0.0
