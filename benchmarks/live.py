"""People lifted while they are filmed, against lifting the last 27 frames anew for each frame, as a
program would that has :func:`~paperlib.lifting.lift_people` alone. Both give the same poses.

What is left of the delay when the frames have come that a pose waits for is the time of one frame.
"""

import statistics

import numpy as np
import torch

from benchmarks.common import peak_mb, seconds_of, versus
from paperlib import datasets
from paperlib.cameras import project
from paperlib.detection.coco import coco_points
from paperlib.detection.sequences import Keypoints2D
from paperlib.lifting import RATE, lift_people
from paperlib.live import LiveLifter
from paperlib.skeletons import COCO_17
from paperlib.training.shipping import shipped

PEOPLE, WINDOW = (1, 4), 27
FRAMES = 100  # for the latency
DOWN = (0.0, 1.0, 0.0)


def measure(_: torch.device) -> list[dict]:
    """Always on the processor: a person and a frame are too little for a GPU."""
    return [_row(people) for people in PEOPLE]


def _row(people: int) -> dict:
    device = torch.device("cpu")
    film = datasets.load("synthetic", small=True).test[0]
    size, model = (film.camera.width, film.camera.height), shipped("any_camera").model
    points = project(coco_points(film.positions[:WINDOW]), film.camera).numpy()
    scores = np.ones((*points.shape[:2], 1))
    shifts = [np.array([200.0 * n, 0.0]) for n in range(people)]
    window = [np.concatenate([points + shift, scores], axis=-1) for shift in shifts]
    seen = [Keypoints2D(one[..., :2], one[..., 2], COCO_17, *size, "film") for one in window]
    lifter, frame = LiveLifter(size, down=DOWN), 0

    def fast() -> list:
        nonlocal frame
        frame += 1
        here = [one[frame % WINDOW] for one in window]
        return lifter.add(frame / RATE, here, range(people))

    def plain() -> list:
        return lift_people(seen, RATE, down=DOWN, smooth=False, model=model)

    memory = peak_mb(fast, device)  # the first frame: all that is kept
    ours, theirs = versus(fast, plain, device)
    latency = [1000 * seconds_of(fast, device) for _ in range(FRAMES)]
    last = statistics.quantiles(latency, n=20)[18]
    return {
        "what": f"live, {people} {'people' if people > 1 else 'person'}, against 27 frames anew",
        "unit": "frames/s",
        "rate": 1 / ours,
        "reference": 1 / theirs,
        "ratio": theirs / ours,
        "peak_mb": memory,
        "note": f"computing {statistics.median(latency):.2f} ms, 95 % below {last:.2f} ms, after "
        f"{1000 * (WINDOW // 2) / RATE:.0f} ms of waiting for later frames",
    }
