"""What a training is made of: a model, examples, and updates."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows

Optimizer = Callable[[Iterable[nn.Parameter], float, torch.device], torch.optim.Optimizer]


def adam(
    parameters: Iterable[nn.Parameter], rate: float, device: torch.device, **options: Any
) -> torch.optim.Adam:
    """Adam, made for steps that are recorded on a GPU; ``options`` are PyTorch's."""
    on_gpu = device.type == "cuda"
    # a step that is recorded reads its learning rate and its count from the device
    rate = torch.tensor(rate, device=device) if on_gpu else rate
    return torch.optim.Adam(parameters, lr=rate, fused=True, capturable=on_gpu, **options)


def amsgrad(
    parameters: Iterable[nn.Parameter], rate: float, device: torch.device
) -> torch.optim.Adam:
    """AMSGrad, which the lifting networks of all five papers are trained with (or with Adam)."""
    return adam(parameters, rate, device, amsgrad=True)


@dataclass(frozen=True)
class Update:
    """One thing that a training does with a batch: a loss, and an optimiser that lowers it.

    ``loss`` takes examples ``(B,)`` or ``(B, …)`` and gives means over the batch, one for each of
    ``terms``; their sum is minimised over ``parameters``, and no others. An ``optimizer`` is a
    function of parameters, learning rate and device. Its learning rate is ``rate`` times that of
    the recipe. The update is made in every ``every``-th step. On a GPU it is ``recorded`` and then
    replayed, unless what it does needs the host.
    """

    loss: Callable[[Tensor], Tensor]
    terms: Sequence[str]
    parameters: Sequence[nn.Parameter]
    optimizer: Optimizer = amsgrad
    rate: float = 1.0
    every: int = 1
    recorded: bool = True

    def new_optimizer(self, recipe: Recipe, device: torch.device) -> torch.optim.Optimizer:
        return self.optimizer(self.parameters, self.rate * recipe.learning_rate, device)


class Examples(Protocol):
    """What an epoch goes through, as :class:`~paperlib.windows.Windows` does."""

    def __len__(self) -> int:
        """Examples of an epoch."""

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        """The examples of an epoch, ``(N,)`` or ``(N, …)`` where one takes several indices."""


class Objective:
    """What is learnt, from which data. A subclass is a frozen dataclass of data and options, and
    says the rest in four methods. Each update is one step of an optimiser of its own, so that two
    networks may learn against each other (a generator and a discriminator)."""

    def check(self, recipe: Recipe) -> None:
        """``ValueError`` for data, options or a recipe that do not fit."""

    def model(self, recipe: Recipe) -> nn.Module:
        """A new model; where there are several, one module that holds them."""
        raise NotImplementedError

    def examples(
        self, model: nn.Module, recipe: Recipe, seed: int, device: torch.device
    ) -> Examples:
        """The examples that ``model`` learns from, on the device."""
        raise NotImplementedError

    def updates(self, model: nn.Module, examples: Any) -> Sequence[Update]:
        """What is done with each batch, in this order."""
        raise NotImplementedError


def in_turn(total: int, count: int, generator: torch.Generator) -> Tensor:
    """``(count,)`` of the numbers below ``total``: all of them in a new order before any comes
    again."""
    rounds = -(-count // total)
    return torch.cat([torch.randperm(total, generator=generator) for _ in range(rounds)])[:count]


def as_many(windows: Windows, count: int, generator: torch.Generator) -> Tensor:
    """``(count,)`` examples of ``windows``: all of them in a new order before any comes again."""
    rounds = -(-count // len(windows))
    return torch.cat([windows.order(generator) for _ in range(rounds)])[:count]


def check_options(what: str, options: Iterable[str], objective: type, *given: str) -> None:
    """``ValueError`` for names that are no fields of an ``objective``, or those that are ``given``
    otherwise: for functions that take the rest of them as options of ``what`` it belongs to."""
    known = [field.name for field in fields(objective) if field.name not in given]
    for name in options:
        one_of(f"option of the {what}", name, known)


def described(part: Any) -> dict[str, Any]:
    """All that decides what comes of an objective (or of what watches a training), beside the code
    and the model: of a dataclass, data sets by their fingerprint, options as they are, and those of
    another dataclass likewise. What builds a model is left out, since the model shows it."""

    def value_of(value: Any) -> Any:
        if isinstance(fingerprint := getattr(value, "fingerprint", None), str):
            return fingerprint
        return described(value) if is_dataclass(value) else value

    values = {f.name: getattr(part, f.name) for f in fields(part)} if is_dataclass(part) else {}
    return {"class": type(part).__name__} | {
        name: value_of(value) for name, value in values.items() if not callable(value)
    }
