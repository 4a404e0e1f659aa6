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

_LARGEST_BODY = 10.0  # metres, from the lowest left corner of a box about it to the opposite one


def rows_at_once(each: int, device: torch.device) -> int:
    """How many rows to work on at once, at least one, if ``each`` asks for so many numbers."""
    return max(1, _AT_ONCE.get(device.type, _MOST_AT_ONCE) // each)


def in_parts(
    function: Callable[..., torch.Tensor],
    first: torch.Tensor,
    *others: torch.Tensor | None,
    each: int,
    own: int = 1,
) -> torch.Tensor:
    """``function`` of tensors ``(..., *)`` or None, which it takes as rows ``(N, *)`` and answers
    row by row: some at a time, where a row asks for ``each`` numbers in between. A row of the
    ``first`` tensor has ``own`` axes; what comes before them, all tensors share."""
    batch = first.shape[: first.ndim - own]
    count, step = batch.numel(), rows_at_once(each, first.device)
    tensors = [
        None if tensor is None else tensor.reshape(count, *tensor.shape[len(batch) :])
        for tensor in (first, *others)
    ]
    parts = [
        function(*(None if tensor is None else tensor[start : start + step] for tensor in tensors))
        for start in range(0, max(count, 1), step)
    ]
    result = parts[0] if len(parts) == 1 else torch.cat(parts)
    return result.reshape(batch + result.shape[1:])


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


def require_metres(positions: torch.Tensor, what: str = "positions") -> None:
    """``ValueError`` where positions ``(..., J, 3)``, NaN for what is not known, are of bodies more
    than ten metres wide in most frames: predictions may be wild now and then, but not all."""
    if not positions.numel():
        return
    size = in_parts(_size, positions, each=6 * positions.shape[-2], own=2)
    size = size[size.isfinite()]
    if size.numel() and (usual := size.median()) > _LARGEST_BODY:
        raise ValueError(
            f"{what} are of a body {usual:,.0f} m large (median): metres are expected, are these "
            "millimetres?"
        )


def _size(poses: torch.Tensor) -> torch.Tensor:
    low, high = poses.nan_to_num(torch.inf).amin(dim=-2), poses.nan_to_num(-torch.inf).amax(dim=-2)
    return (high - low).norm(dim=-1)


def require_people_first(positions: torch.Tensor, present: torch.Tensor | None = None) -> None:
    """``ValueError`` where ``(P, T, J, 3)`` have more people than frames, and everybody jumps from
    frame to frame as people stand apart, but hardly moves from person to person: then the second
    axis is that of people. Who is not known is NaN, or not ``present`` ``(P, T)``."""
    if positions.ndim != 4 or not 2 <= positions.shape[1] < positions.shape[0]:
        return
    if present is not None:
        positions = torch.where(present[..., None, None], positions, torch.nan)
    middle = positions.nanmean(dim=-2)
    jumps = (
        middle.diff(dim=1).norm(dim=-1).nanmedian(),
        middle.diff(dim=0).norm(dim=-1).nanmedian(),
    )
    if jumps[0] > 5 * jumps[1]:
        raise ValueError(
            f"positions {tuple(positions.shape)} should be (P, T, J, 3), people first: here people "
            f"jump {jumps[0]:.2g} m from frame to frame, and are {jumps[1]:.2g} m from each other. "
            "Is it (T, P, J, 3)? transpose the first two axes"
        )


def like(result: torch.Tensor, positions: Array) -> Array:
    """The result as the kind and in the precision of the positions it was made from."""
    if isinstance(positions, torch.Tensor):
        return result.to(positions)
    return result.cpu().numpy().astype(positions.dtype, copy=False)


def interpolated(points: np.ndarray, found: np.ndarray) -> np.ndarray:
    """``(T, K, D)`` with what is not ``found`` ``(T, K)`` interpolated over time, constant at the
    ends. A joint that is never found is put into the middle of the others: the image's corner,
    where tools leave it, would look like a very long limb. All is 0 where nothing ever is."""
    times = np.arange(len(points))
    filled = points.copy()
    for joint in np.flatnonzero(~found.all(axis=0) & found.any(axis=0)):
        known = found[:, joint]
        for axis in range(points.shape[2]):
            filled[:, joint, axis] = np.interp(times, times[known], points[known, joint, axis])
    never = ~found.any(axis=0)
    if never.all():
        return np.zeros_like(points)
    filled[:, never] = filled[:, ~never].mean(axis=1, keepdims=True)
    return filled
