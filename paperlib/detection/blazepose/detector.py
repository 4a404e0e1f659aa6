"""BlazePose's person detector: what its network answers, as boxes and alignment points.

The network is a single-shot detector (Bazarevsky et al., BlazePose, CVPR workshop 2020; Liu et al.,
SSD, ECCV 2016): at each anchor it says whether a person is there, and where, relative to it. The
constants are those of MediaPipe's graph ``pose_detection_cpu``.
"""

from typing import NamedTuple

import numpy as np

SIDE = 224  # pixels of the square picture that the network sees
_STRIDES = ((8, 2), (16, 2), (32, 6))  # pixels between anchors, and how many lie at each place
_POINTS = (
    4  # of a person: middle of the hips, a point on the circle around them, and two of the torso
)
_SURE = 0.5  # score from which an answer is a person
_SAME = 0.3  # intersection over union beyond which two boxes are of one person


class Person(NamedTuple):
    """Somebody that the detector has found. Coordinates are shares of the picture's width and
    height: ``box`` (4,) is left, top, right, bottom; ``points`` (4, 2) begin with the middle of the
    hips and a point on the circle around the whole person; two more are of the torso."""

    score: float
    box: np.ndarray
    points: np.ndarray


def anchors() -> np.ndarray:
    """``(2254, 2)``: the middles of the anchors, x and y as shares of the network's picture, row by
    row, finest grid first. All have the size of the whole picture."""
    grids = []
    for stride, several in _STRIDES:
        middles = (np.arange(SIDE // stride) + 0.5) * stride / SIDE
        y, x = np.meshgrid(middles, middles, indexing="ij")
        grids.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), several, axis=0))
    return np.concatenate(grids)


def people(raw: np.ndarray, scores: np.ndarray, places: np.ndarray) -> list[Person]:
    """The people in the network's answer, surest first: ``raw`` (A, 12) are middle, size and points
    in its pixels about the anchors' ``places`` (A, 2), ``scores`` (A,) logits. Answers of one
    person are averaged, weighted by their scores."""
    sure = 1 / (1 + np.exp(-scores.clip(-100, 100).astype(np.float64)))
    kept = np.flatnonzero(sure >= _SURE)
    kept = kept[np.argsort(-sure[kept], kind="stable")]
    values = raw[kept].reshape(len(kept), 2 + _POINTS, 2).astype(np.float64) / SIDE
    middle, size = values[:, 0] + places[kept], values[:, 1]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    points = values[:, 2:] + places[kept, None]
    possible = (size >= 0).all(axis=1)
    return _averaged(sure[kept][possible], boxes[possible], points[possible])


def _averaged(scores: np.ndarray, boxes: np.ndarray, points: np.ndarray) -> list[Person]:
    """Weighted non-maximum suppression; what comes in is ordered by score."""
    found = []
    while len(scores):
        same = overlap(boxes[0], boxes) > _SAME
        same[0] = True  # even of a box without area
        weights = scores[same] / scores[same].sum()
        box = np.einsum("n,nd->d", weights, boxes[same])
        found.append(Person(float(scores[0]), box, np.einsum("n,nkd->kd", weights, points[same])))
        scores, boxes, points = scores[~same], boxes[~same], points[~same]
    return found


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """``(N,)``: the intersection of a box (4,) with ``boxes`` (N, 4), left, top, right, bottom,
    over their union."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = (high - low).clip(min=0).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)
