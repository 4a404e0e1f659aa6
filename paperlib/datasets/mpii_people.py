"""MPII's people (Andriluka et al., CVPR 2014), in the JSON that the field uses.

The data set is brought: the images in ``images/``, and its annotations as ``annot/train.json`` and
``annot/valid.json``, as Microsoft's public code for pose estimation has them (the authors' own file
is MATLAB's, from http://human-pose.mpi-inf.mpg.de). MATLAB counts pixels from 1: the middle of such
a pixel is half a pixel before. ``center`` and ``scale`` tell a square of 200 x scale pixels about a
person.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.prepared import Files
from paperlib.datasets.stills import Annotation, StillImages, gathered, numbers
from paperlib.errors import contents_of, one_of
from paperlib.outside.json_files import read_json
from paperlib.skeletons import MPII_16

PARTS = ("train", "valid")
_SIDE = 200.0  # pixels of a square of scale 1
_FILES = Files(
    "MPII's people",
    "mpii",
    "mpii",
    "It is free for research: http://human-pose.mpi-inf.mpg.de. Without it, kato2020's first stage "
    "learns from rendered images of other bodies.",
)


def load(part: str = "train") -> StillImages:
    """The annotated people of one of :data:`PARTS`.

    Raises ``MissingDataError`` where the annotations or any of their images are not there, and
    ``ValueError`` for another file.
    """
    one_of("part of MPII", part, PARTS)
    path, folder = _FILES.require(f"annot/{part}.json"), _FILES.require("images")
    with contents_of(path):
        people = list(_people(read_json(path), path))
    source = f"MPII, people of its part {part}, annotated 2D points, no 3D"
    return gathered(f"mpii-{part}", source, MPII_16, folder, people)


def _people(content: Any, path: Path) -> Iterator[Annotation]:
    if not isinstance(content, list):
        raise ValueError(f"{path}: expected MPII's annotations, a list of people")
    for number, one in enumerate(content):
        where = f"{path}: person {number}"
        if not isinstance(one, dict) or not {"joints", "joints_vis", "image"} <= one.keys():
            raise ValueError(f"{where}: no 'joints', 'joints_vis' and 'image'; is it the test set?")
        if not isinstance(one["joints"], list) or len(one["joints"]) != len(MPII_16):
            raise ValueError(f"{where}: expected {len(MPII_16)} joints")
        points = np.stack([numbers(place, 2, where) for place in one["joints"]]) - 0.5
        known = numbers(one["joints_vis"], len(MPII_16), where)
        if not np.isin(known, (0, 1)).all():
            raise ValueError(f"{where}: joints_vis must be 0 or 1, got {known.tolist()}")
        x, y = numbers(one.get("center"), 2, where) - 0.5
        (side,) = _SIDE * numbers([one.get("scale")], 1, where)
        box = (x - side / 2, y - side / 2, side, side)
        yield Annotation(str(one["image"]), points, known == 1, known == 1, box)
