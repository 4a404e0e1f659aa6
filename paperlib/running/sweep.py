"""Sweeps: a notebook once for each combination of values, side by side over a Dask cluster.

Each combination gives one executed notebook, named after its values. That file also holds what it
was made from and the rows it measured, so that a sweep that was broken off, or grew, repeats only
what is not there yet.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import torch
from tqdm.auto import tqdm

from paperlib import results
from paperlib.experiment.frame import METRIC_NAMES
from paperlib.paths import OUT, ROOT, replacing
from paperlib.running import remote
from paperlib.running.combinations import combinations, label, read_values

_REACH = 5  # seconds to wait for a scheduler's answer
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class Sweep:
    """What came of a sweep."""

    runs: dict[str, dict[str, Any]]  # the values of each run, by its name
    failed: dict[str, str]  # what went wrong, by the run's name
    rows: pd.DataFrame  # what the others measured
    folder: Path  # where the notebooks and results.csv are


def sweep(
    notebook: str | Path,
    pairs: Sequence[tuple[str, str]],
    output: str | Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    retries: int = 1,
    again: bool = False,
) -> Sweep:
    """Run ``notebook`` once for each combination of the values in ``pairs``, as
    ``("receptive_field", "27,81")``, and gather what the runs recorded in ``results.csv`` in the
    folder ``output``.

    ``scheduler`` is the address of a Dask scheduler that is trusted (it runs what it is sent, and
    is sent code), whose workers have this project installed and keep the threads they were started
    with. Without one, ``workers`` processes are started here and share the cores. A combination
    that is finished in ``output``, of the same cells and values, is not run again unless ``again``.
    One that fails is tried ``retries`` times more, then named in the answer; the others go on.
    Raises ``ValueError`` for whatever is wrong before anything starts.
    """
    notebook = Path(notebook)
    if retries < 0 or (workers is not None and workers < 1):
        raise ValueError(f"retries must be 0 or more, workers 1 or more: {retries}, {workers}")
    if scheduler and workers:
        raise ValueError("a scheduler has workers of its own: leave out --workers or --scheduler")
    values = read_values(notebook, pairs)
    runs = {label(one): one for one in combinations(values)}
    folder = Path(output) if output else _default_output(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    text, path = notebook.read_text("utf-8"), _relative(notebook)
    # what the preset "auto" stands for also decides what comes of a run
    preset = os.environ.get("PAPERLIB_PRESET") or None
    cells = remote.digest(text)
    origins = {n: {"cells": cells, "preset": preset, "parameters": one} for n, one in runs.items()}
    files = {name: folder / f"{name}.ipynb" for name in runs}
    waiting = [n for n in runs if again or _finished(files[n], origins[n]) is None]
    failed = {}
    if waiting:
        orders = {
            n: remote.Order(path=path, text=text, parameters=runs[n], preset=preset)
            for n in waiting
        }
        count = {"total": len(runs), "initial": len(runs) - len(waiting), "unit": "run"}
        with (
            _client(scheduler, workers or min(_default_workers(), len(waiting))) as client,
            tqdm(**count, smoothing=0) as bar,
        ):
            for name, answer in _answers(client, orders, retries):
                _keep(files[name], path, origins[name], answer)
                if answer["error"] is not None:
                    failed[name] = answer["error"]
                    bar.set_postfix_str(f"{len(failed)} failed")
                bar.update()
    rows = _gather(files, origins)
    with replacing(folder / "results.csv") as temporary:
        rows.to_csv(temporary, index=False)
    return Sweep(runs, failed, rows, folder)


def _relative(notebook: Path) -> str:
    """Where a notebook lies, from the project's folder if it lies there."""
    path = notebook.resolve()
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def _default_output(notebook: Path) -> Path:
    path, home = notebook.resolve().with_suffix(""), ROOT / "notebooks"
    return OUT / "sweeps" / (path.relative_to(home) if path.is_relative_to(home) else path.name)


def _default_workers() -> int:
    from dask.system import CPU_COUNT

    # trainings side by side on one GPU share its memory, and gain nothing
    return 1 if torch.cuda.is_available() else max(1, CPU_COUNT // 2)


def _cluster(workers: int):
    """Processes on this machine that share its cores."""
    from dask.system import CPU_COUNT
    from distributed import LocalCluster

    # Dask would leave each run one thread
    share = {n: str(max(1, CPU_COUNT // workers)) for n in _THREADS if n not in os.environ}
    # a Ctrl-C in the terminal is for us: the workers are deaf to it, and we stop them
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=":0",  # a port of its own: there may be other clusters here
            silence_logs=logging.ERROR,
            env=share,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _client(scheduler: str | None, workers: int) -> Iterator:
    """A client of the scheduler, or of ``workers`` processes started here for as long."""
    from distributed import Client
    from distributed.comm import get_address_host_port

    with ExitStack() as stack:
        cluster = scheduler or stack.enter_context(_cluster(workers))
        try:
            if scheduler:
                # a client of what is no address would wait for itself at the end
                get_address_host_port(scheduler)
            client = Client(cluster, timeout=_REACH, set_as_default=False)
        except (OSError, ValueError) as problem:
            raise ValueError(
                f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler` and "
                "give the address that it prints, or leave out --scheduler"
            ) from problem
        stack.enter_context(client)
        if not client.ncores():
            tqdm.write("the scheduler has no worker yet: waiting for one", file=sys.stderr)
        yield client


def _answers(client, orders: Mapping[str, remote.Order], retries: int) -> Iterator:
    """Names and answers, as they come. What still runs when the client closes is cancelled."""
    from distributed import as_completed

    futures = {client.submit(remote.work, o, retries, pure=False): n for n, o in orders.items()}
    for future in as_completed(list(futures), loop=client.loop):
        name = futures.pop(future)
        try:
            answer = future.result()
        except Exception as problem:  # whatever it is, it is this run's: the others go on
            answer = remote.failed(f"{type(problem).__name__}: {problem}")
        yield name, answer


def _keep(file: Path, path: str, origin: dict, answer: remote.Answer) -> None:
    """Write a run's notebook, with what it was made from and what it measured."""
    if answer["notebook"] is None:
        return
    notebook = nbformat.reads(answer["notebook"], as_version=4)
    # the places that it had on the worker tell a reader nothing
    notebook.metadata.papermill.update(input_path=path, output_path=file.name)
    notebook.metadata["sweep"] = {
        "origin": origin,
        "finished": answer["error"] is None,
        "seconds": round(answer["seconds"], 1),
        "rows": answer["rows"],
    }
    with replacing(file) as temporary:
        nbformat.write(notebook, temporary)


def _finished(file: Path, origin: dict) -> dict | None:
    """What an earlier run left, if it was made from the same and came to its end."""
    try:
        found = json.loads(file.read_text("utf-8"))["metadata"]["sweep"]
        # as text, since 1 and True and 1.0 are equal
        given, wanted = (json.dumps(o, sort_keys=True) for o in (found["origin"], origin))
        return found if given == wanted and found["finished"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _gather(files: Mapping[str, Path], origins: Mapping[str, dict]) -> pd.DataFrame:
    """The rows of all finished runs, with the run's name and the values it was given."""
    parts = []
    for name, origin in origins.items():
        found = _finished(files[name], origin) or {"rows": {}}
        for notebook, text in found["rows"].items():
            part = results.read(StringIO(text))
            given = {n: v for n, v in origin["parameters"].items() if n not in part}
            about = {"run": name, "notebook": notebook, **given}
            for place, (column, value) in enumerate(about.items()):
                part.insert(place, column, value)
            parts.append(part)
    empty = pd.DataFrame(columns=["run", "notebook", *results.COLUMNS])
    return pd.concat(parts, ignore_index=True) if parts else empty


def states(sweep: Sweep) -> dict[str, int]:
    """How many runs each state of the code measured: a finished run stays when the code changes."""
    return sweep.rows.groupby("commit", sort=False)["run"].nunique().to_dict()


def averages(sweep: Sweep) -> pd.DataFrame:
    """Averages over actions: a row for each system of each combination, a column for each metric;
    over the seeds of a combination as ``mean ± 95 % interval``."""
    rows = sweep.rows[sweep.rows["action"] == "average"]
    if rows.empty:
        return pd.DataFrame()
    but_seed = {
        name: label({n: value for n, value in one.items() if n != "seed"})
        for name, one in sweep.runs.items()
    }
    # every run counts as a seed of its own, also where it does not depend on one
    rows = rows.assign(
        combination=rows["run"].map(but_seed), seed=rows["run"] + " " + rows["seed"].astype(str)
    )
    # a notebook may measure more than one of these
    also = [
        column
        for column in ("notebook", "dataset", "detector", "preset", "receptive_field")
        if rows.groupby("combination")[column].nunique().max() > 1
    ]
    names = ["combination", *also]
    parts = {key: results.over_seeds(part) for key, part in rows.groupby(names, sort=False)}
    table = pd.concat(parts, names=names).rename(columns=METRIC_NAMES)
    return table if any(but_seed.values()) else table.droplevel("combination")
