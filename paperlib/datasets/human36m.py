"""Human3.6M, read from the archives that the field prepares from it.

The data set is licensed and brought by the user: ``data_3d_h36m.npz`` (motion capture in world
space) and ``data_2d_h36m_<keypoints>.npz`` (2D keypoints in each camera's image), the formats of
VideoPose3D. Calibration is the package's own copy of the constants.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from paperlib.cameras import Camera, project, world_to_camera
from paperlib.datasets.archives import layout, read_archive
from paperlib.errors import MissingDataError, one_of
from paperlib.paths import data_dir, data_dirs, shown
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17, H36M_17_OF_32, Skeleton

TRAIN = ("S1", "S5", "S6", "S7", "S8")
TEST = ("S9", "S11")

# in the order of the papers' tables
ACTIONS = (
    "Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases",
    "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether",
)  # fmt: skip

_RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}  # the data set's own names
_ABSENT = ("S11", "Directions")  # its video is damaged; every published number leaves it out
_POSITIONS_FILE = "data_3d_h36m.npz"


class _Clip(NamedTuple):
    subject: str
    action: str  # one of ACTIONS
    name: str  # as stored, e.g. "Walking 1"
    world: torch.Tensor  # (T, 17, 3) metres, float64


def load(
    keypoints: str = "gt",
    cameras: Iterable[str | int] | None = None,
    actions: Iterable[str] | None = None,
) -> Dataset:
    """Human3.6M with the standard subject split, every clip in each camera's view.

    ``keypoints`` names the 2D archive: ``gt``, or a detector such as ``cpn_ft_h36m_dbb`` or
    ``detectron_ft_h36m``. Without an archive for ``gt`` the positions are projected with the full
    lens model, which is what that archive holds. ``cameras`` (ids) and ``actions`` (of
    :data:`ACTIONS`) limit what is read. A recording's ``action`` is one of :data:`ACTIONS`, its
    ``clip`` the name as stored (``Walking 1``). Positions are metres in camera space at 50 Hz.

    Raises ``MissingDataError`` where a file is not there, and ``ValueError`` where the files do
    not hold what they should.
    """
    ids = _chosen("camera", cameras, camera_ids())
    wanted = _chosen("action", actions, ACTIONS)
    if not re.fullmatch(r"[\w.-]+", keypoints):
        raise ValueError(f"keypoints={keypoints!r}: give the <name> in data_2d_h36m_<name>.npz")
    clips = _read_clips(wanted)
    detections = _read_detections(keypoints)
    recordings = [view for clip in clips for view in _views(clip, detections, ids)]
    return Dataset(
        name=f"human36m-{keypoints}",
        source=_source(keypoints if detections else "exact projections", clips, ids, wanted),
        train=tuple(r for r in recordings if r.subject in TRAIN),
        test=tuple(r for r in recordings if r.subject in TEST),
    )


def _chosen(
    what: str, given: Iterable[str | int] | None, all_of_them: tuple[str, ...]
) -> tuple[str, ...]:
    """The members of ``all_of_them`` that were asked for, in their own order."""
    if given is None:
        return all_of_them
    given = [given] if isinstance(given, str | int) else given
    given = [one_of(what, str(name), all_of_them) for name in given]
    if not given:
        raise ValueError(f"no {what} chosen: leave it out for all, or name some of {all_of_them}")
    return tuple(name for name in all_of_them if name in given)


# -- cameras -------------------------------------------------------------------------------------


@cache
def _calibration() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("human36m_cameras.json").read_text("utf-8"))


def camera_ids() -> tuple[str, ...]:
    """The four cameras' ids, in the order in which keypoint archives list their views."""
    return tuple(str(number) for number in _calibration()["camera_order_ids"])


@cache
def cameras(subject: str) -> tuple[Camera, ...]:
    """The four calibrated cameras as they stood for ``subject``, in the order of the archives."""
    constants = _calibration()
    placed = constants["extrinsics"][one_of("subject", subject, TRAIN + TEST)]
    return tuple(
        _camera(lens, place) for lens, place in zip(constants["intrinsics"], placed, strict=True)
    )


def _camera(lens: dict[str, Any], place: dict[str, Any]) -> Camera:
    assert lens["camera_id"] == place["camera_id"]
    turn = np.array(place["camera_to_world_quaternion_wxyz"])
    return Camera(
        name=str(lens["camera_id"]),
        width=lens["res_w_px"],
        height=lens["res_h_px"],
        focal=tuple(lens["focal_length_xy_px"]),
        centre=tuple(lens["principal_point_xy_px"]),
        radial=tuple(lens["radial_distortion_k1_k2_k3"]),
        tangential=tuple(lens["tangential_distortion_p1_p2"]),
        orientation=tuple((turn / np.linalg.norm(turn)).tolist()),
        position=tuple(mm / 1000 for mm in place["camera_centre_world_mm"]),
    )


# -- files ---------------------------------------------------------------------------------------


def find() -> Path:
    """The folder of the 3D file; ``MissingDataError`` tells how to get it."""
    path = _find(_POSITIONS_FILE)
    if path is None:
        raise _missing(_POSITIONS_FILE)
    return path.parent


def _find(name: str) -> Path | None:
    places = [place / name for root in data_dirs() for place in (root / "human36m", root)]
    return next((place for place in places if place.is_file()), None)


def _missing(name: str) -> MissingDataError:
    there = {
        p.name for d in data_dirs() for p in (*d.glob("human36m/*.npz"), *d.glob("*h36m*.npz"))
    }
    return MissingDataError(
        f"Human3.6M: {name} is missing (found: {', '.join(sorted(there)) or 'none of its files'}). "
        f"Put it into {shown(data_dir() / 'human36m')}/ or set PAPERLIB_DATA to the folder that "
        "holds human36m/. The data set is licensed: register at http://vision.imar.ro/human3.6m, "
        "then make the file with the data preparation scripts of VideoPose3D "
        "(github.com/facebookresearch/VideoPose3D, DATASETS.md). "
        'dataset="synthetic" runs without it.'
    )


def _entry(archive: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = archive.get(key)
    if not isinstance(value, dict):
        raise ValueError(
            f"{path}: expected an entry {key!r} with a dictionary, found {sorted(archive)}; "
            "this is another kind of file, prepare it again"
        )
    return value


def _read_clips(actions: tuple[str, ...]) -> list[_Clip]:
    path = _find(_POSITIONS_FILE)
    if path is None:
        raise _missing(_POSITIONS_FILE)
    stored = _entry(read_archive(path), "positions_3d", path)
    absent = [subject for subject in TRAIN + TEST if not stored.get(subject)]
    if absent:
        raise ValueError(
            f"{path}: no positions of {', '.join(absent)}; the standard split needs all of "
            f"{', '.join(TRAIN + TEST)}. Prepare the file again from all subjects"
        )
    clips = [
        _Clip(subject, action, name, _world(points, f"{path}: {subject}/{name}"))
        for subject in TRAIN + TEST
        for name, points in stored[subject].items()
        if (action := _action(name, path)) in actions and (subject, name) != _ABSENT
    ]
    if not clips:
        raise ValueError(f"{path}: no clips of {', '.join(actions)}")
    return clips


def _action(clip: str, path: Path) -> str:
    """``Walking 1`` -> ``Walking``."""
    name = re.sub(r" \d+$", "", clip)
    return one_of(f"action in {path}:", _RENAMED.get(name, name), ACTIONS)


def _world(points: Any, where: str) -> torch.Tensor:
    """Positions (T, 17, 3) in metres, of stored ones with 32 joints or 17."""
    points = np.asarray(points)
    if points.ndim != 3 or points.shape[1] not in (32, 17) or points.shape[2] != 3:
        raise ValueError(
            f"{where}: expected positions (T, 32, 3) or (T, 17, 3), got {points.shape}"
        )
    if points.shape[1] == 32:
        points = points[:, list(H36M_17_OF_32)]
    if np.abs(points).max(initial=0) > 100:
        raise ValueError(
            f"{where}: positions up to {np.abs(points).max():.0f}: millimetres? "
            "expected metres; divide by 1000 when preparing the file"
        )
    return torch.from_numpy(points.astype(np.float64))


class _Detections:
    """A 2D archive: subject -> clip -> one array (T, K, 2) of pixels for each camera."""

    def __init__(self, path: Path):
        archive = read_archive(path)
        self.path = path
        self.stored = _entry(archive, "positions_2d", path)
        self.skeleton: Skeleton = layout(archive.get("metadata"), path)

    def views(self, clip: _Clip) -> list[np.ndarray]:
        """The clip in each of the four cameras, cut to the length of its motion capture."""
        where = f"{self.path}: {clip.subject}/{clip.name}"
        if clip.name not in self.stored.get(clip.subject, {}):
            raise ValueError(
                f"{where}: no 2D keypoints, but {_POSITIONS_FILE} has positions; "
                "prepare both files from the same videos"
            )
        views = [np.asarray(view) for view in self.stored[clip.subject][clip.name]]
        if len(views) != len(camera_ids()):
            raise ValueError(
                f"{where}: keypoints of {len(views)} cameras, expected {len(camera_ids())} "
                f"({', '.join(camera_ids())})"
            )
        return [self._cut(view, len(clip.world), where) for view in views]

    def _cut(self, view: np.ndarray, frames: int, where: str) -> np.ndarray:
        if view.ndim != 3 or view.shape[1:] != (len(self.skeleton), 2):
            raise ValueError(
                f"{where}: keypoints of shape {view.shape}, expected (T, {len(self.skeleton)}, 2): "
                f"the metadata say {self.skeleton.name}"
            )
        if len(view) < frames:
            raise ValueError(
                f"{where}: keypoints of {len(view)} frames, shorter than the {frames} frames of "
                "positions; detect the whole video, or prepare both files at one frame rate"
            )
        return view[:frames]  # videos run on after the motion capture has stopped


def _read_detections(keypoints: str) -> _Detections | None:
    name = f"data_2d_h36m_{keypoints}.npz"
    path = _find(name)
    if path is None and keypoints != "gt":
        raise _missing(name)
    return path and _Detections(path)


# -- recordings ----------------------------------------------------------------------------------


def _views(
    clip: _Clip, detections: _Detections | None, ids: tuple[str, ...]
) -> Iterator[Recording]:
    """The clip's recordings by the cameras of these ids."""
    shown_in = detections.views(clip) if detections else None
    for index, camera in enumerate(cameras(clip.subject)):
        if camera.name not in ids:
            continue
        positions = world_to_camera(clip.world, camera)
        if shown_in is None:
            keypoints = project(positions, camera).float()
        else:
            keypoints = torch.from_numpy(shown_in[index].astype(np.float32))
        yield Recording(
            subject=clip.subject,
            action=clip.action,
            clip=clip.name,
            fps=float(_calibration()["frame_rate_hz"]),
            camera=camera,
            positions=positions.float(),
            keypoints=keypoints,
            confidence=torch.ones(keypoints.shape[:2]),
            keypoint_skeleton=detections.skeleton if detections else H36M_17,
        )


def _source(keypoints: str, clips: list[_Clip], ids: tuple[str, ...], actions) -> str:
    there = {(clip.subject, clip.action) for clip in clips}
    lost = [f"{s} {a}" for a in actions for s in TRAIN + TEST if (s, a) not in there]
    text = (
        f"Human3.6M, 17 joints at 50 Hz, cameras {', '.join(ids)}; standard subject split: "
        f"{', '.join(TRAIN)} to train, {', '.join(TEST)} to test; clip Directions of S11 absent "
        f"(damaged video); 2D keypoints: {keypoints}"
    )
    if len(actions) < len(ACTIONS):
        text += f"; only {', '.join(actions)}"
    if lost:
        text += f"; not in the files: {', '.join(lost)}"
    return text + "."
