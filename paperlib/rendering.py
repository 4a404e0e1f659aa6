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
    parents = skeleton.parents
    radii = capsule_radii(skeleton).to(positions)
    start = positions[..., [p for p, _ in skeleton.bones], :]
    along = positions[..., [c for _, c in skeleton.bones], :] - start
    hidden = []
    for joint in range(len(skeleton)):
        near = {joint, parents[joint], *(c for p, c in skeleton.bones if p == joint)}
        other = [m for m, (p, c) in enumerate(skeleton.bones) if not near & {p, c}]
        # stop the sight 10 cm before the joint, so that what merely touches it does not hide it
        depth = positions[..., joint, :].norm(dim=-1, keepdim=True)
        sight = positions[..., joint, :] * ((depth - 0.1) / depth).clamp_min(0)
        sight = sight[..., None, :]
        distance = _segment_distance(sight, start[..., other, :], along[..., other, :])
        hidden.append((distance < radii[other]).any(dim=-1))
    return ~torch.stack(hidden, dim=-1)


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
