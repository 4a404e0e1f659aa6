"""Cameras drawn at random, and motion filmed anew."""

import math
from dataclasses import replace

import pytest
import torch
from samples import assert_close, recording

from paperlib import datasets
from paperlib.cameras import camera_to_world, project, world_to_camera
from paperlib.datasets.filming import STUDIO, share_in_view, studio
from paperlib.datasets.random_cameras import Ranges, filmed_by, random_cameras
from paperlib.recordings import Dataset

SMALL = datasets.load("synthetic", small=True)
WORLD = camera_to_world(SMALL.train[0].positions, SMALL.train[0].camera)


def test_cameras_follow_from_the_key_alone():
    first, again = (random_cameras(WORLD, "S1/walking/1") for _ in range(2))
    assert first == again and len({c.name for c in first}) == 4
    assert random_cameras(WORLD, "S1/walking/2") != first


def test_cameras_are_drawn_from_their_ranges_and_see_the_person():
    ranges = Ranges(distance=(3.0, 4.0), height=(1.0, 1.5), focal=(0.9, 1.1), roll=(5.0, 8.0))
    for camera in random_cameras(WORLD, "key", count=12, ranges=ranges):
        x, y, z = camera.position
        assert 3 <= math.hypot(x, y) <= 4 and 1 <= z <= 1.5
        assert 0.9 <= camera.focal[0] / max(camera.width, camera.height) <= 1.1
        assert camera.centre == (camera.width / 2, camera.height / 2)
        seen = project(world_to_camera(WORLD, camera), camera)
        size = seen.new_tensor([camera.width, camera.height])
        assert ((seen >= 0) & (seen < size)).all(-1).float().mean() >= 0.98
        # turned clockwise, a camera sees the world turned the other way
        above = torch.tensor([[0.0, 0.0, 0.9], [0.0, 0.0, 1.1]])
        low, high = world_to_camera(above, camera)
        turned = math.degrees(math.atan2(*(low - high)[:2].tolist()))
        assert 5 <= turned <= 8


def test_a_motion_that_fits_no_image_is_refused():
    far = torch.cat([WORLD + 20 * torch.tensor(p) for p in ([1.0, 0, 0], [-1.0, 1, 0], [0, -1, 0])])
    with pytest.raises(ValueError, match=r"of 800 cameras drawn .* 0 see the whole motion, 4 are"):
        random_cameras(far, "long way")


def test_the_same_motion_filmed_by_the_studio_again_is_the_same():
    again = filmed_by(SMALL, "studio")
    assert [r.name for r in again.train] == [r.name for r in SMALL.train]
    for one, other in zip(again.test, SMALL.test, strict=True):
        assert_close(one.positions, other.positions, 1e-5)
        assert_close(one.keypoints, other.keypoints, 0.02)


def test_random_cameras_see_the_same_motion():
    made = datasets.load("synthetic", small=True, cameras="random")
    assert made.name == "synthetic-random-cameras"
    assert "drawn at random for each clip (azimuth 0 to 360 degrees" in made.source
    assert len(made.test) == len(SMALL.test) and made.fingerprint != SMALL.fingerprint
    assert len({r.camera.position for r in (*made.train, *made.test)}) == len(made.train) + len(
        made.test
    )
    clips = {(r.subject, r.action, r.clip): r for r in SMALL.test}
    for r in made.test:
        other = clips[r.subject, r.action, r.clip]
        world = camera_to_world(r.positions, r.camera)
        assert_close(world, camera_to_world(other.positions, other.camera), 1e-4)
        assert share_in_view(r) >= 0.98 and (r.fps, r.confidence.min()) == (other.fps, 1)


def test_actions_nobody_learnt_from_are_filmed_anew_too():
    apart = SMALL.select(lambda r: r.action != "boxing")
    apart = replace(apart, unseen=SMALL.select(lambda r: r.action == "boxing").test)
    made = filmed_by(apart, STUDIO[:1])
    assert {r.camera for r in made.unseen} == {STUDIO[0]} and len(apart.unseen) == 4
    assert [(r.action, len(r)) for r in made.unseen] == [("boxing", len(apart.unseen[0]))]


def test_the_studio_can_be_changed_in_one_thing():
    plain, turned, off, high, long, rolled = (
        c[0]
        for c in (
            STUDIO,
            studio(45),
            studio(distance=2),
            studio(height=1),
            studio(focal=2),
            studio(roll=10),
        )
    )
    assert math.hypot(*turned.position[:2]) == pytest.approx(6.0)
    assert math.degrees(math.atan2(*turned.position[1::-1])) == pytest.approx(38 + 45)
    assert math.hypot(*off.position[:2]) == pytest.approx(8.0)
    assert high.position[2] == pytest.approx(2.6) and high.position[:2] == plain.position[:2]
    assert long.focal == (2 * 1146.0, 2 * 1144.5) and long.orientation == plain.orientation
    # turned clockwise, a camera sees the world turned the other way
    up = world_to_camera(torch.tensor([[0.0, 0.0, 0.95], [0.0, 0.0, 1.0]]), rolled)
    x, y, _ = (up[1] - up[0]).tolist()
    assert math.degrees(math.atan2(x, -y)) == pytest.approx(-10, abs=0.01)


def test_what_cannot_be_filmed_anew_is_refused():
    with pytest.raises(ValueError, match=r"unknown cameras 'rondom'.*'studio', 'random'"):
        filmed_by(SMALL, "rondom")
    with pytest.raises(ValueError, match=r"unknown cameras 'rondom'"):
        datasets.load("synthetic", cameras="rondom")
    blind = replace(SMALL.train[0], positions=None, visible=None)
    with pytest.raises(ValueError, match="no 3D positions"):
        filmed_by(Dataset("film", "A film.", (), (blind,)), "random")
    together = Dataset("two", "Two people.", (recording(person=1),), ())
    with pytest.raises(ValueError, match="people together are not filmed anew"):
        filmed_by(together, "studio")
