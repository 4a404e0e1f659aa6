"""Rotations and forward kinematics, batched on any device.

Quaternions are (w, x, y, z); rotation matrices act on column vectors.
"""

from collections.abc import Sequence

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
    rows = [w2, a - d, b - e, c - f, a - d, x2, c + f, b + e]
    rows += [b - e, c + f, y2, a + d, c - f, b + e, a + d, z2]
    rows = torch.stack(rows, dim=-1).unflatten(-1, (4, 4))
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


def rotation_apply(matrix: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Turn vectors ``(..., 3)`` by rotation matrices ``(..., 3, 3)`` (shapes broadcast). Mixed
    precision leaves this product alone: it would move a person's joints by millimetres."""
    return (matrix * v[..., None, :]).sum(dim=-1)


def rotation_about(axis: str, angle: torch.Tensor) -> torch.Tensor:
    """Rotation matrices ``(..., 3, 3)`` about ``"x"``, ``"y"`` or ``"z"`` by ``(...)`` radians.

    >>> turn = rotation_about("z", torch.tensor(torch.pi / 2))
    >>> (turn @ torch.tensor([1.0, 0.0, 0.0])).round(decimals=4).tolist()
    [0.0, 1.0, 0.0]
    """
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


def euler_from_rotation(axes: str, matrix: torch.Tensor) -> torch.Tensor:
    """Inverse of :func:`rotation_from_euler` for three axes that differ: ``(..., 3)`` radians, the
    middle one within a quarter of a turn. Where that is a quarter, first and last turn about one
    axis; the last is then 0."""
    if sorted(axes) != ["x", "y", "z"]:
        raise ValueError(f"axes must be 'x', 'y' and 'z' in some order, got {axes!r}")
    i, j, k = ("xyz".index(axis) for axis in axes)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0  # of the order: even or odd
    m = matrix
    middle = torch.asin((sign * m[..., i, k]).clamp(-1, 1))
    first = torch.atan2(-sign * m[..., j, k], m[..., k, k])
    last = torch.atan2(-sign * m[..., i, j], m[..., i, i])
    locked = torch.hypot(m[..., i, i], m[..., i, j]) < 8 * torch.finfo(m.dtype).eps
    first = torch.where(locked, torch.atan2(sign * m[..., k, j], m[..., j, j]), first)
    return torch.stack([first, middle, torch.where(locked, 0.0, last)], dim=-1)


def shortest_turn(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """The rotations ``(..., 3, 3)`` by the least angle that bring the direction ``start`` ``(3,)``
    to those of ``end`` ``(..., 3)``, both of length 1. Opposite directions are joined by half a
    turn about some axis across; an ``end`` of length 0 turns nothing."""
    cosine = (end * start).sum(dim=-1, keepdim=True)
    q = torch.cat([1 + cosine, torch.linalg.cross(start.expand_as(end), end, dim=-1)], dim=-1)
    across = torch.zeros_like(start)
    across[start.abs().argmin()] = 1.0
    across = torch.linalg.cross(start, across, dim=-1)
    half = torch.cat([torch.zeros_like(across[:1]), across]).expand_as(q)
    opposite = q.norm(dim=-1, keepdim=True) < 8 * torch.finfo(q.dtype).eps
    q = torch.nn.functional.normalize(torch.where(opposite, half, q), dim=-1)
    return quaternion_to_matrix(q)


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
    batch, count = rotations.shape[:-3], len(parents)
    # Batch last: a product of matrices is then a few operations over all poses at once, which is
    # faster than a small product for each.
    turns = rotations.reshape(-1, count, 3, 3).permute(2, 3, 1, 0).contiguous()
    steps = offsets.expand(*batch, count, 3).reshape(-1, count, 3).permute(2, 1, 0)
    root = root_position.expand(*batch, 3).reshape(-1, 3).T
    turned: list[torch.Tensor] = []
    placed: list[torch.Tensor] = []
    for joint, parent in enumerate(parents):
        if parent >= joint:
            raise ValueError(f"joint {joint} comes before its parent {parent}")
        if parent < 0:
            turned.append(turns[:, :, joint])
            placed.append(root + steps[:, joint])
        else:
            frame = turned[parent]
            placed.append(placed[parent] + (frame * steps[:, joint]).sum(dim=1))
            turned.append((frame[:, :, None] * turns[:, :, joint]).sum(dim=1))
    return torch.stack(placed).permute(2, 0, 1).reshape(*batch, count, 3).contiguous()


def bone_lengths(positions: torch.Tensor, parents: Sequence[int]) -> torch.Tensor:
    """``(..., J, 3)`` positions to ``(..., J - 1)`` lengths, in the order of the joints.

    >>> bone_lengths(torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, 0.4]]), parents=(-1, 0)).tolist()
    [0.5]
    """
    return torch.stack(_bones(positions, parents), dim=-2).norm(dim=-1)


def bone_vectors(positions: torch.Tensor, parents: Sequence[int]) -> torch.Tensor:
    """``(..., J, 3)`` positions to the matrices B ``(..., 3, M)`` of their M = J - 1 bones: a
    column for each joint but the root, in their order, which leads to it from its parent.

    ``ValueError`` where there are not as many joints as ``parents``. Source: cheng2020, pose
    discriminator.
    """
    if positions.shape[-2:] != (len(parents), 3):
        raise ValueError(f"{len(parents)} parents, but positions {tuple(positions.shape)}")
    return torch.stack(_bones(positions, parents), dim=-1)


def kinematic_chain_space(bones: torch.Tensor) -> torch.Tensor:
    """Psi = B^T B ``(..., M, M)`` of bones B ``(..., 3, M)``: the inner products of all pairs, and
    so on the diagonal the squares of the lengths; metres squared where bones are metres.

    Neither turning nor moving the person changes it; where a bone points shows only against the
    others. In half precision its small differences over time would be lost, so that mixed precision
    leaves it alone. Source: cheng2020, pose discriminator (Wandt and Rosenhahn 2019).
    """
    with torch.autocast(bones.device.type, enabled=False):
        return bones.transpose(-1, -2) @ bones


def temporal_kinematic_chain_space(psi: torch.Tensor, interval: int = 1) -> torch.Tensor:
    """Phi = Psi(t + i) - Psi(t) ``(..., T - i, M, M)`` of :func:`kinematic_chain_space` ``(..., T,
    M, M)``: what changes within ``interval`` frames, i. Bones that keep their lengths have a
    diagonal of zeros.

    ``ValueError`` for an interval below 1, or one that leaves no frame. Source: cheng2020, eq. 4.
    """
    frames = psi.shape[-3]
    if not 1 <= interval < frames:
        raise ValueError(
            f"an interval of the temporal KCS is 1 to {frames - 1} in a sequence of {frames} "
            f"frames, got {interval}"
        )
    return psi[..., interval:, :, :] - psi[..., :-interval, :, :]


def _bones(positions: torch.Tensor, parents: Sequence[int]) -> list[torch.Tensor]:
    # a list as an index would be copied to the device, which a step recorded on a GPU must not do
    joints = positions.unbind(dim=-2)
    return [joints[j] - joints[p] for j, p in enumerate(parents) if p >= 0]
