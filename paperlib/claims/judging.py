"""Judging a claim: effects in, verdict out, and into the ledger where a notebook is published."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from paperlib import results
from paperlib.claims import ledger
from paperlib.claims.facts import claim
from paperlib.claims.verdicts import Effect, Verdict

Effects = Mapping[str, pd.Series | float] | pd.Series | float


def judge(
    name: str, effects: Effects, notebook: str, about: Mapping[str, str], but: str = ""
) -> Verdict:
    """The verdict on a claim, by its own test.

    ``effects`` has, for each part of the test by its name, a value for each seed (a series with the
    seeds as index, as differences of :func:`by_seed`'s columns are) or one number that was computed
    and not measured; a test of one part takes it alone. ``about`` says on which ``dataset``, with
    which ``detector`` and ``preset`` (and ``commit``, if not the present one). ``but`` says why
    these effects, whatever they are, do not decide the claim.

    It goes on record where results do (:func:`paperlib.results.keeping`), unless it was measured
    with the smoke preset, which decides nothing.
    """
    found = claim(name)
    given = effects if isinstance(effects, Mapping) else {found.parts[0].name: effects}
    names = [part.name for part in found.parts]
    if set(given) != set(names):
        raise ValueError(
            f"the test of {name} has the parts {names}, and effects are given for {list(given)}"
        )
    measured = tuple(Effect.of(part, given[part.name]) for part in found.parts)
    verdict = Verdict(found, notebook, measured, but, **{"commit": results.commit(), **about})
    if verdict.exact:  # neither data nor preset play a part
        return _kept(replace(verdict, dataset="", detector="", preset=""))
    if verdict.preset == "smoke":
        verdict = replace(verdict, but=f"preset smoke, {results.UNTRAINED}")
    return _kept(verdict)


def cannot(name: str, notebook: str, why: str) -> Verdict:
    """That a claim cannot be judged here, and why: what it takes that is not here."""
    if not why.strip():
        raise ValueError(f"{name}: say why there is nothing to judge it by")
    return _kept(Verdict(claim(name), notebook, but=why, impossible=True))


def _kept(verdict: Verdict) -> Verdict:
    if results.keeping() and verdict.preset != "smoke":
        ledger.record(verdict)
    return verdict


def by_seed(rows: pd.DataFrame, metric: str, columns: str = "system", **conditions) -> pd.DataFrame:
    """Rows of results as a table of seeds by systems (or other ``columns``), so that the difference
    of two columns is paired by seed.

    ``ValueError`` where rows of one cell differ in more than that."""
    rows = results.select(rows, metric=metric, **conditions)
    if rows.empty:
        raise ValueError(f"there are no rows with {dict(metric=metric, **conditions)}")
    if rows.duplicated(["seed", columns]).any():
        mixed = [
            c for c in results.IDENTITY if c not in ("seed", columns) and rows[c].nunique() > 1
        ]
        raise ValueError(f"rows differ in more than the seed, in {', '.join(mixed)}: select first")
    return rows.pivot(index="seed", columns=columns, values="value")


class Rows:
    """A notebook's rows on record that meet ``conditions``, to judge its claims by: the notebook
    that measured them is the one that has judged."""

    def __init__(self, notebook: str, **conditions):
        self.notebook = notebook
        self.rows = results.select(results.recorded(notebook), **conditions)
        if self.rows.empty:
            raise ValueError(f"no rows of {notebook} are on record with {conditions}")

    def by_seed(self, metric: str, columns: str = "system", **conditions) -> pd.DataFrame:
        """As :func:`by_seed`; of the average over actions, if no action is named."""
        return by_seed(self.rows, metric, columns, **{"action": "average", **conditions})

    def judge(self, name: str, effects: Effects, but: str = "") -> Verdict:
        """As :func:`judge`, with the rows' own origin."""
        about = {
            column: ", ".join(sorted(self.rows[column].astype(str).unique()))
            for column in ("dataset", "detector", "preset", "commit")
        }
        return judge(name, effects, self.notebook, about, but)
