"""What goes wrong with good confidence: left and right that change places from one frame to the
next, as whole bodies turn around or one pair of joints does."""

import numpy as np

from paperlib.detection.files.joint_sets import MEDIAPIPE_33

_FAR = 0.04  # of the person's size: two joints nearer to each other than that are told apart anew
_SHOULDER = MEDIAPIPE_33.index("left_shoulder")  # the first joint below the head
_LEFT = [joint for joint in MEDIAPIPE_33.left if joint >= _SHOULDER]
_RIGHT = [MEDIAPIPE_33.mirrored[joint] for joint in _LEFT]


def swapped(joints: np.ndarray) -> np.ndarray:
    """``(T, 33)``: where a joint of somebody followed over frames without a break, ``(T, 33, 2)``
    of :data:`~paperlib.detection.files.joint_sets.MEDIAPIPE_33`, has the place of its counterpart.

    Each pair below the head is followed by where both of its places were before, whatever they are
    called, as long as these stay apart. Which name was right the greater part of that time tells.
    The head is as the shoulders are.
    """
    sizes = np.linalg.norm(joints.max(axis=1) - joints.min(axis=1), axis=-1)[:, None].clip(min=1)
    pairs = np.stack([joints[:, _LEFT], joints[:, _RIGHT]], axis=2)  # (T, pairs, 2, 2)
    apart = np.linalg.norm(pairs[:, :, 0] - pairs[:, :, 1], axis=-1) > _FAR * sizes
    crossed = np.zeros(apart.shape, dtype=bool)
    before = pairs[0]
    for t, now in enumerate(pairs):
        as_named = np.linalg.norm(now - before, axis=-1).sum(axis=-1)
        otherwise = np.linalg.norm(now[:, ::-1] - before, axis=-1).sum(axis=-1)
        crossed[t] = apart[t] & (otherwise < as_named)
        before = np.where(crossed[t, :, None, None], now[:, ::-1], now)
    wrong = np.zeros(joints.shape[:2], dtype=bool)
    for pair, (left, right) in enumerate(zip(_LEFT, _RIGHT, strict=True)):
        wrong[:, left] = wrong[:, right] = _the_lesser(crossed[:, pair], apart[:, pair])
    wrong[:, :_SHOULDER] = wrong[:, [_SHOULDER]]
    return wrong


def _the_lesser(crossed: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """``crossed`` (T,), or its opposite where that is rarer in a stretch of time ``apart`` (T,)."""
    stretch = np.cumsum(~apart)
    many = np.bincount(stretch[apart], crossed[apart], minlength=stretch[-1] + 1)
    of = np.bincount(stretch[apart], minlength=stretch[-1] + 1)
    return apart & (crossed ^ (2 * many > of)[stretch])
