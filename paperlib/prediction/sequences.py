"""Poses of whole recordings, relative to the root."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.models import OcclusionAware, TemporalPoseNet, lift
from paperlib.prediction.overlapping import lift_windows
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton
from paperlib.windows import input_of, mirror, mirror_input, pad_sequence, track_features


def predict(model: nn.Module, recording: Recording, flip: bool = True) -> Tensor:
    """A pose ``(T, J, 3)`` for each frame of a recording: metres, root-relative, camera space. The
    recording needs keypoints only, or a network's maps, where the model lifts those.

    The whole sequence goes through the model at once, padded at its ends, or, where the model is
    one of windows, in windows of its ``length`` that overlap (:func:`lift_windows`). With ``flip``
    it goes through once more, mirrored, and the mirrored-back result is averaged in (pavllo2019,
    5.3). Raises ``ValueError`` for what is no :class:`~paperlib.recordings.Recording`.
    """
    if not isinstance(recording, Recording):
        raise ValueError(
            f"predict takes a Recording, got a {type(recording).__name__}; for a tensor of "
            "keypoints in screen coordinates (B, T, K, 2), paperlib.models.lift gives the poses"
        )
    if isinstance(model, TemporalPoseNet):
        positions, root = answer(model, recording, flip), recording.skeleton.root
        return positions - positions[:, root : root + 1]
    return answer(model, recording, flip)


def answer(model: nn.Module, recording: Recording, flip: bool = True) -> Tensor:
    """``(T, J, 3)``: what a model answers to a recording, whatever that means: a pose relative to
    its root, or absolute positions."""
    if isinstance(model, TemporalPoseNet):
        views = [
            track_features(recording, mirrored=m) for m in ((False, True) if flip else (False,))
        ]
    else:
        seen = input_of(model)(recording)
        views = [seen, *([mirror_input(seen, recording.keypoint_skeleton)] if flip else [])]
    return _mean_answer(model, views, recording.skeleton)


@torch.no_grad()
def predict_occlusion(model: OcclusionAware, recording: Recording) -> Tensor:
    """How hidden the network takes each keypoint of each frame to be: ``(T, K)``, from 0 to 1. The
    recording has the guesses that it goes by (:func:`paperlib.occlusion.with_labels`)."""
    model.eval()
    device = next(model.parameters()).device
    sequence = pad_sequence(input_of(model)(recording), model.receptive_field)
    found = model.occlusion(sequence[None].to(device))[0].cpu()
    before = (len(found) - len(recording)) // 2  # vectors of frames that were padded
    return found[before : before + len(recording)]


@torch.no_grad()
def _mean_answer(model: nn.Module, views: Sequence[Tensor], skeleton: Skeleton) -> Tensor:
    """``(T, J, 3)``, joints of ``skeleton``: the answer to a whole sequence ``(T, K, F)``, padded
    at its ends. A second of the ``views`` is its mirror image, the answer to which is mirrored back
    and averaged in."""
    model.eval()
    device = next(model.parameters()).device
    if hasattr(model, "length"):
        poses = lift_windows(model, torch.stack([*views]).to(device))
    else:
        padded = [pad_sequence(view, model.receptive_field, model.causal) for view in views]
        poses = lift(model, torch.stack(padded).to(device))
    plain, *mirrored = poses.float().cpu()
    return torch.stack([plain, *(mirror(other, skeleton) for other in mirrored)]).mean(dim=0)
