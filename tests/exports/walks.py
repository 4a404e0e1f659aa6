"""Motion of a body whose bones keep their lengths, for what is exported in the tests."""

import numpy as np
import torch

from paperlib.datasets import synthetic
from paperlib.inverse_kinematics import rest_pose
from paperlib.kinematics import rotation_about
from paperlib.skeletons import H36M_17


def walk(frames: int = 60, family: str = "walking") -> np.ndarray:
    """``(T, 17, 3)`` float64 metres, z up, at 50 Hz."""
    seconds = max(frames / 50, 2.0)
    return synthetic.world_motion("S1", family, seconds=seconds, fps=50)[:frames].astype(float)


def standing() -> np.ndarray:
    """``(17, 3)``, in the rest pose, looking along -y, bones 30 cm long."""
    pose = np.zeros((17, 3))
    rest = (rest_pose(H36M_17) @ rotation_about("z", torch.tensor(-np.pi / 2).double()).mT).numpy()
    for joint in H36M_17.order[1:]:
        pose[joint] = pose[H36M_17.parents[joint]] + 0.3 * rest[joint]
    return pose


def y_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def holes(positions: np.ndarray, share: float = 0.2) -> np.ndarray:
    """A share of the joints is missing; each is there in the first frame."""
    missing = np.random.default_rng(3).random(positions.shape[:2]) < share
    missing[0] = False
    return np.where(missing[..., None], np.nan, positions)
