"""Several people in one view: which joints are seen, and pictures of their bodies."""

import torch

from benchmarks import plain
from benchmarks.common import medians, peak_mb, versus
from paperlib.cameras import Camera
from paperlib.datasets import muco_temp, synthetic
from paperlib.rendering import people_visibility, render
from paperlib.skeletons import H36M_17

FRAMES = {"cuda": 16_384, "cpu": 512}
SIDE = 128  # pixels


def measure(device: torch.device) -> list[dict]:
    people, camera = _four(FRAMES[device.type], device)
    return [_visibility(people, device), _pictures(people[:, : FRAMES["cpu"]], camera, device)]


def _four(frames: int, device: torch.device) -> tuple[torch.Tensor, Camera]:
    """Four people ``(4, T, J, 3)`` of the embedded data, composited into one view."""
    source = synthetic.load(subjects=("S1", "S2"), families=("walking", "boxing", "reaching"))
    made = muco_temp.video(source.train, "train", 0, min(frames, 512), 4)
    positions = torch.stack([r.positions for r in made])
    return positions.repeat(1, -(-frames // 512), 1, 1)[:, :frames].to(device), made[0].camera


def _visibility(people: torch.Tensor, device: torch.device) -> dict:
    def fast() -> torch.Tensor:
        return people_visibility(people, H36M_17).visible

    def reference() -> torch.Tensor:
        return plain.people_visibility(people.cpu(), H36M_17)

    # on the very edge of a body, rounding decides
    assert (fast().cpu() != reference()).float().mean() < 1e-3
    ours, theirs = versus(fast, reference, device)
    count = people.shape[0] * people.shape[1]
    return {
        "what": "visibility, four people",
        "unit": "person-frames/s",
        "rate": count / ours,
        "reference": count / theirs,
        "ratio": theirs / ours,
        "peak_mb": peak_mb(fast, device),
        "note": "who hides whom, trunks included; every joint against every capsule of everybody, "
        "on the processor, in the reference",
    }


def _pictures(people: torch.Tensor, camera: Camera, device: torch.device) -> dict:
    def fast() -> torch.Tensor:
        return render(people, H36M_17, camera, SIDE).depth

    taken = medians([fast], device)[0]
    none = float("nan")
    return {
        "what": "pictures, four people",
        "unit": "frames/s",
        "rate": people.shape[1] / taken,
        "reference": none,
        "ratio": none,
        "peak_mb": peak_mb(fast, device),
        "note": f"depth, person and silhouettes, {SIDE} x {SIDE} pixels; there is no plain version",
    }
