"""The claims as the papers make them, each with the test that it stands or falls by.

They lie in ``data/papers/claims.csv``. The test is a sentence, or several with a semicolon between
them, of this form (the name is left out where there is one only)::

    name: what is measured is below 0 mm, to 0.5

where *below* may be *above*, *not below*, *not above*, *about* or *exactly*, and the last number is
the margin (:mod:`paperlib.claims.rule`).

The papers' own effects, as far as they print the numbers for them, lie in
``data/papers/effects.csv``: for a part of a claim, in the unit of its test.
"""

import csv
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from paperlib.claims.rule import DIRECTIONS, Part
from paperlib.errors import one_of
from paperlib.paths import shown
from paperlib.results import PAPERS

CLAIMS = PAPERS / "claims.csv"
EFFECTS = PAPERS / "effects.csv"
IN_SHORT = PAPERS / "claims_in_short.csv"
#: in the order of the pages
TITLES = {
    "pavllo2019": "Pavllo et al. 2019",
    "veges2020": "Véges & Lőrincz 2020",
    "wang2020": "Wang et al. 2020",
    "cheng2020": "Cheng et al. 2020",
    "kato2020": "Kato et al. 2020",
}
_NUMBER = r"\d+(?:\.\d+)?"
_PART = re.compile(
    rf"(?:(?P<name>[^:]+): )?(?P<what>.+) is (?P<direction>{'|'.join(DIRECTIONS)}) "
    rf"(?P<than>-?{_NUMBER})(?: (?P<unit>[^\s,]+))?, to (?P<margin>{_NUMBER})"
)


@dataclass(frozen=True)
class Claim:
    """A claim: where in which paper, in words, what number the paper has for it, and its parts."""

    id: str
    paper: str
    where: str
    tier: str
    text: str
    paper_value: str
    test: str
    parts: tuple[Part, ...]


def parse(test: str) -> tuple[Part, ...]:
    """The parts of a test. ``ValueError`` for what is none."""
    parts = []
    for sentence in test.split(";"):
        found = _PART.fullmatch(sentence.strip())
        if not found or (float(found["margin"]) == 0 and found["direction"] != "exactly"):
            raise ValueError(
                f"{sentence.strip()!r} is no test: expected 'what is measured is below 0 mm, to "
                f"0.5', with one of {', '.join(DIRECTIONS)} and a margin above 0"
            )
        given = {key: found[key] or "" for key in ("name", "what", "direction", "unit")}
        parts.append(Part(**given, than=float(found["than"]), margin=float(found["margin"])))
    names = [part.name for part in parts]
    if len(parts) > 1 and ("" in names or len(set(names)) < len(names)):
        raise ValueError(f"each part of a test needs a name of its own, got {names}")
    return tuple(parts)


@cache
def known(path: Path = CLAIMS) -> dict[str, Claim]:
    """All claims by their ids. ``ValueError`` for one that has no test or is there twice."""
    claims: dict[str, Claim] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            where = f"{shown(path)}, claim {row['id']!r}"
            if row["id"] in claims:
                raise ValueError(f"{where} is there twice")
            one_of(f"paper in {where}", row["paper"], TITLES)
            if not re.fullmatch(rf"{row['paper']}-c\d\d", row["id"]):
                raise ValueError(f"{where}: expected an id like '{row['paper']}-c01'")
            if not row["test"].strip():
                raise ValueError(f"{where} has no test: nothing could show or refute it")
            try:
                parts = parse(row["test"])
            except ValueError as problem:
                raise ValueError(f"{where}: {problem}") from None
            same = {key: row[key] for key in ("id", "paper", "where", "tier", "paper_value")}
            claims[row["id"]] = Claim(**same, text=row["claim"], test=row["test"], parts=parts)
    return claims


@cache
def printed(path: Path = EFFECTS) -> dict[tuple[str, str], float]:
    """The papers' own effects, by a claim's id and the name of the part: what they print for one
    system minus (against) what they print for the other, on their own data. ``ValueError`` for a
    part that no test has, or that is there twice."""
    effects: dict[tuple[str, str], float] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name, part = row["claim"], row["part"]
            one_of(f"part of {name} in {shown(path)}", part, [p.name for p in claim(name).parts])
            if (name, part) in effects:
                raise ValueError(f"{shown(path)}: the effect of {name} {part!r} is there twice")
            effects[name, part] = float(row["effect"])
    return effects


@cache
def in_short() -> dict[str, str]:
    """Each claim by its id, in a few words that fit beside a picture."""
    with IN_SHORT.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["in_short"] for row in csv.DictReader(file)}


def claim(name: str) -> Claim:
    """A claim by its id, as ``"pavllo2019-c01"``. ``ValueError`` with near ids for another."""
    claims = known()
    if name not in claims:
        near = get_close_matches(str(name), claims, n=3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"there is no claim {name!r} in {shown(CLAIMS)}{hint}")
    return claims[name]
