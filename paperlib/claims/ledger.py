"""Where verdicts are kept: ``data/results/claims.csv``, a row for each part of a claim."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paperlib import results
from paperlib.claims.facts import TITLES, Claim, known
from paperlib.claims.rule import OPEN, VERDICTS
from paperlib.claims.verdicts import Verdict
from paperlib.paths import locked, replacing, shown

COLUMNS = ("claim", "verdict", "why", "part", "effect", "half", "unit", "seeds", "of the part")
COLUMNS += ("needed", "notebook", "dataset", "detector", "preset", "commit")
_NUMBERS = ("effect", "half", "needed")


def path() -> Path:
    return results.RESULTS / "claims.csv"


def record(verdict: Verdict) -> None:
    """Keep a verdict; an earlier one of the same notebook on the same claim is replaced.

    ``ValueError`` where another notebook has given one: a claim is judged in one place."""
    name = verdict.claim.id
    with locked(path()):
        rows = _read()
        others = set(rows.loc[rows["claim"] == name, "notebook"]) - {verdict.notebook}
        if others:
            raise ValueError(
                f"claim {name} is judged by the notebook {', '.join(others)}, and now by "
                f"{verdict.notebook} as well: a claim has one verdict. Drop it from one of the "
                f"two; if from the first, also its rows in {shown(path())}"
            )
        new = pd.DataFrame(verdict.rows()).reindex(columns=list(COLUMNS))
        kept = rows[rows["claim"] != name]
        rows = pd.concat([kept, new], ignore_index=True) if len(kept) else new
        rows = rows.sort_values("claim", kind="stable")  # parts stay in their order
        with replacing(path()) as temporary:
            rows.to_csv(temporary, index=False)


def _read(file: Path | None = None) -> pd.DataFrame:
    file = file or path()
    if not file.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column in _NUMBERS:
        rows[column] = pd.to_numeric(rows[column])
    return rows


def recorded(file: Path | None = None) -> dict[str, Verdict | Claim]:
    """The whole ledger, paper by paper: each claim's id, with its verdict on record or, where there
    is none, the claim itself. ``file`` is that of another record than the project's."""
    claims, rows, where = known(), _read(file), shown(file or path())
    unknown = set(rows["claim"]) - set(claims)
    if unknown:
        raise ValueError(f"{where} has verdicts on unknown claims: {', '.join(unknown)}")
    if (rows.groupby("claim")["notebook"].nunique() > 1).any():
        raise ValueError(f"{where} has verdicts of several notebooks on one claim")
    found = {
        name: Verdict.of_rows(claims[name], r.to_dict("records"))
        for name, r in rows.groupby("claim")
    }
    order = list(TITLES)
    ids = sorted(claims, key=lambda name: (order.index(claims[name].paper), name))
    return {name: found.get(name, claims[name]) for name in ids}


def counts(lines: Mapping[str, Verdict | Claim]) -> pd.DataFrame:
    """How many claims of each paper (rows) have which verdict (columns); the last are open."""
    words = [
        (c.paper, OPEN) if isinstance(c, Claim) else (c.claim.paper, c.word) for c in lines.values()
    ]
    table = pd.DataFrame(words, columns=["paper", "verdict"]).value_counts().unstack(fill_value=0)
    return table.reindex(index=list(TITLES), columns=[*VERDICTS, OPEN], fill_value=0)
