"""The demos react to their sliders."""

import numpy as np
import pytest

from paperlib import datasets
from paperlib.plotting.poses import upright
from paperlib.refinement import Settings, refine
from paperlib.widgets import pose_player, smoothing_demo


@pytest.fixture(scope="module")
def recording():
    return datasets.load("synthetic", subjects="S6", families="waving", seconds=0.5).test[0]


def slider_of(player):
    return player.children[1].children[1]


def test_the_slider_moves_the_body(recording):
    player = pose_player(recording)
    slider_of(player).value = 20
    trace = player.children[0].data[0]
    drawn = np.stack([trace.x, trace.y, trace.z], axis=-1).reshape(-1, 3, 3)
    parent, child = recording.skeleton.bones[3]
    expected = upright(recording.pose.numpy()[20][[parent, child]])
    np.testing.assert_allclose(drawn[3, :2], expected, atol=1e-6)
    assert np.isnan(drawn[:, 2]).all()


def test_every_system_is_a_body_of_its_own(recording):
    player = pose_player(recording, {"temporal": recording.pose.numpy() + 0.1})
    assert [trace.name for trace in player.children[0].data] == ["truth", "temporal"]
    assert slider_of(player).max == len(recording) - 1


def test_poses_of_another_length_are_refused(recording):
    with pytest.raises(ValueError, match="temporal"):
        pose_player(recording, {"temporal": recording.pose.numpy()[1:]})


@pytest.fixture
def hidden(recording):
    """A track with noise, and its middle not seen."""
    rng = np.random.default_rng(0)
    positions = recording.positions.numpy() + 0.05 * rng.standard_normal((len(recording), 17, 3))
    score = np.full(len(recording), 0.9)
    score[8:16] = 0
    return positions, score


def test_a_knob_solves_for_the_track_anew(recording, hidden):
    demo = smoothing_demo(*hidden, recording.positions.numpy(), recording.fps)
    figure, sliders = demo.children[0], demo.children[1:]
    names = [trace.name for trace in figure.data]
    assert names == 3 * ["truth", "without refinement", "refinement"]
    plain = refine(*hidden)
    for axis in range(3):
        np.testing.assert_allclose(figure.data[3 * axis + 2].y, plain[:, 0, axis])
    steps = {s.description: s for s in sliders}
    steps["long step, frames"].value = 5
    steps["weight, long step"].value = 10.0
    other = refine(*hidden, Settings(long_step=5, root_long=10.0))
    assert np.abs(other - plain).max() > 1e-3
    np.testing.assert_allclose(figure.data[8].y, other[:, 0, 2])


def test_hidden_frames_are_grey(recording, hidden):
    figure = smoothing_demo(*hidden, fps=25.0).children[0]
    spans = {(shape.x0, shape.x1) for shape in figure.layout.shapes}
    assert spans == {(8 / 25, 16 / 25)}


def test_a_truth_of_another_length_is_refused(recording, hidden):
    with pytest.raises(ValueError, match="of one shape"):
        smoothing_demo(*hidden, recording.positions.numpy()[1:])
