"""The error of what was hidden alone."""

from collections.abc import Hashable, Iterable, Sequence

import torch
from torch import Tensor

from paperlib import metrics
from paperlib.recordings import Recording


def hidden_mpjpe(
    poses: Iterable[Tensor], recordings: Sequence[Recording], hidden: Iterable[Tensor]
) -> tuple[dict[Hashable, float], float]:
    """The mean distance, metres, of those joints whose keypoint is ``hidden`` ``(T, K)``, one for
    each of ``recordings``; ``poses`` ``(T, J, 3)`` are relative to the root. The mean of each
    action, in which hidden joints are pooled, and the mean of those: actions in which nothing is
    hidden have none.

    A joint without a keypoint of its name is not hidden. ``ValueError`` where nothing is hidden, or
    for other shapes.
    """
    values, counts, actions = [], [], []
    for pose, recording, mask in zip(poses, recordings, hidden, strict=True):
        own = _joints(recording, mask)
        errors = metrics.mpjpe(pose, recording.pose, reduction="none")[own]
        if len(errors):
            values.append(errors.mean().item())
            counts.append(len(errors))
            actions.append(recording.action)
    if not values:
        raise ValueError("nothing is hidden: there is no error to average")
    return metrics.pooled(values, counts, actions)


def _joints(recording: Recording, hidden: Tensor) -> Tensor:
    """``(T, J)``: the joints whose keypoints ``(T, K)`` are hidden."""
    names = recording.keypoint_skeleton.joints
    if hidden.shape != (len(recording), len(names)) or hidden.dtype != torch.bool:
        raise ValueError(
            f"{recording.name}: hidden is {hidden.dtype} {tuple(hidden.shape)}, expected one "
            f"boolean for each keypoint of each frame, ({len(recording)}, {len(names)})"
        )
    if recording.skeleton == recording.keypoint_skeleton:
        return hidden
    none = hidden.new_zeros(len(recording))
    columns = [
        hidden[:, names.index(joint)] if joint in names else none
        for joint in recording.skeleton.joints
    ]
    return torch.stack(columns, dim=1)
