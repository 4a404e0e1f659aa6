"""Whole sequences, one at a time, against Conv1d modules in float32 on the same machine."""

import torch

from benchmarks.common import ceilings, medians, peak_mb
from benchmarks.reference import Reference
from paperlib.models import TemporalModel, filter_widths, flops_per_frame, fold, lift

CHANNELS = 1024
FRAMES = {"cuda": 262_144, "cpu": 2048}  # of the sequence


def measure(device: torch.device) -> list[dict]:
    ceiling = ceilings(device)
    return [
        row for receptive_field in (27, 81, 243) for row in _rows(receptive_field, ceiling, device)
    ]


@torch.no_grad()
def _rows(receptive_field: int, ceiling: dict, device: torch.device) -> list[dict]:
    torch.manual_seed(0)
    model = TemporalModel(17, 2, 17, filter_widths(receptive_field), channels=CHANNELS)
    model = model.to(device).eval()
    frames = FRAMES[device.type]
    sequence = torch.rand(1, frames + receptive_field - 1, 17, 2, device=device) - 0.5
    plain = Reference.of(model, strided=False).eval()
    folded = {
        str(d).removeprefix("torch."): fold(model, d) for d in (torch.float32, torch.bfloat16)
    }
    exact = plain(sequence)
    ways = {
        name: lambda quick=quick: lift(quick, sequence, 65536) for name, quick in folded.items()
    }
    times = medians([*ways.values(), lambda: plain(sequence)], device, 3)
    taken = dict(zip([*ways, "plain"], times, strict=True))
    rows = []
    for name, way in ways.items():
        tflops = flops_per_frame(model) * frames / taken[name] / 1e12
        rows.append(
            {
                "receptive_field": receptive_field,
                "frames": frames,
                "precision": name,
                "frames_per_s": frames / taken[name],
                "reference_frames_per_s": frames / taken["plain"],
                "ratio": taken["plain"] / taken[name],
                "tflops": tflops,
                "share_of_ceiling": tflops / ceiling[f"{name}_tflops"],
                "largest_difference_mm": 1000 * (way() - exact).norm(dim=-1).max().item(),
                "peak_mb": peak_mb(way, device),
                "reference_peak_mb": peak_mb(lambda: plain(sequence), device),
            }
        )
    return rows
