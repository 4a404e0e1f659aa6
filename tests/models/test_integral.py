"""Integral regression: where a volume has its centre, the network's sizes, and what it refuses."""

import pytest
import torch
from networks import randomised

from paperlib.errors import CheckpointError
from paperlib.models import (
    IntegralRegression,
    TemporalModel,
    count_parameters,
    load_imagenet_weights,
)
from paperlib.models.integral import expectation, marginals
from paperlib.models.resnet import ResNet

SMALL = {"backbone": "resnet18", "channels": 4, "deconvolution": 8, "bins": 6, "size": 32}


def small(**changes) -> IntegralRegression:
    return randomised(IntegralRegression(17, **(SMALL | changes)))


def gaussian(place: tuple[float, float, float], shape=(12, 16, 20), spread=1.3) -> torch.Tensor:
    """Logits ``(1, 1, d, h, w)`` of a Gaussian about ``place``: depth, row, column, in bins from
    the outer face of the first one."""
    axes = [
        torch.arange(n, dtype=torch.float32) + 0.5 - at for n, at in zip(shape, place, strict=True)
    ]
    grid = torch.meshgrid(*axes, indexing="ij")
    return -sum(axis.square() for axis in grid)[None, None] / (2 * spread**2)


# ---- the centre of a volume ----------------------------------------------------------------------


def test_all_weight_in_one_bin_is_its_middle():
    """The second of four columns: (1 + 1/2) / 4 - 1/2 = -1/8; the last of two rows: 1/4; the first
    of five depths: -2/5."""
    volume = torch.full((1, 1, 5, 2, 4), -1e4)
    volume[0, 0, 0, 1, 1] = 0
    found = expectation(marginals(volume))
    assert torch.allclose(found, torch.tensor([[[-0.125, 0.25, -0.4]]]))


def test_a_gaussian_between_bins_is_found_there():
    place = (5.3, 8.85, 9.1)
    x, y, z = expectation(marginals(gaussian(place)))[0, 0].tolist()
    assert x == pytest.approx(place[2] / 20 - 0.5, abs=1e-5)
    assert y == pytest.approx(place[1] / 16 - 0.5, abs=1e-5)
    assert z == pytest.approx(place[0] / 12 - 0.5, abs=1e-4)


def test_an_even_volume_is_its_middle_and_marginals_add_to_one():
    flat = marginals(torch.zeros(2, 3, 4, 5, 6))
    assert torch.allclose(expectation(flat), torch.zeros(2, 3, 3), atol=1e-6)
    found = marginals(torch.randn(2, 3, 4, 5, 6))
    assert [share.shape for share in found] == [(2, 3, 6), (2, 3, 5), (2, 3, 4)]
    for share in found:
        assert torch.allclose(share.sum(dim=-1), torch.ones(2, 3), atol=1e-5)


def test_a_volume_in_the_mirror_has_its_centre_there():
    volume = torch.randn(2, 3, 4, 5, 6)
    one, other = (expectation(marginals(v)) for v in (volume, volume.flip(-1)))
    assert torch.allclose(other * torch.tensor([-1.0, 1.0, 1.0]), one, atol=1e-6)


def test_gradients_pull_towards_the_target():
    """A step against the gradient of |z - target| moves z there, and x hardly."""
    volume = gaussian((5.0, 8.0, 9.0)).requires_grad_()
    before = expectation(marginals(volume))[0, 0]
    (before[2] - 0.4).abs().backward()
    after = expectation(marginals(volume - 500 * volume.grad))[0, 0]
    assert after[2] > before[2] + 0.01
    assert abs(after[0] - before[0]) < 1e-3


# ---- the network ---------------------------------------------------------------------------------


def test_parameters_of_the_backbones_are_those_of_torchvision():
    """Printed there with the classifier of 1000 classes: 25,557,032 and 11,689,512."""
    with torch.device("meta"):
        assert count_parameters(ResNet("resnet50")) == 25_557_032 - 2048 * 1000 - 1000
        assert count_parameters(ResNet("resnet18")) == 11_689_512 - 512 * 1000 - 1000


def test_the_papers_volume():
    with torch.device("meta"):
        model = IntegralRegression(17).train()
        assert model.volume(torch.empty(2, 3, 256, 256)).shape == (2, 17, 72, 64, 64)
        last, *_ = (m for m in reversed(model.deconvolutions) if hasattr(m, "kernel_size"))
    assert (last.kernel_size, last.stride, last.out_channels) == ((4, 4), (2, 2), 256)
    assert model.extent == 1.5


def test_parameters_of_the_second_stage():
    """gaps.md, 5.3: three numbers a joint, 243 frames, and (W, B) = (1, 2)."""
    with torch.device("meta"):
        assert count_parameters(TemporalModel(17, 3, 17, (3,) * 5)) == 17_004_595
        assert count_parameters(TemporalModel(17, 3, 17, (1,) * 3)) == 4_309_043


def test_images_of_other_multiples_of_the_stride():
    model = small()
    assert model(torch.rand(2, 3, 64, 96)).shape == (2, 17, 3)
    assert model.volume(torch.rand(1, 3, 64, 96)).shape == (1, 17, 6, 16, 24)


def test_what_is_in_an_image_moves_by_as_much_as_the_image():
    """By a whole stride, in an image that is empty around it: the volume moves by eight bins."""
    model = small()
    torch.nn.init.normal_(model.last.weight)
    one = torch.zeros(1, 3, 768, 768)  # so large that no edge is seen from the middle
    one[..., 370:400, 350:380] = torch.rand(3, 30, 30)
    other = one.roll(32, dims=-1)
    first, second = model.volume(one), model.volume(other)
    inner = first[..., 84:108, 80:104]
    assert torch.allclose(second[..., 84:108, 88:112], inner, atol=1e-3)
    assert inner.std() > 0.1


def test_bfloat16_is_near_float32():
    model, images = small(), torch.rand(4, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(images)
    assert half.dtype == torch.float32
    assert (half - model(images)).abs().max() < 0.01


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(3, 32, 32), r"expected images \(N, 3, H, W\).*\(3, 32, 32\)"),
        (torch.rand(2, 32, 32, 3), r"expected images \(N, 3, H, W\).*\(2, 32, 32, 3\)"),
        (torch.rand(0, 3, 32, 32), r"N > 0.*\(0, 3, 32, 32\)"),
        (torch.rand(1, 3, 32, 48), "32 x 48 pixels: both sides must be multiples of 32"),
        (torch.rand(1, 3, 0, 32), "0 x 32 pixels"),
        (torch.rand(1, 3, 32, 32) * 255, r"must be RGB from 0 to 1.*divide 8-bit"),
        (torch.full((1, 3, 32, 32), torch.nan), "leave out frames with NaN"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "images of torch.uint8"),
        ([[1.0]], "got a list"),
    ],
)
def test_other_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        small()(images)


def test_unknown_backbones_are_refused():
    with pytest.raises(ValueError, match=r"unknown backbone 'resnet51'.*'resnet50'"):
        IntegralRegression(17, "resnet51")


# ---- weights of ImageNet -------------------------------------------------------------------------


def saved(tmp_path, **changes):
    """A file as torchvision publishes it, of a narrow network: with a classifier."""
    state = ResNet("resnet18", 4).state_dict() | {
        "fc.weight": torch.rand(1000, 32),
        "fc.bias": torch.rand(1000),
    }
    state = {name: v for name, v in (state | changes).items() if v is not None}
    torch.save(state, tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth", state


def test_weights_of_torchvision_are_loaded(tmp_path):
    counters = dict.fromkeys(
        n for n in ResNet("resnet18", 4).state_dict() if n.endswith("num_batches_tracked")
    )
    path, state = saved(tmp_path, **counters)  # as old files are, without them
    model = small()
    load_imagenet_weights(model.backbone, path)
    assert torch.equal(model.backbone.conv1.weight, state["conv1.weight"])
    assert torch.equal(
        model.backbone.layer4[0].downsample[0].weight, state["layer4.0.downsample.0.weight"]
    )


def test_names_are_those_of_torchvision():
    names = set(ResNet("resnet50", 4).state_dict())
    known = "conv1.weight bn1.running_var layer1.0.downsample.1.bias layer3.5.conv3.weight"
    assert set(known.split()) <= names
    assert len([n for n in names if n.endswith(".weight")]) == 53 * 2  # convolutions, norms


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv1.weight": torch.rand(8, 3, 7, 7)}, r"conv1.weight is \(8, 3, 7, 7\), expected"),
        ({"bn1.bias": None}, r"bn1.bias is missing, expected \(4,\)"),
        ({"head.weight": torch.rand(3)}, r"head.weight is \(3,\), expected none of this name"),
        ({"bn1.bias": torch.full((4,), torch.nan)}, "bn1.bias holds NaN"),
    ],
)
def test_other_weights_are_refused(tmp_path, change, message):
    path, _ = saved(tmp_path, **change)
    with pytest.raises(CheckpointError, match=message):
        load_imagenet_weights(ResNet("resnet18", 4), path)


def test_a_cut_file_is_refused(tmp_path):
    path, _ = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"resnet18\.pth: not a checkpoint, or cut off"):
        load_imagenet_weights(ResNet("resnet18", 4), path)
