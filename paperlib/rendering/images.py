"""Images of bodies of capsules: depth, who is seen where, and how much of each person is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import torch

from paperlib.cameras import Camera, project, unproject
from paperlib.rendering.capsules import Capsules, Nearest, body_capsules, check_people, entry
from paperlib.skeletons import Skeleton

# pixels of images, and pairs of a pixel and a capsule, worked on at once
_PIXELS = 2**22
_PAIRS = {"cpu": 2**19}
_MOST_PAIRS = 2**23
# easily told apart, also by the colour-blind (Okabe and Ito)
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")


@dataclass(frozen=True, eq=False)
class Rendered:
    """What one camera sees of P people over T frames, in images of ``H`` rows and ``W`` columns.

    ===============  ====================  =====================================================
    ``depth``        (T, H, W) float32     metres along the camera's axis; infinite: background
    ``person``       (T, H, W) int16       who is seen there; -1: background
    ``bone``         (T, H, W) int16       which capsule of them: the skeleton's bones in their
                                           order, then the trunk's; -1: background
    ``silhouettes``  (P, T, H, W) bool     each person as if alone, hidden parts included
    ===============  ====================  =====================================================

    ``camera`` is that of the small image: ``project(positions, rendered.camera)`` gives its pixels,
    (column, row), where the middle of the first one is (0.5, 0.5). ``rendered.person == p`` is what
    is seen of person p.
    """

    depth: torch.Tensor
    person: torch.Tensor
    bone: torch.Tensor
    silhouettes: torch.Tensor
    camera: Camera
    bodies: Capsules  # (P, T, M, 3)

    @cached_property
    def hidden_share(self) -> torch.Tensor:
        """(P, T) float32: the share of each silhouette that other people hide, from 0 to 1; NaN
        where nobody would be seen even alone."""
        alone = self.silhouettes.sum(dim=(-1, -2))
        seen = [(self.person == p).sum(dim=(-1, -2)) for p in range(len(alone))]
        return 1 - torch.stack(seen) / alone

    def normals(self) -> torch.Tensor:
        """(T, H, W, 3): unit vectors out of the surface that is seen; zero in the background."""
        seen = self.person >= 0
        frame, row, column = seen.nonzero(as_tuple=True)
        body = (self.person[seen].long(), frame, self.bone[seen].long())
        rays = pixel_rays(self.camera).to(self.depth)[row, column]
        start, along = self.bodies.start[body], self.bodies.along[body]
        off = self.depth[seen][:, None] * rays - start
        length = along.square().sum(dim=-1).clamp_min(1e-12)
        on_axis = ((off * along).sum(dim=-1) / length).clamp(0, 1)
        normals = self.depth.new_zeros(*seen.shape, 3)
        out = off - on_axis[:, None] * along
        normals[seen] = torch.nn.functional.normalize(out, dim=-1).to(normals)
        return normals


def render(
    positions: torch.Tensor,
    skeleton: Skeleton,
    camera: Camera,
    width: int = 128,
    present: torch.Tensor | None = None,
) -> Rendered:
    """Images of people ``(P, T, J, 3)``, metres in camera space, by exact intersection of each
    pixel's ray with the capsules of their bodies (:func:`~paperlib.rendering.body_capsules`).

    ``(P, J, 3)`` is one frame, T = 1. Images are ``width`` pixels wide and keep the camera's shape;
    rays undo its lens, so that they agree with projected keypoints. Pixels more than 45 degrees off
    the axis see nothing, as nothing is projected there. Who is not ``present`` ``(P, T)`` in a
    frame is not in its image. A camera inside of a body sees it at depth 0, everywhere. Wrong
    shapes, and NaN in somebody present, are refused with a ``ValueError``.
    """
    if positions.ndim == 3:
        positions = positions[:, None]
    if present is None:
        present = torch.ones(positions.shape[:2], dtype=torch.bool, device=positions.device)
    check_people(positions, skeleton, present)
    small = resized(camera, width)
    rays = pixel_rays(small).to(positions)
    bodies = body_capsules(positions, skeleton)
    present = present.to(positions.device)
    step = max(1, _PIXELS // (small.width * small.height))
    blocks = []
    for i in range(0, positions.shape[1], step):
        block = (bodies.start[:, i : i + step], bodies.along[:, i : i + step], bodies.radii)
        blocks.append(_of_block(Capsules(*block), present[:, i : i + step], rays))
    depth, person, bone, silhouettes = zip(*blocks, strict=True)
    images = (torch.cat(depth), torch.cat(person), torch.cat(bone), torch.cat(silhouettes, dim=1))
    return Rendered(*images, small, bodies)


def resized(camera: Camera, width: int) -> Camera:
    """The same view in an image ``width`` pixels wide, its shape kept to the nearest pixel."""
    height = round(camera.height * width / camera.width) if width > 0 else 0
    if height < 1:
        raise ValueError(
            f"camera {camera.name}, {camera.width} x {camera.height} pixels, cannot give an image "
            f"{width} pixels wide; both sides must have a pixel at least"
        )
    across, down = width / camera.width, height / camera.height
    focal, centre = ((x * across, y * down) for x, y in (camera.focal, camera.centre))
    return replace(camera, width=width, height=height, focal=focal, centre=centre)


@lru_cache(maxsize=16)
def pixel_rays(camera: Camera) -> torch.Tensor:
    """``(H, W, 3)`` float64: the point at depth 1 that each pixel's middle shows; NaN where the
    lens model shows none (more than 45 degrees off the axis)."""
    columns = torch.arange(camera.width, dtype=torch.float64) + 0.5
    rows = torch.arange(camera.height, dtype=torch.float64) + 0.5
    pixels = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    rays = unproject(pixels, torch.ones_like(pixels[..., 0]), camera)
    there = (project(rays, camera) - pixels).norm(dim=-1) < 0.01
    return torch.where(there[..., None], rays, torch.nan)


def shade(rendered: Rendered, colours: Sequence[str] = _COLOURS) -> torch.Tensor:
    """``(T, H, W, 3)`` RGB from 0 to 1: each person in a colour, lit from the camera, on white.

    ``colours`` are ``"#RRGGBB"``, taken in turn where there are more people.
    """
    table = torch.tensor([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    table = table.to(rendered.depth)
    rays = pixel_rays(rendered.camera).to(rendered.depth)
    to_camera = -torch.nn.functional.normalize(rays, dim=-1)
    facing = (rendered.normals() * to_camera).sum(dim=-1).clamp(0, 1)
    seen = rendered.person >= 0
    picture = table[rendered.person.long() % len(table)] * (0.3 + 0.7 * facing[..., None])
    return torch.where(seen[..., None], picture, 1.0)


def _of_block(
    bodies: Capsules, present: torch.Tensor, rays: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Depth, person, bone and silhouettes of some frames."""
    people, frames, parts = bodies.start.shape[:3]
    height, width = rays.shape[:2]
    nearest = Nearest(frames * height * width, rays.device)
    silhouettes = torch.zeros(people, frames, height, width, dtype=torch.bool, device=rays.device)
    boxes = _boxes(bodies, rays)
    count = (boxes[..., 1] * boxes[..., 3]) * present[..., None]
    person, frame, part = body = count.nonzero(as_tuple=True)
    count, boxes = count[body], boxes[body]
    # in turns of about as many pixels
    turn = (count.cumsum(0) - 1) // _PAIRS.get(rays.device.type, _MOST_PAIRS)
    sizes = [size for size in torch.bincount(turn).tolist() if size]
    turns = (x.split(sizes) for x in (person, frame, part, boxes, count))
    for person, frame, part, box, size in zip(*turns, strict=True):
        owner, row, column = box_pixels(box, size)
        person, frame, part = person[owner], frame[owner], part[owner]
        body = (person, frame, part)
        depth = entry(rays[row, column], bodies.start[body], bodies.along[body], bodies.radii[part])
        hit = depth < torch.inf
        person, frame, row, column = person[hit], frame[hit], row[hit], column[hit]
        silhouettes[person, frame, row, column] = True
        place = (frame * height + row) * width + column
        nearest.add(place, depth[hit], person * parts + part[hit])
    depth, number = nearest.result()
    person = torch.where(number < 0, -1, number // parts)
    bone = torch.where(number < 0, -1, number % parts)
    images = (depth, person.short(), bone.short())
    return *(x.reshape(frames, height, width) for x in images), silhouettes


def box_pixels(boxes: torch.Tensor, count: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Every pixel of every box, ``(N,)`` each: the box's number, the row, the column."""
    owner = torch.arange(len(count), device=count.device).repeat_interleave(count)
    top, _, left, columns = boxes[owner].unbind(-1)
    within = torch.arange(len(owner), device=count.device) - (count.cumsum(0) - count)[owner]
    row = within // columns
    return owner, top + row, left + within - row * columns


def _boxes(bodies: Capsules, rays: torch.Tensor) -> torch.Tensor:
    """``(P, T, M, 4)``: first row, number of rows, first column, number of columns of a box of
    pixels outside of which no ray meets the capsule."""
    sides = []
    for axis in (1, 0):
        low, high = _interval(bodies, axis)
        # a lens bends rows and columns: the lowest and the highest that any of their rays reaches,
        # made to grow from each to the next, so that they can be searched
        lines = rays[..., 1] if axis == 1 else rays[..., 0].T
        least = torch.where(lines.isnan(), torch.inf, lines).amin(dim=1)
        most = torch.where(lines.isnan(), -torch.inf, lines).amax(dim=1)
        least = least.flip(0).cummin(0).values.flip(0)
        first = torch.searchsorted(most.cummax(0).values, low)
        end = torch.searchsorted(least, high, right=True)
        sides += [first, (end - first).clamp_min(0)]
    return torch.stack(sides, dim=-1)


def _interval(bodies: Capsules, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """``(P, T, M)`` each: between which values of X / Z (axis 0) or Y / Z (axis 1) a capsule is
    seen; none for what lies behind the camera, any for what reaches its plane."""
    ends = torch.stack([bodies.start, bodies.start + bodies.along])
    across, forward = ends[..., axis], ends[..., 2]
    # the tangents to a disc; the capsule lies between those of the balls at its ends
    middle = torch.atan2(across, forward)
    half = torch.asin((bodies.radii / torch.hypot(across, forward)).clamp_max(1))
    low = torch.tan(middle - half).amin(dim=0)
    high = torch.tan(middle + half).amax(dim=0)
    slack = 1e-5 * (1 + low.abs() + high.abs())
    crosses = (forward <= 1.01 * bodies.radii).any(dim=0)
    behind = (forward < -bodies.radii).all(dim=0)
    low = torch.where(crosses, -torch.inf, low - slack)
    high = torch.where(crosses, torch.inf, high + slack)
    return torch.where(behind, torch.inf, low), torch.where(behind, -torch.inf, high)
