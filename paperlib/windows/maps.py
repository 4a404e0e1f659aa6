"""Maps that come ready, from a network that sees the film, laid out so that they are gathered as
keypoints are (:func:`paperlib.prediction.predict_maps` makes them)."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton

_CROP = 3  # numbers before the cells of a map: the middle of its crop, x and y, and its side
_DRAWN = 4  # of a keypoint whose map is drawn there are at most so many


def map_features(size: int) -> int:
    """How many numbers of a keypoint :func:`map_input` has for maps of ``size`` cells a side."""
    return _CROP + size**2


def are_maps(features: int) -> bool:
    """Whether so many numbers of each keypoint are a ready map, and not what one is drawn from."""
    return features > _DRAWN


def map_cells(recordings: Iterable[Recording]) -> int:
    """How many cells the ready maps of these recordings have along each side. ``ValueError`` where
    one has none, or others than the rest, and for no recordings."""
    sizes = {_maps(recording, torch.arange(1)).shape[-1] for recording in recordings}
    if len(sizes) != 1:
        raise ValueError(f"expected recordings with maps of one size, got {sorted(sizes)} cells")
    return sizes.pop()


def map_input(recording: Recording) -> Tensor:
    """``(T, K, 3 + S * S)``: for each keypoint the crop that its map shows, which is the same for
    all of a frame, and the map, row after row. In half precision, which moves a crop by less than
    a quarter of a pixel in 1000.

    ``ValueError`` for a recording without maps or without their crops.
    """
    return packed(_maps(recording, torch.arange(len(recording))), recording.crops).half()


def _maps(recording: Recording, frames: Tensor) -> Tensor:
    if recording.heatmaps is None or recording.crops is None:
        raise ValueError(
            f"{recording.name} has no heat maps of a network that saw its film, which are to be "
            "lifted: paperlib.prediction.predict_maps makes them"
        )
    maps, points = recording.heatmaps(frames), recording.keypoint_skeleton
    shape = tuple(maps.shape)
    if len(shape) != 4 or shape[:2] != (len(frames), len(points)) or shape[2] != shape[3]:
        raise ValueError(
            f"{recording.name}: expected maps ({len(frames)}, {len(points)}, S, S) of "
            f"{points.name}, got {shape}"
        )
    return maps


def packed(maps: Tensor, crops: Tensor) -> Tensor:
    """Maps ``(…, K, S, S)`` and their crops ``(…, 3)`` as one: ``(…, K, 3 + S * S)``."""
    crops = crops[..., None, :].expand(*maps.shape[:-2], _CROP).to(maps)
    return torch.cat([crops, maps.flatten(-2)], dim=-1)


def unpacked(features: Tensor) -> tuple[Tensor, Tensor]:
    """The maps ``(…, K, S, S)`` and crops ``(…, 3)`` of :func:`packed`, no number copied."""
    size = math.isqrt(features.shape[-1] - _CROP)
    return features[..., _CROP:].unflatten(-1, (size, size)), features[..., 0, :_CROP]


def mirrored_maps(features: Tensor, skeleton: Skeleton) -> Tensor:
    """What :func:`map_input` gives of the mirrored film, exactly: each map is its mirror image, and
    stands where that of the other side did; its crop is on the other side of the image."""
    maps, crops = unpacked(features[..., list(skeleton.mirrored), :])
    return packed(maps.flip(-1), crops * crops.new_tensor([-1, 1, 1]))
