"""What is taken for an array of numbers, and what is not."""

import numpy as np
import pytest
import torch
from samples import CAMERA, recording

from paperlib import arrays
from paperlib.arrays import as_tensor, in_parts
from paperlib.cameras import camera_to_world, project, unproject, world_to_camera
from paperlib.metrics import mpjpe
from paperlib.occlusion import boxed_man, clustered, cylinder_man
from paperlib.refinement import interpolate, refine
from paperlib.rendering import joint_visibility, people_visibility
from paperlib.skeletons import H36M_17


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (np.zeros((2, 17, 3), object), "ndarray of object"),
        ("keypoints.npz", "str of <U13"),
        (None, "NoneType of object"),
        ({"a": 1}, "dict of object"),
        (np.zeros(3, complex), "ndarray of complex128"),
    ],
)
def test_what_holds_no_numbers_is_refused_by_name(given, named):
    for attempt in (as_tensor, lambda values: mpjpe(values, np.zeros((2, 17, 3)))):
        with pytest.raises(ValueError, match=f"array of numbers, got {named}"):
            attempt(given)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        as_tensor([[1.0, 2.0], [3.0]])


def test_an_array_is_copied_and_a_tensor_is_not():
    array = np.arange(6.0)[::-1]
    array.flags.writeable = False
    tensor = as_tensor(array)
    tensor[0] = 9
    assert array[0] == 5 and tensor.tolist() == [9, 4, 3, 2, 1, 0]
    assert as_tensor(tensor) is tensor


def test_poses_in_whole_millimetres_have_errors():
    target = [[[0, 0, 0], [3, 4, 0]]]
    assert mpjpe(np.zeros((1, 2, 3), np.int64), target).item() == 2.5
    assert mpjpe(torch.zeros(1, 2, 3), torch.tensor(target)).item() == 2.5


# ---- long recordings, some rows at a time --------------------------------------------------------


def test_every_row_is_worked_on_once_and_in_its_place(monkeypatch):
    monkeypatch.setattr(arrays, "_AT_ONCE", {"cpu": 6})
    rows, sizes = torch.arange(10.0)[:, None], []

    def double(part, other, absent):
        sizes.append(len(part))
        assert absent is None
        return (part + other).squeeze(-1)

    assert in_parts(double, rows, rows, None, each=2).tolist() == list(range(0, 20, 2))
    assert sizes == [3, 3, 3, 1]
    # what one row needs may be more than is worked on at once
    assert in_parts(double, rows, rows, None, each=50).tolist() == list(range(0, 20, 2))


PIXELS = torch.rand(7, 17, 2) * 1000
PLACES = torch.rand(7, 17, 3) + torch.tensor([-0.5, -0.5, 3.0])
SEEN = torch.rand(7) > 0.4


@pytest.mark.parametrize(
    "function",
    [
        lambda: clustered(PIXELS, PLACES[..., 2], tolerance=100),
        lambda: boxed_man(PIXELS, H36M_17),
        lambda: cylinder_man(PLACES, H36M_17),
        lambda: joint_visibility(PLACES, H36M_17),
        lambda: project(PLACES, CAMERA),
        lambda: unproject(PIXELS, PLACES[..., 2], CAMERA),
        lambda: world_to_camera(PLACES, CAMERA),
        lambda: camera_to_world(PLACES, CAMERA),
        lambda: interpolate(PLACES, SEEN),
    ],
)
def test_rows_are_the_same_whatever_is_worked_on_at_once(function, monkeypatch):
    whole = function()
    for at_once in (1, 5_000):
        monkeypatch.setattr(arrays, "_AT_ONCE", {"cpu": at_once})
        assert torch.equal(function(), whole)


# ---- what no people can be -----------------------------------------------------------------------


def people(count=3, frames=40):
    """(P, T, 17, 3): people a metre apart who sway, one of them predicted wildly now and then."""
    chance = torch.Generator().manual_seed(1)
    pose = 0.3 * torch.randn(count, 1, 17, 3, generator=chance)
    place = torch.tensor([0.0, 0.0, 4.0]) + torch.arange(count)[:, None, None, None]
    sway = 0.1 * torch.sin(torch.arange(frames) / 5)[:, None, None]
    made = pose + place + sway + 0.02 * torch.randn(count, frames, 17, 3, generator=chance)
    made[0, ::7] += 20 * torch.randn(17, 3, generator=chance)
    made[-1, : frames // 2] = torch.nan
    return made


@pytest.mark.parametrize("entry", [refine, lambda p: people_visibility(p.nan_to_num(4), H36M_17)])
def test_people_are_taken_whoever_they_are(entry):
    entry(people())
    entry(0.4 * people())  # children
    entry(people(count=12, frames=5))  # more people than frames
    entry(people(count=4, frames=1))
    entry(people() + 100)


@pytest.mark.parametrize("entry", [refine, lambda p: people_visibility(p.nan_to_num(4), H36M_17)])
def test_millimetres_and_frames_first_are_refused(entry):
    with pytest.raises(ValueError, match="metres are expected, are these millimetres"):
        entry(1000 * people())
    with pytest.raises(ValueError, match=r"people first: here people jump .*transpose"):
        entry(people().transpose(0, 1).contiguous())


def test_a_recording_and_a_single_person_in_millimetres_are_refused():
    with pytest.raises(ValueError, match=r"S1/walking/take1/front/0: positions are of a body"):
        recording(positions=1000 * torch.randn(6, 17, 3) * 0.3)
    for entry in (refine, lambda p: joint_visibility(p, H36M_17)):
        with pytest.raises(ValueError, match="are these millimetres"):
            entry(1000 * people()[1])
