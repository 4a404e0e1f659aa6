"""The people in a film, from the 2D keypoints that other tools have written.

What the files are, and how joints that were not found are told, stands in
:mod:`paperlib.detection.tool_files`; who is who from frame to frame in
:mod:`paperlib.detection.tracks`.
"""

from dataclasses import dataclass
from functools import reduce
from math import gcd
from pathlib import Path

import numpy as np

from paperlib.arrays import interpolated
from paperlib.detection.found import Film, Found
from paperlib.detection.sequences import Keypoints2D, nobody
from paperlib.detection.tool_files import read_films
from paperlib.detection.tracks import associated, person_size
from paperlib.errors import contents_of, one_of
from paperlib.skeletons import COCO_17


@dataclass(frozen=True, eq=False)
class Person:
    """One person of a film, from the first frame to the last in which they were found.

    ``keypoints`` (T, K, 2) are pixels and ``confidence`` (T, K) is 0 to 1, float32; 0 is a joint
    that was not found, whose keypoint is interpolated over time. ``frames`` (T,) are the film's
    frame numbers, from 0. ``track`` is the tool's own number for the person where the file has it,
    else ours. ``joints`` names the K joints. ``width`` and ``height`` are the film's in pixels,
    where the file tells; ``name`` is the film's.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    frames: np.ndarray
    track: int
    joints: tuple[str, ...]
    width: int | None
    height: int | None
    name: str

    def __len__(self) -> int:
        return len(self.keypoints)

    def __repr__(self) -> str:
        first, last = self.frames[[0, -1]]
        return f"Person({self.name!r}, track {self.track}, frames {first} to {last})"

    @property
    def size(self) -> float:
        """The median over frames of the longer side of the box about what is seen, pixels."""
        seen = np.where(self.confidence[..., None] > 0, self.keypoints, np.nan)
        return float(np.median([person_size(pose) for pose in seen if np.isfinite(pose).any()]))

    def coco(self) -> Keypoints2D:
        """The 17 joints of COCO, by name; ``ValueError`` where the tool has not all of them."""
        missing = sorted(set(COCO_17.joints) - set(self.joints))
        if missing:
            raise ValueError(f"{self.name}: the file has no {', '.join(missing)} as COCO has")
        at = [self.joints.index(joint) for joint in COCO_17.joints]
        size = (self.width, self.height)
        return Keypoints2D(self.keypoints[:, at], self.confidence[:, at], COCO_17, *size, self.name)


def read_people(
    path: str | Path,
    joints: str | None = None,
    size: tuple[int, int] | None = None,
    who: str | int | None = None,
) -> list[Person]:
    """The people in a file or folder of 2D keypoints, ordered by film and track number.

    Read are files of MMPose 1.x, COCO results and annotations, AlphaPose, OpenPose, MediaPipe,
    Detectron2 and VideoPose3D; what it is is told by its content, not by its name. ``joints`` names
    the layout (see ``paperlib.detection.layouts.LAYOUTS``) where the number of joints does not
    tell it: 25 joints of OpenPose are ``"BODY_25"`` or ``"BODY_25B"``. ``size`` is the film's
    (width, height) in pixels, where the file does not tell it; MediaPipe's keypoints need it.
    ``who`` keeps one person of each film: the ``"longest"`` seen, the ``"largest"``, or the one of
    a track number.

    Raises ``FileNotFoundError`` where there is nothing, and ``ValueError`` where the format or the
    joints are not known, nobody was found, or there is no such track. No pickle is executed.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of 2D keypoints")
    with contents_of(path):
        films = [_people(film, path) for film in read_films(path, joints, size)]
    if who is None:
        return [person for people in films for person in people]
    return [chosen(people, who) for people in films]


def chosen(people: list[Person], who: str | int = "longest") -> Person:
    """The one person seen in the most frames (``"longest"``), of the largest median size in the
    image (``"largest"``), or of a track number. ``ValueError`` where there is none."""
    if not people:
        raise ValueError("there is nobody to choose from")
    if isinstance(who, str):
        measure = {"longest": _frames_seen, "largest": lambda person: person.size}
        return max(people, key=measure[one_of("choice of person", who, measure)])
    tracks = [person.track for person in people]
    return people[tracks.index(one_of(f"track of {people[0].name}", who, tracks))]


def _frames_seen(person: Person) -> int:
    return int((person.confidence > 0).any(axis=1).sum())


def _people(film: Film, path: Path) -> list[Person]:
    found = [d for d in film.detections if (d.confidence > 0).any()]
    if not found:
        raise nobody(path)
    numbers = sorted({d.frame for d in film.detections} | set(film.empty))
    step = reduce(gcd, np.diff(numbers).tolist(), 0) or 1
    tracks: dict[int, dict[int, int]] = {}
    for i, number in enumerate(_track_numbers(film, found)):
        tracks.setdefault(number, {})[found[i].frame] = i
    people = []
    for number, at in sorted(tracks.items()):
        frames = np.arange(min(at), max(at) + 1, step)
        points = np.zeros((len(frames), len(film.joints), 2))
        confidence = np.zeros(points.shape[:2])
        for t, frame in enumerate(frames.tolist()):
            if frame in at:
                points[t] = found[at[frame]].points
                confidence[t] = found[at[frame]].confidence
        keypoints = interpolated(np.nan_to_num(points), confidence > 0).astype(np.float32)
        person = (keypoints, confidence.astype(np.float32), frames, number)
        people.append(Person(*person, film.joints, *film.size, film.name))
    return people


def _track_numbers(film: Film, found: list[Found]) -> list[int]:
    """The tool's own where they tell people apart: each has one, nobody is twice in a frame, and
    it is not the same for all, as where the tool ran without its tracker."""
    own = [d.track for d in found]
    in_frame = {(d.frame, d.track) for d in found}
    if None not in own and len(in_frame) == len(found) and len(set(own)) > 1:
        return own
    frames: dict[int, list[np.ndarray]] = {}
    for d in found:
        frames.setdefault(d.frame, []).append(d.points)
    numbers = {frame: iter(listed) for frame, listed in associated(frames).items()}
    return [next(numbers[d.frame]) for d in found]
