"""From a film of somebody to refined poses: both stages of kato2020 in one call."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from paperlib.arrays import as_tensor, interpolated
from paperlib.cameras import Camera
from paperlib.datasets.pictures import pictures
from paperlib.datasets.still_crops import shrunk
from paperlib.models import IntegralRegression
from paperlib.models.arguments import check_images
from paperlib.prediction.images import joints_in
from paperlib.prediction.sequences import predict
from paperlib.recordings import Recording
from paperlib.rendering import Crops
from paperlib.rendering.crops import CROP_MARGIN, pixel_intrinsics
from paperlib.skeletons import H36M_17, Skeleton

Film = np.ndarray | Tensor | str | Path
T = TypeVar("T")
_AT_ONCE = 64  # crops


def predict_video(
    first: IntegralRegression,
    second: nn.Module,
    film: Film,
    boxes: np.ndarray | Tensor,
    flip: bool = True,
) -> Tensor:
    """A pose ``(T, J, 3)`` of one person for each picture of a film, refined over time: metres,
    relative to the root, axes of the camera. What the ``first`` stage of kato2020 finds in each
    picture (:func:`joints_in_video`) goes to the ``second`` one, which learnt from such
    (:class:`~paperlib.training.JointDepths`).

    Both know what they have learnt from: bodies that are rendered are no photographs. For a film at
    another rate than the second stage's, leave out or repeat pictures.
    """
    return predict(second, joints_in_video(first, film, boxes, flip=flip), flip)


def joints_in_video(
    model: IntegralRegression,
    film: Film,
    boxes: np.ndarray | Tensor,
    fps: float = 50.0,
    skeleton: Skeleton = H36M_17,
    camera: Camera | None = None,
    flip: bool = True,
    precision: str = "auto",
) -> Recording:
    """What ``model`` finds of one person in a film (:func:`~paperlib.datasets.pictures.pictures`:
    an array ``(T, 3, H, W)`` from 0 to 1, a folder of PNG or JPEG files, or a video): keypoints in
    its pixels, and depths in metres about the root. Only crops of it are kept in memory.

    Where the person is, somebody else must say: ``boxes (T, 4)``, left, top, width and height in
    pixels, about the joints; NaN in a frame where nobody was found. There the confidence is 0, and
    keypoints and depths lie on a straight line between the frames before and after. Without a
    ``camera`` only the size of the pictures is known, which is all that a second stage asks for.

    ``ValueError`` for boxes of another number, of no area or wholly outside of the picture, for a
    film in which nobody was found, and for pictures that change in size.
    """
    boxes, found = _checked(boxes)
    count, several = pictures(film)
    if count is not None:
        _same_number(boxes, count)
    size, points, depths, shape = model.config["size"], [], [], (0, 0)
    for some in _in_parts(_cut(several, boxes, found, size), _AT_ONCE):
        crops, squares = zip(*some, strict=True)
        inside, deep = joints_in(model, torch.stack(squares), skeleton, flip, precision)
        points += [c.to_film(p[None]) for c, p in zip(crops, inside.cpu(), strict=True)]
        depths.append(deep.cpu())
        shape = tuple(int(side) for side in crops[0].film[0].tolist())
    keypoints = _bridged(torch.cat(points), found)
    deep = _bridged(torch.cat(depths)[..., None], found)[..., 0]
    camera = camera or _unknown(*shape)
    if (camera.width, camera.height) != shape:
        raise ValueError(
            f"pictures of {shape[0]} x {shape[1]} pixels, and a camera of {camera.width} x "
            f"{camera.height}"
        )
    name = Path(film).name if isinstance(film, str | Path) else "film"
    sure = found[:, None].float().expand(-1, len(skeleton)).contiguous()
    about = {"skeleton": skeleton, "keypoint_skeleton": skeleton, "depths": deep}
    return Recording("somebody", "film", name, fps, camera, keypoints, sure, **about)


def _checked(boxes: np.ndarray | Tensor) -> tuple[Tensor, Tensor]:
    """Boxes ``(T, 4)``, and in which frames ``(T,)`` there is one."""
    boxes = as_tensor(boxes).float()
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not len(boxes):
        raise ValueError(
            f"expected boxes (T, 4), left, top, width and height, got {tuple(boxes.shape)}"
        )
    missing = boxes.isnan()
    found = ~missing.all(dim=1)
    if boxes.isinf().any() or missing[found].any():
        frame = int((boxes.isinf() | missing & found[:, None]).any(dim=1).nonzero()[0])
        raise ValueError(
            f"the box of frame {frame} is {boxes[frame].tolist()}: numbers, or all NaN"
        )
    if not found.any():
        raise ValueError("boxes are NaN in all frames: nobody was found in the film")
    empty = found & (boxes[:, 2:] <= 0).any(dim=1)
    if empty.any():
        frame = int(empty.nonzero()[0])
        raise ValueError(f"the box of frame {frame} has no area: {boxes[frame].tolist()}")
    return boxes, found


def _cut(
    several: Iterable[Tensor], boxes: Tensor, found: Tensor, size: int
) -> Iterator[tuple[Crops, Tensor]]:
    """The crop of each frame in which somebody was found, and what is in it ``(3, size, size)``."""
    count, before = 0, None
    for number, picture in enumerate(several):
        count, shape = number + 1, (picture.shape[2], picture.shape[1])
        if shape != (before or shape):
            raise ValueError(
                f"frame {number} of the film has {shape[0]} x {shape[1]} pixels, the ones before "
                f"it {before[0]} x {before[1]}"
            )
        before = shape
        if count <= len(boxes) and found[number]:
            crop = _square(boxes[number], shape, size, number)
            check_images(picture[None], divisor=1)
            # means of ones are a little beyond one
            yield crop, shrunk(crop, picture.float()).clamp(0, 1)
    _same_number(boxes, count)


def _square(box: Tensor, shape: tuple[int, int], size: int, frame: int) -> Crops:
    """A square about a box, as wide as those that the first stage has learnt from."""
    film, (corner, sides) = torch.tensor([shape], dtype=torch.float32), box.split(2)
    if (corner >= film[0]).any() or (corner + sides <= 0).any():
        raise ValueError(
            f"the box of frame {frame}, {box.tolist()}, lies outside of its picture of {shape[0]} "
            f"x {shape[1]} pixels"
        )
    ends = torch.stack([corner, corner + sides])[None]
    return Crops.about(ends, CROP_MARGIN, pixel_intrinsics([_unknown(*shape)]), film, size)


def _same_number(boxes: Tensor, count: int) -> None:
    if count != len(boxes):
        raise ValueError(
            f"a film of {count} pictures, and {len(boxes)} boxes: there must be one for each, NaN "
            "where nobody was found"
        )


def _bridged(values: Tensor, found: Tensor) -> Tensor:
    """Values ``(F, K, D)`` of the frames that were ``found`` as values of all ``(T, K, D)``."""
    whole = values.new_zeros(len(found), *values.shape[1:])
    whole[found] = values
    known = found[:, None].expand(-1, values.shape[1]).numpy()
    return torch.from_numpy(interpolated(whole.numpy(), known))


def _unknown(width: int, height: int) -> Camera:
    """A camera of which only the size of its pictures counts."""
    return Camera("unknown", width, height, (width, width), (width / 2, height / 2))


def _in_parts(values: Iterable[T], count: int) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, count)):
        yield part
