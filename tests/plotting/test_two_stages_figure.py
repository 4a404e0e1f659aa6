"""The drawing of both stages shows the numbers that it is given."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from paperlib import plotting
from paperlib.models import TemporalModel
from paperlib.plotting.lifting import FIRST
from paperlib.skeletons import H36M_17

FRAMES = (-4, 0, 4)


def parts(frames=3, size=8) -> dict:
    chance = np.random.default_rng(0)
    return {
        "model": TemporalModel(17, 3, 17, (3, 3), channels=4),
        "frames": FRAMES,
        "pictures": {
            "images": chance.random((frames, size, size, 3)),
            "above": np.eye(4)[:3, None],
        },
        "points": chance.random((frames, 17, 2)),
        "depths": chance.normal(size=(frames, 17)),
        "influence": [0, 0, 0, 1, 4, 1, 0, 0, 0],
        "pose": chance.normal(size=(17, 3)),
        "truth": chance.normal(size=(17, 3)),
        "skeleton": H36M_17,
        "fps": 50.0,
    }


def test_pictures_joints_and_dots_of_a_frame_stand_above_each_other():
    given = parts()
    (ax,) = plotting.two_stages(**given).axes
    places = [3 * frame for frame in FRAMES]  # 27 units for 9 frames
    images = ax.get_images()
    assert [np.mean(i.get_extent()[:2]) for i in images] == pytest.approx(2 * places)
    assert np.array_equal(images[1].get_array(), given["pictures"]["images"][1])
    joints = [c for c in ax.collections if c.get_array() is not None]
    for x, several, points, depths in zip(
        places, joints, given["points"], given["depths"], strict=True
    ):
        assert np.array_equal(several.get_array(), depths)
        at = np.asarray(several.get_offsets())
        assert at[:, 0] == pytest.approx(3.5 * (points[:, 0] - 0.5) + x)
        assert np.argmax(at[:, 1]) == np.argmin(points[:, 1])  # pixels go down
        assert at[:, 1].max() < FIRST
    words = {text.get_text() for text in ax.texts}
    assert {"-80", "+0", "+80", "images", "above", "from the side"} <= words


def test_the_answer_and_the_truth_are_of_one_scale():
    """Seen from the camera: x to the right, y down, at the same place where they are the same."""
    given = parts()
    given["pose"] = given["truth"] + [0.0, 0.0, 0.4]  # deeper: not seen from there
    (ax,) = plotting.two_stages(**given).axes
    bodies = [c for c in ax.collections if isinstance(c, LineCollection)][-6:]
    _, true, answer, _, true_side, answer_side = (np.array(c.get_segments()) for c in bodies)
    assert true == pytest.approx(answer)
    apart = answer_side - true_side
    scale = 7 / np.ptp(given["truth"][:, 1])
    assert np.abs(apart[..., 0]) == pytest.approx(np.full((16, 2), 0.4 * scale))


def test_parts_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="the model reads 9 frames"):
        plotting.two_stages(**parts() | {"influence": [1.0]})
    with pytest.raises(ValueError, match=r"depths of \[2, 3\] frames"):
        plotting.two_stages(**parts() | {"points": np.zeros((2, 17, 2))})
    with pytest.raises(ValueError, match=r"depths of \[0, 3\] frames"):
        plotting.two_stages(**parts() | {"frames": ()})


def test_a_strip_shows_each_moment_with_its_box_and_what_came_of_it():
    chance = np.random.default_rng(0)
    boxes = np.array([[2.0, 3.0, 4.0, 5.0], [np.nan] * 4])
    points = 10 + 4 * chance.random((2, 17, 2))
    truth = chance.normal(size=(2, 17, 3))
    given = chance.random((2, 20, 30, 3)), boxes, points, truth, truth
    figure = plotting.film_strip(*given, H36M_17, ["0.0 s", "1.0 s"])
    first, second, near, _, below, _ = figure.axes
    (box,) = first.patches
    assert (*box.get_xy(), box.get_width(), box.get_height()) == (2, 3, 4, 5)
    assert not second.patches and second.get_title() == "1.0 s"
    for ax in (first, near):
        assert tuple(ax.get_images()[0].get_extent()) == (0, 30, 20, 0)
    for axis, limits in enumerate((near.get_xlim(), near.get_ylim()[::-1])):
        assert limits[0] < points[0, :, axis].min() and limits[1] > points[0, :, axis].max()
    joints = np.array(near.collections[-1].get_segments())
    assert joints[:, 1] == pytest.approx(points[0, [child for _, child in H36M_17.bones]])
    _, true, answer = (np.array(c.get_segments()) for c in below.collections)
    assert true == pytest.approx(answer)
