"""Data sets that are brought: as their authors give them (:class:`Files`), or as archives that the
field prepares from licensed motion capture, in VideoPose3D's formats (:class:`Source`).

``data_3d_<set>.npz`` holds positions in world space: subject -> clip -> (T, J, 3) metres;
``data_2d_<set>_<keypoints>.npz`` what a detector found: subject -> clip -> for each camera (T, K,
2) pixels. The cameras' constants are the package's own copy.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from paperlib.datasets.archives import layout, read_archive
from paperlib.errors import MissingDataError, one_of
from paperlib.paths import data_dir, data_dirs, shown
from paperlib.skeletons import Skeleton

_ANGLES = {99: "Human3.6M's", 117: "CMU's"}  # of files of rotation vectors, by their columns


def chosen(
    what: str, given: Iterable[str | int] | None, all_of_them: tuple[str, ...]
) -> tuple[str, ...]:
    """The members of ``all_of_them`` that were asked for, in their own order; all, for None."""
    if given is None:
        return all_of_them
    given = [given] if isinstance(given, str | int) else given
    given = [one_of(what, str(name), all_of_them) for name in given]
    if not given:
        raise ValueError(f"no {what} chosen: leave it out for all, or name some of {all_of_them}")
    return tuple(name for name in all_of_them if name in given)


@cache
def constants(name: str) -> dict[str, Any]:
    """What ``<name>_cameras.json`` holds beside this module."""
    return json.loads(Path(__file__).with_name(f"{name}_cameras.json").read_text("utf-8"))


def placed(place: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    """The orientation and position of a camera that stands at ``place`` of the constants."""
    turn = np.array(place["camera_to_world_quaternion_wxyz"])
    return {
        "orientation": tuple((turn / np.linalg.norm(turn)).tolist()),
        "position": tuple(mm / 1000 for mm in place["camera_centre_world_mm"]),
    }


@dataclass(frozen=True)
class Files:
    """Where a data set lies that is brought as its authors give it, and what to say where it does
    not. ``inside`` is the folder that unpacking makes, which may be left out."""

    title: str
    folder: str
    inside: str
    how: str  # to get it, and what runs without it

    def require(self, name: str) -> Path:
        """The file or folder ``name`` below the data set's folder, or ``MissingDataError``."""
        places = [Path(self.folder) / name, Path(self.folder) / self.inside / name]
        for path in (root / place for root in data_dirs() for place in places):
            if path.exists():
                return path
        raise MissingDataError(
            f"{self.title}: {name} is missing. Put the data set into "
            f"{shown(data_dir() / self.folder)}/, so that {places[0].as_posix()} is there, or set "
            f"PAPERLIB_DATA to the folder that holds {self.folder}/. {self.how}"
        )


@dataclass(frozen=True)
class Source:
    """A licensed data set's files: what they are called, and what to say where they are missing."""

    title: str
    folder: str  # within a data folder; the files may also lie beside it
    stem: str  # the <set> of the files' names
    register: str  # where the licence is asked for
    instead: str  # the data set that runs without it

    @property
    def positions_file(self) -> str:
        return f"data_3d_{self.stem}.npz"

    def keypoints_file(self, keypoints: str) -> str:
        if not re.fullmatch(r"[\w.-]+", keypoints):
            raise ValueError(
                f"keypoints={keypoints!r}: give the <name> in data_2d_{self.stem}_<name>.npz"
            )
        return f"data_2d_{self.stem}_{keypoints}.npz"

    def find(self, name: str) -> Path | None:
        places = [p / name for root in data_dirs() for p in (root / self.folder, root)]
        return next((place for place in places if place.is_file()), None)

    def require(self, name: str) -> Path:
        path = self.find(name)
        if path is not None:
            return path
        patterns = (f"{self.folder}/*.npz", f"*{self.stem}*.npz")
        there = {p.name for d in data_dirs() for pattern in patterns for p in d.glob(pattern)}
        raise MissingDataError(
            f"{self.title}: {name} is missing (found: "
            f"{', '.join(sorted(there)) or 'none of its files'}). "
            f"Put it into {shown(data_dir() / self.folder)}/ or set PAPERLIB_DATA to the folder "
            f"that holds {self.folder}/. The data set is licensed: register at {self.register}, "
            "then make the file with the data preparation scripts of VideoPose3D "
            "(github.com/facebookresearch/VideoPose3D, DATASETS.md). "
            f'dataset="{self.instead}" runs without it.'
        )

    def positions(self, subjects: tuple[str, ...]) -> tuple[Path, dict[str, dict[str, Any]]]:
        """The 3D file and what it holds, which must be something of each of ``subjects``."""
        path = self.require(self.positions_file)
        stored = _entry(read_archive(path), "positions_3d", path)
        absent = [subject for subject in subjects if not stored.get(subject)]
        if absent:
            raise ValueError(
                f"{path}: no positions of {', '.join(absent)}; the standard split needs all of "
                f"{', '.join(subjects)}. Prepare the file again from all subjects"
            )
        return path, stored

    def keypoints(self, keypoints: str, cameras: tuple[str, ...]) -> "Keypoints":
        return Keypoints(self, self.require(self.keypoints_file(keypoints)), cameras)


def _entry(archive: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = archive.get(key)
    if not isinstance(value, dict):
        raise ValueError(
            f"{path}: expected an entry {key!r} with a dictionary, found {sorted(archive)}; "
            "this is another kind of file, prepare it again"
        )
    for subject, clips in value.items():
        if not isinstance(clips, dict) or not all(isinstance(name, str) for name in clips):
            raise ValueError(
                f"{path}: {key}[{subject!r}] must be a dictionary from the names of clips to "
                f"arrays, got {type(clips).__name__}; prepare it again"
            )
    return value


def numbers(values: Any, where: str) -> np.ndarray:
    """Stored values as an array; refused where they are objects, text or no real numbers."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"{where}: expected an array of numbers, got one of {array.dtype}; prepare the file "
            "again"
        )
    return array


def of_joints(points: Any, counts: tuple[int, ...], where: str) -> np.ndarray:
    """Stored positions (T, J, 3); refused unless J is one of ``counts``."""
    points = numbers(points, where)
    if points.ndim == 2 and points.shape[1] in _ANGLES:
        raise ValueError(
            f"{where}: {points.shape[1]} columns are {_ANGLES[points.shape[1]]} joint angles, not "
            "positions; prepare the file again"
        )
    if points.ndim != 3 or points.shape[1] not in counts or points.shape[2] != 3:
        expected = " or ".join(f"(T, {count}, 3)" for count in counts)
        raise ValueError(f"{where}: expected positions {expected}, got {points.shape}")
    return points


def in_metres(points: np.ndarray, where: str) -> torch.Tensor:
    """Positions (T, J, 3) as float64; refused where they cannot be metres."""
    if np.abs(points).max(initial=0) > 100:
        raise ValueError(
            f"{where}: positions up to {np.abs(points).max():.0f}: millimetres? "
            "expected metres; divide by 1000 when preparing the file"
        )
    return torch.from_numpy(points.astype(np.float64))


class Keypoints:
    """A 2D archive: subject -> clip -> one array (T, K, 2) of pixels for each of ``cameras``."""

    def __init__(self, source: Source, path: Path, cameras: tuple[str, ...]):
        archive = read_archive(path)
        self.source, self.path, self.cameras = source, path, cameras
        self.stored = _entry(archive, "positions_2d", path)
        self.skeleton: Skeleton = layout(archive.get("metadata"), path)

    def views(self, subject: str, clip: str, frames: int | None = None) -> list[torch.Tensor]:
        """A clip in each camera, float32, cut to the ``frames`` of its motion capture, if any."""
        where = f"{self.path}: {subject}/{clip}"
        if clip not in self.stored.get(subject, {}):
            raise ValueError(
                f"{where}: no 2D keypoints, but {self.source.positions_file} has positions; "
                "prepare both files from the same videos"
            )
        views = self.stored[subject][clip]
        if not isinstance(views, list | tuple | np.ndarray) or getattr(views, "ndim", 1) == 0:
            raise ValueError(f"{where}: expected an array for each camera, got {type(views)}")
        if len(views) != len(self.cameras):
            raise ValueError(
                f"{where}: keypoints of {len(views)} cameras, expected {len(self.cameras)} "
                f"({', '.join(self.cameras)})"
            )
        return [self._cut(numbers(view, where), frames, where) for view in views]

    def _cut(self, view: np.ndarray, frames: int | None, where: str) -> torch.Tensor:
        if view.shape[1:] != (len(self.skeleton), 2):
            raise ValueError(
                f"{where}: keypoints of shape {view.shape}, expected (T, {len(self.skeleton)}, 2): "
                f"the metadata say {self.skeleton.name}"
            )
        if len(view) < (frames or 0):
            raise ValueError(
                f"{where}: keypoints of {len(view)} frames, shorter than the {frames} frames of "
                "positions; detect the whole video, or prepare both files at one frame rate"
            )
        # videos run on after the motion capture has stopped
        return torch.from_numpy(view[:frames].astype(np.float32))
