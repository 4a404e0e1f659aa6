"""Points from several views, on cameras and people whose places are known."""

import numpy as np
import pytest
import torch

from paperlib.cameras import Camera, project, world_to_camera
from paperlib.datasets.filming import look_at
from paperlib.datasets.triangulation import triangulated, who_is_who


def ring(count=4):
    """Cameras around the origin, 4 m from it, with a lens that bends."""
    cameras = []
    for view in range(count):
        angle = 0.3 + 2 * np.pi * view / count
        eye = (4 * np.cos(angle), 4 * np.sin(angle), 1.5)
        about = {"focal": (1500.0, 1510.0), "centre": (540.0, 950.0)}
        about |= {"radial": (-0.05, 0.1, 0.0), "tangential": (0.0005, 0.0003)}
        place = {"orientation": tuple(look_at(eye, (0.0, 0.0, 1.0))), "position": eye}
        cameras.append(Camera(f"cam{view}", 1080, 1920, **about, **place))
    return cameras


def somebody(middle, frames=3):
    """Seventeen points within half a metre of a middle that moves."""
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (17, 3)) + middle
    return torch.from_numpy(points + 0.05 * np.arange(frames)[:, None, None])


def views_of(world, cameras):
    return torch.stack([project(world_to_camera(world, camera), camera) for camera in cameras])


def test_exact_views_meet_where_the_points_are():
    cameras, world = ring(), somebody((0, 0, 1.0))
    pixels = views_of(world, cameras)
    points, off = triangulated(pixels, torch.ones(pixels.shape[:-1]), cameras)
    torch.testing.assert_close(points, world, atol=1e-4, rtol=0)
    assert points.dtype == torch.float64 and off.shape == (4, 3, 17) and off.max() < 0.1


def test_one_wrong_view_hardly_counts_and_is_told():
    cameras, world = ring(), somebody((0, 0, 1.0))
    pixels, trust = views_of(world, cameras), torch.ones(4, 3, 17)
    pixels[2, :, 5] += 300
    points, off = triangulated(pixels, trust, cameras)
    assert (points - world).norm(dim=-1).max() < 0.01
    assert off[2, :, 5].min() > 200
    # what was not found does not count at all
    trust[2, :, 5] = 0
    points, _ = triangulated(pixels, trust, cameras)
    assert (points - world).norm(dim=-1).max() < 1e-3


def test_what_does_not_belong_together_is_refused():
    cameras, world = ring(), somebody((0, 0, 1.0))
    pixels = views_of(world, cameras)
    for some, trust, few in (
        (pixels, torch.ones(4, 3, 16), cameras),
        (pixels, torch.ones(4, 3, 17), cameras[:3]),
        (pixels[:1], torch.ones(1, 3, 17), cameras[:1]),
    ):
        with pytest.raises(ValueError, match="two or more"):
            triangulated(some, trust, few)


@pytest.mark.parametrize("lost", [False, True])
def test_people_in_other_orders_are_told_apart(lost):
    cameras = ring()
    people = torch.stack(
        [views_of(somebody(m), cameras) for m in ((0.4, 0, 1.0), (-0.4, 0, 1.0))], dim=1
    )
    people[1], people[3] = people[1].flip(0), people[3].flip(0)
    trust = torch.ones(people.shape[:-1])
    if lost:  # in one view, one of them, most of the time
        trust[2, 1, 1:], people[2, 1, 1:] = 0, 0
    best, second, *rest = who_is_who(people, trust, cameras)
    assert best.people == ((0, 1), (1, 0), (0, 1), (1, 0)) and best.pixels < 0.1
    assert second.pixels > 10 and len(rest) == 6
    assert [each.pixels for each in rest] == sorted(each.pixels for each in rest)


def test_too_many_people_are_refused():
    with pytest.raises(ValueError, match="too many ways"):
        who_is_who(torch.zeros(4, 5, 1, 17, 2), torch.zeros(4, 5, 1, 17), ring())
