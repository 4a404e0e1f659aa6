"""Sequences of any length through a network of windows in which all frames are targets."""

import torch
from torch import Tensor

from paperlib.models import LSTMModel, MultiStrideTCN

_AT_ONCE = 16  # windows: their maps are what takes memory


@torch.no_grad()
def lift_windows(model: MultiStrideTCN | LSTMModel, keypoints: Tensor) -> Tensor:
    """Poses ``(B, T, J, 3)`` of sequences ``(B, T, K, F)``, in windows of the model's length.

    A window begins every half length, and the last one ends with the sequence, so that each frame
    is in two or more, but for the outermost. Its poses are averaged, and count the more the nearer
    they are to the middle of their window: there a network knows as much of the past as of the
    future, and seams do not show. A sequence shorter than a window is padded by its first and last
    frame.
    """
    sequences, frames, length = len(keypoints), keypoints.shape[1], model.length
    if frames > length:
        starts = [*range(0, frames - length, max(1, length // 2)), frames - length]
    else:
        starts = [(frames - length) // 2]
    index = torch.tensor(starts)[:, None] + torch.arange(length)
    windows = keypoints[:, index.clamp(0, frames - 1).to(keypoints.device)].flatten(0, 1)
    poses = torch.cat([model(part).float() for part in windows.split(_AT_ONCE)])
    poses = poses.unflatten(0, (sequences, -1))
    steps = torch.arange(length, dtype=poses.dtype, device=poses.device)
    weight = torch.minimum(steps + 1, length - steps)[:, None, None]
    sums = poses.new_zeros(sequences, frames, *poses.shape[3:])
    total = poses.new_zeros(frames, 1, 1)
    for row, start in enumerate(starts):
        there = slice(max(start, 0), start + length)
        own = slice(there.start - start, min(length, frames - start))
        sums[:, there] += poses[:, row, own] * weight[own]
        total[there] += weight[own]
    return sums / total
