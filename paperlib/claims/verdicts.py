"""A verdict with the effects that it follows from."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paperlib import results
from paperlib.claims.facts import Claim
from paperlib.claims.rule import CANNOT, EXACT, OPEN, UNDECIDED, Part, combined
from paperlib.errors import one_of
from paperlib.words import in_words

MOST_SEEDS = 1000  # more are not worth counting
#: what effects are repeated over: a timing has rounds, and what depends on no seed has takes
OVER = ("seed", "round", "take")
PROVENANCE = ("notebook", "dataset", "detector", "preset", "commit")


@dataclass(frozen=True)
class Effect:
    """What was measured for one part: ``mean ± half`` over ``seeds``; a computed number has none,
    and ``half`` 0. ``needed`` seeds would decide where it is not decided, else NaN. What was not
    trained is repeated over something else, and ``over`` says what (:data:`OVER`)."""

    part: Part
    mean: float
    half: float
    seeds: tuple[int, ...] = ()
    needed: float = math.nan
    over: str = "seed"

    @classmethod
    def of(cls, part: Part, values: pd.Series | float) -> "Effect":
        """From a value for each seed (a series indexed by them), or one number that was computed
        and not measured. The index's name says what it is over, if not seeds."""
        if not isinstance(values, pd.Series):
            if not math.isfinite(values):
                raise ValueError(f"{part.what}: expected a finite number, got {values}")
            return cls(part, float(values), 0.0)
        over = one_of("unit", values.index.name or "seed", OVER)
        if values.index.has_duplicates or not len(values):
            raise ValueError(
                f"{part.what}: expected one value for each {over}, got {over}s {list(values.index)}"
            )
        if not np.isfinite(values).all():
            missing = values.index[~np.isfinite(values)].tolist()
            raise ValueError(
                f"{part.what}: no value for {over}s {missing}: systems are paired by {over}, so "
                "measure both with the same ones"
            )
        mean, half = results.interval(values)
        seeds = sorted(values.index) if over == "seed" else range(len(values))
        seeds, needed = tuple(map(int, seeds)), math.nan
        if part.verdict(mean, half) == UNDECIDED:
            needed = part.seeds(mean, values.std()) if len(values) > 1 else 2
        mean, half = (float(f"{number:.6g}") for number in (mean, half))  # as it is kept
        return cls(part, mean, half, seeds, needed, over)

    @property
    def repeated(self) -> str:
        """Over what, as it is kept: the seeds themselves, or how many of something else."""
        if self.over == "seed":
            return " ".join(map(str, self.seeds))
        return _counted(len(self.seeds), self.over)

    @staticmethod
    def of_repeated(text: str) -> tuple[tuple[int, ...], str]:
        """The seeds, and what they are of, from what :attr:`repeated` says."""
        count, _, unit = text.partition(" ")
        if unit.isalpha():
            return tuple(range(int(count))), unit.removesuffix("s")
        return tuple(map(int, text.split())), "seed"

    @property
    def verdict(self) -> str:
        return self.part.verdict(self.mean, self.half)

    def __str__(self) -> str:
        name = f"{self.part.name}: " if self.part.name else ""
        if not self.seeds:
            return f"{name}{self.mean:,.10g} {self.part.unit}".strip()
        # as fine as the margin asks for; shares are small numbers
        decimals = max(1, -math.floor(math.log10(self.part.margin))) + (not self.part.unit)
        return f"{name}{results.shown(self.mean, self.half, decimals)} {self.part.unit}".strip()


@dataclass(frozen=True)
class Verdict:
    """A claim, what was measured for it, by which notebook and on what; ``but`` says why numbers,
    if there are any, decide nothing (``impossible``: could not here, whatever they were)."""

    claim: Claim
    notebook: str
    effects: tuple[Effect, ...] = ()
    but: str = ""
    impossible: bool = False
    dataset: str = ""
    detector: str = ""
    preset: str = ""
    commit: str = ""

    @property
    def word(self) -> str:
        """One of :data:`paperlib.claims.VERDICTS`."""
        if self.impossible:
            return CANNOT
        return UNDECIDED if self.but else combined(effect.verdict for effect in self.effects)

    @property
    def exact(self) -> bool:
        """Whether everything was computed, so that no data and no preset plays a part."""
        return bool(self.effects) and not any(effect.seeds for effect in self.effects)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that it was measured with; none where something else was repeated."""
        every = {seed for effect in self.effects for seed in effect.seeds if effect.over == "seed"}
        return tuple(sorted(every))

    @property
    def over(self) -> str:
        """What was repeated: ``seed``, ``round`` or ``take``."""
        return next((effect.over for effect in self.effects), "seed")

    @property
    def why(self) -> str:
        """Why it is not decided; empty where it is."""
        if self.but or self.word != UNDECIDED:
            return self.but
        needed = np.nanmax([effect.needed for effect in self.effects])
        if needed > MOST_SEEDS:
            return f"more than {MOST_SEEDS:,} {self.over}s would decide"
        return f"about {needed:.0f} {self.over}s would decide"

    @property
    def measured(self) -> str:
        """The effects; of a claim with several parts each with its own verdict."""
        if len(self.effects) < 2 or self.word == EXACT:
            return "; ".join(map(str, self.effects))
        return "; ".join(f"{effect} ({effect.verdict})" for effect in self.effects)

    def rows(self) -> list[dict]:
        """As they are kept: a row for each part, or one where nothing was measured."""
        own = {name: getattr(self, name) for name in PROVENANCE}
        own |= {"claim": self.claim.id, "verdict": self.word, "why": self.but}
        return [
            own
            | {"part": e.part.name, "effect": e.mean, "half": e.half, "unit": e.part.unit}
            | {"of the part": e.verdict, "needed": e.needed, "seeds": e.repeated}
            for e in self.effects
        ] or [own]

    @classmethod
    def of_rows(cls, claim: Claim, rows: Iterable[dict]) -> "Verdict":
        """From rows of :meth:`rows`. The verdict is found anew from the numbers in them."""
        first, *_ = rows = list(rows)
        parts = {part.name: part for part in claim.parts}
        measured = [row for row in rows if not math.isnan(row["effect"])]
        if measured and [row["part"] for row in measured] != list(parts):
            raise ValueError(
                f"the test of {claim.id} has other parts than when {first['notebook']} was executed"
                ": execute it again"
            )
        effects = []
        for row in measured:
            seeds, over = Effect.of_repeated(row["seeds"])
            numbers = row["effect"], row["half"], seeds, row["needed"]
            effects.append(Effect(parts[row["part"]], *numbers, over))
        about = {name: first[name] for name in PROVENANCE}
        impossible = first["verdict"] == CANNOT
        return cls(claim, effects=tuple(effects), but=first["why"], impossible=impossible, **about)

    @property
    def origin(self) -> str:
        """On what it was measured, in words; nothing for a computed number."""
        if self.exact or not self.effects:
            return ""
        count = min(len(effect.seeds) for effect in self.effects)
        parts = [self.dataset, self.detector, self.preset, _counted(count, self.over)]
        return in_words(", ".join(filter(None, parts)))

    def __str__(self) -> str:
        parts = [f"{self.word}: {self.why}" if self.why else self.word, self.measured, self.origin]
        return "; ".join(part for part in parts if part)

    def _repr_markdown_(self) -> str:
        return table([self])


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'s' * (count != 1)}"


def table(lines: Iterable[Verdict | Claim], folder: str | None = None) -> str:
    """Verdicts as a Markdown table; a claim without one stands there as open. ``folder`` is where
    the notebooks lie, seen from the page, if they are to be linked."""
    heads = ["claim", "what it says, and *its test*", "the paper", "here", "verdict", "judged in"]
    heads = heads if folder is not None else heads[:-1]
    rows = [heads, ["---"] * len(heads)]
    for line in lines:
        open_one = isinstance(line, Claim)
        claim = line if open_one else line.claim
        cells = [claim.id, f"{claim.text}<br>*{claim.test}*", claim.paper_value]
        if open_one:
            cells += ["", OPEN, ""]
        else:
            word = f"**{line.word}**" + (f": {line.why}" if line.why else "")
            notebook = f"[{line.notebook}]({folder}{line.notebook}.ipynb)"
            origin = f"<br>*{line.origin}*" if line.origin else ""
            cells += [line.measured + origin, word, notebook]
        rows.append(cells[: len(heads)])
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
