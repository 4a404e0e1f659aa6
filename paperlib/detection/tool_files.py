"""Files of 2D keypoints that other tools have written, as people found in the frames of a film.

==========================  ==================================  ====================================
what it is                  how it is recognised                a joint was not found where
==========================  ==================================  ====================================
MMPose 1.x, demo            ``instance_info``                   its score is not above 0
MMPose 1.x, inferencer      a list of ``instances``             its score is not above 0
COCO results, AlphaPose     a list of ``image_id``,             its score is not above 0
                            ``keypoints``
COCO annotations            ``annotations``                     ``v`` is 0; 1 (hidden) counts half
OpenPose                    a folder of files of ``people``     its score is not above 0
MediaPipe                   33 ``x``, ``y``, ``visibility``     the person was not found
Detectron2, one video       an archive of ``boxes``,            its probability is not above 0
                            ``keypoints``
VideoPose3D custom          an archive of ``positions_2d``      see below: it has no scores
==========================  ==================================  ====================================

In all of them a joint was not found either where its place or its score is no finite number, or
where it is exactly (0, 0) or (-1, -1), which are the tools' marks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.archives import layout, read_archive
from paperlib.detection.found import FARTHEST, Film, Joints, Size, found, numbers_of, own_number
from paperlib.detection.layouts import LISTS, MEDIAPIPE, OPENPOSE, Layout, of_skeleton
from paperlib.detection.sequences import in_time, nobody
from paperlib.outside.json_files import read_json
from paperlib.paths import regular_file


def read_films(path: Path, joints: str | None, size: tuple[int, int] | None) -> list[Film]:
    """The films in a file or folder; see :func:`paperlib.detection.people.read_people`."""
    if path.is_dir():
        return [_openpose(path, joints, size or (None, None))]
    path = regular_file(path)
    with path.open("rb") as file:
        archive = file.read(2) == b"PK"
    return _archive(path, joints, size) if archive else [_json(path, joints, size)]


def _unknown(path: Path, what: str) -> ValueError:
    return ValueError(
        f"{path} is {what}; 2D keypoints are read from MMPose 1.x (demo or inferencer, .json), "
        "COCO results or annotations (.json), AlphaPose (.json), MediaPipe (.json, 33 landmarks a "
        "person), a folder of OpenPose's files (.json, one a frame), Detectron2 and VideoPose3D's "
        "custom data sets (.npz)"
    )


# -- JSON ----------------------------------------------------------------------------------------


def _json(path: Path, joints: str | None, size: tuple[int, int] | None) -> Film:
    try:
        content = read_json(path)
    except ValueError as error:
        raise _unknown(path, f"no archive and {str(error).removeprefix(f'{path}: ')}") from None
    known = size or (None, None)
    if isinstance(content, dict):
        for key, read in (("instance_info", _mmpose_demo), ("annotations", _annotations)):
            if key in content:
                return read(content, path, joints, known)
        if "people" in content:
            return _openpose_files({path.stem: path}, path, joints, known)
        if "frames" in content:
            return _mediapipe(content, path, joints, size)
        raise _unknown(path, f"JSON of {str(sorted(content))[:80]}")
    if not isinstance(content, list):
        raise _unknown(path, "a JSON file that holds no people")
    first = next((entry for entry in content if entry), None)
    if first is None:
        raise nobody(path)
    if isinstance(first, dict) and "instances" in first:
        return _mmpose(content, path, Joints((*LISTS, "MPII"), joints), known, 0)
    if isinstance(first, dict) and "keypoint_scores" in first:  # of one image
        one = [{"frame_id": 0, "instances": content}]
        return _mmpose(one, path, Joints((*LISTS, "MPII"), joints), known, 0)
    if isinstance(first, dict) and {"image_id", "keypoints"} <= first.keys():
        return _results(content, path, joints, known)
    if _landmarks(first) is not None:
        return _mediapipe({"frames": content}, path, joints, size)
    raise _unknown(path, f"a JSON list that begins with {str(first)[:80]}")


def _mmpose_demo(content: dict, path: Path, joints: str | None, size: Size) -> Film:
    """Its frames count from 1; its ``meta_info`` names the joints where it is whole."""
    frames, about = content["instance_info"], content.get("meta_info") or {}
    layouts = Joints((*LISTS, "MPII"), joints)
    names = about.get("keypoint_id2name")
    if joints is None and isinstance(names, dict) and names:
        named = tuple(str(names[key]) for key in sorted(names, key=int))
        layouts.layout = Layout("MMPose", named, len(named))
    elif joints is None and about.get("dataset_name") == "h36m":
        layouts.named = "H36M"
    first = min((int(frame["frame_id"]) for frame in frames), default=1)
    return _mmpose(frames, path, layouts, size, min(first, 1))


def _mmpose(frames: list, path: Path, joints: Joints, size: Size, first: int) -> Film:
    people, numbers = [], []
    for frame in frames:
        number = int(frame["frame_id"]) - first
        numbers.append(number)
        for person in frame["instances"]:
            where = f"{path}: frame {frame['frame_id']}"
            points = numbers_of(person["keypoints"], 2, where)
            scores = numbers_of(person["keypoint_scores"], 1, where)
            if len(scores) != len(points):
                raise ValueError(f"{where}: {len(points)} joints, {len(scores)} scores")
            values = joints.body(np.hstack([points, scores]), where)
            people.append(found(number, values, own_number(person)))
    return joints.film(path, size, people, numbers)


def _results(entries: list, path: Path, joints: str | None, size: Size) -> Film:
    return _by_image(entries, path, Joints(LISTS, joints), size, {}, lambda values: values)


def _annotations(content: dict, path: Path, joints: str | None, size: Size) -> Film:
    images = {str(image["id"]): image for image in content.get("images", [])}
    sizes = {(image.get("width"), image.get("height")) for image in images.values()}
    if len(sizes) == 1 and None not in next(iter(sizes)):
        size = next(iter(sizes))
    names = {key: Path(str(image.get("file_name", key))).name for key, image in images.items()}
    half = np.array([1, 1, 0.5])  # v is 0 not labelled, 1 hidden, 2 seen
    layouts = Joints(LISTS, joints)
    entries = [entry for entry in content["annotations"] if entry.get("keypoints")]
    return _by_image(entries, path, layouts, size, names, lambda values: values * half)


def _by_image(
    entries: list,
    path: Path,
    joints: Joints,
    size: Size,
    names: dict[str, str],
    scored: Callable[[np.ndarray], np.ndarray],
) -> Film:
    """``names`` are the images' by their ``image_id``; all of them are frames, found in or not."""
    images: dict[str, list[dict]] = {name: [] for name in names.values()}
    for entry in entries:
        if not isinstance(entry, dict) or not {"image_id", "keypoints"} <= entry.keys():
            raise ValueError(f"{path}: every entry needs 'image_id' and 'keypoints', got {entry}")
        if entry.get("category_id", 1) == 1:  # COCO's number for a person
            key = str(entry["image_id"])
            images.setdefault(names.get(key, key), []).append(entry)
    frames, timeline = in_time(images, path)
    people = []
    for number, listed in frames.items():
        for entry in listed:
            where = f"{path}: image {entry['image_id']}"
            values = joints.body(scored(numbers_of(entry["keypoints"], 3, where)), where)
            people.append(found(number, values, own_number(entry)))
    return joints.film(path, size, people, timeline)


def _openpose(folder: Path, joints: str | None, size: Size) -> Film:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise _unknown(folder, "a folder without .json files")
    names = {file.name.removesuffix(".json").removesuffix("_keypoints"): file for file in files}
    return _openpose_files(names, folder, joints, size)


def _openpose_files(files: dict[str, Path], path: Path, joints: str | None, size: Size) -> Film:
    frames, timeline = in_time(files, path)
    layouts, people = Joints(OPENPOSE, joints), []
    for number, file in frames.items():
        content = read_json(file)
        if not isinstance(content, dict) or not isinstance(content.get("people"), list):
            raise _unknown(file, "a file without a list of 'people', in a folder as of OpenPose")
        for person in content["people"]:
            values = numbers_of(person["pose_keypoints_2d"], 3, file)
            people.append(found(number, layouts.body(values, file), person.get("person_id")))
    return layouts.film(path, size, people, timeline)


def _landmarks(frame: Any) -> list | None:
    """The people of one frame, each a list of landmarks; None for what is no such frame."""
    if isinstance(frame, dict):
        keys = ("pose_landmarks", "poseLandmarks", "landmarks")
        named = next((key for key in keys if key in frame), None)
        return None if named is None else _landmarks(frame[named] or [])
    if not isinstance(frame, list):
        return None
    if frame and _is_landmark(frame[0]):
        return [frame]
    people = [person for person in frame if person != []]
    alike = all(isinstance(person, list) and _is_landmark(person[0]) for person in people)
    return people if alike else None


def _is_landmark(entry: Any) -> bool:
    return isinstance(entry, dict) and {"x", "y"} <= entry.keys()


def _mediapipe(content: dict, path: Path, joints: str | None, size: Any) -> Film:
    """A list of frames, each the landmarks of one or of several people, or a dictionary of them.
    Its coordinates are shares of the image, so that its size is needed."""
    size = size or (content.get("width"), content.get("height"))
    if None in size:
        raise ValueError(
            f"{path}: MediaPipe's keypoints are shares of the image; say its size in pixels: "
            "size=(width, height)"
        )
    layouts, people, numbers = Joints(MEDIAPIPE, joints), [], []
    for t, frame in enumerate(content["frames"]):
        number = int(frame.get("frame", t)) if isinstance(frame, dict) else t
        numbers.append(number)
        listed = [] if frame is None else _landmarks(frame)
        if listed is None:
            raise _unknown(path, f"no list of landmarks in frame {number}")
        for person in listed:
            rows = [[j["x"] * size[0], j["y"] * size[1], j.get("visibility", 1)] for j in person]
            where = f"{path}: frame {number}"
            people.append(found(number, layouts.body(numbers_of(rows, 3, where), where)))
    return layouts.film(path, size, people, numbers)


# -- archives ------------------------------------------------------------------------------------


def _archive(path: Path, joints: str | None, size: tuple[int, int] | None) -> list[Film]:
    archive = read_archive(path)
    if "positions_2d" in archive:
        return _custom(archive, path, size)
    if {"boxes", "keypoints"} <= archive.keys():
        return [_detectron(archive, path, joints, size)]
    raise _unknown(path, f"an archive of {sorted(archive)}")


def _pixels(metadata: Any) -> Size:
    if not isinstance(metadata, dict) or not {"w", "h"} <= metadata.keys():
        return None, None
    return int(metadata["w"]), int(metadata["h"])


def _custom(archive: dict, path: Path, size: tuple[int, int] | None) -> list[Film]:
    """One person in each view of each video."""
    metadata = archive.get("metadata")
    skeleton = of_skeleton(layout(metadata, path))
    films = []
    for video, parts in archive["positions_2d"].items():
        views = [view for listed in parts.values() for view in listed]
        for i, view in enumerate(views):
            where = f"{path}: video {video!r}"
            values = np.asarray(view, dtype=np.float64)
            if values.ndim != 3 or values.shape[1:] != (len(skeleton.joints), 2):
                expected = f"(T, {len(skeleton.joints)}, 2)"
                raise ValueError(f"{where} of {values.shape}, expected {expected}")
            if (np.abs(values) > FARTHEST).any():
                raise ValueError(f"{where} goes beyond {FARTHEST:g} pixels")
            scored = np.concatenate([values, np.ones((*values.shape[:2], 1))], axis=2)
            people = [found(t, pose, 0) for t, pose in enumerate(scored)]
            pixels = size or _pixels((metadata.get("video_metadata") or {}).get(video))
            name = str(video) if len(views) == 1 else f"{video}/{i}"
            films.append(Film(name, skeleton.joints, pixels, people, range(len(scored))))
    if not films:
        raise nobody(path)
    return films


def _detectron(archive: dict, path: Path, joints: str | None, size: Any) -> Film:
    """Per frame ``keypoints`` (n, 4, 17) with rows x, y, logit, probability, which stand second in
    a pair, after an unused class."""
    layouts, people = Joints(("COCO",), joints), []
    for t, pair in enumerate(archive["keypoints"]):
        for person in pair[1]:
            rows = np.asarray(person, dtype=np.float64)
            if rows.ndim != 2 or len(rows) != 4:
                raise ValueError(f"{path}: frame {t} has keypoints {rows.shape}, expected (4, 17)")
            where = f"{path}: frame {t}"
            people.append(found(t, layouts.body(numbers_of(rows[[0, 1, 3]].T, 3, where), where)))
    pixels = size or _pixels(archive.get("metadata"))
    return layouts.film(path, pixels, people, range(len(archive["keypoints"])))
