"""Cameras drawn at random, and data sets filmed anew by them or any others.

Four fixed cameras teach a network those four: their height, their lens, the size of a person in
their images. Cameras that differ from clip to clip leave it nothing to learn of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from paperlib.cameras import Camera, camera_to_world, project, world_to_camera
from paperlib.datasets.filming import STUDIO, film, placed_camera, share_inside
from paperlib.errors import one_of
from paperlib.randomness import generator_of
from paperlib.recordings import PARTS, Dataset, Recording

CAMERAS = ("studio", "random")
_COUNT = 4  # views of a clip, as in the studio
_TRIES = 200  # before a motion is given up that fits no image
_IN_VIEW = 0.98  # share of all joints that the image must hold
_NEAREST = 1.0  # metres from the camera


@dataclass(frozen=True)
class Ranges:
    """What cameras are drawn from, evenly between two numbers. The defaults are our own: what a
    phone, a camera on a tripod or on a wall would give."""

    azimuth: tuple[float, float] = (0.0, 360.0)  # degrees
    distance: tuple[float, float] = (2.5, 8.0)  # metres from the middle of the stage
    height: tuple[float, float] = (0.4, 2.6)  # metres above the floor
    aim: tuple[float, float] = (0.6, 1.2)  # metres above the middle, where the camera looks
    roll: tuple[float, float] = (-8.0, 8.0)  # degrees
    focal: tuple[float, float] = (0.8, 2.0)  # of the longer side of the image
    radial: tuple[float, float] = (-0.2, 0.05)  # k1, of the lens
    sizes: tuple[tuple[int, int], ...] = ((1000, 1000), (1920, 1080), (1080, 1920), (640, 480))

    def __str__(self) -> str:
        def words(name: str) -> str:
            low, high = getattr(self, name)
            return f"{name} {low:g} to {high:g}"

        return (
            f"{words('azimuth')} degrees, {words('distance')} m, {words('height')} m, "
            f"{words('roll')} degrees, {words('focal')} of the image's longer side"
        )

    def draw(self, name: str, chance: np.random.Generator) -> Camera:
        """A camera of these ranges; the principal point is the middle of its image."""
        width, height = self.sizes[chance.integers(len(self.sizes))]
        numbers = [f.name for f in fields(self) if f.name != "sizes"]
        azimuth, distance, above, aim, roll, focal, radial = (
            chance.uniform(*getattr(self, number)) for number in numbers
        )
        length, centre = focal * max(width, height), (width / 2, height / 2)
        lens = (length, length, *centre, radial, 0.0, 0.0, 0.0, 0.0)
        return placed_camera(name, (width, height), aim, (azimuth, distance, above, *lens), roll)


def random_cameras(
    world: torch.Tensor, key: str, count: int = _COUNT, ranges: Ranges = Ranges()
) -> tuple[Camera, ...]:
    """``count`` cameras that see a motion: world positions ``(..., J, 3)``, metres, z up.

    They follow from ``key`` alone. One whose image does not hold 98 % of the joints, or that a
    person comes nearer to than a metre, is drawn again; ``ValueError`` where 200 were of no use.
    """
    chance = generator_of(f"random cameras of {key}")
    cameras: list[Camera] = []
    for _ in range(_TRIES * count):
        camera = ranges.draw(f"random{len(cameras)}", chance)
        if _sees(camera, world):
            cameras.append(camera)
        if len(cameras) == count:
            return tuple(cameras)
    raise ValueError(
        f"{key}: of {_TRIES * count} cameras drawn ({ranges}) {len(cameras)} see the whole motion, "
        f"{count} are needed: it covers more ground than their images"
    )


def _sees(camera: Camera, world: torch.Tensor) -> bool:
    points = world_to_camera(world, camera)
    if points[..., 2].min() < _NEAREST:
        return False
    return share_inside(project(points, camera), camera) >= _IN_VIEW


def filmed_by(
    dataset: Dataset, cameras: str | Sequence[Camera], ranges: Ranges = Ranges()
) -> Dataset:
    """The same motion before other ``cameras``: ``"studio"``, ``"random"`` ones of these
    ``ranges``, drawn for each clip, or those given, for all.

    Keypoints are exact projections again. ``ValueError`` for recordings without positions, or of
    several people at once.
    """
    if isinstance(cameras, str):
        one_of("cameras", cameras, CAMERAS)
    drawn = cameras == "random"
    given = STUDIO if cameras == "studio" else cameras

    def anew(recordings: Iterable[Recording]) -> tuple[Recording, ...]:
        clips: dict[tuple, Recording] = {}
        for recording in recordings:  # one view of each clip tells all
            clips.setdefault((recording.subject, recording.action, recording.clip), recording)
        views = []
        for (subject, action, clip), first in clips.items():
            world = camera_to_world(first.truth, first.camera)
            key = f"{subject}/{action}/{clip}"
            own = random_cameras(world, key, ranges=ranges) if drawn else given
            about = {"subject": subject, "action": action, "clip": clip, "fps": first.fps}
            views += film(world, **about, cameras=own, skeleton=first.skeleton)
        return tuple(views)

    everyone = (recording for part in PARTS for recording in dataset.split(part))
    if several := next((r.name for r in everyone if r.person), None):
        raise ValueError(f"{several}: people together are not filmed anew, only alone")
    how = f"cameras drawn at random for each clip ({ranges})" if drawn else "other cameras"
    return replace(
        dataset,
        name=f"{dataset.name}-{cameras if isinstance(cameras, str) else 'other'}-cameras",
        source=f"{dataset.source} Filmed anew by {len(given) if not drawn else _COUNT} {how}.",
        **{part: anew(dataset.split(part)) for part in PARTS},
    )
