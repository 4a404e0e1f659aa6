"""The virtual studio: where its cameras look, and what they see."""

import math

import pytest
import torch
from samples import assert_close

from paperlib.cameras import Camera, project, world_to_camera
from paperlib.datasets import filming
from paperlib.datasets.filming import STAGE, STUDIO, film, look_at, share_in_view
from paperlib.skeletons import H36M_17


def standing(x=0.0, y=0.0, frames=1) -> torch.Tensor:
    """(frames, 17, 3): all joints on a plumb line at (x, y), 0 to 1.6 m high."""
    heights = torch.linspace(0, 1.6, 17)
    points = torch.stack([torch.full_like(heights, x), torch.full_like(heights, y), heights], -1)
    return points.expand(frames, 17, 3).clone()


def filmed(world, cameras=STUDIO, **about):
    about = {"subject": "S1", "action": "standing", "clip": "c1", "fps": 50.0} | about
    return film(world, cameras=cameras, **about)


def camera(position=(0.0, -5.0, 1.0), target=(0.0, 0.0, 1.0), **lens) -> Camera:
    lens = {"focal": (1000.0, 1100.0), "centre": (500.0, 480.0)} | lens
    pose = {"orientation": look_at(position, target), "position": position}
    return Camera("test", 1000, 1000, **lens, **pose)


PLACES = [
    ((0.0, -5.0, 1.0), (0.0, 0.0, 1.0)),
    ((4.0, 3.0, 2.5), (0.0, 0.0, 0.95)),
    ((-3.0, 0.1, 0.2), (1.0, 1.0, 1.5)),
    ((0.0, 6.0, 1.6), (0.3, -2.0, 0.0)),
]


@pytest.mark.parametrize(("position", "target"), PLACES)
def test_a_camera_has_its_target_in_the_middle_of_its_image(position, target):
    seen = world_to_camera(torch.tensor(target).double(), camera(position, target))
    distance = math.dist(position, target)
    assert_close(seen, [0.0, 0.0, distance], 1e-6)
    pixel = project(seen, camera(position, target))
    assert_close(pixel, [500.0, 480.0], 1e-3)


@pytest.mark.parametrize(("position", "target"), PLACES)
def test_a_camera_is_level_and_not_upside_down(position, target):
    view = camera(position, target)
    base = torch.tensor(target).double()
    up = world_to_camera(base + torch.tensor([0.0, 0.0, 0.5]), view) - world_to_camera(base, view)
    assert up[0].abs() < 1e-6 and up[1] < 0


def test_what_stands_to_the_right_is_seen_on_the_right():
    """From y = -5, looking along +y, +x is to the right."""
    seen = world_to_camera(torch.tensor([1.0, 0.0, 1.0]), camera())
    assert_close(seen, [1.0, 0.0, 5.0], 1e-5)


def test_the_orientation_is_a_unit_quaternion():
    for position, target in PLACES:
        assert math.hypot(*look_at(position, target)) == pytest.approx(1, abs=1e-12)


def test_four_different_cameras_stand_around_the_stage():
    assert len(STUDIO) == len({c.name for c in STUDIO}) == 4
    assert len({(c.position, c.focal, c.centre, c.radial, c.tangential) for c in STUDIO}) == 4
    azimuths = sorted(math.atan2(c.position[1], c.position[0]) % math.tau for c in STUDIO)
    gaps = [b - a for a, b in zip(azimuths, [*azimuths[1:], azimuths[0] + math.tau], strict=True)]
    assert math.radians(60) < min(gaps) and max(gaps) < math.radians(120)
    for c in STUDIO:
        assert max(abs(c.position[0]), abs(c.position[1])) > STAGE / 2
        assert 1.2 < c.position[2] < 2.0


@pytest.mark.parametrize("view", STUDIO, ids=lambda c: c.name)
def test_each_camera_sees_people_anywhere_on_the_stage(view):
    """Corners too, but for the one that lies next to the camera."""
    for x in (-1.5, 0.0, 1.5):
        for y in (-1.5, 0.0, 1.5):
            depth = world_to_camera(torch.tensor([x, y, 0.9]), view)[2]
            if depth > 4:
                (recording,) = filmed(standing(x, y), (view,))
                assert share_in_view(recording) == 1, (x, y)
    points = standing()
    (recording,) = filmed(points, (view,))
    assert (recording.keypoints - 500).abs().max() < 400
    # a body is upright in the image, and about as tall as the lens makes it
    tall = recording.keypoints[0, 0, 1] - recording.keypoints[0, -1, 1]
    distance = math.dist(view.position, (0, 0, 0.8))
    assert tall == pytest.approx(view.focal[1] * 1.6 / distance, rel=0.06)


def test_keypoints_are_the_projections_worked_by_hand():
    """5 m in front, 1 m right and 0.5 m up: x/z = 0.2, y/z = -0.1, r^2 = 0.05."""
    world = standing()
    world[0, 3] = torch.tensor([1.0, 0.0, 1.5])
    (plain,) = filmed(world, (camera(),))
    assert_close(plain.positions[0, 3], [1.0, -0.5, 5.0], 1e-5)
    assert_close(plain.keypoints[0, 3], [700.0, 370.0], 1e-2)
    # 1 + k1 r^2 + k2 r^4 = 0.98 + 0.0005 = 0.9805; p1 x + p2 y = 0.0005; factor 0.981
    lens = {"radial": (-0.4, 0.2, 0.0), "tangential": (0.005, 0.005)}
    (bent,) = filmed(world, (camera(**lens),))
    x, y = 0.2 * 0.981 + 0.005 * 0.05, -0.1 * 0.981 + 0.005 * 0.05
    assert_close(bent.keypoints[0, 3], [500 + 1000 * x, 480 + 1100 * y], 1e-2)


def test_every_camera_gives_one_recording_of_the_same_clip():
    recordings = filmed(standing(frames=3), subject="S7", action="reaching", clip="c9", fps=25.0)
    assert [r.camera.name for r in recordings] == [c.name for c in STUDIO]
    for r in recordings:
        assert (r.subject, r.action, r.clip, r.fps, len(r)) == ("S7", "reaching", "c9", 25.0, 3)
        assert (r.confidence == 1).all() and r.visible.shape == (3, 17)
        assert r.positions.dtype == r.keypoints.dtype == torch.float32
        assert r.skeleton is H36M_17 and r.keypoint_skeleton is H36M_17


def test_double_precision_is_filmed_as_float32():
    (recording,) = filmed(standing().double(), STUDIO[:1])
    assert recording.positions.dtype == torch.float32


def test_an_array_is_filmed_and_another_shape_refused():
    (recording,) = filmed(standing().numpy(), STUDIO[:1])
    assert torch.equal(recording.positions, filmed(standing(), STUDIO[:1])[0].positions)
    with pytest.raises(ValueError, match=r"S1/standing/c1: .*\(1, 16, 3\), expected \(T, 17, 3\)"):
        filmed(standing()[:, 1:], STUDIO[:1])


def test_share_in_view_counts_keypoints_inside_the_image():
    (recording,) = filmed(standing(), (camera(),))
    assert share_in_view(recording) == 1
    pixels = torch.full((1, 17, 2), 500.0)
    edges = [(-0.1, 5), (5, -0.1), (1000, 5), (5, 1000), (0, 0), (999.9, 999.9)]
    pixels[0, : len(edges)] = torch.tensor(edges)
    moved = recording.with_keypoints(pixels, recording.confidence)
    assert share_in_view(moved) == pytest.approx(13 / 17)


@pytest.mark.parametrize("y", [-4.8, -5.0, -7.0])
def test_nobody_walks_into_a_camera_or_behind_it(y):
    world = standing(frames=4)
    world[2, 5, 1] = y
    with pytest.raises(ValueError, match=r"S1/standing/c1: the person walks into camera test"):
        filmed(world, (camera(),))


def test_the_far_end_of_an_image_is_no_place_on_the_stage():
    """Somebody far to the side is out of view, and share_in_view says so."""
    world = standing(x=6.0, y=0.0)
    (recording,) = filmed(world, (camera(),))
    assert share_in_view(recording) == 0


def test_the_stage_has_room_for_a_walk():
    assert filming.STAGE >= 3
