"""Pictures to learn from: crops of painted bodies, as training makes them."""

import torch

from benchmarks.common import medians, peak_mb, seconds_of
from paperlib.datasets import synthetic
from paperlib.rendering import TrainingImages, render, shade
from paperlib.skeletons import H36M_17

COUNT = {"cuda": 1024, "cpu": 64}
ONE_BY_ONE = 8  # frames of the reference in a round
TARGETS = {
    ("cpu", 64): 1000,
    ("cpu", 128): 300,
    ("cuda", 128): 2000,
}  # images/s, two cores or a GPU


def measure(device: torch.device) -> list[dict]:
    source = synthetic.load(subjects=("S1", "S2"), families=("walking", "boxing", "reaching"))
    return [_pictures(source.train, size, device) for size in (64, 128)]


def _pictures(recordings, size: int, device: torch.device) -> dict:
    images = TrainingImages(recordings, size, device=device)
    count = COUNT[device.type]
    frames = torch.arange(count, device=device) * (len(images) // count)
    people = [r.positions[:1].to(device) for r in recordings]
    cameras = [r.camera for r in recordings]

    def fast() -> torch.Tensor:
        return images.draw(frames).images

    def one_by_one() -> None:
        for number in range(ONE_BY_ONE):
            shade(render(people[number][None], H36M_17, cameras[number], size))

    ours, theirs = medians([fast, one_by_one], device)
    best = min(seconds_of(fast, device) for _ in range(10))
    return {
        "what": f"training images, {size} x {size} pixels",
        "unit": "images/s",
        "rate": count / ours,
        "best": count / best,
        "target": TARGETS.get((device.type, size), float("nan")),
        "reference": ONE_BY_ONE / theirs,
        "ratio": (theirs / ONE_BY_ONE) / (ours / count),
        "peak_mb": peak_mb(fast, device),
        "note": f"batches of {count}, painted, with joints, depths and visibility; the reference "
        "is render and shade of one person without occluder or background, a call a frame, of the "
        "whole film; best: of ten calls",
    }
