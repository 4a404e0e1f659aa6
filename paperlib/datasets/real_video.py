"""A real film for testing: one person, four calibrated cameras, two real 2D detectors.

100 frames at 60 Hz of a man who balances, from the demonstration of Pose2Sim (BSD-3, (c) 2022
perfanalytics); OpenPose's keypoints are its own, BlazePose's were found in its films. Nobody knows
the truth: each detector's four views give a reference by triangulation, both together a better one.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from paperlib.arrays import interpolated
from paperlib.cameras import Camera, world_to_camera
from paperlib.datasets.archives import read_archive
from paperlib.datasets.prepared import chosen
from paperlib.datasets.triangulation import triangulated
from paperlib.errors import one_of
from paperlib.paths import find_data
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17

FOLDER, FILE = "real_video", "blazepose_openpose_reference.npz"
FPS = 60.0
CAMERAS = ("cam01", "cam02", "cam03", "cam04")
KEYPOINTS = {"openpose": ("op", "opc"), "blazepose": ("bp", "bpc")}
REFERENCES = ("joint", "openpose", "blazepose", "other")
_WIDTHS = {"cam01": 1080, "cam02": 1080, "cam03": 1088, "cam04": 1088}  # pixels; the height 1920
# Pixels by which each camera sees everything displaced: two of them had moved since they were
# calibrated. Chosen once, from reprojection errors of both detectors.
MOVED = ((-28.5, -7.7), (-1.5, 0.6), (-1.0, -18.4), (0.2, 0.6))
_SMOOTHED = 9  # frames over which the joint reference is averaged
_FAINT = 0.05  # confidence below which a keypoint does not count


def load(
    keypoints: str = "openpose", reference: str = "joint", views: Iterable[str] | None = None
) -> Dataset:
    """The film, a recording for each of ``views`` (``"cam01"`` to ``"cam04"``), all to test on.

    ``keypoints`` are those of ``"openpose"`` (the tallest person of each frame) or ``"blazepose"``;
    what was not detected has confidence 0 and is interpolated over time. ``positions`` are COCO's
    17 points in metres. Their ``reference`` is ``"joint"``: triangulated from both detectors in all
    views, each keypoint trusted by how well it fits the others, averaged over 9 frames;
    ``"openpose"`` or ``"blazepose"``: from the four views of one; ``"other"``: of the one whose
    keypoints these are not, so that no error is measured against itself. Nothing below 2 to 3 cm is
    decided by any of them.
    """
    one_of("keypoints of real_video", keypoints, KEYPOINTS)
    one_of("reference of real_video", reference, REFERENCES)
    names = chosen("view", views, CAMERAS)
    archive = _read(find() / FILE)
    if reference == "other":
        reference = next(name for name in KEYPOINTS if name != keypoints)
    every = [_camera(archive, view) for view in range(len(CAMERAS))]
    if reference == "joint":
        world = _joint_reference(archive, every)
    else:
        world = torch.from_numpy(archive[f"ref_{KEYPOINTS[reference][0]}"])
    return Dataset(
        name=f"real_video-{keypoints}-{reference}",
        source=(
            f"A real film (Pose2Sim's demonstration): one person, 100 frames at {FPS:g} Hz in each "
            f"of {', '.join(names)}; keypoints of {keypoints}; 3D triangulated from "
            f"{'both detectors' if reference == 'joint' else reference}, good to 2 to 3 cm."
        ),
        train=(),
        test=tuple(
            _recording(archive, keypoints, view, every[view], world)
            for view, name in enumerate(CAMERAS)
            if name in names
        ),
    )


def blazepose_3d(views: Iterable[str] | None = None) -> tuple[torch.Tensor, ...]:
    """What BlazePose itself makes of the film in 3D: ``(T, 17, 3)`` for each of ``views``, COCO's
    points in metres from the middle of the hips, in the camera's axes."""
    names, archive = chosen("view", views, CAMERAS), _read(find() / FILE)
    rows = (torch.from_numpy(archive["world"][CAMERAS.index(name)]).float() for name in names)
    return tuple(rows)


def find() -> Path:
    """The folder that holds the data; :class:`MissingDataError` tells what it needs."""
    return find_data(
        FOLDER,
        lambda folder: (folder / FILE).is_file(),
        f"The real film's {FILE} was",
        "PAPERLIB_DATA names another folder. It is made from the demonstration of the package "
        'pose2sim, for tests alone. Without it, dataset="synthetic" runs everything.',
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    archive = read_archive(path)
    frames, points = len(archive.get("ref_op", ())), len(COCO_17)
    if not frames:
        raise ValueError(f"{path}: ref_op is missing or of no frames: get the file again")
    shapes = {"K": (4, 3, 3), "D": (4, 4), "R": (4, 3, 3), "t": (4, 3)}
    shapes["world"] = (4, frames, points, 3)
    for pixels, scores in KEYPOINTS.values():
        shapes |= {pixels: (4, frames, points, 2), scores: (4, frames, points)}
        shapes[f"ref_{pixels}"] = (frames, points, 3)
    require_shapes(archive, shapes, path)
    for name in shapes:
        if archive[name].dtype.kind != "f" or not np.isfinite(archive[name]).all():
            raise ValueError(f"{path}: {name} holds other than finite numbers: get the file again")
    return archive


def require_shapes(
    archive: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], where: str | Path
) -> None:
    """``ValueError`` where an array of a film's file is missing, or of another shape."""
    for name, shape in shapes.items():
        value = archive.get(name)
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise ValueError(
                f"{where}: {name} is {getattr(value, 'shape', 'missing')}, expected {shape} "
                "(views, frames, COCO's points): get the file again"
            )


def _camera(archive: dict[str, np.ndarray], view: int) -> Camera:
    return camera_of(archive, view, _WIDTHS[CAMERAS[view]], MOVED[view])


def camera_of(
    archive: dict[str, np.ndarray], view: int, width: int, moved: tuple[float, float]
) -> Camera:
    """The camera of a ``view``, whose pictures are ``width`` pixels wide and displaced by ``moved``
    pixels. ``K, D, R, t`` of the ``archive`` are OpenCV's. Of its tangential distortion our lens
    model has half of a part that is 0.1 pixel here."""
    matrix, turn = archive["K"][view], archive["R"][view]
    k1, k2, p1, p2 = archive["D"][view].tolist()
    from scipy.spatial.transform import Rotation

    return Camera(
        CAMERAS[view],
        width,
        1920,
        focal=(float(matrix[0, 0]), float(matrix[1, 1])),
        # the picture is displaced: so its middle is
        centre=(float(matrix[0, 2]) - moved[0], float(matrix[1, 2]) - moved[1]),
        radial=(k1, k2, 0.0),
        tangential=(p2, p1),
        orientation=tuple(Rotation.from_matrix(turn.T).as_quat(scalar_first=True).tolist()),
        position=tuple((-turn.T @ archive["t"][view]).tolist()),
    )


def _recording(
    archive: dict[str, np.ndarray], keypoints: str, view: int, camera: Camera, world: torch.Tensor
) -> Recording:
    pixels, scores = (archive[name][view] for name in KEYPOINTS[keypoints])
    found = scores > 0
    return Recording(
        subject="man",
        action="balancing",
        clip="real_video",
        fps=FPS,
        camera=camera,
        keypoints=torch.from_numpy(interpolated(pixels, found)).float(),
        confidence=torch.from_numpy(scores.clip(0, 1)).float(),
        positions=world_to_camera(world, camera).float(),
        skeleton=COCO_17,
        keypoint_skeleton=COCO_17,
        frames=torch.arange(len(pixels)),
    )


def _joint_reference(archive: dict[str, np.ndarray], cameras: list[Camera]) -> torch.Tensor:
    """``(T, 17, 3)`` metres, world: from all views of both detectors."""
    from scipy.ndimage import uniform_filter1d

    pixels = np.concatenate([archive[pixels] for pixels, _ in KEYPOINTS.values()])
    scores = np.concatenate([archive[scores] for _, scores in KEYPOINTS.values()])
    seen, trust = torch.from_numpy(pixels), torch.from_numpy(scores > _FAINT)
    points, _ = triangulated(seen, trust, cameras * len(KEYPOINTS))
    return torch.from_numpy(uniform_filter1d(points.numpy(), _SMOOTHED, axis=0, mode="nearest"))
