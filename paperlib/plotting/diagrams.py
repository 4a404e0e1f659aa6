"""Diagrams drawn from the running code: what each layer of a temporal model looks at."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.models import TemporalModel
from paperlib.plotting.style import IDLE, INK, MUTED, colour_of


def layer_taps(model: TemporalModel) -> list[list[int]]:
    """For each layer, from the input up: which frames it reads, relative to its own."""
    wide = (model.expand, *(block.wide for block in model.blocks))
    return [[layer.dilation * (t - layer.tap) for t in range(layer.width)] for layer in wide]


def needed_frames(model: TemporalModel) -> list[set[int]]:
    """For the input and each layer, the frames that the output of frame 0 depends on."""
    levels = [{0}]
    for offsets in reversed(layer_taps(model)):
        levels.insert(0, {frame + offset for frame in levels[0] for offset in offsets})
    return levels


def _tree(ax: Axes, model: TemporalModel, colour: str, all_frames: bool) -> None:
    """Layers as rows of dots; lines run to the frames that the one output reads."""
    levels, taps = needed_frames(model), layer_taps(model)
    first, last = min(levels[0]), max(levels[0])
    for level, used in enumerate(levels):
        if level:
            first, last = first - taps[level - 1][0], last - taps[level - 1][-1]
            for frame in used:
                for offset in taps[level - 1]:
                    ends = ([frame + offset, frame], [level - 1, level])
                    ax.plot(*ends, color=colour, lw=0.7, alpha=0.55)
        if all_frames:
            ax.scatter(range(first, last + 1), [level] * (last - first + 1), s=14, color=IDLE)
        ax.scatter(sorted(used), [level] * len(used), s=18, color=colour, zorder=3)
    ax.scatter([0], [len(levels) - 1], s=70, color=INK, zorder=4)
    ax.set_yticks(range(len(levels)), ["2D input", *[f"layer {i}" for i in range(1, len(levels))]])
    ax.grid(False)
    ax.margins(y=0.15)


def receptive_fields(models: dict[str, TemporalModel]) -> Figure:
    """Which input frames reach one output (the dark dot), for each model, on one time axis."""
    figure, axes = plt.subplots(
        len(models), 1, figsize=(8.5, 1.9 * len(models)), sharex=True, squeeze=False
    )
    for ax, (name, model) in zip(axes[:, 0], models.items(), strict=True):
        _tree(ax, model, colour_of(name), all_frames=False)
        ax.set_title(f"{name}: {model.receptive_field} frames")
        ax.axvline(0, color=MUTED, lw=0.8, ls=":", zorder=0)
    axes[-1, 0].set_xlabel("frame, relative to the one whose pose comes out")
    return figure


def schedules(model: TemporalModel) -> Figure:
    """The two schedules for one pose: what each computes (grey) of what the pose needs (colour)."""
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.7), sharey=True)
    for ax, name in zip(axes, ("dilated", "strided"), strict=True):
        _tree(ax, model, colour_of("temporal"), all_frames=name == "dilated")
        ax.set_title(f"{name} schedule")
        ax.set_xlabel("frame")
    return figure


def streaming(model: TemporalModel) -> Figure:
    """What a causal model computes (colour) when a new frame comes: run on its whole receptive
    field, and as a stream, which has the earlier columns of every layer still in memory (grey)."""
    if not model.causal:
        raise ValueError("only a causal model has a pose of its newest frame: give one")
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 2.9), sharex=True, sharey=True)
    colour, taps = colour_of("temporal, causal"), layer_taps(model)
    _tree(axes[0], model, colour, all_frames=False)
    top = len(taps)
    axes[1].scatter([0] * (top + 1), range(top + 1), s=18, color=colour, zorder=3)
    for level, offsets in enumerate(taps):
        kept = range(offsets[0], 0)
        axes[1].scatter(kept, [level] * len(kept), s=14, color=IDLE)
        for offset in offsets:
            axes[1].plot([offset, 0], [level, level + 1], color=colour, lw=0.7, alpha=0.55)
    axes[1].scatter([0], [top], s=70, color=INK, zorder=4)
    axes[1].grid(False)
    again = sum(map(len, needed_frames(model)[1:]))
    for ax, name, count in zip(axes, ("recomputed", "streamed"), (again, top), strict=True):
        ax.set_title(f"{name}: {count} columns a frame")
        ax.set_xlabel("frame, relative to the newest")
    return figure
