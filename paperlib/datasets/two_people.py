"""A film of two people, one hidden by the other, from four calibrated cameras: keypoints alone.

Pose2Sim's demonstration with several people (BSD-3, (c) 2022 perfanalytics): 100 frames at 60 Hz in
each of four views. It is the film of :mod:`~paperlib.datasets.real_video`, into which a second,
computer-made person was drawn, always in front of the man: so the same man before the same cameras
is known without her as well. The keypoints are those that our BlazePose (heavy, two people)
found, and travel with the project; the films do not.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from paperlib.arrays import interpolated
from paperlib.cameras import Camera, world_to_camera
from paperlib.datasets.archives import read_archive
from paperlib.datasets.real_video import CAMERAS, FPS, MOVED, camera_of, require_shapes
from paperlib.datasets.triangulation import triangulated, who_is_who
from paperlib.paths import ROOT
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17

FILE = ROOT / "data" / "film" / "two_people.npz"
PEOPLE = ("man", "woman")
HIDDEN = "cam03"  # the view in which she hides him
_WIDTH = 1088  # pixels; the height is 1920
# Pixels by which she is drawn displaced, chosen once by how well her four views fit: whoever drew
# her did not know how far the cameras had moved.
_DRAWN = ((-21.2, -23.0), (-16.0, -7.2), (-23.2, -5.2), (6.8, -7.3))
_VIEWS, _FRAMES = len(CAMERAS), 100


@cache
def load() -> Dataset:
    """The keypoints of both ``PEOPLE`` in each view (``camera.name``), COCO's 17, to test on.

    What was not found has confidence 0 and is interpolated over time. ``positions`` are
    triangulated from the **other three** views, metres in camera space, so that no view has a part
    in what it is measured against, and none in which he is hidden tells where he was. Who is who
    in the four views follows from where rays meet (:func:`~paperlib.datasets.triangulation.\
who_is_who`); the taller one is the man. ``ValueError`` where the file is damaged."""
    archive = _read(FILE)
    pixels, scores = seen(archive)
    best = who_is_who(pixels, scores > 0, cameras(archive))[0].people
    rows = np.array(best)  # (view, person)
    if _height(pixels, scores, rows[:, 0], archive) < _height(pixels, scores, rows[:, 1], archive):
        rows = rows[:, ::-1]
    recordings = []
    for person, name in enumerate(PEOPLE):
        own = cameras(archive, name)
        found = torch.stack([pixels[view, rows[view, person]] for view in range(_VIEWS)])
        sure = torch.stack([scores[view, rows[view, person]] for view in range(_VIEWS)])
        for view, camera in enumerate(own):
            others = [v for v in range(_VIEWS) if v != view]
            world, _ = triangulated(found[others], sure[others] > 0, [own[v] for v in others])
            truth = world_to_camera(world, camera).float()
            recordings.append(_recording(name, person, camera, found[view], sure[view], truth))
    source = (
        f"A real film (Pose2Sim's demonstration with several people), {_FRAMES} frames at {FPS:g} "
        "Hz in each of four views; keypoints of BlazePose; 3D triangulated from the other views."
    )
    return Dataset(name="two_people", source=source, train=(), test=tuple(recordings))


def alone() -> Recording:
    """The man in the view in which she hides him, from the film without her: the same moments, the
    same camera, all of him to be seen."""
    return _other("alone")


def each_alone() -> Recording:
    """The man in that view as he was found before whoever stands in front was painted out."""
    return _other("each")


def _other(name: str) -> Recording:
    archive = _read(FILE)
    (hidden,) = (r for r in load().test if (r.subject, r.camera.name) == ("man", HIDDEN))
    pixels = torch.from_numpy(archive[name] / 10.0)
    scores = torch.from_numpy(archive[f"{name}_scores"] / 100.0)
    return _recording("man", 0, hidden.camera, pixels, scores, hidden.positions)


def cameras(archive: dict[str, np.ndarray] | None = None, person: str = "man") -> list[Camera]:
    """The four cameras, as ``person`` is seen by them."""
    archive = _read(FILE) if archive is None else archive
    moved = MOVED if person == "man" else _DRAWN
    return [camera_of(archive, view, _WIDTH, moved[view]) for view in range(_VIEWS)]


def seen(archive: dict[str, np.ndarray] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """What was found, in the order in which it was: pixels ``(4, 2, 100, 17, 2)`` and scores, 0
    where nothing was found."""
    archive = _read(FILE) if archive is None else archive
    return torch.from_numpy(archive["keypoints"] / 10.0), torch.from_numpy(archive["scores"] / 100)


def _read(path: Path) -> dict[str, np.ndarray]:
    archive, points = read_archive(path), len(COCO_17)
    each = (_FRAMES, points)
    shapes = {"keypoints": (_VIEWS, 2, *each, 2), "scores": (_VIEWS, 2, *each)}
    for name in ("alone", "each"):
        shapes |= {name: (*each, 2), f"{name}_scores": each}
    shapes |= {"K": (_VIEWS, 3, 3), "D": (_VIEWS, 4), "R": (_VIEWS, 3, 3), "t": (_VIEWS, 3)}
    require_shapes(archive, shapes, path.name)
    return archive


def _height(
    pixels: torch.Tensor, scores: torch.Tensor, rows: np.ndarray, archive: dict[str, np.ndarray]
) -> float:
    """Metres from the ankles to the ears, on average."""
    found = torch.stack([pixels[view, row] for view, row in enumerate(rows)])
    sure = torch.stack([scores[view, row] for view, row in enumerate(rows)])
    world, _ = triangulated(found, sure > 0, cameras(archive), steps=3)
    ears, feet = (
        sum(world[:, COCO_17.index(f"{side}_{joint}")] for side in ("left", "right")) / 2
        for joint in ("ear", "ankle")
    )
    return float((ears - feet).norm(dim=-1).median())


def _recording(
    name: str,
    person: int,
    camera: Camera,
    pixels: torch.Tensor,
    scores: torch.Tensor,
    truth: torch.Tensor,
) -> Recording:
    filled = interpolated(pixels.numpy(), scores.numpy() > 0)
    return Recording(
        subject=name,
        action="balancing",
        clip="two_people",
        fps=FPS,
        camera=camera,
        keypoints=torch.from_numpy(filled).float(),
        confidence=scores.float(),
        positions=truth,
        skeleton=COCO_17,
        keypoint_skeleton=COCO_17,
        person=person,
        frames=torch.arange(_FRAMES),
    )
