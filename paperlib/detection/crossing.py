"""What other people in the picture do to a simulated detector of the second kind: joints that lie
on who hides them, and identities that are exchanged where two people cross."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from paperlib.detection.events import events
from paperlib.detection.height import image_height
from paperlib.detection.profiles import ErrorProfile
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.rendering import people_visibility


def together(recordings: Sequence[Recording]) -> list[list[int]]:
    """The numbers of the recordings that show several people at once: of one clip, camera and
    length, with a ``person`` each. Whoever is alone is left out."""
    groups: dict[tuple, list[int]] = {}
    for number, r in enumerate(recordings):
        groups.setdefault((r.clip, r.camera, len(r), r.fps), []).append(number)
    return [
        sorted(group, key=lambda n: recordings[n].person)
        for group in groups.values()
        if len(group) > 1 and len({recordings[n].person for n in group}) == len(group)
    ]


def cross(
    exact: Sequence[Recording], found: Sequence[Recording], profile: ErrorProfile, seed: int = 0
) -> list[Recording]:
    """The recordings ``found`` by a detector, with what people in one picture do to each other;
    ``exact`` are the same with exact keypoints. Those of one person stay as they are."""
    result = list(found)
    for group in together(exact):
        people = [exact[n] for n in group]
        name = f"{seed}|{profile.name}|{people[0].clip}|{people[0].camera.name}"
        pixels = torch.stack([found[n].keypoints for n in group])
        scores = torch.stack([found[n].confidence for n in group])
        pixels = _snapped(people, pixels, scores, profile, f"{name}|others")
        order = identities(people, profile, generator_of(f"{name}|crossing"))
        frames = torch.arange(len(people[0]))
        for row, number in enumerate(group):
            who = order[row], frames
            result[number] = replace(found[number], keypoints=pixels[who], confidence=scores[who])
    return result


def _snapped(
    people: list[Recording], pixels: Tensor, scores: Tensor, profile: ErrorProfile, name: str
) -> Tensor:
    """``pixels`` ``(P, T, K, 2)`` in which some joints behind somebody else lie on the same joint
    of that person, as that is what is seen there."""
    one = people[0]
    if not profile.hidden.snaps or any(p.keypoint_skeleton != p.skeleton for p in people):
        return pixels
    if any(p.skeleton != one.skeleton for p in people):
        return pixels
    by_other = people_visibility(torch.stack([p.truth for p in people]), one.skeleton).by_other
    moved = pixels.clone()
    share = np.full(len(one.skeleton), profile.hidden.snaps)
    for row, person in enumerate(people):
        rng = generator_of(f"{name}|{person.name}")
        snaps = events(rng, len(one), share, profile.hidden.seconds, one.fps)
        frame, joint = torch.from_numpy(snaps.frame), torch.from_numpy(snaps.column)
        other = by_other[row, frame, joint]
        # nobody lies on whom the detector has lost
        there = (other >= 0) & (scores[row, frame, joint] > 0) & (scores[other, frame, joint] > 0)
        frame, joint, other = frame[there], joint[there], other[there]
        moved[row, frame, joint] = pixels[other, frame, joint]
    return moved


def identities(people: list[Recording], profile: ErrorProfile, rng: np.random.Generator) -> Tensor:
    """``(P, T)``: whose keypoints each of P people gets. Two people cross where the middles of
    their boxes come within ``crossing.within`` % of their height; with ``crossing.chance`` their
    identities are exchanged from the moment at which they are closest, until that is noticed."""
    crossing, frames = profile.crossing, len(people[0])
    order = np.tile(np.arange(len(people))[:, None], (1, frames))
    middles = [
        ((p.keypoints.amin(dim=1) + p.keypoints.amax(dim=1)) / 2).double().numpy() for p in people
    ]
    heights = [image_height(p).double().numpy() for p in people]
    switches = []
    for one, other in combinations(range(len(people)), 2):
        size = (heights[one] + heights[other]) / 200
        apart = np.linalg.norm(middles[one] - middles[other], axis=-1) / size
        near = np.diff((apart < crossing.within).astype(int), prepend=0, append=0)
        for start, stop in zip(np.flatnonzero(near > 0), np.flatnonzero(near < 0), strict=True):
            # drawn for each crossing, so that another chance changes no other crossing
            luck, lasting = rng.random(), rng.exponential(crossing.seconds)
            if luck < crossing.chance:
                begun = start + int(apart[start:stop].argmin())
                stop = begun + max(1, round(lasting * people[0].fps))
                switches.append((begun, stop, one, other))
    for begun, stop, one, other in sorted(switches):
        order[[one, other], begun:stop] = order[[other, one], begun:stop]
    return torch.from_numpy(order)
