"""How well a model does on recordings, and how that is averaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib import metrics
from paperlib.errors import one_of
from paperlib.models import OcclusionAware, lift
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton
from paperlib.training.devices import choose_device
from paperlib.windows import input_of, mirror, pad_sequence

METRICS = {
    "mpjpe": metrics.mpjpe,
    "p_mpjpe": metrics.p_mpjpe,
    "n_mpjpe": metrics.n_mpjpe,
    "mpjve": metrics.mpjve,
    "acceleration_error": metrics.acceleration_error,
}
_FRAMES_NEEDED = {"mpjve": 2, "acceleration_error": 3}


def predict(model: nn.Module, recording: Recording, flip: bool = True) -> Tensor:
    """A pose ``(T, J, 3)`` for each frame of a recording: metres, root-relative, camera space.

    The whole sequence goes through the model at once, padded at its ends. With ``flip`` it goes
    through once more, mirrored, and the mirrored-back result is averaged in (pavllo2019, 5.3).
    """
    keypoints = input_of(model)(recording)
    views = [keypoints, mirror(keypoints, recording.keypoint_skeleton)] if flip else [keypoints]
    return mean_answer(model, views, recording.skeleton)


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
def mean_answer(model: nn.Module, views: Sequence[Tensor], skeleton: Skeleton) -> Tensor:
    """``(T, J, 3)``, joints of ``skeleton``: what a model answers to a whole sequence
    ``(T, K, F)``, padded at its ends. A second of the ``views`` is its mirror image, the answer to
    which is mirrored back and averaged in."""
    model.eval()
    device = next(model.parameters()).device
    padded = [pad_sequence(view, model.receptive_field, model.causal) for view in views]
    answer, *mirrored = lift(model, torch.stack(padded).to(device)).float().cpu()
    return torch.stack([answer, *(mirror(other, skeleton) for other in mirrored)]).mean(dim=0)


@dataclass(frozen=True)
class Evaluation:
    """Errors of every recording, in metres (a frame, where they are errors of motion)."""

    recordings: tuple[Recording, ...]
    values: dict[str, tuple[float, ...]]  # metric -> the mean of each recording

    def per(self, metric: str, group: str = "action") -> tuple[dict[str, float], float]:
        """The mean of each ``group`` (``"action"``, ``"subject"`` or ``"sequence"``), and the mean
        of those. Within a group a recording counts by its frames (pavllo2019, reference)."""
        one_of("group", group, ("action", "subject", "sequence"))
        rows = [
            (value, len(r), r.name if group == "sequence" else getattr(r, group))
            for value, r in self._measured(metric)
        ]
        return metrics.pooled(*zip(*rows, strict=True))

    def _measured(self, metric: str) -> list[tuple[float, Recording]]:
        """The recordings that are long enough for the metric, with their values."""
        values = self.values[one_of("metric", metric, self.values)]
        needed = _FRAMES_NEEDED.get(metric, 1)
        pairs = zip(values, self.recordings, strict=True)
        measured = [(value, r) for value, r in pairs if len(r) >= needed]
        if not measured:
            raise ValueError(f"{metric} needs recordings of at least {needed} frames")
        return measured

    def average(self, metric: str, group: str = "action") -> float:
        return self.per(metric, group)[1]

    def frame_mean(self, metric: str) -> float:
        """The mean over all frames alike, whichever action they belong to."""
        rows = [(value, len(r), "all") for value, r in self._measured(metric)]
        return metrics.pooled(*zip(*rows, strict=True))[1]


def evaluate(
    model: nn.Module,
    recordings: Sequence[Recording],
    flip: bool = True,
    device: str = "auto",
    after: Callable[[Tensor, Recording], Tensor] | None = None,
) -> Evaluation:
    """All metrics of ``model`` on every frame of ``recordings``; none is left out.

    ``after(poses, recording)`` is what becomes of a recording's poses ``(T, J, 3)`` before they are
    measured: a filter's answer, say, of the same shape.
    """
    if not recordings:
        raise ValueError("no recordings to evaluate on")
    model.to(choose_device(device))
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    for recording in recordings:
        predicted = predict(model, recording, flip)
        if after is not None:
            predicted = after(predicted, recording)
        for name, metric in METRICS.items():
            enough = len(recording) >= _FRAMES_NEEDED.get(name, 1)
            error = metric(predicted, recording.pose).item() if enough else float("nan")
            values[name].append(error)
    return Evaluation(tuple(recordings), {name: tuple(v) for name, v in values.items()})
