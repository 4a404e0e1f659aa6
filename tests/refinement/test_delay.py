"""The delay of a filter."""

import numpy as np
import pytest
import torch

from paperlib.refinement import delay, one_euro, savitzky_golay


@pytest.fixture
def walk() -> np.ndarray:
    """(200, 2, 3): a smooth way through the room."""
    t = np.arange(200)[:, None, None] / 25
    return np.sin(t * (1 + np.arange(6).reshape(2, 3)) / 2) + 0.3 * t


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_what_is_moved_in_time_is_late_by_as_much(walk, frames):
    late = np.concatenate([np.repeat(walk[:1], frames, axis=0), walk[: len(walk) - frames]])
    assert delay(late, walk) == pytest.approx(frames, abs=0.05)
    assert delay(torch.from_numpy(late), torch.from_numpy(walk)) == delay(late, walk)


def test_between_frames():
    """A line that bends, half a frame late."""
    t = np.arange(100.0)[:, None, None] * np.ones((1, 1, 3))
    whole, half = np.sin(t / 8), np.sin((t - 2.5) / 8)
    assert delay(half, whole) == pytest.approx(2.5, abs=0.05)


def test_a_causal_filter_is_late_and_a_symmetric_one_is_not(walk):
    slow, quick = (one_euro(walk, 25, min_cutoff=c) for c in (0.5, 3.0))
    assert delay(slow, walk) > delay(quick, walk) > 0.5
    assert delay(savitzky_golay(walk, 9, 2), walk) == 0


def test_wrong_input_is_refused(walk):
    with pytest.raises(ValueError, match="the same shape"):
        delay(walk[1:], walk)
    with pytest.raises(ValueError, match="more frames than that"):
        delay(walk[:5], walk[:5])
