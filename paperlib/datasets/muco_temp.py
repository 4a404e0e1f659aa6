"""MuCo-Temp: several people composited into one camera's view (veges2020, 4.1.1).

Each of the people is a single-person recording of another data set, set down at a place of its own
on the floor in front of one camera, so that nearer people hide farther ones. The paper composites
the pictures of MPI-INF-3DHP; here bodies are composited, and who hides whom is found by ray and
capsule.

The paper's videos are longer than most takes. A take is therefore played to its end, backwards to
its beginning, and so on; it slows down before it turns, so that nobody jumps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from paperlib.cameras import Camera, camera_to_world, project, world_to_camera
from paperlib.datasets.filming import exact_recording
from paperlib.kinematics import rotation_about
from paperlib.randomness import generator_of
from paperlib.recordings import Dataset, Recording, count_frames
from paperlib.rendering import people_visibility

FPS = 25.0  # to which the reference unifies its sources
APART = 0.6  # metres between the roots of two people, at least
NEAREST, FARTHEST = 2.8, 7.5  # metres from the camera, where people are set down
SHORTEST = 2.0  # seconds of a take; who runs to and fro within less is no person any more
SEEN = 0.5  # share of a video's frames in which half of a person must be seen, at least
_TURN = 0.3  # seconds before and after a take's end in which it slows down and turns
_RESTARTS = 100  # of a video in which somebody finds no place
_TRIES = 400  # places tried for a person before the video is begun anew


@dataclass(frozen=True)
class Size:
    """How many videos of how many frames; the paper's training set has 77 of 2,000."""

    train: int = 77
    test: int = 20
    frames: int = 2000
    people: int = 4

    def __post_init__(self):
        if min(self.train, self.test) < 0 or min(self.frames, self.people) < 1:
            raise ValueError(f"videos must not be negative, frames and people at least 1: {self}")


SIZES = {
    "paper": Size(),
    "laptop": Size(train=24, test=12, frames=500),
    "smoke": Size(train=1, test=1, frames=100),
}


def compose(source: Dataset, size: Size | None = None, seed: int = 0) -> Dataset:
    """Videos of several people, made of a data set's single-person recordings.

    People of the training part come from ``source.train``, those of the test part from
    ``source.test``. Every video is filmed by one of the cameras of the source, in turn; its people
    are recordings that share ``clip`` and ``camera``, and ``person`` tells them apart. ``visible``
    says which joints neither the own body nor another one hides. Keypoints are exact.

    A take stands twice in a video only where there are fewer takes than people. The same seed
    gives the same videos, however many are made. Raises ``ValueError`` where no take is long
    enough (:data:`SHORTEST`).
    """
    size = size or Size()
    parts = {"train": [], "test": []}
    for part, made in parts.items():
        takes = source.split(part)
        for number in range(getattr(size, part)):
            made += video(takes, part, number, size.frames, size.people, seed)
    return Dataset(
        name=f"muco_temp-{source.name}",
        source=(
            f"{size.people} people of single-person recordings composited into one view "
            f"({size.train} videos to learn from, {size.test} to test on, {size.frames} frames "
            f"each at {FPS:g} Hz, seed {seed}). Made of: {source.source}"
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        excluded=source.excluded,
    )


def joined(alone: Dataset, crowd: Dataset) -> Dataset:
    """What the paper trains on, single people and videos together (4.1.1); tested on the videos."""
    return replace(
        crowd,
        train=alone.train + crowd.train,
        source=(
            f"{crowd.source} The single-person recordings themselves ({len(alone.train)}, "
            f"{count_frames(alone.train)} frames) are learnt from too."
        ),
    )


def single(source: Dataset) -> Dataset:
    """The single-person recordings at the frame rate of the videos, or as near to it as taking
    every n-th frame comes."""
    return source.map(lambda r: r.cut(0, len(r), max(1, round(r.fps / FPS))))


def video(
    takes: Sequence[Recording], part: str, number: int, frames: int, people: int, seed: int = 0
) -> tuple[Recording, ...]:
    """One video: ``people`` recordings of ``frames`` frames before one camera."""
    rng = generator_of(f"{seed}|{part}|{number}")
    cameras = sorted({r.camera.name for r in takes})
    name = cameras[number % len(cameras)] if cameras else None
    seen = [r for r in takes if r.camera.name == name and len(r) >= SHORTEST * r.fps]
    if not seen:
        raise ValueError(
            f"{part}: no take lasts {SHORTEST:g} seconds or more, so there is nobody to set down; "
            "load more actions or subjects"
        )
    camera = seen[0].camera
    for _ in range(_RESTARTS):  # until everybody has found a place, and is seen there
        chosen = [seen[i] for i in rng.choice(len(seen), people, replace=len(seen) < people)]
        worlds = [_played(take, frames, rng) for take in chosen]
        placed = _set_down(worlds, chosen[0].skeleton.root, camera, rng)
        if placed is None:
            continue
        positions = torch.stack([world_to_camera(world, camera) for world in placed]).float()
        visible = people_visibility(positions, chosen[0].skeleton).visible
        mostly_hidden = (~visible).float().mean(dim=-1) > 0.5
        if (mostly_hidden.float().mean(dim=-1) <= 1 - SEEN).all():
            break
    else:
        raise ValueError(
            f"{part}, video {number}: no room for {people} people, {APART} m apart and each seen "
            f"in {100 * SEEN:.0f} % of the frames, in {_RESTARTS} attempts; ask for fewer people"
        )
    people_seen = []
    for person, take in enumerate(chosen):
        about = {"subject": take.subject, "action": take.action, "person": person}
        about |= {"clip": f"{part}{number:02d}", "fps": FPS}
        view = (positions[person], camera, take.skeleton, visible[person])
        people_seen.append(exact_recording(*view, **about))
    return tuple(people_seen)


def _played(take: Recording, frames: int, rng: np.random.Generator) -> torch.Tensor:
    """World positions ``(frames, J, 3)`` of a take played to and fro from a random moment on."""
    world = camera_to_world(take.positions.double(), take.camera)
    step = take.fps / FPS
    moments = rng.integers(0, 2 * len(take)) + step * np.arange(frames)
    place = torch.from_numpy(to_and_fro(moments, len(take), _TURN * take.fps))
    before = place.floor().long().clamp(0, len(take) - 1)
    after = (before + 1).clamp_max(len(take) - 1)
    return torch.lerp(world[before], world[after], (place - before)[:, None, None])


def to_and_fro(moments: np.ndarray, frames: int, turn: float) -> np.ndarray:
    """The place in a take of ``frames`` frames at each of ``moments``, which count on.

    A line up to the last frame and down again to the first, without end; within ``turn`` of an end
    it is a parabola, which passes into the line without a jump of the speed.
    """
    last = frames - 1
    if last < 1:
        return np.zeros_like(moments, dtype=float)
    turn = min(turn, last / 2)
    phase = np.abs((moments + last) % (2 * last) - last)  # from 0 up to last and down
    near = np.minimum(phase, last - phase)  # to the closer end
    bent = np.where(near < turn, (near**2 + turn**2) / (2 * turn) if turn else near, near)
    return np.where(phase <= last / 2, bent, last - bent)


def _set_down(
    worlds: list[torch.Tensor], joint: int, camera: Camera, rng: np.random.Generator
) -> list[torch.Tensor] | None:
    """Everybody turned and moved along the floor to a place where all of their path is in view and
    no other's comes close, by the root ``joint``; None where somebody found none."""
    placed: list[torch.Tensor] = []
    for world in worlds:
        root = world[:, joint]
        middle = (root.amin(dim=0) + root.amax(dim=0)) / 2
        for _ in range(_TRIES):
            angle = torch.tensor(rng.uniform(0, 2 * math.pi), dtype=torch.float64)
            turn = rotation_about("z", angle).T
            to = _place(camera, rng)
            path = ((root - middle) @ turn)[:, :2] + to
            if _in_view(path, root[:, 2], camera) and all(
                (path - other[:, joint, :2]).norm(dim=-1).min() > APART for other in placed
            ):
                break
        else:
            return None
        moved = (world - middle) @ turn
        moved[..., :2] += to
        moved[..., 2] += middle[2]
        placed.append(moved)
    return placed


def _place(camera: Camera, rng: np.random.Generator) -> torch.Tensor:
    """A place ``(2,)`` on the floor in front of the camera, not at the edges of the picture."""
    distance = rng.uniform(NEAREST, FARTHEST)
    side = rng.uniform(-0.3, 0.3) * distance
    ahead = camera_to_world(torch.tensor([side, 0.0, distance], dtype=torch.float64), camera)
    return ahead[:2]


def _in_view(path: torch.Tensor, height: torch.Tensor, camera: Camera) -> bool:
    """Whether the root stays between left and right of the picture, and not too near, on all of
    its path."""
    points = world_to_camera(torch.cat([path, height[:, None]], dim=-1), camera)
    if not (points[:, 2] > 2.0).all():
        return False
    u = project(points, camera)[:, 0] / camera.width
    return bool(((u > 0.05) & (u < 0.95)).all())
