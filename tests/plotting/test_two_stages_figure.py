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
    bodies = [c for c in ax.collections if isinstance(c, LineCollection)][-4:]
    true, answer, true_side, answer_side = (np.array(c.get_segments()) for c in bodies)
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
