"""Rigid alignment of point sets: millions of small problems at once, on any device.

The best rotation needs the singular vectors of a 3 x 3 matrix for each pose. They are found by a
fixed number of Jacobi rotations on tensors ``(3, 3, N)``, where each operation runs over all N
poses: no library call for each matrix, no branch, nothing for the host to wait for.
"""

from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

# Rounds over the three pairs of columns. One fewer leaves the columns orthogonal within 5e-3
# (float32) and 2e-9 (float64) at the worst, and each round cubes what the one before left.
_ROUNDS = {torch.float32: 4, torch.float64: 5}
# Poses worked on at once. On a CPU what is between input and output stays in its cache;
# elsewhere it stays below about 600 bytes a pose in float32.
_BLOCK = {"cpu": 8192}
_LARGEST_BLOCK = 2**19


class Similarity(NamedTuple):
    """x -> scale * rotation @ x + translation."""

    scale: torch.Tensor  # (...)
    rotation: torch.Tensor  # (..., 3, 3)
    translation: torch.Tensor  # (..., 3)

    def apply(self, points: torch.Tensor) -> torch.Tensor:
        """Points ``(..., J, 3)``."""
        turn = self.scale[..., None, None] * self.rotation
        return points @ turn.transpose(-1, -2) + self.translation[..., None, :]


def procrustes(source: torch.Tensor, target: torch.Tensor, scale: bool = True) -> Similarity:
    """The similarity that brings ``source`` ``(..., J, 3)`` closest to ``target`` in the sum of
    squares. Its rotation is proper: a mirror image is never mirrored back.

    ``scale=False`` leaves the size alone (rotation and translation only). Points that all
    coincide are matched in translation, with scale 0. Where several rotations are equally good,
    one of them is taken, and what distinguishes them has no gradient. Differentiable once.

    >>> pose = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    >>> onto = procrustes(2 * pose + 5, pose)
    >>> round(onto.scale.item(), 4), torch.allclose(onto.apply(2 * pose + 5), pose, atol=1e-5)
    (0.5, True)
    """
    if source.shape != target.shape or source.ndim < 2 or source.shape[-1] != 3:
        raise ValueError(
            f"procrustes: {tuple(source.shape)} against {tuple(target.shape)}; "
            "expected twice the same shape (..., J, 3)"
        )
    if source.dtype != target.dtype or source.dtype not in _ROUNDS:
        raise ValueError(
            f"procrustes: {source.dtype} against {target.dtype}; expected both to be float32 or "
            "float64: convert them by .float() or .double()"
        )
    batch, joints = source.shape[:-2], source.shape[-2]
    block = _BLOCK.get(source.device.type, _LARGEST_BLOCK)
    poses = (p.reshape(batch.numel(), joints, 3).split(block) for p in (source, target))
    parts = [_align(s, t, scale) for s, t in zip(*poses, strict=True)]
    factor, rotation, translation = map(torch.cat, zip(*parts, strict=True))
    return Similarity(
        factor.reshape(batch), rotation.reshape(*batch, 3, 3), translation.reshape(*batch, 3)
    )


def _align(source: torch.Tensor, target: torch.Tensor, scale: bool) -> Similarity:
    """:func:`procrustes` of ``(N, J, 3)``."""
    source, target = (p.permute(2, 1, 0).contiguous() for p in (source, target))  # (3, J, N)
    source_mean, target_mean = source.mean(dim=1), target.mean(dim=1)
    source, target = source - source_mean[:, None], target - target_mean[:, None]
    covariance = torch.stack([(row * source).sum(dim=1) for row in target])
    rotation = _Rotation.apply(covariance)
    size = source.square().sum(dim=(0, 1))
    # points that coincide leave nothing but rounding, which must not be blown up
    rounding = 4 * source_mean.abs().amax(dim=0) * torch.finfo(size.dtype).eps
    extended = size > source.shape[1] * rounding**2
    # at the best rotation, turning on changes the sum in the second order only: no gradient there
    along = (rotation.detach() * covariance).sum(dim=(0, 1))
    factor = torch.where(extended, along / torch.where(extended, size, torch.ones_like(size)), 0.0)
    if not scale:
        factor = torch.ones_like(factor)
    moved = factor * (rotation * source_mean).sum(dim=1)
    return Similarity(factor, rotation.movedim(-1, 0), (target_mean - moved).T)


class _Rotation(torch.autograd.Function):
    """The proper rotation R that makes tr(R^T M) largest, for M ``(3, 3, N)``.

    With M = U diag(s) V^T, both U and V proper and the sign on the last of s, it is U V^T. It
    follows M as dR = U W V^T, where W_ij = (U^T dM V - V^T dM^T U)_ij / (s_i + s_j).
    """

    @staticmethod
    def forward(ctx: Any, matrices: torch.Tensor) -> torch.Tensor:
        left, values, right = proper_svd(matrices)
        ctx.save_for_backward(left, values, right)
        return _outer(left, right)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        left, values, right = ctx.saved_tensors
        turned = _product(left.transpose(0, 1), _product(gradient, right))
        sums = values[:, None] + values[None]
        # two directions whose values cancel may be turned at will
        unique = sums > 4 * torch.finfo(values.dtype).eps * values[0]
        turned = (turned - turned.transpose(0, 1)) / torch.where(unique, sums, torch.inf)
        return _outer(_product(left, turned), right)


def proper_svd(matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """U ``(3, 3, N)``, s ``(3, N)``, V ``(3, 3, N)`` of matrices U diag(s) V^T ``(3, 3, N)``.

    U and V are rotations, so s[2] has the sign of the determinant; ``|s|`` falls. One-sided Jacobi
    (Hestenes 1958): pairs of columns of M are turned until all are orthogonal, and V is the turn.
    """
    largest = matrices.abs().amax(dim=(0, 1))
    eye = torch.eye(3, dtype=matrices.dtype, device=matrices.device)[..., None]
    scaled = torch.where(largest > 0, matrices / largest, eye)  # of nothing, the identity is best
    # a column of M V above one of V: both are turned alike
    columns = list(torch.cat([scaled, eye.expand_as(scaled)]).unbind(dim=1))
    for _ in range(_ROUNDS[matrices.dtype]):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            columns[i], columns[j] = _orthogonal(columns[i], columns[j])
    moved, right = torch.stack(columns, dim=1).split(3)
    left = _frame(moved[:, 0], moved[:, 1])
    values = torch.where(largest > 0, (left * moved).sum(dim=0) * largest, 0.0)
    return left, values, right


def _orthogonal(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two columns ``(6, N)`` turned in their plane until their first three numbers are orthogonal,
    the longer one first."""
    a, b = x[:3], y[:3]
    difference = ((a - b) * (a + b)).sum(dim=0)  # of the squared lengths
    product = 2 * (a * b).sum(dim=0)
    # Twice the angle is that of (difference, product). Where both vanish there is nothing to turn:
    # the small number makes the angle 0 there, and matters nowhere else.
    cosine = difference.abs() + torch.finfo(x.dtype).eps ** 2
    large = cosine + torch.hypot(cosine, product)
    length = torch.hypot(large, product)
    large, small = large / length, product / length
    swapped = difference < 0
    c, s = torch.where(swapped, small, large), torch.where(swapped, large, small)
    return torch.addcmul(c * x, s, y), torch.addcmul(c * y, s, x, value=-1)


def _frame(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Rotations ``(3, 3, N)`` whose first two columns have the directions of ``first`` and
    ``second`` ``(3, N)``, which are orthogonal; where ``second`` is but rounding, the second one
    is any that is orthogonal to the first."""
    length = first.square().sum(dim=0).sqrt()
    first = first / length
    width = second.square().sum(dim=0).sqrt()
    # an orthogonal unit vector without a branch and without cancellation (Duff et al. 2017)
    x, y, z = first
    sign = torch.copysign(torch.ones_like(z), z)
    other = torch.stack([1 - x * x / (1 + z.abs()), -x * y / (1 + z.abs()), -x * sign])
    flat = width <= 8 * torch.finfo(width.dtype).eps * length
    second = torch.where(flat, other, second / torch.where(flat, torch.ones_like(width), width))
    return torch.stack([first, second, torch.linalg.cross(first, second, dim=0)], dim=1)


def _product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a b of ``(3, 3, N)``."""
    return (a[:, :, None] * b).sum(dim=1)


def _outer(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a b^T of ``(3, 3, N)``."""
    return (a[:, None] * b).sum(dim=2)
