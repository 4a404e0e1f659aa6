"""The simplest way through an occlusion: a straight line (veges2020, 5, the first baseline)."""

import numpy as np
import torch

from paperlib.arrays import Array, as_positions, as_tensor, like, rows_at_once


def interpolate(positions: Array, visible: np.ndarray | torch.Tensor) -> Array:
    """Absolute positions ``(..., T, J, 3)`` with each coordinate drawn straight through the frames
    that are not ``visible`` ``(..., T)``, and held constant before the first and after the last
    visible one. Visible frames stay as they are.

    A NaN counts as not visible. Which score makes a frame visible is the caller's to say: 0.1 in
    table 3b of veges2020, which does not give it for the interpolation.

    >>> path = np.array([0.0, 9.0, 2.0])[:, None, None] * np.ones((1, 1, 3))  # 9 is a guess
    >>> interpolate(path, np.array([True, False, True]))[1].tolist()
    [[1.0, 1.0, 1.0]]
    """
    values = as_positions(positions)
    visible = as_tensor(visible).to(values.device)
    if visible.dtype != torch.bool or visible.shape != values.shape[:-2]:
        raise ValueError(
            f"visible is {visible.dtype} {tuple(visible.shape)}, expected one boolean for each "
            f"frame, {tuple(values.shape[:-2])}: compare the scores with a threshold"
        )
    values = values.movedim(-3, -1)  # (..., J, 3, T)
    known = visible[..., None, None, :] & ~values.isnan()
    unseen = (~known.any(dim=-1)).nonzero()
    if len(unseen):
        *person, joint, axis = unseen[0].tolist()
        who = f" of person {person[0] if len(person) == 1 else tuple(person)}" if person else ""
        raise ValueError(
            f"coordinate {'xyz'[axis]} of joint {joint}{who} is visible in no frame: there is "
            "nothing to interpolate from; leave it out"
        )
    return like(fill(values, known).movedim(-1, -3), positions)


def fill(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Values ``(..., T)`` with what is not ``known`` ``(..., T)`` interpolated linearly over time,
    constant beyond the ends. A row without any known value becomes NaN or is left as it is."""
    if known.all():
        return values.clone()
    frames = values.shape[-1]
    rows, masks = values.reshape(-1, frames), known.reshape(-1, frames)
    # what is known is mostly the same for all coordinates of a person: find neighbours once
    differs = torch.ones_like(masks[:, 0])
    differs[1:] = (masks[1:] != masks[:-1]).any(dim=-1)
    starts = [*differs.nonzero().flatten().tolist(), len(rows)]
    filled = torch.empty_like(rows)
    for bounds in torch.tensor(starts).unfold(0, 2, 1).split(rows_at_once(8 * frames, rows.device)):
        some = slice(int(bounds[0, 0]), int(bounds[-1, 1]))
        _fill(filled[some], rows[some], masks[some], differs[some])
    return filled.reshape(values.shape)


def _fill(
    filled: torch.Tensor, rows: torch.Tensor, masks: torch.Tensor, differs: torch.Tensor
) -> None:
    """Fills rows ``(R, T)``, some frames at a time; ``differs`` ``(R,)`` is where masks do."""
    left, right, share = _neighbours(masks[differs])
    share, same = share.to(rows.dtype), differs.cumsum(0) - 1
    step = rows_at_once(8 * len(rows), rows.device)
    for start in range(0, rows.shape[-1], step):
        part = slice(start, start + step)
        low, high = (rows.gather(-1, near[:, part][same]) for near in (left, right))
        between = torch.lerp(low, high, share[:, part][same])
        filled[:, part] = torch.where(masks[:, part], rows[:, part], between)


def _neighbours(known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each frame of ``(N, T)`` the known one before it and the one after it, and which share of
    the way from the first to the second it has gone."""
    frames = known.shape[-1]
    now = torch.arange(frames, device=known.device)
    before = torch.where(known, now, -1).cummax(dim=-1).values
    after = torch.where(known, now, frames).flip(-1).cummin(dim=-1).values.flip(-1)
    # beyond an end there is only one neighbour, which then stands on both sides
    left = torch.where(before < 0, after, before).clamp_max(frames - 1)
    right = torch.where(after == frames, before, after).clamp_min(0)
    return left, right, (now - left) / (right - left).clamp_min(1).double()
