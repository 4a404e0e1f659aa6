"""Bodies of capsules, and where a line of sight enters them.

A bone is a capsule: a segment with a radius. Images and the eyes of others also meet a trunk, which
the bones of no skeleton fill.
"""

from functools import cache
from typing import NamedTuple

import torch

from paperlib.arrays import require_metres, require_people_first
from paperlib.skeletons import Skeleton, part

# radius in metres of the capsule that ends in a joint; limbs taper towards their ends
_RADII = {"knee": 0.07, "ankle": 0.05, "elbow": 0.045, "wrist": 0.035}
_RADII |= {"spine": 0.12, "thorax": 0.13, "neck_nose": 0.06, "head_top": 0.09, "head": 0.09}
_DEFAULT_RADIUS = 0.08
# the trunk: both ends of each capsule as shares of (left shoulder, right shoulder, left hip,
# right hip), and its radius in metres
_TRUNK = (
    ((0.5, 0.5, 0.0, 0.0), (0.0, 0.0, 0.5, 0.5), 0.12),  # along the spine
    ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), 0.08),  # from shoulder to shoulder
    ((0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0), 0.10),  # from hip to hip
    ((0.75, 0.25, 0.0, 0.0), (0.0, 0.0, 0.9, 0.1), 0.09),  # both flanks
    ((0.25, 0.75, 0.0, 0.0), (0.0, 0.0, 0.1, 0.9), 0.09),
)
_NONE = 2**32 - 1


class Capsules(NamedTuple):
    """``M`` capsules for each of any batch of bodies: first the skeleton's bones, in its order,
    then those of the trunk."""

    start: torch.Tensor  # (..., M, 3) metres: one end of the axis
    along: torch.Tensor  # (..., M, 3) metres: from there to its other end
    radii: torch.Tensor  # (M,) metres


def capsule_radii(skeleton: Skeleton) -> torch.Tensor:
    """(M,) metres, one radius for each of the skeleton's M bones."""
    parts = [part(skeleton.joints[child]) for _, child in skeleton.bones]
    return torch.tensor([_RADII.get(name, _DEFAULT_RADIUS) for name in parts])


def body_capsules(positions: torch.Tensor, skeleton: Skeleton) -> Capsules:
    """The bodies of poses ``(..., J, 3)`` in metres: a capsule for each bone and, where the
    skeleton has both shoulders and both hips, five for the trunk. A skeleton without a head gives
    a body without one."""
    parents, children, corners, ends, radii, trunk_radii = _parts(skeleton, positions.device)
    start = positions[..., parents, :]
    along = positions[..., children, :] - start
    radii = radii.to(positions)
    if corners is None:
        return Capsules(start, along, radii)
    ends = ends.to(positions)  # (5, 2, 4)
    # sums, and no matrix product: a GPU may round that coarsely
    first, last = (ends[:, i, :, None] * positions[..., None, corners, :] for i in (0, 1))
    first, last = first.sum(dim=-2), last.sum(dim=-2)
    radii = torch.cat([radii, trunk_radii.to(radii)])
    start, along = torch.cat([start, first], dim=-2), torch.cat([along, last - first], dim=-2)
    return Capsules(start, along, radii)


@cache
def _parts(skeleton: Skeleton, device: torch.device) -> tuple[torch.Tensor | None, ...]:
    """A body's tables, made once: a step that is recorded copies nothing to a GPU."""
    corners = trunk_joints(skeleton)
    with torch.inference_mode(False):  # or no gradient could pass by them later
        parents, children = torch.tensor(skeleton.bones, device=device).reshape(-1, 2).T
        return (
            parents,
            children,
            None if corners is None else torch.tensor(corners, device=device),
            torch.tensor([row[:2] for row in _TRUNK], device=device),
            capsule_radii(skeleton).to(device),
            torch.tensor([row[2] for row in _TRUNK], device=device),
        )


def trunk_joints(skeleton: Skeleton) -> list[int] | None:
    """Left and right shoulder, left and right hip. Where arms and legs are joints of their own, as
    in CMU's skeleton, they begin where the others have shoulders and hips."""
    found = []
    for names in (("arm", "shoulder"), ("up_leg", "hip")):
        for side in ("left", "right"):
            joints = [f"{side}_{name}" for name in names if f"{side}_{name}" in skeleton.joints]
            if not joints:
                return None
            found.append(skeleton.index(joints[0]))
    return found


def check_people(positions: torch.Tensor, skeleton: Skeleton, present: torch.Tensor) -> None:
    """Refuses what is not ``(P, T, J, 3)`` metres of ``skeleton`` with ``present`` ``(P, T)``."""
    shape = tuple(positions.shape)
    if positions.ndim != 4 or shape[2:] != (len(skeleton), 3) or not positions.is_floating_point():
        raise ValueError(
            f"expected positions (P, T, {len(skeleton)}, 3) of people with the {len(skeleton)} "
            f"joints of {skeleton.name}, in floating point, got {shape} {positions.dtype}"
        )
    if 0 in shape:
        raise ValueError(f"nobody to see: positions of shape {shape}")
    if tuple(present.shape) != shape[:2] or present.dtype != torch.bool:
        raise ValueError(
            f"expected present (P, T) = {shape[:2]} bool, whether each person is there in each "
            f"frame, got {tuple(present.shape)} {present.dtype}"
        )
    bad = ~torch.isfinite(positions).all(dim=-1).all(dim=-1) & present
    if bad.any():
        person, frame = bad.nonzero()[0].tolist()
        raise ValueError(
            f"positions have NaN or infinite values for {int(bad.sum())} people and frames, the "
            f"first is person {person} in frame {frame}; where somebody is not there, say so: "
            "present[person, frame] = False"
        )
    require_metres(positions[present])
    require_people_first(positions, present)


def entry(
    rays: torch.Tensor, start: torch.Tensor, along: torch.Tensor, radii: torch.Tensor
) -> torch.Tensor:
    """Where lines of sight from the camera first meet capsules: the smallest s >= 0 for which
    s * ray lies in the capsule, infinite where there is none, 0 for a camera inside of it.

    Rays and both ends ``(..., 3)``, radii ``(...)``, to ``(...)``; all broadcast.
    """
    tiny = torch.finfo(rays.dtype).tiny ** 0.5
    square = _dot(rays, rays).clamp_min(tiny)
    # count from the point of the line nearest to the capsule's middle: what is squared below is
    # then as small as the capsule, and single precision resolves its radius at any distance
    near = _dot(rays, start + along / 2) / square
    off = near[..., None] * rays - start
    length = _dot(along, along).clamp_min(tiny)
    first = _roots(square, _dot(off, rays), _dot(off, off) - radii**2)
    beyond = off - along
    last = _roots(square, _dot(beyond, rays), _dot(beyond, beyond) - radii**2)
    # the round side: what ray and offset have across the axis
    climb, height = _dot(rays, along) / length, _dot(off, along) / length
    across, aside = rays - climb[..., None] * along, off - height[..., None] * along
    side = _roots(
        _dot(across, across).clamp_min(tiny), _dot(across, aside), _dot(aside, aside) - radii**2
    )
    level = height + side * climb
    side = torch.where((level >= 0) & (level <= 1), side, torch.inf)
    found = near + torch.minimum(torch.minimum(first, last), side)
    nearest = (-_dot(start, along) / length).clamp(0, 1)[..., None]
    inside = (start + nearest * along).norm(dim=-1) < radii
    # what is met before the camera and does not reach it lies behind
    return torch.where(inside, 0.0, torch.where(found < 0, torch.inf, found))


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a * b).sum(dim=-1)


def _roots(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """The smaller s with a s² + 2 b s + c = 0; infinite where there is none."""
    inner = b * b - a * c
    return torch.where(inner >= 0, (-b - inner.clamp_min(0).sqrt()) / a, torch.inf)


class Nearest:
    """The nearest thing met at each of ``count`` places. Order plays no part: of things equally
    near (in float32) the one of the lowest number stays."""

    def __init__(self, count: int, device: torch.device):
        # the bits of a positive float32 are ordered as it is, so that distance and number make
        # one integer whose minimum says both
        nothing = (_bits(torch.tensor([torch.inf])) << 32 | _NONE).item()
        self.keys = torch.full((count,), nothing, device=device)

    def add(self, places: torch.Tensor, distance: torch.Tensor, number: torch.Tensor) -> None:
        """Places, distances >= 0 and numbers >= 0 of what was met, all ``(N,)``."""
        keys = _bits(distance.abs()) << 32 | number  # abs: a zero has no sign
        self.keys.scatter_reduce_(0, places, keys, "amin")

    def result(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(count,) distances and numbers; infinite and -1 where nothing was met."""
        number = self.keys & _NONE
        distance = (self.keys >> 32).int().view(torch.float32)
        return distance, torch.where(number == _NONE, -1, number)


def _bits(distance: torch.Tensor) -> torch.Tensor:
    return distance.float().view(torch.int32).long()
