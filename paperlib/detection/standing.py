"""The standing bias of a simulated detector: wrong in the same way in pictures that look alike."""

from functools import lru_cache

import numpy as np

from paperlib.detection.profiles import Standing
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton, part

_WAVES = 6  # of which the bias of a joint is the sum
# the worst of a real film are hips, whose place is not seen
_WEIGHTS = {"hip": 1.5, "pelvis": 1.2, "wrist": 1.2, "ankle": 1.1, "shoulder": 0.8, "knee": 0.8}
_MIRROR = np.array([-1, 1, 1], np.float32)


def standing_bias(recording: Recording, standing: Standing, name: str) -> np.ndarray:
    """``(T, K, 2)`` % of the height: the bias of the profile ``name`` for each keypoint.

    A sum of waves over the directions, in camera axes, of the limb that ends in the joint, of the
    trunk, and from the right shoulder to the left; and a constant. Which waves depends on the
    profile and the joint alone, not on the recording. A left limb has the mirror image of the
    bias that the right one has in the mirror image of the pose, as in a detector that has learnt
    from pictures and their mirror images.
    """
    points = recording.keypoint_skeleton
    if not standing.size:
        return np.zeros((len(recording), len(points), 2), np.float32)
    seen = _directions(recording)  # (K, T, 9)
    turns, phases, sizes, constant = _waves(name, points)
    waves = seen @ (standing.bend * turns) + phases[:, None]
    moving = np.cos(waves, out=waves) @ (sizes * np.sqrt(1 - standing.constant))
    bias = moving + constant[:, None] * np.sqrt(standing.constant)
    bias[list(points.left), :, 0] *= -1
    return standing.size * bias.transpose(1, 0, 2)


def _directions(recording: Recording) -> np.ndarray:
    """``(K, T, 9)``: unit vectors of a keypoint's limb, across the shoulders, and up the trunk;
    mirrored for those of the left."""
    positions, skeleton = recording.truth.numpy(), recording.skeleton
    middle = {
        side: positions[:, skeleton.index(side)] for side in ("left_shoulder", "right_shoulder")
    }
    hips = positions[:, [skeleton.index("left_hip"), skeleton.index("right_hip")]].mean(axis=1)
    across = _unit(middle["left_shoulder"] - middle["right_shoulder"])
    up = _unit((middle["left_shoulder"] + middle["right_shoulder"]) / 2 - hips)
    points = recording.keypoint_skeleton
    bones = {skeleton.joints[child]: (parent, child) for parent, child in skeleton.bones}
    known = [k for k, name in enumerate(points.joints) if name in bones]
    ends = np.array([bones[points.joints[k]] for k in known])
    seen = np.empty((len(points), len(positions), 9), np.float32)
    seen[..., :3] = up  # where no limb is known
    if known:
        limbs = positions[:, ends[:, 1]] - positions[:, ends[:, 0]]
        seen[known, :, :3] = _unit(limbs).transpose(1, 0, 2)
    seen[..., 3:6], seen[..., 6:] = across, up
    # right and left change sides in a mirror: what points across keeps its sign along x alone
    seen[list(points.left)] *= np.concatenate([_MIRROR, -_MIRROR, _MIRROR])
    return seen


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    return vectors / np.maximum(length, 1e-6)


@lru_cache(maxsize=64)
def _waves(name: str, points: Skeleton) -> tuple[np.ndarray, ...]:
    """Of each keypoint: turns (K, 9, W), phases (K, W), sizes (K, W, 2) and the constant (K, 2),
    of root mean square 1 times its weight. A left joint has those of the right one."""
    drawn = []
    for joint in points.joints:
        kind = part(joint)
        rng = generator_of(f"standing bias|{name}|{kind}")
        turns = rng.standard_normal((9, _WAVES))
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        sizes = rng.standard_normal((_WAVES, 2))
        sizes *= np.sqrt(2) / np.linalg.norm(sizes)  # the mean square of a wave is a half
        constant = rng.standard_normal(2)
        constant /= np.linalg.norm(constant)
        weight = _WEIGHTS.get(kind, 1.0)
        drawn.append((turns, phases, weight * sizes, weight * constant))
    return tuple(np.stack(values).astype(np.float32) for values in zip(*drawn, strict=True))
