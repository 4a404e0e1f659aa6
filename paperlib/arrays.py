"""Arrays as they come, NumPy or torch: checked once, worked on in parts where they are long, and
given back as the kind they were."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

Array = TypeVar("Array", np.ndarray, torch.Tensor)
Visibility = np.ndarray | torch.Tensor | None
# Numbers worked on at once. On a processor what is between input and output stays in its cache;
# a GPU wants work for all of its cores.
_AT_ONCE = {"cpu": 2**21}
_MOST_AT_ONCE = 2**26


def rows_at_once(each: int, device: torch.device) -> int:
    """How many rows to work on at once, at least one, if ``each`` asks for so many numbers."""
    return max(1, _AT_ONCE.get(device.type, _MOST_AT_ONCE) // each)


def in_parts(
    function: Callable[..., torch.Tensor], *tensors: torch.Tensor | None, each: int
) -> torch.Tensor:
    """``function`` of tensors ``(N, ...)`` or None, which answers each of the N rows by itself:
    some rows at a time, where it needs ``each`` times as many numbers in between."""
    count, step = len(tensors[0]), rows_at_once(each, tensors[0].device)
    if count <= step:
        return function(*tensors)
    result = None
    for start in range(0, count, step):
        rows = slice(start, start + step)
        part = function(*(None if tensor is None else tensor[rows] for tensor in tensors))
        if result is None:
            result = part.new_empty(count, *part.shape[1:])
        result[rows] = part
    return result


def as_tensor(values: np.ndarray | torch.Tensor) -> torch.Tensor:
    """A tensor as it is; of an array a copy, since it may be read-only or run backwards.
    ``ValueError`` for what holds no numbers, or is ragged."""
    if isinstance(values, torch.Tensor):
        return values
    array = np.array(values)
    if array.dtype.kind not in "biuf":
        what = f"{type(values).__name__} of {array.dtype}"
        raise ValueError(f"expected a tensor or an array of numbers, got {what}")
    return torch.from_numpy(array)


def as_positions(positions: Array, gaps: bool = True) -> torch.Tensor:
    """Positions ``(..., T, J, 3)`` as a tensor, refused where they are no such thing. ``gaps``
    allows NaN for what is not known."""
    if not isinstance(positions, np.ndarray | torch.Tensor):
        raise ValueError(
            f"positions are {type(positions).__name__}: pass a NumPy array or a torch tensor"
        )
    tensor = as_tensor(positions).detach()
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"positions are {tensor.dtype}: convert them to float32 or float64")
    if tensor.ndim < 3 or tensor.shape[-1] != 3 or tensor.numel() == 0:
        raise ValueError(
            f"positions have shape {tuple(tensor.shape)}, expected (..., T, J, 3) with at least "
            "one frame and one joint"
        )
    if tensor.isinf().any():
        raise ValueError("positions hold infinity: mark what is not known by NaN")
    if not gaps and tensor.isnan().any():
        raise ValueError("positions hold NaN: fill the gaps first, by interpolate or refine")
    return tensor


def like(result: torch.Tensor, positions: Array) -> Array:
    """The result as the kind and in the precision of the positions it was made from."""
    if isinstance(positions, torch.Tensor):
        return result.to(positions)
    return result.cpu().numpy().astype(positions.dtype, copy=False)
