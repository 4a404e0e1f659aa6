"""Small recordings and comparisons that many tests share."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

import paperlib
from paperlib.cameras import Camera, project
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17

CAMERA = Camera("front", 1000, 1000, focal=(1100.0, 1100.0), centre=(500.0, 500.0))
# left and right joints, as the public files of 2D keypoints name them
SIDES = {
    "h36m": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    "coco": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
    "mpii": [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]],
    "humaneva15": [[2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]],
}


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


def metadata(layout: str, named: bool = True) -> dict[str, Any]:
    """What a public file of 2D keypoints says of its joints; some do not name their layout."""
    joints = {"mpii": 16, "humaneva15": 15}.get(layout, 17)
    described = {"num_joints": joints, "keypoints_symmetry": SIDES[layout]}
    return described | ({"layout_name": layout} if named else {})


def calibration(name: str) -> dict[str, Any]:
    """The cameras of a licensed data set, as the package keeps them."""
    folder = Path(paperlib.__file__).with_name("datasets")
    return json.loads((folder / f"{name}_cameras.json").read_text())


def z_up(x, y, z) -> np.ndarray:
    """A place of a motion file, whose y axis points up, in world space."""
    return np.array([x, -z, y])


def joint(positions: torch.Tensor, name: str) -> np.ndarray:
    """``(…, 3)`` float64: a joint of Human3.6M's 17."""
    return positions[..., H36M_17.index(name), :].double().numpy()


def assert_close(actual, expected, atol: float) -> None:
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=0, atol=atol)


def aligned(source: np.ndarray, target: np.ndarray, scale: bool = True) -> np.ndarray:
    """One pose on another: its rotation found by SciPy, its scale by least squares."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    turned = Rotation.align_vectors(b, a)[0].apply(a)
    size = np.vdot(turned, b) / np.vdot(turned, turned) if scale else 1.0
    return size * turned + target.mean(axis=0)


def places_in_h36m(skeleton) -> list[int]:
    """Which of Human3.6M's joints stand for a skeleton's: those of its name, else the pelvis."""
    names = H36M_17.joints
    return [names.index(joint) if joint in names else 0 for joint in skeleton.joints]


def into_camera(world: np.ndarray, place: dict[str, Any]) -> np.ndarray:
    """World positions in the axes of a camera at a calibration file's ``place``: R^T (X - t)."""
    turn = Rotation.from_quat(place["camera_to_world_quaternion_wxyz"], scalar_first=True)
    return (world - np.array(place["camera_centre_world_mm"]) / 1000) @ turn.as_matrix()
