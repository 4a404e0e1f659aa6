"""Small recordings and comparisons that many tests share."""

from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from paperlib.cameras import Camera, project
from paperlib.recordings import Recording

CAMERA = Camera("front", 1000, 1000, focal=(1100.0, 1100.0), centre=(500.0, 500.0))


def recording(length: int = 6, clip: str = "take1", **changes) -> Recording:
    """Random places and keypoints of somebody five metres away."""
    fields = {
        "subject": "S1",
        "action": "walking",
        "clip": clip,
        "fps": 50.0,
        "camera": CAMERA,
        "positions": torch.randn(length, 17, 3) * 0.3 + torch.tensor([0.0, 0.0, 5.0]),
        "keypoints": torch.rand(length, 17, 2) * 1000,
        "confidence": torch.rand(length, 17),
    }
    return Recording(**(fields | changes))


def swinging(clip: str, length: int, speed: float, **changes) -> Recording:
    """A fixed pose whose joints swing to and fro, each in its own way; exact keypoints."""
    generator = torch.Generator().manual_seed(5)
    rest = torch.randn(17, 3, generator=generator) * 0.3
    swing = torch.randn(17, 3, generator=generator) * 0.3
    phase = torch.sin(speed * torch.arange(length))[:, None, None]
    positions = rest + swing * phase + torch.tensor([0.0, 0.0, 5.0])
    exact = {"keypoints": project(positions, CAMERA), "confidence": torch.ones(length, 17)}
    fields = {"action": "swinging", "positions": positions, **exact}
    return recording(length, clip, **(fields | changes))


def weights(run) -> dict[str, torch.Tensor]:
    """A copy of all that a trained model holds."""
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def into_camera(world: np.ndarray, place: dict[str, Any]) -> np.ndarray:
    """World positions in the axes of a camera at a calibration file's ``place``: R^T (X - t)."""
    turn = Rotation.from_quat(place["camera_to_world_quaternion_wxyz"], scalar_first=True)
    return (world - np.array(place["camera_centre_world_mm"]) / 1000) @ turn.as_matrix()
