"""Other people in the square that the landmark network sees: it was made for one, and takes the
arms of whoever stands in front for those of the person behind. Painted out, they are no arms."""

from collections.abc import Sequence

import numpy as np

from paperlib.detection.blazepose.regions import Region
from paperlib.detection.files.joint_sets import MEDIAPIPE_33

_THICK = 0.055  # of somebody's size (the diagonal of their box): half the width of their limbs
_BONES = [
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in ("left", "right")
        for start, end in (
            *(("ear", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index")),
            *(("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot_index")),
        )
    ),
    *((f"left_{joint}", f"right_{joint}") for joint in ("ear", "shoulder", "hip")),
    *(("left_shoulder", "right_hip"), ("right_shoulder", "left_hip")),
    *((f"{side}_ear", "nose") for side in ("left", "right")),
]
_LIMBS = [
    MEDIAPIPE_33.index(f"{side}_{joint}")
    for side in ("left", "right")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]
_ENDS = np.array([[MEDIAPIPE_33.index(name) for name in bone] for bone in _BONES])


def painted_out(small: np.ndarray, region: Region, others: Sequence[np.ndarray]) -> np.ndarray:
    """The square ``(S, S, 3)`` of a ``region`` with the bodies of ``others``, each ``(33, 2)``
    joints in pixels of the picture, in its mean colour: all that is near a bone."""
    side = len(small)
    steps = np.arange(side) / side
    covered = _on(others, region.to_picture(np.stack(np.meshgrid(steps, steps), axis=-1)))
    painted = small.copy()
    painted[covered] = small.mean(axis=(0, 1))
    return painted


def share_on(others: Sequence[np.ndarray], joints: np.ndarray) -> float:
    """The share of somebody's limbs, by their ``joints`` ``(33, 2)``, that lies on the bodies of
    ``others``: who is seen mostly there is but the shape that was left of them."""
    return float(_on(others, joints[_LIMBS]).mean())


def _on(others: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
    """``(...)``: which ``places`` ``(..., 2)`` lie on any of the bodies."""
    covered = np.zeros(places.shape[:-1], dtype=bool)
    for joints in others:
        width = _THICK * float(np.linalg.norm(np.ptp(joints, axis=0)))
        for start, end in joints[_ENDS]:
            covered |= _from_bone(places, start, end) <= width
    return covered


def _from_bone(places: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The distances of ``places`` ``(..., 2)`` from the line between two joints ``(2,)``."""
    off, along = places - start, end - start
    share = (off @ along / max(float(along @ along), 1e-9)).clip(0, 1)
    return np.linalg.norm(off - share[..., None] * along, axis=-1)
