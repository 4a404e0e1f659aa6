"""HumanEva-I, read from the archives that the field prepares from it (pavllo2019, 5.1).

The data set is licensed and brought by the user: ``data_3d_humaneva15.npz`` (motion capture in
world space), ``data_2d_humaneva15_gt.npz`` (its projections into the three colour cameras) and
``data_2d_humaneva15_<keypoints>.npz`` of a detector, the formats of VideoPose3D. Where the capture
failed for some frames, the files hold the valid chunks between; each is a sequence of its own
(5.3). Walk of S3 is used like the rest, although its capture is faulty (table 4).

Where the cameras stand is the package's own copy of VideoPose3D's constants. Their lenses are not
among these, but the projections determine them: they are fitted to the ``gt`` file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from paperlib.cameras import Camera, project, world_to_camera
from paperlib.datasets import prepared
from paperlib.errors import contents_of, one_of
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import HUMANEVA_15

SUBJECTS = ("S1", "S2", "S3")
PARTS = {"Train": "train", "Validate": "test"}  # of the files; everyone is in both
CAMERAS = ("C1", "C2", "C3")  # in the order in which keypoint archives list their views
ACTIONS = ("Walk", "Jog", "Box")  # of the papers' tables
ALL_ACTIONS = (*ACTIONS, "Gestures", "ThrowCatch")

_RENAMED = {"Walking": "Walk"}  # the data set's own name
_FILES = prepared.Source(
    "HumanEva-I", "humaneva", "humaneva15", "http://humaneva.is.tue.mpg.de", "humaneva_like"
)
_MOST_POINTS = 4000  # to fit a lens to, spread over all clips
_WORST_FIT = 2.0  # pixels, root mean square


class _Chunk(NamedTuple):
    part: str  # one of PARTS
    subject: str
    action: str  # one of ALL_ACTIONS
    name: str  # as stored, e.g. "Walking 1 chunk0"
    world: torch.Tensor  # (T, 15, 3) metres, float64

    @property
    def stored_under(self) -> str:
        return f"{self.part}/{self.subject}"


@contents_of("the files of HumanEva-I")
def load(
    keypoints: str = "gt", cameras: Iterable[str] | None = None, actions: Iterable[str] = ACTIONS
) -> Dataset:
    """HumanEva-I with the split of its files, every valid chunk in each camera's view.

    ``keypoints`` names the 2D archive: ``gt``, or a detector such as ``detectron_pt_coco``, which
    sees COCO's joints. ``cameras`` and ``actions`` (of :data:`ALL_ACTIONS`; the papers' three by
    default) limit what is given. A recording's ``action`` is one of them, its ``clip`` the part of
    the split and the name as stored (``Validate Walking 1 chunk0``). Positions are metres in
    camera space at 60 Hz.

    Raises ``MissingDataError`` where a file is not there (the ``gt`` one is always needed, for the
    lenses), and ``ValueError`` where the files do not hold what they should.
    """
    ids = prepared.chosen("camera", cameras, CAMERAS)
    wanted = prepared.chosen("action", actions, ALL_ACTIONS)
    _FILES.keypoints_file(keypoints)  # a name that is none is refused before a file is missed
    chunks = _read_chunks()
    exact = _FILES.keypoints("gt", CAMERAS)
    detections = exact if keypoints == "gt" else _FILES.keypoints(keypoints, CAMERAS)
    parts: dict[str, list[Recording]] = {"train": [], "test": []}
    for subject in SUBJECTS:
        own = [chunk for chunk in chunks if chunk.subject == subject]
        placed = _fitted(subject, own, exact)
        for chunk in own:
            if chunk.action in wanted:
                parts[PARTS[chunk.part]] += _views(chunk, detections, placed, ids)
    for part, recordings in parts.items():
        lost = set(wanted) - {r.action for r in recordings}
        if lost:
            raise ValueError(
                f"{_FILES.positions_file}: nothing of {', '.join(sorted(lost))} to {part} on; "
                "prepare the file again, or leave the action out"
            )
    return Dataset(
        name=f"humaneva-{keypoints}",
        source=(
            f"HumanEva-I, 15 joints at {_frame_rate():g} Hz, cameras {', '.join(ids)}; "
            f"{', '.join(wanted)} of {', '.join(SUBJECTS)}, all of them in both parts: its Train "
            f"part to train, its Validate part to test; 2D keypoints: {keypoints}."
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        excluded="frames without valid motion capture",
    )


def by_action(data: Dataset) -> dict[str, Dataset]:
    """The data set cut into one for each action: what models of a single action learn from and
    are judged on (pavllo2019, table 4)."""
    return {
        action: replace(
            data.select(lambda r, action=action: r.action == action),
            name=f"{data.name}-{action}",
            source=f"{data.source} Of these, {action}.",
        )
        for action in dict.fromkeys(r.action for r in data.train)
    }


def find() -> Path:
    """The folder of the 3D file; ``MissingDataError`` tells how to get it."""
    return _FILES.require(_FILES.positions_file).parent


# -- cameras -------------------------------------------------------------------------------------


def _frame_rate() -> float:
    return float(prepared.constants("humaneva")["frame_rate_hz"])


def _placed(subject: str, name: str) -> Camera:
    """A camera as it stood for ``subject``, with a guess for its lens."""
    width, height = prepared.constants("humaneva")["image_size_px"]
    place = prepared.placed(prepared.constants("humaneva")["extrinsics"][subject][name])
    return Camera(name, width, height, (width, width), (width / 2, height / 2), **place)


def _fitted(subject: str, chunks: list[_Chunk], exact: prepared.Keypoints) -> tuple[Camera, ...]:
    """The subject's cameras with the lenses that project its chunks to the ``exact`` keypoints."""
    if exact.skeleton != HUMANEVA_15:
        raise ValueError(f"{exact.path}: joints of {exact.skeleton.name}, expected humaneva15's")
    seen = [exact.views(chunk.stored_under, chunk.name, len(chunk.world)) for chunk in chunks]
    world = torch.cat([chunk.world for chunk in chunks]).reshape(-1, 3)
    fitted = []
    for index, name in enumerate(CAMERAS):
        pixels = torch.cat([views[index] for views in seen]).reshape(-1, 2)
        camera, error = _fit_lens(_placed(subject, name), world, pixels)
        if not error < _WORST_FIT:
            raise ValueError(
                f"{exact.path}: no lens of camera {name} projects the positions of {subject} to "
                f"these keypoints (the best is {error:.0f} pixels off); the 2D and the 3D file are "
                "of different preparations, or the cameras in another order: prepare both again"
            )
        fitted.append(camera)
    return tuple(fitted)


def _fit_lens(camera: Camera, world: torch.Tensor, pixels: torch.Tensor) -> tuple[Camera, float]:
    """The camera with focal lengths, centre, k1, k2, p1 and p2 such that ``world`` points (N, 3)
    are projected onto ``pixels`` (N, 2), and the distance in pixels that remains (RMS).

    The third radial coefficient stays 0, as in the data set's own calibration. Some of a pixel
    remains: the tangential terms there are OpenCV's, and thorax, elbows and knees, means of two
    markers, were projected before the mean was taken.
    """
    from scipy.optimize import least_squares

    points = world_to_camera(world, camera)
    # a faulty marker may lie far outside the image, where the lens model means nothing
    inside = ((pixels > 0) & (pixels < torch.tensor([camera.width, camera.height]))).all(dim=1)
    usable = inside & (points[:, 2] > 0)
    if not usable.any():
        return camera, np.inf
    points, pixels = points[usable], pixels[usable]
    step = max(1, len(points) // _MOST_POINTS)
    points, pixels = points[::step], pixels[::step]

    def with_lens(lens: np.ndarray) -> Camera:
        fx, fy, cx, cy, k1, k2, p1, p2 = lens.tolist()
        return replace(
            camera, focal=(fx, fy), centre=(cx, cy), radial=(k1, k2, 0.0), tangential=(p1, p2)
        )

    def off(lens: np.ndarray) -> np.ndarray:
        return (project(points, with_lens(lens)) - pixels).flatten().numpy()

    start = np.array([*camera.focal, *camera.centre, 0, 0, 0, 0])
    low = np.array([1.0, 1.0, *[-np.inf] * 6])
    found = least_squares(off, start, bounds=(low, np.inf), x_scale="jac")
    return with_lens(found.x), float(np.sqrt((found.fun**2).sum() / len(points)))


# -- files ---------------------------------------------------------------------------------------


def _read_chunks() -> list[_Chunk]:
    subjects = tuple(f"{part}/{subject}" for part in PARTS for subject in SUBJECTS)
    path, stored = _FILES.positions(subjects)
    chunks = []
    for key in subjects:
        part, subject = key.split("/")
        for name, points in stored[key].items():
            where = f"{path}: {key}/{name}"
            points = prepared.of_joints(points, (len(HUMANEVA_15),), where)
            world = prepared.in_metres(points, where)
            chunks.append(_Chunk(part, subject, _action(name, where), name, world))
    return chunks


def _action(name: str, where: str) -> str:
    """``Walking 1 chunk0`` -> ``Walk``."""
    match = re.fullmatch(r"(\w+) \d+ chunk\d+", name)
    if match is None:
        raise ValueError(
            f"{where}: expected the name of a chunk such as 'Walking 1 chunk0'. Valid stretches "
            "must be apart, or motion would leap over what was lost; prepare the file again"
        )
    return one_of(f"action in {where}:", _RENAMED.get(match[1], match[1]), ALL_ACTIONS)


def _views(
    chunk: _Chunk, detections: prepared.Keypoints, placed: tuple[Camera, ...], ids: tuple[str, ...]
) -> Iterator[Recording]:
    """The chunk's recordings by the cameras of these ids."""
    seen = detections.views(chunk.stored_under, chunk.name, len(chunk.world))
    for camera, keypoints in zip(placed, seen, strict=True):
        if camera.name in ids:
            about = (chunk.subject, chunk.action, f"{chunk.part} {chunk.name}", _frame_rate())
            positions = world_to_camera(chunk.world, camera).float()
            found = (keypoints, torch.ones(keypoints.shape[:2]), positions)
            yield Recording(*about, camera, *found, HUMANEVA_15, detections.skeleton)
