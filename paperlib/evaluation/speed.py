"""How fast a person moves."""

import torch
from torch import Tensor

from paperlib.recordings import Recording


def joint_speed(recording: Recording) -> Tensor:
    """``(T,)``: the mean speed of all joints but the root, relative to it, metres a second, of what
    the true pose does from the frame before to the frame after. Walking through a room does not
    count. ``ValueError`` for fewer than two frames, or without 3D positions."""
    if len(recording) < 2:
        raise ValueError(f"{recording.name}: a frame alone has no speed")
    moved = torch.gradient(recording.pose, dim=0)[0].norm(dim=-1) * recording.fps
    limbs = [j for j in range(len(recording.skeleton)) if j != recording.skeleton.root]
    return moved[:, limbs].mean(dim=-1)


def fastest(speed: Tensor, frames: int) -> tuple[int, float]:
    """Where those ``frames`` begin in which the mean of ``speed`` ``(T,)`` is greatest, and that
    mean; of fewer than ``frames`` the mean of all."""
    means = speed.unfold(0, min(frames, len(speed)), 1).mean(dim=-1)
    return int(means.argmax()), means.max().item()
