"""Files that may end a process, read in one of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

MEMORY = 3 * 2**30  # bytes that the process may ask for; libraries alone ask for 0.7

_PROGRAM = """
import json, resource, sys
from importlib import import_module
from pathlib import Path

module, name, memory, extra, *paths = sys.argv[1:]
read = getattr(import_module(module), name)
resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))


def status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


for path in paths:
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
    before = status("VmRSS")
    try:
        kept, said = read(path, *json.loads(extra)), "nothing"
    except Exception as problem:
        kept, said = None, f"{type(problem).__name__}: {problem}"
    print(json.dumps([path, said, status("VmHWM") - before]), flush=True)
    del kept
"""


class Outcome(NamedTuple):
    said: str  # "ValueError: …", or "nothing" where it was read
    megabytes: float  # at most, above what the process had before


def read_guarded(module: str, name: str, paths: list[Path], *extra: str) -> dict[Path, Outcome]:
    """What ``module.name(path, *extra)`` gives of each path, as far as the process lives."""
    if sys.platform != "linux":
        pytest.skip("memory is measured as Linux does it")
    command = [sys.executable, "-c", _PROGRAM, module, name, str(MEMORY), json.dumps(extra)]
    # what is free is given back, so that the next file has to ask for it
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        [*command, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = {Path(path): Outcome(said, megabytes) for path, said, megabytes in lines}
    ended = f"the process ended ({done.returncode}): {done.stderr[-500:]}"
    return {path: found.get(path, Outcome(ended, 0)) for path in paths}
