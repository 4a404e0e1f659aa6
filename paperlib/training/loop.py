"""The training loop: epochs of shuffled examples, resumable wherever it stops."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from paperlib.errors import Interrupted
from paperlib.models.fast import activation as fast
from paperlib.paths import require_writable
from paperlib.progress import bar as progress_bar
from paperlib.randomness import check_seed
from paperlib.training import processes
from paperlib.training.devices import choose_device
from paperlib.training.objectives import Objective
from paperlib.training.recipes import Recipe
from paperlib.training.runs import FILE, Run, describe, key_of, restore, restore_optimizers, save
from paperlib.training.step import Step

_ASKED_EVERY = 16  # batches, between several processes asking each other whether to stop


def train(
    objective: Objective,
    recipe: Recipe,
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
    each_epoch: Callable[[nn.Module], Mapping[str, float]] | None = None,
) -> Run:
    """Train for an objective (:mod:`paperlib.training.objectives`); a finished run is found, not
    repeated.

    A run is identified by the objective with its data, the model, the recipe, the seed, the device
    and all code that a training of it reaches (:mod:`paperlib.training.identity`): whatever
    changes there makes another run. Everything random follows from ``seed``. Interrupted (Ctrl-C,
    or the kernel's stop button), the run is saved as it stands and the interrupt goes on; called
    again, it continues where it was, and ends with the same weights as if nothing had happened.
    ``retrain=True`` forgets what was saved.

    ``each_epoch`` is called with the model, in evaluation mode, after each epoch, and what it gives
    joins that epoch's row of the history. Training goes on as without it, but the run counts as
    another one, since one without has no such rows. Its code identifies the run too; where it has
    options, make it a dataclass, whose fields do so.

    Under ``torchrun`` (see :mod:`paperlib.training.processes`) each process takes a part of every
    batch and the first one saves; dropout is then drawn anew where a run is resumed.
    """
    objective.check(recipe)
    check_seed(seed)
    where = choose_device(device)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = objective.model(recipe)
        if not isinstance(model, nn.Module):
            raise ValueError(f"build() must return a torch.nn.Module, got {model!r}")
        model.to(where)
        description = describe(objective, model, recipe, seed, where.type, each_epoch)
        fast.for_training(model)
        run = Run(model, key_of(description), description)
        state = {}
        if not retrain and (run.path / FILE).is_file():
            state = restore(run)
            run.reused = run.finished
        processes.all_wait()  # until all have read what one of them is going to replace
        if not run.finished:
            require_writable(run.path, "PAPERLIB_RUNS")
            if processes.count() > 1:
                fast.synchronise(model)
                state.pop("random_state", None)
            examples = objective.examples(model, recipe, seed, where)
            updates = objective.updates(model, examples)
            training = _Training(run, examples, updates, recipe, seed, where, name, each_epoch)
            restore_optimizers(run, training.optimizers, state)
            training.go(state.get("random_state"), progress)
    fast.as_written(model).eval()
    return run


class _Training:
    """The epochs of one run."""

    def __init__(self, run, examples, updates, recipe, seed, device, name, each_epoch):
        self.run, self.examples, self.recipe = run, examples, recipe
        self.seed, self.device, self.name = seed, device, name
        self.each_epoch = each_epoch or (lambda model: {})
        self.rate: float | None = None  # of learning, as the optimisers have it
        self.per_epoch = len(self._batches(torch.arange(len(examples))))
        if not self.per_epoch:
            least = f"{name}: no batch has the {self._least} examples that a step takes at least"
            raise ValueError(f"{least}: {len(examples)} examples, {recipe.batch_windows} a batch")
        left = (recipe.epochs - run.epoch) * self.per_epoch - run.step
        how = (device, recipe.precision, recipe.batch_windows, left)
        self.steps = [Step(run.model, u, u.new_optimizer(recipe, device), *how) for u in updates]
        self.optimizers = [step.optimizer for step in self.steps]

    def go(self, random_state: torch.Tensor | None, progress: bool) -> None:
        run, first = self.run, processes.rank() == 0
        bar = progress_bar(
            total=self.recipe.epochs * self.per_epoch,
            initial=run.epoch * self.per_epoch + run.step,
            desc=self.name,
            unit="batch",
            disable=not (progress and first),
            leave=False,
        )
        with bar, _postponed_interrupt() as interrupted:
            while not run.finished:
                began = time.perf_counter()
                # examples and dropout of an epoch follow from the seed and its number alone
                number = self.seed * 1_000_003 + run.epoch
                order = self.examples.order(torch.Generator().manual_seed(number), run.epoch)
                # each process drops others, and a resumed one others than before
                apart = processes.rank() + processes.count() * run.step
                torch.manual_seed(number + 7_919 * apart)
                if random_state is not None:
                    _set_random_state(random_state, self.device)
                    random_state = None
                means = self._epoch(order, bar, interrupted)
                run.seconds += time.perf_counter() - began
                whole = run.step == self.per_epoch
                if whole:
                    run.epoch, run.step, run.loss_so_far = run.epoch + 1, 0, []
                    run.model.eval()
                    seen = self.each_epoch(run.model)
                    run.history.append({"epoch": run.epoch, **means, **seen})
                    bar.set_postfix(train=_shown(*next(iter(means.items()))))
                if first:
                    save(run, self.optimizers, None if whole else _random_state(self.device))
                if not whole:
                    where = f"epoch {run.epoch + 1}, batch {run.step}"
                    raise Interrupted(f"{self.name}: saved in {where}; run it again to go on")
            if interrupted.is_set():
                raise Interrupted(f"{self.name}: finished and saved")

    def _epoch(self, order, bar, interrupted) -> dict[str, float]:
        """One pass over ``order``, or up to an interrupt; the means of the losses' terms."""
        run = self.run
        self._prepare(run.epoch)
        totals = [step.total.zero_() for step in self.steps]
        if run.loss_so_far and processes.rank() == 0:
            before = torch.tensor(run.loss_so_far, device=self.device)
            for total, part in zip(totals, before.split([len(t) for t in totals]), strict=True):
                total += part
        taken = run.epoch * self.per_epoch  # steps, over all epochs
        for examples in self._batches(order)[run.step :]:
            ask = processes.count() == 1 or run.step % _ASKED_EVERY == 0
            if ask and processes.any_of(interrupted.is_set(), self.device):
                break
            self._set_rate(run.epoch + run.step / self.per_epoch)
            for step in self.steps:
                if (taken + run.step) % step.update.every == 0:
                    step(examples)
            run.step += 1
            bar.update()
        run.loss_so_far = processes.sum_(torch.cat(totals)).tolist()
        counts = [
            sum((taken + n) % step.update.every == 0 for n in range(run.step))
            for step in self.steps
            for _ in step.update.terms
        ]
        means = [v / max(count, 1) for v, count in zip(run.loss_so_far, counts, strict=True)]
        if not all(abs(mean) < float("inf") for mean in means):
            raise FloatingPointError(f"the loss became {means} in epoch {run.epoch + 1}")
        terms = [term for step in self.steps for term in step.update.terms]
        return dict(zip(terms, means, strict=True))

    def _batches(self, order: torch.Tensor) -> list[torch.Tensor]:
        shown = order[: self.recipe.epoch_examples or None]
        parts = shown.split(self.recipe.batch_windows)
        return [part for part in parts if len(part) >= self._least]

    @property
    def _least(self) -> int:
        """Batch norm has nothing to normalise a single frame by."""
        return processes.count() + (self.recipe.chunk == 1)

    def _prepare(self, epoch: int) -> None:
        self.run.model.train()
        fast.set_momentum(self.run.model, self.recipe.momentum(epoch))

    def _set_rate(self, at: float) -> None:
        """The learning rate after ``at`` epochs, where it is another than before."""
        rate = self.recipe.rate(at)
        if rate == self.rate:
            return
        self.rate = rate
        for step in self.steps:
            for group in step.optimizer.param_groups:
                if isinstance(group["lr"], torch.Tensor):
                    group["lr"].fill_(step.update.rate * rate)
                else:
                    group["lr"] = step.update.rate * rate


def _shown(term: str, mean: float) -> str:
    """Position errors are metres; any other loss has no unit."""
    return f"{1000 * mean:.1f} mm" if term.endswith("mpjpe") else f"{mean:.4f}"


def _random_state(device: torch.device) -> torch.Tensor:
    """Of the processor, by which examples may be drawn, and behind it of the GPU."""
    own = torch.get_rng_state()
    return torch.cat([own, torch.cuda.get_rng_state()]) if device.type == "cuda" else own


def _set_random_state(state: torch.Tensor, device: torch.device) -> None:
    own = len(torch.get_rng_state())
    torch.set_rng_state(state[:own])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[own:])


@contextmanager
def _postponed_interrupt() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, so that a step is finished before the run is saved; a second
    Ctrl-C stops at once."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # signals reach the main thread only
        return

    def postpone(number, frame):
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    previous = signal.signal(signal.SIGINT, postpone)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
