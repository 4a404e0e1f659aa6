"""What it takes to judge a claim anew: which notebook, on which data, with which seeds, and how
long the trainings took that are on record."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from paperlib import results
from paperlib.claims.facts import Claim
from paperlib.claims.verdicts import Verdict
from paperlib.words import in_words


@dataclass(frozen=True)
class Need:
    """A ``notebook`` to run once for each of the ``detectors`` and ``seeds`` (what is computed or
    timed has neither, and no preset). ``seconds`` is what its trainings took when they went on
    record, all of them together, on ``machine``; NaN where none was. Detection and evaluation are
    not in it."""

    notebook: str
    dataset: str
    preset: str
    detectors: tuple[str, ...]
    seeds: tuple[int, ...]
    seconds: float
    machine: str

    @property
    def per_seed(self) -> float:
        return self.seconds / len(self.seeds) if self.seeds else self.seconds

    def __str__(self) -> str:
        if not self.preset:
            reads = "reads what `make benchmarks` timed" if self.dataset else "computes it"
            return f"the notebook {self.notebook}, which {reads}"
        on = f"{self.dataset} data, {', '.join(self.detectors)}, preset {self.preset}"
        if not self.seeds:
            return f"the notebook {self.notebook} on {on}"
        seeds = f"seed{'s' * (len(self.seeds) > 1)} {', '.join(map(str, self.seeds))}"
        known = math.isfinite(self.seconds)
        minutes = f"{self.seconds / 60:.0f} minutes of training on {self.machine}"
        time = minutes if known else "how long that took is not on record"
        return f"the notebook {self.notebook} on {on}, {seeds}: {time}"

    def of(self, rows: pd.DataFrame) -> pd.Series:
        """Which rows of the notebook's results the claim was judged by, whatever their seed."""
        same = (rows["dataset"] == self.dataset) & (rows["preset"] == self.preset)
        return same & rows["detector"].isin(self.detectors)


def need(verdict: Verdict) -> Need | None:
    """What the verdict on record stands on; None where nothing was measured or computed for it."""
    if verdict.impossible or not verdict.effects:
        return None
    found = Need(
        verdict.notebook,
        verdict.dataset,
        verdict.preset,
        tuple(verdict.detector.split(", ")) if verdict.detector else (),
        verdict.seeds,
        math.nan,
        "",
    )
    rows = results.recorded(verdict.notebook)
    rows = rows[found.of(rows) & rows["seed"].isin(found.seeds)]
    runs = results.trainings(rows)
    if runs.empty:
        return found
    machine = ", ".join(sorted({in_words(device) for device in runs["device"] if device}))
    return replace(found, seconds=float(runs["seconds"].sum()), machine=machine)


def costs(lines: Mapping[str, Verdict | Claim]) -> pd.DataFrame:
    """A row for each notebook that claims were judged by: which claims, on which data, with how
    many seeds, and the minutes of training on record, of one seed and of all. The cheapest stand
    first; those whose numbers were computed, or whose training is not on record, have no minutes.
    """
    groups: dict[Need, list[str]] = {}
    for name, line in lines.items():
        what = need(line) if isinstance(line, Verdict) else None
        if what:
            groups.setdefault(what, []).append(name)
    rows = [
        {
            "notebook": what.notebook,
            "claims": _together(names),
            "data": in_words(what.dataset),
            "seeds": len(what.seeds),
            "minutes a seed": what.per_seed / 60,
            "minutes": what.seconds / 60,
            "machine": what.machine,
        }
        for what, names in groups.items()
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return table.sort_values("minutes", na_position="first", kind="stable", ignore_index=True)


_COLUMNS = ["notebook", "claims", "data", "seeds", "minutes a seed", "minutes", "machine"]


def _together(names: list[str]) -> str:
    """``pavllo2019-c01, c02``: the ids of claims of one paper."""
    paper = names[0].split("-")[0]
    return f"{paper}-" + ", ".join(name.removeprefix(f"{paper}-") for name in names)
