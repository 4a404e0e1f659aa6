"""Everything that needs a GPU, in steps that can be stopped and continued.

A step is done once for a state of the code; one that was stopped goes on from what it had trained.
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

from benchmarks.__main__ import NAMES as BENCHMARKS
from paperlib.paths import OUT, ROOT, replacing
from tools.publish import NOTEBOOKS, text_forms

DONE = OUT / "gpu-results.json"
_GRACE_SECONDS = 40  # for a step that is stopped to save what it has
_MIN_SECONDS = 30  # with less time left no step is started


def steps() -> dict[str, list[str]]:
    """The commands, by name: benchmarks first, then every notebook with the papers' own sizes."""
    python = [sys.executable, "-m"]
    named = {f"benchmark {name}": [*python, "benchmarks", name] for name in BENCHMARKS}
    for text in text_forms():
        name = text.relative_to(NOTEBOOKS).with_suffix("").as_posix()
        named[f"notebook {name}"] = [*python, "tools", "publish", name]
    return named


def gpu_results(minutes: float | None = None) -> list[str]:
    """Run the steps that are not done yet, for at most ``minutes`` (None: until all are done), and
    return the names of those that are left. ``ValueError`` without a GPU, or where a step fails."""
    if not torch.cuda.is_available():
        raise ValueError(
            "PyTorch sees no GPU here, and nothing was measured: this needs a machine with one. "
            "Without a GPU there are make notebooks and make benchmarks"
        )
    until = None if minutes is None else time.monotonic() + 60 * minutes
    state = _state()
    done = json.loads(DONE.read_text()) if DONE.is_file() else {}
    waiting = [name for name in steps() if done.get(name) != state]
    for name in list(waiting):
        left = None if until is None else until - time.monotonic()
        if left is not None and left < _MIN_SECONDS:
            break
        print(f"{name} …", flush=True)
        if not _run(name, steps()[name], left):
            break
        done[name] = state
        with replacing(DONE) as temporary:
            temporary.write_text(json.dumps(done, indent=1))
        waiting.remove(name)
    return waiting


def _run(name: str, command: list[str], seconds: float | None) -> bool:
    """Run a step for at most so long; whether it finished."""
    environment = {**os.environ, "PAPERLIB_PRESET": "paper"}
    with _interruptible(signal.SIGINT):
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        process.wait(None if seconds is None else max(seconds - _GRACE_SECONDS, 1))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False
    if process.returncode:
        raise ValueError(f"{name} failed with status {process.returncode}; its message is above")
    return True


@contextmanager
def _interruptible(number: signal.Signals) -> Iterator[None]:
    """Processes that are started meanwhile react to a Ctrl-C, the sign to save and stop. In the
    background of a shell this process ignores it, and they would too."""
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
