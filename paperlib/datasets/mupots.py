"""MuPoTS-3D, as its own files have it (veges2020, 4.1; the protocol of its reference).

The data set is licensed and brought by the user: ``TS1/annot.mat`` and ``TS1/occlusion.mat`` to
``TS20/…``; images are not needed. All of it is to be judged on. What it shares with MPI-INF-3DHP,
which comes from the same studio in the same formats, is said here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from paperlib.cameras import Camera, project
from paperlib.datasets.hrnet_tracks import read_tracks
from paperlib.datasets.prepared import Files, chosen
from paperlib.errors import one_of
from paperlib.outside.matlab import read_mat
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_19, MUPOTS_17

SEQUENCES = tuple(f"TS{number}" for number in range(1, 21))
INDOORS = SEQUENCES[:5]  # in the studio of MPI-INF-3DHP, with another camera than the others
COORDINATES = {"normal": "annot3", "universal": "univ_annot3"}
KEYPOINTS = {"annotated": "annotated 2D keypoints", "hrnet": "2D keypoints of HRNet (veges2020)"}

_WORST_FIT = 20.0  # pixels, median


#: how to get the data sets of these authors
HOW = (
    "The data set is licensed: register at https://vcai.mpi-inf.mpg.de/3dhp-dataset and use the "
    "scripts that come with it; its images are not needed. Without it, "
    "paperlib.datasets.muco_temp.compose makes videos of several people from any other data set."
)
_FILES = Files("MuPoTS-3D", "mupots", "MultiPersonTestSet", HOW)
_HRNET = Files(
    "HRNet's keypoints of MuPoTS-3D",
    "mupots",
    "MultiPersonTestSet",
    "They are in the preprocessed data of github.com/vegesm/pose_refinement (its readme links it), "
    'in datasets/MuPoTS/hrnet_pose2d. keypoints="annotated" needs none.',
)


def load(
    sequences: Iterable[str] | None = None,
    coordinates: str = "normal",
    keypoints: str = "annotated",
) -> Dataset:
    """MuPoTS-3D, a recording for each person of each of ``sequences`` (``"TS1"`` to ``"TS20"``).

    The people of a sequence share its ``clip``, ``camera`` and length, and are told apart by
    ``person``. Positions are the 17 joints of ``MUPOTS_17`` in metres in camera space, at 30 Hz in
    TS1 to TS5 and 60 Hz in the others. ``coordinates`` are ``"normal"``, or ``"universal"``: every
    person scaled to one height, on which the papers count 3D-PCK. The intrinsics, which are not
    given, are those that bring the normal positions closest to the annotated keypoints.

    All frames are there, whether their annotation holds or not: see :func:`valid_frames`, which
    says what to count. ``visible`` is False where a joint is occluded or the annotation does not
    hold. Raises ``MissingDataError`` where a file is not there, and ``ValueError`` where the files
    do not hold what they should.

    ``keypoints="hrnet"`` takes those that the reference implementation of veges2020 brings instead
    of the annotated ones: 19 joints of ``COCO_19`` with their scores (``hrnet_tracks``). What to
    count is then said by the recordings with annotated ones, which come in the same order.
    """
    names = chosen("sequence", sequences, SEQUENCES)
    one_of("coordinates", coordinates, COORDINATES)
    found_by = KEYPOINTS[one_of("keypoints", keypoints, KEYPOINTS)]
    return Dataset(
        name=f"mupots-{coordinates}" + (f"-{keypoints}" if keypoints != "annotated" else ""),
        source=(
            f"MuPoTS-3D, 17 joints, {coordinates} coordinates, all to test on: {', '.join(names)}; "
            f"intrinsics fitted to each sequence; {found_by}."
        ),
        train=(),
        test=tuple(track for name in names for track in _tracks(name, coordinates, keypoints)),
        excluded="nothing, but person-frames without a valid annotation are not to be counted",
    )


def find() -> Path:
    """The data set's folder; ``MissingDataError`` tells how to get it."""
    return _FILES.require("TS1/annot.mat").parents[1]


def valid_frames(recording: Recording) -> torch.Tensor:
    """``(T,)`` booleans: the frames whose annotation holds, the only ones to count. Elsewhere the
    annotated confidence is 0. Ask it of a recording as loaded: detectors set other confidences."""
    return recording.confidence.amax(dim=-1) > 0


# -- sequences -----------------------------------------------------------------------------------


def _tracks(name: str, coordinates: str, keypoints: str) -> Iterator[Recording]:
    path = _FILES.require(f"{name}/annot.mat")
    entries = read_mat(path, "annotations")["annotations"]
    path_of_labels = _FILES.require(f"{name}/occlusion.mat")
    labels = read_mat(path_of_labels, "occlusion_labels")["occlusion_labels"]
    if entries.ndim != 2 or entries.size == 0 or labels.shape != entries.shape:
        raise ValueError(
            f"{path}: annotations {entries.shape}, occlusion labels {labels.shape}; expected (T, P)"
            " for both, an entry for each frame and person: get the files again"
        )
    valid = _field(entries, "isValidFrame", (1, 1), path)[..., 0, 0] != 0  # (T, P)
    pixels = _field(entries, "annot2", (2, 17), path).mT  # (T, P, 17, 2)
    points = in_metres(_field(entries, "annot3", (3, 17), path).mT, valid, path)
    indoors = name in INDOORS
    camera = fitted_camera(name, indoors, pixels[valid], points[valid], path)
    if coordinates != "normal":
        points = _field(entries, COORDINATES[coordinates], (3, 17), path).mT
        points = in_metres(points, valid, path)
    occluded = _occluded(labels, path_of_labels)
    found = None
    if keypoints == "hrnet":
        found = read_tracks(_HRNET.require(f"hrnet_pose2d/{name}.pkl"), *entries.shape)
    place = {"action": "indoors" if indoors else "outdoors", "fps": 30.0 if indoors else 60.0}
    for person in range(entries.shape[1]):
        own = [part[:, person] for part in (pixels, points, valid, ~occluded)]
        who = f"{name}-{person}"  # nothing says who appears in two sequences
        track = annotated(*own, subject=who, clip=name, camera=camera, person=person, **place)
        if found is not None:
            track = track.with_keypoints(*(part[:, person] for part in found), COCO_19)
        yield track


def _field(entries: np.ndarray, field: str, shape: tuple[int, int], path: Path) -> torch.Tensor:
    """``(T, P, *shape)`` float64 of structures (T, P), as cells or as an array of structures."""
    values = np.empty((*entries.shape, *shape))
    for place in np.ndindex(entries.shape):
        entry = entries[place]
        entry = entry.flat[0] if isinstance(entry, np.ndarray) and entry.size else entry
        if field not in (getattr(entry, "dtype", np.dtype(float)).names or ()):
            raise ValueError(f"{path}: no {field} in the annotation of frame and person {place}")
        value = np.asarray(entry[field])
        if value.shape != shape:
            raise ValueError(
                f"{path}: {field} of shape {value.shape} in the annotation of frame and person "
                f"{place}; expected {shape}"
            )
        values[place] = value
    return torch.from_numpy(values)


def _occluded(labels: np.ndarray, path: Path) -> torch.Tensor:
    """(T, P, 17) booleans of cells (T, P)."""
    flags = np.zeros((*labels.shape, len(MUPOTS_17)), dtype=bool)
    for place in np.ndindex(labels.shape):
        values = np.asarray(labels[place])
        if values.size != len(MUPOTS_17):
            raise ValueError(
                f"{path}: {values.size} flags for frame and person {place}; expected 17"
            )
        flags[place] = values.flatten() != 0
    return torch.from_numpy(flags)


# -- shared with MPI-INF-3DHP --------------------------------------------------------------------


def in_metres(points: torch.Tensor, valid: torch.Tensor, where: object) -> torch.Tensor:
    """Stored millimetres ``(…, 17, 3)`` in metres; refused where the ``valid`` ``(…)`` ones cannot
    be millimetres from a camera."""
    farthest = points[valid].abs().max().item() if bool(valid.any()) else np.inf
    if farthest < 100:
        raise ValueError(
            f"{where}: positions up to {farthest:g}: metres? expected millimetres in camera space, "
            "as the data set has them"
        )
    return points / 1000


def fitted_camera(
    name: str, square: bool, pixels: torch.Tensor, points: torch.Tensor, where: object
) -> Camera:
    """The camera without distortion whose ``points`` ``(N, 17, 3)`` are projected onto ``pixels``
    ``(N, 17, 2)``: u is linear in X/Z and v in Y/Z, by least squares. Its images have 2048 x 2048
    pixels (``square``) or 1920 x 1080."""
    ahead = (points[..., 2] > 0) & pixels.isfinite().all(dim=-1) & points.isfinite().all(dim=-1)
    if int(ahead.sum()) < 4:
        raise ValueError(f"{where}: no valid annotation before the camera to fit intrinsics to")
    u, p = pixels[ahead].double(), points[ahead].double()
    lines = []
    for axis in range(2):
        slope = torch.stack([p[:, axis] / p[:, 2], torch.ones_like(p[:, 2])], dim=1)
        line = torch.linalg.lstsq(slope, u[:, axis, None]).solution.flatten().tolist()
        # the solver's last digits differ from call to call, and fingerprints hold the camera
        lines.append([round(value, 4) for value in line])
    (fx, cx), (fy, cy) = lines
    width, height = (2048, 2048) if square else (1920, 1080)
    if not min(fx, fy) > 0:
        raise ValueError(f"{where}: positions and keypoints fit no camera; get the file again")
    camera = Camera(name, width, height, focal=(fx, fy), centre=(cx, cy))
    check_projection(p, u, camera, where)
    return camera


def check_projection(
    points: torch.Tensor, pixels: torch.Tensor, camera: Camera, where: object
) -> None:
    """Refuses metres ``(…, 3)`` that a camera does not see at ``pixels`` ``(…, 2)``, most of them:
    the file is then of other cameras or its rows are in another order."""
    error = (project(points, camera) - pixels).norm(dim=-1).nanmedian().item()
    if not error < _WORST_FIT:
        raise ValueError(
            f"{where}: positions are seen {error:.0f} pixels from the keypoints (median), so they "
            "or the camera are of something else: get the files again"
        )


def annotated(
    pixels: torch.Tensor,
    points: torch.Tensor,
    valid: torch.Tensor,
    visible: torch.Tensor,
    **about: Any,
) -> Recording:
    """The recording of ``pixels`` ``(T, 17, 2)`` and metres ``(T, 17, 3)``, of which the ``valid``
    ``(T,)`` frames hold. Others stay as stored, unless they are NaN or not before the camera: these
    repeat the nearest valid frame."""
    seen = pixels.isfinite().all(dim=-1) & points.isfinite().all(dim=-1) & (points[..., 2] > 0)
    broken = ~seen.all(dim=-1)
    source = torch.arange(len(valid))
    if bool(valid.any()):
        holds, lost = valid.nonzero().flatten(), broken.nonzero().flatten()
        source[lost] = holds[(lost[:, None] - holds).abs().argmin(dim=1)]
    return Recording(
        positions=points[source].float(),
        keypoints=pixels[source].float(),
        confidence=valid[:, None].expand(-1, len(MUPOTS_17)).float(),
        visible=visible & valid[:, None],
        **{"skeleton": MUPOTS_17, "keypoint_skeleton": MUPOTS_17} | about,
    )
