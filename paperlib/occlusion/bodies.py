"""A body as the occlusion labels see it: limbs and head as segments, the trunk between its four
corners. Found by the joints' names, so that any skeleton has one."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from paperlib.skeletons import Skeleton

_LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
# both ends of the head, the first of these that a skeleton has; several joints stand for their mean
_HEADS = (
    (("neck_nose",), ("head_top",)),
    (("upper_neck",), ("head_top",)),
    (("neck",), ("head_top",)),
    (("thorax",), ("head",)),
    (("left_shoulder", "right_shoulder"), ("left_ear", "right_ear")),
)
_FACE = ("nose", "head_nose", "left_eye", "right_eye", "left_ear", "right_ear")
_CORNERS = ("right_hip", "left_hip", "left_shoulder", "right_shoulder")  # once around
# of the trunk, and never hidden by it
_OF_TRUNK = (*_CORNERS, "pelvis", "hip", "spine", "thorax", "neck")


@dataclass(frozen=True)
class Body:
    """S segments: both ends of each as joints whose mean they are, and the joints that are its own
    and never hidden by it. The trunk's corners go once around it."""

    names: tuple[str, ...]
    ends: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    own: tuple[frozenset[int], ...]
    corners: tuple[int, ...]
    own_of_trunk: frozenset[int]
    joints: int

    def segments(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Both ends ``(..., S, D)`` of the segments of a body with joints ``(..., J, D)``."""
        return tuple(
            torch.stack([points[..., list(end[side]), :].mean(dim=-2) for end in self.ends], -2)
            for side in (0, 1)
        )

    @property
    def others(self) -> Tensor:
        """(J, S): whether a segment is not the joint's own."""
        return torch.tensor([[j not in own for own in self.own] for j in range(self.joints)])

    @property
    def outside_trunk(self) -> Tensor:
        """(J,): whether a joint is not the trunk's own."""
        return torch.tensor([j not in self.own_of_trunk for j in range(self.joints)])


@cache
def body_of(skeleton: Skeleton) -> Body:
    """The body of a skeleton: upper and lower arms and legs, a head where it has one (from the
    middle of the shoulders to that of the ears with COCO's joints), and the trunk. ``ValueError``
    where there are no shoulders or hips."""
    there = set(skeleton.joints)
    missing = [name for name in _CORNERS if name not in there]
    if missing:
        raise ValueError(f"{skeleton.name} has no {', '.join(missing)}: no trunk to hide anything")
    segments = {
        f"{side}_{upper}_{lower}": ((f"{side}_{upper}",), (f"{side}_{lower}",))
        for side in ("left", "right")
        for upper, lower in _LIMBS
        if {f"{side}_{upper}", f"{side}_{lower}"} <= there
    }
    heads = [ends for ends in _HEADS if there.issuperset(ends[0] + ends[1])]
    if heads:
        segments["head"] = heads[0]
    if not segments:
        raise ValueError(f"{skeleton.name} has neither limbs nor a head to hide anything")

    def numbers(names) -> tuple[int, ...]:
        return tuple(skeleton.index(name) for name in names if name in there)

    own = [
        frozenset(numbers(first + second + (_FACE if name == "head" else ())))
        for name, (first, second) in segments.items()
    ]
    ends = tuple((numbers(first), numbers(second)) for first, second in segments.values())
    trunk = {"corners": numbers(_CORNERS), "own_of_trunk": frozenset(numbers(_OF_TRUNK))}
    return Body(tuple(segments), ends, tuple(own), joints=len(skeleton), **trunk)


def check_points(
    points: Tensor, what: str, dimensions: int, skeleton: Skeleton | None = None
) -> None:
    """Refuses what is not ``(..., J, D)``, finite and in floating point: the joints of ``skeleton``
    or, without one, any."""
    shape = tuple(points.shape)
    joints, of = ("J", "") if skeleton is None else (len(skeleton), f" of {skeleton.name}")
    fits = len(shape) >= 2 and shape[-1] == dimensions and joints in ("J", shape[-2])
    if not fits or not points.is_floating_point():
        raise ValueError(
            f"expected {what} (..., {joints}, {dimensions}){of}, got {shape} {points.dtype}; "
            "they are floating-point numbers"
        )
    if not torch.isfinite(points).all():
        raise ValueError(f"{what} have NaN or infinite values: leave these frames out or fill them")
