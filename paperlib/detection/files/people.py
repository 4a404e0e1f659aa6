"""The people of a film as sequences: who is who, from the first frame of each to the last."""

from collections.abc import Mapping, Sequence

import numpy as np

from paperlib.arrays import interpolated
from paperlib.detection.files.films import Film
from paperlib.detection.sequences import Keypoints2D
from paperlib.detection.tracking import follow


def people_in(film: Film, who: Mapping[int, Sequence[int]] | None = None) -> list[Keypoints2D]:
    """Everybody in a film, in the order of their numbers: those of ``who`` in each frame, else the
    tool's own where it has told everybody apart, else by where their joints are."""
    rows: dict[int, dict[int, np.ndarray]] = {}
    for t, numbers in (_numbers(film) if who is None else who).items():
        for number, found in zip(numbers, film.people[t], strict=True):
            rows.setdefault(number, {})[t] = found.joints
    people = []
    for number, seen in sorted(rows.items()):
        frames = range(min(seen), max(seen) + 1, film.frames.step)
        joints = np.zeros((len(frames), len(film.skeleton), 3))
        for t, found in seen.items():
            joints[frames.index(t)] = found
        places = interpolated(joints[..., :2], joints[..., 2] > 0)
        about = (film.skeleton, *film.size, film.name, np.array(frames), number)
        people.append(Keypoints2D(places, joints[..., 2], *about))
    return people


def _numbers(film: Film) -> dict[int, list[int]]:
    own = {t: [one.track for one in found] for t, found in film.people.items()}
    used = {track for tracks in own.values() for track in tracks}
    # an AlphaPose that followed nobody calls them all 0
    if None not in used and used != {0} and all(len(set(n)) == len(n) for n in own.values()):
        return own
    joints = {t: [one.joints for one in found] for t, found in film.people.items()}
    return follow(joints, film.frames.step)
