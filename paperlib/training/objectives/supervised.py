"""Supervised training of pavllo2019 (section 5.3): one target frame a window, shuffled over all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.metrics import mpjpe
from paperlib.recordings import Dataset
from paperlib.training.objectives.base import Objective, Update
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, input_of, keypoint_windows


@dataclass(frozen=True)
class Supervised(Objective):
    """MPJPE (metres, root-relative, camera space) of what ``build()`` makes, on ``dataset.train``.

    A model of three input features sees the keypoints' confidence as well. A recipe may ask for
    more target frames a window (``chunk``), to see what that costs.
    """

    build: Callable[[], nn.Module]
    dataset: Dataset

    def model(self, recipe: Recipe) -> nn.Module:
        return self.build()

    def examples(
        self, model: nn.Module, recipe: Recipe, seed: int, device: torch.device
    ) -> Windows:
        return keypoint_windows(
            self.dataset.train,
            model.receptive_field,
            causal=model.causal,
            flip=recipe.train_flip,
            stride=recipe.stride,
            features=input_of(model),
            device=device,
            chunk=recipe.chunk,
        )

    def updates(self, model: nn.Module, examples: Windows) -> Sequence[Update]:
        def loss(batch: Tensor) -> Tensor:
            inputs, target = examples.batch(batch)
            return mpjpe(model(inputs).float(), target)[None]

        return [Update(loss, ("train_mpjpe",), list(model.parameters()))]
