"""Arrays as they come, NumPy or torch: checked once, and given back as the kind they were."""

from typing import TypeVar

import numpy as np
import torch

Array = TypeVar("Array", np.ndarray, torch.Tensor)
Visibility = np.ndarray | torch.Tensor | None


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


def interpolated(points: np.ndarray, found: np.ndarray) -> np.ndarray:
    """``(T, K, 2)`` with what is not ``found`` ``(T, K)`` interpolated over time, constant at the
    ends. A joint that is never found is put into the middle of the others: the image's corner,
    where tools leave it, would look like a very long limb. All is 0 where nothing ever is."""
    times = np.arange(len(points))
    filled = points.copy()
    for joint in np.flatnonzero(~found.all(axis=0) & found.any(axis=0)):
        known = found[:, joint]
        for axis in range(2):
            filled[:, joint, axis] = np.interp(times, times[known], points[known, joint, axis])
    never = ~found.any(axis=0)
    if never.all():
        return np.zeros_like(points)
    filled[:, never] = filled[:, ~never].mean(axis=1, keepdims=True)
    return filled
