"""Measurements of speed as pictures."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from paperlib.plotting.style import INK, MUTED, colour_of

_COLOURS = {"float32": colour_of("single frame"), "bfloat16": colour_of("temporal")}


def ratios(training: pd.DataFrame, inference: pd.DataFrame) -> Figure:
    """How many times as fast as the plain version, by receptive field and precision."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.9), sharey=True)
    for ax, rows, title in zip(
        axes, (training, inference), ("a training step", "a whole sequence"), strict=True
    ):
        fields = sorted(set(rows["receptive_field"]))
        for shift, (precision, colour) in zip((-0.19, 0.19), _COLOURS.items(), strict=True):
            own = rows[rows["precision"] == precision].set_index("receptive_field")["ratio"]
            places = [i + shift for i in range(len(fields))]
            bars = ax.bar(places, own.loc[fields], 0.36, color=colour, label=precision)
            box = {"fc": "white", "ec": "none", "pad": 0.6}
            ax.bar_label(bars, fmt="%.1f", fontsize=9, padding=2, zorder=4, bbox=box)
        ax.axhline(1, color=INK, lw=1, ls="--", zorder=3)
        ax.set_xticks(range(len(fields)), fields)
        ax.grid(axis="x", visible=False)
        ax.set(title=title, xlabel="receptive field, frames")
    axes[0].set_ylabel("times as fast as\nthe plain version")
    axes[0].margins(y=0.12)
    axes[1].legend(loc="upper right")
    return figure


def growth(rows: pd.DataFrame) -> Figure:
    """Time against the size of the work, a panel for each series, with its exponent."""
    series = list(dict.fromkeys(zip(rows["grows"], rows["what"], strict=True)))
    across = min(len(series), 4)
    down = -(-len(series) // across)
    figure, grid = plt.subplots(
        down, across, figsize=(2.6 * across, 2.7 * down), squeeze=False, layout="constrained"
    )
    for ax in grid.flat[len(series) :]:
        ax.set_axis_off()
    for ax, (grows, what) in zip(grid.flat, series, strict=False):
        own = rows[(rows["grows"] == grows) & (rows["what"] == what)]
        ax.plot(own["size"], own["ms"], "o-", ms=3.5, color=colour_of("temporal"))
        half = own.iloc[len(own) // 2 :]
        exponent = own["exponent"].iloc[0]
        middle = half["size"].median()
        line = half["ms"].median() * (own["size"] / middle) ** exponent
        ax.plot(own["size"], line, color=MUTED, lw=1, ls="--", zorder=1)
        ax.set(xscale="log", yscale="log", xlabel=grows)
        ax.set_title(what.replace(", ", ",\n"), fontsize=9.5)
        ax.minorticks_off()
        ax.annotate(f"exponent {exponent:.2f}", (0.05, 0.92), xycoords="axes fraction", fontsize=9)
    for ax in grid[:, 0]:
        ax.set_ylabel("ms")
    return figure
