"""Symmetric banded systems, many at once: those of trajectories whose frames are tied to frames a
few steps away.

On a CPU LAPACK's banded Cholesky factorisation solves one system after the other. Elsewhere its
many small steps would all have to wait for each other; there the matrix is cut into blocks as wide
as its band, and half of the blocks are eliminated at once, then half of the rest, and so on.
"""

from collections.abc import Sequence

import torch
from scipy.linalg import lapack

Links = Sequence[tuple[int, torch.Tensor]]

_LEAST_BLOCK = 16  # frames: smaller blocks only mean more rounds


def solve(
    diagonal: torch.Tensor, links: Links, right: torch.Tensor, system: torch.Tensor | None = None
) -> torch.Tensor:
    """The minima ``(M, T)`` of N quadratic forms, in float64: row m of them solves
    A[system[m]] x = right[m], with A positive definite.

    A is ``diagonal`` ``(N, T)`` and, for each link ``(step, strength)`` with a strength ``(N, T)``,
    that much of the square of x_t - x_{t-step}; strengths of the first ``step`` frames play no
    part. ``system`` ``(M,)`` lies on the CPU; without it each row has a matrix of its own.
    """
    frames = right.shape[-1]
    links = [(step, strength) for step, strength in links if step < frames]
    links = [(step, strength) for step, strength in links if strength[:, step:].any()]
    batch = by_lapack if right.device.type == "cpu" else by_cyclic_reduction
    numbers = _LARGEST_BATCH[batch]
    if system is None:
        if right.numel() <= numbers // 128:  # all at once, for which no order is needed
            return batch(_bands(diagonal, links), right[:, None].clone())[:, 0]
        system = torch.arange(len(right))
    result = torch.empty_like(right)
    for systems, rows in _batches(system, links, frames, numbers):
        bands = _bands(diagonal[systems], [(step, s[systems]) for step, s in links])
        rows = rows.to(right.device)
        result[rows] = batch(bands, right[rows])
    return result


def _batches(system: torch.Tensor, links: Links, frames: int, numbers: int):
    """Systems with the same number of right sides: their numbers ``(n,)`` and rows ``(n, r)``."""
    order = system.argsort(stable=True)
    counts = system.bincount()
    starts = counts.cumsum(0) - counts
    width = max([_LEAST_BLOCK, *(step for step, _ in links)])
    for count in counts.unique().tolist():
        alike = (counts == count).nonzero().flatten()
        at_once = max(1, numbers // (frames * (4 * width + count)))
        for systems in alike.split(at_once):
            yield systems, order[starts[systems][:, None] + torch.arange(count)]


def _bands(diagonal: torch.Tensor, links: Links) -> torch.Tensor:
    """``(N, T, W + 1)``: bands[t, W - s] = A[t - s, t], the upper half as LAPACK wants it."""
    width = max((step for step, _ in links), default=0)
    bands = diagonal.new_zeros(*diagonal.shape, width + 1)
    bands[..., width] = diagonal
    for step, strength in links:
        strength = strength[:, step:]
        bands[:, step:, width - step] -= strength
        bands[:, step:, width] += strength
        bands[:, :-step, width] += strength
    return bands


def by_lapack(bands: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """N systems ``(N, T, W + 1)`` with right sides ``(N, R, T)`` each; both are overwritten."""
    shape = right.shape
    if shape[1] == 1:  # one below the other they are one banded system, and one call
        bands, right = bands.flatten(0, 1)[None], right.reshape(1, 1, -1)
    for matrix, sides in zip(bands.numpy(), right.numpy(), strict=True):
        # the upper triangle is solved in less time than the lower one
        factor, wrong = lapack.dpbtrf(matrix.T, lower=0, overwrite_ab=1)
        if wrong:
            raise ArithmeticError(f"a matrix is not positive definite: LAPACK dpbtrf gives {wrong}")
        sides.T[:] = lapack.dpbtrs(factor, sides.T, lower=0, overwrite_b=1)[0]
    return right.reshape(shape)


def by_cyclic_reduction(bands: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """N systems ``(N, T, W + 1)`` with right sides ``(N, R, T)`` each."""
    systems, frames, width = bands.shape
    size = max(width - 1, _LEAST_BLOCK)
    blocks = -(-frames // size)
    missing = blocks * size - frames
    padded = bands.new_zeros(systems, blocks * size, width)
    padded[..., -1] = 1.0
    padded[:, :frames] = bands
    # each block's columns, from the top of the block above down to the bottom of its own
    strip = bands.new_zeros(systems, blocks, 2 * size, size)
    column = torch.arange(size, device=bands.device)[:, None]
    step = torch.arange(width, device=bands.device)
    strip[:, :, size + column - step, column] = padded.flip(-1).unflatten(1, (blocks, size))
    above, own = strip.split(size, dim=2)
    own = own + own.triu(1).mT
    right = torch.nn.functional.pad(right, (0, missing)).unflatten(-1, (blocks, size))
    solution = _reduce(own, above[:, 1:], right.permute(0, 2, 3, 1))
    return solution.permute(0, 3, 1, 2).flatten(2)[..., :frames]


def _reduce(own: torch.Tensor, above: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """A block-tridiagonal system: ``own`` ``(N, n, b, b)`` on the diagonal, ``above`` it
    ``(N, n - 1, b, b)``, ``right`` ``(N, n, b, R)``. Every other block is eliminated at once."""
    factor = torch.linalg.cholesky_ex(own[:, ::2]).L
    alone = torch.cholesky_solve(right[:, ::2], factor)
    odd = own.shape[1] // 2
    if odd == 0:
        return alone
    # an odd block's neighbour before it, and the one after it if there is one
    before, after = above[:, ::2], above[:, 1::2]
    follow = after.shape[1]
    by_before = torch.cholesky_solve(before, factor[:, :odd])
    by_after = torch.cholesky_solve(after.mT, factor[:, 1:])
    rest, rest_right = own[:, 1::2].clone(), right[:, 1::2].clone()
    rest -= before.mT @ by_before
    rest_right -= before.mT @ alone[:, :odd]
    rest[:, :follow] -= after @ by_after
    rest_right[:, :follow] -= after @ alone[:, 1:]
    rest_above = -after[:, : odd - 1] @ by_before[:, 1:]
    found = _reduce(rest, rest_above, rest_right)
    alone[:, :odd] -= by_before @ found
    alone[:, 1:] -= by_after @ found[:, :follow]
    solution = torch.empty_like(right)
    solution[:, ::2], solution[:, 1::2] = alone, found
    return solution


# numbers in the matrices and right sides that are worked on at once
_LARGEST_BATCH = {by_lapack: 2**20, by_cyclic_reduction: 2**26}
