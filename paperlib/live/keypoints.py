"""Keypoints as they come, made ready for a network of one rate: looking back only."""

from collections.abc import Iterator

import numpy as np

from paperlib.lifting import completed
from paperlib.skeletons import COCO_17

_FORGOTTEN = 1.0  # seconds after which a joint that is not seen is as one that never was
_ROUNDING = 1e-3  # of the time between two frames: so near is at the frame itself


class Filled:
    """One person's keypoints with a place for what a detector did not find.

    A film that is over tells where a joint was before and after; here it moves on with the others
    from where it was last. What was not found for a second, or never yet, is put by the body's
    proportions (:func:`paperlib.lifting.completed`)."""

    def __init__(self):
        self._places = np.zeros((len(COCO_17), 2))
        self._seen = np.full(len(COCO_17), -np.inf)  # seconds

    def add(self, time: float, joints: np.ndarray) -> np.ndarray:
        """``joints`` ``(17, 3)`` of COCO, x and y in pixels and a score that is 0 where a joint was
        not found, of which at least one was: the same with all places."""
        found, recent = joints[:, 2] > 0, self._seen > time - _FORGOTTEN
        if (both := found & recent).any():
            self._places += np.median(joints[both, :2] - self._places[both], axis=0)
        self._places[found], self._seen[found] = joints[found, :2], time
        missing = ~(found | recent)
        self._places[missing] = self._places[~missing].mean(axis=0)
        self._places = completed(self._places[None], missing)[0]
        return np.column_stack([self._places, joints[:, 2]])


class Even:
    """Values at whatever times to values ``1 / fps`` apart, from the first time on, each as soon as
    its time has come: on straight lines between neighbours, as
    :func:`paperlib.detection.resampling.resampled` has it of a whole film."""

    def __init__(self, fps: float):
        self.fps = fps
        self._count = 0
        self._first: float | None = None

    def add(self, time: float, values: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
        """The moments up to ``time``, seconds, that were not there before, and the values
        ``(K, 3)`` then: x, y, and the score of the less sure frame beside."""
        if self._first is None:
            self._first, self._time, self._values = time, time, values
            self._count = 1
            yield time, values
            return
        step = time - self._time
        while (share := (self._next() - self._time) / step) <= 1 + _ROUNDING:
            yield self._next(), _between(self._values, values, share)
            self._count += 1
        self._time, self._values = time, values

    def finish(self) -> Iterator[tuple[float, np.ndarray]]:
        """The moment after the last frame, where no moment was at it, as that frame was."""
        if self._first is not None and self._next() < self._time + (1 - _ROUNDING) / self.fps:
            yield self._next(), self._values

    def _next(self) -> float:
        return self._first + self._count / self.fps


def _between(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    if share > 1 - _ROUNDING:
        return after
    if share < _ROUNDING:
        return before
    mixed = before * (1 - share) + after * share
    mixed[:, 2] = np.minimum(before[:, 2], after[:, 2])
    return mixed
