"""Poses on a real film: the limbs alone are judged, whose joints every detector has."""

from dataclasses import replace

import torch
from torch import Tensor

from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, COMMON_14, Skeleton, convert


def limbs(points: Tensor, skeleton: Skeleton = COCO_17) -> Tensor:
    """Points ``(..., J, D)`` of a ``skeleton`` as those of :data:`~paperlib.skeletons.COMMON_14`
    ``(..., 14, D)``, shoulders to ankles, about the middle of the hips. ``ValueError`` for other
    joints, and for a skeleton that has no such joints."""
    points = convert(points, skeleton, COMMON_14)
    root = COMMON_14.root
    return points - points[..., root : root + 1, :]


def of_limbs(recording: Recording) -> Recording:
    """The recording with the true positions ``(T, 14, 3)`` that :func:`limbs` are measured by.
    ``ValueError`` where nobody knows them."""
    positions = convert(recording.truth, recording.skeleton, COMMON_14)
    return replace(recording, positions=positions, skeleton=COMMON_14, visible=None)


def without_depth(recording: Recording) -> Tensor:
    """``(T, 14, 3)``: the :func:`limbs` of the keypoints as they are, at the person's true distance
    and all in one plane. What knows anything about depth must be better. ``ValueError`` where the
    distance is not known."""
    distance = of_limbs(recording).trajectory[:, 2]
    metres = distance / (sum(recording.camera.focal) / 2)
    points = limbs(recording.keypoints, recording.keypoint_skeleton) * metres[:, None, None]
    return torch.cat([points, torch.zeros_like(points[..., :1])], dim=-1)
