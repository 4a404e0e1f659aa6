"""What goes wrong with good confidence: left and right that change places from one frame to the
next, as whole bodies turn around or one pair of joints does."""

import numpy as np

from paperlib.detection.files.joint_sets import MEDIAPIPE_33

_FAR = 0.04  # of the person's size: two joints nearer to each other than that are as good as one
_JUMP = 0.12  # of the person's size off where they should be: that is no place to go on from
_PATIENCE = 5  # frames of either, after which they are told apart anew
_NEW = 0.5  # of a joint's speed is that of the last frame
_SHOULDER = MEDIAPIPE_33.index("left_shoulder")  # the first joint below the head
_LEFT = [joint for joint in MEDIAPIPE_33.left if joint >= _SHOULDER]
_RIGHT = [MEDIAPIPE_33.mirrored[joint] for joint in _LEFT]


def swapped(joints: np.ndarray) -> np.ndarray:
    """``(T, 33)``: where a joint of somebody followed over frames without a break, ``(T, 33, 2)``
    of :data:`~paperlib.detection.files.joint_sets.MEDIAPIPE_33`, has the place of its counterpart.

    Each pair below the head is followed by where its two joints should be, at the speed that they
    had, whatever they are called, until they are together or elsewhere for a while. What they were
    called the greater part of that time is taken for right. The head is as the shoulders are.
    """
    sizes = np.linalg.norm(joints.max(axis=1) - joints.min(axis=1), axis=-1)[:, None].clip(min=1)
    pairs = np.stack([joints[:, _LEFT], joints[:, _RIGHT]], axis=2)  # (T, pairs, 2, 2)
    apart = np.linalg.norm(pairs[:, :, 0] - pairs[:, :, 1], axis=-1) > _FAR * sizes
    crossed, anew = np.zeros(apart.shape, dtype=bool), np.zeros(apart.shape, dtype=bool)
    place, speed, lost = pairs[0], np.zeros_like(pairs[0]), np.zeros(len(_LEFT))
    for t, now in enumerate(pairs):
        expected = place + speed
        as_named = np.linalg.norm(now - expected, axis=-1).mean(axis=-1)
        otherwise = np.linalg.norm(now[:, ::-1] - expected, axis=-1).mean(axis=-1)
        crossed[t] = apart[t] & (otherwise < as_named)
        near = apart[t] & (np.minimum(as_named, otherwise) < _JUMP * sizes[t])
        lost = np.where(near, 0, lost + 1)
        anew[t] = lost > _PATIENCE
        known = np.where(crossed[t, :, None, None], now[:, ::-1], now)
        changed = (1 - _NEW) * speed + _NEW * (known - place)
        # what is together goes on as before, what is elsewhere stops
        here, begins = near[:, None, None], anew[t, :, None, None]
        goes_on = np.where(apart[t, :, None, None], 0, speed)
        speed = np.where(begins, 0, np.where(here, changed, goes_on))
        place = np.where(begins, now, np.where(here, known, expected))
    wrong = np.zeros(joints.shape[:2], dtype=bool)
    for pair, (left, right) in enumerate(zip(_LEFT, _RIGHT, strict=True)):
        wrong[:, left] = wrong[:, right] = _the_lesser(crossed[:, pair], anew[:, pair])
    wrong[:, :_SHOULDER] = wrong[:, [_SHOULDER]]
    return wrong


def _the_lesser(crossed: np.ndarray, anew: np.ndarray) -> np.ndarray:
    """``crossed`` (T,), or its opposite where that is rarer between frames that begin ``anew``."""
    stretch = np.cumsum(anew)
    many = np.bincount(stretch, crossed)
    return crossed ^ (2 * many > np.bincount(stretch))[stretch]
