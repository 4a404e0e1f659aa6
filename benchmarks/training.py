"""A step of training at the paper's size, against the same written the usual way.

Ours is what :func:`paperlib.training.train` does; its share of the machine's ceiling counts the
arithmetic of the matrix products alone, forward and backward.
"""

import itertools
from dataclasses import replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.common import ceilings, medians, peak_mb
from benchmarks.reference import Batches, Reference, train_step
from paperlib import datasets, detection
from paperlib.models import TemporalModel, fast, filter_widths
from paperlib.recordings import Dataset
from paperlib.training import Recipe, Supervised
from paperlib.training.step import Step
from paperlib.windows import network_input

CHANNELS = 1024
# windows of a batch by receptive field: the reference implementation's 1024 on a GPU. On a CPU one
# such step of the longer windows would take the plain version a quarter of a minute
BATCH = {"cuda": {27: 1024, 81: 1024, 243: 1024}, "cpu": {27: 1024, 81: 512, 243: 256}}
HUMAN36M_WINDOWS = 2 * 1_559_752 * 80  # frames to train on, mirrored too, in 80 epochs


def measure(device: torch.device) -> list[dict]:
    data = detection.detect(datasets.load("synthetic"), "simulated")
    ceiling = ceilings(device)
    return [
        row
        for receptive_field, batch in BATCH[device.type].items()
        for row in _rows(data, receptive_field, batch, ceiling, device)
    ]


def _rows(data: Dataset, receptive_field: int, batch: int, ceiling: dict, device) -> list[dict]:
    widths = filter_widths(receptive_field)
    models = {p: _model(widths, device) for p in ("float32", "bfloat16")}
    steps = {p: our_step(model, data, batch, p, device) for p, model in models.items()}
    plain = _plain_step(models["float32"], data, batch, device)
    ours = dict(zip([*steps, "plain"], medians([*steps.values(), plain], device, 4), strict=True))
    flops = _flops(models["float32"], data, batch, device)
    rows = []
    for precision, step in steps.items():
        tflops = flops / ours[precision] / 1e12
        rows.append(
            {
                "receptive_field": receptive_field,
                "batch": batch,
                "precision": precision,
                "ms": 1000 * ours[precision],
                "reference_ms": 1000 * ours["plain"],
                "ratio": ours["plain"] / ours[precision],
                "windows_per_s": batch / ours[precision],
                "tflops": tflops,
                "share_of_ceiling": tflops / ceiling[f"{precision}_tflops"],
                "human36m_minutes": HUMAN36M_WINDOWS / batch * ours[precision] / 60,
                "peak_mb": peak_mb(step, device),
                "reference_peak_mb": peak_mb(plain, device),
            }
        )
    return rows


def _model(widths: tuple[int, ...], device: torch.device) -> TemporalModel:
    torch.manual_seed(0)
    return TemporalModel(17, 2, 17, widths, channels=CHANNELS).to(device).train()


def our_step(model: TemporalModel, data: Dataset, batch: int, precision: str, device):
    """A function that takes the next step of training."""
    windows, update = _examples_and_update(fast.for_training(model), data, device)
    optimizer = update.new_optimizer(Recipe(), device)
    # as in a long run: on a GPU compiled and recorded
    step = Step(model, update, optimizer, device, precision, batch, steps=1_000_000)
    order = windows.order(torch.Generator().manual_seed(0))
    batches = itertools.cycle([b for b in order.split(batch) if len(b) == batch])
    for _ in range(8 if device.type == "cuda" else 0):
        step(next(batches))  # what is done once only
    return lambda: step(next(batches))


def _examples_and_update(model: TemporalModel, data: Dataset, device: torch.device):
    objective = Supervised(lambda: model, data)
    windows = objective.examples(model, Recipe(), 0, device)
    (update,) = objective.updates(model, windows)
    return windows, update


def _plain_step(model: TemporalModel, data: Dataset, batch: int, device: torch.device):
    twin = Reference.of(model, strided=True).train()
    optimizer = torch.optim.Adam(twin.parameters(), lr=1e-3, amsgrad=True)
    keypoints = [network_input(r).numpy() for r in data.train]
    poses = [r.pose.numpy() for r in data.train]
    mirrored = list(data.skeleton.mirrored)
    batches = Batches(keypoints, poses, model.receptive_field, mirrored).batches(batch)
    return lambda: train_step(twin, optimizer, *next(batches))


def _flops(model: TemporalModel, data: Dataset, batch: int, device: torch.device) -> int:
    _, update = _examples_and_update(model, replace(data, train=data.train[:8]), device)
    with FlopCounterMode(display=False) as counter:
        update.loss(torch.arange(16, device=device)).sum().backward()
    return counter.get_total_flops() * batch // 16
