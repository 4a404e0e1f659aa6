"""Numbers as pictures: errors of systems, errors over time, training curves."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import GRID, INK, MUTED, colour_of, dashes_of, marker_of
from paperlib.results import interval


def error_bars(rows: pd.DataFrame, metrics: Mapping[str, str], title: str = "") -> Figure:
    """A bar for each system, a panel for each metric; whiskers are 95 % intervals over seeds and
    dots single seeds. ``rows`` are results, ``metrics`` maps their names to axis labels."""
    systems = list(dict.fromkeys(rows["system"]))
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.4 * len(metrics), 3.1), squeeze=False)
    for ax, (metric, label) in zip(axes[0], metrics.items(), strict=True):
        for place, system in enumerate(systems):
            values = rows[(rows["system"] == system) & (rows["metric"] == metric)]["value"]
            mean, half = interval(values)
            ax.barh(place, mean, color=colour_of(system), height=0.66)
            if not np.isnan(half):
                ax.errorbar(mean, place, xerr=half, color=INK, capsize=3, lw=1)
                ax.plot(values, [place] * len(values), "o", ms=3, color="white", mec=INK, mew=0.6)
            reach = 0 if np.isnan(half) else half
            look = {"va": "center", "textcoords": "offset points"}
            ax.annotate(f"{mean:.1f}", (mean + reach, place), (5, 0), **look)
        ax.set_yticks(range(len(systems)), systems if ax is axes[0][0] else [""] * len(systems))
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.margins(x=0.14)
        ax.set_xlabel(label)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return figure


def per_action(table: pd.DataFrame, label: str) -> Figure:
    """A dot for each system in each action. ``table`` has systems as rows, actions as columns."""
    figure, ax = plt.subplots(figsize=(7.6, 0.36 * table.shape[1] + 1.1))
    actions = list(table.columns)
    for row, action in enumerate(actions):
        ax.plot([table[action].min(), table[action].max()], [row, row], color=MUTED, lw=1, zorder=1)
    for system in table.index:
        look = {"s": 42, "color": colour_of(system), "label": system, "zorder": 2}
        look["marker"] = marker_of(system)
        ax.scatter(table.loc[system], range(len(actions)), **look)
    ax.set_yticks(range(len(actions)), [a.replace("_", " ") for a in actions])
    ax.invert_yaxis()
    ax.set_xlabel(label)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def by_view(panels: Mapping[str, pd.DataFrame], label: str, unsure: float) -> Figure:
    """Each view's error of each system as a numbered dot, and their mean as a stroke. ``panels``
    are by title; their tables have systems as rows and views as columns. Shaded is how ``unsure``
    the truth is, in the unit of the errors: no difference as small as that is decided."""
    systems = list(dict.fromkeys(s for table in panels.values() for s in table.index))
    views = list(dict.fromkeys(v for table in panels.values() for v in table.columns))
    size = (4.2 * len(panels) + 1.6, 0.42 * len(systems) + 1.4)
    figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, sharex=True)
    for ax, (title, table) in zip(axes[0], panels.items(), strict=True):
        ax.axvspan(0, unsure, color=GRID, zorder=0)
        for place, system in enumerate(systems):
            if system in table.index:
                _views_of(ax, place, table.loc[system].reindex(views), colour_of(system))
        ax.set(title=title, xlabel=label, ylim=(len(systems) - 0.4, -0.6))
        ax.set_yticks(range(len(systems)), systems if ax is axes[0][0] else [""] * len(systems))
        ax.grid(axis="y", visible=False)
    axes[0][0].set_xlim(0, None)
    numbers = ", ".join(f"{n}: {view}" for n, view in enumerate(views, start=1))
    keys = [
        plt.Line2D([], [], marker="o", color=MUTED, lw=0, label=f"a view ({numbers})"),
        plt.Line2D([], [], marker="|", ms=13, mew=2, color=INK, lw=0, label="mean of views"),
        plt.Rectangle((0, 0), 1, 1, color=GRID, label="how unsure the truth is"),
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=len(keys), handletextpad=0.4)
    return figure


def _views_of(ax: Axes, place: int, values: pd.Series, colour: str) -> None:
    """A system's row: by size its views' numbers in turn above and below the line, so that two
    which are close can be read."""
    ax.plot([values.min(), values.max()], [place] * 2, color=MUTED, lw=0.8, zorder=1)
    ax.plot(values.mean(), place, "|", ms=15, mew=2, color=INK, zorder=2)
    ax.plot(values, [place] * len(values), "o", ms=5, color=colour, zorder=3)
    numbered = zip(values, range(1, len(values) + 1), strict=True)
    for rank, (value, number) in enumerate(sorted(n for n in numbered if np.isfinite(n[0]))):
        above = rank % 2 == 0
        look = {"xytext": (0, 5 if above else -5), "textcoords": "offset points", "fontsize": 8}
        look |= {"ha": "center", "va": "bottom" if above else "top"}
        ax.annotate(str(number), (value, place), **look)


def joint_path(
    poses: Mapping[str, np.ndarray],
    joint: int,
    axis: int,
    fps: float,
    label: str,
    delays: Mapping[str, int] | None = None,
) -> Figure:
    """One coordinate of one joint over time, in centimetres, and below it its error in speed.

    ``poses`` maps names to ``(T, J, 3)`` metres; one of them is ``"truth"``. With ``delays``, in
    frames, each pose is drawn when it comes, and its error is still that of its own frame.
    """
    delays = delays or {}
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, height_ratios=(3, 2))
    seconds = np.arange(len(poses["truth"])) / fps
    true_step = np.diff(np.asarray(poses["truth"])[:, joint], axis=0)
    for name, pose in poses.items():
        pose, dark = np.asarray(pose)[:, joint], name == "truth"
        look = {"lw": 2.4, "alpha": 0.55, "zorder": 1} if dark else {"lw": 1.3, "zorder": 2}
        look["ls"] = dashes_of(name)
        when = seconds + delays.get(name, 0) / fps
        above.plot(when, 100 * pose[:, axis], color=colour_of(name), label=name, **look)
        if not dark:
            error = 1000 * np.linalg.norm(np.diff(pose, axis=0) - true_step, axis=-1)
            below.plot(when[1:], error, color=colour_of(name), lw=1.1, ls=dashes_of(name))
    above.set_ylabel(label)
    above.legend(loc="upper left", bbox_to_anchor=(1, 1))
    below.set(xlabel="seconds", ylabel="velocity error\nmm per frame", ylim=(0, None))
    return figure


def training_curves(histories: Mapping[str, Sequence[Mapping]]) -> Figure:
    """Training error by epoch for each system; the scale is logarithmic."""
    figure, ax = plt.subplots(figsize=(5.6, 3.2))
    for system, history in histories.items():
        epochs = [row["epoch"] for row in history]
        errors = [1000 * row["train_mpjpe"] for row in history]
        look = {"color": colour_of(system), "ls": dashes_of(system), "marker": marker_of(system)}
        ax.plot(epochs, errors, ms=3, label=system, **look)
    ax.set(xlabel="epoch", ylabel="training MPJPE, mm", yscale="log")
    low, high = ax.get_ylim()
    named = (50, 200) if high > 3 * low else range(10, 1000, 10)  # of few numbers each is needed
    ax.yaxis.set_major_formatter(plt.FuncFormatter(lambda v, _: f"{v:g}"))
    ax.yaxis.set_minor_formatter(plt.FuncFormatter(lambda v, _: f"{v:g}" if v in named else ""))
    ax.xaxis.get_major_locator().set_params(integer=True)  # there is no half epoch
    ax.legend()
    return figure


def error_curves(
    panels: Mapping[tuple[str, str], pd.DataFrame], styles: Mapping[str, str] | None = None
) -> Figure:
    """Errors of systems against something that grows: a panel for each pair of labels of its axes,
    in a grid of their rows (y) and columns (x). Each has systems as columns, and what grows as
    index; lines pass over NaN. ``styles`` are the lines of some of the systems."""
    across, down = (list(dict.fromkeys(pair[i] for pair in panels)) for i in (0, 1))
    size = (4.1 * len(across) + 2.6, 3.3 * len(down))
    figure, axes = plt.subplots(len(down), len(across), figsize=size, squeeze=False, sharey="row")
    for (x, y), table in panels.items():
        row, column = down.index(y), across.index(x)
        ax = axes[row][column]
        for system in table:
            look = {"color": colour_of(system), "ls": (styles or {}).get(system, "-")}
            known = table[system].dropna()
            ax.plot(known.index, known, marker=marker_of(system), ms=4, label=system, **look)
        ax.set(xlabel=x, ylim=(0, None))
        if column == 0:
            ax.set_ylabel(y)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right center", handlelength=3.2)
    return figure
