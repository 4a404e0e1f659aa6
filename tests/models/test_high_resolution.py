"""The network that sees."""

import pytest
import torch
from networks import randomised

from paperlib.models import HighResolutionNet, count_parameters, soft_argmax


def small() -> HighResolutionNet:
    return randomised(HighResolutionNet(17, 4, 1, 1)).eval()


def test_soft_argmax_of_a_single_cell_is_its_middle():
    logits = torch.full((2, 8, 8), -100.0)
    logits[0, 0, 0] = logits[1, 5, 2] = 0.0
    assert torch.allclose(soft_argmax(logits), torch.tensor([[0.5, 0.5], [2.5, 5.5]]))


def test_soft_argmax_of_a_gaussian_between_cells_is_its_middle():
    place = torch.tensor([6.3, 9.85])
    cells = torch.arange(16) + 0.5
    x, y = (-((cells - p) ** 2) / 2 for p in place)
    assert torch.allclose(soft_argmax(y[:, None] + x), place, atol=1e-3)


def test_soft_argmax_of_maps_that_are_not_square():
    logits = torch.full((3, 4, 12), -100.0)
    logits[:, 3, 11] = 0.0
    assert torch.allclose(soft_argmax(logits), torch.tensor([11.5, 3.5]).expand(3, 2))


def test_half_a_million_parameters_and_a_quarter_of_the_resolution():
    model = HighResolutionNet(17)
    assert 450_000 < count_parameters(model) < 550_000
    for shape in ((32, 32), (64, 64), (64, 96)):
        expected = (2, 17, shape[0] // 4, shape[1] // 4)
        assert model(torch.rand(2, 3, *shape)).shape == expected
    maps = model.eval().maps(torch.rand(2, 3, 64, 64))
    assert maps.dtype == torch.float32 and maps.min() >= 0 and maps.max() <= 1


def test_every_branch_reaches_the_maps():
    """A pixel far away counts for a cell: the coarse branches see it, a few convolutions do not."""
    model, images = small(), torch.rand(1, 3, 64, 64, requires_grad=True)
    model(images)[0, :, 4, 4].sum().backward()
    felt = images.grad.abs().sum(dim=(0, 1))
    assert felt[16:24, 16:24].sum() > felt[56:, 56:].sum() > 0
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_bfloat16_is_near_float32():
    model, images = small(), torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        expected = model.maps(images)
        with torch.autocast("cpu", torch.bfloat16):
            found = model.maps(images)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 0.05 and (found != expected).any()


@pytest.mark.parametrize(
    ("images", "given"),
    [
        (torch.rand(2, 64, 64, 3), r"\(2, 64, 64, 3\)"),
        (torch.rand(3, 64, 64), r"\(3, 64, 64\)"),
        (torch.rand(2, 3, 64, 60), "64 x 60 pixels: both sides must be multiples of 16"),
        (torch.rand(0, 3, 64, 64), r"\(0, 3, 64, 64\)"),
        (torch.zeros(2, 3, 64, 64, dtype=torch.uint8), "uint8: expected floating point"),
        ("a picture", "str"),
    ],
)
def test_other_images_are_refused(images, given):
    with pytest.raises(ValueError, match=given):
        small()(images)


@pytest.mark.parametrize("wrong", [255.0, -0.1, float("nan")])
def test_values_that_are_no_colours_are_refused_except_in_training(wrong):
    model, images = small(), torch.rand(2, 3, 16, 16)
    model(images)
    images[0, 1, 2, 3] = wrong
    with pytest.raises(ValueError, match="RGB from 0 to 1"):
        model(images)
    model.train()(images)


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"blocks": 1.5}, {"modules": True}])
def test_other_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be an integer"):
        HighResolutionNet(17, **wrong)
