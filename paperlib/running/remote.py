"""One run of a sweep, on a worker of the Dask cluster.

The notebook is sent as text, and its results come back as text: a worker needs no disk in common
with the sender. It runs in a process of its own, which can be stopped and has its own folder and
environment. ``python -m paperlib.running.remote`` is that process: it reads a job as a line of
JSON, writes the result as JSON, and ends when its standard input is closed.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, TypedDict

import nbformat

from paperlib.errors import NotebookFailed
from paperlib.paths import ROOT
from paperlib.running.notebook import run

_POLL_SECONDS = 0.2  # between two checks whether the run is still wanted
_GRACE_SECONDS = 10  # in which a kernel that is interrupted may save what it trains


class Job(TypedDict):
    """A notebook to run."""

    path: str  # of the notebook: from the project's folder, or absolute
    text: str  # the notebook
    parameters: dict[str, Any]
    preset: str | None  # what PAPERLIB_PRESET is where the sweep was started


class Result(TypedDict):
    """What it gave."""

    notebook: str | None  # executed, as far as it got
    rows: dict[str, str]  # the results that it recorded: CSV by the name of the file
    seconds: float
    error: str | None


def digest(notebook: str) -> str:
    """A hash of the cells of a notebook, given as JSON, without what they gave."""
    cells = nbformat.reads(notebook, as_version=4).cells
    sources = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def failed(error: str) -> Result:
    """The result of a run that gave nothing but an error."""
    return {"notebook": None, "rows": {}, "seconds": 0.0, "error": error}


def work(job: Job, retries: int = 0) -> Result:
    """Run a job, as a task of Dask; if it fails, up to ``retries`` more times."""
    for _ in range(1 + retries):
        result = _attempt(job)
        if result["error"] is None:
            break
    return result


def _attempt(job: Job) -> Result:
    """Run a job in a process of its own, which is stopped when the task is cancelled, the client
    leaves, or the worker ends."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as stdout,
        tempfile.TemporaryFile("w+", encoding="utf-8") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr
        ) as process,
    ):
        # a process that ended before it read its job is reported below
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps(job).encode() + b"\n")
            stdin.flush()
            while process.poll() is None:
                # Dask has no other sign for a running task that nobody waits for it any more
                task = worker.state.tasks.get(key)
                if task is None or task.state == "cancelled":
                    raise CancelledError
                time.sleep(_POLL_SECONDS)
        process.wait()
        if process.returncode:
            stderr.seek(0)
            last = (stderr.read().strip().splitlines() or ["it printed nothing"])[-1]
            return failed(f"its process ended with status {process.returncode}: {last}")
        stdout.seek(0)
        return json.load(stdout)


def execute(job: Job, folder: Path) -> Result:
    """Run a job in this process; what it writes goes to ``folder``.

    The notebook runs in its own place, since it may read files beside it, if a notebook of the
    same cells is there on this machine; else in ``folder``.
    """
    os.environ.pop("PAPERLIB_PRESET", None)
    if job["preset"]:
        os.environ["PAPERLIB_PRESET"] = job["preset"]
    # a results folder for each run: no two write to one file
    os.environ["PAPERLIB_OUT"] = str(folder / "out")
    os.environ.pop("PAPERLIB_RECORD", None)
    output, error, began = folder / "executed.ipynb", None, time.perf_counter()
    try:
        run(_source(job, folder), output, job["parameters"], progress=False)
    except (NotebookFailed, ValueError) as failure:
        error = str(failure)
    notebook = output.read_text("utf-8") if output.is_file() else None
    files = sorted((folder / "out" / "results").glob("*.csv"))
    rows = {path.stem: path.read_text("utf-8") for path in files}
    seconds = time.perf_counter() - began
    return {"notebook": notebook, "rows": rows, "seconds": seconds, "error": error}


def _source(job: Job, folder: Path) -> Path:
    here = ROOT / job["path"]
    try:
        if digest(here.read_text("utf-8")) == digest(job["text"]):
            return here
    except (OSError, ValueError):
        pass  # not here, or another notebook
    copy = folder / "notebook" / here.name
    copy.parent.mkdir()
    copy.write_text(job["text"], "utf-8")
    return copy


def _end_with_input() -> None:
    """Stop when the worker closes the input of this process, or has ended itself."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # which interrupts a kernel before it ends it
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    result = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what else is printed is not part of the result
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # removes the folder
    job = json.loads(sys.stdin.readline())
    Thread(target=_end_with_input, daemon=True).start()
    with result, tempfile.TemporaryDirectory(prefix="paperlib-") as folder:
        json.dump(execute(job, Path(folder)), result)


if __name__ == "__main__":
    main()
