"""What was found in a film so far, in a file: a search that was stopped goes on from there."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from paperlib.detection.blazepose.tracks import Seen
from paperlib.paths import replacing

_HEAD = 2**20  # bytes by which a film is known again, beside its length


class Looked(NamedTuple):
    """One picture that was looked at: its ``time`` in seconds and who was ``seen`` in it."""

    time: float
    seen: list[Seen]


def key(film: Path, **settings: object) -> str:
    """What must be the same for a search to go on: the film and the settings."""
    with film.open("rb") as file:
        head = hashlib.sha256(file.read(_HEAD)).hexdigest()
    return json.dumps({"film": [film.stat().st_size, head], **settings}, sort_keys=True)


def place(folder: Path, of: str) -> Path:
    """The file of a ``folder`` for what the search whose key ``of`` is finds. Each has its own, or
    one that is broken off would replace another that was finished."""
    return folder / f"keypoints-{hashlib.sha256(of.encode()).hexdigest()[:8]}.npz"


def save(path: Path, of: str, looked: Sequence[Looked]) -> None:
    """Keep what was ``looked`` at for the search whose key ``of`` it is."""
    rows = [(t, one) for t, here in enumerate(looked) for one in here.seen]
    people = [one for _, one in rows]
    arrays = {
        "key": np.array(of),
        "times": np.array([here.time for here in looked]),
        "rows": np.array([(t, one.stretch) for t, one in rows], np.int64).reshape(-1, 2),
        "joints": np.array([[one.joints, one.raw] for one in people], np.float32),
        "visibility": np.array([one.visibility for one in people], np.float32),
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def load(path: Path, of: str) -> list[Looked]:
    """What was kept of the search whose key ``of`` is; nothing where it is of another one."""
    if not path.is_file():
        return []
    try:
        with np.load(path) as file:
            arrays = dict(file)
        if str(arrays["key"]) != of:
            return []
        looked = [Looked(float(time), []) for time in arrays["times"]]
        about = (arrays["rows"], arrays["joints"], arrays["visibility"])
        for (t, stretch), (joints, raw), visibility in zip(*about, strict=True):
            looked[t].seen.append(Seen(int(stretch), joints, visibility, raw))
        return looked
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile):
        return []  # damaged: as if it were not there
