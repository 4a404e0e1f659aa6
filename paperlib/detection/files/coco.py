"""COCO's JSON, results and annotations, and AlphaPose's variants of it.

*Results* are a list with one entry a person and image: ``image_id``, ``category_id`` 1,
``keypoints`` ``[x, y, score, ...]``. MMPose's and Detectron2's evaluations and AlphaPose 0.5 write
them; AlphaPose names images ``0.jpg``, numbers tracked people in ``idx`` and has 17, 26 or 136
joints. With ``--format open`` or ``cmu`` it writes a dictionary by image, of 18 joints as
OpenPose's COCO model. *Annotations* are a dictionary of ``images`` and ``annotations``, whose third
number says whether a joint was labelled (1: hidden, 2: seen) and is no score.
"""

from pathlib import Path
from typing import Any

import numpy as np

from paperlib.detection.files.films import (
    Film,
    Found,
    Options,
    film,
    missing_as_zero,
    nobody,
    numbered,
    threes,
    track_of,
    triples,
)
from paperlib.detection.files.joint_sets import Named, by_names

_PERSON = 1  # COCO's number of the category
_TRACKS = ("track_id", "idx", "person_id", "instance_id")  # AlphaPose's is the second
_HIDDEN = 0.5  # the confidence of a joint that somebody labelled though it is hidden


def is_results(content: Any) -> bool:
    return isinstance(content, list)


def read_results(content: list, path: Path, options: Options) -> Film:
    images: dict[str, list[Found]] = {}
    others: set = set()
    for person in content:
        if not isinstance(person, dict) or not {"image_id", "keypoints"} <= person.keys():
            raise ValueError(f"{path}: every entry needs 'image_id' and 'keypoints', got {person}")
        if person.get("category_id", _PERSON) != _PERSON:
            others.add(person["category_id"])
            continue
        image = str(person["image_id"])
        joints = triples(person["keypoints"], f"{path}: image {image}")
        images.setdefault(image, []).append(Found(joints, _track(person)))
    if others and not images:
        raise nobody(path, f"people have category_id {_PERSON}, and here are {sorted(others)[:5]}")
    return film(*numbered(images, path), path, options)


def _track(person: dict) -> int | None:
    return next((track_of(person[key]) for key in _TRACKS if key in person), None)


def is_by_image(content: Any) -> bool:
    """AlphaPose's dictionary by image."""
    return isinstance(content, dict) and any(
        isinstance(each, dict) and {"people", "bodies"} & each.keys() for each in content.values()
    )


def read_by_image(content: dict, path: Path, options: Options) -> Film:
    images = {
        image: [
            Found(
                triples(one.get("pose_keypoints_2d", one.get("joints")), f"{path}: image {image}")
            )
            for one in (each["people"] if "people" in each else each["bodies"])
        ]
        for image, each in content.items()
    }
    return film(*numbered(images, path), path, options)


def is_annotations(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("annotations"), list)


def read_annotations(content: dict, path: Path, options: Options) -> Film:
    images = {each["id"]: each for each in content.get("images", ())}
    if not images:
        images = {one["image_id"]: {"id": one["image_id"]} for one in content["annotations"]}
    people: dict[Any, list[Found]] = {number: [] for number in images}
    persons = _persons(content)
    for one in content["annotations"]:
        if one.get("category_id", _PERSON) not in persons or not one.get("keypoints"):
            continue
        if one["image_id"] not in people:
            raise ValueError(f"{path}: a person in image {one['image_id']!r}, which is not listed")
        where = f"{path}: image {one['image_id']}"
        people[one["image_id"]].append(Found(_labelled(one["keypoints"], where), _track(one)))
    names = {number: _image_name(each) for number, each in images.items()}
    by_frame, frames = numbered({names[number]: found for number, found in people.items()}, path)
    if len(by_frame) < len(images):
        raise ValueError(f"{path}: images that have the same number in their names")
    sizes = {(each.get("width"), each.get("height")) for each in images.values()}
    size = sizes.pop() if len(sizes) == 1 else (None, None)
    return film(by_frame, frames, path, options, _named(content, path), size)


def _persons(content: dict) -> set:
    """The numbers of the categories that are people."""
    listed = content.get("categories") or ()
    return {each["id"] for each in listed if _is_person(each)} or {_PERSON}


def _is_person(category: dict) -> bool:
    return str(category.get("name", "person")).lower() == "person"


def _named(content: dict, path: Path) -> Named | None:
    for each in content.get("categories") or ():
        if _is_person(each) and each.get("keypoints"):
            return by_names([str(name) for name in each["keypoints"]], path)
    return None


def _image_name(image: dict) -> str:
    """What tells an image's place in the film: PoseTrack numbers frames, others name files."""
    return str(image.get("frame_id", image.get("file_name", image["id"])))


def _labelled(numbers: Any, where: str) -> np.ndarray:
    joints = threes(numbers, where).copy()
    joints[:, 2] = np.where(joints[:, 2] >= 2, 1.0, np.where(joints[:, 2] >= 1, _HIDDEN, 0.0))
    return missing_as_zero(joints, where)
