"""Squares of films, and the way back from them."""

import math
from dataclasses import replace

import pytest
import torch

from paperlib.cameras import Camera, normalize_screen_coordinates, project
from paperlib.rendering import Crops
from paperlib.rendering.crops import pixel_intrinsics

PLAIN = Camera("plain", 640, 480, focal=(600.0, 620.0), centre=(310.0, 250.0))
BARREL = replace(PLAIN, name="barrel", radial=(-0.25, 0.1, 0.0), tangential=(0.003, -0.002))
CUSHION = replace(PLAIN, name="cushion", radial=(0.12, 0.02, 0.01))
CAMERAS = (PLAIN, BARREL, CUSHION)


def crops(size: int = 64, angle: float = 0.4) -> Crops:
    """One of each camera, near the film's edge, where a lens bends most."""
    middle = torch.tensor([[320.0, 240.0], [480.0, 150.0], [150.0, 330.0]])
    film = torch.tensor([[640.0, 480.0]] * 3)
    given = (torch.tensor([200.0, 250.0, 300.0]), torch.tensor([0.0, angle, -angle]))
    return Crops(middle, *given, pixel_intrinsics(CAMERAS), film, size)


def places(count: int = 50) -> torch.Tensor:
    return torch.rand(3, count, 2) * 64


def test_a_crop_by_hand():
    """A quarter turn: what is right in the crop is down in the film; two of its pixels are five."""
    one = Crops(
        torch.tensor([[100.0, 80.0]]),
        torch.tensor([160.0]),
        torch.tensor([math.pi / 2]),
        pixel_intrinsics([PLAIN]),
        torch.tensor([[640.0, 480.0]]),
        64,
    )
    found = one.to_film(torch.tensor([[[32.0, 32.0], [34.0, 32.0], [32.0, 30.0]]]))
    expected = torch.tensor([[[100.0, 80.0], [100.0, 85.0], [105.0, 80.0]]])
    assert torch.allclose(found, expected, atol=1e-4)


def test_there_and_back():
    some, pixels = crops(), places()
    assert torch.allclose(some.from_film(some.to_film(pixels)), pixels, atol=1e-4)
    depth = torch.rand(3, 50) * 5 + 1
    positions = some.unproject(pixels, depth)
    assert torch.allclose(positions[..., 2], depth)
    assert torch.allclose(some.project(positions), pixels, atol=1e-2)


def test_they_agree_with_the_cameras_own_projection():
    some = crops()
    positions = some.unproject(places(), torch.full((3, 50), 4.0))
    film = some.to_film(some.project(positions))
    screen = some.screen(some.project(positions))
    for number, camera in enumerate(CAMERAS):
        pixels = project(positions[number], camera)
        assert torch.allclose(film[number], pixels, atol=0.01)
        expected = normalize_screen_coordinates(pixels, 640, 480)
        assert torch.allclose(screen[number], expected, atol=1e-4)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_rays_of_all_pixels_undo_the_lens(size):
    some = crops(size)
    x, y = some.rays()
    back = some.project(torch.stack([x, y, torch.ones_like(x)], dim=-1).flatten(1, 2))
    line = torch.arange(size) + 0.5
    pixels = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).flatten(0, 1)
    assert (back - pixels).norm(dim=-1).max() < 0.02 * size / 64


def test_squares_about_points_and_what_lies_inside():
    points = torch.tensor([[[100.0, 100.0], [140.0, 300.0]], [[10.0, 400.0], [50.0, 440.0]]])
    rows, film = pixel_intrinsics([PLAIN, BARREL]), torch.tensor([[640.0, 480.0]] * 2)
    some = Crops.about(points, 0.2, rows, film, 64)
    assert torch.equal(some.middle, torch.tensor([[120.0, 200.0], [30.0, 420.0]]))
    assert torch.allclose(some.side, torch.tensor([280.0, 56.0]))
    corners = torch.tensor([[1.0, 1.0], [63.0, 1.0], [65.0, 1.0]]).expand(2, 3, 2)
    # the first one begins 20 pixels left of the film
    assert some.inside(corners).tolist() == [[False, True, False], [True, True, False]]
    square = some.screen_squares()
    assert torch.allclose(square[0], torch.tensor([-400 / 640, -80 / 640, 560 / 640]))
    assert len(some[1:]) == 1 and torch.equal(some[1:].side, some.side[1:])


def test_a_cut_picture_shows_the_places_of_the_film():
    """A film whose red and green say where they are: linear, and so exact between pixels."""
    column, row = torch.meshgrid(torch.arange(640) + 0.5, torch.arange(480) + 0.5, indexing="xy")
    film = torch.stack([column, row, torch.ones_like(row)]).expand(3, -1, -1, -1)
    some = crops()
    cut = some.cut(film)
    inside = (cut[:, 2] > 0.9999)[:, None].expand(-1, 2, -1, -1)
    assert inside.float().mean() > 0.9
    expected = some.pixels().permute(0, 3, 1, 2)
    assert torch.allclose(cut[:, :2][inside], expected[inside], atol=0.01)


def test_other_shapes_are_refused():
    some = crops()
    with pytest.raises(ValueError, match=r"points \(3, K, 2\), got \(2, 5, 2\)"):
        some.to_film(torch.zeros(2, 5, 2))
    with pytest.raises(ValueError, match=r"points \(3, K, 3\), got \(3, 5, 2\)"):
        some.project(torch.zeros(3, 5, 2))
    with pytest.raises(ValueError, match=r"frames \(3, 3, H, W\), got \(2, 3, 480, 640\)"):
        some.cut(torch.zeros(2, 3, 480, 640))
    with pytest.raises(ValueError, match=r"films of \[640.0, 480.0\] pixels"):
        some.cut(torch.zeros(3, 3, 64, 64))
