"""How good a guess of hidden joints is, where it is known which are hidden."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor


class Scores(NamedTuple):
    """Of joints taken as hidden, ``(J,)`` each or one number: which share is, and of those that
    are, which share was found. NaN where there is none to take a share of."""

    precision: Tensor
    recall: Tensor
    f1: Tensor
    marked: Tensor  # the share of all joints that was taken as hidden
    hidden: Tensor  # the share that is


def scores(guessed: Tensor, hidden: Tensor, per_joint: bool = False) -> Scores:
    """Scores of ``guessed`` against truly ``hidden`` joints, both ``(..., J)`` bool; each joint
    alone with ``per_joint``."""
    if guessed.shape != hidden.shape or guessed.dtype != torch.bool or hidden.dtype != torch.bool:
        raise ValueError(
            f"guessed {tuple(guessed.shape)} {guessed.dtype} and hidden {tuple(hidden.shape)} "
            f"{hidden.dtype} must be booleans of the same joints and frames"
        )
    if not guessed.ndim or not guessed.numel():
        raise ValueError("no joints to score")
    guessed, hidden = (x.reshape(-1, x.shape[-1]) for x in (guessed, hidden))
    if not per_joint:
        guessed, hidden = guessed.reshape(-1, 1), hidden.reshape(-1, 1)
    hit, said, true = ((x.double().mean(dim=0)) for x in (guessed & hidden, guessed, hidden))
    values = Scores(hit / said, hit / true, 2 * hit / (said + true), said, true)
    return values if per_joint else Scores(*(value[0] for value in values))


class Curve(NamedTuple):
    """Scores of a labelling over what it tolerates: as many of each as there are tolerances."""

    tolerances: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]

    @property
    def average_precision(self) -> float:
        """The mean precision over recall: each tolerance adds its precision, times the recall that
        it gains; the recall that none of them reaches adds nothing."""
        total, reached = 0.0, 0.0
        for precision, recall in zip(self.precision, self.recall, strict=True):
            if recall > reached:
                total, reached = total + (recall - reached) * precision, recall
        return total

    @property
    def best(self) -> float:
        """The tolerance of the highest F1, the largest where several have it."""
        known = [(f1, t) for f1, t in zip(self.f1, self.tolerances, strict=True) if f1 == f1]
        if not known:
            raise ValueError("no tolerance has an F1: nothing was marked and nothing is hidden")
        return max(known)[1]


def curve(tolerances: Sequence[float], guess: Callable[[float], Tensor], hidden: Tensor) -> Curve:
    """The scores of ``guess(tolerance)`` for each of ``tolerances``, which rise: the larger, the
    more a guess should mark."""
    if not len(tolerances) or any(b <= a for a, b in pairwise(tolerances)):
        raise ValueError(f"tolerances must rise from one to the next, got {tuple(tolerances)}")
    found = [scores(guess(tolerance), hidden) for tolerance in tolerances]
    columns = (tuple(getattr(s, name).item() for s in found) for name in Curve._fields[1:])
    return Curve(tuple(tolerances), *columns)
