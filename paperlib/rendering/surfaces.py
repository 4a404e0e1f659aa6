"""What many cameras see of bodies and a box, each camera of a scene of its own: the surface that
each pixel shows, and which joints are hidden. ``images`` does it for one camera and many frames."""

from functools import cache
from itertools import combinations
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor

from paperlib.rendering.capsules import Nearest, body_capsules, trunk_joints
from paperlib.rendering.crops import Crops
from paperlib.rendering.images import box_pixels
from paperlib.rendering.visibility import OWN_FLESH, shares_no_flesh
from paperlib.skeletons import Skeleton

_AT_ONCE = 2**17  # pairs of a pixel and a capsule: on a processor they stay in its cache
_NEAREST = 0.05  # metres before the camera, where nothing is seen yet
_TINY = 1e-12


class Scenes(NamedTuple):
    """N scenes, each before a camera of its own: M capsules, those of all people one after the
    other, and a box. Numbers of capsules stand first, so that each is a plain plane."""

    capsules: Tensor  # (9, N, M): start, along, squared radius (-inf: not there), depth, length²
    boxes: Tensor  # (N, 5, 3): middle, the three axes (unit vectors), half sizes (0: not there)


def scenes(people: Tensor, skeleton: Skeleton, there: Tensor, boxes: Tensor) -> Scenes:
    """Scenes of people ``(P, N, J, 3)``, metres in camera space, who are ``there`` ``(P, N)``, and
    ``boxes`` as in :class:`Scenes`."""
    bodies = body_capsules(people, skeleton)
    square = bodies.radii.square().expand(bodies.start.shape[:-1])
    square = torch.where(there[..., None], square, -inf)
    depth = (bodies.start + bodies.along / 2)[..., 2]
    length = bodies.along.square().sum(dim=-1)
    rows = (*bodies.start.unbind(-1), *bodies.along.unbind(-1), square, depth, length)
    return Scenes(torch.stack([row.transpose(0, 1).flatten(1) for row in rows]), boxes)


def first_met(x: Tensor, y: Tensor, capsules: Tensor) -> Tensor:
    """The depth, metres along the axis, at which rays (x, y, 1) from the camera enter capsules
    ``(9, …)``, infinite where they do not; shapes broadcast."""
    ax, ay, az, bx, by, bz, square, middle, length = capsules.unbind(0)
    # count from the depth of the capsule's middle: what is squared below is as small as it is
    ox, oy, oz = middle * x - ax, middle * y - ay, middle - az
    dd, db = x * x + y * y + 1, x * bx + y * by + bz
    od, ob = ox * x + oy * y + oz, ox * bx + oy * by + oz * bz
    outside = ox * ox + oy * oy + oz * oz - square
    # the endless cylinder about the axis, and how far along the axis it is met
    a = (dd * length - db * db).clamp_min(_TINY)
    b, c = od * length - db * ob, outside * length - ob * ob
    inner = b * b - a * c
    step = (-b - inner.clamp_min(0).sqrt()) / a
    level = ob + step * db
    # beyond an end the ball there
    last = level > length
    b = torch.where(last, od - db, od)
    c = torch.where(last, outside - 2 * ob + length, outside)
    ball = b * b - dd * c
    round_end = last | (level <= 0)  # all of a capsule without length
    step = torch.where(round_end, (-b - ball.clamp_min(0).sqrt()) / dd, step)
    depth = middle + step
    met = (inner >= 0) & ~(round_end & (ball < 0)) & (depth > _NEAREST)
    return torch.where(met, depth, inf)


def box_met(x: Tensor, y: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays (x, y, 1), ``(N, …)``, enter boxes ``(N, 5, 3)``: the depth, infinite where they
    do not, and which of their axes leads out of the side there, 0 to 2, or against it, 3 to 5."""
    shape = (len(x), *[1] * (x.ndim - 1))
    middle, axes, half = boxes[:, 0], boxes[:, 1:4], boxes[:, 4]
    entry, leave = torch.full_like(x, -inf), torch.full_like(x, inf)
    side = torch.zeros_like(x, dtype=torch.long)
    for number in range(3):
        ux, uy, uz = (axes[:, number, k].view(shape) for k in range(3))
        along = ux * x + uy * y + uz
        along = torch.where(along.abs() < _TINY, _TINY, along)
        at = (axes[:, number] * middle).sum(dim=-1).view(shape) / along
        reach = half[:, number].view(shape) / along.abs()
        first = at - reach
        side = torch.where(first > entry, number + 3 * (along > 0), side)
        entry, leave = torch.maximum(entry, first), torch.minimum(leave, at + reach)
    return torch.where((entry < leave) & (entry > _NEAREST), entry, inf), side


class Surfaces(NamedTuple):
    """What the pixels of N crops show, of H rows and W columns each."""

    depth: Tensor  # (N, H, W) metres along the camera's axis; infinite: background
    number: Tensor  # (N, H, W): of the capsule; M: the box; -1: background
    places: Tensor  # (n,): pixels, counted over all crops, among them all that show a surface
    out: Tensor  # (3, n): the unit vector out of the surface there; any for the background


def surfaces(seen: Scenes, crops: Crops) -> Surfaces:
    """The surface that each pixel of the crops shows.

    On a processor only pixels near a capsule are looked at; a GPU does all pixels with all
    capsules, which is sooner than to sort out the few, and waits for nothing.
    """
    x, y = crops.rays()
    capsules, boxes = seen
    few = x.device.type == "cpu"
    depth, number = _in_boxes(capsules, crops, x, y) if few else _everywhere(capsules, x, y)
    boxed = (boxes[:, 4, 0] > 0).nonzero().flatten() if few else slice(None)
    box, _ = box_met(x[boxed], y[boxed], boxes[boxed])
    number[boxed] = torch.where(box < depth[boxed], capsules.shape[2], number[boxed])
    depth[boxed] = torch.minimum(depth[boxed], box)
    flat = number.view(-1)
    places = (flat >= 0).nonzero().flatten() if few else torch.arange(len(flat), device=x.device)
    return Surfaces(depth, number, places, _normals(seen, x, y, depth, number, places))


def _normals(
    seen: Scenes, x: Tensor, y: Tensor, depth: Tensor, number: Tensor, places: Tensor
) -> Tensor:
    """``(3, n)``: unit vectors out of what is seen at the ``places``."""
    scene = places // x[0].numel()
    x, y, depth, number = (v.view(-1)[places] for v in (x, y, depth, number))
    count = seen.capsules.shape[2]
    of_box = number == count
    own = scene * count + torch.where(of_box, 0, number.clamp_min(0))
    ax, ay, az, bx, by, bz, _, _, length = seen.capsules.flatten(1)[:, own].unbind(0)
    depth = torch.where(number < 0, 1.0, depth)
    ox, oy, oz = depth * x - ax, depth * y - ay, depth - az
    level = ((ox * bx + oy * by + oz * bz) / length.clamp_min(_TINY)).clamp(0, 1)
    out = torch.stack([ox - level * bx, oy - level * by, oz - level * bz])
    out = out / out.square().sum(dim=0).sqrt().clamp_min(_TINY)
    axes = torch.cat([seen.boxes[:, 1:4], -seen.boxes[:, 1:4]], dim=1).flatten(0, 1).T
    few = x.device.type == "cpu"
    boxed = of_box.nonzero().flatten() if few else torch.arange(len(x), device=x.device)
    _, side = box_met(x[boxed], y[boxed], seen.boxes[scene[boxed]])
    out[:, boxed] = torch.where(of_box[boxed], axes[:, 6 * scene[boxed] + side], out[:, boxed])
    return out


def _everywhere(capsules: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Depth and number of the nearest capsule, from each with each pixel."""
    depth, number = torch.full_like(x, inf), torch.full_like(x, -1, dtype=torch.long)
    for each in range(capsules.shape[2]):
        met = first_met(x, y, capsules[:, :, each, None, None])
        nearer = met < depth
        depth, number = torch.where(nearer, met, depth), torch.where(nearer, each, number)
    return depth, number


def _in_boxes(capsules: Tensor, crops: Crops, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The same, from each capsule with the pixels of a box about it."""
    boxes = _boxes(capsules, crops)
    count = boxes[..., 1] * boxes[..., 3]
    picture, capsule = chosen = count.nonzero(as_tuple=True)
    count, boxes, capsules = count[chosen], boxes[chosen], capsules[:, picture, capsule]
    nearest = Nearest(x.numel(), x.device)
    turn = (count.cumsum(0) - 1) // _AT_ONCE
    sizes = [size for size in torch.bincount(turn).tolist() if size]
    turns = (v.split(sizes) for v in (picture, capsule, count, boxes))
    for pictures, numbers, counts, box, shapes in zip(
        *turns, capsules.split(sizes, dim=1), strict=True
    ):
        owner, row, column = box_pixels(box, counts)
        place = (pictures[owner] * crops.size + row) * crops.size + column
        depth = first_met(
            x.view(-1).index_select(0, place),
            y.view(-1).index_select(0, place),
            shapes.index_select(1, owner),
        )
        hit = depth < inf
        nearest.add(place[hit], depth[hit], numbers[owner[hit]])
    return tuple(found.view_as(x) for found in nearest.result())


def _boxes(capsules: Tensor, crops: Crops) -> Tensor:
    """``(N, M, 4)``: first row, number of rows, first column, number of columns of the crop's
    pixels outside of which no ray meets the capsule."""
    start, along, square = capsules[:3], capsules[3:6], capsules[6]
    radius = square.clamp_min(0).sqrt()
    ends = torch.stack([start, start + along])  # (2, 3, N, M)
    forward = ends[:, 2]
    crosses = (forward <= 1.01 * radius + _NEAREST).any(dim=0)
    plane = (ends[:, :2] / forward[:, None]).clamp(-1, 1)
    bend, stretch, sag = _lens(plane, crops.intrinsics)
    focal = crops.intrinsics[:, :2, None]
    zoom = (crops.size / crops.side)[:, None]
    cos, sin = crops.angle.cos()[:, None], crops.angle.sin()[:, None]
    centre = crops.from_film(crops.intrinsics[:, None, 2:4])[:, 0]
    sides = []
    for axis, (wx, wy) in ((1, (-sin, cos)), (0, (cos, sin))):
        # pixels along this side of the crop, for a step of 1 in X / Z and in Y / Z
        wx, wy = wx * focal[:, 0] * zoom, wy * focal[:, 1] * zoom
        length = torch.hypot(wx, wy)
        across = (ends[:, 0] * wx + ends[:, 1] * wy) / length
        # the tangents to a disc; the capsule lies between those of the balls at its ends
        middle = torch.atan2(across, forward)
        half = torch.asin((radius / torch.hypot(across, forward)).clamp_max(1))
        bent = centre[:, axis, None] + wx * bend[:, 0] + wy * bend[:, 1]
        ends_low, ends_high = (bent + length * torch.tan(middle + s * half) for s in (-1, 1))
        slack = (ends_high - ends_low).amax(dim=0) * stretch + length * sag + 0.01
        low, high = ends_low.amin(dim=0) - slack, ends_high.amax(dim=0) + slack
        low, high = low.masked_fill(crosses, -inf), high.masked_fill(crosses, inf)
        first = (low - 0.5).clamp(0, crops.size).ceil().long()
        end = (high + 0.5).clamp(0, crops.size).floor().long()
        sides += [first, (end - first).clamp_min(0)]
    boxes = torch.stack(sides, dim=-1)
    unseen = (square < 0) | (forward < -radius).all(dim=0)
    return boxes.masked_fill(unseen[..., None], 0)


def _lens(plane: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of ends ``(2, 2, N, M)``, X / Z and Y / Z: how far the lens moves them; and of the capsule
    between, at most, by which share it stretches and how far it bends a straight line."""
    k1, k2, k3, p1, p2 = (row[:, None] for row in intrinsics[:, 4:].unbind(-1))
    x, y = plane[:, 0], plane[:, 1]
    r2 = x * x + y * y
    factor = r2 * (k1 + r2 * (k2 + r2 * k3)) + p1 * x + p2 * y
    bend = torch.stack([x * factor + p1 * r2, y * factor + p2 * r2], dim=1)
    r = r2.amax(dim=0).sqrt() + 0.1  # and what is about the ends
    tangential = p1.abs() + p2.abs()
    k1, k2, k3 = k1.abs(), k2.abs(), k3.abs()
    stretch = 3 * k1 * r**2 + 5 * k2 * r**4 + 7 * k3 * r**6 + 6 * tangential * r
    second = 6 * k1 * r + 20 * k2 * r**3 + 42 * k3 * r**5 + 6 * tangential
    return bend, stretch, second * (plane[0] - plane[1]).square().sum(dim=0) / 8


def joints_seen(people: Tensor, skeleton: Skeleton, seen: Scenes) -> Tensor:
    """Which joints ``(N, J)`` of the first of the people ``(P, N, J, 3)`` nothing hides.

    As in :func:`~paperlib.rendering.people_visibility`: what the sight to a joint enters before
    it, other people's bodies and the box, hides it, and the own body if that is met 10 cm before
    the joint; bones that share flesh with it do not count. Beside them, the own trunk hides joints
    that are not its own, since it is in the picture.
    """
    joints = people[0]
    depth = joints[..., 2]
    x, y = joints[..., 0] / depth, joints[..., 1] / depth
    met = first_met(x[..., None], y[..., None], seen.capsules[:, :, None])  # (N, J, M)
    may_hide = _may_hide(skeleton, x.device)
    own, others = met.split([may_hide.shape[1], met.shape[-1] - may_hide.shape[1]], dim=-1)
    distance = joints.norm(dim=-1)
    before = (depth * (1 - OWN_FLESH / distance))[..., None]
    hidden = ((own < before) & may_hide).any(dim=-1)
    hidden |= (others < depth[..., None]).any(dim=-1)
    return ~(hidden | (box_met(x, y, seen.boxes)[0] < depth))


@cache
def _may_hide(skeleton: Skeleton, device: torch.device) -> Tensor:
    """``(J, M)``: whether a capsule of the own body can hide a joint. Made once: a step that is
    recorded copies nothing to a GPU."""
    bones = shares_no_flesh(skeleton)
    corners = trunk_joints(skeleton)
    if corners is None:
        return bones.to(device)
    own = set()
    for one, other in combinations(corners, 2):  # the joints between the trunk's corners
        above = [_ancestors(skeleton, corner) for corner in (one, other)]
        shared = next(joint for joint in above[0] if joint in above[1])
        own.update(*(path[: path.index(shared) + 1] for path in above))
    outside = torch.tensor([joint not in own for joint in range(len(skeleton))])
    count = body_capsules(torch.zeros(len(skeleton), 3), skeleton).start.shape[0]
    trunk = outside[:, None].expand(-1, count - bones.shape[1])
    return torch.cat([bones, trunk], dim=1).to(device)


def _ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    path = [joint]
    while skeleton.parents[path[-1]] >= 0:
        path.append(skeleton.parents[path[-1]])
    return path
