"""Several people: their ways behind one another, and who stands where."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.plotting.style import GRID, INK, MUTED, colour_of, dashes_of, marker_of

# people are told apart by colour; the first four are those of a video
PEOPLE = ("#2867b2", "#d27800", "#3ca569", "#4b1e69", "#e12d3c", "#5a5a5a")
_AXES = ("to the right", "down", "away from the camera")


def gaps(score: np.ndarray) -> list[tuple[int, int]]:
    """Where the detector found nobody: the runs of frames whose score ``(T,)`` is 0, each from its
    first frame up to the one after its last."""
    lost = np.asarray(score) == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]])))
    return [(start, stop) for start, stop in edges.reshape(-1, 2).tolist()]


def shade_gaps(ax: Axes, score: np.ndarray, seconds: np.ndarray) -> None:
    """Grey where the detector found nobody (a score of 0)."""
    step = seconds[1] - seconds[0] if len(seconds) > 1 else 1.0
    for start, stop in gaps(score):
        ax.axvspan(seconds[start] - step / 2, seconds[stop - 1] + step / 2, color=GRID, lw=0)


def occluded_path(
    paths: Mapping[str, np.ndarray],
    score: np.ndarray,
    frames: slice,
    fps: float,
    joint: int = 0,
    axes: Sequence[int] = (0, 2),
) -> Figure:
    """Where one joint is over time, a panel for each of ``axes`` of camera space.

    ``paths`` maps names to ``(T, J, 3)`` metres; one may be ``"truth"``. ``score`` ``(T,)`` is the
    detector's; bands mark where it is 0. Each panel shows what lies near the truth: an answer that
    leaves it by metres leaves the panel.
    """
    figure, panels = plt.subplots(
        len(axes), 1, figsize=(8, 2.3 * len(axes)), sharex=True, squeeze=False
    )
    seconds = np.arange(frames.start, frames.stop) / fps
    for ax, axis in zip(panels[:, 0], axes, strict=True):
        shade_gaps(ax, np.asarray(score)[frames], seconds)
        for name, path in paths.items():
            values = np.asarray(path)[frames, joint, axis]
            dark = name == "truth"
            look = {"lw": 2.6, "alpha": 0.5, "zorder": 2} if dark else {"lw": 1.4, "zorder": 3}
            ax.plot(seconds, values, color=colour_of(name), ls=dashes_of(name), label=name, **look)
        shown = [paths["truth"]] if "truth" in paths else paths.values()
        near = np.concatenate([np.asarray(path)[frames, joint, axis] for path in shown])
        room = max(0.4, 0.6 * np.ptp(near))
        ax.set_ylim(near.min() - room, near.max() + room)
        ax.set_ylabel(f"{_AXES[axis]}, m")
    panels[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    panels[-1, 0].set_xlabel("seconds; grey: not found by the detector")
    return figure


def floor_plan(trajectories: np.ndarray, names: Sequence[str], frame: int = 0) -> Figure:
    """From above: the ways of people ``(P, T, 3)`` in camera space, the camera below, and where
    each is in ``frame``."""
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    for person, (way, name) in enumerate(zip(np.asarray(trajectories), names, strict=True)):
        colour = PEOPLE[person % len(PEOPLE)]
        ax.plot(way[:, 0], way[:, 2], color=colour, lw=1.2, alpha=0.7)
        ax.plot(way[frame, 0], way[frame, 2], "o", ms=9, color=colour, label=name, mec="white")
    reach = np.asarray(trajectories)[..., 2].max() + 0.3
    half = 0.42 * reach  # about what the picture shows
    ax.plot([-half, 0, half], [reach, 0, reach], color=MUTED, lw=0.9, ls="--")
    ax.plot(0, 0, "^", ms=9, color=INK)
    ax.annotate("camera", (0, 0), (9, 0), textcoords="offset points", va="center")
    ax.set(xlabel="to the right, m", ylabel="away from the camera, m", aspect="equal")
    ax.set_ylim(-0.5, reach + 0.2)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def energy_curves(
    histories: Mapping[str, tuple[Sequence[float], Sequence[float]]], best: float
) -> Figure:
    """How far above the ``best`` known energy each solver is, against seconds; both logarithmic.
    Below a millionth all is the same.

    ``histories`` maps a solver to its seconds and energies, one for each iteration.
    """
    figure, ax = plt.subplots(figsize=(6.4, 3.4))
    for solver, (seconds, energies) in histories.items():
        above = np.maximum(np.asarray(energies) - best, 1e-6 * best)
        look = {"color": colour_of(solver), "ls": dashes_of(solver), "label": solver}
        look |= {"marker": marker_of(solver), "ms": 5} if len(energies) < 20 else {}
        ax.plot(seconds, above / best, **look)
    ax.set(xscale="log", yscale="log", xlabel="seconds", ylabel="energy above the lowest, relative")
    ax.legend()
    return figure
