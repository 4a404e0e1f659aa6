"""Sweeps: a notebook once for each combination of values, side by side over a Dask cluster.

Each combination gives one executed notebook, named after its values. The file also holds what it
was made from and the rows it measured: a sweep that was stopped, or got more values, runs only what
is missing.
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
from paperlib.experiment.rows import METRIC_NAMES
from paperlib.paths import OUT, ROOT, locked, replacing
from paperlib.running import remote
from paperlib.running.combinations import combinations, label, read_values
from paperlib.running.notebook import place_of

_CONNECT_SECONDS = 5  # to wait for a scheduler's answer
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class Sweep:
    """What a sweep gave."""

    runs: dict[str, dict[str, Any]]  # the values of each run, by its name
    failed: dict[str, str]  # the error of each run that failed, by its name
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
    folder ``output``, with what earlier calls left there. The result holds the rows of this one.

    ``scheduler`` is the address of a Dask scheduler that is trusted (it executes the code that is
    sent to it), whose workers have this project installed; they keep their number of threads.
    Without one, ``workers`` processes are started here and share the cores. A combination that is
    finished in ``output``, of the same cells and values, is not run again unless ``again``. One
    that fails is tried ``retries`` more times, then named in the result; the others go on. Raises
    ``ValueError`` for wrong arguments before anything starts.
    """
    notebook = Path(notebook)
    if retries < 0 or (workers is not None and workers < 1):
        raise ValueError(f"retries must be 0 or more, workers 1 or more: {retries}, {workers}")
    if scheduler and workers:
        raise ValueError("a scheduler has workers of its own: leave out --workers or --scheduler")
    values = read_values(notebook, pairs)
    runs = {label(one): one for one in combinations(values)}
    folder = Path(output) if output else OUT / "sweeps" / place_of(notebook).with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    text, path = notebook.read_text("utf-8"), _relative(notebook)
    # a run also depends on what the preset "auto" stands for
    preset = os.environ.get("PAPERLIB_PRESET") or None
    cells = remote.digest(text)
    origins = {n: {"cells": cells, "preset": preset, "parameters": one} for n, one in runs.items()}
    files = {name: folder / f"{name}.ipynb" for name in runs}
    waiting = [n for n in runs if again or _finished(files[n], origins[n]) is None]
    failed = {}
    if waiting:
        about = {"path": path, "text": text, "preset": preset}
        jobs = {name: remote.Job(parameters=runs[name], **about) for name in waiting}
        count = {"total": len(runs), "initial": len(runs) - len(waiting), "unit": "run"}
        with (
            _client(scheduler, workers or min(_default_workers(), len(waiting))) as client,
            tqdm(**count, smoothing=0) as bar,
        ):
            for name, result in _results(client, jobs, retries):
                _keep(files[name], path, origins[name], result)
                if result["error"] is not None:
                    failed[name] = result["error"]
                    bar.set_postfix_str(f"{len(failed)} failed")
                bar.update()
    table = folder / "results.csv"
    with locked(table), replacing(table) as temporary:
        _gather(_all_finished(folder, cells)).to_csv(temporary, index=False)
    found = {name: _finished(files[name], origin) for name, origin in origins.items()}
    return Sweep(runs, failed, _gather(found), folder)


def _relative(notebook: Path) -> str:
    """The path of a notebook, from the project's folder if it is in there."""
    path = notebook.resolve()
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def _default_workers() -> int:
    from dask.system import CPU_COUNT

    # trainings side by side on one GPU share its memory, and are no faster
    return 1 if torch.cuda.is_available() else max(1, CPU_COUNT // 2)


def _cluster(workers: int):
    """Processes on this machine that share its cores."""
    from dask.system import CPU_COUNT
    from distributed import LocalCluster, Security

    # Dask would leave each run one thread
    share = {n: str(max(1, CPU_COUNT // workers)) for n in _THREADS if n not in os.environ}
    # workers ignore a Ctrl-C in the terminal: this process stops them
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # nobody else on this machine or in its network may send it work: who can, runs any code
        closed = {"host": "127.0.0.1", "security": Security.temporary()}
        # the scheduler serves its state in any case: at a port of its own, without the dashboard
        closed |= {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
        count = {"n_workers": workers, "threads_per_worker": 1}
        return LocalCluster(**count, **closed, env=share, silence_logs=logging.ERROR)
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
                # a client of a wrong address would hang at the end
                get_address_host_port(scheduler)
            client = Client(cluster, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as problem:
            raise ValueError(
                f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler` and "
                "give the address that it prints, or leave out --scheduler"
            ) from problem
        stack.enter_context(client)
        if not client.ncores():
            tqdm.write("the scheduler has no worker yet: waiting for one", file=sys.stderr)
        yield client


def _results(client, jobs: Mapping[str, remote.Job], retries: int) -> Iterator:
    """Names and results, as they come. What still runs when the client closes is cancelled."""
    from distributed import as_completed

    futures = {client.submit(remote.work, o, retries, pure=False): n for n, o in jobs.items()}
    for future in as_completed(list(futures), loop=client.loop):
        name = futures.pop(future)
        try:
            result = future.result()
        except Exception as problem:  # of this run only: the others go on
            result = remote.failed(f"{type(problem).__name__}: {problem}")
        yield name, result


def _keep(file: Path, path: str, origin: dict, result: remote.Result) -> None:
    """Write a run's notebook, with what it was made from and what it measured."""
    if result["notebook"] is None:
        return
    notebook = nbformat.reads(result["notebook"], as_version=4)
    # its paths on the worker mean nothing to a reader
    notebook.metadata.papermill.update(input_path=path, output_path=file.name)
    about = {"origin": origin, "finished": result["error"] is None, "rows": result["rows"]}
    notebook.metadata["sweep"] = about | {"seconds": round(result["seconds"], 1)}
    with replacing(file) as temporary:
        nbformat.write(notebook, temporary)


def _written(file: Path) -> dict | None:
    """What an earlier run of a sweep wrote into its notebook."""
    try:
        found = json.loads(file.read_text("utf-8"))["metadata"]["sweep"]
        return found if found["origin"]["cells"] and found.keys() >= {"finished", "rows"} else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finished(file: Path, origin: dict) -> dict | None:
    """What an earlier run wrote, if it was made from the same and finished."""
    found = _written(file)
    # as text, since 1 and True and 1.0 are equal
    same = found and json.dumps(found["origin"], sort_keys=True) == json.dumps(
        origin, sort_keys=True
    )
    return found if same and found["finished"] else None


def _all_finished(folder: Path, cells: str) -> dict[str, dict]:
    """What all finished runs of the same cells wrote into a folder, those of other calls too."""
    found = {file.stem: _written(file) for file in sorted(folder.glob("*.ipynb"))}
    return {n: f for n, f in found.items() if f and f["finished"] and f["origin"]["cells"] == cells}


def _gather(found: Mapping[str, dict | None]) -> pd.DataFrame:
    """The rows of finished runs, with the run's name and the values it was given."""
    parts = []
    for name, run in found.items():
        for notebook, text in (run["rows"] if run else {}).items():
            part = results.read(StringIO(text))
            given = {n: v for n, v in run["origin"]["parameters"].items() if n not in part}
            about = {"run": name, "notebook": notebook, **given}
            for place, (column, value) in enumerate(about.items()):
                part.insert(place, column, value)
            parts.append(part)
    empty = pd.DataFrame(columns=["run", "notebook", *results.COLUMNS])
    return pd.concat(parts, ignore_index=True) if parts else empty


def runs_by_commit(sweep: Sweep) -> dict[str, int]:
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
    # every run counts as a seed of its own, also where the notebook ignores the seed
    seeds = rows["run"] + " " + rows["seed"].astype(str)
    rows = rows.assign(combination=rows["run"].map(but_seed), seed=seeds)
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
