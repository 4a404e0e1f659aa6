"""Rotations, forward kinematics and rigid alignment, batched on any device.

Quaternions are (w, x, y, z); rotation matrices act on column vectors.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch


def quaternion_inverse(q: torch.Tensor) -> torch.Tensor:
    """Of a unit quaternion ``(..., 4)``: the opposite rotation."""
    return q * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=q.dtype, device=q.device)


def quaternion_apply(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Turn vectors ``(..., 3)`` by unit quaternions ``(..., 4)`` (shapes broadcast)."""
    w = q[..., :1]
    axis, v = torch.broadcast_tensors(q[..., 1:], v)
    across = torch.linalg.cross(axis, v, dim=-1)
    return v + 2 * (w * across + torch.linalg.cross(axis, across, dim=-1))


def quaternion_to_matrix(q: torch.Tensor) -> torch.Tensor:
    """``(..., 4)`` unit quaternions to ``(..., 3, 3)`` rotation matrices."""
    columns = torch.eye(3, dtype=q.dtype, device=q.device).expand(*q.shape[:-1], 3, 3)
    return quaternion_apply(q[..., None, :], columns).transpose(-1, -2)


def matrix_to_quaternion(matrix: torch.Tensor) -> torch.Tensor:
    """``(..., 3, 3)`` rotation matrices to unit quaternions ``(..., 4)`` with w >= 0."""
    m = matrix
    trace = m.diagonal(dim1=-2, dim2=-1)
    x, y, z = trace.unbind(-1)
    # four times the squares of w, x, y, z; the largest is safe to divide by
    squares = torch.stack([1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z], dim=-1)
    a, b, c = m[..., 2, 1], m[..., 0, 2], m[..., 1, 0]
    d, e, f = m[..., 1, 2], m[..., 2, 0], m[..., 0, 1]
    w2, x2, y2, z2 = squares.unbind(-1)
    rows = torch.stack(
        [
            torch.stack([w2, a - d, b - e, c - f], dim=-1),
            torch.stack([a - d, x2, c + f, b + e], dim=-1),
            torch.stack([b - e, c + f, y2, a + d], dim=-1),
            torch.stack([c - f, b + e, a + d, z2], dim=-1),
        ],
        dim=-2,
    )
    best = squares.argmax(dim=-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    q = torch.nn.functional.normalize(rows.gather(-2, best).squeeze(-2), dim=-1)
    return torch.where(q[..., :1] < 0, -q, q)


def rotation_from_vector(vector: torch.Tensor) -> torch.Tensor:
    """Exponential map: ``(..., 3)`` rotation vectors (axis times radians) to ``(..., 3, 3)``."""
    angle2 = (vector**2).sum(dim=-1)[..., None, None]
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1)
    skew = skew.reshape(*vector.shape[:-1], 3, 3)
    # sin(a)/a and (1 - cos(a))/a^2; near zero their series, free of 0/0 also in the gradient
    small = angle2 < 1e-6
    safe = torch.where(small, torch.ones_like(angle2), angle2)
    angle = safe.sqrt()
    first = torch.where(small, 1 - angle2 / 6, angle.sin() / angle)
    second = torch.where(small, 0.5 - angle2 / 24, (1 - angle.cos()) / safe)
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return eye + first * skew + second * (skew @ skew)


def vector_from_rotation(matrix: torch.Tensor) -> torch.Tensor:
    """Inverse of :func:`rotation_from_vector`; the angle lies in [0, pi]."""
    q = matrix_to_quaternion(matrix)
    axis, w = q[..., 1:], q[..., :1]
    length = axis.norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(length, w)
    return torch.where(length > 1e-8, axis / length.clamp_min(1e-12) * angle, 2 * axis)


def rotation_about(axis: str, angle: torch.Tensor) -> torch.Tensor:
    """Rotation matrices ``(..., 3, 3)`` about ``"x"``, ``"y"`` or ``"z"`` by ``(...)`` radians."""
    if axis not in ("x", "y", "z"):
        raise ValueError(f"axis must be 'x', 'y' or 'z', got {axis!r}")
    vector = torch.zeros(*angle.shape, 3, dtype=angle.dtype, device=angle.device)
    vector[..., "xyz".index(axis)] = angle
    return rotation_from_vector(vector)


def rotation_from_euler(axes: str, angles: torch.Tensor) -> torch.Tensor:
    """Product of rotations about ``axes``, left to right, by ``(..., len(axes))`` radians:
    ``"zyx"`` gives Rz(a0) Ry(a1) Rx(a2)."""
    if angles.shape[-1] != len(axes):
        raise ValueError(f"{axes!r} needs (..., {len(axes)}) angles, got {tuple(angles.shape)}")
    result = rotation_about(axes[0], angles[..., 0])
    for i, axis in enumerate(axes[1:], start=1):
        result = result @ rotation_about(axis, angles[..., i])
    return result


def forward_kinematics(
    rotations: torch.Tensor,
    offsets: torch.Tensor,
    parents: Sequence[int],
    root_position: torch.Tensor,
) -> torch.Tensor:
    """Joint positions ``(..., J, 3)`` of a tree of bones.

    ``rotations`` ``(..., J, 3, 3)`` turn each joint's frame against its parent's; ``offsets``
    ``(J, 3)`` or ``(..., J, 3)`` place each joint in its parent's frame (the root's own offset is
    added to its position, unturned); ``root_position`` is ``(..., 3)``. Parents must come before
    their children. Units are those of the offsets.
    """
    if rotations.shape[-3] != len(parents) or offsets.shape[-2] != len(parents):
        raise ValueError(
            f"{len(parents)} parents, but rotations {tuple(rotations.shape)} "
            f"and offsets {tuple(offsets.shape)}"
        )
    root_position = root_position.expand(*rotations.shape[:-3], 3)
    turned: list[torch.Tensor] = []
    placed: list[torch.Tensor] = []
    for joint, parent in enumerate(parents):
        if parent >= joint:
            raise ValueError(f"joint {joint} comes before its parent {parent}")
        if parent < 0:
            turned.append(rotations[..., joint, :, :])
            placed.append(root_position + offsets[..., joint, :])
        else:
            step = (turned[parent] @ offsets[..., joint, :, None]).squeeze(-1)
            placed.append(placed[parent] + step)
            turned.append(turned[parent] @ rotations[..., joint, :, :])
    return torch.stack(placed, dim=-2)


def bone_lengths(positions: torch.Tensor, parents: Sequence[int]) -> torch.Tensor:
    """``(..., J, 3)`` positions to ``(..., J - 1)`` lengths, in the order of the joints."""
    children = [j for j, p in enumerate(parents) if p >= 0]
    above = [parents[j] for j in children]
    return (positions[..., children, :] - positions[..., above, :]).norm(dim=-1)


class Similarity(NamedTuple):
    """x -> scale * rotation @ x + translation."""

    scale: torch.Tensor  # (...)
    rotation: torch.Tensor  # (..., 3, 3)
    translation: torch.Tensor  # (..., 3)

    def apply(self, points: torch.Tensor) -> torch.Tensor:
        """Points ``(..., J, 3)``."""
        turned = points @ self.rotation.transpose(-1, -2)
        return self.scale[..., None, None] * turned + self.translation[..., None, :]


def procrustes(source: torch.Tensor, target: torch.Tensor, scale: bool = True) -> Similarity:
    """The similarity that brings ``source`` ``(..., J, 3)`` closest to ``target`` in the sum of
    squares. Its rotation is proper: a mirror image is never mirrored back.

    ``scale=False`` leaves the size alone (rotation and translation only). Points that all
    coincide are matched in translation, with scale 0.
    """
    if source.shape != target.shape or source.ndim < 2 or source.shape[-1] != 3:
        raise ValueError(f"procrustes: {tuple(source.shape)} against {tuple(target.shape)}")
    source_mean = source.mean(dim=-2, keepdim=True)
    target_mean = target.mean(dim=-2, keepdim=True)
    source, target = source - source_mean, target - target_mean
    u, s, vh = torch.linalg.svd(target.transpose(-1, -2) @ source)
    # the last singular direction is turned over where the best orthogonal map would reflect
    sign = torch.ones_like(s)
    sign[..., -1] = torch.sign(torch.linalg.det(u) * torch.linalg.det(vh))
    rotation = (u * sign[..., None, :]) @ vh
    size = (source**2).sum(dim=(-1, -2))
    # points that coincide leave nothing but rounding, which must not be blown up
    rounding = 4 * source_mean.abs().amax(dim=(-1, -2)) * torch.finfo(size.dtype).eps
    extended = size > source.shape[-2] * rounding**2
    factor = torch.where(
        extended, (s * sign).sum(dim=-1) / torch.where(extended, size, torch.ones_like(size)), 0.0
    )
    if not scale:
        factor = torch.ones_like(factor)
    moved = factor[..., None, None] * (source_mean @ rotation.transpose(-1, -2))
    return Similarity(factor, rotation, (target_mean - moved).squeeze(-2))
