"""Other people in the square that the landmark network sees: it was made for one, and takes the
arms of whoever stands in front for those of the person behind. Painted out, they are no arms."""

from collections.abc import Sequence

import numpy as np
import torch

from paperlib.detection.blazepose.regions import Region
from paperlib.detection.files.joint_sets import MEDIAPIPE_33
from paperlib.occlusion import hidden_behind

_THICK = 0.055  # of somebody's size (the diagonal of their box): half the width of limbs and head


def painted_out(small: np.ndarray, region: Region, others: Sequence[np.ndarray]) -> np.ndarray:
    """The square ``(S, S, 3)`` of a ``region`` with the bodies of ``others``, each ``(33, 2)``
    joints in pixels of the picture, in its mean colour."""
    side = len(small)
    steps = np.arange(side) / side
    places = region.to_picture(np.stack(np.meshgrid(steps, steps), axis=-1)).reshape(1, -1, 2)
    covered = np.zeros(side * side, dtype=bool)
    for joints in others:
        width = _THICK * float(np.linalg.norm(np.ptp(joints, axis=0)))
        body = torch.from_numpy(joints)[None].double()
        covered |= hidden_behind(torch.from_numpy(places), body, MEDIAPIPE_33, width)[0].numpy()
    painted = small.reshape(-1, 3).copy()
    painted[covered] = small.mean(axis=(0, 1))
    return painted.reshape(small.shape)
