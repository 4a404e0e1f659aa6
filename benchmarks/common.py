"""Clock, memory and what the machine could do at best: all that a ratio needs."""

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from paperlib.results import commit, machine

RESULTS = Path(__file__).with_name("results")


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(function: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call, all of its work on the device included."""
    synchronise(device)
    began = time.perf_counter()
    function()
    synchronise(device)
    return time.perf_counter() - began


def medians(
    functions: list[Callable[[], object]], device: torch.device, seconds: float = 1.0
) -> list[float]:
    """Median seconds of a call of each, measured in turn: whatever else slows the machine down
    slows all of them. At least five rounds and ``seconds`` of each, after one to warm up."""
    for function in functions:
        seconds_of(function, device)
    times = [[] for _ in functions]
    while len(times[0]) < 5 or min(map(sum, times)) < seconds:
        for function, taken in zip(functions, times, strict=True):
            taken.append(seconds_of(function, device))
    return [statistics.median(taken) for taken in times]


def versus(
    fast: Callable[[], object],
    plain: Callable[[], object],
    device: torch.device,
    seconds: float = 1.0,
) -> tuple[float, float]:
    """Median seconds of a call of both."""
    ours, theirs = medians([fast, plain], device, seconds)
    return ours, theirs


def peak_mb(function: Callable[[], object], device: torch.device) -> float:
    """Megabytes that a call needs at its height, beyond what is there before it."""
    if device.type == "cuda":
        synchronise(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        function()
        synchronise(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20
    # on a CPU the system's count says little, since freed memory is kept: add up every tensor
    with torch.profiler.profile(profile_memory=True) as seen:
        function()
    steps = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]
    steps.sort(key=lambda e: e.start_ns())
    now = peak = 0
    for step in steps:
        now += step.nbytes()
        peak = max(peak, now)
    return peak / 2**20


def ceilings(device: torch.device) -> dict[str, float]:
    """What the machine does at best: the rate of a large matrix product in TFLOP/s, and of a copy
    in GB/s, read and written."""
    size = 8192 if device.type == "cuda" else 2048
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.randn(size, size, device=device).to(dtype)
        taken = min(seconds_of(lambda a=a: a @ a, device) for _ in range(8))
        found[f"{str(dtype).removeprefix('torch.')}_tflops"] = 2 * size**3 / taken / 1e12
    source = torch.randn(2**28 if device.type == "cuda" else 2**26, device=device)
    target = torch.empty_like(source)
    taken = min(seconds_of(lambda: target.copy_(source), device) for _ in range(8))
    found["copy_gb_per_s"] = 2 * source.nbytes / taken / 1e9
    return found


def write(name: str, device: torch.device, rows: list[dict]) -> Path:
    """Rows with the machine and the versions that they were measured on."""
    about = {
        "device": machine(device.type),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "commit": commit(),
        "ceilings": ceilings(device),
    }
    path = RESULTS / f"{name}_{device.type}.json"
    text = json.dumps({**about, "rows": rows}, indent=1, default=str)
    path.write_text(text + "\n", "utf-8")
    return path
