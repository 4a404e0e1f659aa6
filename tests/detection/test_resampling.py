"""Keypoints at a model's rate and poses back at a film's times."""

import numpy as np
import pytest

from paperlib.detection.resampling import even_times, resampled, sampled
from paperlib.detection.sequences import Keypoints2D
from paperlib.skeletons import COCO_17


def person(times, places=None, confidence=None) -> Keypoints2D:
    count = len(times)
    places = np.zeros(count) if places is None else np.asarray(places)
    keypoints = np.broadcast_to(places[:, None, None], (count, 17, 2)).copy()
    sure = np.ones((count, 17)) if confidence is None else np.tile(confidence, (17, 1)).T
    about = (COCO_17, 640, 480, "film", np.arange(count) + 30, 2)
    return Keypoints2D(keypoints, sure, *about, times=np.asarray(times))


def test_even_times_by_hand():
    assert even_times(np.array([1.0, 1.1, 1.3]), 10).tolist() == pytest.approx([1, 1.1, 1.2, 1.3])
    # the last one is after the end, so that all of the film lies between two of them
    assert even_times(np.array([0, 0.25]), 10).tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert even_times(np.array([3.0]), 50).tolist() == [3.0]


def test_between_two_frames_is_a_straight_line():
    values = np.array([[0.0, 10], [2, 20], [2, 50]])
    found = sampled(values, np.array([0, 1, 3.0]), np.array([-1, 0.5, 1, 2, 9]))
    assert found.tolist() == [[0, 10], [1, 15], [2, 20], [2, 35], [2, 50]]


@pytest.mark.parametrize("rate", [24, 30000 / 1001, 60, 240])
def test_what_moves_evenly_comes_back_as_it_was(rate):
    """To 50 Hz and back, at constant and at uneven rates."""
    rng = np.random.default_rng(0)
    even = np.arange(40) / rate
    for times in (even, even + rng.uniform(0, 0.4 / rate, 40)):
        one = person(times, 100 * times)
        model = resampled(one, 50)
        assert model.fps == pytest.approx(50)
        assert model.times[0] == times[0] and model.times[-1] >= times[-1]
        assert (model.frames == np.arange(len(model))).all() and model.track == 2
        back = sampled(model.keypoints, model.times, times)
        # after the film's last moment its last place is held
        assert np.allclose(back[:-3], one.keypoints[:-3], atol=1e-4)
        assert np.allclose(back, one.keypoints, atol=100 / 50)


def test_at_its_own_rate_nothing_changes():
    times = np.arange(100) / 29.97
    one = person(times, np.random.default_rng(1).normal(size=100), np.arange(100) % 2)
    same = resampled(one, 29.97)
    assert len(same) == 100
    assert np.array_equal(same.keypoints, one.keypoints)
    assert np.array_equal(same.confidence, one.confidence)


def test_what_is_beside_a_gap_is_not_sure():
    one = person(np.arange(4) / 10, confidence=[1, 0.5, 0, 1])
    found = resampled(one, 20).confidence[:, 0]
    assert found.tolist() == [1, 0.5, 0.5, 0, 0, 0, 1]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="increase"):
        even_times(np.array([0, 0.0]), 50)
    for fps in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="frames a second"):
            even_times(np.array([0, 1.0]), fps)
    with pytest.raises(ValueError, match="2 values, and 3 times"):
        sampled(np.zeros(2), np.arange(3), np.zeros(1))
    with pytest.raises(ValueError, match="no list of seconds"):
        sampled(np.zeros(2), np.arange(2), np.array([np.nan]))
    unknown = Keypoints2D(np.zeros((2, 17, 2)), np.ones((2, 17)), COCO_17, None, None, "film")
    assert unknown.fps is None
    with pytest.raises(ValueError, match="film: the times of its frames are not known"):
        resampled(unknown, 50)


def test_times_go_along_to_other_frames():
    one = person([1.0, 1.1, 1.3])  # frames 30 to 32
    assert one.fps == pytest.approx(2 / 0.3)
    found = one.over(range(29, 34))
    assert found.times.tolist() == pytest.approx([0.85, 1, 1.1, 1.3, 1.45])
    assert one.over(one.frames).times.tolist() == one.times.tolist()
    with pytest.raises(ValueError, match="times must be 3 seconds that increase"):
        person([1.0, 1.0, 1.2])
