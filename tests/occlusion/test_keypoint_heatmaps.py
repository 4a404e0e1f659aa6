"""Heatmaps with hidden keypoints left out."""

import math

import pytest
import torch

from paperlib.occlusion import heatmaps


def tall(dtype=torch.float64, device="cpu"):
    """(1, 4, 2): 2 wide and 6 high. With a margin of a quarter of 6 around the square is 9, so
    that 9 pixels are one unit each, with x = 0 in the middle of the pixel 3 and y = 0 in that
    of the pixel 1."""
    return torch.tensor([[[0.0, 0.0], [2.0, 1.0], [1.0, 4.0], [0.0, 6.0]]], dtype=dtype).to(device)


PIXELS = [(3, 1), (5, 2), (4, 5), (3, 7)]


def random_people(*, frames=5, dtype=torch.float64):
    return torch.rand(frames, 17, 2, dtype=dtype) * torch.tensor([300.0, 700.0], dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", [False, True], ids=["tall", "wide"])
def test_each_peak_is_one_and_in_its_pixel(turned, dtype, device):
    keypoints, pixels = tall(dtype, device), PIXELS
    if turned:
        keypoints, pixels = keypoints.flip(-1), [(y, x) for x, y in PIXELS]
    maps = heatmaps(keypoints, size=9, sigma=1.0, margin=0.25)
    assert maps.shape == (1, 4, 9, 9) and maps.dtype == dtype and maps.device.type == device.type
    for picture, (x, y) in zip(maps[0], pixels, strict=True):
        assert picture.argmax().item() == y * 9 + x  # rows are y
        assert picture[y, x].item() == pytest.approx(1, abs=1e-6)
        assert picture[y, x - 1].item() == pytest.approx(math.exp(-1 / 2), abs=1e-6)
        assert picture[y + 1, x - 1].item() == pytest.approx(math.exp(-1), abs=1e-6)


def test_a_wider_sigma_falls_off_more_slowly():
    picture = heatmaps(tall(), size=9, sigma=3.0, margin=0.25)[0, 2]
    assert picture[5, 6].item() == pytest.approx(math.exp(-4 / 18))


def test_hidden_keypoints_leave_nothing_and_the_others_as_they_are(device):
    keypoints = random_people().to(device)
    visible = torch.rand(5, 17, device=device) < 0.6
    whole, maps = heatmaps(keypoints, size=32), heatmaps(keypoints, visible, size=32)
    assert (maps[~visible] == 0).all() and (~visible).any()
    # the crop is that of all keypoints, hidden or not
    assert torch.equal(maps[visible], whole[visible])
    assert (whole.amax(dim=(-2, -1)) > 0.8).all()
    assert torch.equal(heatmaps(keypoints, torch.ones_like(visible), size=32), whole)


def test_a_whole_gaussian_fits_in_the_picture_that_the_paper_has():
    """Its volume is 2 pi sigma^2, with sigma of 2 pixels and 128 along each side."""
    maps = heatmaps(random_people())
    assert maps.shape == (5, 17, 128, 128)
    torch.testing.assert_close(
        maps.sum(dim=(-2, -1)), torch.full((5, 17), 8 * math.pi, dtype=torch.float64)
    )
    narrow = heatmaps(random_people(), sigma=1.5)
    assert narrow.sum().item() == pytest.approx(5 * 17 * 4.5 * math.pi)


def test_the_margin_is_a_share_of_the_longer_side():
    """Half of it on either side: the outermost keypoints are a quarter of the picture inside."""
    keypoints = torch.tensor([[[10.0, 50.0], [30.0, 250.0], [20.0, 100.0]]])
    maps = heatmaps(keypoints, size=80, margin=0.5, sigma=1.0)
    rows, columns = (
        maps.sum(dim=d) @ torch.arange(80.0) / maps.sum(dim=(-2, -1)) for d in (-1, -2)
    )
    # 400 units are 80 pixels, about (20, 150); pixel 0 has its middle at half a pixel
    assert rows[0].tolist() == pytest.approx([19.5, 59.5, 29.5], abs=1e-3)
    assert columns[0].tolist() == pytest.approx([37.5, 41.5, 39.5], abs=1e-3)


def test_without_a_margin_the_outermost_lie_on_the_edge():
    """Half a Gaussian each."""
    keypoints = torch.tensor([[[0.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    maps = heatmaps(keypoints, size=64, sigma=3.0, margin=0.0)
    assert maps.sum(dim=(-2, -1))[0].tolist() == pytest.approx([9 * math.pi] * 2, rel=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scaling_and_shifting_all_keypoints_changes_nothing(dtype):
    keypoints = random_people(dtype=dtype)
    whole = heatmaps(keypoints, size=32)
    shift = torch.tensor([70.0, -400.0], dtype=dtype)
    for moved in (keypoints / 500 - 1, keypoints * 3 + shift):
        torch.testing.assert_close(heatmaps(moved, size=32), whole, atol=1e-4, rtol=0)
    # of one keypoint alone changes all the others
    moved = keypoints.clone()
    moved[0, 0] += 2000
    assert not torch.allclose(heatmaps(moved, size=32)[0, 1:], whole[0, 1:], atol=1e-2)
    assert torch.equal(heatmaps(moved, size=32)[1:], whole[1:])


def test_mirroring_keypoints_mirrors_the_pictures():
    keypoints = random_people()
    mirrored = keypoints * torch.tensor([-1.0, 1.0], dtype=torch.float64)
    expected = heatmaps(keypoints, size=32).flip(-1)
    torch.testing.assert_close(heatmaps(mirrored, size=32), expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keypoints_all_in_one_place_are_in_the_middle(dtype):
    for keypoints in (torch.full((2, 3, 2), 300.0, dtype=dtype), torch.zeros(2, 1, 2, dtype=dtype)):
        maps = heatmaps(keypoints, size=5, sigma=1.0)
        assert torch.isfinite(maps).all()
        assert (maps[..., 2, 2] == 1).all() and (maps.flatten(-2).argmax(-1) == 12).all()


GOOD = {"keypoints": torch.rand(5, 17, 2)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"keypoints": torch.zeros(17, 2)}, r"expected keypoints \(T, K, 2\), got \(17, 2\)"),
        ({"keypoints": torch.zeros(5, 17, 3)}, r"expected keypoints \(T, K, 2\), got \(5, 17, 3"),
        ({"keypoints": torch.zeros(0, 17, 2)}, r"expected keypoints \(T, K, 2\), got \(0, 17, 2"),
        ({"visible": torch.ones(5, 16) > 0}, r"visible \(5, 16\) torch\.bool does not fit"),
        ({"visible": torch.ones(5, 17)}, r"visible \(5, 17\) torch\.float32 .* one boolean"),
        ({"keypoints": torch.full((5, 17, 2), torch.nan)}, "keypoints have NaN or infinite"),
        ({"size": 0}, "a size and a sigma above 0, margin 0 or more, got size=0"),
        ({"sigma": 0.0}, "a size and a sigma above 0, .* sigma=0.0"),
        ({"sigma": float("nan")}, "a size and a sigma above 0, .* sigma=nan"),
        ({"margin": -0.1}, "a size and a sigma above 0, .* margin=-0.1"),
    ],
)
def test_wrong_input_is_explained(arguments, said):
    with pytest.raises(ValueError, match=said):
        heatmaps(**GOOD | arguments)
