"""What a detector finds in a film, kept beside the results: a second call does not look again."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from paperlib.detection.files.joint_sets import JOINT_SETS
from paperlib.detection.sequences import Keypoints2D
from paperlib.paths import regular_file, replacing

FILE = "keypoints.npz"
_FILMS = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".3gp", ".gif"}


def is_film(path: str | Path) -> bool:
    """Whether a file is a film, by its name."""
    return Path(path).suffix.lower() in _FILMS


def detected(film: str | Path, folder: Path, model: str, people: int) -> list[Keypoints2D]:
    """The people whom BlazePose finds in a film (:func:`paperlib.detection.blazepose.detect_film`),
    or has found before: they are kept in ``folder``, and taken from there while the film and the
    choices are the same."""
    key = json.dumps([_digest(film), model, people])
    path = folder / FILE
    if path.is_file() and (known := _read(path, key)):
        return known
    from paperlib.detection.blazepose import detect_film

    found = detect_film(film, model, people)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **_arrays(found, key))
    return found


def _digest(film: str | Path) -> str:
    with regular_file(film, limit=2**36).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrays(people: Sequence[Keypoints2D], key: str) -> dict[str, np.ndarray]:
    first = people[0]
    about = [key, first.name, first.skeleton.name, first.width, first.height]
    arrays = {"about": np.array(json.dumps(about)), "count": np.array(len(people))}
    for number, one in enumerate(people):
        for name in ("keypoints", "confidence", "frames", "times"):
            arrays[f"{name}_{number}"] = getattr(one, name)
        arrays[f"track_{number}"] = np.array(one.track)
    return arrays


def _read(path: Path, key: str) -> list[Keypoints2D]:
    """The people of a file with this ``key``; nobody where it is another, or damaged."""
    try:
        with np.load(path) as archive:
            known, name, skeleton, width, height = json.loads(str(archive["about"]))
            if known != key:
                return []
            return [
                Keypoints2D(
                    *(archive[f"{field}_{number}"] for field in ("keypoints", "confidence")),
                    *(JOINT_SETS[skeleton], width, height, name),
                    archive[f"frames_{number}"],
                    int(archive[f"track_{number}"]),
                    archive[f"times_{number}"],
                )
                for number in range(int(archive["count"]))
            ]
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return []
