"""All measured effects of the papers' claims in one picture."""

from collections.abc import Mapping
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from paperlib.claims import TITLES, Claim, Verdict, in_short, printed
from paperlib.claims.rule import NOT_SHOWN, OPPOSITE, SHOWS, UNDECIDED
from paperlib.claims.verdicts import Effect
from paperlib.plotting.style import INK, MUTED

# colour and marker: they can be told apart in grey, too
_LOOKS = {
    SHOWS: {"color": "#2867b2", "marker": "o"},
    NOT_SHOWN: {"color": "#d27800", "marker": "s"},
    OPPOSITE: {"color": "#e12d3c", "marker": "X"},
    UNDECIDED: {"color": MUTED, "marker": "o", "markerfacecolor": "white"},
}
_PAPER = {"marker": "|", "ms": 6, "mew": 1.3, "color": INK, "lw": 0}
_TITLE = {"fontsize": 9, "fontweight": "bold", "va": "bottom", "ha": "right"}
_ASKED = "#e6eff8"
_PART, _LEAST, _HEAD, _EDGES = 0.085, 0.17, 0.26, 1.0  # inches: a part, a claim, a title, the rest


class _Row(NamedTuple):
    """A claim with what was measured for its parts; without, the title of a paper."""

    label: str
    effects: tuple[Effect, ...] = ()
    undecided: bool = False  # the claim, whatever its parts say
    papers: tuple[float | None, ...] = ()

    @property
    def height(self) -> float:
        return max(_LEAST, _PART * (len(self.effects) + 0.6)) if self.effects else _HEAD

    @property
    def span(self) -> list[float]:
        """What it reaches to, in margins."""
        found = []
        for effect, paper in zip(self.effects, self.papers, strict=True):
            half = np.nan_to_num(effect.half)
            values = [
                effect.mean - half,
                effect.mean + half,
                effect.mean if paper is None else paper,
            ]
            found += [effect.part.in_margins(value) for value in values]
        return found


def claim_effects(lines: Mapping[str, Verdict | Claim]) -> Figure:
    """Every measured effect of the ledger (:func:`paperlib.claims.recorded`) with its 95 %
    interval, in margins of its own test: a claim has a line for each of its parts. Shaded is where
    an effect ought to lie, and the claimed side is to the right; a stroke is the paper's own
    effect, on its own data.

    Effects that were computed have no interval and are left out. ``ValueError`` where nothing was
    measured.
    """
    rows = _rows(lines)
    if not rows:
        raise ValueError("no claim has an effect that was measured: there is nothing to draw")
    columns = _columns(rows)
    height = max(sum(row.height for row in column) for column in columns)
    size = (9.6, height + _EDGES)
    figure, axes = plt.subplots(1, 2, figsize=size, layout="constrained")
    reach = max(abs(x) for row in rows for x in row.span)
    for ax, column in zip(axes, columns, strict=True):
        _draw(ax, column, height, reach)
    figure.legend(handles=_handles(), loc="outside upper left", ncols=6, fontsize=8.5)
    label = "effect, in margins of the claim's own test; what is claimed lies to the right"
    figure.supxlabel(label, fontsize=9)
    return figure


def _rows(lines: Mapping[str, Verdict | Claim]) -> list[_Row]:
    rows, papers, names = [], printed(), in_short()
    for paper, title in TITLES.items():
        own = []
        for name, line in lines.items():
            if isinstance(line, Claim) or line.claim.paper != paper:
                continue
            effects = tuple(effect for effect in line.effects if effect.seeds)
            if effects:
                theirs = tuple(papers.get((name, effect.part.name)) for effect in effects)
                label = f"{names[name]}  {name.removeprefix(paper + '-')}"
                own.append(_Row(label, effects, bool(line.but), theirs))
        rows += [_Row(title), *own] if own else []
    return rows


def _columns(rows: list[_Row]) -> tuple[list[_Row], list[_Row]]:
    """Two columns of about the same height; a paper that is split has its title in both."""
    ends = np.cumsum([row.height for row in rows])
    cut = int(np.abs(ends - ends[-1] / 2).argmin()) + 1
    cut -= not rows[cut - 1].effects  # no title without what follows
    left, right = rows[:cut], rows[cut:]
    if right and right[0].effects:
        right.insert(0, next(row for row in reversed(left) if not row.effects))
    return left, right


def _draw(ax: Axes, rows: list[_Row], height: float, reach: float) -> None:
    ax.set_xscale("symlog", linthresh=1, linscale=0.8)
    ax.set(xlim=(-1.4 * reach, 1.4 * reach), ylim=(height, 0))
    top, places = 0.0, {}
    for row in rows:
        if not row.effects:
            beside = ax.get_yaxis_transform()
            ax.text(-0.01, top + 0.85 * _HEAD, row.label, **_TITLE, transform=beside)
        else:
            _draw_claim(ax, row, top)
            places[top + row.height / 2] = row.label
        top += row.height
    ax.axvline(0, color=INK, lw=0.8, zorder=1)
    ticks = sorted({0, *(s * 10**n for n in range(int(np.log10(reach)) + 1) for s in (-1, 1))})
    names = [f"{tick}".replace("-", "−").replace("000", "k") for tick in ticks]
    ax.set_xticks(ticks, names, fontsize=8)
    ax.xaxis.set_minor_locator(plt.NullLocator())
    ax.set_yticks(list(places), list(places.values()), fontsize=8)
    ax.tick_params(axis="both", length=0)
    ax.grid(axis="y", visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)


def _draw_claim(ax: Axes, row: _Row, top: float) -> None:
    """A line for each part, in the middle of the claim's height."""
    count, gap = len(row.effects), 0.012
    step = (row.height - 2 * gap) / count
    for number, (effect, paper) in enumerate(zip(row.effects, row.papers, strict=True)):
        part, start = effect.part, top + gap + number * step
        y, look = start + step / 2, _LOOKS[UNDECIDED if row.undecided else effect.verdict]
        low, high = part.asked
        right = min(high, ax.get_xlim()[1])
        ax.fill_betweenx([start, start + step], low, right, color=_ASKED, lw=0, zorder=0.5)
        ends = [part.in_margins(effect.mean + side * effect.half) for side in (-1, 1)]
        ax.plot(ends, [y, y], color=look["color"], lw=1.5, zorder=3, solid_capstyle="butt")
        ax.plot(part.in_margins(effect.mean), y, **look, ms=4, mew=0.9, lw=0, zorder=4)
        if paper is not None:
            ax.plot(part.in_margins(paper), y, **_PAPER, zorder=3.5)


def _handles() -> list[Line2D | Patch]:
    words = [Line2D([], [], lw=1.5, ms=4.5, **look, label=word) for word, look in _LOOKS.items()]
    paper = Line2D([], [], **_PAPER, label="the paper's own effect")
    return [*words, paper, Patch(color=_ASKED, label="as claimed")]
