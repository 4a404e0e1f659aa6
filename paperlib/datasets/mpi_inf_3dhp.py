"""MPI-INF-3DHP, as its own files have it (veges2020, 4.1 and its reference implementation).

The data set is licensed and brought by the user: for each subject and sequence ``annot.mat`` and
``camera.calibration``, as ``S1/Seq1/annot.mat``, and for the test sequences
``TS1/annot_data.mat``. The latter are HDF5 files, which need h5py, and are read only where asked
for. Images are not needed. Where the annotation is known to be wrong it is mended as the reference
implementation does, and what cannot be mended is left out.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch

from paperlib.cameras import Camera
from paperlib.datasets import mupots
from paperlib.datasets.prepared import Files, chosen
from paperlib.errors import one_of
from paperlib.kinematics import matrix_to_quaternion
from paperlib.outside.hdf5 import read_hdf5
from paperlib.outside.matlab import read_mat
from paperlib.paths import regular_file
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import MUPOTS_17, MUPOTS_17_OF_3DHP_28

SUBJECTS = tuple(f"S{number}" for number in range(1, 9))
SEQUENCES = ("Seq1", "Seq2")
TEST_SEQUENCES = tuple(f"TS{number}" for number in range(1, 7))
CAMERAS = tuple(str(number) for number in range(14))
USED_CAMERAS = CAMERAS[:11]  # of veges2020; the last three look down from the ceiling
FPS = 25.0

_AT_50_HZ = {("S1", "Seq2"), *((subject, s) for subject in ("S3", "S5") for s in SEQUENCES)}
_LEFT_OUT = ("S3", "Seq2", "2")
_SURPLUS = ("S3", "Seq1")  # has an annotation more than frames: the last
_SWAPPED = ("S4", "Seq2", slice(3759, 5853))  # left and right exchanged
# the data set's world has y up, the project's z: x, -z, y
_Z_UP = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
_FILES = Files("MPI-INF-3DHP", "mpi_inf_3dhp", "mpi_inf_3dhp_test_set", mupots.HOW)


def load(
    subjects: Iterable[str] | None = None,
    cameras: Iterable[str | int] = USED_CAMERAS,
    coordinates: str = "normal",
    test: bool = False,
) -> Dataset:
    """Both sequences of ``subjects`` (all eight) in each of ``cameras`` (0 to 10) to train on, and
    with ``test`` the six test sequences to be judged on, which needs h5py.

    Positions are the 17 joints of ``MUPOTS_17`` in metres in camera space, at 25 Hz (sequences of
    50 Hz are halved; the paper then takes every second frame of all). ``coordinates`` are
    ``"normal"``, or ``"universal"``: every person scaled to one height, which the image does not
    show. Keypoints are the annotated ones, with confidence 1. A recording's ``action`` is its
    sequence, each of which has four activities. Test sequences have all their frames; which of
    them to count is said by ``mupots.valid_frames``. They are taken for 25 Hz too: their files do
    not say.

    Raises ``MissingDataError`` where a file is not there, and ``ValueError`` where the files do not
    hold what they should.
    """
    people = chosen("subject", subjects, SUBJECTS)
    ids = chosen("camera", cameras, CAMERAS)
    one_of("coordinates", coordinates, mupots.COORDINATES)
    clips = product(people, SEQUENCES)
    train = [view for clip in clips for view in _views(*clip, ids, coordinates)]
    return Dataset(
        name=f"mpi_inf_3dhp-{coordinates}",
        source=(
            f"MPI-INF-3DHP, 17 joints at {FPS:g} Hz, {coordinates} coordinates, cameras "
            f"{', '.join(ids)}: {', '.join(people)} to train, "
            f"{'TS1 to TS6' if test else 'nothing'} to test; exact 2D keypoints. Left and right of "
            "S4 Seq2, frames 3759-5852, exchanged."
        ),
        train=tuple(train),
        test=tuple(_test(name, coordinates) for name in TEST_SEQUENCES) if test else (),
        excluded=(
            "camera 2 of S3 Seq2; the last annotation of S3 Seq1, of which there is no frame"
            + ("" if test else "; the test sequences")
        ),
    )


def find() -> Path:
    """The data set's folder; ``MissingDataError`` tells how to get it."""
    return _FILES.require("S1/Seq1/annot.mat").parents[2]


# -- training sequences --------------------------------------------------------------------------


def _views(
    subject: str, sequence: str, ids: tuple[str, ...], coordinates: str
) -> Iterator[Recording]:
    path = _FILES.require(f"{subject}/{sequence}/annot.mat")
    calibrated = read_calibration(_FILES.require(f"{subject}/{sequence}/camera.calibration"))
    field = mupots.COORDINATES[coordinates]
    stored = read_mat(path, "annot2", field, "frames", "cameras")
    numbers = stored["frames"].flatten().astype(np.int64)
    if (np.diff(numbers) != 1).any():
        raise ValueError(f"{path}: frame numbers with gaps, over which motion would leap")
    for name in ids:
        if (subject, sequence, name) == _LEFT_OUT:
            continue
        where = f"{path}: camera {name}"
        if name not in calibrated:
            raise ValueError(f"{where}: not in camera.calibration; get both files again")
        keypoints, points = (_cell(stored, f, name, where) for f in ("annot2", field))
        if not len(keypoints) == len(points) == len(numbers):
            raise ValueError(
                f"{where}: {len(keypoints)} frames of annot2, {len(points)} of {field} and "
                f"{len(numbers)} frame numbers; expected as many of each, get the file again"
            )
        positions = mupots.in_metres(points, torch.ones(len(points), dtype=torch.bool), where)
        if coordinates == "normal":
            mupots.check_projection(positions, keypoints, calibrated[name], where)
        keypoints, positions = (_mended(p, subject, sequence) for p in (keypoints, positions))
        about = (subject, sequence, f"{subject} {sequence}", FPS, calibrated[name])
        found = (keypoints, torch.ones(keypoints.shape[:2]), positions)
        yield Recording(*about, *found, MUPOTS_17, MUPOTS_17)


def _cell(stored: dict[str, np.ndarray], field: str, camera: str, where: str) -> torch.Tensor:
    """(T, 17, 2 or 3) of one camera, as the file has them; float64."""
    names = [str(number) for number in stored["cameras"].flatten()]
    cells, width = stored[field].flatten(), 28 * (2 if field == "annot2" else 3)
    if camera not in names or len(cells) != len(names) or cells.dtype != object:
        raise ValueError(
            f"{where}: {field} has {len(cells)} cells for the cameras {', '.join(names)}; expected "
            f"one for each of {', '.join(CAMERAS)}"
        )
    values = cells[names.index(camera)]
    if values.ndim != 2 or values.shape[1] != width:
        raise ValueError(f"{where}: {field} of shape {values.shape}, expected (T, {width})")
    points = torch.from_numpy(values.astype(np.float64)).reshape(len(values), 28, width // 28)
    return points[:, list(MUPOTS_17_OF_3DHP_28)]


def _mended(points: torch.Tensor, subject: str, sequence: str) -> torch.Tensor:
    """(T, 17, D) without the data set's known faults, at 25 Hz; float32."""
    if (subject, sequence) == _SURPLUS:
        points = points[:-1]
    if (subject, sequence) == _SWAPPED[:2]:
        points = points.clone()
        points[_SWAPPED[2]] = points[_SWAPPED[2]][:, list(MUPOTS_17.mirrored)]
    return points[:: 2 if (subject, sequence) in _AT_50_HZ else 1].float()


def read_calibration(path: Path) -> dict[str, Camera]:
    """The cameras of a ``camera.calibration`` file by name, in the project's world (z up)."""
    text = regular_file(path).read_text("utf-8", "replace")
    _, *blocks = re.split(r"^\s*name\s+(\S+)", text, flags=re.M)
    cameras = {}
    for name, text in zip(blocks[::2], blocks[1::2], strict=True):
        where = f"{path}: camera {name}"
        try:
            rows = [line.split() for line in text.splitlines() if line.strip()]
            numbers = {key: [float(value) for value in values] for key, *values in rows}
        except ValueError as error:
            raise ValueError(f"{where}: {error}; get the file again") from None
        cameras[name] = _camera(name, numbers, where)
    return cameras


def _camera(name: str, block: dict[str, list[float]], where: str) -> Camera:
    sizes = {key: len(block.get(key, ())) for key in ("size", "intrinsic", "extrinsic")}
    if sizes != {"size": 2, "intrinsic": 16, "extrinsic": 16} or any(block.get("radial", ())):
        raise ValueError(
            f"{where}: expected 2 numbers of size, 16 of intrinsic, 16 of extrinsic and a radial "
            f"distortion of 0; got {sizes} and {block.get('radial')}"
        )
    (fx, _, cx, _), (_, fy, cy, _) = np.reshape(block["intrinsic"], (4, 4))[:2].tolist()
    place = torch.tensor(block["extrinsic"], dtype=torch.float64).reshape(4, 4)
    to_camera = place[:3, :3] @ _Z_UP.T
    if (to_camera @ to_camera.T - torch.eye(3)).abs().max() > 1e-3:
        raise ValueError(f"{where}: the extrinsic matrix holds no rotation, row by row")
    turn = torch.nn.functional.normalize(matrix_to_quaternion(to_camera.T), dim=-1)
    position = tuple((-to_camera.T @ place[:3, 3] / 1000).tolist())
    stands = {"orientation": tuple(turn.tolist()), "position": position}
    return Camera(name, *map(int, block["size"]), (fx, fy), (cx, cy), **stands)


# -- test sequences ------------------------------------------------------------------------------


def _test(name: str, coordinates: str) -> Recording:
    path = _FILES.require(f"{name}/annot_data.mat")
    field = mupots.COORDINATES[coordinates]
    stored = _read_hdf5(path, {"annot2", "annot3", field, "valid_frame"})
    valid = torch.from_numpy(stored.pop("valid_frame").flatten() == 1)
    for what, values in stored.items():
        shape = (len(valid), 1, 17, 2 if what == "annot2" else 3)
        if values.shape != shape:
            raise ValueError(f"{path}: {what} of shape {values.shape}, expected {shape}")
    points = {what: torch.from_numpy(v[:, 0].astype(np.float64)) for what, v in stored.items()}
    pixels = points.pop("annot2")
    metres = {what: mupots.in_metres(p, valid, path) for what, p in points.items()}
    camera = mupots.fitted_camera(
        name, name in TEST_SEQUENCES[:4], pixels[valid], metres["annot3"][valid], path
    )
    seen = torch.ones(len(valid), 17, dtype=torch.bool)
    about = {"subject": name, "action": name, "clip": name, "fps": FPS, "camera": camera}
    return mupots.annotated(pixels, metres[field], valid, seen, **about)


def _read_hdf5(path: Path, names: set[str]) -> dict[str, np.ndarray]:
    try:
        return read_hdf5(path, names)
    except ImportError:
        raise ImportError(
            f"{path.name} is an HDF5 file: install h5py to read the test sequences, or load the "
            "data set with test=False"
        ) from None
