"""What goes wrong with good confidence: left and right that change places from one frame to the
next, as whole bodies turn around or one pair of joints does."""

import numpy as np

from paperlib.detection.files.joint_sets import MEDIAPIPE_33

_CLEARLY = 0.5  # of the way of the joints, that to each other's places
_FAR = 0.04  # of the person's size, the way from which it counts
_BODY = [j for j in MEDIAPIPE_33.left if j >= MEDIAPIPE_33.index("left_shoulder")]


def swapped(joints: np.ndarray) -> np.ndarray:
    """``(T, 33)``: where a joint of somebody followed over frames without a break, ``(T, 33, 2)``
    of :data:`~paperlib.detection.files.joint_sets.MEDIAPIPE_33`, has the place of its counterpart.

    A pair that jumps onto each other's places is on its wrong sides in every second stretch of
    time: the shorter ones together are taken for wrong. Joints of the face are as the shoulders.
    """
    wrong = np.zeros(joints.shape[:2], dtype=bool)
    if len(joints) < 2:
        return wrong
    sizes = np.linalg.norm(joints.max(axis=1) - joints.min(axis=1), axis=-1)[1:].clip(min=1)
    mirrored = np.array(MEDIAPIPE_33.mirrored)
    for left in _BODY:
        pair = joints[:, [left, mirrored[left]]]
        straight = np.linalg.norm(pair[1:] - pair[:-1], axis=-1).mean(axis=1)
        crossed = np.linalg.norm(pair[1:] - pair[:-1, ::-1], axis=-1).mean(axis=1)
        switches = (straight > _FAR * sizes) & (crossed < _CLEARLY * straight)
        odd = np.concatenate([[False], np.cumsum(switches) % 2 == 1])
        odd = ~odd if odd.mean() > 0.5 else odd
        wrong[:, [left, mirrored[left]]] = odd[:, None]
    head = slice(0, MEDIAPIPE_33.index("left_shoulder"))
    wrong[:, head] = wrong[:, [MEDIAPIPE_33.index("left_shoulder")]]
    return wrong
