"""Semi-supervised training in pictures: its scheme, its losses, and what labels are worth."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from paperlib.cameras import project
from paperlib.cards import SIDES
from paperlib.plotting.poses import bones, draw_keypoints, name_sides
from paperlib.plotting.style import GRID, INK, MUTED, colour_of
from paperlib.recordings import Recording
from paperlib.results import interval


def back_projection() -> Figure:
    """Semi-supervised training at a glance (the idea of pavllo2019's figure 3)."""
    figure, ax = plt.subplots(figsize=(8.6, 3.4))
    ax.set(xlim=(0, 10), ylim=(0.1, 3.9))
    ax.set_axis_off()
    nodes = {  # place, half the width, text
        "keypoints": (1.0, 2.0, 0.85, "2D keypoints,\nall frames", MUTED),
        "pose": (3.3, 2.9, 0.62, "pose\nnetwork", colour_of("semi-supervised")),
        "trajectory": (3.3, 1.1, 0.62, "trajectory\nnetwork", colour_of("temporal, causal")),
        "body": (5.45, 2.0, 0.75, "body in\ncamera space", INK),
        "camera": (7.5, 2.0, 0.72, "camera and\nits lens", MUTED),
        "image": (9.35, 2.0, 0.52, "2D\nagain", MUTED),
    }
    for x, y, half, text, colour in nodes.values():
        look = {"boxstyle": "round,pad=0,rounding_size=0.12", "fc": "white", "ec": colour}
        ax.add_patch(FancyBboxPatch((x - half, y - 0.36), 2 * half, 0.72, lw=1.6, **look))
        ax.text(x, y, text, ha="center", va="center")
    ways = "keypoints-pose keypoints-trajectory pose-body trajectory-body body-camera camera-image"
    for start, end in (way.split("-") for way in ways.split()):
        (x, y, half, *_), (to_x, to_y, to_half, *_) = nodes[start], nodes[end]
        look = {"arrowstyle": "-|>", "color": INK, "lw": 1.2}
        places = (to_x - to_half - 0.05, to_y), (x + half + 0.05, y)
        ax.annotate("", *places, arrowprops=look)
    for x, y, text in (
        (3.3, 3.62, "labelled: MPJPE"),
        (3.3, 0.38, "labelled: error / depth"),
        (5.45, 3.05, "bone lengths,\nunlabelled = labelled\non average"),
        (8.6, 0.95, "unlabelled: must fall on\nthe keypoints again"),
    ):
        ax.text(x, y, text, ha="center", va="center", color=SIDES["right"], style="italic")
    return figure


def loss_terms(history: Sequence[Mapping], warm_up: int) -> Figure:
    """Each term of the loss by epoch, in a panel with its unit; grey while warming up."""
    terms = {
        "train_mpjpe": ("pose, labelled", "mm", 1000),
        "trajectory": ("trajectory, labelled", "mm per m of depth", 1000),
        "projection": ("projection, unlabelled", "% of half the image", 100),
        "bones": ("mean bone lengths", "mm", 1000),
    }
    figure, axes = plt.subplots(1, 4, figsize=(10.5, 2.5))
    epochs = [row["epoch"] for row in history]
    for ax, (term, (title, unit, factor)) in zip(axes, terms.items(), strict=True):
        begin = warm_up if term in ("projection", "bones") else 0
        values = [factor * row[term] for row in history]
        ax.plot(epochs[begin:], values[begin:], color=colour_of("semi-supervised"))
        ax.axvspan(0, warm_up, color=GRID, lw=0)
        ax.set(title=title, ylabel=unit, xlabel="epoch", yscale="log", xlim=(0, None))
        ax.title.set_fontsize(9.5)
        for axis in (ax.yaxis.set_major_formatter, ax.yaxis.set_minor_formatter):
            axis(plt.FuncFormatter(lambda v, _: f"{v:g}" if f"{v:.0e}"[0] in "125" else ""))
    return figure


def reprojections(recording: Recording, positions: Tensor, frames: Sequence[int]) -> Figure:
    """Lifted bodies ``(T, J, 3)``, metres in camera space, projected by the recording's camera over
    the keypoints they were lifted from, which are grey."""
    frames = list(frames)
    seen = project(positions, recording.camera).numpy()
    keypoints = recording.keypoints.numpy()
    figure, axes = plt.subplots(1, len(frames), figsize=(2.0 * len(frames), 2.6))
    half = 0.58 * np.ptp(keypoints[frames], axis=1).max()
    name_sides(figure, Line2D([], [], color=MUTED, lw=5, alpha=0.55, label="keypoints"))
    for ax, frame in zip(axes, frames, strict=True):
        grey = {"colour": MUTED, "lw": 5, "alpha": 0.55}
        ax.add_collection(bones(keypoints[frame], recording.keypoint_skeleton, **grey))
        draw_keypoints(ax, seen[frame], recording.skeleton)
        u, v = (keypoints[frame].min(axis=0) + keypoints[frame].max(axis=0)) / 2
        ax.set(xlim=(u - half, u + half), ylim=(v + half, v - half))
        ax.set_title(f"{frame / recording.fps:.1f} s", loc="center", fontweight="normal")
    return figure


def label_curves(panels: Mapping[str, pd.DataFrame], subsets: Sequence[str]) -> Figure:
    """Error against how much is labelled, a panel for each title, a line for each method
    (pavllo2019, figure 5). A table has a row for each seed and columns ``(method, subset)``;
    whiskers are 95 % intervals."""
    shares = [2.4 + 0.4 * table.columns.get_level_values(1).nunique() for table in panels.values()]
    figure, axes = plt.subplots(1, len(panels), figsize=(sum(shares), 3.8), width_ratios=shares)
    methods = list(dict.fromkeys(name for table in panels.values() for name, _ in table))
    for ax, (title, table) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for shift, method in enumerate(methods):
            there = [s for s in subsets if (method, s) in table]
            if not there:
                continue
            found = np.array([interval(table[method, s]) for s in there])
            places = [subsets.index(s) + 0.06 * (shift - len(methods) / 2) for s in there]
            look = {"fmt": "x--" if "no bone" in method else "o-", "color": colour_of(method)}
            ax.errorbar(places, *found.T, ms=5, capsize=3, lw=1.4, label=method, **look)
        crowded = {"rotation": 35, "ha": "right"} if len(subsets) > 6 else {}
        ax.set_xticks(range(len(subsets)), subsets, **crowded)
        ax.set(title=title, xlabel="labelled")
        ax.margins(x=0.12)
    handles = max((ax.get_legend_handles_labels() for ax in figure.axes), key=lambda h: len(h[1]))
    figure.legend(*handles, loc="outside lower center", ncols=len(methods), handlelength=3)
    return figure
