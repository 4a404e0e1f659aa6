"""Straight lines through what is not visible."""

import numpy as np
import pytest
import torch

from paperlib.refinement import interpolate
from paperlib.refinement.interpolation import fill

NAN = float("nan")


def a_track(*people, frames=12, joints=3):
    return torch.randn(*people, frames, joints, 3, dtype=torch.float64)


def test_by_hand():
    positions = torch.zeros(6, 1, 3)
    positions[:, 0, 1] = torch.tensor([9.0, 1.0, 9.0, 9.0, 4.0, 9.0])
    visible = torch.tensor([False, True, False, False, True, False])
    assert interpolate(positions, visible)[:, 0, 1].tolist() == [1, 1, 2, 3, 4, 4]


@pytest.mark.parametrize("people", [(), (3,), (2, 2)])
def test_every_coordinate_is_numpys(people, device):
    positions = a_track(*people)
    visible = torch.rand(positions.shape[:-2]) < 0.5
    visible[..., 4] = True
    found = interpolate(positions.to(device), visible.to(device)).cpu()
    frames = np.arange(12)
    for index in np.ndindex(*people, 3, 3):
        *who, joint, axis = index
        seen = visible[tuple(who)].numpy()
        track = positions[(*who, slice(None), joint, axis)].numpy()
        expected = np.interp(frames, frames[seen], track[seen])
        np.testing.assert_allclose(found[(*who, slice(None), joint, axis)], expected, atol=1e-12)


def test_visible_frames_stay_as_they_are():
    positions = a_track(2)
    visible = torch.rand(2, 12) < 0.7
    assert torch.equal(interpolate(positions, visible)[visible], positions[visible])
    everything = torch.ones(2, 12, dtype=torch.bool)
    assert torch.equal(interpolate(positions, everything), positions)


def test_what_is_not_known_is_not_visible():
    positions = a_track()
    visible = torch.ones(12, dtype=torch.bool)
    gap = positions.clone()
    gap[5:7] = NAN
    hidden = visible.clone()
    hidden[5:7] = False
    assert torch.equal(interpolate(gap, visible), interpolate(positions, hidden))
    joint = positions.clone()
    joint[3, 1] = NAN
    filled = interpolate(joint, visible)
    assert torch.equal(filled[:, [0, 2]], positions[:, [0, 2]])
    torch.testing.assert_close(filled[3, 1], (positions[2, 1] + positions[4, 1]) / 2)


def test_numpy_stays_numpy():
    positions = a_track().numpy().astype(np.float32)
    found = interpolate(positions, np.arange(12) % 3 == 0)
    assert isinstance(found, np.ndarray) and found.dtype == np.float32


def test_rows_of_their_own():
    values = torch.tensor([[0.0, NAN, 2.0], [5.0, 7.0, NAN]])
    assert fill(values, ~values.isnan()).tolist() == [[0, 1, 2], [5, 7, 7]]


def test_what_is_whole_is_a_copy_too():
    positions = a_track()
    found = interpolate(positions, torch.ones(12, dtype=torch.bool))
    assert torch.equal(found, positions) and found.data_ptr() != positions.data_ptr()


def test_wrong_input_is_refused():
    positions = a_track(2)
    visible = torch.ones(2, 12, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"\(12,\).*\(2, 12\)"):
        interpolate(positions, visible[0])
    with pytest.raises(ValueError, match=r"float32.*threshold"):
        interpolate(positions, visible.float())
    visible[1] = False
    with pytest.raises(ValueError, match="joint 0 of person 1 is visible in no frame"):
        interpolate(positions, visible)
    positions[0, :, 2, 1] = NAN
    with pytest.raises(ValueError, match="coordinate y of joint 2 is visible in no frame"):
        interpolate(positions[0], visible[0])
