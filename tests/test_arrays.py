"""What is taken for an array of numbers, and what is not."""

import numpy as np
import pytest
import torch

from paperlib.arrays import as_tensor
from paperlib.metrics import mpjpe


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
