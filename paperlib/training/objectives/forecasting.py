"""Learning what comes next from true poses of the past (Martinez et al. 2017)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from paperlib.metrics import mpjpe
from paperlib.models import RecurrentForecaster
from paperlib.recordings import Dataset
from paperlib.training.objectives.base import Objective, Update, amsgrad
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, keypoint_windows

_CLIP = 5.0  # the largest norm of a gradient, as in the public code of Martinez et al.


@dataclass(frozen=True)
class Forecasting(Objective):
    """MPJPE (metres, relative to the root, camera space) of the frames to come, which the network
    of ``build()`` says from true poses alone: of windows of ``recipe.chunk`` frames of
    ``dataset.train`` it is shown the first ``seen``, and reads its own answers from there on.

    Windows lie end to end, and beyond the ends of a recording its first and last pose stand in:
    what comes next would then be that nobody moves, unless the data are cut before, by
    :func:`~paperlib.training.whole_windows`. Keypoints play no part. Gradients are limited to a
    norm of 5.

    ``ValueError`` for windows of which nothing would be seen, or nothing left to come.

    Source: the sampling-based loss of Martinez et al., "On human motion prediction using recurrent
    neural networks", 2017.
    """

    build: Callable[[], RecurrentForecaster]
    dataset: Dataset
    seen: int = 50

    def check(self, recipe: Recipe) -> None:
        if not isinstance(self.seen, Integral) or not 1 <= self.seen < recipe.chunk:
            raise ValueError(
                f"windows of {recipe.chunk} frames with seen={self.seen!r} of them: a whole number "
                "from 1 that leaves a frame to come is expected; the recipe's chunk is the window"
            )

    def model(self, recipe: Recipe) -> RecurrentForecaster:
        return self.build()

    def examples(
        self, model: RecurrentForecaster, recipe: Recipe, seed: int, device: torch.device
    ) -> Windows:
        given = {"flip": recipe.train_flip, "stride": recipe.stride, "chunk": recipe.chunk}
        return keypoint_windows(self.dataset.train, 1, device=device, **given)

    def updates(self, model: RecurrentForecaster, examples: Windows) -> Sequence[Update]:
        def loss(batch: Tensor) -> Tensor:
            poses = examples.target("pose", batch)
            seen, to_come = poses.split([self.seen, poses.shape[1] - self.seen], dim=1)
            return mpjpe(model(seen, to_come.shape[1]), to_come)[None]

        return [Update(loss, ("train_mpjpe",), list(model.parameters()), _clipped)]


def _clipped(
    parameters: Iterable[nn.Parameter], rate: float, device: torch.device
) -> torch.optim.Optimizer:
    parameters = list(parameters)
    made = amsgrad(parameters, rate, device)

    def before_step(*_: Any) -> None:
        nn.utils.clip_grad_norm_(parameters, _CLIP)

    made.register_step_pre_hook(before_step)
    return made
