"""The motion of a data set, done by people who are in neither of its parts, elsewhere.

For kato2020, whose first stage learns from photographs of other people too, of which only the 2D
joints are known (section III). Where there are none, these stand in their place.
"""

from dataclasses import replace

import torch

from paperlib.cameras import camera_to_world, world_to_camera
from paperlib.datasets.filming import exact_recording
from paperlib.datasets.motion.bodies import Body
from paperlib.datasets.motion.replaying import replay
from paperlib.datasets.random_cameras import random_cameras
from paperlib.randomness import generator_of
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17

_STATURE = (1.50, 1.98)  # metres
# how far the other numbers of a body go from 1, either way
_SPREAD = {"legs": 0.06, "arms": 0.07, "shoulders": 0.12, "hips": 0.12, "head": 0.06, "thigh": 0.03}
_ANKLES = (H36M_17.index("left_ankle"), H36M_17.index("right_ankle"))


def other_bodies(dataset: Dataset, count: int = 24, seed: int = 0) -> Dataset:
    """The training clips of ``dataset``, replayed by ``count`` bodies drawn at random and filmed by
    one random camera each (:func:`.random_cameras.random_cameras`); nobody to test on.

    Nobody of ``dataset`` is among them. ``ValueError`` for other joints than Human3.6M's 17, and
    where there is nothing to learn from.
    """
    if not dataset.train or dataset.skeleton != H36M_17:
        raise ValueError(
            f"{dataset.name}: other bodies replay training clips with the joints of "
            f"{H36M_17.name}, got {len(dataset.train)} recordings"
        )
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    bodies = [random_body(number, seed) for number in range(count)]
    clips = {(r.subject, r.action, r.clip): r for r in dataset.train}
    train = tuple(_replayed(first, bodies[n % count]) for n, first in enumerate(clips.values()))
    return replace(
        dataset,
        name=f"{dataset.name}-other-bodies{count}-seed{seed}",
        source=f"{dataset.source} Its training clips, replayed by {count} other bodies before "
        "random cameras.",
        train=train,
        test=(),
        unseen=(),
    )


def random_body(number: int, seed: int = 0) -> Body:
    """A body that follows from its number and the seed."""
    chance = generator_of(f"other body {number} of {seed}")
    factors = {name: 1 + by * chance.uniform(-1, 1) for name, by in _SPREAD.items()}
    return Body(f"other{number}", chance.uniform(*_STATURE), **factors)


def _replayed(first: Recording, body: Body) -> Recording:
    world = camera_to_world(first.truth, first.camera)
    # whoever moved stood on flat feet at some time, but not when a marker slipped
    ankle_height = torch.quantile(world[:, _ANKLES, 2].flatten()[: 2**20], 0.02).item()
    world = replay(world, ankle_height, body)
    about = {"subject": body.name, "action": first.action, "clip": first.clip, "fps": first.fps}
    (camera,) = random_cameras(world, f"{body.name}/{first.action}/{first.clip}", count=1)
    return exact_recording(world_to_camera(world, camera), camera, H36M_17, None, **about)
