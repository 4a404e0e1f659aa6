"""Figures of the chain space and of adversarial training show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from paperlib import plotting


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_chain_spaces_have_a_scale_about_zero_each():
    matrices = {"one": np.diag([1.0, -3.0]), "two": np.zeros((2, 2))}
    figure = plotting.chain_spaces(matrices, ["thigh", "shin"], "m²")
    images = [ax.images[0] for ax in figure.axes if ax.images and ax.get_title()]
    assert [image.get_clim() for image in images] == [(-3.0, 3.0), (-1.0, 1.0)]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["thigh", "shin"]


def test_adversarial_curves_leave_out_what_is_zero():
    row = {"accuracy_real": 0.9, "accuracy_fake": 0.8, "pose": 0.1, "views": 0.0}
    row |= {"discriminator": 1.2, "gradient": 2.0, "discriminator_gradient": 0.3}
    history = [{"epoch": e, "adversarial": 0.01 * (e > 1), **row} for e in (1, 2, 3)]
    answers, losses, norms = plotting.adversarial_curves(history).axes
    assert [line.get_label() for line in losses.get_lines()] == [
        "pose",
        "generator",
        "discriminator",
    ]
    generator = losses.get_lines()[1].get_ydata()
    assert np.isnan(generator[0]) and generator[1:].tolist() == [0.01, 0.01]
    assert len(norms.get_lines()) == 2 and answers.get_ylim() == (0, 1.04)
