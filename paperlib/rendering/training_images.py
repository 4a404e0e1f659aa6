"""Pictures to learn from: frames of recordings as random crops of painted bodies, made on the
device while training and never stored, with all that is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, radians
from numbers import Integral, Real

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.cameras import project_to_screen
from paperlib.recordings import Recording
from paperlib.rendering.crops import CELLS, Crops, pixel_intrinsics
from paperlib.rendering.looks import Look, draw_looks, facing, paint
from paperlib.rendering.surfaces import joints_seen, scenes, surfaces
from paperlib.skeletons import Skeleton

NEAREST = 0.3  # metres before the camera that a joint must be
_APART = 0.6  # metres between two people, at least
_BOX = (0.08, 0.35)  # metres: half a side of the box that hides
_TILT = 0.3  # how far the box leans
_IN_FRONT = 0.75  # share of the second people who stand before the first


@dataclass(frozen=True)
class Augmentation:
    """What is drawn at random for each picture. A square about the joints, by ``margin`` (share of
    its longer side) wider on each side, is scaled by a factor from ``scale``, turned by up to
    ``rotation`` degrees, moved by up to ``shift`` of its side, and with the probability ``flip``
    the whole scene is the mirror image. With the probability ``occluder`` there is a box before the
    person or, as often, a second person, who stands behind in a quarter of the cases. The camera's
    noise has a standard deviation of ``noise`` on average (white is 1). Clothing, light, background
    and colours are always random.

    Source: kato2020 names none of its own; these are those of integral regression, to which it
    refers (scale, rotation and flip). ``ValueError`` for values out of range.
    """

    scale: tuple[float, float] = (0.75, 1.25)
    rotation: float = 30.0
    shift: float = 0.04
    flip: float = 0.5
    occluder: float = 0.5
    noise: float = 0.03
    margin: float = 0.2

    def __post_init__(self):
        limits = {"rotation": (0, 180), "shift": (0, 0.5), "flip": (0, 1), "occluder": (0, 1)}
        for name, (low, high) in (limits | {"noise": (0, 1), "margin": (0, 10)}).items():
            value = getattr(self, name)
            if not isinstance(value, Real) or not low <= value <= high:
                raise ValueError(f"{name} is a number from {low} to {high}, got {name}={value!r}")
        scale = self.scale
        if not isinstance(scale, tuple) or len(scale) != 2 or not 0 < scale[0] <= scale[1] < inf:
            raise ValueError(f"scale is two factors above 0, the lower one first, got {scale!r}")

    @classmethod
    def none(cls, **changes) -> "Augmentation":
        """Upright squares about the person, alone and without noise."""
        still = {"scale": (1.0, 1.0), "rotation": 0.0, "shift": 0.0, "flip": 0.0}
        return cls(**still | {"occluder": 0.0, "noise": 0.0} | changes)


@dataclass(frozen=True, eq=False)
class Drawn:
    """N pictures, and what is known of them. All of it describes what is shown: of a scene that is
    ``flipped`` the mirror image, with left and right exchanged, before a mirrored camera.

    ===============  ==================  =========================================================
    ``images``       (N, 3, S, S)        RGB from 0 to 1
    ``points``       (N, J, 2)           joints in pixels of the crop (column, row), exact
    ``depths``       (N, J)              metres from the root, along the camera's axis
    ``visible``      (N, J) bool         within crop and film, hidden neither by the body itself
                                         nor by another or the box
    ``positions``    (N, J, 3)           metres, camera space
    ``flipped``      (N,) bool           whether it is the mirror image
    ``crops``        :class:`Crops`      the way back: lens, place, side, rotation
    ===============  ==================  =========================================================
    """

    images: Tensor
    points: Tensor
    depths: Tensor
    visible: Tensor
    positions: Tensor
    flipped: Tensor
    crops: Crops


class TrainingImages:
    """Pictures of ``size`` x ``size`` pixels of the frames of ``recordings``, all end to end.

    >>> images = TrainingImages(dataset.train, size=64)
    >>> drawn = images.draw(torch.randint(len(images), (32,)))

    Everything is made on ``device``, without waiting for it. ``ValueError`` for recordings without
    positions, of several skeletons, or with joints that are not before the camera, and for a size
    that is no multiple of 16.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        size: int = 64,
        augmentation: Augmentation = Augmentation(),
        device: torch.device | str = "cpu",
    ):
        self.skeleton, self.size = checked(recordings, size), size
        self.augmentation, self.device = augmentation, torch.device(device)
        self.positions = torch.cat([r.truth for r in recordings]).float().to(device)
        lengths = torch.tensor([len(r) for r in recordings])
        self.recording = torch.arange(len(lengths)).repeat_interleave(lengths).to(device)
        cameras = [r.camera for r in recordings]
        self.intrinsics = pixel_intrinsics(cameras).to(device)
        self.film = torch.tensor([(float(c.width), float(c.height)) for c in cameras]).to(device)
        self.mirrored = torch.tensor(self.skeleton.mirrored, device=device)

    def __len__(self) -> int:
        return len(self.positions)

    @torch.no_grad()
    def draw(self, frames: Tensor, generator: torch.Generator | None = None) -> Drawn:
        """Pictures of the frames ``(N,)``. All that is random comes from ``generator``, which is of
        this device, or from PyTorch's own."""
        if frames.ndim != 1 or not len(frames) or frames.is_floating_point():
            raise ValueError(
                f"expected numbers of frames (N,), at least one, got {tuple(frames.shape)} "
                f"{frames.dtype}"
            )
        with torch.autocast(self.device.type, enabled=False):
            chance = _Chance(len(frames), self.device, generator)
            positions, intrinsics, film, flipped = self._filmed(frames.to(self.device), chance)
            crops = self._crops(positions, intrinsics, film, chance)
            other, there, boxes = self._occluders(positions, chance)
            noise = self.augmentation.noise
            look = draw_looks(len(frames), 2, noise, self.device, generator)
            people = torch.stack([positions, other])
            present = torch.stack([torch.ones_like(there), there])
            drawn = picture(people, present, self.skeleton, boxes, crops, look)
            grain = torch.randn(drawn.images.shape, device=self.device, generator=generator)
            images = drawn.images.addcmul_(look.noise[:, None, None, None], grain).clamp_(0, 1)
            return replace(drawn, images=images, flipped=flipped)

    def _filmed(self, frames: Tensor, chance: "_Chance") -> tuple[Tensor, ...]:
        """Positions ``(N, J, 3)``, intrinsics ``(N, 9)`` and film ``(N, 2)`` of the scenes, some of
        them mirrored, and which of them are."""
        recording = self.recording[frames]
        flipped = chance(1)[:, 0] < self.augmentation.flip
        sign = 1 - 2 * flipped[:, None].float()
        positions = self.positions[frames]
        swapped = positions.index_select(1, self.mirrored)
        positions = torch.where(flipped[:, None, None], swapped, positions)
        x, yz = positions.split([1, 2], dim=-1)
        positions = torch.cat([x * sign[..., None], yz], dim=-1)
        film, intrinsics = self.film[recording], self.intrinsics[recording]
        # principal point and first tangential coefficient change sides (Camera.mirrored)
        before, cx, between, p1, p2 = intrinsics.split([2, 1, 4, 1, 1], dim=-1)
        cx = torch.where(flipped[:, None], film[:, :1] - cx, cx)
        return positions, torch.cat([before, cx, between, p1 * sign, p2], -1), film, flipped

    def _crops(self, positions: Tensor, intrinsics: Tensor, film: Tensor, chance) -> Crops:
        how = self.augmentation
        points = project_to_screen(positions, intrinsics)
        exact = Crops.about(points, how.margin, intrinsics, film, self.size)
        low, high = how.scale
        scale, angle, *shift = chance(4).unbind(-1)
        shift = torch.stack(shift, dim=-1)
        return replace(
            exact,
            middle=exact.middle + how.shift * (2 * shift - 1) * exact.side[:, None],
            side=exact.side / (low + (high - low) * scale),
            angle=radians(how.rotation) * (2 * angle - 1),
        )

    def _occluders(self, positions: Tensor, chance) -> tuple[Tensor, Tensor, Tensor]:
        """Second people ``(N, J, 3)``, whether they are there ``(N,)``, and boxes ``(N, 5, 3)``."""
        kind = chance(1)[:, 0]
        boxed = kind < self.augmentation.occluder / 2
        there = (kind < self.augmentation.occluder) & ~boxed
        return self._second(positions, chance), there, _boxes(positions, boxed, chance)

    def _second(self, positions: Tensor, chance) -> Tensor:
        """Somebody of any frame, set down beside the line of sight to the person."""
        number, place, side, height, order = chance(5).unbind(-1)
        other = self.positions[(number * len(self)).long().clamp_max(len(self) - 1)]
        root = self.skeleton.root
        depth = positions[:, root, 2]
        farthest = torch.maximum(depth - _APART, depth / 2)
        before = depth / 2 + place * (farthest - depth / 2)
        at = torch.where(order < _IN_FRONT, before, depth + _APART + 2 * place)
        line = positions[:, root] * (at / depth)[:, None]
        off = torch.stack([side - 0.5, 0.4 * (height - 0.5), torch.zeros_like(side)], dim=-1)
        return other - other[:, root, None] + (line + off)[:, None]


class _Chance:
    """Numbers from 0 to 1, a row for each picture."""

    def __init__(self, count: int, device: torch.device, generator: torch.Generator | None):
        self.count, self.device, self.generator = count, device, generator

    def __call__(self, columns: int) -> Tensor:
        shape = (self.count, columns)
        return torch.rand(shape, device=self.device, generator=self.generator)


def picture(
    people: Tensor, there: Tensor, skeleton: Skeleton, boxes: Tensor, crops: Crops, look: Look
) -> Drawn:
    """The first of the people ``(P, N, J, 3)``, metres in camera space, who are ``there`` ``(P,
    N)``, with the others and ``boxes`` (:class:`~paperlib.rendering.surfaces.Scenes`), in the
    crops. Without noise: the images may go beyond 0 and 1."""
    seen = scenes(people, skeleton, there, boxes)
    shown = surfaces(seen, crops)
    positions, root = people[0], skeleton.root
    points = crops.project(positions)
    return Drawn(
        images=paint(look, crops, skeleton, shown, facing(people, skeleton)),
        points=points,
        depths=positions[..., 2] - positions[:, root, None, 2],
        visible=joints_seen(people, skeleton, seen) & crops.inside(points),
        positions=positions,
        flipped=torch.zeros_like(there[0]),
        crops=crops,
    )


def _boxes(positions: Tensor, there: Tensor, chance: _Chance) -> Tensor:
    """Boxes ``(N, 5, 3)`` before people ``(N, J, 3)``, each on the line of sight to a joint;
    without extent where there is none."""
    drawn = chance(9)
    joint = (drawn[:, 0] * positions.shape[1]).long().clamp_max(positions.shape[1] - 1)
    middle = positions.gather(1, joint[:, None, None].expand(-1, 1, 3))[:, 0]
    middle = middle * (0.5 + 0.35 * drawn[:, 1:2])
    turn = torch.pi * drawn[:, 2]
    lean = _TILT * (2 * drawn[:, 3:6] - 1)
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    upright = F.normalize(torch.stack([zero, one, zero], dim=-1) + lean, dim=-1)
    across = torch.stack([turn.cos(), zero, turn.sin()], dim=-1)
    across = F.normalize(across - (across * upright).sum(-1, keepdim=True) * upright, dim=-1)
    axes = (across, upright, torch.linalg.cross(across, upright))
    half = (_BOX[0] + (_BOX[1] - _BOX[0]) * drawn[:, 6:9]) * there[:, None]
    return torch.stack([middle, *axes, half], dim=1)


def checked(recordings: Sequence[Recording], size: int) -> Skeleton:
    """The skeleton of recordings that can be drawn; ``ValueError`` for others."""
    if not isinstance(size, Integral) or size < CELLS or size % CELLS:
        raise ValueError(f"pictures have 16, 32, 48 … pixels along each side, got size={size!r}")
    if not recordings:
        raise ValueError("no recordings to draw pictures of")
    names = {r.skeleton.name for r in recordings}
    if len(names) > 1:
        raise ValueError(f"pictures are of one skeleton, got recordings of {sorted(names)}")
    for recording in recordings:
        nearest = recording.truth[..., 2].min().item()
        if nearest < NEAREST:
            raise ValueError(
                f"{recording.name}: a joint is at {nearest:.2f} m along the camera's axis; all "
                f"must be {NEAREST} m or more before it to be drawn"
            )
    return recordings[0].skeleton
