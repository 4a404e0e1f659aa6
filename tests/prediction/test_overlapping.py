"""Sequences of any length through windows in which all frames are targets."""

import pytest
import torch
from networks import randomised
from samples import recording

from paperlib.models import MultiStrideTCN
from paperlib.prediction import lift_windows, predict
from paperlib.skeletons import H36M_17
from paperlib.windows import input_of, mirror, network_input


def model(length=12, maps=None, features=3, **options) -> MultiStrideTCN:
    options = {"embedding": 12, "channels": 8} | options
    return randomised(MultiStrideTCN(17, features, 17, (1, 3), length, maps, **options))


@pytest.mark.parametrize("frames", [1, 2, 7, 11, 12, 13, 17, 18, 19, 40])
@pytest.mark.parametrize("maps", [None, {"size": 8}])
def test_a_pose_for_each_frame(frames, maps, device):
    poses = predict(model(maps=maps).to(device), recording(frames))
    assert poses.shape == (frames, 17, 3) and poses.device.type == "cpu"
    assert poses.isfinite().all()


def test_one_window_is_as_it_is():
    net, x = model(), torch.rand(2, 12, 17, 3)
    torch.testing.assert_close(lift_windows(net, x), net(x))


def test_a_short_sequence_is_padded_by_its_ends():
    net, x = model(), torch.rand(1, 5, 17, 3)
    around = [0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4]
    torch.testing.assert_close(lift_windows(net, x), net(x[:, around])[:, 4:9])


def test_windows_overlap_and_their_middles_count_most():
    """Windows of 12 frames begin at 0, 6 and, to end with the sequence, 8."""
    net, x = model(), torch.rand(2, 20, 17, 3)
    found = lift_windows(net, x)
    parts = {start: net(x[:, start : start + 12]) for start in (0, 6, 8)}
    torch.testing.assert_close(found[:, 3], parts[0][:, 3])
    # frame 9: 3 from the end of the first, 4 from the begin of the second, 2 from the third's
    mean = (3 * parts[0][:, 9] + 4 * parts[6][:, 3] + 2 * parts[8][:, 1]) / 9
    torch.testing.assert_close(found[:, 9], mean)
    torch.testing.assert_close(found[:, 19], parts[8][:, 11])


class Answers(MultiStrideTCN):
    """Answers the first keypoint of each frame."""

    def forward(self, features, crops=None):
        return torch.cat([features[:, :, :1], features[:, :, :1] * 2], dim=2)


@pytest.mark.parametrize("frames", [3, 12, 31, 200])
def test_each_frame_gets_its_own_pose(frames):
    x = torch.rand(2, frames, 17, 3)
    found = lift_windows(Answers(17, 3, 2, (1,), 12, None, 4, 4), x)
    torch.testing.assert_close(found[:, :, 0], x[:, :, 0])


def test_mirror_images_are_averaged_in():
    net, one = model(maps={"size": 8}), recording(20)
    x = network_input(one, confidence=True)
    plain = lift_windows(net, x[None])[0]
    back = mirror(lift_windows(net, mirror(x, H36M_17)[None])[0], H36M_17)
    torch.testing.assert_close(predict(net, one, flip=False), plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(predict(net, one), (plain + back) / 2, rtol=1e-4, atol=1e-5)
    assert (plain - back).abs().max() > 1e-3


def test_who_is_told_what_is_visible():
    net = model(maps={"size": 8, "occluder": 0.5}, features=4)
    one = recording(15, visible=torch.rand(15, 17) < 0.7)
    columns = input_of(net)(one)
    assert columns.shape == (15, 17, 4)
    assert torch.equal(columns[..., 3] == 1, one.visible)
    assert torch.equal(columns[..., :3], network_input(one, confidence=True))
    assert predict(net, one).shape == (15, 17, 3)
    with pytest.raises(ValueError, match="which of its 17 keypoints are visible is not known"):
        predict(net, recording(15))
