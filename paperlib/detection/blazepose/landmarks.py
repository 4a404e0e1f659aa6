"""What BlazePose's landmark network answers, as points in the picture.

Constants are those of MediaPipe's graph ``pose_landmark_by_roi_cpu``.
"""

from typing import NamedTuple

import numpy as np

from paperlib.detection.blazepose.regions import Region, around

SIDE = 256  # pixels of the square picture that the network sees
JOINTS = 33
_ALL = 39  # the joints, middle and rim of the next region, and four that are not used
_KERNEL = 9  # places of the heatmap, of its 64 x 64, that a point is refined by
_SURE = 0.5  # at the highest of these, from which they count


class Landmarks(NamedTuple):
    """One person in one picture: the ``points`` (35, 2) in pixels, the 33 joints of
    :data:`~paperlib.detection.files.joint_sets.MEDIAPIPE_33`, the middle of the hips and the rim of
    the circle around the person; ``visibility`` (33,) of the joints, 0 to 1; and the ``presence``
    of a person in what the network saw, 0 to 1."""

    points: np.ndarray
    visibility: np.ndarray
    presence: float

    def region(self, wider: float = 1.25) -> Region:
        """Where to look for this person in the next picture."""
        return around(self.points[JOINTS], self.points[JOINTS + 1], wider)


def landmarks(raw: np.ndarray, presence: float, heatmaps: np.ndarray, region: Region) -> Landmarks:
    """What the network says of a ``region``: ``raw`` (195,) are x, y, z in its pixels and logits of
    visibility and presence of each of 39 points, ``heatmaps`` (64, 64, 39) logits of where they
    are."""
    values = raw.reshape(_ALL, 5).astype(np.float64)
    points = refined(values[:, :2] / SIDE, heatmaps)[: JOINTS + 2]
    visibility = 1 / (1 + np.exp(-values[:JOINTS, 3]))
    return Landmarks(region.to_picture(points), visibility, presence)


def refined(points: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Points ``(K, 2)``, shares of the picture, each moved to the mean place of its heatmap
    ``(H, W, K)`` of logits in a window around it, weighted by the heatmap. Where that is nowhere
    sure in the window, or the point lies outside, it stays."""
    height, width, _ = heatmaps.shape
    moved, half = points.copy(), (_KERNEL - 1) // 2
    for joint, (x, y) in enumerate(points * (width, height)):
        # cut off towards zero: just outside still counts
        column, row = int(x), int(y)
        if not (0 <= column < width and 0 <= row < height):
            continue
        left, top = max(0, column - half), max(0, row - half)
        window = heatmaps[top : row + half + 1, left : column + half + 1, joint]
        weights = 1 / (1 + np.exp(-window.astype(np.float64)))
        if weights.max() < _SURE:
            continue
        total, rows, columns = weights.sum(), *(np.arange(n) for n in weights.shape)
        moved[joint] = (
            (left + (weights.sum(axis=0) * columns).sum() / total) / width,
            (top + (weights.sum(axis=1) * rows).sum() / total) / height,
        )
    return moved
