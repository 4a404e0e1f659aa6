"""Penn Action: films of sports with 2D annotations alone (cheng2020, 4 and eq. 4).

The data set is brought by the user: ``labels/0001.mat`` to ``labels/2326.mat`` (its frames are not
needed). A file has ``x``, ``y`` and ``visibility`` ``(N, 13)`` of the points of ``PENN_13``, what
is done (``action``), and ``train``, 1 or -1. Nobody knows the 3D poses, and nobody the cameras.

The joints are those of the data set's readme, the left ones first. Some public code reads the right
ones first; the films would tell, which are not read here.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from paperlib.arrays import interpolated
from paperlib.cameras import Camera
from paperlib.datasets.prepared import Files, chosen
from paperlib.errors import contents_of, one_of
from paperlib.outside.matlab import read_mat
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17, PENN_13, Skeleton, as_h36m

ACTIONS = tuple(
    "baseball_pitch baseball_swing bench_press bowl clean_and_jerk golf_swing jump_rope"
    " jumping_jacks pullup pushup situp squat strum_guitar tennis_forehand tennis_serve".split()
)
# the same as the data set's readme, and some of its files, spell them
_SPELT = {"bowling": "bowl", "pull_ups": "pullup", "push_ups": "pushup", "sit_ups": "situp"}
_SPELT |= {"squats": "squat", "strumming_guitar": "strum_guitar"}
JOINTS = {skeleton.name: skeleton for skeleton in (PENN_13, H36M_17)}
FPS = 30.0  # of most films of its kind; the files do not say

_PARTS = {1: "train", -1: "test"}
_FILES = Files(
    "Penn Action",
    "penn_action",
    "Penn_Action",
    "It is free for research: https://dreamdragon.github.io/PennAction has it, and its frames are "
    "not needed. Without it, paperlib.training.withhold_positions makes 2D data of any data set, "
    'such as dataset="cmu".',
)
_FARTHEST = 1e5  # pixels; the films have some hundreds


def load(actions: Iterable[str] | None = None, joints: str = PENN_13.name) -> Dataset:
    """The films of ``actions`` (of :data:`ACTIONS`; all by default) in the split of the files, each
    a recording without positions; its ``subject`` and ``clip`` are the film's number.

    ``confidence`` is 1 where a point is visible and 0 elsewhere; there, keypoints are interpolated
    over time. ``joints="h36m_17"`` gives those of Human3.6M, so that a network for them can learn
    from the films: pelvis and thorax are the middles of hips and shoulders, and what nobody
    annotated (spine, nose, top of the head) has confidence 0. Films in which no point is ever
    visible are left out, and counted in ``excluded``. The camera is a guess (a focal length of the
    image's longer side) for what wants one; 30 Hz are a guess too.

    Raises ``MissingDataError`` where the labels are not there, and ``ValueError`` where a file does
    not hold what it should.
    """
    wanted = chosen("action", actions, ACTIONS)
    skeleton = JOINTS[one_of("joints of penn_action", joints, JOINTS)]
    folder = _FILES.require("labels")
    parts: dict[str, list[Recording]] = {"train": [], "test": []}
    invisible = 0
    for path in _label_files(folder):
        with contents_of(path):
            film = _read(path)
            if film.action in wanted and film.found.any():
                parts[film.part].append(_recording(path.stem, film, skeleton))
            invisible += film.action in wanted and not film.found.any()
    if not any(parts.values()):
        raise ValueError(f"{folder}: no films of {', '.join(wanted)}; unpack the data set again")
    return Dataset(
        name="penn_action" if skeleton is PENN_13 else f"penn_action-{joints}",
        source=(
            f"Penn Action, annotated 2D points as {joints}, no 3D: {len(parts['train'])} films to "
            f"learn from, {len(parts['test'])} to test on, of {len(wanted)} actions; cameras and "
            "frame rate are guessed."
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        excluded=f"{invisible} films in which no point is visible" if invisible else "nothing",
    )


def find() -> Path:
    """The data set's folder; ``MissingDataError`` tells how to get it."""
    return _FILES.require("labels").parent


class _Film(NamedTuple):
    part: str  # of the split
    action: str
    points: np.ndarray  # (N, 13, 2) pixels
    found: np.ndarray  # (N, 13) bool
    height: int
    width: int


def _label_files(folder: Path) -> list[Path]:
    paths = [path for path in sorted(folder.iterdir()) if re.fullmatch(r"\d{4}\.mat", path.name)]
    if not paths:
        raise ValueError(f"{folder}: no 0001.mat, 0002.mat …; unpack the data set again")
    return paths


def _read(path: Path) -> _Film:
    stored = read_mat(path, "x", "y", "visibility", "dimensions", "train", "action")
    several = [name for name in ("action", "train") if stored[name].size != 1]
    if several:
        raise ValueError(f"{path}: expected one value of {several[0]}; get the file again")
    action = str(stored["action"].item())
    action = one_of(f"action in {path}:", _SPELT.get(action, action), ACTIONS)
    train = one_of(f"train in {path}:", stored["train"].item(), _PARTS)
    x, y, visible = (_of_points(stored[name], name, path) for name in ("x", "y", "visibility"))
    if not len(x) == len(y) == len(visible):
        raise ValueError(f"{path}: {len(x)} rows of x, {len(y)} of y, {len(visible)} of visibility")
    found, points = visible == 1, np.stack([x, y], axis=-1)
    if not np.isin(visible, (0, 1)).all() or not (np.abs(points[found]) <= _FARTHEST).all():
        raise ValueError(
            f"{path}: expected visibility of 0 or 1, and pixels up to {_FARTHEST:g} of visible "
            "points; get the file again"
        )
    size = stored["dimensions"].flatten()
    if size.dtype.kind not in "fiu" or len(size) != 3 or not ((size >= 1) & (size < 1e5)).all():
        raise ValueError(f"{path}: dimensions {size.tolist()}, expected height, width and frames")
    return _Film(_PARTS[train], action, points, found, int(size[0]), int(size[1]))


def _of_points(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    if values.dtype.kind not in "biuf" or values.shape[1:] != (len(PENN_13),) or not len(values):
        raise ValueError(
            f"{path}: {name} of {values.dtype} {values.shape}, expected numbers "
            f"(N, {len(PENN_13)}), a row for each frame"
        )
    return values.astype(np.float64)


def _recording(number: str, film: _Film, skeleton: Skeleton) -> Recording:
    points, found = film.points, film.found
    if skeleton is H36M_17:
        both = as_h36m(torch.from_numpy(points), torch.from_numpy(found), PENN_13)
        points, found = (values.numpy() for values in both)
    confidence = torch.from_numpy(found)
    return Recording(
        subject=number,
        action=film.action,
        clip=number,
        fps=FPS,
        camera=Camera(
            "film",
            film.width,
            film.height,
            focal=(float(max(film.width, film.height)),) * 2,
            centre=(film.width / 2, film.height / 2),
        ),
        keypoints=torch.from_numpy(interpolated(points, found)).float(),
        confidence=confidence.float(),
        visible=confidence,
        skeleton=skeleton,
        keypoint_skeleton=skeleton,
    )
