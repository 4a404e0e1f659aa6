"""The training loop: epochs of shuffled examples, resumable wherever it stops."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from tqdm.auto import tqdm

from paperlib.models import fast
from paperlib.training import processes
from paperlib.training.checkpoints import Run, describe, key_of, restore, save
from paperlib.training.devices import choose_device
from paperlib.training.recipes import Recipe
from paperlib.training.step import Objective, Step

_ASKED_EVERY = 16  # batches, between several processes asking each other whether to stop


def fit(
    build: Callable[[], nn.Module],
    objective: Callable[[nn.Module, torch.device], Objective],
    data: str,
    recipe: Recipe,
    code: Sequence[str],
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
    after_epoch: Callable[[Run], Mapping[str, float]] | None = None,
) -> Run:
    """Train what ``build()`` makes for what ``objective(model, device)`` asks, with AMSGrad; a
    finished run is found, not repeated.

    ``data`` names all that the objective learns from, ``code`` the modules that it is made of:
    a run of other data or other code is another run. Everything random follows from ``seed``.
    Interrupted (Ctrl-C, or the kernel's stop button), the run is saved as it stands and the
    interrupt goes on; called again, it continues where it was, and ends with the same weights as if
    nothing had happened. ``retrain=True`` forgets what was saved.

    ``after_epoch`` is called with the run after each epoch, its model in evaluation mode, and what
    it gives joins that epoch's row of the history. Training goes on as without it. ``code``
    must name its module too: a run that is found again has the rows that it was made with.

    Under ``torchrun`` (see :mod:`paperlib.training.processes`) each process takes a part of every
    batch and the first one saves; dropout is then drawn anew where a run is resumed.
    """
    where = choose_device(device)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = fast.for_training(build().to(where))
        description = describe(model, data, recipe.as_dict(), seed, where.type, code)
        run = Run(model, key_of(description), description)
        optimizer = amsgrad(model, recipe.learning_rate, where)
        random_state = None
        if not retrain and (run.path / "checkpoint.safetensors").is_file():
            random_state = restore(run, optimizer)
            run.reused = run.finished
        processes.all_wait()  # until all have read what one of them is going to replace
        if not run.finished:
            if processes.count() > 1:
                fast.synchronise(model)
                random_state = None
            aim = objective(model, where)
            fitting = _Fit(run, aim, optimizer, recipe, seed, where, name, after_epoch)
            fitting.go(random_state, progress)
    fast.as_written(model).eval()
    return run


def amsgrad(model: nn.Module, rate: float, device: torch.device) -> torch.optim.Adam:
    on_gpu = device.type == "cuda"
    # a step that is recorded reads its learning rate and its count from the device
    return torch.optim.Adam(
        model.parameters(),
        lr=torch.tensor(rate, device=device) if on_gpu else rate,
        amsgrad=True,
        fused=True,
        capturable=on_gpu,
    )


class _Fit:
    """The epochs of one run."""

    def __init__(self, run, objective, optimizer, recipe, seed, device, name, after_epoch):
        self.run, self.objective, self.optimizer = run, objective, optimizer
        self.recipe, self.seed, self.device, self.name = recipe, seed, device, name
        self.after_epoch = after_epoch or (lambda run: {})
        self.per_epoch = len(self._batches(torch.arange(len(objective))))
        if not self.per_epoch:
            raise ValueError(f"{name}: {len(objective)} examples are too few to train on")
        left = (recipe.epochs - run.epoch) * self.per_epoch - run.step
        self.step = Step(objective, optimizer, device, recipe.precision, recipe.batch_windows, left)

    def go(self, random_state: torch.Tensor | None, progress: bool) -> None:
        run, first = self.run, processes.rank() == 0
        bar = tqdm(
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
                order = self.objective.order(torch.Generator().manual_seed(number), run.epoch)
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
                    run.history.append({"epoch": run.epoch, **means, **self.after_epoch(run)})
                    bar.set_postfix(train=_shown(*next(iter(means.items()))))
                if first:
                    save(run, self.optimizer, None if whole else _random_state(self.device))
                if not whole:
                    where = f"epoch {run.epoch + 1}, batch {run.step}"
                    raise KeyboardInterrupt(f"{self.name}: saved in {where}")
            if interrupted.is_set():
                raise KeyboardInterrupt(f"{self.name}: finished and saved")

    def _epoch(self, order, bar, interrupted) -> dict[str, float]:
        """One pass over ``order``, or up to an interrupt; the means of the losses' terms."""
        run, step = self.run, self.step
        self._prepare(run.epoch)
        step.total.zero_()
        if run.loss_so_far and processes.rank() == 0:
            step.total += torch.tensor(run.loss_so_far, device=self.device)
        for examples in self._batches(order)[run.step :]:
            ask = processes.count() == 1 or run.step % _ASKED_EVERY == 0
            if ask and processes.any_of(interrupted.is_set(), self.device):
                break
            step(examples)
            run.step += 1
            bar.update()
        run.loss_so_far = processes.sum_(step.total.clone()).tolist()
        means = [value / max(run.step, 1) for value in run.loss_so_far]
        if not all(abs(mean) < float("inf") for mean in means):
            raise FloatingPointError(f"the loss became {means} in epoch {run.epoch + 1}")
        return dict(zip(self.objective.terms, means, strict=True))

    def _batches(self, order: torch.Tensor) -> list[torch.Tensor]:
        # batch norm has nothing to normalise a single frame by
        least = processes.count() + (self.recipe.chunk == 1)
        parts = order.split(self.recipe.batch_windows)
        return [part for part in parts if len(part) >= least]

    def _prepare(self, epoch: int) -> None:
        self.run.model.train()
        rate = self.recipe.learning_rate * self.recipe.decay**epoch
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        fast.set_momentum(self.run.model, self.recipe.momentum(epoch))


def _shown(term: str, mean: float) -> str:
    """Position errors are metres; any other loss has no unit."""
    return f"{1000 * mean:.1f} mm" if term.endswith("mpjpe") else f"{mean:.4f}"


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state() if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: torch.Tensor, device: torch.device) -> None:
    (torch.cuda.set_rng_state if device.type == "cuda" else torch.set_rng_state)(state)


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
