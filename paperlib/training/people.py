"""Several people in one view: who belongs together, where they are, and how wrong that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from paperlib.detection.people import pose_score
from paperlib.errors import one_of
from paperlib.models import TemporalPoseNet
from paperlib.multi_person import evaluate_scene, pooled_scenes, pose_sets
from paperlib.recordings import Recording
from paperlib.training.posenet import locate


@dataclass(frozen=True)
class Scene:
    """The people that one camera sees at the same time, in the order of their numbers."""

    people: tuple[Recording, ...]

    @property
    def name(self) -> str:
        return f"{self.people[0].clip}/{self.people[0].camera.name}"

    @property
    def fps(self) -> float:
        return self.people[0].fps

    @property
    def positions(self) -> Tensor:
        """``(P, T, J, 3)``: where everybody truly is, metres, camera space."""
        return torch.stack([person.positions for person in self.people])

    @property
    def score(self) -> Tensor:
        """``(P, T)``: how sure the 2D detector is of each person, 0 where it found nobody."""
        return torch.stack([pose_score(person) for person in self.people])

    def located(self, model: TemporalPoseNet, flip: bool = True) -> Tensor:
        """``(P, T, J, 3)``: where the network sees everybody, each by themselves."""
        return torch.stack([locate(model, person, flip) for person in self.people])


def scenes(recordings: Sequence[Recording]) -> tuple[Scene, ...]:
    """Recordings of the same clip and camera put together. Raises ``ValueError`` where they are
    not of the same length: people then are not seen at the same moments."""
    groups: dict[tuple[str, str], list[Recording]] = {}
    for recording in recordings:
        groups.setdefault((recording.clip, recording.camera.name), []).append(recording)
    for group in groups.values():
        lengths = sorted({len(r) for r in group})
        numbers = [r.person for r in group]
        if len(lengths) > 1 or len(set(numbers)) < len(numbers):
            raise ValueError(
                f"{group[0].clip}/{group[0].camera.name}: people of {lengths} frames with the "
                f"numbers {numbers}; expected one recording a person, all of the same frames"
            )
    return tuple(Scene(tuple(sorted(g, key=lambda r: r.person))) for g in groups.values())


class Gap(NamedTuple):
    """Frames ``start`` to ``stop`` in which the detector does not find a person of a scene."""

    scene: int
    person: int
    start: int
    stop: int


def longest_gap(truth: Sequence[Scene], most: float = inf) -> Gap:
    """The longest time, of ``most`` frames, that anybody is lost, and found again after it."""
    best = Gap(0, 0, 0, 0)
    for number, scene in enumerate(truth):
        for person, score in enumerate(scene.score):
            found = [-1, *(score > 0).nonzero().flatten().tolist()]
            for before, after in pairwise(found):
                length = after - before - 1 if before >= 0 else 0
                if best.stop - best.start < length <= most:
                    best = Gap(number, person, before + 1, after)
    return best


@dataclass(frozen=True)
class PeopleEvaluation:
    """Metrics of every scene for each set of poses: ``"all"``, ``"detected"``, ``"visible"``."""

    scenes: dict[str, tuple[dict[str, float], ...]]

    def average(self, metric: str, poses: str = "all") -> float:
        """The mean over scenes, which count alike (veges2020, 4.2)."""
        pooled = pooled_scenes(self.scenes[one_of("poses", poses, self.scenes)])
        return pooled[one_of("metric", metric, pooled)]


def evaluate_people(predicted: Sequence[Tensor], truth: Sequence[Scene]) -> PeopleEvaluation:
    """All metrics of absolute positions ``(P, T, J, 3)``, one tensor for each scene.

    A set of poses leaves out the scenes of which it holds nothing.
    """
    if not truth or len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predictions for {len(truth)} scenes: one for each")
    found: dict[str, list[dict[str, float]]] = {}
    for positions, scene in zip(predicted, truth, strict=True):
        skeleton = scene.people[0].skeleton
        for name, counted in pose_sets(scene.score).items():
            if counted.any():
                measured = evaluate_scene(positions, scene.positions, counted, skeleton)
                found.setdefault(name, []).append(measured)
    return PeopleEvaluation({name: tuple(rows) for name, rows in found.items()})
