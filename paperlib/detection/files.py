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

from pathlib import Path
from typing import Any

import numpy as np

from paperlib.arrays import interpolated
from paperlib.datasets.archives import layout, read_archive
from paperlib.detection.layouts import LAYOUTS, OPENPOSE, settled
from paperlib.detection.sequences import Keypoints2D, in_time, sequence
from paperlib.errors import contents_of
from paperlib.outside.json_files import read_json
from paperlib.paths import regular_file
from paperlib.skeletons import COCO_17

_FARTHEST = 1e6  # pixels, beyond which nothing was detected in an image


def read_keypoints(path: str | Path, joints: str | None = None) -> list[Keypoints2D]:
    """The keypoints in a file or folder of one of the formats above, one entry for each video.

    OpenPose writes 25 joints in two orders, which the files do not tell: ``joints`` is then
    ``"BODY_25"`` or ``"BODY_25B"``. People by themselves, with tracks and the film's frame numbers,
    and the files of more tools: :func:`paperlib.detection.people.read_people`.

    Raises ``FileNotFoundError`` where there is nothing, and ``ValueError`` where the format is not
    known, the joints are others than COCO's (or the archive's own layout), or nobody was detected.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of 2D keypoints")
    with contents_of(path):
        if path.is_dir():
            return [_read_openpose(path, joints)]
        return _read_file(regular_file(path))


def _read_file(path: Path) -> list[Keypoints2D]:
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
        if not isinstance(parts, dict) or not any(map(len, parts.values())):
            raise ValueError(f"{path}: video {video!r} must hold {{'custom': [keypoints]}}")
        views = [(part, view) for part, listed in parts.items() for view in listed]
        for i, (part, view) in enumerate(views):
            try:
                view = np.asarray(view, dtype=np.float64)
            except (ValueError, TypeError):
                raise ValueError(f"{path}: video {video!r} holds no arrays of numbers") from None
            if (np.abs(view) > _FARTHEST).any():
                raise ValueError(f"{path}: video {video!r} goes beyond {_FARTHEST:g} pixels")
            view = view.astype(np.float32)
            if view.ndim != 3:
                raise ValueError(f"{path}: video {video!r} of {view.shape}, expected (T, K, 2)")
            name = video if len(views) == 1 else f"{video}/{part}/{i}"
            # frames and joints that were not detected are left at 0 there
            seen = (view != 0).any(axis=2)
            view = interpolated(view, seen)
            seen = seen.astype(np.float32)
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
    return sequence(frames, range(len(boxes)), size, path)


# -- JSON ----------------------------------------------------------------------------------------


def _read_coco_results(path: Path) -> Keypoints2D:
    people = read_json(path)
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
        score = person.get("score")
        score = score if isinstance(score, int | float) else joints[:, 2].mean()
        if image not in best or score > best[image][0]:
            best[image] = (score, joints)
    frames, timeline = in_time({image: joints for image, (_, joints) in best.items()}, path)
    return sequence(frames, timeline, (None, None), path)


def _read_openpose(folder: Path, joints: str | None) -> Keypoints2D:
    files = sorted(folder.glob("*_keypoints.json"))
    if not files:
        raise _unknown(folder, "a folder without *_keypoints.json files")
    chosen = {
        file.name.removesuffix("_keypoints.json"): _openpose_person(file, joints) for file in files
    }
    frames, timeline = in_time(chosen, folder)
    found = {t: person for t, person in frames.items() if person is not None}
    return sequence(found, timeline, (None, None), folder)


def _openpose_person(file: Path, joints: str | None) -> np.ndarray | None:
    """(17, 3) of the person of highest mean confidence; None in an empty frame."""
    content = read_json(file)
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        raise ValueError(f"{file}: no list of 'people'; expected a file that OpenPose has written")
    people = [
        _triples(
            person.get("pose_keypoints_2d") if isinstance(person, dict) else person,
            tuple(LAYOUTS[name].written for name in OPENPOSE),
            str(file),
        )
        for person in content["people"]
    ]
    if not people:
        return None
    best = max(people, key=lambda person: person[:, 2].mean())
    names = settled(len(best), OPENPOSE, joints, file).joints
    if not set(COCO_17.joints) <= set(names):
        raise ValueError(f"{file}: {len(best)} joints without COCO's face; use BODY_25 or COCO")
    return best[[names.index(joint) for joint in COCO_17.joints]]


def _triples(numbers: Any, joint_counts: tuple[int, ...], where: str) -> np.ndarray:
    """``[x, y, score, x, y, score, ...]`` as (K, 3)."""
    try:
        values = np.asarray(numbers, dtype=np.float64).reshape(-1)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"{where}: keypoints are no list of numbers x, y, score, …: {str(numbers)[:80]}"
        ) from None
    if (np.abs(values) > _FARTHEST).any():
        raise ValueError(f"{where}: keypoints hold numbers that no image has")
    if len(values) not in [3 * count for count in joint_counts]:
        expected = " or ".join(str(count) for count in dict.fromkeys(joint_counts))
        raise ValueError(
            f"{where}: {len(values)} numbers per person, expected x, y, score of {expected} "
            "joints; run the tool with its COCO (or, for OpenPose, BODY_25) model"
        )
    joints = values.reshape(-1, 3)
    return np.where(np.isnan(joints).any(axis=1, keepdims=True), 0, joints)  # not detected
