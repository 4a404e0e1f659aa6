"""Occlusions put into recordings, all alike for every system that is tested (cheng2020, Data
Augmentation for Occlusions, where they are put into what a network learns from)."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from paperlib.arrays import interpolated
from paperlib.errors import one_of
from paperlib.occlusion import OcclusionMasks
from paperlib.randomness import check_seed, generator_of
from paperlib.recordings import PerFrame, Recording

FILLINGS = ("interpolated", "held")


def masked(recording: Recording, masks: OcclusionMasks, seed: int = 0) -> Tensor:
    """Which keypoints ``(T, K)`` of a recording ``masks`` hide, the whole of it taken as one
    window. ``seed`` and the recording's name decide: with a larger share more is hidden, and all
    that a smaller one hides.

    ``ValueError`` for masks that do other things than hide.
    """
    check_seed(seed)
    other = [name for name in ("shifts", "swaps", "noise") if getattr(masks, name)]
    if other:
        raise ValueError(f"these masks are to hide keypoints only, and have {', '.join(other)}")
    chance = torch.Generator().manual_seed(int(_chance(recording, seed).integers(2**63)))
    ones = torch.ones_like(recording.keypoints[..., :1])
    features = torch.cat([recording.keypoints, ones], dim=-1)[None]
    return masks.hide(features, recording.keypoint_skeleton, chance)[0, ..., 2] == 0


def gap(recording: Recording, frames: int, margin: int = 0, seed: int = 0) -> Tensor:
    """``(T, K)`` bool: all keypoints of so many ``frames`` in a row, somewhere in the recording,
    with ``margin`` frames or more on each side. ``seed`` and the recording's name decide where, and
    a shorter gap lies within a longer one.

    ``ValueError`` for a recording that is too short.
    """
    check_seed(seed)
    free = len(recording) - 2 * margin - frames
    if frames < 1 or margin < 0 or free < 0:
        raise ValueError(
            f"{recording.name}: a gap of {frames} frames with {margin} on each side does not fit "
            f"into {len(recording)}; leave short recordings out"
        )
    start = margin + int(_chance(recording, seed).random() * (free + 1))
    hidden = torch.zeros(recording.keypoints.shape[:2], dtype=torch.bool)
    hidden[start : start + frames] = True
    return hidden


def without(recording: Recording, hidden: Tensor) -> Recording:
    """The recording as its camera sees it with the keypoints ``hidden`` ``(T, K)``: their
    confidence is 0, and they lie in the middle of the image, which is zero in screen coordinates.
    Their maps, where it has maps, are zero."""
    _check(recording, hidden)
    camera, seen = recording.camera, recording.heatmaps

    def emptied(frames: Tensor) -> Tensor:
        return seen(frames).masked_fill(hidden[frames][..., None, None], 0.0)

    middle = recording.keypoints.new_tensor([camera.width / 2, camera.height / 2])
    # which are hidden, the confidence tells
    maps = seen and PerFrame(f"{seen.key}, none of what is hidden", emptied)
    return replace(
        recording,
        keypoints=torch.where(hidden[..., None], middle, recording.keypoints),
        confidence=recording.confidence.masked_fill(hidden, 0.0),
        heatmaps=maps,
    )


def filled(recording: Recording, hidden: Tensor, how: str = "interpolated") -> Recording:
    """What one who has a network that knows of no gaps does about the keypoints ``hidden`` ``(T,
    K)``: places and confidences are ``"interpolated"`` linearly over time from those before and
    after, constant beyond the ends, or ``"held"`` as last seen, all that can be done while a film
    is still running. A keypoint that is seen in no frame is put into the middle of the others.
    Maps cannot be filled so, and are left out.

    ``ValueError`` where no keypoint is ever seen.
    """
    _check(recording, hidden)
    one_of("filling", how, FILLINGS)
    if hidden.all():
        raise ValueError(f"{recording.name}: all keypoints of all frames are hidden")
    seen = ~hidden.numpy()
    known = recording.keypoints.numpy(), recording.confidence[..., None].numpy()
    found = [interpolated(values, seen) for values in known]
    if how == "held":
        times = np.arange(len(recording))[:, None]
        last = np.maximum.accumulate(np.where(seen, times, 0))[..., None]
        found = [np.take_along_axis(values, last, axis=0) for values in found]
    keypoints, confidence = map(torch.from_numpy, found)
    confidence = confidence[..., 0].clamp(0, 1)
    return replace(recording, keypoints=keypoints, confidence=confidence, heatmaps=None, crops=None)


def _chance(recording: Recording, seed: int) -> np.random.Generator:
    return generator_of(f"hidden of {recording.name}, seed {seed}")


def _check(recording: Recording, hidden: Tensor) -> None:
    expected = recording.keypoints.shape[:2]
    if hidden.shape != expected or hidden.dtype != torch.bool:
        raise ValueError(
            f"{recording.name}: hidden is {hidden.dtype} {tuple(hidden.shape)}, expected one "
            f"boolean for each keypoint of each frame, {tuple(expected)}"
        )
