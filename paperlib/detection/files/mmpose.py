"""MMPose 1.x: JSON of its demonstrations (``--save-predictions``) and of its inferencer.

A person is ``{"keypoints": [[x, y], ...], "keypoint_scores": [...], "bbox": ..., ...}``. The
inferencer writes a list of ``{"frame_id": 0, "instances": [person, ...]}``, a demonstration such a
list as ``instance_info`` beside ``meta_info``, which names the joints, and counts frames from 1.
Of a single image there is a list of people, and no frame.
"""

from pathlib import Path
from typing import Any

from paperlib.detection.files.films import (
    Film,
    Found,
    Options,
    film,
    frame_number,
    numbered,
    timeline,
    track_of,
    triples,
)
from paperlib.detection.files.joint_sets import Named, by_names

# how MMPose calls data sets whose joints are known here
_DATASETS = {"coco": "coco_17", "halpe26": "halpe_26", "halpe": "halpe_26", "mpii": "mpii_16"}
_DATASETS |= {"coco_wholebody": "coco_23", "h36m": "h36m_17"}


def is_list(content: Any) -> bool:
    """The inferencer's list, of frames or of the people of one image."""
    return isinstance(content, list) and any(map(_is_ours, content))


def _is_ours(each: Any) -> bool:
    return isinstance(each, dict) and (
        "instances" in each or {"keypoints", "keypoint_scores"} <= each.keys()
    )


def read_list(content: list, path: Path, options: Options) -> Film:
    return _film(content, 0, path, options, None)


def is_demo(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("instance_info"), list)


def read_demo(content: dict, path: Path, options: Options) -> Film:
    about = content["meta_info"] if isinstance(content.get("meta_info"), dict) else {}
    named = _named(about, path)
    if named is None and options.layout is None:
        options = options._replace(layout=_DATASETS.get(str(about.get("dataset_name"))))
    return _film(content["instance_info"], 1, path, options, named)


def _film(content: list, first: int, path: Path, options: Options, named: Named | None) -> Film:
    if all("instances" not in each for each in content):
        people = {0: [_person(one, str(path)) for one in content]}  # of a single image
    else:
        numbers = [frame_number(frame["frame_id"], path) for frame in content]
        first = min(first, *numbers)
        people = {
            number - first: [_person(one, f"{path}: frame {number}") for one in frame["instances"]]
            for number, frame in zip(numbers, content, strict=True)
        }
        if len(people) < len(content) or first < 0:
            raise ValueError(f"{path}: a frame_id is there twice, or below 0")
    return film(people, timeline(people, path), path, options, named)


def _person(one: dict, where: str) -> Found:
    joints = triples(one["keypoints"], where, one["keypoint_scores"])
    return Found(joints, track_of(one.get("track_id")))


def _named(about: dict, path: Path) -> Named | None:
    names = about.get("keypoint_id2name")
    if not isinstance(names, dict) or not names:
        return None
    ordered = [str(names[key]) for key in sorted(names, key=int)]
    return by_names(ordered, path)


def read_images(contents: dict[str, list], path: Path, options: Options) -> Film:
    """The inferencer's files of a folder of images: a list of people for each."""
    images = {
        name: [_person(one, f"{path}: {name}") for one in people]
        for name, people in contents.items()
    }
    return film(*numbered(images, path), path, options)
