"""How the cost grows with the work: the exponent b in seconds = a * work^b, 1 being proportional.

Fitted to the larger half of each series: what a call costs in any case weighs on the smaller one.
"""

import torch

from benchmarks.common import medians
from benchmarks.refinement import tracks
from benchmarks.training import our_step
from paperlib import datasets, detection
from paperlib.models import Streaming, TemporalModel, filter_widths, fold, lift
from paperlib.refinement import refine
from paperlib.rendering import people_visibility
from paperlib.skeletons import H36M_17

CHANNELS = {"cuda": 1024, "cpu": 256}
_AT_MOST = {"cuda": 17, "cpu": 14}  # powers of two: frames of the longest sequence


def measure(device: torch.device) -> list[dict]:
    series = {
        ("frames", "whole sequence, 243 frames"): _frames(device),
        ("receptive field", "whole sequence of 4096"): _receptive_field(device),
        ("receptive field", "training step, batch 128"): _training_field(device),
        ("batch", "training step, 27 frames"): _batch(device),
        ("people", "streaming frame, 243 frames"): _people(device),
        ("frames", "refinement, errors of 1 m"): {
            2**n: _refining(1, 2**n, device) for n in range(7, 15)
        },
        ("people", "refinement, 500 frames"): {
            2**n: _refining(2**n, 500, device) for n in range(8)
        },
        ("people", "who hides whom, 128 frames"): _hidden(device),
    }
    rows = []
    for (grows, what), functions in series.items():
        seconds = medians([*functions.values()], device, 0.5)
        exponent = _exponent([*functions], seconds)
        for size, taken in zip(functions, seconds, strict=True):
            row = {"grows": grows, "what": what, "size": size, "ms": 1000 * taken}
            rows.append({**row, "exponent": exponent})
    return rows


def _exponent(sizes: list[int], seconds: list[float]) -> float:
    half = len(sizes) // 2
    x = torch.tensor(sizes[half:], dtype=torch.float64).log()
    y = torch.tensor(seconds[half:], dtype=torch.float64).log()
    x = x - x.mean()
    return ((x * y).sum() / x.square().sum()).item()


def _model(receptive_field: int, device: torch.device, causal: bool = False) -> TemporalModel:
    widths = filter_widths(receptive_field)
    channels = CHANNELS[device.type]
    return TemporalModel(17, 2, 17, widths, causal=causal, channels=channels).to(device).eval()


def _lifting(model: TemporalModel, frames: int, device: torch.device):
    quick = fold(model)
    sequence = torch.rand(1, frames + model.receptive_field - 1, 17, 2, device=device)
    return lambda: lift(quick, sequence, 65536)


def _frames(device):
    model = _model(243, device)
    return {2**n: _lifting(model, 2**n, device) for n in range(7, _AT_MOST[device.type] + 1)}


def _receptive_field(device):
    return {r: _lifting(_model(r, device), 4096, device) for r in (3, 9, 27, 81, 243, 729)}


def _training_field(device):
    data = detection.detect(datasets.load("synthetic", small=True), "ground_truth")
    return {
        r: our_step(_model(r, device).train(), data, 128, "float32", device)
        for r in (3, 9, 27, 81, 243, 729)
    }


def _batch(device):
    data = detection.detect(datasets.load("synthetic", small=True), "ground_truth")
    return {
        2**n: our_step(_model(27, device).train(), data, 2**n, "float32", device)
        for n in range(3, 12)
    }


def _people(device):
    model = _model(243, device, causal=True)

    def stepping(people: int):
        stream, frame = Streaming(model), torch.rand(people, 17, 2, device=device)
        return lambda: stream.step(frame)

    return {2**n: stepping(2**n) for n in range(0, 9)}


def _refining(people: int, frames: int, device: torch.device):
    positions, visibility = (x.to(device) for x in tracks(people, frames, error=1.0))
    return lambda: refine(positions, visibility)


def _hidden(device):
    standing = tracks(16, 128, error=0.3)[0].to(device)
    return {2**n: lambda n=n: people_visibility(standing[: 2**n], H36M_17) for n in range(5)}
