"""Rotations, root and bone lengths at once: the method of Gauss and Newton, over all frames.

**Unknowns.** In the world, a joint k turns by W_k whatever the joints above it do, and its child i
lies at p_i = p_k + W_k o_i. The positions are therefore sums along the way from the root, and a
turn of W_k by a small vector w moves everything below the child by w x (W_k o_i): Gauss and
Newton's method has a Jacobian without recursion. Rotations against the parents, which files want,
are W_parent^T W_k, taken at the end.

**Globals.** The lengths are common to all frames, everything else belongs to one. A step for the
lengths is found first, with the frames eliminated (Schur's complement, as in bundle adjustment).
"""

from dataclasses import dataclass

import torch

from paperlib.kinematics import rotation_apply, rotation_from_vector, vector_from_rotation

# How far, in radians, the rotation of several bones together strays from the one that their
# directions and that of the spine tell: two hips and the pelvis are nearly on one line, about which
# noise alone would turn them.
_STRAYS = 0.3
_DAMPING = 1e-6  # metres squared, of turns that move no joint
_FURTHEST = 0.3  # radians, in one step: a limb that is nearly straight would be thrown about
_STEPS, _ENOUGH = 15, 1e-3  # at most so many; the least relative gain for which another is made


@dataclass(frozen=True, eq=False)
class Tree:
    """Who hangs on whom: J joints of the skeleton, each moved by one of G rotations."""

    group: torch.Tensor  # (J,) the rotation that moves each joint; the root's has no effect
    path: torch.Tensor  # (J, J) float64: 1 where the second joint is on the way to the first
    which: torch.Tensor  # (J, G) float64: 1 where the group moves the joint
    alone: torch.Tensor  # (J,) bool: no other joint is moved by its group
    held: torch.Tensor  # (G,) float64: 1 where a group moves several joints


def place(world: torch.Tensor, root: torch.Tensor, offsets: torch.Tensor, tree: Tree):
    """Positions ``(T, J, 3)``: what lies between the root and each joint, added up."""
    return root[:, None] + tree.path @ rotation_apply(world[:, tree.group], offsets)


def solve(
    world: torch.Tensor,
    offsets: torch.Tensor,
    points: torch.Tensor,
    weights: torch.Tensor,
    tree: Tree,
    free: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Damped steps of Gauss and Newton: world rotations ``(T, G, 3, 3)``, root ``(T, 3)``, and the
    offsets ``(J, 3)``, which stay as they are unless ``free`` ``(J, 3, N)`` holds in its columns
    the N ways in which they may change."""
    still = place(world, torch.zeros_like(points[:, 0]), offsets, tree)
    share = weights / weights.sum(dim=-1, keepdim=True)
    root = (share[..., None] * (points - still)).sum(dim=1)
    told, best = world, None
    for _ in range(_STEPS):
        # a joint's noise, of one axis: of the steps before, so that without noise nothing holds
        apart = points - place(world, root, offsets, tree)
        cost = (weights * apart.square().sum(dim=-1)).sum()
        if best is None or cost < best:
            kept = world, root, offsets
        if best is not None and best - cost <= _ENOUGH * best:
            break
        best = cost
        noise = best / (3 * weights.sum())
        held = tree.held * noise / _STRAYS**2 + _DAMPING
        away = vector_from_rotation(told @ world.mT) * (tree.held * noise / _STRAYS**2)[:, None]
        turn, move, change = _step(world, offsets, apart, weights, tree, free, held, away)
        length = turn.norm(dim=-1, keepdim=True)
        turn = turn * (_FURTHEST / length.clamp_min(_FURTHEST))
        world, root = rotation_from_vector(turn) @ world, root + move
        offsets = offsets + change
    return kept


def _step(
    world: torch.Tensor,
    offsets: torch.Tensor,
    apart: torch.Tensor,
    weights: torch.Tensor,
    tree: Tree,
    free: torch.Tensor | None,
    held: torch.Tensor,
    away: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Turns ``(T, G, 3)``, moves of the root ``(T, 3)`` and of the offsets ``(J, 3)``, of what is
    ``apart`` ``(T, J, 3)``; groups are ``held`` ``(G,)``, and drawn back by ``away`` ``(T, G, 3)``.
    """
    frames, joints, groups = len(world), len(offsets), world.shape[1]
    bones = rotation_apply(world[:, tree.group], offsets)  # (T, J, 3)
    # of the bone that a group turns on the way to a joint; none where the group is not on it
    lever = torch.einsum("ji,ig,tic->tjgc", tree.path, tree.which, bones)
    x, y, z = lever.unbind(-1)
    none = torch.zeros_like(x)
    cross = torch.stack([none, z, -y, -z, none, x, y, -x, none], dim=-1).unflatten(-1, (3, 3))
    eye = torch.eye(3, dtype=world.dtype).expand(frames, joints, 1, 3, 3)
    slope = torch.cat([cross, eye], dim=2).transpose(2, 3).reshape(frames, joints * 3, -1)
    scaled = slope * weights.repeat_interleave(3, dim=-1)[..., None]
    matrix = scaled.mT @ slope
    matrix.diagonal(dim1=-2, dim2=-1)[:, : 3 * groups] += held.repeat_interleave(3)
    factor, right = torch.linalg.cholesky(matrix), scaled.mT @ apart.reshape(frames, -1, 1)
    right[:, : 3 * groups] += away.reshape(frames, -1, 1)
    change = torch.zeros_like(offsets)
    if free is not None:
        moved = (world[:, tree.group] @ free).flatten(2)  # (T, J, 3 N)
        moved = (tree.path @ moved).reshape(frames, joints * 3, -1)
        across = scaled.mT @ moved
        gone = torch.cholesky_solve(across, factor)
        weighted = moved * weights.repeat_interleave(3, dim=-1)[..., None]
        schur = (weighted.mT @ moved - across.mT @ gone).sum(dim=0)
        schur.diagonal().add_(_DAMPING * frames)
        rest = (weighted.mT @ apart.reshape(frames, -1, 1) - gone.mT @ right).sum(dim=0)
        solved = torch.linalg.solve(schur, rest)
        right = right - across @ solved
        change = (free @ solved).squeeze(-1)
    found = torch.cholesky_solve(right, factor).reshape(frames, groups + 1, 3)
    return found[:, :-1], found[:, -1], change
