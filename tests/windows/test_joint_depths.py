"""What the second stage of kato2020 is given."""

from dataclasses import replace

import pytest
import torch
from samples import CAMERA, recording, swinging

from paperlib.cameras import normalize_screen_coordinates, project
from paperlib.models import TemporalModel
from paperlib.prediction import predict
from paperlib.windows import INPUTS, as_inputs, input_of, keypoint_windows, network_input

SEEN = recording(7, depths=torch.randn(7, 17) * 0.2)


def test_two_dimensional_inputs_have_no_depths():
    assert as_inputs(SEEN, "2d").depths is None
    assert torch.equal(as_inputs(SEEN, "2d").keypoints, SEEN.keypoints)
    for inputs in ("2d_depth", "2d_depth_noise"):
        assert as_inputs(SEEN, inputs) is SEEN  # noise is of training alone


def test_true_inputs_are_projections_and_depths_from_the_root():
    exact = as_inputs(SEEN, "gt_2d")
    assert torch.equal(exact.keypoints, project(SEEN.positions, CAMERA)) and exact.depths is None
    deep = as_inputs(SEEN, "gt_2d_depth")
    assert torch.equal(deep.keypoints, exact.keypoints)
    assert torch.allclose(deep.depths, SEEN.positions[..., 2] - SEEN.positions[:, :1, 2])
    assert (deep.depths[:, 0] == 0).all()


def test_a_depth_of_three_quarters_of_a_metre_is_one():
    given = network_input(replace(SEEN, depths=torch.full((7, 17), -0.75)), depth=True)
    assert given.shape == (7, 17, 3)
    assert torch.equal(given[..., 2], -torch.ones(7, 17))
    assert torch.equal(given[..., :2], normalize_screen_coordinates(SEEN.keypoints, 1000, 1000))


def test_a_model_says_what_its_third_number_is():
    def model(third):
        return TemporalModel(17, 3, 17, (3,), channels=4, third=third)

    deep, sure = (input_of(model(third))(SEEN) for third in ("depth", "confidence"))
    assert torch.equal(deep, network_input(SEEN, depth=True))
    assert torch.equal(sure, network_input(SEEN, confidence=True))
    assert predict(model("depth"), SEEN).shape == (7, 17, 3)
    two = TemporalModel(17, 2, 17, (3,), channels=4, third="depth")
    assert torch.equal(input_of(two)(SEEN), network_input(SEEN))
    with pytest.raises(ValueError, match="third must be one of confidence, depth"):
        model("distance")


def test_depths_are_the_same_in_the_mirror():
    model = TemporalModel(17, 3, 17, (1,), channels=4, third="depth")
    windows = keypoint_windows([SEEN], 1, features=input_of(model))
    plain, other = windows.input(torch.tensor([3])), windows.input(torch.tensor([10]))
    left, right = SEEN.skeleton.left[0], SEEN.skeleton.right[0]
    assert torch.equal(plain[0, 0, left, 1:], other[0, 0, right, 1:])
    assert torch.equal(plain[0, 0, left, 0], -other[0, 0, right, 0])


def test_what_is_not_there_is_refused():
    plain = swinging("a", 5, 0.2)
    for inputs in ("2d_depth", "2d_depth_noise"):
        with pytest.raises(ValueError, match=r"S1/swinging/a.* has no depths, which inputs='2d_d"):
            as_inputs(plain, inputs)
    with pytest.raises(ValueError, match="has no depths of its keypoints"):
        network_input(plain, depth=True)
    with pytest.raises(ValueError, match="has no 3D positions"):
        as_inputs(replace(plain, positions=None), "gt_2d")
    behind = plain.positions.clone()
    behind[2, 4, 2] = -0.1
    with pytest.raises(ValueError, match="not in front of the camera in frame 2"):
        as_inputs(replace(plain, positions=behind), "gt_2d_depth")
    with pytest.raises(ValueError, match=r"unknown inputs '2d_depths'.*'2d_depth'"):
        as_inputs(plain, "2d_depths")
    assert len(INPUTS) == 5
