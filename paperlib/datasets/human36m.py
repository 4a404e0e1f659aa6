"""Human3.6M, read from the archives that the field prepares from it.

The data set is licensed and brought by the user: ``data_3d_h36m.npz`` (motion capture in world
space) and ``data_2d_h36m_<keypoints>.npz`` (2D keypoints in each camera's image), the formats of
VideoPose3D. Calibration is the package's own copy of the constants.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from paperlib.cameras import Camera, project, world_to_camera
from paperlib.datasets import prepared
from paperlib.errors import contents_of, one_of
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import H36M_17, H36M_17_OF_32

TRAIN = ("S1", "S5", "S6", "S7", "S8")
TEST = ("S9", "S11")
UNLABELLED = ("S2", "S3", "S4", "S10")  # filmed by the same cameras; their poses are not published

# in the order of the papers' tables
ACTIONS = tuple(
    "Directions Discussion Eating Greeting Phoning Photo Posing Purchases Sitting SittingDown"
    " Smoking Waiting WalkDog Walking WalkTogether".split()
)

_RENAMED = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}  # the data set's own names
_ABSENT = ("S11", "Directions")  # its video is damaged; every published number leaves it out
_EVERY = 25  # frames of which one is held against its keypoints
_NORMALISED = 10.0  # pixels, that no film stays below
_WORST_SHARE = 0.1  # of a body's size; detectors are off by 2 or 3 %
_FILES = prepared.Source(
    "Human3.6M", "human36m", "h36m", "http://vision.imar.ro/human3.6m", "synthetic"
)


class _Clip(NamedTuple):
    subject: str
    action: str  # one of ACTIONS
    name: str  # as stored, e.g. "Walking 1"
    world: torch.Tensor  # (T, 17, 3) metres, float64


@contents_of("the files of Human3.6M")
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
    ids = prepared.chosen("camera", cameras, camera_ids())
    wanted = prepared.chosen("action", actions, ACTIONS)
    _FILES.keypoints_file(keypoints)  # a name that is none is refused before a file is missed
    clips = _read_clips(wanted)
    detections = _read_detections(keypoints)
    recordings = [view for clip in clips for view in _views(clip, detections, ids)]
    if detections:
        _check_agreement(recordings, detections.path)
    return Dataset(
        name=f"human36m-{keypoints}",
        source=_source(keypoints if detections else "exact projections", clips, ids, wanted),
        train=tuple(r for r in recordings if r.subject in TRAIN),
        test=tuple(r for r in recordings if r.subject in TEST),
    )


def load_unlabelled(
    keypoints: str = "cpn_ft_h36m_dbb",
    subjects: Iterable[str] | None = None,
    cameras: Iterable[str | int] | None = None,
    actions: Iterable[str] | None = None,
) -> Dataset:
    """The subjects of :data:`UNLABELLED` as video without poses, all to learn from: the unlabelled
    part of a semi-supervised training whose other part is :func:`load` of the same ``keypoints``.

    Recordings have keypoints and no positions, in every camera's view over the whole of its video;
    a camera has the intrinsics of the other subjects, and nobody knows where it stood.
    ``subjects`` are by default those that the archive has: VideoPose3D's of Detectron and CPN
    bring S2, S3 and S4. The file of positions is not needed.

    Raises ``MissingDataError`` where the archive is not there, and ``ValueError`` where it does not
    hold what it should.
    """
    ids = prepared.chosen("camera", cameras, camera_ids())
    wanted = prepared.chosen("action", actions, ACTIONS)
    detections = _FILES.keypoints(keypoints, camera_ids())
    there = tuple(s for s in UNLABELLED if detections.stored.get(s))
    if not there:
        raise ValueError(
            f"{detections.path}: no keypoints of {', '.join(UNLABELLED)}, whose poses are not "
            "published; take an archive that has some of them, as detectron_ft_h36m"
        )
    chosen = prepared.chosen("subject without poses", subjects, there)
    clips = [
        (subject, action, name)
        for subject in chosen
        for name in detections.stored[subject]
        if (action := _action(name, detections.path)) in wanted
    ]
    recordings = [
        _recording(clip, camera, view, detections)
        for clip in clips
        for camera, view in zip(_unplaced(), detections.views(clip[0], clip[2]), strict=True)
        if camera.name in ids
    ]
    if not recordings:
        raise ValueError(f"{detections.path}: no clips of {', '.join(wanted)}")
    if max(r.keypoints.abs().max() for r in recordings) < _NORMALISED:
        raise ValueError(
            f"{detections.path}: keypoints up to {_NORMALISED:g}: normalised? expected pixels; "
            "prepare the file again"
        )
    return Dataset(
        name=f"human36m-{keypoints}-unlabelled",
        source=(
            f"Human3.6M, {', '.join(chosen)}, whose poses are not published: {keypoints} keypoints "
            f"alone at 50 Hz, cameras {', '.join(ids)}, {len(clips)} clips."
        ),
        train=tuple(recordings),
        test=(),
    )


# -- cameras -------------------------------------------------------------------------------------


def camera_ids() -> tuple[str, ...]:
    """The four cameras' ids, in the order in which keypoint archives list their views."""
    return tuple(str(number) for number in prepared.constants("human36m")["camera_order_ids"])


@cache
def cameras(subject: str) -> tuple[Camera, ...]:
    """The four calibrated cameras as they stood for ``subject``, in the order of the archives."""
    lenses = prepared.constants("human36m")["intrinsics"]
    places = prepared.constants("human36m")["extrinsics"][one_of("subject", subject, TRAIN + TEST)]
    return tuple(_camera(lens, place) for lens, place in zip(lenses, places, strict=True))


def _unplaced() -> tuple[Camera, ...]:
    """The same four, nobody knows where."""
    return tuple(_camera(lens) for lens in prepared.constants("human36m")["intrinsics"])


def _camera(lens: dict[str, Any], place: dict[str, Any] | None = None) -> Camera:
    assert place is None or lens["camera_id"] == place["camera_id"]
    named = ("focal_length_xy_px", "principal_point_xy_px", "radial_distortion_k1_k2_k3")
    numbers = [tuple(lens[name]) for name in (*named, "tangential_distortion_p1_p2")]
    size = (lens["res_w_px"], lens["res_h_px"])
    return Camera(
        str(lens["camera_id"]), *size, *numbers, **prepared.placed(place) if place else {}
    )


# -- files ---------------------------------------------------------------------------------------


def find() -> Path:
    """The folder of the 3D file; ``MissingDataError`` tells how to get it."""
    return _FILES.require(_FILES.positions_file).parent


def _read_clips(actions: tuple[str, ...]) -> list[_Clip]:
    path, stored = _FILES.positions(TRAIN + TEST)
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
    points = prepared.of_joints(points, (32, 17), where)
    if points.shape[1] == 32:
        points = points[:, list(H36M_17_OF_32)]
    return prepared.in_metres(points, where)


def _read_detections(keypoints: str) -> prepared.Keypoints | None:
    if keypoints == "gt" and _FILES.find(_FILES.keypoints_file("gt")) is None:
        return None
    return _FILES.keypoints(keypoints, camera_ids())


# -- recordings ----------------------------------------------------------------------------------


def _views(
    clip: _Clip, detections: prepared.Keypoints | None, ids: tuple[str, ...]
) -> Iterator[Recording]:
    """The clip's recordings by the cameras of these ids."""
    seen = detections and detections.views(clip.subject, clip.name, len(clip.world))
    for index, camera in enumerate(cameras(clip.subject)):
        if camera.name not in ids:
            continue
        positions = world_to_camera(clip.world, camera)
        keypoints = seen[index] if seen else project(positions, camera).float()
        yield _recording(clip[:3], camera, keypoints, detections, positions.float())


def _recording(
    clip: tuple[str, str, str],
    camera: Camera,
    keypoints: torch.Tensor,
    detections: prepared.Keypoints | None,
    positions: torch.Tensor | None = None,
) -> Recording:
    about = (*clip, float(prepared.constants("human36m")["frame_rate_hz"]), camera)
    found = (keypoints, torch.ones(keypoints.shape[:2]), positions)
    return Recording(*about, *found, H36M_17, detections.skeleton if detections else H36M_17)


def _check_agreement(recordings: list[Recording], path: Path) -> None:
    """``ValueError`` for a camera whose keypoints are not where the positions are seen, most of
    them: the archive's cameras are then in another order, or its keypoints no pixels."""
    off: dict[str, list[float]] = {}
    for r in recordings:
        shared = [joint for joint in r.skeleton.joints if joint in r.keypoint_skeleton.joints]
        frames = slice(None, None, _EVERY)
        seen = project(r.positions[frames, [r.skeleton.index(j) for j in shared]], r.camera)
        found = r.keypoints[frames, [r.keypoint_skeleton.index(j) for j in shared]]
        size = (seen.amax(dim=1) - seen.amin(dim=1)).norm(dim=-1, keepdim=True)
        off.setdefault(r.camera.name, []).append(((found - seen).norm(dim=-1) / size).median())
    for name, shares in off.items():
        share = torch.tensor(shares).median().item()
        if not share < _WORST_SHARE:
            raise ValueError(
                f"{path}: the keypoints of camera {name} lie {share:.0%} of a body's size from "
                "where it sees the positions (median): pixels are expected, not normalised, and "
                f"cameras in the order {', '.join(camera_ids())}; prepare the file again"
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
