"""Predictions have a pose for each frame, whatever is known of the recording."""

import numpy as np
import pytest
import torch
from networks import lifting as model
from samples import recording

from paperlib.cameras import normalize_screen_coordinates
from paperlib.models import LinearModel, Streaming, TemporalPoseNet
from paperlib.prediction import locate, predict
from paperlib.refinement import refine
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.windows import network_input


def mirrored(points: np.ndarray) -> np.ndarray:
    turned = points[..., list(H36M_17.mirrored), :].copy()
    turned[..., 0] = -turned[..., 0]
    return turned


@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", [1, 9, 27])
@pytest.mark.parametrize("frames", [1, 2, 8, 9, 10, 40])
def test_a_pose_for_each_frame(frames, receptive_field, causal, device):
    one = recording(frames)
    poses = predict(model(receptive_field, causal).to(device), one)
    assert poses.shape == (frames, 17, 3)
    assert poses.device.type == "cpu"
    assert not poses.requires_grad


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("frames", [3, 14])
def test_each_frame_is_the_target_of_its_own_window(frames, causal):
    net, one = model(9, causal), recording(frames)
    poses = predict(net, one, flip=False)
    screen = normalize_screen_coordinates(one.keypoints, 1000, 1000)
    for t in range(frames):
        first = t - (8 if causal else 4)
        window = screen[[min(max(i, 0), frames - 1) for i in range(first, first + 9)]]
        torch.testing.assert_close(poses[t], net.eval()(window[None])[0, 0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_flip_averages_with_the_mirrored_back_pose_of_the_mirrored_keypoints():
    net, one = model(1), recording(6)
    net.eval()
    screen = normalize_screen_coordinates(one.keypoints, 1000, 1000).numpy()
    as_it_is = net(torch.from_numpy(screen)[None])[0].numpy()
    back = mirrored(net(torch.from_numpy(mirrored(screen))[None])[0].numpy())
    assert np.abs(back - as_it_is).max() > 0.01
    torch.testing.assert_close(
        predict(net, one, flip=True), torch.from_numpy((as_it_is + back) / 2), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(predict(net, one, flip=False), torch.from_numpy(as_it_is))


def test_flip_makes_the_model_symmetric():
    """The mirror image of a recording then gets the mirror image of its poses."""
    net, one = model(9), recording(12)
    keypoints = one.keypoints[:, list(H36M_17.mirrored)].clone()
    keypoints[..., 0] = 1000 - keypoints[..., 0]
    turned = predict(net, one.with_keypoints(keypoints, one.confidence))
    expected = torch.from_numpy(mirrored(predict(net, one).numpy()))
    torch.testing.assert_close(turned, expected, rtol=1e-4, atol=1e-5)


def test_input_and_output_joints_may_differ():
    one = recording(5).with_keypoints(torch.rand(5, 17, 2), torch.ones(5, 17), COCO_17)
    assert predict(model(3), one).shape == (5, 17, 3)


def test_a_linear_model_predicts_too():
    assert predict(LinearModel(17, 2, 17, channels=8), recording(4)).shape == (4, 17, 3)


# ---- films whose poses nobody knows --------------------------------------------------------------


def test_a_film_without_positions_is_lifted_streamed_and_its_people_are_refined():
    film, net = recording(12, positions=None), model(9, causal=True).eval()
    stream = Streaming(net)
    streamed = torch.stack([stream.step(frame) for frame in network_input(film)])
    torch.testing.assert_close(streamed, predict(net, film, flip=False), rtol=1e-4, atol=1e-5)
    posenet = TemporalPoseNet(14, 17, (3, 3), channels=8).eval()
    located = locate(posenet, film)
    assert refine(located, film.score).shape == (12, 17, 3)
    pose = located - located[:, :1]
    torch.testing.assert_close(predict(posenet, film), pose)


def test_a_tensor_is_no_recording():
    with pytest.raises(ValueError, match=r"takes a Recording, got a Tensor.*models\.lift"):
        predict(model(), torch.rand(1, 20, 17, 2))
