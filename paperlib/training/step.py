"""One step of training, as fast as the machine lets it be."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.training import processes
from paperlib.training.devices import autocast
from paperlib.training.objectives import Update

_WARM_UP = 3  # steps before one is recorded
_WORTH_COMPILING = 2000  # steps; compiling takes as long as some hundreds


class Step:
    """Takes a batch of examples, and makes one update of a model with it.

    Nothing here waits for the device: losses add up in :attr:`total` until someone reads them. On a
    GPU a step of the full batch size is recorded once (a CUDA graph) and then replayed, which saves
    the hundreds of single launches that take longer than the arithmetic; where the run is long and
    there is Triton, its arithmetic is compiled first. ``PAPERLIB_COMPILE`` = 0 or 1 decides about
    the latter, on a CPU too. Where the compiler fails a warning says so, and the run goes on.
    """

    def __init__(
        self,
        model: nn.Module,
        update: Update,
        optimizer: torch.optim.Optimizer,
        device: torch.device,
        precision: str,
        size: int,
        steps: int,
    ):
        self.model, self.update, self.optimizer = model, update, optimizer
        self.device, self.precision, self.size = device, precision, size
        self.total = torch.zeros(len(update.terms), device=device)
        self._loss = update.loss
        self._compiles = update.recorded and _compiles(device, steps)
        self._records = device.type == "cuda" and processes.count() == 1 and update.recorded
        self._graph: torch.cuda.CUDAGraph | None = None
        self._shape: torch.Size | None = None  # of the examples that were taken so far
        self._taken = 0
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def __call__(self, examples: Tensor) -> None:
        whole = len(examples) == self.size
        if whole and examples.shape != self._shape:  # another phase of training
            self._shape, self._graph, self._taken = examples.shape, None, 0
            if self._compiles:
                self._loss = self._compiled(examples)
        if not whole or not self._records:
            # another size would be compiled anew for one batch an epoch
            self._take(examples, self._loss if whole else self.update.loss)
        elif self._taken < _WARM_UP:
            self._taken += 1
            with _own_stream():
                self._take(examples, self._loss)
        else:
            self._replay(examples)

    def _compiled(self, examples: Tensor) -> Callable[[Tensor], Tensor]:
        """The loss compiled, if it and its gradient come out of it once, which leaves no trace; as
        it is, with a warning, if they do not."""
        buffers = [(buffer, buffer.clone()) for buffer in self.model.buffers()]
        problem = ""
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            try:
                loss = torch.compile(self.update.loss, dynamic=False)
                self._gradient(examples, loss)
            except Exception as error:  # of many kinds; a flaw of the loss itself shows without it
                lines = [line.strip() for line in str(error).splitlines() if line.strip()]
                problem = f"{type(error).__name__}: {' '.join(lines[:2])}"
        self.optimizer.zero_grad(set_to_none=True)
        for buffer, before in buffers:
            buffer.copy_(before)
        if problem:
            warnings.warn(
                f"training goes on without torch.compile, and slower, since that failed "
                f"({problem}); PAPERLIB_COMPILE=0 does not try it",
                stacklevel=3,
            )
        return self.update.loss if problem else loss

    def _gradient(self, examples: Tensor, loss) -> Tensor:
        """This process's part of the losses' terms, having left that of the gradient behind."""
        mine = processes.share(examples)
        part = len(mine) / len(examples)
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.precision):
            terms = loss(mine)
        # what the loss reaches beside its own parameters belongs to another update
        (part * terms.sum()).backward(inputs=self._parameters)
        return part * terms.detach()

    def _take(self, examples: Tensor, loss) -> None:
        terms = self._gradient(examples, loss)
        processes.sum_gradients(self._parameters)
        self.optimizer.step()
        self.total += terms

    def _replay(self, examples: Tensor) -> None:
        if self._graph is None:
            self._examples = examples.clone()
            self._graph = torch.cuda.CUDAGraph()
            self.optimizer.zero_grad(set_to_none=True)
            with torch.cuda.graph(self._graph):
                self._take(self._examples, self._loss)
        self._examples.copy_(examples)
        self._graph.replay()


@contextmanager
def _own_stream() -> Iterator[None]:
    """A stream of its own, which PyTorch wants for the steps before one is recorded."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)


def _compiles(device: torch.device, steps: int) -> bool:
    wish = os.environ.get("PAPERLIB_COMPILE", "auto")
    one_of("PAPERLIB_COMPILE", wish, ("auto", "0", "1"))
    if wish != "auto":
        return wish == "1"
    return device.type == "cuda" and steps >= _WORTH_COMPILING and find_spec("triton") is not None
