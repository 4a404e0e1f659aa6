"""Rotations, root and bone lengths at once: the method of Gauss and Newton, over all frames.

**Unknowns.** In the world, a joint k turns by W_k whatever the joints above it do, and its child i
lies at p_i = p_k + d_i, d_i = W_k o_i. Positions are therefore sums of such d along the way from
the root (whose own d is its place), p = A d, and a turn of W_k by a small vector w changes d_i by
w x d_i and nothing else: the Jacobian needs no recursion. What is left apart, e, is made smallest
in the sum of squares with weights w_j; with K_i the change of d_i for w or for the root's move,
blocks of the normal matrix are H_im K_i^T K_m, H = A^T diag(w) A, and its right side K_i^T s_i,
s = A^T diag(w) e. Rotations against the parents, which files want, are W_parent^T W_k, taken at the
end.

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
    """Who hangs on whom: J joints, each moved against its parent by one of G rotations, which may
    move several. Of these the last is the root's, for the sake of its number: it moves nothing, and
    where a step would have its turn, it has the move of the root."""

    root: int
    group: torch.Tensor  # (J,) the rotation that moves each joint
    path: torch.Tensor  # (J, J) float64: 1 where the second joint is on the way to the first

    def gathered(self, values: torch.Tensor, dim: int) -> torch.Tensor:
        """What axis ``dim`` holds of each joint, added up for those that one rotation moves."""
        shape = list(values.shape)
        shape[dim] = int(self.group.max()) + 1
        return values.new_zeros(shape).index_add_(dim, self.group, values)


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
    several = (torch.bincount(tree.group) > 1).double()
    for _ in range(_STEPS):
        apart = points - place(world, root, offsets, tree)
        cost = (weights * apart.square().sum(dim=-1)).sum()
        if best is None or cost < best:
            kept = world, root, offsets
        if best is not None and best - cost <= _ENOUGH * best:
            break
        best = cost
        # a joint's noise, of one axis, as it is so far: where there is none, nothing holds
        hold = several * best / (3 * weights.sum()) / _STRAYS**2
        away = vector_from_rotation(told @ world.mT) * hold[:, None]
        turn, change = _step(world, offsets, apart, weights, tree, free, hold + _DAMPING, away)
        root = root + turn[:, -1]
        turn[:, -1] = 0
        length = turn.norm(dim=-1, keepdim=True)
        turn = turn * (_FURTHEST / length.clamp_min(_FURTHEST))
        world = rotation_from_vector(turn) @ world
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
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turns and the move of the root ``(T, G, 3)``, and the change of the offsets ``(J, 3)``, for
    what is ``apart`` ``(T, J, 3)``. Groups are ``held`` ``(G,)``, and drawn back by ``away``
    ``(T, G, 3)``."""
    frames, joints = apart.shape[:2]
    x, y, z = rotation_apply(world[:, tree.group], offsets).unbind(-1)
    none = torch.zeros_like(x)
    slope = torch.stack([none, z, -y, -z, none, x, y, -x, none], dim=-1).unflatten(-1, (3, 3))
    slope[:, tree.root] = torch.eye(3, dtype=world.dtype)
    # (T, J, J) and (T, J, 3): H and s
    shared = (tree.path.mT * weights[:, None]) @ tree.path
    pull = tree.path.mT @ (weights[..., None] * apart)
    flat = slope.transpose(1, 2).reshape(frames, 3, -1)
    blocks = (flat.mT @ flat).reshape(frames, joints, 3, joints, 3)
    blocks = blocks * shared[:, :, None, :, None]
    matrix = tree.gathered(tree.gathered(blocks, 1), 3).flatten(3).flatten(1, 2)
    matrix.diagonal(dim1=-2, dim2=-1).add_(held.repeat_interleave(3))
    factor = torch.linalg.cholesky(matrix)
    right = tree.gathered((slope.mT @ pull[..., None]).squeeze(-1), 1) + away
    right = right.reshape(frames, -1, 1)
    change = torch.zeros_like(offsets)
    if free is not None:
        moved = world[:, tree.group] @ free  # (T, J, 3, N)
        across = (shared @ moved.flatten(2)).reshape(moved.shape)
        schur = torch.einsum("tjcn,tjcm->nm", moved, across)
        across = tree.gathered(slope.mT @ across, 1).flatten(1, 2)
        gone = torch.cholesky_solve(across, factor)
        schur -= (across.mT @ gone).sum(dim=0)
        schur.diagonal().add_(_DAMPING * frames)
        rest = torch.einsum("tjcn,tjc->n", moved, pull) - (gone.mT @ right).sum(dim=0).squeeze(-1)
        solved = torch.linalg.solve(schur, rest)
        right = right - (across @ solved)[..., None]
        change = free @ solved
    found = torch.cholesky_solve(right, factor).reshape(frames, -1, 3)
    return found, change
