"""2D keypoints that other tools have written, for videos of one's own.

======================================  ========================================================
what it is                              how it is recognised
======================================  ========================================================
custom data set of VideoPose3D          ``.npz`` with ``positions_2d`` and ``metadata``
Detectron archive of one video          ``.npz`` with ``boxes``, ``keypoints`` and ``metadata``
COCO results (MMPose, AlphaPose, ...)   ``.json``, a list of ``image_id``, ``keypoints``, ``score``
OpenPose                                a folder of ``*_keypoints.json``, one for each frame
======================================  ========================================================

One person is taken per frame: the one that the tool is surest of. Where a frame or a joint was
not detected, it is interpolated linearly over time and gets confidence 0.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.archives import layout, read_archive
from paperlib.skeletons import COCO_17, Skeleton

# joints as OpenPose numbers them, under the names of COCO
_OPENPOSE = {
    25: "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
    " mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye"
    " right_ear left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe"
    " right_heel",
    18: "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
    " right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye"
    " right_ear left_ear",
}

# a list of pictures that are no frames of one video would otherwise become one, mostly of gaps
_MOST_GAPS = 0.9


@dataclass(frozen=True, eq=False)
class Keypoints2D:
    """2D keypoints of one person in one video: NumPy, float32.

    ``keypoints`` (T, K, 2) are pixels, ``confidence`` (T, K) is 0 (not detected) to 1, and
    ``skeleton`` names the K joints. ``width`` and ``height`` are the video's in pixels, where the
    file tells. Wrong shapes, NaN and no frames are refused with a ``ValueError``.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton
    width: int | None
    height: int | None
    name: str

    def __post_init__(self):
        frames, joints = len(self.keypoints), len(self.skeleton)
        if frames == 0:
            raise ValueError(f"{self.name}: keypoints of no frames; was the video decoded?")
        for field, shape in (("keypoints", (frames, joints, 2)), ("confidence", (frames, joints))):
            value = getattr(self, field)
            if value.shape != shape:
                raise ValueError(
                    f"{self.name}: {field} of shape {value.shape}, expected {shape} "
                    f"({joints} joints of {self.skeleton.name})"
                )
            bad = np.flatnonzero(~np.isfinite(value).reshape(frames, -1).all(axis=1))
            if len(bad):
                raise ValueError(
                    f"{self.name}: {field} has NaN or infinite values in {len(bad)} of {frames} "
                    f"frames, the first is frame {bad[0]}; cut these frames out or detect again"
                )
            object.__setattr__(self, field, value.astype(np.float32))

    def __len__(self) -> int:
        return len(self.keypoints)

    def __repr__(self) -> str:
        return f"Keypoints2D({self.name!r}, {len(self)} frames of {self.skeleton.name})"


def read_keypoints(path: str | Path) -> list[Keypoints2D]:
    """The keypoints in a file or folder of one of the formats above, one entry for each video.

    Raises ``FileNotFoundError`` where there is nothing, and ``ValueError`` where the format is not
    known, the joints are others than COCO's (or the archive's own layout), or nobody was detected.
    """
    path = Path(path)
    if path.is_dir():
        return [_read_openpose(path)]
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of 2D keypoints")
    if path.suffix == ".npz":
        archive = read_archive(path)
        if "positions_2d" in archive:
            return _read_custom(archive, path)
        if {"boxes", "keypoints"} <= archive.keys():
            return [_read_detectron(archive, path)]
        raise _unknown(path, f"an archive of {sorted(archive)}")
    if path.suffix == ".json":
        return [_read_coco_results(path)]
    raise _unknown(path, f"a {path.suffix or 'nameless'} file")


def _unknown(path: Path, what: str) -> ValueError:
    return ValueError(
        f"{path} is {what}; expected 2D keypoints: a VideoPose3D custom data set or a Detectron "
        "archive (.npz), COCO results as of MMPose or AlphaPose (.json, a list), or the folder of "
        "OpenPose's *_keypoints.json files"
    )


# -- archives ------------------------------------------------------------------------------------


def _read_custom(archive: dict[str, Any], path: Path) -> list[Keypoints2D]:
    stored, metadata = archive["positions_2d"], archive.get("metadata")
    skeleton = layout(metadata, path)
    if not isinstance(stored, dict) or not stored:
        raise ValueError(f"{path}: 'positions_2d' holds no videos; were any detections read?")
    sizes = metadata.get("video_metadata", {})
    videos = []
    for video, parts in stored.items():
        if not isinstance(parts, dict):
            raise ValueError(f"{path}: video {video!r} must hold {{'custom': [keypoints]}}")
        views = [(part, view) for part, listed in parts.items() for view in listed]
        for i, (part, view) in enumerate(views):
            view = np.asarray(view)
            name = video if len(views) == 1 else f"{video}/{part}/{i}"
            seen = np.ones(view.shape[:2])
            videos.append(Keypoints2D(view, seen, skeleton, *_size(sizes.get(video)), name))
    return videos


def _size(metadata: Any) -> tuple[int | None, int | None]:
    if not isinstance(metadata, dict) or not {"w", "h"} <= metadata.keys():
        return None, None
    return int(metadata["w"]), int(metadata["h"])


def _read_detectron(archive: dict[str, Any], path: Path) -> Keypoints2D:
    """Per frame, ``boxes`` holds (n, 5) with the score last, ``keypoints`` (n, 4, 17) with rows
    x, y, logit, probability; both stand second in a pair, after an unused class."""
    boxes, keypoints = archive["boxes"], archive["keypoints"]
    if len(boxes) != len(keypoints):
        raise ValueError(f"{path}: boxes of {len(boxes)} frames, keypoints of {len(keypoints)}")
    frames: dict[int, np.ndarray] = {}
    for t, (found, people) in enumerate(zip(boxes, keypoints, strict=True)):
        if len(found[1]) == 0 or len(people[1]) == 0:
            continue
        person = np.asarray(people[1][int(np.argmax(np.asarray(found[1])[:, 4]))])
        if person.shape != (4, len(COCO_17)):
            raise ValueError(
                f"{path}: frame {t} has keypoints of shape {person.shape}, expected (4, 17): x, y, "
                "logit and probability of the COCO joints"
            )
        frames[t] = person[[0, 1, 3]].T
    size = _size(archive.get("metadata"))
    return _sequence(frames, range(len(boxes)), size, path)


# -- JSON ----------------------------------------------------------------------------------------


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error}); was it cut short? write it again") from error


def _read_coco_results(path: Path) -> Keypoints2D:
    people = _read_json(path)
    if not isinstance(people, list):
        raise _unknown(path, "a JSON file that is no list")
    best: dict[str, tuple[float, np.ndarray]] = {}
    for person in people:
        if not isinstance(person, dict) or not {"image_id", "keypoints"} <= person.keys():
            raise ValueError(f"{path}: every entry needs 'image_id' and 'keypoints', got {person}")
        if person.get("category_id", 1) != 1:  # COCO's number for a person
            continue
        image = str(person["image_id"])
        joints = _triples(person["keypoints"], (len(COCO_17),), f"{path}: image {image}")
        score = float(person.get("score", joints[:, 2].mean()))
        if image not in best or score > best[image][0]:
            best[image] = (score, joints)
    frames, timeline = _in_time({image: joints for image, (_, joints) in best.items()}, path)
    return _sequence(frames, timeline, (None, None), path)


def _read_openpose(folder: Path) -> Keypoints2D:
    files = sorted(folder.glob("*_keypoints.json"))
    if not files:
        raise _unknown(folder, "a folder without *_keypoints.json files")
    chosen = {file.name.removesuffix("_keypoints.json"): _openpose_person(file) for file in files}
    frames, timeline = _in_time(chosen, folder)
    found = {t: joints for t, joints in frames.items() if joints is not None}
    return _sequence(found, timeline, (None, None), folder)


def _openpose_person(file: Path) -> np.ndarray | None:
    """(17, 3) of the person of highest mean confidence; None in an empty frame."""
    content = _read_json(file)
    if not isinstance(content, dict) or "people" not in content:
        raise ValueError(f"{file}: no list of 'people'; expected a file that OpenPose has written")
    people = [
        _triples(person.get("pose_keypoints_2d", ()), tuple(_OPENPOSE), str(file))
        for person in content["people"]
    ]
    if not people:
        return None
    best = max(people, key=lambda joints: joints[:, 2].mean())
    names = _OPENPOSE[len(best)].split()
    return best[[names.index(joint) for joint in COCO_17.joints]]


def _triples(numbers: Any, joint_counts: tuple[int, ...], where: str) -> np.ndarray:
    """``[x, y, score, x, y, score, ...]`` as (K, 3)."""
    values = np.asarray(numbers, dtype=np.float64).reshape(-1)
    if len(values) not in [3 * count for count in joint_counts]:
        expected = " or ".join(str(count) for count in joint_counts)
        raise ValueError(
            f"{where}: {len(values)} numbers per person, expected x, y, score of {expected} "
            "joints; run the tool with its COCO (or, for OpenPose, BODY_25) model"
        )
    return values.reshape(-1, 3)


# -- frames in time ------------------------------------------------------------------------------


def _in_time(images: dict[str, Any], path: Path) -> tuple[dict[int, Any], range]:
    """What was found by image name, by frame number, and the frames that the video had.

    The number is the last one in a name: ``9.jpg`` comes before ``10.jpg``. Frames that are left
    out of a regular sequence are those in which nobody was found.
    """
    frames: dict[int, Any] = {}
    videos = set()
    for name, value in images.items():
        match = re.fullmatch(r"(.*?)(\d+)\D*", name, flags=re.DOTALL)
        if match is None:
            raise ValueError(f"{path}: image {name!r} has no frame number in its name")
        videos.add(match[1])
        frames[int(match[2])] = value
    if not frames:
        raise _nobody(path)
    if len(videos) > 1 or len(frames) < len(images):
        some = ", ".join(repr(name) for name in sorted(images)[:4])
        raise ValueError(
            f"{path}: images of several videos, or a frame twice ({some}, ...); give one file or "
            "folder for each video"
        )
    numbers = sorted(frames)
    step = reduce(math.gcd, np.diff(numbers).tolist(), 0) or 1
    timeline = range(numbers[0], numbers[-1] + 1, step)
    if len(frames) < (1 - _MOST_GAPS) * len(timeline):
        raise ValueError(
            f"{path}: {len(frames)} images numbered from {numbers[0]} to {numbers[-1]} are no "
            "frames of one video; name them by frame number"
        )
    return frames, timeline


def _sequence(
    frames: dict[int, np.ndarray],
    timeline: Iterable[int],
    size: tuple[int | None, int | None],
    path: Path,
) -> Keypoints2D:
    """Frame number -> (17, 3) x, y, score, put in line; what is missing is filled."""
    if not any(joints.any() for joints in frames.values()):
        raise _nobody(path)
    empty = np.zeros((len(COCO_17), 3))
    points = np.stack([frames.get(t, empty) for t in timeline]).astype(np.float64)
    # some tools give scores slightly above 1
    confidence = points[..., 2].clip(0, 1)
    seen = (points != 0).any(axis=-1)
    keypoints = _filled(points[..., :2], seen)
    return Keypoints2D(keypoints, confidence, COCO_17, *size, path.stem)


def _nobody(path: Path) -> ValueError:
    return ValueError(
        f"{path}: nobody was detected in any frame; look at the detector's threshold and input"
    )


def _filled(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(T, K, 2) with what is not ``seen`` (T, K) interpolated over time, constant at the ends.

    A joint that is never seen is put into the middle of the others: the image's corner, where
    tools leave it, would look like a very long limb.
    """
    times = np.arange(len(points))
    filled = points.copy()
    for joint in np.flatnonzero(~seen.all(axis=0) & seen.any(axis=0)):
        known = seen[:, joint]
        for axis in range(2):
            filled[:, joint, axis] = np.interp(times, times[known], points[known, joint, axis])
    never = ~seen.any(axis=0)
    filled[:, never] = filled[:, ~never].mean(axis=1, keepdims=True)
    return filled
