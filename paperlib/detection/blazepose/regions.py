"""The turned square around a person that the landmark network sees, and pixels out of it."""

import math
from typing import NamedTuple

import numpy as np

_WIDER = 1.25  # times the circle around the person
_PARTS = 32  # of a pixel
_SHARE = 0.6  # of a picture's longer side, at most, that a part of it is wide


class Region(NamedTuple):
    """A square in the picture: its middle ``x``, ``y`` and its ``side`` in pixels, turned by
    ``angle`` radians, clockwise as seen on the screen."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points ``(..., 2)``, shares of the square from its corner, as pixels of the picture."""
        across, down = self.axes()
        shares = points - 0.5
        turned = shares[..., :1] * across + shares[..., 1:] * down
        return turned * self.side + (self.x, self.y)

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The directions of its upper and of its left edge, of length 1."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([cos, sin]), np.array([-sin, cos])

    def box(self) -> np.ndarray:
        """Left, top, right and bottom of an upright square of its size."""
        half = self.side / 2
        return np.array([self.x - half, self.y - half, self.x + half, self.y + half])

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


def parts(width: int, height: int) -> list[Region]:
    """Upright squares that overlap by half or more and together hold a whole picture: of its
    shorter side, where it is long, smaller where it is nearly a square."""
    side = min(width, height, _SHARE * max(width, height))
    middles = [
        np.linspace(side / 2, length - side / 2, 1 + math.ceil((length - side) / (side / 2) - 1e-9))
        for length in (width, height)
    ]
    return [Region(float(x), float(y), float(side), 0.0) for y in middles[1] for x in middles[0]]


def cut(picture: np.ndarray, region: Region, side: int, edges: bool) -> np.ndarray:
    """``(side, side, 3)`` bytes: the pixels of a ``region`` of a picture ``(H, W, 3)`` of bytes,
    interpolated between the four around each place. Outside of the picture are the pixels of its
    ``edges``, or else black.

    Places are rounded to 1/32 pixel, as OpenCV does for MediaPipe: without that the detector's
    answer moves by 0.2 pixels, and the joints by up to 2.
    """
    height, width = picture.shape[:2]
    # a pixel's place is its corner in the region, and its middle in the picture
    steps = np.arange(side) / side - 0.5
    across, down = (axis * region.side for axis in region.axes())
    x = region.x + steps[None, :] * across[0] + steps[:, None] * down[0]
    y = region.y + steps[None, :] * across[1] + steps[:, None] * down[1]
    # far away is as good as just outside, and fits an integer
    x = np.rint(x.clip(-2, width + 1) * _PARTS).astype(np.int32)
    y = np.rint(y.clip(-2, height + 1) * _PARTS).astype(np.int32)
    (left, right_share), (top, low_share) = np.divmod(x, _PARTS), np.divmod(y, _PARTS)
    flat, total = picture.reshape(-1, 3), np.zeros((side, side, 3), np.int32)
    for column, horizontal in ((left, _PARTS - right_share), (left + 1, right_share)):
        for row, vertical in ((top, _PARTS - low_share), (top + 1, low_share)):
            weight = horizontal * vertical
            if not edges:
                weight = weight * (_within(column, width) & _within(row, height))
            place = row.clip(0, height - 1) * width + column.clip(0, width - 1)
            total += flat[place] * weight[..., None]
    return ((total + _PARTS**2 // 2) // _PARTS**2).astype(np.uint8)


def _within(index: np.ndarray, count: int) -> np.ndarray:
    return (index >= 0) & (index < count)
