"""The demos react to their sliders."""

import numpy as np
import pytest

from paperlib import datasets
from paperlib.plotting.poses import upright
from paperlib.widgets import pose_player


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
