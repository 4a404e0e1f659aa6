"""Occlusions and wrong detections that are made up while a network learns (cheng2020, Data
Augmentation for Occlusions)."""

from dataclasses import dataclass, fields
from functools import cache
from math import prod
from numbers import Integral, Real

import torch
from torch import Tensor

from paperlib.occlusion.peaks import peaks
from paperlib.occlusion.simulated_maps import crops_of, order_of
from paperlib.skeletons import Skeleton

_SHARES = ("frames", "points", "area", "shifts", "swaps", "noise")
_COUNTS = {"frames_lasting": 1, "points_lasting": 1, "future": 0}


@dataclass(frozen=True)
class OcclusionMasks:
    """What becomes of the keypoints of a window, and with what probability. By default nothing.

    ==================  ==========================================================================
    ``frames``          that a frame is hidden as a whole
    ``points``          that a keypoint is hidden in a frame, each by its own chance
    ``area``            that an occluder passes through a window: a box that hides what is in it. It
                        goes on a straight line from one place about the person to another
    ``shifts``          that a keypoint is found ``shift`` away from where it is, in any direction
    ``swaps``           that a keypoint and that of the other side change places in a frame
    ``noise``           that the maps of a window are noisy (:meth:`noisy`)
    ``frames_lasting``  the longest that a frame's occlusion lasts: it is of 1 to so many frames,
                        all equally likely; the share of hidden frames is ``frames`` all the same
    ``points_lasting``  that of a hidden, shifted or swapped keypoint
    ``future``          how many frames at the end of a window are always hidden: a network that
                        learns with them forecasts
    ``shift``           share of the side of the square about the person in all of the window; 10 of
                        256 pixels is the paper's example
    ``area_size``       least and greatest width and height of the box, shares of the same
    ``noise_size``      standard deviation of the noise of a cell, where a peak is 1 at most
    ==================  ==========================================================================

    A hidden keypoint becomes zero, and its confidence too, so that its map is drawn as zeros and no
    crop goes by it. Source: cheng2020, which gives no numbers but the shift. ``ValueError`` for
    numbers that are out of range.
    """

    frames: float = 0.0
    points: float = 0.0
    area: float = 0.0
    shifts: float = 0.0
    swaps: float = 0.0
    noise: float = 0.0
    frames_lasting: int = 1
    points_lasting: int = 1
    future: int = 0
    shift: float = 10 / 256
    area_size: tuple[float, float] = (0.2, 0.6)
    noise_size: float = 0.05

    def __post_init__(self):
        object.__setattr__(self, "area_size", tuple(self.area_size))  # a list, from a file
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in _SHARES:
            if not isinstance(values[name], Real) or not 0 <= values[name] <= 1:
                raise ValueError(f"{name} is a probability from 0 to 1, got {name}={values[name]}")
        for name, least in _COUNTS.items():
            if not isinstance(values[name], Integral) or values[name] < least:
                raise ValueError(f"{name} counts frames, from {least}, got {name}={values[name]}")
        sizes = (self.shift, self.noise_size, *self.area_size)
        if len(self.area_size) != 2 or not all(0 <= s <= 1 for s in sizes) or sizes[2] > sizes[3]:
            raise ValueError(
                "shift, noise_size and both of area_size, the least first, are from 0 to 1, got "
                f"{self.shift}, {self.noise_size} and {self.area_size}"
            )

    def hide(
        self, features: Tensor, skeleton: Skeleton, generator: torch.Generator | None = None
    ) -> Tensor:
        """The windows ``(B, T, K, F)`` as they are seen through all this: x, y, and whatever else
        comes with each keypoint of ``skeleton``, its confidence first. Chance is that of
        ``generator``, on the features' device, or PyTorch's own.

        ``ValueError`` for another number of keypoints, or fewer frames than are to be forecast.
        """
        expected = (len(skeleton), max(features.shape[-1], 2))
        if features.ndim != 4 or features.shape[2:] != expected:
            raise ValueError(
                f"expected features (B, T, {len(skeleton)}, 2 or more) of {skeleton.name}, got "
                f"{tuple(features.shape)}"
            )
        self._check_future(features.shape[1])
        points, others = features[..., :2], features[..., 2:]
        found = others[..., 0] > 0 if others.shape[-1] else torch.ones_like(points[..., 0]) > 0
        chance = _Chance(found, generator)
        # only these ask where the person is
        crops = crops_of(points, found, margin=0.0) if self.shifts or self.area else None
        if self.swaps:
            (features,) = self._swapped(skeleton, chance, features)
        if self.shifts:
            way = self._way(crops, chance)
            features = torch.cat([features[..., :2] + way, features[..., 2:]], dim=-1)
        hidden = self._hidden(features[..., :2], crops, chance)
        return features.masked_fill(hidden[..., None], 0.0)

    def hide_maps(
        self,
        maps: Tensor,
        crops: Tensor,
        skeleton: Skeleton,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Maps ``(B, T, K, H, W)`` that come ready, from an image, through the same: those of
        hidden keypoints become zero, as the paper says, and those of shifted ones are moved. Their
        ``crops`` ``(B, T, 3)`` stay as they are. What is drawn from keypoints is better hidden
        before, by :meth:`hide`: it costs less, and the crop does not show where it was."""
        if maps.ndim != 5 or maps.shape[2] != len(skeleton):
            raise ValueError(
                f"expected maps (B, T, {len(skeleton)}, H, W) of {skeleton.name}, got "
                f"{tuple(maps.shape)}"
            )
        self._check_future(maps.shape[1])
        found = peaks(maps, crops)
        chance = _Chance(found[..., 2] > 0, generator)
        about = crops_of(found[..., :2], chance.found, margin=0.0)
        if self.swaps:
            # the keypoints are swapped alike, for the occluder's sake
            maps, found = self._swapped(skeleton, chance, maps, found)
        points = found[..., :2]
        if self.shifts:
            way = self._way(about, chance)
            maps, points = _moved(maps, way / crops[..., None, 2:]), points + way
        return maps.masked_fill(self._hidden(points, about, chance)[..., None, None], 0.0)

    def noisy(self, maps: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Maps ``(B, T, K, H, W)`` with normal noise on each cell, in windows by chance, and
        nothing below zero. A map of zeros stays one: what is hidden is so with noise too."""
        if not self.noise or not self.noise_size:
            return maps
        noisy = torch.rand(len(maps), 1, 1, 1, 1, generator=generator, device=maps.device)
        there = (noisy < self.noise) & (maps.amax(dim=(-2, -1), keepdim=True) > 0)
        # in half precision the drawing itself takes twice as long on a CPU
        noise = torch.empty_like(maps, dtype=torch.float32).normal_(generator=generator)
        noise, there = noise.to(maps.dtype), there.to(maps.dtype)
        return torch.addcmul(maps, noise, there, value=self.noise_size).clamp_min(0)

    def _check_future(self, frames: int) -> None:
        if self.future >= frames:
            raise ValueError(
                f"{self.future} future frames of a window of {frames}: nothing is seen"
            )

    def _swapped(self, skeleton: Skeleton, chance: "_Chance", *given: Tensor) -> list[Tensor]:
        """Values ``(B, T, K, …)``, those of both sides exchanged by chance, in each alike."""
        pairs = tuple(map(min, enumerate(skeleton.mirrored)))  # each pair by one of the two
        swapped = chance.events(self.swaps, self.points_lasting)
        swapped = swapped.index_select(-1, order_of(pairs, chance.device))
        other = order_of(skeleton.mirrored, chance.device)
        return [
            torch.where(swapped[(..., *[None] * (v.ndim - 3))], v.index_select(2, other), v)
            for v in given
        ]

    def _way(self, crops: Tensor, chance: "_Chance") -> Tensor:
        """``(B, T, K, 2)``: by how much each keypoint is shifted, most of them not at all."""
        shifted = chance.events(self.shifts, self.points_lasting)
        # one direction a window: what lasts does not jump about
        angle = 2 * torch.pi * chance.uniform(len(crops), 1, shifted.shape[2])
        way = torch.stack([angle.cos(), angle.sin()], dim=-1) * self.shift * crops[..., None, 2:]
        return torch.where(shifted[..., None], way, 0.0)

    def _hidden(self, points: Tensor, crops: Tensor | None, chance: "_Chance") -> Tensor:
        """``(B, T, K)``: what no one sees."""
        hidden = torch.zeros_like(chance.found)
        if self.frames:
            hidden = hidden | chance.events(self.frames, self.frames_lasting, each=False)
        if self.points:
            hidden = hidden | chance.events(self.points, self.points_lasting)
        if self.area:
            low, high = self.boxes(crops, chance.generator)
            inside = (points >= low[:, :, None]) & (points <= high[:, :, None])
            there = chance.uniform(len(points), 1, 1) < self.area
            hidden = hidden | (inside.all(dim=-1) & there)
        if self.future:
            last = torch.arange(points.shape[1], device=points.device) >= (
                points.shape[1] - self.future
            )
            hidden = hidden | last[:, None]
        return hidden

    def boxes(
        self, crops: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The occluder of each window: its least and its greatest x and y in each frame, each
        ``(B, T, 2)``, for a person in the square ``crops`` ``(B, T, 3)`` of the window."""
        batch, frames, _ = crops.shape
        drawn = torch.rand(batch, 3, 2, generator=generator, device=crops.device).to(crops.dtype)
        least, greatest = self.area_size
        half = (least + (greatest - least) * drawn[:, :1]) / 2
        start, end = drawn[:, 1:2] - 0.5, drawn[:, 2:] - 0.5
        middle = start + (end - start) * torch.linspace(
            0, 1, frames, dtype=crops.dtype, device=crops.device
        ).view(1, -1, 1)
        centre, side = crops[..., :2], crops[..., 2:]
        return centre + (middle - half) * side, centre + (middle + half) * side


class _Chance:
    """What is drawn for windows in which keypoints are ``found`` ``(B, T, K)``."""

    def __init__(self, found: Tensor, generator: torch.Generator | None):
        self.found, self.generator, self.device = found, generator, found.device

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)

    def events(self, share: float, lasting: int, each: bool = True) -> Tensor:
        """``(B, T, K)``, or ``(B, T, 1)`` for all keypoints at once: True in a ``share`` of the
        frames, in events of 1 to ``lasting`` frames. They may begin before the window."""
        batch, frames, keypoints = self.found.shape
        shape = batch, frames + lasting - 1, keypoints if each else 1
        begins = self.uniform(*shape) < begin_rate(share, lasting)
        length = (self.uniform(*shape) * lasting).long() + 1
        frame = torch.arange(shape[1], device=self.device)[:, None]
        end = (frame + length).masked_fill(~begins, 0).cummax(dim=1).values
        return (end > frame)[:, lasting - 1 :]


def _moved(maps: Tensor, way: Tensor) -> Tensor:
    """Maps moved by shares ``(B, T, K, 2)`` of their sides, in between cells by interpolation."""
    across, down = (
        _from_where(size, along * size).to(maps.dtype)
        for size, along in zip(reversed(maps.shape[-2:]), way.unbind(-1), strict=True)
    )
    return down @ maps @ across.mT


def _from_where(size: int, way: Tensor) -> Tensor:
    """``(…, size, size)``: the shares of a line's old cells in each new one, when it is moved by
    ``way`` ``(…)`` cells. Nothing comes from beyond its ends."""
    cells = torch.arange(size, device=way.device)
    return (1 - (cells[:, None] - cells - way[..., None, None]).abs()).clamp_min(0)


@cache
def begin_rate(share: float, lasting: int) -> float:
    """How often events of 1 to ``lasting`` frames, all equally likely, begin in a frame, if a frame
    is in one of them with the probability ``share``."""
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        # no event of so many frames or more began so many frames ago
        free = prod(1 - rate * (lasting - ago) / lasting for ago in range(lasting))
        low, high = (low, rate) if 1 - free >= share else (rate, high)
    return high
