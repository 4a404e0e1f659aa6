"""The turned square around a person that the landmark network sees, and pixels out of it."""

import math
from typing import NamedTuple

import numpy as np

_WIDER = 1.25  # times the circle around the person


class Region(NamedTuple):
    """A square in the picture: its middle ``x``, ``y`` and its ``side`` in pixels, turned by
    ``angle`` radians, clockwise as seen on the screen."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points ``(..., 2)``, shares of the square from its corner, as pixels of the picture."""
        across, down = self._axes()
        shares = points - 0.5
        turned = shares[..., :1] * across + shares[..., 1:] * down
        return turned * self.side + (self.x, self.y)

    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([cos, sin]), np.array([-sin, cos])

    def inside(self, width: int, height: int) -> float:
        """The share of the square that lies in a picture, as far as a grid of points tells."""
        steps = (np.arange(16) + 0.5) / 16
        points = self.to_picture(np.stack(np.meshgrid(steps, steps), axis=-1))
        return float(((points >= 0) & (points < (width, height))).all(axis=-1).mean())


def around(middle: np.ndarray, rim: np.ndarray, wider: float = _WIDER) -> Region:
    """The region of a person by two points in pixels: the ``middle`` of the hips and a point on the
    ``rim`` of the circle around the person, above the middle if they stand upright."""
    x, y = (rim - middle).tolist()
    angle = math.pi / 2 - math.atan2(-y, x)
    angle -= 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))
    return Region(float(middle[0]), float(middle[1]), 2 * math.hypot(x, y) * wider, angle)


def letterbox(width: int, height: int) -> Region:
    """The square that holds a whole picture."""
    return Region(width / 2, height / 2, float(max(width, height)), 0.0)


def cut(picture: np.ndarray, region: Region, side: int, edges: bool) -> np.ndarray:
    """``(side, side, 3)`` float32 from 0 to 255: the pixels of a ``region`` of a picture
    ``(H, W, 3)`` of bytes, interpolated between the four around each place and rounded as bytes are.

    Outside of the picture are the pixels of its ``edges``, or else black.
    """
    height, width = picture.shape[:2]
    # as OpenCV has it: a pixel's place is its corner in the region, its middle in the picture
    steps = np.arange(side) / side - 0.5
    across, down = (axis * region.side for axis in region._axes())
    x = (region.x + steps[None, :] * across[0] + steps[:, None] * down[0]).astype(np.float32)
    y = (region.y + steps[None, :] * across[1] + steps[:, None] * down[1]).astype(np.float32)
    # far away is as good as just outside, and fits an integer
    x, y = x.clip(-2, width + 1), y.clip(-2, height + 1)
    left, top = np.floor(x), np.floor(y)
    right_share, low_share = (x - left)[..., None], (y - top)[..., None]
    left, top = left.astype(np.int32), top.astype(np.int32)

    def pixels(column: np.ndarray, row: np.ndarray) -> np.ndarray:
        place = row.clip(0, height - 1) * width + column.clip(0, width - 1)
        values = picture.reshape(-1, 3)[place].astype(np.float32)
        if not edges:
            values[(column < 0) | (column >= width) | (row < 0) | (row >= height)] = 0
        return values

    above = pixels(left, top) * (1 - right_share) + pixels(left + 1, top) * right_share
    below = pixels(left, top + 1) * (1 - right_share) + pixels(left + 1, top + 1) * right_share
    return np.rint(above * (1 - low_share) + below * low_share)
