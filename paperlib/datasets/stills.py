"""People in photographs, of whom the places of joints in the image are known and nothing else.

The first stage of kato2020 learns from them beside motion capture: they are poor in what they tell
of depths, and rich in people, clothes and places (section III). :mod:`.coco_people` and
:mod:`.mpii_people` read the annotations that the field uses, beside images that the user brings.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from paperlib.errors import MissingDataError
from paperlib.paths import regular_file, shown
from paperlib.skeletons import H36M_17, Skeleton, as_h36m

_FARTHEST = 1e5  # pixels, beyond any image
_LARGEST = 2**29  # bytes of a file
_IMAGE = r"[\w.-]+\.(jpg|jpeg|png)"


class Annotation(NamedTuple):
    """One person of one image, as a file has them."""

    image: str  # its file's name
    points: np.ndarray  # (K, 2) pixels
    labelled: np.ndarray  # (K,) bool: somebody said where it is
    visible: np.ndarray  # (K,) bool: and could see it
    box: tuple[float, float, float, float]  # left, top, width, height in pixels


@dataclass(frozen=True, eq=False)
class StillImages:
    """``N`` people in photographs.

    ``files`` has the image of each; ``keypoints (N, K, 2)`` are pixels of it, where the middle of
    the first one is (0.5, 0.5), and ``labelled (N, K)`` says where they are known, ``visible``
    where they were seen too. ``boxes (N, 4)`` about the people are left, top, width and height.

    ``ValueError`` for other shapes, a known keypoint that is no number of an image, and a box of no
    area.
    """

    name: str
    source: str
    skeleton: Skeleton
    files: tuple[Path, ...]
    keypoints: Tensor
    labelled: Tensor
    visible: Tensor
    boxes: Tensor
    excluded: str = "nothing"

    def __post_init__(self):
        count, joints = len(self.files), len(self.skeleton)
        if not count:
            raise ValueError(f"{self.name}: no people to learn from")
        expected = {
            "keypoints": (count, joints, 2),
            "labelled": (count, joints),
            "visible": (count, joints),
            "boxes": (count, 4),
        }
        for field, shape in expected.items():
            if tuple(getattr(self, field).shape) != shape:
                raise ValueError(
                    f"{self.name}: {field} has shape {tuple(getattr(self, field).shape)}, expected "
                    f"{shape} ({count} people, {joints} joints of {self.skeleton.name})"
                )
        known = self.keypoints[self.labelled]
        if not (known.abs() <= _FARTHEST).all() or not (self.boxes.abs() <= _FARTHEST).all():
            raise ValueError(
                f"{self.name}: keypoints or boxes that no image has: NaN, or beyond "
                f"{_FARTHEST:g} pixels"
            )
        empty = (self.boxes[:, 2:] <= 0).any(dim=1)
        if empty.any():
            number = int(empty.nonzero()[0])
            raise ValueError(
                f"{self.name}: {int(empty.sum())} boxes have no area, the first is that of person "
                f"{number} in {self.files[number].name}"
            )

    def __len__(self) -> int:
        return len(self.files)

    def __repr__(self) -> str:
        return f"StillImages({self.name!r}, {len(self)} people)"

    def in_h36m(self) -> "StillImages":
        """The same people with the 17 joints of Human3.6M, of which those that nobody annotated
        (spine, nose) are not labelled: see :func:`paperlib.skeletons.as_h36m`."""
        points, labelled = as_h36m(self.keypoints, self.labelled, self.skeleton)
        _, visible = as_h36m(self.keypoints, self.visible, self.skeleton)
        return replace(self, skeleton=H36M_17, keypoints=points, labelled=labelled, visible=visible)

    def image(self, number: int) -> Tensor:
        """``(3, H, W)`` from 0 to 1: the image of a person. ``ValueError`` for a file that is no
        image, or was cut short."""
        return read_image(self.files[number])

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of all that can be learnt from them; images count by their names."""
        digest = hashlib.sha256(f"{self.name}|{self.skeleton.name}".encode())
        digest.update("|".join(path.name for path in self.files).encode())
        for values in (self.keypoints, self.labelled, self.visible, self.boxes):
            digest.update(values.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def read_image(path: str | Path) -> Tensor:
    """``(3, H, W)`` float32 from 0 to 1 of a PNG or JPEG file, grey ones too; ``ValueError`` for
    another kind of file, a damaged one, or one of more pixels than a camera takes."""
    from PIL import Image  # late: few need it

    path = regular_file(path, _LARGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                pixels = np.asarray(image.convert("RGB"))
    except Exception as problem:  # what is damaged fails in many ways
        raise ValueError(
            f"{path}: not an image (PNG or JPEG), or damaged ({problem}); fetch it again"
        ) from None
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def gathered(
    name: str, source: str, skeleton: Skeleton, folder: Path, found: Iterable[Annotation]
) -> StillImages:
    """Annotations with the images in ``folder``, all of which must be there:
    ``MissingDataError`` says how many are not, and names the first. People of whom no joint is
    labelled, or whose box has no area, are left out and counted."""
    every = list(found)
    kept = [one for one in every if one.labelled.any() and min(one.box[2:]) > 0]
    for one in kept:
        if not re.fullmatch(_IMAGE, one.image, re.IGNORECASE):
            raise ValueError(
                f"{name}: {one.image[:80]!r} is no name of an image: a file beside the others, "
                ".jpg or .png, is expected"
            )
    paths = {one.image: folder / one.image for one in kept}
    missing = sorted(path for path in paths.values() if not path.is_file())
    if missing:
        raise MissingDataError(
            f"{name}: {len(missing)} of {len(paths)} images are missing, the first is "
            f"{shown(missing[0])}. Put the images there, all that the annotations name"
        )
    left_out = len(every) - len(kept)
    return StillImages(
        name,
        source,
        skeleton,
        tuple(paths[one.image] for one in kept),
        keypoints=_stacked([one.points for one in kept], (len(skeleton), 2)).float(),
        labelled=_stacked([one.labelled for one in kept], (len(skeleton),)).bool(),
        visible=_stacked([one.visible for one in kept], (len(skeleton),)).bool(),
        boxes=_stacked([one.box for one in kept], (4,)).float(),
        excluded=f"{left_out} people without joints or area" if left_out else "nothing",
    )


def numbers(values: object, count: int, what: str) -> np.ndarray:
    """``(count,)`` finite numbers of a file; ``ValueError``, saying ``what``, for anything else."""
    right = isinstance(values, list) and len(values) == count
    if not right or not all(type(v) in (int, float) and abs(v) <= _FARTHEST for v in values):
        raise ValueError(f"{what}: expected {count} numbers of an image, got {str(values)[:80]}")
    return np.array(values, dtype=np.float64)


def _stacked(rows: Sequence, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.array(rows, dtype=np.float64).reshape(len(rows), *shape))
