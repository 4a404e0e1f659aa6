"""The ledger of claims as a picture."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from paperlib.claims import OPEN, TITLES, VERDICTS
from paperlib.plotting.style import GRID, IDLE, INK, MUTED

# from what holds to what nobody has tried
_COLOURS = ("#1b4f8a", "#5b95d0", "#e9b872", "#d1495b", IDLE, MUTED, GRID)
_LIGHT_TEXT = ("reproduced exactly", "opposite", "shows", "cannot be judged here")


def verdict_counts(counts: pd.DataFrame) -> Figure:
    """A bar for each paper, of as many parts as there are verdicts on its claims. ``counts`` is as
    :func:`paperlib.claims.counts` gives it: papers by verdicts."""
    words = [*VERDICTS, OPEN]
    size = (8.4, 0.46 * len(counts) + 1.5)
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    left = pd.Series(0, index=counts.index)
    for word, colour in zip(words, _COLOURS, strict=True):
        ax.barh(range(len(counts)), counts[word], left=left, color=colour, label=word, height=0.68)
        ink = "white" if word in _LIGHT_TEXT else INK
        for place, (start, count) in enumerate(zip(left, counts[word], strict=True)):
            if count:
                look = {"ha": "center", "va": "center", "color": ink, "fontsize": 9}
                ax.text(start + count / 2, place, str(count), **look)
        left = left + counts[word]
    ax.set_yticks(range(len(counts)), [TITLES.get(paper, paper) for paper in counts.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="claims", xlim=(0, 1.03 * counts.to_numpy().sum(axis=1).max()))
    figure.legend(loc="outside upper left", ncols=4, fontsize=9, handlelength=1.2)
    return figure
