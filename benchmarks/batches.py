"""Sequences of one length, one at a time and many together: does a batch make them cheaper?

Pavllo et al. 2019 (section 6.1) say that it hardly does, since a convolution has all frames of one
sequence to work on at once.
"""

import statistics

import torch

from benchmarks.common import seconds_of
from paperlib.models import TemporalModel, filter_widths, fold, lift

CHANNELS, RECEPTIVE_FIELD = 1024, 243
ROUNDS, CALLS = 7, 3  # of each round the median call counts
FRAMES = {"cuda": (32, 512, 8192), "cpu": (32, 512)}  # of a sequence
BATCHES = (1, 4, 16)


def measure(device: torch.device) -> list[dict]:
    torch.manual_seed(0)
    widths = filter_widths(RECEPTIVE_FIELD)
    model = TemporalModel(17, 2, 17, widths, channels=CHANNELS).to(device).eval()
    quick = fold(model)
    return [row for frames in FRAMES[device.type] for row in _rows(quick, frames, device)]


def _rows(model: TemporalModel, frames: int, device: torch.device) -> list[dict]:
    ways = {}
    for batch in BATCHES:
        shape = (batch, frames + RECEPTIVE_FIELD - 1, 17, 2)
        sequences = torch.rand(shape, device=device) - 0.5
        ways[batch] = lambda given=sequences: lift(model, given, frames)
        seconds_of(ways[batch], device)  # to warm up
    rows = []
    for turn in range(ROUNDS):  # all in turn: whatever slows the machine down slows each
        for batch, way in ways.items():
            taken = statistics.median(seconds_of(way, device) for _ in range(CALLS))
            about = {"receptive_field": RECEPTIVE_FIELD, "frames": frames, "batch": batch}
            rows.append({**about, "round": turn, "frames_per_s": batch * frames / taken})
    return rows
