"""How numbers become a verdict.

A claim has one or more *parts*. Each is a statement about an **effect**: a difference (or a ratio)
of what two systems score, taken seed by seed, so that what a seed does to both of them cancels.
Over seeds it has a mean ``d`` and a 95 % interval ``d ± h`` (Student's t,
:func:`paperlib.results.interval`). A number that is computed and not measured has ``h = 0``.

The part says where the effect is claimed to lie, and its **margin** ``m``, the smallest effect that
matters: about one hundredth of the paper's value, or the effect that is claimed where that is
smaller; and never less than what the paper prints.

*Direction*, ``below`` and ``above`` a number ``x``. Let ``e`` be how far the effect lies on the
claimed side, ``x - d`` or ``d - x``; its interval is ``[e - h, e + h]``.

1. ``opposite``: all of it is on the other side, and reaches beyond the margin there
   (``e + h < 0`` and ``e - h < -m``);
2. ``does not show``: no effect on the claimed side that matters is left (``e + h <= m``): within
   the margin around zero on both sides, or from there to the other side;
3. ``shows``: all of it is on the claimed side (``e - h > 0``);
4. ``not decided``: anything else.

*No worse*, ``not above`` and ``not below`` ``x``, with ``e`` likewise: ``shows`` where
``e - h >= -m``, ``opposite`` where ``e + h < -m``, else ``not decided``.

*Equality*, ``about`` ``x``, the margin being what still counts as equal: ``shows`` where all of the
interval lies within ``x ± m``, ``does not show`` where all of it lies outside on one side, else
``not decided``.

*Exact*, ``exactly`` ``x``: only for computed numbers. ``reproduced exactly`` within the margin,
else ``does not show``.

One seed has no interval, so that it decides nothing. A claim of several parts holds only if all of
them do: it has the worst verdict among them (:func:`combined`).

Not decided comes with the number of seeds that would decide, if mean and spread stayed as they are.
A size in millimetres is not tested: it belongs to the paper's data. A size in words ("about a
quarter", "half way") is.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from paperlib.results import seeds_needed

EXACT, SHOWS, NOT_SHOWN, OPPOSITE, UNDECIDED, CANNOT = VERDICTS = (
    "reproduced exactly",
    "shows",
    "does not show",
    "opposite",
    "not decided",
    "cannot be judged here",
)
OPEN = "open"  # no verdict: nobody has run it yet
DIRECTIONS = ("below", "above", "not below", "not above", "about", "exactly")

# a claim of several parts is as good as the worst
_WORST_FIRST = (CANNOT, OPPOSITE, NOT_SHOWN, UNDECIDED, SHOWS, EXACT)


@dataclass(frozen=True)
class Part:
    """One statement of a claim: that ``what`` is ``direction`` ``than``, to ``margin`` (in
    ``unit``). ``name`` tells the parts of one claim apart."""

    name: str
    what: str
    direction: str
    than: float
    unit: str
    margin: float

    def verdict(self, mean: float, half: float) -> str:
        """The verdict on an effect of ``mean ± half``, by the rule above; ``half`` is 0 for a
        computed number, NaN for a single seed."""
        if math.isnan(half):
            return UNDECIDED
        gap = mean - self.than
        if self.direction == "exactly":
            if half:
                raise ValueError(f"{self.what}: an effect with a spread is not exact")
            return EXACT if abs(gap) <= self.margin else NOT_SHOWN
        if self.direction == "about":
            equal, unequal = abs(gap) + half <= self.margin, abs(gap) - half > self.margin
            return SHOWS if equal else NOT_SHOWN if unequal else UNDECIDED
        low, high = self._claimed(gap) - half, self._claimed(gap) + half
        if self.direction.startswith("not "):
            return SHOWS if low >= -self.margin else OPPOSITE if high < -self.margin else UNDECIDED
        if high < 0 and low < -self.margin:
            return OPPOSITE
        return NOT_SHOWN if high <= self.margin else SHOWS if low > 0 else UNDECIDED

    def seeds(self, mean: float, spread: float) -> float:
        """How many seeds would decide, were the mean and the standard deviation between seeds to
        stay as they are; infinite where the mean lies on the very border of two verdicts."""
        gap = mean - self.than
        claimed = self._claimed(gap)
        if self.direction == "about":
            distance = abs(self.margin - abs(gap))
        elif self.direction.startswith("not "):
            distance = abs(claimed + self.margin)
        else:
            distance = max(abs(claimed), self.margin - claimed)
        return seeds_needed(distance, spread) if distance > 0 else math.inf

    def in_margins(self, value: float) -> float:
        """How far ``value`` lies from ``than`` on the claimed side, in margins: the scale on which
        effects of different units can be put side by side. Of an equality, which has no such side,
        on the side away from zero."""
        gap = value - self.than
        if self.direction in ("about", "exactly"):
            gap = gap if self.than >= 0 else -gap
        else:
            gap = self._claimed(gap)
        if not self.margin:  # to the last digit: any difference is too large
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / self.margin

    @property
    def asked(self) -> tuple[float, float]:
        """Between which of those an effect lies that is as claimed."""
        if self.direction in ("about", "exactly"):
            return -1.0, 1.0
        return (-1.0 if self.direction.startswith("not ") else 0.0), math.inf

    def _claimed(self, gap: float) -> float:
        """How far on the claimed side."""
        return gap if self.direction in ("above", "not below") else -gap


def combined(verdicts: Iterable[str]) -> str:
    """The verdict on a claim by those on its parts: the worst."""
    return min(verdicts, key=_WORST_FIRST.index)
