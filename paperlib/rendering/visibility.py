"""What of bodies a camera sees: joints hidden by the own body, and by other people.

A joint is hidden where the ray from the camera to it passes through a capsule that is not the
joint's own.
"""

from typing import NamedTuple

import torch

from paperlib.arrays import as_tensor, in_parts, require_metres, rows_at_once
from paperlib.rendering.capsules import (
    Capsules,
    Nearest,
    body_capsules,
    capsule_radii,
    check_people,
    entry,
)
from paperlib.skeletons import Skeleton

# metres before a joint at which the sight to it ends, so that what merely touches it does not hide
# it
OWN_FLESH = 0.1


class Visibility(NamedTuple):
    """Which joints of several people one camera sees, and what hides the others."""

    visible: torch.Tensor  # (P, T, J) bool: there, before the camera, and hidden by nobody
    by_self: torch.Tensor  # (P, T, J) bool: hidden by the own body
    by_other: torch.Tensor  # (P, T, J) long: the person nearest to the camera who hides it, or -1


def joint_visibility(positions: torch.Tensor, skeleton: Skeleton) -> torch.Tensor:
    """Which joints ``(..., J)`` of camera-space ``positions`` ``(..., J, 3)`` the camera sees.

    A joint is hidden when the line of sight to it, short of the joint by its own flesh, comes
    closer to another bone's axis than that bone's radius. Bones that end in the joint never hide
    it; nor does the bone next to those, which shares flesh with them. ``ValueError`` for another
    shape, and for millimetres.
    """
    positions = as_tensor(positions)
    if positions.ndim < 2 or positions.shape[-2:] != (len(skeleton), 3):
        raise ValueError(
            f"positions of shape {tuple(positions.shape)}, expected (..., {len(skeleton)}, 3): "
            f"the joints of {skeleton.name}"
        )
    require_metres(positions)
    pairs = len(skeleton) * len(skeleton.bones)
    return in_parts(lambda poses: _joints_of(poses, skeleton), positions, each=pairs, own=2)


def _joints_of(poses: torch.Tensor, skeleton: Skeleton) -> torch.Tensor:
    """As :func:`joint_visibility`, for poses ``(N, J, 3)``."""
    radii = capsule_radii(skeleton).to(poses)
    start = poses[:, [p for p, _ in skeleton.bones]]
    along = poses[:, [c for _, c in skeleton.bones]] - start
    depth = poses.norm(dim=-1, keepdim=True)
    sight = poses * ((depth - OWN_FLESH) / depth).clamp_min(0)
    # the distance costs much, and few bones come near a sight: only for those
    near = _may_hide(poses, depth, start, along, radii) & shares_no_flesh(skeleton).to(poses.device)
    pose, joint, bone = near.nonzero(as_tuple=True)
    distance = sight_distance(sight[pose, joint], start[pose, bone], along[pose, bone])
    hidden = distance < radii[bone]
    visible = torch.ones(poses.shape[:-1], dtype=torch.bool, device=poses.device)
    visible[pose[hidden], joint[hidden]] = False
    return visible


def people_visibility(
    positions: torch.Tensor, skeleton: Skeleton, present: torch.Tensor | None = None
) -> Visibility:
    """Which joints of P people ``(P, T, J, 3)``, metres in camera space, the camera sees.

    The own body hides a joint as in :func:`joint_visibility`. Somebody else's body, trunk included
    (:func:`~paperlib.rendering.body_capsules`), hides it when the line of sight enters any of its
    capsules before the joint: all of it counts, since nobody shares flesh with another.

    Who is not ``present`` ``(P, T)`` in a frame hides nothing there; their joints, and those at or
    behind the camera (z <= 0), are not seen and hidden by nobody. Whether a joint lies within the
    image is not asked. Wrong shapes, and NaN in somebody present, raise ``ValueError``.
    """
    if present is None:
        present = torch.ones(positions.shape[:2], dtype=torch.bool, device=positions.device)
    check_people(positions, skeleton, present)
    present = present.to(positions.device)
    people, frames, joints, _ = positions.shape
    # pairs of a joint and a capsule: what a crowd standing in one place would need
    step = rows_at_once(people * people * joints * joints, positions.device)
    blocks = [
        _of_block(positions[:, i : i + step], skeleton, present[:, i : i + step])
        for i in range(0, frames, step)
    ]
    return Visibility(*(torch.cat(parts, dim=1) for parts in zip(*blocks, strict=True)))


def _of_block(positions: torch.Tensor, skeleton: Skeleton, present: torch.Tensor) -> Visibility:
    there = present[..., None] & (positions[..., 2] > 0)
    by_self = torch.zeros_like(there)
    by_self[present] = ~joint_visibility(positions[present], skeleton)
    by_self &= there
    by_other = _nearest_other(positions, body_capsules(positions, skeleton), there, present)
    return Visibility(there & ~by_self & (by_other < 0), by_self, by_other)


def _nearest_other(
    positions: torch.Tensor, bodies: Capsules, there: torch.Tensor, present: torch.Tensor
) -> torch.Tensor:
    """``(P, T, J)``: who hides a joint that is there, nearest to the camera; -1 for nobody."""
    person, frame, joint, other = _may_be_hidden(positions, bodies, there, present)
    rays = positions[person, frame, joint]
    depth = rays.norm(dim=-1)
    toward = rays / depth[:, None]
    middle = bodies.start + bodies.along / 2
    reach = bodies.along.norm(dim=-1) / 2 + bodies.radii
    ball = middle[other, frame]
    ahead = (toward[:, None] * ball).sum(dim=-1)
    near = _meets(ahead, ball.square().sum(dim=-1), reach[other, frame], depth[:, None])
    pair, capsule = near.nonzero(as_tuple=True)
    body = (other[pair], frame[pair], capsule)
    # in shares of the way to the joint
    met = entry(rays[pair], bodies.start[body], bodies.along[body], bodies.radii[capsule])
    hides = met < 1
    pair, met = pair[hides], met[hides]
    nearest = Nearest(there.numel(), positions.device)
    place = (person * there.shape[1] + frame) * there.shape[2] + joint
    nearest.add(place[pair], met, other[pair])
    return nearest.result()[1].reshape(there.shape)


def _may_be_hidden(
    positions: torch.Tensor, bodies: Capsules, there: torch.Tensor, present: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """(N,) each: person, frame, joint and another person, all but those where a ball about the
    whole other body stays off the line of sight, or lies behind the joint."""
    low, high = positions.amin(dim=-2), positions.amax(dim=-2)
    middle = (low + high) / 2
    reach = (positions - middle[..., None, :]).norm(dim=-1).amax(dim=-1) + bodies.radii.max()
    depth = positions.norm(dim=-1, keepdim=True)
    ahead = sum(
        a[..., None] * b.T[None, :, None]
        for a, b in zip((positions / depth).unbind(-1), middle.unbind(-1), strict=True)
    )
    square = middle.square().sum(dim=-1)
    may = _meets(ahead, square.T[None, :, None], reach.T[None, :, None], depth)
    others = ~torch.eye(len(present), dtype=torch.bool, device=present.device)[:, None, None]
    may &= there[..., None] & present.T[None, :, None] & others
    return may.nonzero(as_tuple=True)


def shares_no_flesh(skeleton: Skeleton) -> torch.Tensor:
    """``(J, M)``: whether a bone shares no flesh with a joint, so that it may hide it."""
    rows = []
    for joint in range(len(skeleton)):
        own = {joint, skeleton.parents[joint], *(c for p, c in skeleton.bones if p == joint)}
        rows.append([not own & {p, c} for p, c in skeleton.bones])
    return torch.tensor(rows)


def _may_hide(
    poses: torch.Tensor,
    depth: torch.Tensor,
    start: torch.Tensor,
    along: torch.Tensor,
    radii: torch.Tensor,
) -> torch.Tensor:
    """``(N, J, M)``: not where a ball about the whole capsule stays off a joint's line of sight,
    or lies behind the joint."""
    middle = start + along / 2
    reach = (along.norm(dim=-1) / 2 + radii)[:, None]
    toward = poses / depth  # NaN for a joint in the camera itself: neither comparison holds then
    ahead = sum(
        a[:, :, None] * b[:, None]
        for a, b in zip(toward.unbind(-1), middle.unbind(-1), strict=True)
    )
    return _meets(ahead, middle.square().sum(dim=-1)[:, None], reach, depth)


def _meets(
    ahead: torch.Tensor, square: torch.Tensor, reach: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """Whether a line of sight as long as ``depth`` comes within ``reach`` of a point that lies
    ``ahead`` along it, and whose squared distance from the camera is ``square``."""
    # wider by what rounding may be, which grows with the square of the distance
    off = square - ahead.square() > reach.square() + 1e-5 * square
    return ~(off | (ahead > depth + reach))


def sight_distance(sight: torch.Tensor, start: torch.Tensor, along: torch.Tensor) -> torch.Tensor:
    """How far a line of sight from the camera to ``sight`` passes from an axis from ``start`` to
    ``start + along``; all ``(..., 3)``, which broadcast."""
    a = (sight * sight).sum(-1)
    b = (sight * along).sum(-1)
    c = (along * along).sum(-1).clamp_min(1e-12)
    d = (sight * start).sum(-1)
    e = (along * start).sum(-1)
    # closest points s * sight and start + t * along of the two lines, then kept on the segments:
    # clamp s, take the best t for it, clamp that, and take the best s again
    s = ((d * c - b * e) / (a * c - b * b).clamp_min(1e-12)).clamp(0, 1)
    t = ((b * s - e) / c).clamp(0, 1)
    s = ((d + b * t) / a.clamp_min(1e-12)).clamp(0, 1)
    return (s[..., None] * sight - start - t[..., None] * along).norm(dim=-1)
