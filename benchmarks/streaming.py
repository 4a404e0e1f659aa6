"""One frame in, one pose out, against computing its whole receptive field anew for each frame.

The latter in two ways: the least that can be done, our strided schedule, which computes only what
that one pose needs; and the usual one, Conv1d modules with dilation run on the window. The memory
is what the first frame takes, all columns that are kept included, the weights not.
"""

import statistics
from collections.abc import Callable

import torch

from benchmarks.common import peak_mb, seconds_of, versus
from benchmarks.reference import Reference
from paperlib.models import Streaming, TemporalModel, filter_widths, flops_per_frame, fold

CHANNELS = 1024
FRAMES = 1000  # for the latency


def measure(device: torch.device) -> list[dict]:
    return [row for receptive_field in (27, 243) for row in _rows(receptive_field, device)]


@torch.no_grad()
def _rows(receptive_field: int, device: torch.device) -> list[dict]:
    torch.manual_seed(0)
    widths = filter_widths(receptive_field)
    model = TemporalModel(17, 2, 17, widths, causal=True, channels=CHANNELS).to(device).eval()
    single, half = fold(model), fold(model, torch.bfloat16)
    # its short cuts are not causal: other poses, of the same cost
    usual = Reference.of(model, strided=False).eval()
    cost = f"{flops_per_frame(model) / 2e6:.2f} million multiplications a frame"
    ways = {
        "float32, against our strided schedule": (single, single),
        "float32, against Conv1d with dilation": (single, usual),
        "bfloat16, against our strided schedule": (half, half),
    }
    return [
        _row(f"{receptive_field} frames, {name}", Streaming(quick), plain, receptive_field, cost)
        for name, (quick, plain) in ways.items()
    ]


def _row(what: str, stream: Streaming, plain: Callable, receptive_field: int, cost: str) -> dict:
    device = next(plain.parameters()).device
    window = torch.rand(1, receptive_field, 17, 2, device=device) - 0.5
    frame = window[0, -1]
    memory = peak_mb(lambda: stream.step(frame), device)  # the first frame: all that is kept
    ours, theirs = versus(lambda: stream.step(frame), lambda: plain(window), device)
    latency = [1000 * seconds_of(lambda: stream.step(frame), device) for _ in range(FRAMES)]
    last = statistics.quantiles(latency, n=100)[98]
    return {
        "what": what,
        "unit": "frames/s",
        "rate": 1 / ours,
        "reference": 1 / theirs,
        "ratio": theirs / ours,
        "peak_mb": memory,
        "note": f"latency {statistics.median(latency):.2f} ms, 99th percentile {last:.2f} ms; "
        f"{cost}",
    }
