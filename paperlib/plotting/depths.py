"""Errors of depths, and volumes of heatmaps, as pictures (kato2020)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from paperlib.plotting.style import INK, colour_of, dashes_of, marker_of


def depth_errors(errors: Mapping[str, np.ndarray], limit: float = 400.0) -> Figure:
    """How often depths are how far off: ``errors`` are named signed errors in millimetres, of any
    shape. Those beyond ``limit`` are counted in the outer bins; the number beside a name is the
    standard deviation."""
    figure, ax = plt.subplots(figsize=(6.4, 3.0))
    edges = np.linspace(-limit, limit, 81)
    for name, values in errors.items():
        values = np.ravel(values)
        shown = np.clip(values, -limit, limit)
        weights = np.full(len(values), 100 / len(values))
        label = f"{name}: σ = {values.std():.0f} mm"
        look = {"histtype": "step", "lw": 1.6, "color": colour_of(name), "ls": dashes_of(name)}
        ax.hist(shown, edges, weights=weights, label=label, **look)
    ax.axvline(0, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="estimated minus true depth from the root, mm", ylabel="% of joints")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def error_per_joint(
    errors: Mapping[str, Sequence[float]], joints: Sequence[str], label: str
) -> Figure:
    """A dot for each joint and each of ``errors`` by name; ``label`` says what a number is."""
    figure, ax = plt.subplots(figsize=(6.4, 0.28 * len(joints) + 0.9))
    for name, values in errors.items():
        look = {"marker": marker_of(name), "color": colour_of(name), "label": name}
        ax.plot(values, range(len(joints)), ls="none", ms=6, **look)
    ax.set_yticks(range(len(joints)), [joint.replace("_", " ") for joint in joints])
    ax.invert_yaxis()
    ax.set(xlabel=label, xlim=(0, None))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def marginals(
    image: np.ndarray, shares: Sequence[np.ndarray], found: Sequence[float], true: Sequence[float]
) -> Figure:
    """An image ``(H, W, 3)`` of a person with one joint in it as it was ``found`` (cross) and as it
    is (circle), and its marginals over columns, rows and depths, with the expected value and the
    truth of each. Coordinates are shares, from -1/2 to 1/2."""
    figure, axes = plt.subplots(1, 4, figsize=(10, 2.6))
    axes[0].imshow(image, extent=(-0.5, 0.5, 0.5, -0.5))
    axes[0].plot(true[0], true[1], "o", ms=7, mfc="none", mec="white", mew=1.5)
    axes[0].plot(found[0], found[1], "x", ms=6, color="white", mew=2)
    axes[0].set(xticks=[], yticks=[], title="image")
    axes[0].grid(visible=False)
    names = ("x, columns", "y, rows", "depth")
    for ax, name, share, mean, truth in zip(axes[1:], names, shares, found, true, strict=True):
        at = (np.arange(len(share)) + 0.5) / len(share) - 0.5
        ax.bar(at, share, 0.9 / len(share), color=colour_of("plain, guesses"))
        ax.axvline(mean, color=colour_of("temporal"), lw=1.6, label="expected value")
        ax.axvline(truth, color=INK, lw=1.6, ls=":", label="truth")
        ax.set(xlabel=name, xlim=(-0.5, 0.5))
    axes[1].set_ylabel("share")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure
