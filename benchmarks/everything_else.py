"""All that repeats besides the networks: P-MPJPE, forward kinematics, projection, making the
embedded data, detecting, loading."""

import os
import tempfile
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import torch

from benchmarks import plain
from benchmarks.common import peak_mb, seconds_of, versus
from paperlib import datasets
from paperlib.cameras import project, world_to_camera
from paperlib.datasets import synthetic
from paperlib.datasets.filming import STUDIO
from paperlib.detection import PROFILES, simulate
from paperlib.errors import MissingDataError
from paperlib.kinematics import forward_kinematics, rotation_from_vector
from paperlib.metrics import p_mpjpe
from paperlib.occlusion import TOLERANCE, clustered
from paperlib.recordings import count_frames
from paperlib.rendering import joint_visibility
from paperlib.skeletons import CMU_38, H36M_17

POSES = {"cuda": 2**21, "cpu": 2**16}
SEVERAL = {"subjects": ("S1", "S6"), "families": ("walking", "boxing", "reaching")}


def measure(device: torch.device) -> list[dict]:
    torch.manual_seed(0)
    with torch.no_grad():
        rows = [_alignment(device), _kinematics(device), _projection(device), _clustered(device)]
    return [*rows, _visibility(), _generation(), _detection(), *_loading()]


def _row(what: str, unit: str, count: int, times: tuple[float, float], mb: float, note: str):
    ours, theirs = times
    return {
        "what": what,
        "unit": unit,
        "rate": count / ours,
        "reference": count / theirs,
        "ratio": theirs / ours,
        "peak_mb": mb,
        "note": note,
    }


def _compared(
    what: str, unit: str, count: int, fast: Callable, reference: Callable, device, note: str
) -> dict:
    return _row(what, unit, count, versus(fast, reference, device), peak_mb(fast, device), note)


def _alignment(device: torch.device) -> dict:
    count = POSES[device.type]
    target = torch.randn(count, 17, 3, device=device) * 0.4
    predicted = target + 0.05 * torch.randn_like(target)

    def fast() -> float:
        return p_mpjpe(predicted, target).item()

    def reference() -> float:
        return plain.p_mpjpe(predicted.cpu().numpy(), target.cpu().numpy())

    assert abs(fast() - reference()) < 1e-6
    note = f"{count} poses of 17 joints, float32, against batched LAPACK in NumPy"
    return _compared("P-MPJPE", "poses/s", count, fast, reference, device, note)


def _kinematics(device: torch.device) -> dict:
    count = POSES[device.type] // 8
    rotations = rotation_from_vector(torch.randn(count, len(CMU_38), 3, device=device))
    offsets = 0.3 * torch.randn(len(CMU_38), 3, device=device)
    inputs = (rotations, offsets, CMU_38.parents, torch.randn(count, 3, device=device))

    def fast() -> torch.Tensor:
        return forward_kinematics(*inputs)

    def reference() -> torch.Tensor:
        return plain.forward_kinematics(*inputs)

    assert torch.allclose(fast(), reference(), atol=1e-5)
    note = f"{count} poses of the 38 joints of CMU, float32, against a loop over joints"
    return _compared("forward kinematics", "poses/s", count, fast, reference, device, note)


def _projection(device: torch.device) -> dict:
    count = POSES[device.type]
    middle = torch.tensor([0.0, 0.0, 1.0], device=device)
    world = middle + 0.5 * torch.randn(count, 17, 3, device=device)

    def fast() -> list[torch.Tensor]:
        return [project(world_to_camera(world, camera), camera) for camera in STUDIO]

    def reference() -> list:
        return [plain.film(world.cpu().numpy(), camera) for camera in STUDIO]

    for ours, theirs in zip(fast(), reference(), strict=True):
        assert torch.allclose(ours.cpu(), torch.from_numpy(theirs), atol=0.01)
    note = f"{count} poses of 17 joints in four views, lens included, against NumPy"
    poses = count * len(STUDIO)
    return _compared("projection", "poses/s", poses, fast, reference, device, note)


def _clustered(device: torch.device) -> dict:
    poses = 0.25 * torch.randn(POSES[device.type] // 8, 17, 3, device=device)
    few = 500  # of which the reference takes as long as it should

    def fast() -> torch.Tensor:
        return clustered(poses[..., :2], poses[..., 2])

    def reference() -> np.ndarray:
        return plain.clustered(poses[:few].cpu().numpy(), TOLERANCE)

    assert (fast()[:few].cpu().numpy() == reference()).all()
    ours, theirs = versus(fast, reference, device)
    times = ours, theirs * len(poses) / few
    note = f"{len(poses)} poses of 17 joints, float32, against a loop over poses and joints"
    mb = peak_mb(fast, device)
    return _row("occlusion labels, clustered", "poses/s", len(poses), times, mb, note)


def _visibility() -> dict:
    data = synthetic.load(**SEVERAL)
    views = [r.positions for r in data.train + data.test]

    def fast() -> list[torch.Tensor]:
        return [joint_visibility(view, H36M_17) for view in views]

    def reference() -> list[torch.Tensor]:
        return [plain.visibility(view, H36M_17) for view in views]

    assert all(map(torch.equal, fast(), reference()))
    count = sum(map(len, views))
    note = "on the processor; every joint against every bone, in the reference"
    return _compared("visibility", "frames/s", count, fast, reference, torch.device("cpu"), note)


def _generation() -> dict:
    """The reference films with the plain visibility, which is most of the work."""

    def fast() -> synthetic.Dataset:
        return synthetic.load(**SEVERAL)

    def reference() -> synthetic.Dataset:
        with patch("paperlib.datasets.filming.joint_visibility", plain.visibility):
            return synthetic.load(**SEVERAL)

    made = fast()
    assert made.fingerprint == reference().fingerprint
    count = count_frames(made.train + made.test)
    note = "on the processor, four views of each take; the reference with plain visibility"
    return _compared(
        "synthetic data", "frames/s", count, fast, reference, torch.device("cpu"), note
    )


def _detection() -> dict:
    data = synthetic.load(**SEVERAL)
    recordings = data.train + data.test

    def fast() -> None:
        for recording in recordings:
            simulate(recording, PROFILES["simulated"], seed=0)

    cpu = torch.device("cpu")
    taken = min(seconds_of(fast, cpu) for _ in range(7))
    none = float("nan")
    note = "on the processor; there is no plain version"
    row = _row(
        "simulated detection", "frames/s", count_frames(recordings), (taken, none), none, note
    )
    return row | {"peak_mb": peak_mb(fast, cpu)}


def _loading() -> list[dict]:
    """Real motion capture, where present: from the cache against the first time."""
    cpu = torch.device("cpu")
    with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, PAPERLIB_CACHE=empty):
        try:
            first = seconds_of(lambda: datasets.load("cmu"), cpu)
        except MissingDataError:
            return []
        again = min(seconds_of(lambda: datasets.load("cmu"), cpu) for _ in range(3))
        made = datasets.load("cmu")
        count = count_frames(made.train + made.test)
        mb = peak_mb(lambda: datasets.load("cmu"), cpu)
    note = "cached world positions, filmed again; the reference reads and mends the files"
    return [_row("loading CMU", "frames/s", count, (again, first), mb, note)]
