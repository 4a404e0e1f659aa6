"""COCO's people (Lin et al., ECCV 2014), in the format of its keypoint annotations.

The data set is brought: ``annotations/person_keypoints_train2017.json`` and the images in
``train2017/`` (``val2017``: likewise), from https://cocodataset.org. Keypoints are annotated by
clicks on whole pixels, counted from 0: the middle of such a pixel is half a pixel further.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.prepared import Files
from paperlib.datasets.stills import Annotation, StillImages, gathered, numbers
from paperlib.errors import contents_of, one_of
from paperlib.outside.json_files import read_json
from paperlib.skeletons import COCO_17

PARTS = ("train2017", "val2017")
_PERSON = 1  # its category
_FILES = Files(
    "COCO's people",
    "coco",
    "coco",
    "It is free: https://cocodataset.org has the images and the annotations of 2017. Without it, "
    "kato2020's first stage learns from rendered images of other bodies.",
)


def load(part: str = "train2017") -> StillImages:
    """The annotated people of one of :data:`PARTS`; crowds are left out.

    Raises ``MissingDataError`` where the annotations or any of their images are not there, and
    ``ValueError`` for another file.
    """
    one_of("part of COCO", part, PARTS)
    path = _FILES.require(f"annotations/person_keypoints_{part}.json")
    folder = _FILES.require(part)
    with contents_of(path):
        people = list(_people(read_json(path), path))
    source = f"COCO, people of {part}, annotated 2D points, no 3D"
    return gathered(f"coco-{part}", source, COCO_17, folder, people)


def _people(content: Any, path: Path) -> Iterator[Annotation]:
    lists = ("images", "annotations")
    if not isinstance(content, dict) or not all(isinstance(content.get(n), list) for n in lists):
        raise ValueError(
            f"{path}: expected COCO's annotations of keypoints, with lists of 'images' and "
            "'annotations'"
        )
    files = {image["id"]: image["file_name"] for image in content["images"]}
    for one in content["annotations"]:
        where = f"{path}: annotation {str(one.get('id'))[:20]}"
        if one.get("category_id") != _PERSON or one.get("iscrowd"):
            continue
        if one["image_id"] not in files or not isinstance(files[one["image_id"]], str):
            raise ValueError(f"{where}: image {str(one['image_id'])[:20]} is not among the images")
        rows = numbers(one.get("keypoints"), 3 * len(COCO_17), where).reshape(-1, 3)
        flags = rows[:, 2]
        if not np.isin(flags, (0, 1, 2)).all():
            raise ValueError(f"{where}: visibility must be 0, 1 or 2, got {flags.tolist()}")
        box = tuple(numbers(one.get("bbox"), 4, where).tolist())
        yield Annotation(files[one["image_id"]], rows[:, :2] + 0.5, flags > 0, flags == 2, box)
