"""One run of a sweep, on a worker of the Dask cluster.

The notebook travels as text, and so does what comes of it: a worker need not share a disk with who
asks. It runs in a process of its own, so that it can be stopped, and so that its folder and its
environment are no one else's. ``python -m paperlib.running.remote`` is that process: it takes its
order as a line of JSON, gives its answer as JSON, and ends where its standard input is closed.
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

from paperlib.paths import ROOT
from paperlib.running.notebook import NotebookFailed, run

_LOOK = 0.2  # seconds between two looks at whether the run is still wanted
# seconds in which a kernel that is interrupted may save what it trains
_PATIENCE = 10


class Order(TypedDict):
    """What is to be run."""

    path: str  # of the notebook: from the project's folder, or absolute
    text: str  # the notebook
    parameters: dict[str, Any]
    preset: str | None  # what PAPERLIB_PRESET is where the sweep was started


class Answer(TypedDict):
    """What came of it."""

    notebook: str | None  # executed, as far as it got
    rows: dict[str, str]  # the results that it recorded: CSV by the name of the file
    seconds: float
    error: str | None


def digest(notebook: str) -> str:
    """A hash of the cells of a notebook, given as JSON, without what they gave."""
    cells = nbformat.reads(notebook, as_version=4).cells
    sources = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def failed(error: str) -> Answer:
    """The answer of a run that left nothing else."""
    return {"notebook": None, "rows": {}, "seconds": 0.0, "error": error}


def work(order: Order, retries: int = 0) -> Answer:
    """Run an order, as a task of Dask; where it fails, up to ``retries`` times again."""
    for _ in range(1 + retries):
        answer = _attempt(order)
        if answer["error"] is None:
            break
    return answer


def _attempt(order: Order) -> Answer:
    """Run an order in a process of its own. It is stopped where the task was cancelled, the client
    went away, or the worker ends."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as said,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complained,
        subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=said, stderr=complained
        ) as process,
    ):
        # a process that ended before it read its order has its say below
        with suppress(BrokenPipeError), process.stdin as order_and_lifeline:
            order_and_lifeline.write(json.dumps(order).encode() + b"\n")
            order_and_lifeline.flush()
            while process.poll() is None:
                # Dask tells a running task in no other way that nobody waits for it any more
                task = worker.state.tasks.get(key)
                if task is None or task.state == "cancelled":
                    raise CancelledError
                time.sleep(_LOOK)
        process.wait()
        if process.returncode:
            complained.seek(0)
            last = (complained.read().strip().splitlines() or ["without a word"])[-1]
            return failed(f"its process ended with status {process.returncode}: {last}")
        said.seek(0)
        return json.load(said)


def execute(order: Order, folder: Path) -> Answer:
    """Run an order in this process; what it writes goes to ``folder``.

    The notebook runs where it lies, if the same cells lie there on this machine, since it may read
    what is beside it; else in ``folder``.
    """
    os.environ.pop("PAPERLIB_PRESET", None)
    if order["preset"]:
        os.environ["PAPERLIB_PRESET"] = order["preset"]
    # each run has results of its own: no two write to one file
    os.environ["PAPERLIB_OUT"] = str(folder / "out")
    os.environ.pop("PAPERLIB_RECORD", None)
    output, error, began = folder / "executed.ipynb", None, time.perf_counter()
    try:
        run(_source(order, folder), output, order["parameters"], progress=False)
    except (NotebookFailed, ValueError) as failure:
        error = str(failure)
    return {
        "notebook": output.read_text("utf-8") if output.is_file() else None,
        "rows": {
            path.stem: path.read_text("utf-8")
            for path in sorted((folder / "out" / "results").glob("*.csv"))
        },
        "seconds": time.perf_counter() - began,
        "error": error,
    }


def _source(order: Order, folder: Path) -> Path:
    here = ROOT / order["path"]
    try:
        if digest(here.read_text("utf-8")) == digest(order["text"]):
            return here
    except (OSError, ValueError):
        pass  # not here, or something else
    copy = folder / "notebook" / here.name
    copy.parent.mkdir()
    copy.write_text(order["text"], "utf-8")
    return copy


def _end_with_input() -> None:
    """Stop once the worker closes our input, or is gone and its end of it with it."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # which interrupts a kernel before it ends it
    time.sleep(_PATIENCE)
    os._exit(1)


def main() -> None:
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed is no answer
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no folder behind
    order = json.loads(sys.stdin.readline())
    Thread(target=_end_with_input, daemon=True).start()
    with answer, tempfile.TemporaryDirectory(prefix="paperlib-") as folder:
        json.dump(execute(order, Path(folder)), answer)


if __name__ == "__main__":
    main()
