"""The boxed man (wang2020, 4.2): limbs and head as rectangles in the image, the trunk as the
quadrilateral between shoulders and hips, and what lies in another one's box as hidden."""

from itertools import combinations

import torch
from torch import Tensor

from paperlib.arrays import in_parts
from paperlib.occlusion.bodies import body_of, check_points
from paperlib.skeletons import Skeleton

# half the width of a box in screen coordinates; the paper has no number. About 5 cm in the studio.
WIDTH = 0.02


def boxed_man(keypoints: Tensor, skeleton: Skeleton, width: float = WIDTH) -> Tensor:
    """Which keypoints ``(..., J)`` of ``(..., J, 2)`` lie in a box that is not their own.

    ``width`` is half that of limbs and head (the paper's delta), in the unit of the keypoints. A
    box ends with its two joints; its edges belong to it. There is no depth: what lies before a limb
    is taken as hidden as well as what lies behind. A keypoint is never hidden by a segment that it
    belongs to, nor one of shoulders, hips and spine by the trunk.

    The text builds a box by the slope of its segment, which is undefined for an upright one, as is
    that of the normal of a level one; here the normal is a unit vector, otherwise the same. A
    segment without length is a box without area, and hides nothing. The trunk is the whole of what
    its corners span, also where they cross, seen from the side.
    """
    _check(keypoints, skeleton, width)
    pairs = len(skeleton) * len(body_of(skeleton).names)
    return in_parts(lambda poses: _hidden(poses, skeleton, width), keypoints, each=2 * pairs, own=2)


def _hidden(keypoints: Tensor, skeleton: Skeleton, width: float) -> Tensor:
    """As :func:`boxed_man`, for poses ``(N, J, 2)``."""
    body = body_of(skeleton)
    in_box = _in_boxes(keypoints, *body.segments(keypoints), width)
    hidden = (in_box & body.others.to(keypoints.device)).any(dim=-1)
    trunk = _in_hull(keypoints, keypoints[..., list(body.corners), :])
    return hidden | (trunk & body.outside_trunk.to(keypoints.device))


def hidden_behind(points: Tensor, body: Tensor, skeleton: Skeleton, width: float = WIDTH) -> Tensor:
    """Which ``points`` ``(..., K, 2)`` of somebody lie in the boxes or the trunk of somebody else
    who stands in front, whose keypoints ``body`` ``(..., J, 2)`` are, in the same unit.

    ``width`` is half that of limbs and head. The trunk is wider than what its corners span by as
    much on either side: flesh lies around them."""
    _check(body, skeleton, width)
    parts = body_of(skeleton)
    corners = body[..., list(parts.corners), :]
    around = corners.roll(-1, dims=-2)
    start, end = parts.segments(body)
    start, end = torch.cat([start, corners], dim=-2), torch.cat([end, around], dim=-2)
    return _in_boxes(points, start, end, width).any(dim=-1) | _in_hull(points, corners)


def boxes(keypoints: Tensor, skeleton: Skeleton, width: float = WIDTH) -> Tensor:
    """The corners ``(..., S, 4, 2)`` of the boxes of all limbs, then of the head, once around; the
    trunk's are keypoints themselves."""
    _check(keypoints, skeleton, width)
    start, end = body_of(skeleton).segments(keypoints)
    along = torch.nn.functional.normalize(end - start, dim=-1)
    across = width * torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    return torch.stack([start - across, start + across, end + across, end - across], dim=-2)


def _check(keypoints: Tensor, skeleton: Skeleton, width: float) -> None:
    check_points(keypoints, "keypoints", 2, skeleton)
    if not width >= 0:
        raise ValueError(f"the width is a distance, 0 or more, got {width}")


def _in_boxes(points: Tensor, start: Tensor, end: Tensor, width: float) -> Tensor:
    """``(..., J, S)``: which points ``(..., J, 2)`` lie in the boxes about segments
    ``(..., S, 2)``, their edges included."""
    along = (end - start)[..., None, :, :]
    off = points[..., :, None, :] - start[..., None, :, :]
    length = along.norm(dim=-1)
    gone = (off * along).sum(dim=-1)
    aside = off[..., 0] * along[..., 1] - off[..., 1] * along[..., 0]
    inside = (gone >= 0) & (gone <= length**2) & (aside.abs() <= width * length)
    return inside & (length > 0)


def _in_hull(points: Tensor, corners: Tensor) -> Tensor:
    """``(..., J)``: which points lie in what four corners ``(..., 4, 2)`` span: in any of the
    triangles of three of them, edges included."""
    return torch.stack(
        [_in_triangle(points, corners[..., list(three), :]) for three in combinations(range(4), 3)]
    ).any(dim=0)


def _in_triangle(points: Tensor, corners: Tensor) -> Tensor:
    following = corners.roll(-1, dims=-2)
    edge = (following - corners)[..., None, :, :]
    off = points[..., :, None, :] - corners[..., None, :, :]
    turn = edge[..., 0] * off[..., 1] - edge[..., 1] * off[..., 0]
    # the three turns add up to twice the triangle's area: none has an inside without one
    area = turn.sum(dim=-1)
    return ((turn >= 0).all(dim=-1) | (turn <= 0).all(dim=-1)) & (area != 0)
