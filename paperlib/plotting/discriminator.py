"""Kinematic chain spaces as pictures, and how a generator and its discriminator learn."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from paperlib.plotting.style import INK


def chain_spaces(matrices: Mapping[str, np.ndarray], bones: Sequence[str], label: str) -> Figure:
    """Matrices ``(M, M)`` of ``bones`` side by side, each with a scale of its own: blue below 0,
    red above. ``label`` says what a number is."""
    figure, axes = plt.subplots(
        1, len(matrices), figsize=(4.6 * len(matrices), 4.4), squeeze=False, sharey=True
    )
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        most = float(np.abs(matrix).max()) or 1.0
        image = ax.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most)
        ax.set_xticks(range(len(bones)), bones, rotation=90, fontsize=8)
        ax.set_yticks(range(len(bones)), bones, fontsize=8)
        ax.set_title(title)
        ax.grid(visible=False)
        figure.colorbar(image, ax=ax, shrink=0.8, label=label)
    return figure


def adversarial_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """By epoch, of a run of :class:`~paperlib.training.Adversarial`: the discriminator's share of
    right answers (half is chance), the losses, and the norms of the gradients."""
    epochs = [row["epoch"] for row in history]
    panels = {
        "right answers of the discriminator": {
            "accuracy_real": "about true sequences",
            "accuracy_fake": "about made ones",
        },
        "losses, weighted": {
            "pose": "pose",
            "views": "two views",
            "adversarial": "generator",
            "discriminator": "discriminator",
        },
        "norms of the gradients": {
            "gradient": "generator",
            "discriminator_gradient": "discriminator",
        },
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 3.5))
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for term, name in lines.items():
            values = np.array([row.get(term, 0.0) for row in history])
            if values.any():
                # what is 0, as before the warm-up, has no place on a logarithmic scale
                ax.plot(epochs, np.where(values > 0, values, np.nan), "o-", ms=3, label=name)
        ax.set(title=title, xlabel="epoch")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize=9)
    axes[0].set_ylim(0, 1.04)
    axes[0].axhline(0.5, color=INK, lw=0.8, ls=":")
    for ax in axes[1:]:
        ax.set_yscale("log")
    return figure
