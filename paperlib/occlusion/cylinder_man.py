"""The cylinder man of Cheng et al. (ICCV 2019), as wang2020 (4.2, figure 4) tells of it: limbs,
head and trunk are cylinders in space, and what lies behind or within one is hidden by degrees."""

import torch
from torch import Tensor

from paperlib.arrays import in_parts
from paperlib.occlusion.bodies import body_of, check_points
from paperlib.rendering import sight_distance
from paperlib.skeletons import Skeleton

LIMB, HEAD = 0.05, 0.10  # diameters in metres: wang2020, figure 4
TRUNK = 0.20  # the text has none; about the depth of a chest


def cylinder_man(
    positions: Tensor,
    skeleton: Skeleton,
    limb: float = LIMB,
    head: float = HEAD,
    trunk: float = TRUNK,
) -> Tensor:
    """How visible each joint ``(..., J)`` of camera-space ``positions`` ``(..., J, 3)`` is: 1 where
    the line of sight to it passes outside of all cylinders that are not its own, 0 where it goes
    through the axis of one, and between these the share of its radius by which it passes beside.

    ``limb``, ``head`` and ``trunk`` are diameters in metres. The trunk runs from the middle of the
    shoulders to that of the hips. Cylinders end in half spheres, so that they close at the joints.
    The original's own formula of the degrees is not in the text.
    """
    check_points(positions, "positions", 3, skeleton)
    if not all(diameter > 0 for diameter in (limb, head, trunk)):
        raise ValueError(f"diameters are above 0 metres, got {limb=} {head=} {trunk=}")
    pairs = len(skeleton) * (len(body_of(skeleton).names) + 1)
    return in_parts(
        lambda poses: _visible(poses, skeleton, limb, head, trunk), positions, each=3 * pairs, own=2
    )


def _visible(
    positions: Tensor, skeleton: Skeleton, limb: float, head: float, trunk: float
) -> Tensor:
    """As :func:`cylinder_man`, for poses ``(N, J, 3)``."""
    body = body_of(skeleton)
    start, end = body.segments(positions)
    hips, shoulders = (
        positions[..., list(pair), :].mean(dim=-2, keepdim=True)
        for pair in (body.corners[:2], body.corners[2:])
    )
    start, end = torch.cat([start, shoulders], dim=-2), torch.cat([end, hips], dim=-2)
    radii = [head / 2 if name == "head" else limb / 2 for name in body.names] + [trunk / 2]
    distance = sight_distance(
        positions[..., :, None, :], start[..., None, :, :], (end - start)[..., None, :, :]
    )
    share = (distance / positions.new_tensor(radii)).clamp(max=1)
    others = torch.cat([body.others, body.outside_trunk[:, None]], dim=1).to(positions.device)
    return torch.where(others, share, 1).amin(dim=-1)
