"""The multi-stride network sees the frames that its strides say, of maps and of their peaks."""

import pytest
import torch
from networks import randomised
from torch.nn import functional as F

from paperlib.models import MultiStrideTCN, as_large, count_parameters, fast
from paperlib.models.multi_stride import Branch, ChannelsLast, MapEmbedding
from paperlib.skeletons import H36M_17

JOINTS = 5
MIRRORED = H36M_17.mirrored


def network(strides=(1, 2, 3), length=24, maps=None, features=3, **options) -> MultiStrideTCN:
    options = {"embedding": 12, "channels": 8, "num_blocks": 2} | options
    return randomised(MultiStrideTCN(JOINTS, features, 4, strides, length, maps, **options))


def keypoints(batch=3, frames=24, joints=JOINTS, features=3):
    return torch.rand(batch, frames, joints, features)


@pytest.mark.parametrize("length", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("maps", [None, {"size": 8}, {"size": 16, "crop": "window"}])
def test_every_frame_of_a_window_is_a_target(maps, length):
    model = network(length=length, maps=maps)
    poses = model(keypoints(2, length))
    assert poses.shape == (2, length, 4, 3) and poses.dtype == torch.float32
    assert model.length == length and model.receptive_field == 1


@pytest.mark.parametrize("size", [4, 8, 16, 32, 64])
def test_maps_of_each_size_become_a_vector(size):
    embed = MapEmbedding(JOINTS, size, 12, dropout=0.0, place=False)
    assert embed(torch.rand(2, 3, JOINTS, size, size), None).shape == (2, 3, 12)
    widths = [layer.out_channels for layer in embed.convolutions]
    assert widths == {4: [], 8: [64], 16: [32, 64], 32: [16, 32, 64], 64: [8, 16, 32, 64]}[size]


# ---- what is seen --------------------------------------------------------------------------------


def seen(function, frames, channels, at, batch=2):
    """Frames of ``(B, T, C)`` that the output at ``at`` depends on."""
    x = torch.randn(batch, frames, channels, requires_grad=True)
    function(x)[:, at].sum().backward()
    return x.grad.abs().amax(dim=(0, 2)).nonzero().flatten().tolist()


@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("at", [0, 30, 63])
def test_a_branch_sees_each_k_th_frame_alone(stride, at):
    found = seen(randomised(Branch(6, 16, 2, stride, 0.0)), 64, 6, at)
    reach = [at + k * stride for k in range(-4, 5)]
    assert found == [t for t in reach if 0 <= t < 64]


def test_a_network_sees_what_its_branches_see():
    model = network((2, 7), length=64, num_blocks=1, features=2, channels=32)
    found = seen(lambda x: model(x.unflatten(2, (JOINTS, 2))).flatten(2), 64, JOINTS * 2, 30)
    assert found == [23, 28, 30, 32, 37]


def test_beyond_a_window_there_is_nothing():
    """As if an embedding of zeros stood there; what is farther than the reach changes nothing."""
    branch = randomised(Branch(6, 8, 1, 3, 0.0))
    branch.expand = torch.nn.Identity()
    x = torch.randn(2, 20, 8)
    padded = F.pad(x, (0, 0, 5, 5))
    torch.testing.assert_close(branch(padded)[:, 5:-5], branch(x))


def test_windows_of_a_batch_are_independent():
    for maps in (None, {"size": 8}, {"size": 8, "crop": "window"}):
        model, x = network(maps=maps), keypoints()
        order = torch.tensor([2, 0, 1])
        torch.testing.assert_close(model(x[order]), model(x)[order])


def test_strides_are_a_set():
    assert network((3, 1)).config == network([1, 3]).config
    assert network((3, 1)).strides == (1, 3)
    names = network((1, 2, 3, 5, 7), length=64).branches
    assert [b.blocks[1].wide.dilation for b in names] == [3, 6, 9, 15, 21]


# ---- maps ----------------------------------------------------------------------------------------


def test_a_convolution_over_channels_last_is_pytorchs_own():
    layer = ChannelsLast(5, 7, 3, stride=2, padding=1, bias=False)
    x = torch.randn(2, 5, 8, 8)
    expected = F.conv2d(x, layer.weight, stride=2, padding=1)
    found = layer(x.permute(0, 2, 3, 1).contiguous())
    torch.testing.assert_close(found.permute(0, 3, 1, 2), expected)


@pytest.mark.parametrize("place", [True, False])
def test_maps_that_come_ready_are_as_good_as_drawn_ones(place):
    model, x = network(maps={"size": 16}, place=place), keypoints()
    maps, crops = model.drawn(x)
    assert maps.shape == (3, 24, JOINTS, 16, 16) and crops.shape == (3, 24, 3)
    torch.testing.assert_close(model(maps, crops), model(x))
    torch.testing.assert_close(model(maps.contiguous(), crops), model(x))
    if not place:
        torch.testing.assert_close(model(maps), model(x))


def test_without_the_place_a_person_looks_the_same_everywhere():
    x = keypoints()
    moved = torch.cat([x[..., :2] * 2 + 0.3, x[..., 2:]], dim=-1)
    blind, told = network(maps={"size": 16}, place=False), network(maps={"size": 16})
    torch.testing.assert_close(blind(moved), blind(x), rtol=1e-3, atol=1e-4)
    assert (told(moved) - told(x)).abs().max() > 1e-3


def test_what_was_not_found_does_not_matter_where_it_is():
    model, x = network(maps={"size": 16, "crop": "window"}), keypoints()
    x[:, 20:, :, 2] = 0
    other = x.clone()
    other[:, 20:, :, :2] = 99.0
    torch.testing.assert_close(model(other), model(x))


def test_the_occluder_takes_a_fourth_feature():
    model = network(maps={"size": 16, "occluder": 0.5}, features=4)
    x = keypoints(features=4)
    x[..., 2:] = torch.tensor([0.5, 1.0])
    hidden = x.clone()
    hidden[:, :, 2, 3] = 0
    more = model.drawn(hidden)[0] - model.drawn(x)[0]
    assert more[:, :, 2].amax(dim=(-2, -1)).min() > 0.05  # of 0.125, between cells
    assert (more[:, :, [0, 1, 3, 4]] == 0).all()
    assert (model(hidden) - model(x)).abs().max() > 1e-5
    plain = MultiStrideTCN(**(model.config | {"maps": {"size": 16}, "in_features": 3})).eval()
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(plain(x[..., :3]), model(x))


@pytest.mark.parametrize("maps", [None, {"size": 16}])
def test_in_mixed_precision_poses_stay_exact_to_the_millimetre(maps):
    model, x = network(maps=maps), keypoints()
    with torch.autocast("cpu", torch.bfloat16):
        half = model(x)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, model(x), rtol=0.05, atol=0.05)
    assert not torch.equal(half, half.bfloat16().float())


@pytest.mark.parametrize("maps", [None, {"size": 16}])
def test_what_else_is_in_a_batch_does_not_matter(maps):
    """Not in training either: statistics of a few windows would be those of a few people."""
    model, x = network(maps=maps, dropout=0.0).train(), keypoints()
    alone = torch.cat([model(window[None]) for window in x])
    torch.testing.assert_close(alone, model(x))
    torch.testing.assert_close(fast.for_training(model)(x), alone)
    fast.set_momentum(model, 0.01)  # of no use to a layer norm
    torch.testing.assert_close(model.eval()(x), alone)


@pytest.mark.parametrize("maps", [None, {"size": 8}])
def test_it_learns_a_pose_from_where_keypoints_are(maps):
    """The joint that is asked for lies where one keypoint does, one frame later."""
    torch.manual_seed(1)
    model = MultiStrideTCN(JOINTS, 3, 1, (1, 2), 8, maps, 64, 32, 1, dropout=0.0).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(200):
        x = keypoints(16, 8)
        x[..., 2] = 1
        target = F.pad(x[:, 1:, 0, :2] - 0.5, (0, 1))
        loss = (model(x)[:, :-1, 0] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.3 * sum(losses[:3]) / 3 * 10
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


# ---- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"strides": (1,)}, {"strides": (1,), "num_blocks": 3}])
def test_one_wide_stride_has_as_many_parameters(changes):
    many = network((1, 2, 3, 5, 7), length=32, channels=16)
    wide = as_large(many.config, **changes)
    one = MultiStrideTCN(**wide)
    assert one.strides == (1,) and wide["channels"] > 16
    count = count_parameters(many)
    near = [
        abs(count_parameters(MultiStrideTCN(**wide | {"channels": c})) - count)
        for c in (wide["channels"] + step for step in (-1, 0, 1))
    ]
    assert near[1] == min(near) and near[1] < 0.05 * count


def test_a_network_is_as_large_as_itself():
    config = network().config
    assert as_large(config) == config


def test_parameters_by_hand():
    model = network((1, 2), length=8, num_blocks=1, features=2, channels=8)
    embed = 10 * 12 + 2 * 12
    branch = (12 * 8 + 16) + (3 * 8 * 8 + 16) + (8 * 8 + 16)
    assert count_parameters(model) == embed + 2 * branch + (16 * 8 + 16) + (8 * 12 + 12)


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *[
            ({"strides": wrong}, "strides must be different whole numbers of at least one")
            for wrong in ((), (1, 1), (0, 1), (-1,), (1.5,), (True, 2), 3, "12", None)
        ],
        ({"strides": (1, 7), "length": 14}, "windows of 14 frames are shorter than the 15"),
        ({"length": 0}, "length must be an integer of at least 1"),
        ({"embedding": 0}, "embedding must be an integer of at least 1"),
        ({"place": 1}, "place must be True or False"),
        ({"maps": 16}, "maps are a dictionary of options, or None for peaks; got 16"),
        ({"maps": {"sise": 16}}, "unknown option of maps 'sise'.*Did you mean 'size'"),
        ({"maps": {"size": 12}}, "cells a side, got size=12"),
        ({"maps": {"size": 8}, "features": 2}, "from 3 features .* got in_features=2"),
        ({"maps": {"size": 8, "occluder": 0.1}}, "from 4 features .* got in_features=3"),
        ({"maps": {"confused": 0.1, "mirrored": MIRRORED}}, "of 17 keypoints, but there are 5"),
        ({"normalisation": "image"}, "normalisation must be one of screen, person"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        network(**options)


def test_the_shortest_window_is_that_of_the_largest_kernel():
    assert network((1, 7), length=15)(keypoints(frames=15)).shape == (3, 15, 4, 3)


def test_maps_that_do_not_fit_are_refused():
    model = network(maps={"size": 16})
    maps, crops = model.drawn(keypoints())
    with pytest.raises(ValueError, match=r"maps \(B, T, 5, 16, 16\) or keypoints \(B, T, 5, 3\)"):
        model(maps[..., :8], crops)
    with pytest.raises(ValueError, match=r"its crops \(B, T, 3\), got None beside maps"):
        model(maps)
    with pytest.raises(ValueError, match=r"got \(3, 24\) beside maps \(3, 24, 5, 16, 16\)"):
        model(maps, crops[..., 0])
    with pytest.raises(ValueError, match=r"expected keypoints \(B, T, 5, 3\)"):
        network()(maps)
