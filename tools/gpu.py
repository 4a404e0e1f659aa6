"""Everything that wants a GPU, in steps that can be stopped and taken up again.

A step is done once for a state of the code; what a stopped one had trained is kept, so that it
goes on from there.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from paperlib.paths import OUT, ROOT, replacing
from tools.publish import NOTEBOOKS, text_forms

BENCHMARKS = (
    "training",
    "inference",
    "streaming",
    "everything_else",
    "rendering",
    "refinement",
    "growth",
    "precision",
)
DONE = OUT / "gpu-results.json"
_PATIENCE = 40  # seconds for a step that is stopped to save what it has
_TOO_SHORT = 30  # seconds left, in which no step is worth beginning


def steps() -> dict[str, list[str]]:
    """The commands, by name: benchmarks first, then every notebook with the papers' own sizes."""
    python = [sys.executable, "-m"]
    named = {f"benchmark {name}": [*python, "benchmarks", name] for name in BENCHMARKS}
    for text in text_forms():
        name = text.relative_to(NOTEBOOKS).with_suffix("").as_posix()
        named[f"notebook {name}"] = [*python, "tools", "publish", name]
    return named


def gpu_results(minutes: float | None = None) -> list[str]:
    """Take the steps that are not done yet, for at most ``minutes`` (until the end, if None); the
    names of those that are left. Raises ``ValueError`` where there is no GPU or a step fails."""
    if not torch.cuda.is_available():
        raise ValueError(
            "PyTorch sees no GPU here, and nothing was measured: this wants a machine with one. "
            "What runs without: make notebooks, make benchmarks"
        )
    until = None if minutes is None else time.monotonic() + 60 * minutes
    state = _state()
    done = json.loads(DONE.read_text()) if DONE.is_file() else {}
    waiting = [name for name in steps() if done.get(name) != state]
    for name in list(waiting):
        left = None if until is None else until - time.monotonic()
        if left is not None and left < _TOO_SHORT:
            break
        print(f"{name} …", flush=True)
        if not _take(name, steps()[name], left):
            break
        done[name] = state
        with replacing(DONE) as temporary:
            temporary.write_text(json.dumps(done, indent=1))
        waiting.remove(name)
    return waiting


def _take(name: str, command: list[str], seconds: float | None) -> bool:
    """Run a step for so long; whether it came to its end."""
    environment = {**os.environ, "PAPERLIB_PRESET": "paper"}
    with _heard(signal.SIGINT):
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        process.wait(None if seconds is None else max(seconds - _PATIENCE, 1))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False
    if process.returncode:
        raise ValueError(f"{name} failed with status {process.returncode}; what it said is above")
    return True


@contextmanager
def _heard(number: signal.Signals) -> Iterator[None]:
    """By the processes that are started meanwhile: a shell that starts us in the background leaves
    us, and them, deaf to a Ctrl-C, which is how a step is told to save and stop."""
    before = signal.getsignal(number)
    if before != signal.SIG_IGN:
        yield
        return
    signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def _state() -> str:
    """A hash of the code that what is measured depends on."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator:
    for folder in ("paperlib", "benchmarks", "notebooks"):
        yield from sorted((ROOT / folder).rglob("*.py"))
