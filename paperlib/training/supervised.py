"""Supervised training of pavllo2019 (section 5.3): one target frame a window, shuffled over all.

A recipe may ask for more target frames a window (``chunk``), to see what that costs.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from paperlib.metrics import mpjpe
from paperlib.recordings import Dataset
from paperlib.training.checkpoints import Run
from paperlib.training.evaluation import evaluate
from paperlib.training.loop import fit
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, input_of

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
    test_each_epoch: bool = False,
) -> Run:
    """Train what ``build()`` makes on ``dataset.train``, minimising MPJPE; or find it trained. A
    model of three input features sees the keypoints' confidence as well.

    How a run is kept, interrupted and resumed is said at :func:`paperlib.training.loop.fit`.
    ``test_each_epoch`` adds to each row of the run's history the ``test_mpjpe`` after that epoch,
    metres, averaged over actions, with the recipe's test-time flip. It changes nothing else, but
    counts as another run: one that was not watched has nothing to tell.
    """

    def objective(model: nn.Module, where: torch.device) -> Supervised:
        windows = Windows(
            dataset.train,
            model.receptive_field,
            causal=model.causal,
            flip=recipe.train_flip,
            stride=recipe.stride,
            features=input_of(model),
            device=where,
            chunk=recipe.chunk,
        )
        return Supervised(model, windows)

    def tested(run: Run) -> dict[str, float]:
        found = evaluate(run.model, dataset.test, recipe.test_flip, device)
        return {"test_mpjpe": found.average("mpjpe")}

    data = dataset.fingerprint
    if not test_each_epoch:
        return fit(build, objective, data, recipe, _CODE, seed, device, retrain, name, progress)
    code = (*_CODE, "training/evaluation.py")
    return fit(build, objective, data, recipe, code, seed, device, retrain, name, progress, tested)
