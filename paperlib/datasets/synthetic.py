"""The embedded data set: procedural human motion, filmed by four calibrated cameras.

It needs no download and no licence. Its people and motions are invented: it shows that methods
work and how they compare, and is no measure of accuracy on real people.
"""

from collections.abc import Sequence

import numpy as np
import torch

from paperlib.datasets.filming import film
from paperlib.datasets.motion.bodies import BODIES
from paperlib.datasets.motion.families import MOTIONS
from paperlib.errors import one_of
from paperlib.recordings import Dataset, Recording

TRAIN = ("S1", "S2", "S3", "S4", "S5")
TEST = ("S6", "S7")
REACH = 1.6  # metres that placing a take may bring the pelvis from the middle, along x and y


def load(
    seed: int = 0,
    seconds: float = 6.0,
    takes: int = 1,
    fps: float = 50.0,
    subjects: Sequence[str] | None = None,
    families: Sequence[str] | None = None,
) -> Dataset:
    """Procedural motion of seven people, the last two of whom are for testing.

    ``takes`` takes of ``seconds`` seconds of each of ``families`` (all of ``MOTIONS``) by each of
    ``subjects`` (all of ``BODIES``). The same ``seed`` gives the same data, and a take does not
    depend on which others are made.
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}: a take must last longer than 0 seconds")
    if not fps > 0:
        raise ValueError(f"fps is {fps}: frames per second must be more than 0")
    if takes < 1 or takes != int(takes):
        raise ValueError(f"takes is {takes}: each family needs a whole number of takes, 1 or more")
    subjects = _chosen("subject", subjects, BODIES)
    families = _chosen("family", families, MOTIONS)
    parts: dict[bool, list[Recording]] = {True: [], False: []}
    for subject in subjects:
        for family in families:
            for take in range(1, int(takes) + 1):
                world = world_motion(subject, family, take, seed=seed, seconds=seconds, fps=fps)
                about = {"subject": subject, "action": family, "clip": f"take{take}", "fps": fps}
                parts[subject in TEST] += film(torch.from_numpy(world), **about)
    return Dataset(
        name="synthetic",
        source=(
            "Procedural motion of invented people, made by paperlib and filmed by four virtual "
            f"cameras (seed {seed}): {', '.join(families)}; subjects "
            f"{', '.join(s for s in subjects if s not in TEST) or 'none'} for training, "
            f"{', '.join(s for s in subjects if s in TEST) or 'none'} for testing."
        ),
        train=tuple(parts[False]),
        test=tuple(parts[True]),
    )


def _chosen(what: str, names: Sequence[str] | None, known) -> tuple[str, ...]:
    """The names asked for, each once, in the order asked for; all that are known by default."""
    if names is None:
        return tuple(known)
    names = (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
    if not names:
        raise ValueError(f"no {what} chosen: name at least one of {', '.join(known)}")
    return tuple(one_of(what, name, known) for name in names)


def world_motion(
    subject: str, family: str, take: int = 1, *, seed: int = 0, seconds: float, fps: float
) -> np.ndarray:
    """One take before it is filmed: (T, 17, 3) float32 world metres, z up, floor at 0."""
    # keyed by what the take is, so that adding a family or a take changes no other
    key = (_number(subject), _number(family), take)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    world = MOTIONS[family](BODIES[subject], seconds, fps, rng)
    return _placed(world, rng)


def _number(name: str) -> int:
    """A number that stands for a name, whatever other names there are."""
    return int.from_bytes(name.encode(), "little") % (2**32 - 5)


def _placed(world: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The take turned by any angle about the vertical, and moved to any place on the stage that
    keeps the pelvis (joint 0) on it."""
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(world.astype(np.float64), -1, 0)
    world = np.stack([c * x - s * y, s * x + c * y, z], axis=-1)
    low, high = world[:, 0, :2].min(axis=0), world[:, 0, :2].max(axis=0)
    middle, room = (low + high) / 2, np.maximum(REACH - (high - low) / 2, 0.0)
    world[..., :2] += rng.uniform(-room, room) - middle
    return world.astype(np.float32)
