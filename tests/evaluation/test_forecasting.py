"""Forecasts: the literature's windows, errors by hand, and what must not change them."""

import math
from itertools import pairwise

import pytest
import torch
from samples import assert_close

from paperlib.evaluation import forecasting
from paperlib.evaluation.forecasting import (
    angle_errors,
    by_horizon,
    forecast_errors,
    forecast_windows,
    joint_angles,
    zero_velocity,
)
from paperlib.inverse_kinematics import rest_pose
from paperlib.kinematics import forward_kinematics, rotation_about, rotation_from_vector
from paperlib.skeletons import H36M_17

OFFSETS = 0.3 * rest_pose(H36M_17)
LEFT_KNEE, RIGHT_KNEE = H36M_17.index("left_knee"), H36M_17.index("right_knee")


def placed(angles: dict[int, torch.Tensor], frames: int = 25) -> torch.Tensor:
    """Positions of somebody who stands and bends joints by ``(T,)`` radians about the axis to the
    left, as knees and hips do."""
    rotations = torch.eye(3, dtype=torch.float64).repeat(frames, 17, 1, 1)
    for joint, angle in angles.items():
        rotations[:, joint] = rotation_about("y", angle.double())
    return forward_kinematics(rotations, OFFSETS, H36M_17.parents, torch.zeros(3).double())


def moving(*shape: int) -> torch.Tensor:
    return placed({}, 1)[0] + 0.02 * torch.randn(*shape, 17, 3, dtype=torch.float64).cumsum(dim=-3)


@pytest.mark.parametrize(
    ("lengths", "first", "second"),
    [
        ((1400, 1250), [1087, 1145, 660, 201], [955, 332, 304, 54]),
        ((1700, 1150), [1426, 1087, 1329, 1145], [374, 156, 955, 332]),
        ((1700, 1600), [1426, 1087, 1329, 1145], [1398, 1180, 955, 332]),
    ],
)
def test_windows_are_those_of_the_literature(lengths, first, second):
    """As public code lists them for walking, eating and smoking of S5; they hold for a range of
    lengths, since the generator draws from powers of two and rejects what is too late."""
    windows = forecast_windows(lengths)
    assert [start for sequence, start in windows if sequence == 0] == first
    assert [start for sequence, start in windows if sequence == 1] == second
    assert [sequence for sequence, _ in windows] == [0, 1] * 4
    assert forecast_windows(lengths, forecasting.MANY)[:8] == windows


def test_windows_lie_within_their_sequences():
    lengths = [90, 92, 300]
    windows = forecast_windows(lengths, 256, future=25, skipped=5)
    assert len(windows) == 256 and {sequence for sequence, _ in windows} == {0, 1, 2}
    assert all(5 <= start and start + 75 <= lengths[s] for s, start in windows)
    assert len({start for s, start in windows if s == 2}) > 60
    assert set(forecast_windows([76], 3, future=25, skipped=0)) == {(0, 0)}


@pytest.mark.parametrize(
    ("lengths", "options", "said"),
    [
        ([400, 166], {}, r"\[400, 166\].*167 or more each.*leave shorter ones out"),
        ([], {}, "at least one"),
        ([400], {"count": 0}, "count is 0"),
        ([400], {"future": 24}, "future is 24: a whole number from 25"),
        ([400], {"skipped": -1}, "skipped is -1"),
        ([400], {"count": 2.5}, "count is 2.5"),
    ],
)
def test_windows_that_cannot_be_drawn(lengths, options, said):
    with pytest.raises(ValueError, match=said):
        forecast_windows(lengths, **options)


def test_zero_velocity_repeats_the_last_pose():
    seen = torch.randn(4, 50, 17, 3)
    still = zero_velocity(seen)
    assert still.shape == (4, 25, 17, 3)
    assert all(torch.equal(still[:, t], seen[:, -1]) for t in range(25))
    with pytest.raises(ValueError, match=r"\(17, 3\), expected \(\.\.\., T, J, 3\)"):
        zero_velocity(seen[0, 0])


def test_a_bent_knee_is_flexion_the_first_angle():
    angles = joint_angles(placed({LEFT_KNEE: torch.linspace(0.2, 2.2, 25)}), H36M_17)
    assert_close(
        angles[:, LEFT_KNEE],
        torch.stack([torch.linspace(0.2, 2.2, 25)] + [torch.zeros(25)] * 2, -1),
        1e-6,
    )
    angles[:, LEFT_KNEE] = 0
    assert_close(angles, torch.zeros(25, 17, 3), 1e-9)


def test_the_error_of_two_knees_by_hand():
    """One is 0.3, the other 0.4 radians off: 0.5. In the truth both move."""
    time = torch.linspace(0.6, 1.2, 25)
    truth = placed({LEFT_KNEE: time, RIGHT_KNEE: time})
    found = placed({LEFT_KNEE: time + 0.3, RIGHT_KNEE: time - 0.4})
    assert_close(angle_errors(found, truth, H36M_17), torch.full((25,), 0.5), 1e-6)
    errors = forecast_errors(found[None], truth[None], H36M_17)
    assert list(errors["mean_angle_error"]) == [80, 160, 320, 560, 1000]
    assert_close(list(errors["mean_angle_error"].values()), [0.5] * 5, 1e-6)


def test_what_does_not_move_in_the_truth_does_not_count():
    time, still = torch.linspace(0.6, 1.2, 25), torch.full((25,), 0.7)
    truth = placed({LEFT_KNEE: time, RIGHT_KNEE: still})
    found = placed({LEFT_KNEE: time + 0.3, RIGHT_KNEE: still + 0.4})
    assert_close(angle_errors(found, truth, H36M_17), torch.full((25,), 0.3), 1e-6)
    # a wobble of a milliradian is a movement, one of a hundredth of that is none
    wobble = torch.tensor([1.0, -1.0]).repeat(13)[:25]
    for size, error in ((1e-3, 0.5), (1e-5, 0.3)):
        slight = placed({LEFT_KNEE: time, RIGHT_KNEE: still + size * wobble})
        assert_close(angle_errors(found, slight, H36M_17), torch.full((25,), error), 0.002)
    # each window by itself
    both = angle_errors(torch.stack([found, found]), torch.stack([truth, found]), H36M_17)
    assert_close(both[1], torch.zeros(25), 0)


def test_where_a_body_is_and_faces_does_not_count():
    found, truth = moving(3, 25), moving(3, 25)
    turn = rotation_from_vector(torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64))
    moved = found @ turn.mT + torch.tensor([3.0, -1.0, 2.0])
    before, after = (forecast_errors(f, truth, H36M_17) for f in (found, moved))
    assert before["mean_angle_error"] == pytest.approx(after["mean_angle_error"], abs=1e-9)
    assert before["mpjpe"] != pytest.approx(after["mpjpe"], abs=0.01)
    shifted = forecast_errors(found + 5, truth, H36M_17)
    assert shifted["mpjpe"] == pytest.approx(before["mpjpe"], abs=1e-9)


def test_errors_are_read_at_the_frames_of_the_protocol():
    """80 ms are the second frame that was not seen, a second is the 25th."""
    errors = torch.stack([torch.arange(1.0, 31.0), torch.arange(1.0, 31.0) + 2])
    assert by_horizon(errors) == {80: 3.0, 160: 5.0, 320: 9.0, 560: 15.0, 1000: 26.0}
    assert [frame / 25 for frame in forecasting.HORIZONS.values()] == [
        ms / 1000 for ms in forecasting.HORIZONS
    ]


def test_mpjpe_is_that_of_the_frame():
    truth = moving(2, 25)
    found = truth.clone()
    found[:, 7, LEFT_KNEE, 0] += 0.17  # of 17 joints, so that the mean is 1 cm
    assert forecast_errors(found, truth, H36M_17)["mpjpe"] == pytest.approx(
        {80: 0, 160: 0, 320: 0.01, 560: 0, 1000: 0}, abs=1e-12
    )


def test_nobody_moving_errs_more_the_further_ahead():
    walk = moving(40, 75)
    errors = forecast_errors(zero_velocity(walk[:, :50]), walk[:, 50:], H36M_17)
    for values in errors.values():
        assert all(a < b for a, b in pairwise(values.values()))


@pytest.mark.parametrize(
    ("found", "truth", "said"),
    [
        (torch.zeros(2, 25, 17, 3), torch.zeros(2, 24, 17, 3), "expected the same shape"),
        (torch.zeros(2, 24, 17, 3), torch.zeros(2, 24, 17, 3), r"\(2, 24\).*25 frames or more"),
        (torch.full((2, 25, 17, 3), math.nan), torch.zeros(2, 25, 17, 3), "NaN"),
        (torch.zeros(2, 25, 16, 3), torch.zeros(2, 25, 16, 3), "h36m_17"),
    ],
)
def test_refusals(found, truth, said):
    with pytest.raises(ValueError, match=said):
        forecast_errors(found, truth, H36M_17)


def test_errors_are_the_same_wherever_they_are_computed(device):
    found, truth = moving(3, 25), moving(3, 25)
    expected = angle_errors(found, truth, H36M_17)
    measured = angle_errors(found.to(device), truth.to(device), H36M_17)
    assert measured.device.type == device.type
    assert_close(measured.cpu(), expected, 1e-9)
