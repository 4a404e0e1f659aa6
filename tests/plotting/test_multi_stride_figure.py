"""The drawing of the whole system shows the numbers that it is given."""

import numpy as np
import pandas as pd
import pytest

from paperlib import plotting
from paperlib.skeletons import H36M_17
from tests.samples import recording


def parts(frames=16):
    chance = np.random.default_rng(0)
    reached = {1: np.zeros(frames), 3: np.zeros(frames)}
    reached[1][[7, 8, 9]] = 1.0
    reached[3][[5, 8, 11]] = [0.5, 1.0, 0.5]
    maps = chance.random((frames, 17, 8, 8))
    return maps, chance.random((frames, 20)), reached, chance.normal(size=(frames, 17, 3))


def test_dots_stand_at_the_frames_that_a_branch_sees_and_are_as_large_as_their_share():
    psi = np.diag([1.0, -2.0])
    figure = plotting.multi_stride_system(*parts(), H36M_17, {"psi": psi}, "logit +1.00")
    strides = figure.axes[2]
    one, three = strides.collections
    assert one.get_offsets().tolist() == [[7, 0], [8, 0], [9, 0]]
    assert three.get_offsets().tolist() == [[5, 1], [8, 1], [11, 1]]
    small, large, _ = three.get_sizes()
    assert small < large == one.get_sizes()[0]
    assert figure.axes[4].images[0].get_clim() == (-2.0, 2.0)
    assert "logit +1.00" in figure.axes[5].texts[0].get_text()
    assert len(figure.axes[0].images) == len(figure.axes[3].collections) == 8


def test_saving_it_moves_nothing(tmp_path):
    plotting.use_style()
    figure = plotting.multi_stride_system(*parts(), H36M_17, {"psi": np.eye(2)}, "")
    places = [ax.get_position().bounds for ax in figure.axes]
    figure.savefig(tmp_path / "once.png")
    figure.savefig(tmp_path / "twice.png", bbox_inches="tight")
    assert [ax.get_position(original=True).bounds for ax in figure.axes][:4] == places[:4]
    assert figure.axes[4].get_position().x0 >= 0.24


def test_parts_of_other_lengths_are_refused():
    maps, embedded, reached, poses = parts()
    with pytest.raises(ValueError, match="poses 15"):
        plotting.multi_stride_system(maps, embedded, reached, poses[1:], H36M_17, {}, "")


def test_a_pose_strip_leaves_out_what_was_not_found_and_circles_what_is_wrong():
    film = recording(3)
    confidence = film.confidence.clamp_min(0.1)
    confidence[0], confidence[1, 4] = 0.0, 0.0
    film = film.with_keypoints(film.keypoints, confidence)
    poses = film.pose.numpy().copy()
    poses[1, 16] += 0.2
    figure = plotting.pose_sequence(film, {"temporal": poses}, [0, 1, 2], circled=0.15)
    nobody, some, answered = figure.axes[0], figure.axes[1], figure.axes[4]
    drawn = [[len(bone) == 2 for bone in ax.collections[0].get_segments()] for ax in (nobody, some)]
    assert not any(drawn[0])
    missing = drawn[1].count(False)
    assert missing == sum(4 in bone for bone in H36M_17.bones)
    circles = answered.get_lines()[-1]
    assert circles.get_marker() == "o" and len(circles.get_xdata()) == 1


def test_error_curves_stand_in_the_panel_of_their_labels():
    table = pd.DataFrame({"temporal": [1.0, 2.0], "single frame": [3.0, 4.0]}, index=[0.1, 0.4])
    panels = {("time", "error"): table, ("share", "error"): 2 * table}
    figure = plotting.error_curves(panels, {"temporal": "--"})
    left, right = figure.axes
    assert left.get_xlabel() == "time" and left.get_ylabel() == "error"
    assert right.get_lines()[1].get_ydata().tolist() == [6.0, 8.0]
    assert [line.get_linestyle() for line in left.get_lines()] == ["--", "-"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["temporal", "single frame"]


def test_error_curves_go_past_what_nobody_measured():
    table = pd.DataFrame({"temporal": [1.0, float("nan"), 2.0]}, index=["1", "27", "81"])
    (ax,) = plotting.error_curves({("frames", "error"): table}).axes
    (line,) = ax.get_lines()
    assert line.get_ydata().tolist() == [1.0, 2.0]
