"""How wrong a pose is: the metrics of the five papers.

All take ``(predicted, target, …)`` ``(…, J, 3)`` of the same shape, tensors or arrays, and return
a tensor in the unit they are given: metres in, metres out. They average over everything, in one
number, unless given ``reduction="none"``, which keeps an error per joint (per frame where joints
play no part). All are differentiable, except the percentages.

How a paper then averages over sequences and actions is :func:`pooled`.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from math import pi

import numpy as np
import torch

from paperlib.alignment import procrustes
from paperlib.arrays import as_tensor
from paperlib.errors import one_of


def _pair(
    predicted: torch.Tensor | np.ndarray, target: torch.Tensor | np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    predicted, target = as_tensor(predicted), as_tensor(target)
    if predicted.shape != target.shape or predicted.ndim < 2 or predicted.shape[-1] != 3:
        raise ValueError(
            f"predicted {tuple(predicted.shape)} and target {tuple(target.shape)} "
            "must have the same shape (..., J, 3)"
        )
    if predicted.numel() == 0:
        raise ValueError(f"no poses to compare: shape {tuple(predicted.shape)}")
    whole = not (predicted.is_floating_point() or target.is_floating_point())
    return (predicted.double(), target.double()) if whole else (predicted, target)


def _reduce(error: torch.Tensor, reduction: str) -> torch.Tensor:
    return error.mean() if one_of("reduction", reduction, ("mean", "none")) == "mean" else error


def mpjpe(predicted: torch.Tensor, target: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Mean per-joint position error: the mean distance of joints. Protocol 1 (pavllo2019, 5.1).

    Poses are compared as given; root-relative ones should be passed root-relative. ``"none"``
    gives ``(…, J)``.

    >>> found = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.03, 0.04]]])  # one of two joints, 5 cm off
    >>> round(mpjpe(found, torch.zeros(1, 2, 3)).item(), 4)
    0.025
    """
    predicted, target = _pair(predicted, target)
    return _reduce((predicted - target).norm(dim=-1), reduction)


def weighted_mpjpe(
    predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """MPJPE with a weight for each pose ``(…)`` or joint ``(…, J)`` (pavllo2019, equation 1, where
    it is the inverse of the depth). The mean divides by the number of joints, not by the weights.

    >>> found = torch.tensor([[[0.0, 0.3, 0.4]], [[0.0, 0.0, 0.5]]])  # two poses of one joint
    >>> round(weighted_mpjpe(found, torch.zeros(2, 1, 3), torch.tensor([1.0, 0.0])).item(), 4)
    0.25
    """
    predicted, target = _pair(predicted, target)
    weight = as_tensor(weight).to(predicted)
    if weight.shape not in (predicted.shape[:-2], predicted.shape[:-1]):
        raise ValueError(
            f"weights {tuple(weight.shape)} fit neither the poses {tuple(predicted.shape[:-2])} "
            f"nor their joints {tuple(predicted.shape[:-1])}"
        )
    if weight.ndim == predicted.ndim - 2:
        weight = weight[..., None]
    return _reduce(weight * (predicted - target).norm(dim=-1), reduction)


def p_mpjpe(predicted: torch.Tensor, target: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """MPJPE after each pose was moved, turned and scaled onto its target (Protocol 2).

    The alignment is a proper rotation: a mirrored pose stays wrong.

    >>> pose = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    >>> turned = torch.stack([-pose[:, 1], pose[:, 0], pose[:, 2]], dim=-1)
    >>> round(p_mpjpe(2 * turned + 5, pose).item(), 4)
    0.0
    """
    predicted, target = _pair(predicted, target)
    aligned = procrustes(predicted, target).apply(predicted)
    return _reduce((aligned - target).norm(dim=-1), reduction)


def best_scale(
    predicted: torch.Tensor, target: torch.Tensor, over: Sequence[int] = (-2, -1)
) -> torch.Tensor:
    """The factor on ``predicted`` that brings it closest to ``target``, one for all of ``over``."""
    over = tuple(over)
    dot = (predicted * target).sum(dim=over, keepdim=True)
    square = (predicted**2).sum(dim=over, keepdim=True)
    return dot / square.clamp_min(torch.finfo(square.dtype).tiny)


def n_mpjpe(
    predicted: torch.Tensor, target: torch.Tensor, scale: str = "pose", reduction: str = "mean"
) -> torch.Tensor:
    """MPJPE after the best scale. ``scale="pose"``: one for each pose (Protocol 3, pavllo2019);
    ``"sequence"``: one for all that is given, people and frames alike (veges2020, 4.2), which wants
    absolute coordinates to find it: pass those, and see :func:`n_mrpe` for the root.

    >>> round(n_mpjpe(2 * torch.eye(3), torch.eye(3)).item(), 4)
    0.0
    """
    predicted, target = _pair(predicted, target)
    over = {"pose": (-2, -1), "sequence": tuple(range(predicted.ndim))}
    factor = best_scale(predicted, target, over[one_of("scale", scale, over)])
    return _reduce((factor * predicted - target).norm(dim=-1), reduction)


def mpjve(predicted: torch.Tensor, target: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Mean per-joint velocity error: MPJPE of the first difference over time, in units per frame
    (pavllo2019, 6.1). Takes ``(…, T, J, 3)`` with T >= 2; ``"none"`` gives ``(…, T - 1, J)``.

    >>> walk = torch.tensor([0.0, 0.01, 0.02])[:, None, None] * torch.tensor([1.0, 0.0, 0.0])
    >>> round(mpjve(walk, torch.zeros(3, 1, 3)).item(), 4)  # a centimetre a frame
    0.01
    """
    predicted, target = _pair(predicted, target)
    return _reduce(_difference(predicted - target, 1).norm(dim=-1), reduction)


def acceleration_error(
    predicted: torch.Tensor, target: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """Mean distance of second differences over time, in units per frame squared: what jitter is
    measured by. Takes ``(…, T, J, 3)`` with T >= 3; ``"none"`` gives ``(…, T - 2, J)``.

    >>> jump = torch.tensor([0.0, 0.0, 0.01])[:, None, None] * torch.tensor([1.0, 0.0, 0.0])
    >>> round(acceleration_error(jump, torch.zeros(3, 1, 3)).item(), 4)
    0.01
    """
    predicted, target = _pair(predicted, target)
    return _reduce(_difference(predicted - target, 2).norm(dim=-1), reduction)


def _difference(error: torch.Tensor, order: int) -> torch.Tensor:
    if error.ndim < 3 or error.shape[-3] <= order:
        raise ValueError(
            f"needs (..., T, J, 3) with more than {order} frames, got {tuple(error.shape)}"
        )
    return error.diff(n=order, dim=-3)


def mrpe(
    predicted: torch.Tensor, target: torch.Tensor, root: int = 0, reduction: str = "mean"
) -> torch.Tensor:
    """Mean root position error of absolute poses (veges2020, 4.2). ``"none"`` gives ``(…)``.

    >>> mrpe(torch.tensor([[3.0, 0.0, 4.0]]), torch.zeros(1, 3)).item()
    5.0
    """
    predicted, target = _pair(predicted, target)
    joints = predicted.shape[-2]
    if not -joints <= root < joints:
        raise ValueError(f"{root=} is none of the {joints} joints")
    return _reduce((predicted - target)[..., root, :].norm(dim=-1), reduction)


def n_mrpe(
    predicted: torch.Tensor, target: torch.Tensor, root: int = 0, reduction: str = "mean"
) -> torch.Tensor:
    """MRPE after one scale for the whole sequence, found over all people, frames and joints of the
    absolute coordinates (veges2020, 4.2). Call it once for each sequence.

    >>> n_mrpe(torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0.0, 0.0, 4.0]])).item()
    0.0
    """
    predicted, target = _pair(predicted, target)
    factor = best_scale(predicted, target, tuple(range(predicted.ndim)))
    return mrpe(factor * predicted, target, root, reduction)


def pck3d(
    predicted: torch.Tensor, target: torch.Tensor, threshold: float = 0.15, reduction: str = "mean"
) -> torch.Tensor:
    """3D-PCK: the share of joints closer than ``threshold`` (150 mm), from 0 to 1, in the unit of
    the poses. ``"none"`` gives booleans ``(…, J)``.

    >>> found = torch.tensor([[0.0, 0.0, 0.05], [0.0, 0.0, 0.2]])  # 5 and 20 cm off
    >>> pck3d(found, torch.zeros(2, 3)).item()
    0.5
    """
    predicted, target = _pair(predicted, target)
    correct = (predicted - target).norm(dim=-1) < threshold
    return correct if reduction == "none" else _reduce(correct.float(), reduction)


def auc3d(
    predicted: torch.Tensor,
    target: torch.Tensor,
    thresholds: torch.Tensor | None = None,
    reduction: str = "mean",
) -> torch.Tensor:
    """The mean of 3D-PCK over ``thresholds``: 0, 5, … 150 mm, 31 of them, by default.

    >>> round(auc3d(torch.zeros(1, 3), torch.zeros(1, 3)).item(), 4)  # nothing is closer than 0
    0.9677
    """
    predicted, target = _pair(predicted, target)
    distance = (predicted - target).norm(dim=-1)
    if thresholds is None:
        thresholds = torch.arange(31, dtype=distance.dtype, device=distance.device) * 0.005
    return _reduce((distance[..., None] < thresholds.to(distance)).float().mean(dim=-1), reduction)


def mean_angle_error(
    predicted: torch.Tensor, target: torch.Tensor, wrap: bool = False, reduction: str = "mean"
) -> torch.Tensor:
    """The length of the difference of all Euler angles of a pose, ``(…, J, 3)`` radians: how motion
    forecasts are scored (cheng2020, table 5). The protocol takes differences as they are;
    ``wrap=True`` takes them around the circle. ``"none"`` gives ``(…)``.

    >>> mean_angle_error(torch.tensor([[3.0, 0.0, 4.0]]), torch.zeros(1, 3)).item()
    5.0
    """
    predicted, target = _pair(predicted, target)
    error = predicted - target
    if wrap:
        error = torch.remainder(error + pi, 2 * pi) - pi
    return _reduce(error.flatten(-2).norm(dim=-1), reduction)


def pooled(
    values: Iterable[float], frames: Iterable[int], groups: Iterable[Hashable]
) -> tuple[dict[Hashable, float], float]:
    """Average as the papers do: within a group (an action) each sequence counts by its frames;
    the groups then count alike. Returns the mean of each group and the mean of those means.

    pavllo2019: groups are actions, values are means of one video and camera. veges2020: each
    sequence is its own group, so that sequences count alike.

    >>> pooled([10, 20, 40], frames=[1, 3, 1], groups=["walk", "walk", "sit"])
    ({'walk': 17.5, 'sit': 40.0}, 28.75)
    """
    total, weight = Counter(), Counter()
    for value, count, group in zip(values, frames, groups, strict=True):
        total[group] += float(value) * count
        weight[group] += count
    if not total or min(weight.values()) <= 0:
        raise ValueError("nothing to average: each group needs at least one frame")
    means = {group: total[group] / weight[group] for group in total}
    return means, sum(means.values()) / len(means)
