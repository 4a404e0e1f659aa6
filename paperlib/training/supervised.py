"""Supervised training of pavllo2019 (section 5.3): one target frame a window, shuffled over all."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from paperlib.metrics import mpjpe
from paperlib.recordings import Dataset
from paperlib.training.checkpoints import Run
from paperlib.training.loop import fit
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows

_CODE = ("training/supervised.py",)


class Supervised:
    """MPJPE (metres, root-relative, camera space) of a model on windows."""

    terms = ("train_mpjpe",)

    def __init__(self, model: nn.Module, windows: Windows):
        self.model, self.windows = model, windows

    def __len__(self) -> int:
        return len(self.windows)

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        return self.windows.order(generator)

    def loss(self, examples: Tensor) -> Tensor:
        inputs, target = self.windows.batch(examples)
        return mpjpe(self.model(inputs).float(), target)[None]


def train(
    build: Callable[[], nn.Module],
    dataset: Dataset,
    recipe: Recipe,
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
) -> Run:
    """Train what ``build()`` makes on ``dataset.train``, minimising MPJPE; or find it trained.

    How a run is kept, interrupted and resumed is said at :func:`paperlib.training.loop.fit`.
    """

    def objective(model: nn.Module, where: torch.device) -> Supervised:
        windows = Windows(
            dataset.train,
            model.receptive_field,
            causal=model.causal,
            flip=recipe.train_flip,
            stride=recipe.stride,
            device=where,
        )
        return Supervised(model, windows)

    data = dataset.fingerprint
    return fit(build, objective, data, recipe, _CODE, seed, device, retrain, name, progress)
