"""Exact keypoints of embedded motion, as a detector would find them in a film."""

import numpy as np
import torch

from paperlib import datasets
from paperlib.cameras import project
from paperlib.detection.coco import coco_points
from paperlib.detection.resampling import sampled
from paperlib.recordings import Recording

RATE = 50  # Hz of the embedded motion
DOWN = (0.0, 1.0, 0.0)


def walker() -> Recording:
    """Somebody whom the shipped model has not learnt from."""
    return datasets.load("synthetic", small=True).test[0]


def joints_of(positions, camera, score: float = 0.9) -> np.ndarray:
    """``(T, 17, 3)``: COCO's joints of positions ``(T, 17, 3)``."""
    points = project(coco_points(positions), camera).numpy()
    return np.concatenate([points, np.full((*points.shape[:2], 1), score)], axis=-1)


def at_rate(joints: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and joints of the same film at another rate."""
    times = np.arange(0, (len(joints) - 1) / RATE, 1 / fps)
    return times, sampled(joints, np.arange(len(joints)) / RATE, times)


def positions_of(poses) -> torch.Tensor:
    return torch.stack([one.positions for one in poses])
