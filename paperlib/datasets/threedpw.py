"""3DPW: people outdoors, filmed by a hand-held camera (cheng2020, 4; Von Marcard et al. 2018).

The data set is licensed and brought by the user: ``sequenceFiles/test/<sequence>.pkl``, pickles of
Python 2 (images are not needed). Of a file are read, for each person, ``poses2d`` ``(N, 3, 18)``
(x, y and confidence of OpenPose's 18 points; none where fewer than six were found),
``jointPositions`` ``(N, 72)`` (world metres of SMPL's 24 joints) and ``campose_valid`` ``(N,)``;
and for all, ``cam_poses`` ``(N, 4, 4)`` (world to camera) and ``cam_intrinsics`` ``(3, 3)``.

The numbers of the literature are of 14 joints that are regressed from SMPL's mesh; ours are of the
14 that SMPL's own joints and the other data sets share. That is another protocol.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from paperlib.cameras import Camera, project
from paperlib.datasets.archives import read_pickle
from paperlib.datasets.prepared import Files, chosen
from paperlib.errors import contents_of
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17, COMMON_14, SMPL_24, convert

SEQUENCES = tuple(
    "downtown_arguing_00 downtown_bar_00 downtown_bus_00 downtown_cafe_00 downtown_car_00"
    " downtown_crossStreets_00 downtown_downstairs_00 downtown_enterShop_00"
    " downtown_rampAndStairs_00 downtown_runForBus_00 downtown_runForBus_01"
    " downtown_sitOnStairs_00 downtown_stairs_00 downtown_upstairs_00 downtown_walkBridge_01"
    " downtown_walkUphill_00 downtown_walking_00 downtown_warmWelcome_00"
    " downtown_weeklyMarket_00 downtown_windowShopping_00 flat_guitar_01 flat_packBags_00"
    " office_phoneCall_00 outdoors_fencing_01".split()
)
FPS = 30.0
FEWEST = 6  # points found in a frame that counts

# where OpenPose's 18 points have those of COCO, in COCO's order; the neck between is left out
_COCO_OF_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
_FILES = Files(
    "3DPW",
    "threedpw",
    "3DPW",
    "The data set is licensed: register at https://virtualhumans.mpi-inf.mpg.de/3DPW and get "
    'sequenceFiles.zip; its images are not needed. Without it, "real_video" is a real film, and '
    'dataset="cmu" real motion.',
)
_PEOPLE = ("poses2d", "jointPositions", "campose_valid")  # a list with an entry for each person
_FARTHEST = 1e4  # metres, pixels
# pixels between points found and joints projected (median) beyond which they are of different
# people or cameras: OpenPose and SMPL differ by some, a wrong camera by hundreds
_WORST_FIT = 100.0


def load(sequences: Iterable[str] | None = None) -> Dataset:
    """The test part of 3DPW, all to test on: each person of ``sequences`` (of :data:`SEQUENCES`;
    all by default), cut where frames are left out into clips ``<sequence>#<person>.<piece>``.

    Positions are the 14 joints of ``COMMON_14`` in metres in camera space, keypoints the 17 points
    of COCO that OpenPose found, with its confidence. Frames of a person with fewer than six points,
    or whose camera pose was not aligned to the image, are left out and counted in ``excluded``.
    The camera moves, and a recording's camera stays at the origin: it says nothing of the world.
    ``frames`` are numbers in the film.

    Raises ``MissingDataError`` where a file is not there, and ``ValueError`` where the files do not
    hold what they should; ``UnsafeFileError`` for a pickle that would run code.
    """
    names = chosen("sequence", sequences, SEQUENCES)
    paths = {name: _FILES.require(f"sequenceFiles/test/{name}.pkl") for name in names}
    recordings, total, few, unaligned = [], 0, 0, 0
    for name, path in paths.items():
        with contents_of(path):
            camera, people = _read(path)
        for person, track in enumerate(people):
            total += len(track.aligned)
            unaligned += int((~track.aligned).sum())
            few += int((track.aligned & ~track.found).sum())
            recordings += _pieces(name, person, track, camera)
    return Dataset(
        name="threedpw",
        source=(
            f"3DPW's test part, {len(names)} of {len(SEQUENCES)} sequences at {FPS:g} Hz, "
            "keypoints of OpenPose as they come with it; 14 joints, SMPL's own, which is another "
            "protocol than the usual one of 14 joints regressed from the mesh."
        ),
        train=(),
        test=tuple(recordings),
        excluded=(
            f"{few + unaligned} of {total} frames of a person: {few} with fewer than {FEWEST} "
            f"points found, {unaligned} whose camera was not aligned"
        ),
    )


def find() -> Path:
    """The data set's folder; ``MissingDataError`` tells how to get it."""
    return _FILES.require(f"sequenceFiles/test/{SEQUENCES[0]}.pkl").parents[2]


class _Track(NamedTuple):
    """One person in N frames."""

    keypoints: torch.Tensor  # (N, 17, 2) pixels
    confidence: torch.Tensor  # (N, 17)
    positions: torch.Tensor  # (N, 14, 3) metres, camera space
    aligned: torch.Tensor  # (N,) bool
    found: torch.Tensor  # (N,) bool


def _read(path: Path) -> tuple[Camera, list[_Track]]:
    stored = read_pickle(path)
    needed = {*_PEOPLE, "cam_poses", "cam_intrinsics"}
    if not isinstance(stored, dict) or not needed <= stored.keys():
        there = sorted(map(str, stored)) if isinstance(stored, dict) else type(stored).__name__
        raise ValueError(f"{path}: expected {', '.join(sorted(needed))}; found {there}")
    if not all(isinstance(stored[name], list | np.ndarray) for name in _PEOPLE):
        raise ValueError(f"{path}: expected a list for each of {', '.join(_PEOPLE)}")
    counts = {name: len(stored[name]) for name in _PEOPLE}
    if len(set(counts.values())) != 1 or not counts["poses2d"]:
        raise ValueError(f"{path}: expected as many people in each of the lists, found {counts}")
    camera = _camera(_numbers(stored["cam_intrinsics"], (3, 3), "cam_intrinsics", path), path)
    extrinsics = _numbers(stored["cam_poses"], (None, 4, 4), "cam_poses", path)
    people = zip(*(stored[name] for name in _PEOPLE), strict=True)
    return camera, [_track(person, extrinsics, camera, path) for person in people]


def _numbers(values: Any, shape: tuple[int | None, ...], name: str, path: Path) -> torch.Tensor:
    """float64; None in ``shape`` is any length."""
    array = np.asarray(values)
    alike = len(array.shape) == len(shape) and all(
        wanted in (None, given) for wanted, given in zip(shape, array.shape, strict=True)
    )
    if not alike or array.dtype.kind not in "biuf" or not array.size:
        expected = ", ".join("N" if n is None else str(n) for n in shape)
        raise ValueError(
            f"{path}: {name} of {array.dtype} {array.shape}, expected numbers ({expected}); get "
            "the file again"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: NaN or infinite values in {name}; get the file again")
    return torch.from_numpy(array.astype(np.float64))


def _camera(matrix: torch.Tensor, path: Path) -> Camera:
    (fx, _, cx), (_, fy, cy), _ = matrix.tolist()
    if not (0 < min(fx, fy, cx, cy) and max(fx, fy, cx, cy) < _FARTHEST):
        raise ValueError(f"{path}: cam_intrinsics {matrix.tolist()} are of no camera")
    # the middle of the image is all that tells its size
    return Camera("moving", round(2 * cx), round(2 * cy), focal=(fx, fy), centre=(cx, cy))


def _track(
    person: tuple[Any, Any, Any], extrinsics: torch.Tensor, camera: Camera, path: Path
) -> _Track:
    frames = len(extrinsics)
    every = _numbers(person[0], (frames, 3, 18), "poses2d", path).mT
    found = (every[..., 2] > 0).sum(dim=1) >= FEWEST
    points = every[:, list(_COCO_OF_18)]
    world = _numbers(person[1], (frames, 3 * len(SMPL_24)), "jointPositions", path)
    aligned = _numbers(person[2], (frames,), "campose_valid", path) != 0
    world = convert(world.reshape(frames, len(SMPL_24), 3), SMPL_24, COMMON_14)
    positions = world @ extrinsics[:, :3, :3].mT + extrinsics[:, None, :3, 3]
    confidence = points[..., 2].clamp(0, 1)
    _check_projection(positions, points, aligned & found, camera, path)
    return _Track(points[..., :2].float(), confidence.float(), positions.float(), aligned, found)


def _check_projection(
    positions: torch.Tensor, points: torch.Tensor, kept: torch.Tensor, camera: Camera, path: Path
) -> None:
    both = [name for name in COMMON_14.joints if name in COCO_17.joints]
    seen = points[kept][:, [COCO_17.index(name) for name in both]]
    joints = positions[kept][:, [COMMON_14.index(name) for name in both]]
    counted = (seen[..., 2] > 0) & (joints[..., 2] > 0)
    off = (project(joints, camera) - seen[..., :2]).norm(dim=-1)[counted]
    if len(seen) and not (len(off) and off.median() < _WORST_FIT):
        apart = f"{off.median():.0f} pixels" if len(off) else "behind the camera, away"
        raise ValueError(
            f"{path}: joints are seen {apart} from the points found (median): positions, cameras "
            "and points are not of one film; get the file again"
        )


def _pieces(name: str, person: int, track: _Track, camera: Camera) -> Iterator[Recording]:
    """The runs of frames that are kept."""
    kept = track.aligned & track.found
    numbers = kept.nonzero().flatten()
    # where a frame is left out, motion would leap
    starts = (numbers.diff() != 1).nonzero().flatten() + 1
    for piece, frames in enumerate(numbers.tensor_split(starts) if len(numbers) else ()):
        yield Recording(
            subject=f"{name}-{person}",  # nothing says who appears in two sequences
            action=name.rsplit("_", 1)[0],
            clip=f"{name}#{person}.{piece}",  # its frames are not those of other people's
            fps=FPS,
            camera=camera,
            keypoints=track.keypoints[frames],
            confidence=track.confidence[frames],
            positions=track.positions[frames],
            skeleton=COMMON_14,
            keypoint_skeleton=COCO_17,
            person=person,
            frames=frames,
        )
