"""Forecasts of motion (cheng2020, table 5): what is seen, what is to come, and the errors by how
far ahead.

The protocol is that of the literature (Jain et al. 2016, Martinez et al. 2017, and the public code
of the latter): at 25 Hz, 50 frames are seen; the error is the length of the difference of all Euler
angles. The angles there are Human3.6M's own; here they come from positions by inverse kinematics,
of truth and prediction alike. Numbers are therefore comparable with each other, not with the
paper's: positions do not tell the twist of forearms, shins, spine and neck, nor any rotation of
hands, feet and head, and what is 0 in both lowers the error. So do the 17 joints, of which 11
rotate, where Human3.6M's files have 32.
"""

from collections.abc import Sequence

import numpy as np
import torch

from paperlib import metrics
from paperlib.arrays import Array, as_positions
from paperlib.inverse_kinematics import inverse_kinematics
from paperlib.kinematics import euler_from_rotation
from paperlib.skeletons import Skeleton

FPS = 25.0
SEEN = 50  # frames
#: milliseconds ahead -> frames after the last one that is seen
HORIZONS = {80: 2, 160: 4, 320: 8, 560: 14, 1000: 25}
FUTURE = max(HORIZONS.values())  # frames
FIXED, MANY = 8, 256  # windows of a sequence set: the protocol's few, and as many as are advised

# Of the public code: its seed, the frames at the start of a sequence that it leaves out, and the
# frames after the seen ones that it wants to be there, although errors are read to the 25th.
_SEED, _SKIPPED, _ROOM = 1234567890, 16, 100
_UNMOVED = 1e-4  # radians of standard deviation below which a channel of the truth does not count


def forecast_windows(
    lengths: Sequence[int], count: int = FIXED, future: int = _ROOM, skipped: int = _SKIPPED
) -> list[tuple[int, int]]:
    """``count`` windows of a sequence set (of one action): (which sequence, its first seen frame).
    The ``SEEN`` frames from there on are seen, ``future`` more follow; the first ``skipped`` frames
    of a sequence are never seen.

    ``lengths`` are the frames of each sequence at 25 Hz. Sequences take turns, and the start is
    drawn by the generator of the public code from its own seed: of Human3.6M's two takes of an
    action, the windows of the literature come out, ``FIXED`` of them, which are known to be noisy;
    :data:`MANY` begin with the same. ``future=FUTURE, skipped=0`` allows sequences of 3 seconds
    instead of 7, and draws other windows. ``ValueError`` for a sequence too short to draw from:
    leave it out, and say so.
    """
    for name, value, least in (
        ("count", count, 1),
        ("future", future, FUTURE),
        ("skipped", skipped, 0),
    ):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} is {value!r}: a whole number from {least} on is expected")
    shortest = skipped + SEEN + future + 1
    short = [length for length in lengths if length < shortest]
    if short or not len(lengths):
        raise ValueError(
            f"sequences of {list(lengths)} frames at {FPS:g} Hz: at least one is expected, of "
            f"{shortest} or more each, to skip {skipped}, see {SEEN} and have {future} to come; "
            "leave shorter ones out"
        )
    # the literature's windows are those of this generator
    chance = np.random.RandomState(_SEED)
    turns = [number % len(lengths) for number in range(count)]
    return [(s, int(chance.randint(skipped, lengths[s] - SEEN - future))) for s in turns]


def zero_velocity(seen: torch.Tensor, frames: int = FUTURE) -> torch.Tensor:
    """The baseline that nobody moves: the last pose of ``seen`` ``(…, T, J, 3)``, ``frames`` times.
    It is hard to beat at short horizons (Martinez et al. 2017)."""
    if seen.ndim < 3 or not seen.shape[-3] or not frames >= 1:
        raise ValueError(
            f"seen of shape {tuple(seen.shape)}, expected (..., T, J, 3), and 1 or more frames to "
            f"come, got {frames}"
        )
    return seen[..., -1:, :, :].expand(*seen.shape[:-3], frames, *seen.shape[-2:])


def joint_angles(positions: Array, skeleton: Skeleton) -> torch.Tensor:
    """``(…, T, J, 3)`` radians: the Euler angles of each joint against its parent, of positions
    ``(…, T, J, 3)``; the root's, which are the body's place in the world, are 0.

    They are flexion, abduction and axial rotation, in this order, in the axes of
    :func:`~paperlib.inverse_kinematics.rest_pose`. The public code's formula is the same in axes of
    its own; with this naming of them the middle angle is far from a quarter of a turn, where Euler
    angles leap, whether somebody stands, sits or lifts the arms.
    """
    angles = euler_from_rotation("yxz", inverse_kinematics(positions, skeleton))
    angles[..., skeleton.root, :] = 0
    return angles


def angle_errors(predicted: Array, target: Array, skeleton: Skeleton) -> torch.Tensor:
    """``(…, T)`` radians: the mean angle error of each frame to come, before it is averaged over
    windows, of positions ``(…, T, J, 3)``. Channels in which a window's truth hardly moves
    (standard deviation up to 1e-4 over its T frames) do not count; differences are taken as they
    are, not around the circle. Source: the public code of Martinez et al. 2017; cheng2020, table 5.
    """
    found, true = _pair(predicted, target)
    angles, truth = joint_angles(found, skeleton), joint_angles(true, skeleton)
    moves = truth.std(dim=-3, correction=0, keepdim=True) > _UNMOVED
    angles = torch.where(moves, angles, truth)
    return metrics.mean_angle_error(angles, truth, reduction="none")


def by_horizon(errors: torch.Tensor) -> dict[int, float]:
    """Milliseconds ahead -> the mean over windows of errors ``(…, T)`` of the frames to come, the
    first of them 40 ms after the last that was seen. ``ValueError`` for fewer than 25 frames."""
    if errors.ndim < 1 or errors.shape[-1] < FUTURE:
        raise ValueError(
            f"errors of shape {tuple(errors.shape)}, expected (..., T) of {FUTURE} frames or more"
        )
    return {ms: errors[..., frame - 1].mean().item() for ms, frame in HORIZONS.items()}


def forecast_errors(
    predicted: Array, target: Array, skeleton: Skeleton
) -> dict[str, dict[int, float]]:
    """``"mean_angle_error"`` (radians) and ``"mpjpe"`` (metres, relative to the root) of the frames
    to come ``(…, T, J, 3)``, T >= 25 at 25 Hz, by milliseconds ahead, each a mean over windows."""
    found, true = _pair(predicted, target)
    poses = [p - p[..., skeleton.root : skeleton.root + 1, :] for p in (found, true)]
    return {
        "mean_angle_error": by_horizon(angle_errors(found, true, skeleton)),
        "mpjpe": by_horizon(metrics.mpjpe(*poses, reduction="none").mean(dim=-1)),
    }


def _pair(predicted: Array, target: Array) -> tuple[torch.Tensor, torch.Tensor]:
    found, true = as_positions(predicted, gaps=False), as_positions(target, gaps=False)
    if found.shape != true.shape:
        raise ValueError(
            f"predicted {tuple(found.shape)} and target {tuple(true.shape)}, expected the same "
            "shape (..., T, J, 3)"
        )
    return found, true
