"""What is taken for an array of numbers, and what is not."""

import numpy as np
import pytest
import torch
from samples import CAMERA

from paperlib import arrays
from paperlib.arrays import as_tensor, in_parts
from paperlib.cameras import camera_to_world, project, unproject, world_to_camera
from paperlib.metrics import mpjpe
from paperlib.occlusion import boxed_man, clustered, cylinder_man
from paperlib.refinement import interpolate
from paperlib.rendering import joint_visibility
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
