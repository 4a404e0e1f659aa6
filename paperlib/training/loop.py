"""The training loop of pavllo2019 (section 5.3): one target frame a window, shuffled over all."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from tqdm.auto import tqdm

from paperlib.metrics import mpjpe
from paperlib.recordings import Dataset
from paperlib.training.checkpoints import Run, describe, key_of, restore, save
from paperlib.training.devices import autocast, choose_device
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows


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
    """Train what ``build()`` makes on ``dataset.train``; a finished run is found, not repeated.

    Each step minimises MPJPE (metres, root-relative, camera space) with AMSGrad. Everything random
    follows from ``seed``. Interrupted (Ctrl-C, or the kernel's stop button), the run is saved as it
    stands and the interrupt goes on; called again, it continues where it was, and ends with the
    same weights as if nothing had happened. ``retrain=True`` forgets what was saved.
    """
    where = choose_device(device)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = build().to(where)
        description = describe(model, dataset.fingerprint, recipe.as_dict(), seed, where.type)
        run = Run(model, key_of(description), description)
        optimizer = torch.optim.Adam(
            model.parameters(), lr=recipe.learning_rate, amsgrad=True, fused=True
        )
        random_state = None
        if not retrain and (run.path / "checkpoint.safetensors").is_file():
            random_state = restore(run, optimizer)
            run.reused = run.finished
        if not run.finished:
            _fit(run, optimizer, dataset, recipe, seed, where, random_state, name, progress)
    model.eval()
    return run


def _fit(run, optimizer, dataset, recipe, seed, device, random_state, name, progress) -> None:
    model = run.model
    windows = Windows(
        dataset.train,
        model.receptive_field,
        causal=model.causal,
        flip=recipe.train_flip,
        stride=recipe.stride,
        device=device,
    )
    per_epoch = -(-len(windows) // recipe.batch_size)
    bar = tqdm(
        total=recipe.epochs * per_epoch,
        initial=run.epoch * per_epoch + run.step,
        desc=name,
        unit="batch",
        disable=not progress,
        leave=False,
    )
    with bar, _postponed_interrupt() as interrupted:
        while not run.finished:
            began = time.perf_counter()
            # examples and dropout of an epoch follow from the seed and its number alone
            order = windows.order(torch.Generator().manual_seed(seed * 1_000_003 + run.epoch))
            torch.manual_seed(seed * 1_000_003 + run.epoch)
            if random_state is not None:
                _set_random_state(random_state, device)
                random_state = None
            loss = _epoch(run, optimizer, windows, order, recipe, device, bar, interrupted)
            run.seconds += time.perf_counter() - began
            if run.step * recipe.batch_size < len(order):
                save(run, optimizer, _random_state(device))
                raise KeyboardInterrupt(f"{name}: saved in epoch {run.epoch + 1}, batch {run.step}")
            run.history.append({"epoch": run.epoch + 1, "train_mpjpe": loss})
            run.epoch, run.step, run.loss_so_far = run.epoch + 1, 0, 0.0
            bar.set_postfix(train=f"{1000 * loss:.1f} mm")
            save(run, optimizer, None)
        if interrupted.is_set():
            raise KeyboardInterrupt(f"{name}: finished and saved")


def _epoch(run, optimizer, windows, order, recipe, device, bar, interrupted) -> float:
    """One pass over ``order``, or up to an interrupt; the mean training error in metres."""
    model = run.model.train()
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * recipe.decay**run.epoch
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.momentum = recipe.momentum(run.epoch)
    total, steps = torch.tensor(run.loss_so_far, device=device), run.step
    for inputs, target in windows.batches(order, recipe.batch_size, start=run.step):
        if interrupted.is_set():
            break
        run.step += 1
        bar.update()
        if len(inputs) == 1:
            continue  # batch norm has nothing to normalise by
        with autocast(device, recipe.precision):
            predicted = model(inputs)
        loss = mpjpe(predicted.float(), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach()
        steps += 1
    run.loss_so_far = total.item()
    mean = run.loss_so_far / max(steps, 1)
    if not mean < float("inf"):
        raise FloatingPointError(f"the loss became {mean} in epoch {run.epoch + 1}")
    return mean


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
