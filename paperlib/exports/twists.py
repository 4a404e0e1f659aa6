"""How bones turn about themselves, where their ends do not tell: least, and without jumps."""

import math

import numpy as np
import torch
from torch.nn.functional import normalize

from paperlib.inverse_kinematics import hinges
from paperlib.kinematics import rotation_apply, rotation_from_vector, shortest_turn
from paperlib.skeletons import Skeleton

_SECONDS = 0.1  # standard deviation of the Gaussian over time
# The sine of the bend at which a hinge tells as much of the twist as it is believed to be none
# without one: of a straight limb any twist could be read from noise.
_BELIEF = math.sin(math.radians(10))


def untwisted(
    world: torch.Tensor, offsets: torch.Tensor, skeleton: Skeleton, group: torch.Tensor, fps: float
) -> torch.Tensor:
    """World rotations ``(T, N, 3, 3)`` that place all joints as the given ones do, where bones that
    are moved by a rotation of their own come from their parent by the shortest turn.

    ``offsets`` ``(J, 3)`` place each joint in its parent's frame, ``group`` ``(J,)`` says which
    rotation moves it; that of a parent has the parent's number. Upper limbs also turn about
    themselves, such that the hinge below bends in its plane. What the hinge tells are two numbers,
    the parts of the lower bone along that plane and across it: small where the limb is nearly
    straight, so that they weigh little when both are averaged over time (a Gaussian of 0.1 s). The
    angle of an average of directions has no seam at half a turn, over which it could jump.
    """
    rest = normalize(offsets, dim=-1)
    bends, world = hinges(skeleton, rest), world.clone()
    moved = np.bincount(group.numpy(), minlength=world.shape[1])
    bones = rotation_apply(world[:, group], rest)
    only = {int(g): j for j, g in enumerate(group) if moved[g] == 1 and j != skeleton.root}
    for joint in skeleton.order:
        parent = skeleton.parents[joint]
        own = int(group[joint])
        if parent >= 0 and own != parent and moved[own] == 1:
            world[:, own] = _shortest(world[:, parent], rest[joint], bones[:, joint])
        if (hinge := only.get(joint)) is None:
            continue
        above = world[:, int(group[joint])] if parent >= 0 else torch.eye(3).to(world)
        turned = _shortest(above, rest[hinge], bones[:, hinge])
        if hinge in bends and (lower := only.get(hinge)) is not None:
            seen = (bones[:, lower, None] @ turned).squeeze(1)
            turned = turned @ _twist(rest[hinge], bends[hinge], seen, _SECONDS * fps)
        world[:, joint] = turned
    return world


def _shortest(above: torch.Tensor, rest: torch.Tensor, bone: torch.Tensor) -> torch.Tensor:
    return above @ shortest_turn(rest, (bone[:, None] @ above).squeeze(1))


def _twist(axis, bend, lower, sigma) -> torch.Tensor:
    """Turns ``(T, 3, 3)`` about the ``axis`` ``(3,)`` of an upper bone, of the lower bone's
    direction ``(T, 3)`` before them."""
    from scipy.ndimage import gaussian_filter1d

    side = torch.linalg.cross(axis, bend, dim=-1)
    told = torch.stack([lower @ bend, lower @ side], dim=-1).numpy()
    along, across = torch.from_numpy(gaussian_filter1d(told, sigma, axis=0, mode="nearest")).T
    angle = torch.atan2(across, along + _BELIEF)
    return rotation_from_vector(angle[:, None] * axis)
