"""Joint rotations from joint positions: forward kinematics backwards, as far as positions tell.

A bone's direction says how it turned, but not how it turned about itself. Where several bones leave
a joint (pelvis, thorax) they tell all of its rotation. Of a limb's upper bone, the lower one tells
the rest, since knees and elbows are hinges: the plane in which they bend turns with the upper bone.
"""

import math

import torch
from torch.nn.functional import normalize

from paperlib.alignment import procrustes
from paperlib.arrays import Array, as_positions
from paperlib.kinematics import rotation_from_vector, shortest_turn
from paperlib.skeletons import Skeleton, part

_HANGING = math.pi / 4  # of the arms of the rest pose, below the horizontal
# Bends at which a hinge begins to tell of the twist of the bone above it, and tells all. At the
# former, a centimetre of error in a wrist turns the upper arm by 13 degrees.
_STRAIGHT, _BENT = math.sin(math.radians(10)), math.sin(math.radians(20))
_COLLINEAR = 0.1  # the second singular value of bones, to the first, below which they are one line

# The directions of bones in the rest pose: x forward, y to the left (mirrored for the right), z up.
_DOWN, _UP, _SIDE = (0.0, 0.0, -1.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
_ARM = (0.0, math.cos(_HANGING), -math.sin(_HANGING))
_REST = {"knee": _DOWN, "ankle": _DOWN, "hip": _SIDE, "shoulder": _SIDE, "elbow": _ARM}
_REST |= {"wrist": _ARM}
_REST |= dict.fromkeys(
    "spine thorax neck upper_neck neck_nose head head_nose head_top".split(), _UP
)
_BENDS = {"knee": -1.0, "elbow": 1.0}  # a hinge's lower bone bends forward or backward


def rest_pose(skeleton: Skeleton) -> torch.Tensor:
    """``(J, 3)`` float64: the direction of each joint from its parent, of length 1, in a person who
    stands upright with arms lifted half way, and faces +x with y to the left and z up; 0 for the
    root. Arms are then far from the opposite direction, whatever they do, where the shortest turn
    is not unique. ``ValueError`` for joints that are not of a whole body (eyes, fingers)."""
    rows = []
    for joint, name in enumerate(skeleton.joints):
        if joint == skeleton.root:
            rows.append((0.0, 0.0, 0.0))
        elif part(name) in _REST:
            x, y, z = _REST[part(name)]
            rows.append((x, -y if skeleton.side(joint) == "right" else y, z))
        else:
            raise ValueError(
                f"{skeleton.name} has the joint {name!r}, of which no rest pose is known; known "
                f"are the root and {', '.join(_REST)}: pass rest, offsets (J, 3) in a rest pose"
            )
    return torch.tensor(rows, dtype=torch.float64)


def inverse_kinematics(
    positions: Array, skeleton: Skeleton, rest: torch.Tensor | None = None
) -> torch.Tensor:
    """The rotations ``(..., T, J, 3, 3)`` float64 of joints against their parents that
    :func:`~paperlib.kinematics.forward_kinematics` takes, of positions ``(..., T, J, 3)``.

    ``rest`` ``(J, 3)`` places each joint in its parent's frame in a rest pose, in which knees and
    elbows are straight, the knees below the hips, and no joint is turned; :func:`rest_pose` by
    default. Only its directions count. Turning a whole pose turns the root and nothing else.

    * Where bones leave a joint in several directions, the rotation is the one that fits them best.
      If they are as far from each other as in the rest pose, all joints come back exactly.
    * Elsewhere it is the shortest turn of the bone, before which the bone turns about itself so
      that the hinge below it (knee, elbow) bends in its plane. From 20 down to 10 degrees of bend
      that twist is faded out, and below it is 0; so are the twists of forearms, shins and the neck,
      and the rotations of joints that no bone leaves (wrists, ankles). The lower bone keeps its
      direction: what a faded twist lacks, the hinge makes up.

    ``ValueError`` for NaN and for positions of another skeleton.
    """
    points = as_positions(positions, gaps=False).double()
    if points.shape[-2] != len(skeleton):
        raise ValueError(
            f"positions of shape {tuple(points.shape)}, expected (..., T, {len(skeleton)}, 3), the "
            f"joints of {skeleton.name}"
        )
    rest = rest_pose(skeleton) if rest is None else rest.double()
    if rest.shape != (len(skeleton), 3) or not bool(rest.isfinite().all()):
        raise ValueError(
            f"rest of shape {tuple(rest.shape)}, expected ({len(skeleton)}, 3) without NaN: each "
            "joint of the rest pose from its parent"
        )
    rest = normalize(rest.to(points.device), dim=-1)
    bones = points.clone()
    for parent, joint in skeleton.bones:
        bones[..., joint, :] -= points[..., parent, :]
    bones = normalize(bones, dim=-1)
    children: dict[int, list[int]] = {joint: [] for joint in range(len(skeleton))}
    for parent, joint in skeleton.bones:
        if bool(rest[joint].any()):  # what has no length has no direction
            children[parent].append(joint)
    bends = hinges(skeleton, rest)
    eye = torch.eye(3, dtype=points.dtype, device=points.device)
    still = eye.expand(*points.shape[:-2], 3, 3)
    frames: dict[int, torch.Tensor] = {-1: still}  # of a joint, after its own rotation
    found = [still] * len(skeleton)
    for joint in skeleton.order:
        above, leaving = frames[skeleton.parents[joint]], children[joint]
        if leaving:
            found[joint] = _rotation(rest[leaving], bones[..., leaving, :] @ above)
        if len(leaving) == 1 and leaving[0] in bends and len(children[leaving[0]]) == 1:
            (hinge,), (lower,) = leaving, children[leaving[0]]
            seen = (bones[..., lower, None, :] @ (above @ found[joint])).squeeze(-2)
            found[joint] = found[joint] @ _twist(rest[hinge], bends[hinge], seen)
        frames[joint] = above @ found[joint]
    return torch.stack(found, dim=-3)


def hinges(skeleton: Skeleton, rest: torch.Tensor) -> dict[int, torch.Tensor]:
    """Knees and elbows, and the direction ``(3,)`` across the upper bone in which the lower one
    bends, in the rest pose ``(J, 3)`` of which each joint's direction from its parent is given.
    None of a skeleton without hips and knees, which tell where forward is."""
    needed = ("left_hip", "right_hip", "left_knee", "right_knee")
    if not set(needed) <= set(skeleton.joints):
        return {}
    left, right, *knees = (rest[skeleton.index(name)] for name in needed)
    forward = torch.linalg.cross(left - right, -sum(knees), dim=-1)
    found = {}
    for joint, name in enumerate(skeleton.joints):
        if part(name) in _BENDS:
            bend = _BENDS[part(name)] * forward
            found[joint] = normalize(bend - (bend @ rest[joint]) * rest[joint], dim=-1)
    return found


def _rotation(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The rotation ``(..., 3, 3)`` of bones that leave a joint: of directions ``(n, 3)`` to
    ``(..., n, 3)``."""
    values = torch.linalg.svdvals(before)
    if len(values) > 1 and values[1] > _COLLINEAR * values[0]:
        # with their mirror images their mean is the joint, which alignment leaves where it is
        source = torch.cat([before, -before]).expand(*after.shape[:-2], -1, -1)
        target = torch.cat([after, -after], dim=-2)
        return procrustes(source.contiguous(), target, scale=False).rotation
    ways = torch.sign(before @ before[0])[:, None]
    return shortest_turn(before[0], normalize((ways * after).sum(dim=-2), dim=-1))


def _twist(axis: torch.Tensor, bend: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
    """The turns ``(..., 3, 3)`` about the upper bone's ``axis`` ``(3,)`` after which a lower bone
    ``(..., 3)`` lies in the plane of the axis and of ``bend`` ``(3,)``."""
    side = torch.linalg.cross(axis, bend, dim=-1)
    along, across = lower @ bend, lower @ side
    told = ((torch.hypot(along, across) - _STRAIGHT) / (_BENT - _STRAIGHT)).clamp(0, 1)
    smooth = told.square() * (3 - 2 * told)
    return rotation_from_vector((smooth * torch.atan2(across, along))[..., None] * axis)
