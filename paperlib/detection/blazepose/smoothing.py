"""BlazePose's smoothing over time: the one-euro filter (Casiez et al., CHI 2012), whose cutoff
rises with speed, and a running mean of visibility. Both look back only."""

import math

import numpy as np

_KEPT = 0.9  # of the visibility before
_SLOW = 1.0  # Hz, the cutoff of the speed


class Smoother:
    """Filters points ``(K, 2)`` of one person, frame by frame. ``cutoff`` in Hz is that of points
    at rest; ``beta`` raises it by the speed in sizes of the person a second."""

    def __init__(self, cutoff: float, beta: float):
        self.cutoff, self.beta = cutoff, beta
        self.time: float | None = None

    def points(self, points: np.ndarray, time: float, size: float) -> np.ndarray:
        """The points of the frame at ``time`` seconds, smoothed; ``size`` in pixels."""
        if self.time is None:
            self.speed, self.smooth = np.zeros_like(points), points
        else:
            step = time - self.time
            speed = (points - self.last) / (step * size)
            self.speed = self.speed + _share(_SLOW, step) * (speed - self.speed)
            share = _share(self.cutoff + self.beta * np.abs(self.speed), step)
            self.smooth = self.smooth + share * (points - self.smooth)
        self.last, self.time = points, time
        return self.smooth


def _share(cutoff, step: float):
    """How much of what is new a low-pass of this cutoff in Hz takes after ``step`` seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))


def steadier(before: np.ndarray | None, visibility: np.ndarray) -> np.ndarray:
    """The running mean of ``visibility``."""
    return visibility if before is None else _KEPT * before + (1 - _KEPT) * visibility
