"""Filters against plain loops, and what they leave alone."""

from math import pi

import numpy as np
import pytest
import torch

from paperlib.refinement import gaussian, one_euro, savitzky_golay

EVERY_FILTER = pytest.mark.parametrize(
    "smooth",
    [
        lambda p: one_euro(p, fps=25, min_cutoff=2.0, beta=0.3),
        lambda p: savitzky_golay(p, window=7, order=2),
        lambda p: gaussian(p, sigma=1.5),
    ],
    ids=["one_euro", "savitzky_golay", "gaussian"],
)


def a_track(*people, frames=30, joints=3):
    return torch.randn(*people, frames, joints, 3, dtype=torch.float64).cumsum(dim=-3)


class LowPass:
    """The published recurrence, one number at a time."""

    def __init__(self):
        self.last = None

    def filter(self, value, alpha):
        self.last = value if self.last is None else alpha * value + (1 - alpha) * self.last
        return self.last


def published_one_euro(values, rate, min_cutoff, beta, derivative_cutoff):
    def alpha(cutoff):
        return 1 / (1 + (1 / (2 * pi * cutoff)) * rate)

    signal, derivative, found = LowPass(), LowPass(), []
    for value in values:
        slope = 0.0 if signal.last is None else (value - signal.last) * rate
        speed = derivative.filter(slope, alpha(derivative_cutoff))
        found.append(signal.filter(value, alpha(min_cutoff + beta * abs(speed))))
    return found


@pytest.mark.parametrize("parameters", [(1.0, 0.0, 1.0), (0.5, 0.7, 2.0), (3.0, 5.0, 0.2)])
def test_one_euro_is_the_published_recurrence(parameters, device):
    positions = a_track(2)
    found = one_euro(positions.to(device), 50.0, *parameters).cpu()
    for person, joint, axis in np.ndindex(2, 3, 3):
        track = positions[person, :, joint, axis].tolist()
        expected = published_one_euro(track, 50.0, *parameters)
        assert found[person, :, joint, axis].tolist() == pytest.approx(expected, abs=1e-10)


def test_one_euro_looks_at_the_past_only_and_follows_speed():
    positions = a_track()
    whole = one_euro(positions, 25, beta=0.5)
    assert torch.equal(one_euro(positions[:9], 25, beta=0.5), whole[:9])
    lag = [(one_euro(positions, 25, beta=b) - positions).abs().mean() for b in (0.0, 0.5, 50.0)]
    assert lag[0] > lag[1] > lag[2]


def test_savitzky_golay_by_least_squares():
    positions = a_track()
    found = savitzky_golay(positions, 7, 2)
    for t in (3, 12, 26):
        window = positions[t - 3 : t + 4].reshape(7, -1).numpy()
        fitted = np.polynomial.polynomial.polyfit(np.arange(-3, 4), window, 2)[0]
        np.testing.assert_allclose(found[t].flatten(), fitted, atol=1e-10)


def test_savitzky_golay_keeps_polynomials_of_its_order():
    t = torch.arange(20, dtype=torch.float64)[:, None, None]
    positions = (0.1 * t**2 - t + 3).expand(20, 2, 3)
    torch.testing.assert_close(savitzky_golay(positions, 9, 2), positions)


def test_gaussian_spreads_a_frame():
    positions = torch.zeros(41, 1, 3, dtype=torch.float64)
    positions[20] = 1.0
    found = gaussian(positions, 2.0)[:, 0, 0]
    expected = torch.exp(-((torch.arange(41) - 20.0) ** 2) / 8).double()
    torch.testing.assert_close(found, expected / expected.sum(), rtol=0, atol=1e-4)


@EVERY_FILTER
def test_filters_leave_a_constant_alone_and_calm_noise(smooth):
    constant = torch.randn(1, 4, 3, dtype=torch.float64).expand(30, 4, 3)
    torch.testing.assert_close(smooth(constant), constant)
    noise = torch.randn(60, 4, 3, dtype=torch.float64)
    assert smooth(noise).diff(dim=0).abs().mean() < 0.5 * noise.diff(dim=0).abs().mean()


@EVERY_FILTER
def test_people_together_are_people_one_by_one(smooth):
    positions = a_track(2, 2)
    alone = torch.stack([torch.stack([smooth(one) for one in pair]) for pair in positions])
    torch.testing.assert_close(smooth(positions), alone)


@EVERY_FILTER
def test_kind_precision_and_device_stay(smooth, device):
    positions = a_track(2).float().to(device)
    found = smooth(positions)
    assert (found.shape, found.dtype) == (positions.shape, torch.float32)
    assert found.device == positions.device
    array = smooth(positions.cpu().numpy())
    assert isinstance(array, np.ndarray) and array.dtype == np.float32
    np.testing.assert_allclose(array, found.cpu(), atol=1e-5)


@EVERY_FILTER
def test_gaps_are_refused(smooth):
    positions = a_track()
    positions[3] = float("nan")
    with pytest.raises(ValueError, match="fill the gaps first"):
        smooth(positions)


def test_wrong_parameters_are_refused():
    positions = a_track(frames=10)
    for wrong in ({"fps": 0}, {"min_cutoff": 0}, {"beta": -1}, {"derivative_cutoff": 0}):
        with pytest.raises(ValueError, match="above 0"):
            one_euro(positions, **({"fps": 25} | wrong))
    for window, order in ((4, 2), (5, 5), (11, 2), (5, -1)):
        with pytest.raises(ValueError, match=f"window={window}, order={order}.*10 frames"):
            savitzky_golay(positions, window, order)
    with pytest.raises(ValueError, match="sigma=0"):
        gaussian(positions, 0)
