"""Measured numbers with where they came from, and the papers' own beside them.

One row is one measurement: data set, preset, system, parameters, seed, metric, value, and the
machine and state of the code that gave it. Rows that are kept lie in ``data/results/``; a reader's
own runs go to ``out/results/``, so that trying something never changes the record.
"""

import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
import torch

from paperlib import datasets
from paperlib.errors import one_of
from paperlib.paths import OUT, ROOT, locked, replacing
from paperlib.words import in_words

if TYPE_CHECKING:
    import pandas as pd

# the project's own record; or, where PAPERLIB_RECORD says "own", one of the reader's in its place
_OWN = os.environ.get("PAPERLIB_RECORD") == "own"
RESULTS = OUT / "results" if _OWN else ROOT / "data" / "results"
FIGURES = OUT / "figures" if _OWN else ROOT / "figures"
PAPERS = ROOT / "data" / "papers"

# together these identify a measurement; a new row of the same replaces the old one
IDENTITY = tuple("dataset detector preset system receptive_field seed metric action".split())
COLUMNS = (*IDENTITY, "value", "unit", "seconds", "device", "torch", "commit")
_NUMBERS = ("receptive_field", "seed", "value", "seconds")

_OVER = {
    False: "an interval is over seeds, not over clips",
    True: "an interval is over seeds; half that over clips (bootstrap over takes) stands apart",
}
# of the preset smoke, wherever its numbers stand
UNTRAINED = "only to show that it runs: its models are all but untrained"
STATUS = ("reproduced", "within tolerance", "deviates", "not run (licence)", "not run (compute)")


def status(
    ours: float,
    paper: float,
    dataset: str,
    preset: str,
    printed: float = 0.05,
    tolerance: float = 1.0,
) -> str:
    """How a number of ours compares with the paper's, in the paper's unit.

    It does only on the paper's data and with its hyperparameters: ``reproduced`` to half the last
    printed digit, ``within tolerance``, or ``deviates``.
    """
    if dataset not in datasets.LICENSED:
        return STATUS[3]
    if preset != "paper":
        return STATUS[4]
    gap = abs(ours - paper)
    return STATUS[0] if gap <= printed else STATUS[1] if gap <= tolerance else STATUS[2]


@dataclass(frozen=True)
class Protocol:
    """How numbers were measured; printed below each table."""

    data: str
    detector: str
    keypoint_error: float  # pixels
    joints: int
    fps: float
    receptive_field: int
    test_flip: bool
    seeds: tuple[int, ...]
    preset: str
    device: str
    training: str
    averaging: str = "frames pooled within an action, actions averaged alike"
    excluded: str = "nothing"
    clips: bool = False  # whether the table has intervals over clips

    def but(self, **changes) -> "Protocol":
        return replace(self, **changes)

    def __str__(self) -> str:
        flips = "averaged over the mirrored input" if self.test_flip else "no test-time flip"
        seeds = "seed " if len(self.seeds) == 1 else "seeds "
        known = self.keypoint_error == self.keypoint_error
        error = f"{self.keypoint_error:.1f} px mean error" if known else "its error is not known"
        hardly = f"; {UNTRAINED}" if self.preset == "smoke" else ""
        return in_words(
            f"{self.data} 2D: {self.detector}, {error}. "
            f"{self.joints} joints at {self.fps:g} Hz, root-relative; temporal models see "
            f"{self.receptive_field} frames; {flips}; {self.averaging}; excluded: {self.excluded}. "
            f"Preset {self.preset} ({self.training}) on {self.device}, "
            f"{seeds}{', '.join(map(str, self.seeds))}; {_OVER[self.clips]}{hardly}."
        )


def keeping() -> bool:
    """Whether rows, verdicts and figures go on record: into the project's own with
    ``PAPERLIB_RECORD=1``, and with ``own`` into another in ``PAPERLIB_OUT``, which then stands in
    the place of the project's (:mod:`paperlib.running.claims`)."""
    return os.environ.get("PAPERLIB_RECORD") in ("1", "own")


@cache
def commit() -> str:
    """The state of the code: a short commit, with ``+`` where files had changed since. A reader's
    copies among the notebooks change nothing."""
    try:
        run = {"cwd": ROOT, "capture_output": True, "text": True, "check": True, "timeout": 10}
        head = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], **run).stdout.strip()
        status = ["git", "status", "--porcelain", "paperlib", "notebooks/*.py"]
        lines = subprocess.run(status, **run).stdout.splitlines()
        changed = [line for line in lines if not line.startswith("?? notebooks/")]
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return head + ("+" if changed else "")


def machine(device: str) -> str:
    """A device as rows have it: the GPU's name, or the number of CPU threads and their kind."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}"


def record(notebook: str, rows: Iterable[dict], keep: bool | None = None) -> Path:
    """Add rows to a notebook's results; a row of the same identity is replaced. Gives the file."""
    import pandas as pd

    keep = keeping() if keep is None else keep
    path = (RESULTS if keep else OUT / "results") / file_name(notebook)
    new = pd.DataFrame(list(rows))
    unknown, missing = set(new) - set(COLUMNS), {*IDENTITY, "value", "unit"} - set(new)
    if unknown or missing:
        raise ValueError(f"a result has columns {COLUMNS}; unknown {unknown}, missing {missing}")
    new["torch"], new["commit"] = torch.__version__.split("+")[0], commit()
    new = new.reindex(columns=COLUMNS)
    with locked(path):  # a sweep's runs write to one file
        if path.is_file():
            new = pd.concat([read(path), new], ignore_index=True)
        new = new.drop_duplicates(list(IDENTITY), keep="last").sort_values(list(IDENTITY))
        with replacing(path) as temporary:
            new.to_csv(temporary, index=False, float_format="%.5g")
    return path


def file_name(notebook: str) -> str:
    """Under which name the rows of a notebook are kept."""
    return f"{notebook.replace('/', '_')}.csv"


def read(file: Path | TextIO) -> "pd.DataFrame":
    """Rows as :func:`record` wrote them; an empty text is one, and "NA" too."""
    import pandas as pd

    unknown = {column: [""] for column in _NUMBERS}
    kinds = {"commit": str, "torch": str}
    return pd.read_csv(file, dtype=kinds, keep_default_na=False, na_values=unknown)


def trainings(rows: "pd.DataFrame") -> "pd.DataFrame":
    """A row for each training that ``rows`` came of: a run whose answers several systems share has
    one time, and two runs never have the same."""
    return rows[rows["seconds"] > 0].drop_duplicates(["seed", "seconds"])


def recorded(notebook: str) -> "pd.DataFrame":
    """All rows kept for a notebook; empty where there are none."""
    import pandas as pd

    path = RESULTS / file_name(notebook)
    return read(path) if path.is_file() else pd.DataFrame(columns=list(COLUMNS))


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % confidence interval (Student's t); of a single
    value the width is NaN."""
    from scipy.special import stdtrit

    values = np.asarray(list(values), dtype=float)
    if len(values) < 2:
        return float(values.mean()), float("nan")
    spread = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(stdtrit(len(values) - 1, 0.975) * spread)


def seeds_needed(effect: float, spread: float) -> int:
    """How many seeds it takes for the 95 % interval of a mean to be as narrow as ± ``effect``,
    where ``spread`` is the standard deviation between seeds; at least 2."""
    from scipy.special import stdtrit

    if not (effect > 0 and 0 <= spread < np.inf):
        raise ValueError(f"expected an effect above 0 and a finite spread, {effect=} {spread=}")
    count = 2
    while stdtrit(count - 1, 0.975) * spread / np.sqrt(count) > effect:
        count += max(1, count // 50)  # to within 2 %
    return count


def shown(mean: float, half: float, decimals: int = 1) -> str:
    """``"46.8 ± 0.3"``, or ``"46.8"`` where the spread is not known."""
    return f"{mean:.{decimals}f}" + ("" if np.isnan(half) else f" ± {half:.{decimals}f}")


def over_seeds(rows: "pd.DataFrame", columns: str = "metric", decimals: int = 1) -> "pd.DataFrame":
    """Rows of several seeds as a table of systems by ``columns``, each cell ``mean ± interval``
    with as many ``decimals``.

    Within a cell rows must differ in nothing but the seed."""
    if rows.duplicated(["system", columns, "seed"]).any():
        fixed = [c for c in IDENTITY if c not in ("system", columns, "seed")]
        mixed = [c for c in fixed if rows[c].nunique() > 1]
        raise ValueError(f"rows differ in more than the seed, in {', '.join(mixed)}: select first")
    cells = rows.groupby(["system", columns], sort=False)["value"].apply(
        lambda v: shown(*interval(v), decimals)
    )
    return cells.unstack(columns)[list(dict.fromkeys(rows[columns]))]


def select(rows: "pd.DataFrame", **conditions) -> "pd.DataFrame":
    """The rows that meet all conditions, as ``select(rows, dataset="cmu", action="average")``."""
    for column, wanted in conditions.items():
        one_of("column", column, COLUMNS)
        rows = rows[rows[column] == wanted]
    return rows


def paper_table(name: str) -> "pd.DataFrame":
    """A table as printed in its paper: ``paper_table("pavllo2019_table1a")``."""
    import pandas as pd

    names = sorted(p.stem for p in PAPERS.glob("*_table*.csv"))
    return pd.read_csv(PAPERS / f"{one_of('table', name, names)}.csv")
