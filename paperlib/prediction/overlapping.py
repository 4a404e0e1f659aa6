"""Sequences of any length through a network of windows in which all frames are targets."""

import torch
from torch import Tensor

from paperlib.models import MultiStrideTCN

_AT_ONCE = 16  # windows: their maps are what takes memory


@torch.no_grad()
def lift_windows(model: MultiStrideTCN, keypoints: Tensor) -> Tensor:
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
    device = keypoints.device
    steps = torch.arange(length, device=device)
    index = torch.tensor(starts, device=device)[:, None] + steps
    inside = (index >= 0) & (index < frames)
    index = index.clamp(0, frames - 1)
    windows = keypoints[:, index].flatten(0, 1)
    poses = torch.cat([model(part).float() for part in windows.split(_AT_ONCE)])
    weight = torch.minimum(steps + 1, length - steps) * inside
    total = poses.new_zeros(frames).index_add_(0, index.flatten(), weight.flatten().to(poses))
    weighted = poses.unflatten(0, (sequences, -1)) * weight[..., None, None]
    sums = poses.new_zeros(sequences, frames, *poses.shape[2:])
    sums.index_add_(1, index.flatten(), weighted.flatten(1, 2))
    return sums / total[:, None, None]
