"""Poses turned at random while a network learns, and what a camera then sees (cheng2020, eq. 5)."""

from math import pi

import torch
from torch import Tensor

from paperlib.cameras import project_to_screen
from paperlib.kinematics import rotation_apply, rotation_from_euler

_TILT = 0.2 * pi  # of a turned pose about x and z, at most: cheng2020, eq. 5


def random_turns(count: int, device: torch.device) -> Tensor:
    """Rotations ``(count, 3, 3)`` in camera axes: by any angle about the vertical (y), and by up to
    36 degrees about x and z."""
    x, y, z = (2 * torch.rand(3, count, device=device) - 1).unbind()
    # products of half precision would turn by other angles
    with torch.autocast(device.type, enabled=False):
        return rotation_from_euler("xyz", torch.stack([_TILT * x, pi * y, _TILT * z], dim=-1))


def turned(poses: Tensor, turns: Tensor) -> Tensor:
    """Sequences ``(N, T, J, 3)`` about their roots, each by its own of the ``turns`` ``(N, 3, 3)``.
    Mixed precision leaves this alone."""
    return rotation_apply(turns[:, None, None], poses)


def seen_anew(
    keypoints: Tensor, before: Tensor, after: Tensor, root: Tensor, intrinsics: Tensor
) -> Tensor:
    """What a camera sees of sequences that were turned: ``keypoints`` ``(N, T, J, 2 or more)`` in
    screen coordinates, moved by as much as the projections of the poses ``before`` and ``after``
    ``(N, T, J, 3)`` are apart. So a detector's errors stay as they were. The poses are relative to
    ``root`` ``(N, T, 1, 3)``, in metres; ``intrinsics`` are those of
    :func:`~paperlib.cameras.screen_intrinsics` ``(N, 9)``."""
    places = [project_to_screen(pose + root, intrinsics) for pose in (before, after)]
    moved = keypoints[..., :2] + places[1] - places[0]
    return torch.cat([moved, keypoints[..., 2:]], dim=-1)
