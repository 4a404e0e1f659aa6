"""Bodies of capsules, and what of them a camera sees.

A bone is a capsule: a segment with a radius. A joint is hidden where the ray from the camera to it
passes through a capsule that is not the joint's own.
"""

import torch

from paperlib.skeletons import Skeleton, part

# radius in metres of the capsule that ends in a joint; limbs taper towards their ends
_RADII = {
    "knee": 0.07,
    "ankle": 0.05,
    "elbow": 0.045,
    "wrist": 0.035,
    "spine": 0.12,
    "thorax": 0.13,
    "neck_nose": 0.06,
    "head_top": 0.09,
    "head": 0.09,
}
_DEFAULT_RADIUS = 0.08


def capsule_radii(skeleton: Skeleton) -> torch.Tensor:
    """(M,) metres, one radius for each of the skeleton's M bones."""
    parts = [part(skeleton.joints[child]) for _, child in skeleton.bones]
    return torch.tensor([_RADII.get(name, _DEFAULT_RADIUS) for name in parts])


def joint_visibility(positions: torch.Tensor, skeleton: Skeleton) -> torch.Tensor:
    """Which joints ``(..., J)`` of camera-space ``positions`` ``(..., J, 3)`` the camera sees.

    A joint is hidden when the line of sight to it, short of the joint by its own flesh, comes
    closer to another bone's axis than that bone's radius. Bones that end in the joint never hide
    it; nor does the bone next to those, which shares flesh with them.
    """
    poses = positions.reshape(-1, *positions.shape[-2:])
    radii = capsule_radii(skeleton).to(positions)
    start = poses[:, [p for p, _ in skeleton.bones]]
    along = poses[:, [c for _, c in skeleton.bones]] - start
    # stop the sight 10 cm before the joint, so that what merely touches it does not hide it
    depth = poses.norm(dim=-1, keepdim=True)
    sight = poses * ((depth - 0.1) / depth).clamp_min(0)
    # the distance costs much, and few bones come near a sight: only for those
    near = _may_hide(poses, depth, start, along, radii) & _others(skeleton).to(poses.device)
    pose, joint, bone = near.nonzero(as_tuple=True)
    distance = _segment_distance(sight[pose, joint], start[pose, bone], along[pose, bone])
    hidden = distance < radii[bone]
    visible = torch.ones(poses.shape[:-1], dtype=torch.bool, device=poses.device)
    visible[pose[hidden], joint[hidden]] = False
    return visible.reshape(positions.shape[:-1])


def _others(skeleton: Skeleton) -> torch.Tensor:
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
    square = middle.square().sum(dim=-1)[:, None]
    # wider by what rounding may be, which grows with the square of the distance
    off = square - ahead.square() > reach.square() + 1e-5 * square
    return ~(off | (ahead > depth + reach))


def _segment_distance(
    sight: torch.Tensor, start: torch.Tensor, along: torch.Tensor
) -> torch.Tensor:
    """Distance of segments origin-``sight`` and ``start``-``start + along``; all (..., 3)."""
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
