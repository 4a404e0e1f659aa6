"""The direct solver's search in PyTorch, all coordinates at once.

Where no error comes near the cap the first solution is the last. Otherwise there may be several
minima: about the frames in doubt the descent is made from two starts, and the lower one is kept of
each coordinate, since they do not depend on each other, and of each such stretch of time, since far
from each other they hardly do.
"""

from collections.abc import Callable

import numpy as np
import torch

from paperlib.refinement.banded import solve
from paperlib.refinement.energy import Rows
from paperlib.refinement.interpolation import fill
from paperlib.refinement.settings import Settings

RIDGE = 1e-9  # of the largest weights: holds what nothing else does
NEAR_CAP = 0.5  # of the squared error from which it pays to give a frame up
REACH = 1  # long steps: frames further away than that are left out of the search
SEEN = 0.5  # of the score: one start gives up what scores less
DESCENT = 100  # steps at most; a few are usual
SOFTEST = 1e-9  # hardness of the soft cap at its start, at least
HARDER = 8.0  # factor on it from step to step …
HARD = 6.0  # … up to this one, from which the cap itself leads on


def lowest(rows: Rows, settings: Settings, record: Callable[[torch.Tensor], None]) -> torch.Tensor:
    """Coordinates ``(M, T)`` of the least energy found; ``record`` is told all that improve."""
    anchor = _anchor(rows)
    record(anchor)
    values = _minimum(rows, anchor, None, settings)
    record(values)
    doubtful = _doubtful(rows, values, settings)
    hard = doubtful.any(dim=-1).nonzero().flatten()
    if not len(hard):
        return values
    few, few_anchor, found = rows.at(hard), anchor[hard], values[hard]
    reach = min(REACH * settings.long_step, values.shape[1])
    row, frames, own = _windows(doubtful[hard], reach)
    parts = few.frames(row, frames)
    lower = _lower_of_two(parts, few_anchor[row, frames], found[row, frames], settings)
    found[row.expand_as(frames)[own], frames[own]] = lower[own]
    found = _descend(few, few_anchor, found, settings)
    energies = [few.energy(x, settings).sum(dim=0) for x in (found, values[hard])]
    values[hard] = torch.where((energies[0] < energies[1])[:, None], found, values[hard])
    record(values)
    return values


def _lower_of_two(
    rows: Rows, anchor: torch.Tensor, values: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """The lower of the minima below two starts: the solution that uses all frames, and where the
    way over a soft cap leads from that one which uses the frames in which the person was seen."""
    seen = _minimum(rows, anchor, rows.weight >= SEEN, settings)
    starts = torch.cat([values, _soften(rows, anchor, seen, settings)])
    twice = torch.arange(len(values), device=values.device).repeat(2)
    found = _descend(rows.at(twice), anchor[twice], starts, settings)
    hard, soft = rows.at(twice).energy(found, settings).sum(dim=0).chunk(2)
    from_all, from_seen = found.chunk(2)
    return torch.where((soft < hard)[:, None], from_seen, from_all)


def _doubtful(rows: Rows, values: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Frames ``(M, T)`` that may better be given up.

    One frame is if its squared error is above cap * (1 - h), where h is its influence on its own
    solution. In an endless even track without long steps h = sqrt(w / (w + 4 short)); half of that
    threshold allows for several frames together.
    """
    stiff = 4 * rows.short[:, None]
    free = 1 - (rows.weight / (rows.weight + stiff).clamp_min(1e-12)).sqrt()
    return _square(rows, values) > NEAR_CAP * settings.cap * free


def _windows(doubtful: torch.Tensor, reach: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Stretches of ``(M, T)`` about doubtful frames with ``reach`` frames more on either side, all
    as long as the longest: their rows ``(W, 1)``, their frames ``(W, L)``, and which of these
    belong to no other stretch. What lies further away hardly depends on them."""
    total = doubtful.shape[1]
    found = []
    for row, marks in enumerate(doubtful.cpu().numpy()):
        frames = np.flatnonzero(marks)
        for part in np.split(frames, np.flatnonzero(np.diff(frames) > reach) + 1):
            found.append((row, part[0], part[-1]))
    row, first, last = torch.tensor(np.array(found).T, device=doubtful.device)[..., None]
    length = min(int((last - first).amax()) + 1 + 2 * reach, total)
    begin = (first - reach).clamp(0, total - length)
    frames = begin + torch.arange(length, device=row.device)
    return row, frames, (frames >= first - reach // 2) & (frames <= last + reach // 2)


def _descend(
    rows: Rows, anchor: torch.Tensor, values: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """Choose the frames below the cap, solve, and again, until the choice stays."""
    values, used = values.clone(), None
    for _ in range(DESCENT):
        chosen = _square(rows, values) <= settings.cap
        changed = torch.ones_like(chosen[:, 0]) if used is None else (chosen != used).any(dim=-1)
        changed = changed.nonzero().flatten()
        if not len(changed):
            break
        used = chosen
        values[changed] = _minimum(rows.at(changed), anchor[changed], used[changed], settings)
    return values


def _soften(
    rows: Rows, anchor: torch.Tensor, values: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """The way into a low minimum: a soft cap under which errors count the less the larger they are,
    hardened step by step (graduated non-convexity, Yang et al. 2020, truncated least squares)."""
    cap = settings.cap
    largest = _square(rows, values).amax(dim=-1, keepdim=True)
    hardness = (cap / (2 * largest - cap).clamp_min(cap / HARD)).clamp_min(SOFTEST)
    while (hardness <= HARD).any():
        square = _square(rows, values)
        share = (cap * hardness * (hardness + 1) / square).sqrt() - hardness
        values = _minimum(rows, anchor, share.clamp(0, 1), settings)
        hardness = hardness * HARDER
    return values


def _square(rows: Rows, values: torch.Tensor) -> torch.Tensor:
    """Squared errors, 0 where the prediction plays no part."""
    return torch.where(rows.weight > 0, (values - rows.target).square(), 0)


def _anchor(rows: Rows) -> torch.Tensor:
    """The prediction, interpolated where it plays no part; where all of it does not, where it is
    not known."""
    plays = rows.weight > 0
    return fill(rows.target, torch.where(plays.any(dim=-1, keepdim=True), plays, rows.known))


def _minimum(
    rows: Rows, anchor: torch.Tensor, used: torch.Tensor | None, settings: Settings
) -> torch.Tensor:
    """Where the energy without a cap is least, ``(M, T)``, if only the ``used`` frames count: which
    ones, or how much each does, from 0 to 1; all of them without ``used``."""
    if used is None:
        weight, (system, first) = rows.weight, _systems(rows.track, rows.weight > 0)
    else:
        weight, system, first = rows.weight * used, None, slice(None)
    short, long = rows.short[first, None], rows.long[first, None]
    ridge = weight[first].amax(dim=-1, keepdim=True) + 2 * (short + long)
    ridge = RIDGE * torch.where(ridge > 0, ridge, 1)
    links = (
        (settings.short_step, short.expand_as(weight[first])),
        (settings.long_step, long * rows.gate[first]),
    )
    of_row = ridge if system is None else ridge[system.to(ridge.device)]
    right = torch.addcmul(of_row * anchor, weight, rows.target)
    return solve(weight[first] + ridge, links, right, system)


def _systems(track: torch.Tensor, used: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of one track that use the same frames have the same matrix: the number of its matrix
    for each row, ``(M,)``, and a row that has it for each matrix, ``(N,)``; both on the CPU."""
    masks = np.packbits(used.cpu().numpy(), axis=-1)
    numbers: dict[tuple[int, bytes], int] = {}
    system, first = [], []
    for row, key in enumerate(zip(track.tolist(), map(bytes, masks), strict=True)):
        if key not in numbers:
            numbers[key] = len(numbers)
            first.append(row)
        system.append(numbers[key])
    return torch.tensor(system), torch.tensor(first)
