"""HumanEva-I's protocol on embedded data: for those who do not have its licence.

Three invented people walk, jog and box before three cameras at 60 Hz, 640 x 480 pixels, with
HumanEva's 15 joints. All three are in both parts of the split, in different takes; stretches in
which the capture is taken to have lost them are left out, and what is between is a sequence of its
own, as in :mod:`paperlib.datasets.humaneva`. The motion is that of
:mod:`paperlib.datasets.synthetic`.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise, product

import numpy as np
import torch

from paperlib.datasets import synthetic
from paperlib.datasets.filming import film, placed_camera
from paperlib.datasets.humaneva import ACTIONS, SUBJECTS
from paperlib.datasets.prepared import chosen
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17, HUMANEVA_15, convert

FPS = 60.0
TAKES = {"Train": 1, "Validate": 2}
_FAMILIES = dict(zip(ACTIONS, ("walking", "jogging", "boxing"), strict=True))
_LOST = (0.02, 0.08)  # shares of a take that a gap lasts


# In front of the stage and on both its sides, as HumanEva's colour cameras; the numbers are ours.
_PLACED = {
    "C1": (8, 5.6, 1.55, 742.0, 741.0, 313.0, 236.0, -0.26, 0.11, 0.0, -0.0011, 0.0009),
    "C2": (-80, 5.3, 1.48, 702.0, 700.5, 325.0, 229.0, -0.24, 0.10, 0.0, 0.0008, -0.0010),
    "C3": (104, 5.4, 1.42, 718.0, 717.0, 318.0, 244.0, -0.25, 0.12, 0.0, 0.0006, 0.0012),
}
CAMERAS = tuple(placed_camera(name, (640, 480), 0.9, row) for name, row in _PLACED.items())


def load(seed: int = 0, seconds: float = 7.5, actions: Iterable[str] | None = None) -> Dataset:
    """A take of ``seconds`` of each of ``actions`` (all of :data:`ACTIONS`) by each subject for
    either part of the split. The same ``seed`` gives the same data. With 7.5 seconds there are
    about as many frames as HumanEva-I has of these actions."""
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}: a take must last longer than 0 seconds")
    wanted = chosen("action", actions, ACTIONS)
    parts = {part: () for part in TAKES}
    for part, subject, action in product(TAKES, SUBJECTS, wanted):
        parts[part] += tuple(_take(part, subject, action, seed, seconds))
    return Dataset(
        name="humaneva_like",
        source=(
            "HumanEva-I's protocol on procedural motion of invented people, made by paperlib (seed "
            f"{seed}): 15 joints at {FPS:g} Hz, cameras {', '.join(c.name for c in CAMERAS)}; "
            f"{', '.join(wanted)} of {', '.join(SUBJECTS)}, all of them in both parts, one take "
            "each to train and another to test."
        ),
        train=parts["Train"],
        test=parts["Validate"],
        excluded="frames in which the capture is taken to have failed",
    )


def _take(part: str, subject: str, action: str, seed: int, seconds: float) -> Iterator[Recording]:
    """The valid chunks of one take, in each camera's view."""
    take = TAKES[part]
    motion = synthetic.world_motion(
        subject, _FAMILIES[action], take, seed=seed, seconds=seconds, fps=FPS
    )
    world = convert(torch.from_numpy(motion), H36M_17, HUMANEVA_15)
    rng = np.random.default_rng([seed, take, *f"{subject} {action}".encode()])
    for number, start, stop in _chunks(len(world), rng):
        about = {"subject": subject, "action": action, "clip": f"{part} {action} 1 chunk{number}"}
        where = {"cameras": CAMERAS, "skeleton": HUMANEVA_15}
        yield from film(world[start:stop], fps=FPS, **about, **where)


def _chunks(frames: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int]]:
    """(number, start, stop) of the stretches between up to two gaps; as in HumanEva's files, the
    numbers count the gaps as well."""
    valid = np.ones(frames, dtype=bool)
    for _ in range(rng.integers(3)):
        start = rng.integers(max(1, frames // 8), max(2, frames - frames // 8))
        valid[start : start + max(1, round(frames * rng.uniform(*_LOST)))] = False
    edges = [0, *(np.flatnonzero(np.diff(valid)) + 1).tolist(), frames]
    for number, (start, stop) in enumerate(pairwise(edges)):
        if valid[start]:
            yield number, start, stop
