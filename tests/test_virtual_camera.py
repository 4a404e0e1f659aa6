from dataclasses import replace

import pytest
import torch
from samples import CAMERA, recording, swinging

from paperlib.cameras import project
from paperlib.kinematics import rotation_about, rotation_apply
from paperlib.recordings import PerFrame
from paperlib.virtual_camera import facing, turned_back, turns_to_person
from paperlib.windows import network_input

BENT = replace(CAMERA, radial=(-0.2, 0.1, 0.0), tangential=(0.002, -0.001))


def beside(metres: float, camera=CAMERA):
    """Somebody who swings, so far to the right of the axis."""
    middle = swinging("beside", 12, 0.3)
    positions = middle.positions + torch.tensor([metres, 0.0, 0.0])
    exact = {"positions": positions, "keypoints": project(positions, camera)}
    return replace(middle, camera=camera, **exact)


@pytest.mark.parametrize("camera", [CAMERA, BENT], ids=["straight", "bent"])
def test_the_turned_camera_has_the_person_in_its_middle(camera):
    seen = facing(beside(1.5, camera))
    rays = (seen.keypoints - torch.tensor(seen.camera.centre)) / torch.tensor(seen.camera.focal)
    assert rays.mean(dim=1).abs().max() < 0.02  # of rays, not of pixels: nearly so
    assert seen.camera.radial == (0.0, 0.0, 0.0)
    # what it sees and where the person is belong together
    torch.testing.assert_close(project(seen.positions, seen.camera), seen.keypoints)


def test_poses_come_back():
    film = beside(1.5)
    turns, seen = turns_to_person(film), facing(film)
    torch.testing.assert_close(turned_back(seen.positions, turns), film.positions)
    torch.testing.assert_close(turns @ turns.mT, torch.eye(3).expand(12, 3, 3))
    assert torch.linalg.det(turns).min() > 0


def test_whoever_is_in_the_middle_is_not_turned():
    # a body that is mirrored in the axis: its middle lies on it
    points = torch.tensor([[0.3, 0.5, 0.0], [-0.3, -0.5, 0.0]]).repeat(9, 1)[:16]
    points = torch.cat([points, torch.zeros(1, 3)])[None] + torch.tensor([0.0, 0.0, 5.0])
    film = recording(1, positions=points, keypoints=project(points, CAMERA))
    torch.testing.assert_close(turns_to_person(film), torch.eye(3)[None])


def test_it_does_not_tell_where_around_the_camera_somebody_stands():
    """The same body, carried about the camera: the turned cameras see one and the same."""
    around = rotation_about("y", torch.tensor(0.35))
    level = beside(0.0)
    carried = rotation_apply(around, level.positions)
    carried = replace(level, positions=carried, keypoints=project(carried, CAMERA))
    a, b = (network_input(facing(r), normalisation="person") for r in (level, carried))
    plain = [network_input(r, normalisation="person") for r in (level, carried)]
    assert (a - b).abs().max() < 0.05
    assert (plain[0] - plain[1]).abs().max() > 4 * (a - b).abs().max()


def test_a_rolled_camera_is_held_level_where_down_is_known():
    film, roll = beside(1.5), rotation_about("z", torch.tensor(0.4))
    positions = rotation_apply(roll, film.positions)
    rolled = replace(film, positions=positions, keypoints=project(positions, CAMERA))
    level_down = torch.tensor([0.0, 1.0, 0.0])
    down = rotation_apply(roll, level_down)
    level, turned = facing(film, level_down.tolist()), facing(rolled, down.tolist())
    torch.testing.assert_close(turned.keypoints, level.keypoints, atol=0.05, rtol=0)
    below = rotation_apply(turns_to_person(rolled, down.tolist()), down)
    assert below[:, 0].abs().max() < 1e-5 and below[:, 1].min() > 0
    # without, the picture stays as oblique as it was
    assert (facing(rolled).keypoints - level.keypoints).abs().max() > 10


def test_maps_and_images_are_of_the_camera_before():
    film = replace(beside(0.0), images=PerFrame("none", lambda frames: torch.zeros(len(frames), 2)))
    with pytest.raises(ValueError, match="images"):
        facing(film)
    with pytest.raises(ValueError, match="3 poses and 12 turns"):
        turned_back(torch.zeros(3, 17, 3), turns_to_person(beside(0.0)))
