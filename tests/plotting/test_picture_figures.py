"""Figures of a network that sees show the pictures, maps and poses that they are given."""

import numpy as np
import pytest

from paperlib import plotting
from paperlib.skeletons import H36M_17


def stages() -> dict[str, list[np.ndarray]]:
    chance = np.random.default_rng(0)
    one, two, four = (chance.normal(size=(2 * n, 16 // n, 16 // n)) for n in (1, 2, 4))
    return {"stem": [one], "exchange 1": [one, two], "exchange 2": [one, two, four]}


def test_each_branch_is_the_mean_size_of_its_channels_and_leads_to_all_that_follow():
    maps = np.random.default_rng(1).random((17, 16, 16))
    figure = plotting.high_resolution(np.zeros((64, 64, 3)), stages(), maps)
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    assert len(shown) == 1 + 1 + 2 + 3 + 1
    np.testing.assert_allclose(shown[3], np.abs(stages()["exchange 1"][1]).mean(axis=0))
    np.testing.assert_allclose(shown[-1], maps.max(axis=0))
    assert len(figure.artists) == 1 + 1 * 2 + 2 * 3 + 3 * 1
    assert [ax.get_xlabel() for ax in figure.axes][-2:] == ["8 × 4 × 4", "17 × 16 × 16"]
    finest, half, quarter = (figure.axes[n].get_position().height for n in (4, 5, 6))
    assert finest > half > quarter


def test_more_branches_than_can_be_drawn_are_refused():
    wrong = {"exchange": [np.zeros((1, 4, 4))] * 4}
    with pytest.raises(ValueError, match="4 branches: drawn are 3 at most"):
        plotting.high_resolution(np.zeros((16, 16, 3)), wrong, np.zeros((17, 4, 4)))


def test_moments_stand_side_by_side_and_kinds_below_each_other():
    chance = np.random.default_rng(2)
    pictures, maps = chance.random((3, 32, 32, 3)), chance.random((3, 17, 8, 8))
    truth, pose = chance.normal(size=(2, 3, 17, 3))
    several = {"network": maps, "simulated": maps / 2}
    figure = plotting.pictures_to_poses(pictures, several, {"temporal": pose}, truth, H36M_17)
    assert len(figure.axes) == 4 * 3
    np.testing.assert_allclose(figure.axes[4].images[0].get_array(), maps[1].max(axis=0))
    np.testing.assert_allclose(figure.axes[8].images[0].get_array(), maps[2].max(axis=0) / 2)
    edge, behind, front = figure.axes[10].collections
    flat = plotting.poses.seen_from(pose[1])
    ends = np.array(front.get_segments())
    np.testing.assert_allclose(ends, flat[np.asarray(H36M_17.bones)])
    assert edge.get_linewidth()[0] > behind.get_linewidth()[0] > front.get_linewidth()[0]
    labels = [figure.axes[3 * row].get_ylabel() for row in range(4)]
    assert labels == ["pictures", "network", "simulated", "temporal"]


def test_other_numbers_of_moments_are_refused():
    maps, truth = {"network": np.zeros((2, 17, 8, 8))}, np.zeros((3, 17, 3))
    with pytest.raises(ValueError, match="3 pictures: expected maps"):
        plotting.pictures_to_poses(np.zeros((3, 8, 8, 3)), maps, {}, truth, H36M_17)
