"""Scenes: the people that one camera sees at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from paperlib.recordings import Recording


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
        """``(P, T, J, 3)``: the true positions of everybody, metres, camera space."""
        return torch.stack([person.truth for person in self.people])

    @property
    def score(self) -> Tensor:
        """``(P, T)``: how sure the 2D detector is of each person, 0 where it found nobody."""
        return torch.stack([person.score for person in self.people])


def scenes(recordings: Sequence[Recording]) -> tuple[Scene, ...]:
    """Recordings of the same clip and camera put together. Raises ``ValueError`` where they are
    not of the same length: they then do not show the same moments."""
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
    """The longest gap, of at most ``most`` frames, with a person found before and after it."""
    best = Gap(0, 0, 0, 0)
    for number, scene in enumerate(truth):
        for person, score in enumerate(scene.score):
            found = [-1, *(score > 0).nonzero().flatten().tolist()]
            for before, after in pairwise(found):
                length = after - before - 1 if before >= 0 else 0
                if best.stop - best.start < length <= most:
                    best = Gap(number, person, before + 1, after)
    return best
