"""Cameras: projection worked by hand, and every step undone again."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest
import torch
from samples import assert_close
from scipy.spatial.transform import Rotation

from paperlib.cameras import (
    Camera,
    camera_to_world,
    denormalize_screen_coordinates,
    inverse_calibration,
    normalize_person_coordinates,
    normalize_screen_coordinates,
    project,
    project_to_screen,
    screen_intrinsics,
    undistort,
    unproject,
    world_to_camera,
)

PLAIN = Camera("plain", 1000, 800, focal=(1000.0, 1100.0), centre=(500.0, 400.0))
BENT = replace(PLAIN, focal=(1000.0, 1000.0), radial=(0.1, -0.2, 0.4), tangential=(0.01, 0.02))
TURNED = replace(PLAIN, orientation=(0.5, -0.5, 0.5, -0.5), position=(1.0, -2.0, 3.0))
LENSES = {
    "none": {},
    "studio": {"radial": (-0.2, 0.24, -0.003), "tangential": (-0.0008, -0.0014)},
    "barrel": {"radial": (-0.4, 0.1, 0.0), "tangential": (0.01, -0.02)},
    "pincushion": {"radial": (0.4, 0.3, 0.1), "tangential": (0.03, -0.04)},
}
PRECISIONS = {torch.float32: 2e-5, torch.float64: 1e-12}
BOTH_PRECISIONS = pytest.mark.parametrize(("dtype", "close"), PRECISIONS.items())


def grid(dtype=torch.float64, depth=3.0) -> torch.Tensor:
    """(441, 3) camera-space points up to 45 degrees off the axis, in x and in y."""
    steps = torch.linspace(-1, 1, 21, dtype=dtype)
    return torch.cat([torch.cartesian_prod(steps, steps), torch.ones(441, 1).to(dtype)], 1) * depth


def projected_by_hand(point, camera):
    """The lens model in plain numbers, written out without nesting or vectors."""
    x, y = (max(-1.0, min(1.0, float(c) / float(point[2]))) for c in point[:2])
    (k1, k2, k3), (p1, p2) = camera.radial, camera.tangential
    r = (x * x + y * y) ** 0.5
    radial = 1 + k1 * r**2 + k2 * r**4 + k3 * r**6
    both = radial + p1 * x + p2 * y
    return (
        camera.focal[0] * (x * both + p1 * r**2) + camera.centre[0],
        camera.focal[1] * (y * both + p2 * r**2) + camera.centre[1],
    )


def test_points_are_projected_and_bent_as_worked_by_hand():
    # x = 0.5 / 2, y = -0.25 / 2: 1000 * 0.25 + 500 and 1100 * -0.125 + 400
    point = torch.tensor([0.5, -0.25, 2.0], dtype=torch.float64)
    assert project(point, PLAIN).tolist() == pytest.approx([750.0, 262.5], abs=1e-9)
    # x = 0.5, y = 0.25, r^2 = 0.3125, radial 1.02392578125, tangential 0.005 + 0.005
    point = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    pixel = project(point, BENT).tolist()
    assert pixel == pytest.approx([1020.087890625, 664.7314453125], abs=1e-9)


@BOTH_PRECISIONS
@pytest.mark.parametrize("lens", LENSES)
def test_projection_is_the_lens_model_everywhere(lens, dtype, close):
    camera = replace(PLAIN, **LENSES[lens])
    points = torch.cat([grid(dtype), torch.randn(50, 3).to(dtype) * 3 + torch.tensor([0, 0, 12])])
    expected = np.array([projected_by_hand(p, camera) for p in points])
    pixels = project(points, camera)
    assert pixels.dtype == dtype
    assert_close(pixels, expected, 5000 * close)


def test_points_far_off_the_axis_stop_at_45_degrees():
    pixels = project(torch.tensor([[9.0, -7.0, 2.0], [2.0, -2.0, 2.0]]), BENT)
    assert torch.equal(pixels[0], pixels[1])


def test_without_distortion_only_the_lens_is_gone():
    straight = BENT.without_distortion()
    assert straight == replace(BENT, radial=(0.0, 0.0, 0.0), tangential=(0.0, 0.0))
    pixel = project(torch.tensor([1.0, 0.5, 2.0]), straight)
    assert pixel.tolist() == pytest.approx([1000.0, 650.0], abs=1e-3)


@BOTH_PRECISIONS
@pytest.mark.parametrize("lens", LENSES)
def test_unprojecting_undoes_projecting(lens, dtype, close):
    camera = replace(PLAIN, **LENSES[lens])
    points = grid(dtype).reshape(21, 21, 3)
    again = unproject(project(points, camera), points[..., 2], camera)
    assert again.dtype == dtype
    torch.testing.assert_close(again, points, rtol=0, atol=10 * close)


def test_undistorting_a_straight_lens_changes_nothing():
    plane = torch.randn(7, 2, dtype=torch.float64)
    torch.testing.assert_close(undistort(plane, PLAIN), plane)


@BOTH_PRECISIONS
def test_world_and_camera_are_each_others_inverse(dtype, close):
    w, x, y, z = 0.3, -0.5, 0.7, 0.4
    norm = (w * w + x * x + y * y + z * z) ** 0.5
    camera = replace(TURNED, orientation=(w / norm, x / norm, y / norm, z / norm))
    points = torch.randn(5, 17, 3).to(dtype)
    seen = world_to_camera(points, camera)
    assert seen.dtype == dtype
    torch.testing.assert_close(camera_to_world(seen, camera), points, rtol=0, atol=10 * close)
    turn = Rotation.from_quat([x, y, z, w]).as_matrix()
    assert_close(seen, (points.numpy() - camera.position) @ turn, 10 * close)


def test_world_to_camera_as_worked_by_hand():
    # camera looking along world +y from (1, -2, 3): right is +x, down is -z
    half = (pi / 2) / 2
    orientation = (np.cos(half), -np.sin(half), 0.0, 0.0)  # -90 degrees about x
    camera = replace(PLAIN, orientation=tuple(map(float, orientation)), position=(1.0, -2.0, 3.0))
    points = torch.tensor([[1.0, 3.0, 3.0], [2.0, 3.0, 3.0], [1.0, 3.0, 4.0]])
    expected = torch.tensor([[0.0, 0.0, 5.0], [1.0, 0.0, 5.0], [0.0, -1.0, 5.0]])
    torch.testing.assert_close(world_to_camera(points, camera), expected, rtol=0, atol=1e-5)
    assert camera_to_world(torch.zeros(3), camera).tolist() == list(camera.position)


@pytest.mark.parametrize("lens", LENSES)
def test_the_mirrored_camera_sees_the_mirror_image(lens):
    camera = replace(PLAIN, centre=(470.0, 431.0), **LENSES[lens])
    points = grid()
    pixels = project(points, camera)
    mirrored = project(points * torch.tensor([-1.0, 1.0, 1.0]), camera.mirrored())
    expected = torch.stack([camera.width - pixels[:, 0], pixels[:, 1]], dim=-1)
    torch.testing.assert_close(mirrored, expected, rtol=0, atol=1e-9)
    assert camera.mirrored().mirrored() == camera


@pytest.mark.parametrize(("width", "height"), [(1000, 1002), (1920, 1080), (640, 640)])
def test_the_image_is_normalised_across_its_width(width, height):
    corners = torch.tensor([[0, 0], [width, height], [width / 2, height / 2]], dtype=torch.float64)
    ratio = height / width
    screen = normalize_screen_coordinates(corners, width, height)
    expected = torch.tensor([[-1, -ratio], [1, ratio], [0, 0]], dtype=torch.float64)
    torch.testing.assert_close(screen, expected, rtol=0, atol=1e-12)
    again = denormalize_screen_coordinates(screen, width, height)
    torch.testing.assert_close(again, corners, rtol=0, atol=1e-9)


def test_a_person_is_normalised_about_their_middle_by_hand():
    square = torch.tensor([[100.0, 100.0], [106.0, 100.0], [106.0, 108.0], [100.0, 108.0]])
    # each corner is 3 and 4 pixels from the middle, 5 in all
    expected = [[-0.6, -0.8], [0.6, -0.8], [0.6, 0.8], [-0.6, 0.8]]
    assert_close(normalize_person_coordinates(square), expected, 1e-6)


def test_place_and_size_in_the_image_are_gone_frame_by_frame():
    torch.manual_seed(0)
    pixels = torch.rand(5, 17, 2) * 300
    zoom, shift = torch.rand(5, 1, 1) + 0.5, torch.rand(5, 1, 2) * 500
    plain = normalize_person_coordinates(pixels)
    assert_close(normalize_person_coordinates(zoom * pixels + shift), plain, 1e-4)
    assert_close(plain.mean(dim=1), torch.zeros(5, 2), 1e-5)
    assert_close(plain.square().sum(-1).mean(-1), torch.ones(5), 1e-5)
    # what lies in one place is no person, and no reason for infinity
    assert normalize_person_coordinates(torch.full((1, 17, 2), 7.0)).abs().max() == 0


def test_inverse_calibration_gives_the_tangent_of_the_angle():
    pixels = torch.tensor([[750.0, 262.5], [500.0, 400.0]], dtype=torch.float64)
    seen = inverse_calibration(pixels, PLAIN)
    assert seen.flatten().tolist() == pytest.approx([0.25, -0.125, 0.0, 0.0], abs=1e-12)
    points = grid()
    undone = inverse_calibration(project(points, PLAIN), PLAIN)
    torch.testing.assert_close(undone, points[:, :2] / points[:, 2:], rtol=0, atol=1e-12)


def test_projection_can_be_learnt_through():
    points = (grid()[::40] * 0.9).requires_grad_()
    points.data[:, 2] = 3.0
    assert torch.autograd.gradcheck(lambda p: project(p, BENT), points)


def test_everything_stays_on_its_device(device):
    points = grid(torch.float32).to(device)
    pixels = project(points, BENT)
    screen = [normalize_screen_coordinates, denormalize_screen_coordinates]
    results = [pixels, unproject(pixels, points[:, 2], BENT), inverse_calibration(pixels, BENT)]
    results += [turn(points, TURNED) for turn in (world_to_camera, camera_to_world)]
    for result in results + [step(pixels, 1000, 800) for step in screen]:
        assert result.device.type == device.type
        assert result.dtype == torch.float32


WHOLE = torch.tensor([[100, 200, 500], [1, 2, 5], [3, -1, 4]])


@pytest.mark.parametrize(
    "call",
    [
        lambda points: project(points, BENT),
        lambda points: world_to_camera(points, TURNED),
        lambda points: camera_to_world(points, TURNED),
        lambda points: inverse_calibration(points[:, :2], BENT),
        lambda points: normalize_screen_coordinates(points[:, :2], 1000, 500),
        lambda points: denormalize_screen_coordinates(points[:, :2], 1000, 500),
        lambda points: normalize_person_coordinates(points[:, :2]),
        lambda points: unproject(points[:, :2], points[:, 2], BENT),
        lambda points: project_to_screen(points, intrinsics(BENT, BENT, BENT).float()),
    ],
)
def test_whole_numbers_are_computed_with_in_floating_point(call):
    """Pixels of annotations are whole; h / w, the focal length and all they become are not."""
    assert torch.equal(call(WHOLE), call(WHOLE.float()))


@pytest.mark.parametrize(
    ("call", "size"),
    [
        (lambda bad: project(bad, PLAIN), 2),
        (lambda bad: world_to_camera(bad, PLAIN), 4),
        (lambda bad: camera_to_world(bad, PLAIN), 2),
        (lambda bad: inverse_calibration(bad, PLAIN), 3),
        (lambda bad: normalize_screen_coordinates(bad, 10, 10), 3),
        (lambda bad: denormalize_screen_coordinates(bad, 10, 10), 3),
        (lambda bad: unproject(bad, torch.ones(5), PLAIN), 3),
    ],
)
def test_points_of_another_dimension_are_refused(call, size):
    with pytest.raises(ValueError, match=rf"expected \(\.\.\., [23]\), got shape \(5, {size}\)"):
        call(torch.zeros(5, size))


def test_depths_must_match_the_pixels():
    with pytest.raises(ValueError, match="need depths"):
        unproject(torch.zeros(5, 2), torch.ones(5, 1), PLAIN)


def test_impossible_cameras_are_refused():
    with pytest.raises(ValueError, match="camera plain: image of 0 x 800 pixels"):
        replace(PLAIN, width=0)
    with pytest.raises(ValueError, match="camera plain: focal length"):
        replace(PLAIN, focal=(1000.0, -1.0))


# ---- in screen coordinates -----------------------------------------------------------------------

OFF = replace(BENT, centre=(470.0, 431.0))
ODD = replace(BENT, width=1920, height=1080, focal=(1500.0, 1400.0), centre=(931.0, 555.0))
VIEWS = (PLAIN, OFF, ODD, OFF.mirrored(), ODD.mirrored())


def intrinsics(*cameras: Camera) -> torch.Tensor:
    return torch.stack([screen_intrinsics(camera) for camera in cameras]).double()


def test_screen_intrinsics_by_hand():
    # twice the focal lengths over the width; the centre 12 right and 15 above the middle
    camera = replace(BENT, focal=(1100.0, 1090.0), centre=(512.0, 385.0))
    row = screen_intrinsics(camera)
    assert row.dtype == torch.float32
    expected = [2.2, 2.18, 0.024, -0.03, 0.1, -0.2, 0.4, 0.01, 0.02]
    assert row.tolist() == pytest.approx(expected, abs=1e-7)
    assert torch.equal(screen_intrinsics(replace(PLAIN, centre=(500, 400))), intrinsics(PLAIN)[0])


@pytest.mark.parametrize("extra", [(), (1,), (2, 17)], ids=str)
def test_each_row_is_projected_by_its_own_camera(extra):
    points = torch.randn(len(VIEWS), *extra, 3).double() * 2 + torch.tensor([0, 0, 6])
    found = project_to_screen(points, intrinsics(*VIEWS))
    straight = project_to_screen(points, intrinsics(*VIEWS), distortion=False)
    assert found.shape == straight.shape == (len(VIEWS), *extra, 2)
    for i, camera in enumerate(VIEWS):
        size = camera.width, camera.height
        expected = normalize_screen_coordinates(project(points[i], camera), *size)
        torch.testing.assert_close(found[i], expected, rtol=0, atol=1e-6)
        without = project(points[i], camera.without_distortion())
        expected = normalize_screen_coordinates(without, *size)
        torch.testing.assert_close(straight[i], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("distortion", [True, False])
def test_a_mirrored_camera_sees_the_mirror_image_on_the_screen(distortion):
    points, away = grid().expand(len(VIEWS), -1, -1), torch.tensor([-1.0, 1.0, 1.0])
    turned = intrinsics(*[camera.mirrored() for camera in VIEWS])
    seen = project_to_screen(points, intrinsics(*VIEWS), distortion)
    mirrored = project_to_screen(points * away, turned, distortion)
    torch.testing.assert_close(mirrored, seen * away[:2], rtol=0, atol=1e-6)
    same = project_to_screen(points * away, intrinsics(*VIEWS), distortion)
    assert (same - seen * away[:2]).abs().amax((1, 2))[1:].min() > 0.01  # all but PLAIN


@pytest.mark.parametrize("distortion", [True, False])
def test_projection_to_the_screen_can_be_learnt_through(distortion):
    points = (torch.rand(3, 4, 3).double() - 0.5 + torch.tensor([0, 0, 2])).requires_grad_()
    rows = intrinsics(PLAIN, BENT, ODD.mirrored()).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p, r: project_to_screen(p, r, distortion), (points, rows)
    )


def test_points_nowhere_in_sight_do_not_spoil_what_is_learnt():
    """A network that knows nothing yet puts joints anywhere."""
    points = torch.tensor(
        [[9.0, -7.0, 2.0], [0.3, 0.2, -3.0], [5.0, 1.0, -0.1], [1.0, -1.0, 1e-6], [1e-6, 0.0, 1e-3]]
    )[None].requires_grad_()
    seen = project_to_screen(points, screen_intrinsics(BENT)[None])
    seen.square().sum().backward()
    assert seen.isfinite().all()
    assert points.grad.isfinite().all()
    assert not points.grad[0, 0].any()  # stopped at 45 degrees
    assert points.grad[0, 1].any()


def test_rows_that_are_not_one_for_each_example_are_refused():
    points = torch.ones(2, 17, 3)
    for rows in (torch.ones(3, 9), torch.ones(1, 9), torch.ones(2, 8), torch.ones(9)):
        with pytest.raises(ValueError, match=r"need intrinsics \(2, 9\)"):
            project_to_screen(points, rows)
    with pytest.raises(ValueError, match=r"camera points: expected \(\.\.\., 3\)"):
        project_to_screen(points[..., :2], torch.ones(2, 9))
