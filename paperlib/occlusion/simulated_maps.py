"""Heat maps as a 2D network gives them, simulated from keypoints and their confidence (cheng2020,
Multi-Scale Features): drawn in batches on the device of the keypoints, never stored."""

from dataclasses import dataclass
from functools import cache
from math import inf
from numbers import Integral, Real

import torch
from torch import Tensor

from paperlib.errors import one_of
from paperlib.occlusion.heatmaps import gaussians

CROPS = ("window", "frame")
_OUTSIDE = 0.02  # share of a window's keypoints that may lie beyond each side of the box about them
_NOBODY = (0.0, 0.0, 2.0)  # the crop where nothing is found: in screen coordinates, all the image
_LEAST_SIDE = 1e-6


@dataclass(frozen=True)
class SimulatedMaps:
    """How the K maps of a frame are drawn: ``size`` cells along each side.

    A map is a Gaussian about its keypoint, as high as the ``confidence``, with a standard deviation
    of ``sigma * (1 + blur * (1 - confidence))`` cells. Where nothing was found (confidence 0) the
    map is zero. A second peak stands

    * at the keypoint of the other side, ``confused * (1 - confidence)`` times as high as the first:
      the less sure a network is, the more it takes left for right. ``mirrored`` is the order of the
      keypoints with both sides exchanged (:attr:`~paperlib.skeletons.Skeleton.mirrored`);
    * of a keypoint that is known to be hidden, at the nearest other one that is not, in the image:
      about there its occluder is. It is ``occluder * (1 - confidence)`` times as high.

    The maps show a square about the person, by ``margin`` (share of the longer side) wider on each
    side than the keypoints. 2 % of them at each end do not count, or one that flew away would make
    the person small; its own map may be empty. With ``crop="frame"``, as the paper's boxes do, the
    square moves with the person, and a walk fills no more of a map than standing does; its side is
    the window's, since one of each frame's own would make an approach of a bent knee. With
    ``"window"`` all frames of a window show the same square, so that motion through the image is
    seen in the maps. A map does not tell where in the image its square lies and how large it is,
    and so neither the distance of the person nor the direction of the view: :meth:`crops` does.

    Source: cheng2020, whose maps come from a network, and which gives no size (that network's are a
    quarter of its images, 64 cells). ``ValueError`` for values out of range.
    """

    size: int = 16
    sigma: float = 1.0
    blur: float = 1.0
    confused: float = 0.0
    occluder: float = 0.0
    margin: float = 0.2
    crop: str = "frame"
    mirrored: tuple[int, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "mirrored", tuple(self.mirrored))  # a list, from a file
        one_of("crop", self.crop, CROPS)
        size = self.size
        if not isinstance(size, Integral) or size < 4 or size & (size - 1):
            raise ValueError(f"maps have 4, 8, 16, 32 or 64 … cells a side, got {size=!r}")
        limits = {"sigma": (1e-3, inf), "blur": (0, inf), "margin": (0, inf)}
        for name, (low, high) in (limits | dict.fromkeys(("confused", "occluder"), (0, 1))).items():
            value = getattr(self, name)
            if not isinstance(value, Real) or not low <= value <= high or value == inf:
                raise ValueError(f"{name} is a number from {low} to {high}, got {name}={value!r}")
        if self.confused + self.occluder > 1:
            raise ValueError(
                "two second peaks are together no higher than the first, got "
                f"confused={self.confused} and occluder={self.occluder}"
            )
        if self.confused and not self.mirrored:
            raise ValueError("left and right are confused where `mirrored` says what they are")
        if sorted(self.mirrored) != list(range(len(self.mirrored))):
            raise ValueError(f"mirrored is an order of all keypoints, got {self.mirrored}")

    def crops(self, keypoints: Tensor, confidence: Tensor) -> Tensor:
        """``(B, T, 3)``: middle x, middle y and side of the square that each frame's maps show, in
        the unit of the keypoints ``(B, T, K, 2)``. Those that were not found (``confidence`` 0)
        have no part in it: a hidden frame shows nothing by its square either."""
        _check(keypoints, confidence)
        return crops_of(keypoints, confidence > 0, self.margin, self.crop)

    def draw(
        self,
        keypoints: Tensor,
        confidence: Tensor,
        crops: Tensor | None = None,
        visible: Tensor | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Maps ``(B, T, K, size, size)``, 0 to 1, of keypoints ``(B, T, K, 2)`` of any unit with
        ``confidence`` ``(B, T, K)``, in their :meth:`crops`. Rows go down, along y. ``visible``
        ``(B, T, K)`` is False for what is known to be hidden. The maps are of ``dtype``, by default
        that of the keypoints. ``ValueError`` for other shapes."""
        _check(keypoints, confidence, visible)
        crops = self.crops(keypoints, confidence) if crops is None else crops
        places = (keypoints - crops[..., None, :2]) / crops[..., None, 2:]
        places = (places + 0.5) * self.size - 0.5  # counted from the middle of the first cell
        sigma = self.sigma * (1 + self.blur * (1 - confidence))
        # keypoints last in memory, which is how convolutions are fastest
        maps = torch.mul(*self._factors(places, sigma, confidence, dtype))
        doubtful = (1 - confidence) * confidence
        if self.confused:
            partner, there = self._partners(places, confidence)
            height = self.confused * doubtful * there
            maps = torch.addcmul(maps, *self._factors(partner, sigma, height, dtype))
        if self.occluder and visible is not None:
            occluder, there = _nearest_visible(places, visible & (confidence > 0))
            height = self.occluder * doubtful * (there & ~visible)
            maps = torch.addcmul(maps, *self._factors(occluder, sigma, height, dtype))
        return maps.movedim(-1, -3)

    def _factors(
        self, places: Tensor, sigma: Tensor, height: Tensor, dtype: torch.dtype | None
    ) -> tuple[Tensor, Tensor]:
        """What gives ``(…, size, size, K)`` peaks when multiplied."""
        x, y = gaussians(places, self.size, sigma)
        x, y = (v.transpose(-1, -2).to(dtype or v.dtype) for v in (x, y * height[..., None]))
        return y[..., :, None, :], x[..., None, :, :]

    def _partners(self, places: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor]:
        """The places of the other side's keypoints, and whether there is one that was found."""
        count = places.shape[-2]
        if count != len(self.mirrored):
            raise ValueError(f"{count} keypoints, but `mirrored` is of {len(self.mirrored)}")
        order = order_of(self.mirrored, places.device)
        paired = order != torch.arange(count, device=places.device)
        return places.index_select(-2, order), paired & (confidence.index_select(-1, order) > 0)


def crops_of(keypoints: Tensor, found: Tensor, margin: float, crop: str = "window") -> Tensor:
    """``(B, T, 3)``, as :meth:`SimulatedMaps.crops`, about the keypoints ``(B, T, K, 2)`` that were
    ``found`` ``(B, T, K)``."""
    centre = keypoints.new_zeros((*keypoints.shape[:2], 2))
    if crop == "frame":
        # the middle keypoint, which none that flew away moves
        (middle,) = _quantiles(keypoints, found, 0.5)
        centre = _held(middle, found.any(dim=-1))
    about = (keypoints - centre[:, :, None]).flatten(1, 2)
    low, high = _quantiles(about, found.flatten(1), _OUTSIDE, 1 - _OUTSIDE)
    low, high = low[:, None], high[:, None]
    side = (high - low).amax(dim=-1, keepdim=True).clamp_min(_LEAST_SIDE) * (1 + 2 * margin)
    crops = torch.cat([centre + (low + high) / 2, side.expand(-1, centre.shape[1], -1)], dim=-1)
    nobody = crops.isnan()
    for column, value in enumerate(_NOBODY):
        crops[..., column].masked_fill_(nobody[..., column], value)
    return crops


def _quantiles(points: Tensor, found: Tensor, *shares: float) -> list[Tensor]:
    """Each ``(…, 2)`` of those points ``(…, N, 2)`` that were ``found``; NaN where none was."""
    ordered = points.masked_fill(~found[..., None], inf).sort(dim=-2).values
    last = (found.sum(dim=-1) - 1).clamp_min(0)[..., None, None]
    values = []
    for share in shares:
        place = (last * share).expand(*last.shape[:-1], 2)
        low, high = (ordered.gather(-2, p.long()) for p in (place.floor(), place.ceil()))
        values.append((low + (high - low) * (place - place.floor())).select(-2, 0))
    return values


def _held(values: Tensor, known: Tensor) -> Tensor:
    """``(B, T, D)`` with what is not ``known`` ``(B, T)`` as last known before, or else as first
    known after."""
    index = torch.arange(known.shape[1], device=known.device).expand(known.shape)
    last = index.masked_fill(~known, -1).cummax(dim=1).values
    first = known.int().argmax(dim=1, keepdim=True)
    last = torch.where(last < 0, first, last)
    return values.gather(1, last[..., None].expand_as(values))


def _nearest_visible(places: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Of each keypoint the place of the nearest other one that is ``visible``, and whether there is
    one."""
    distance = (places[..., :, None, :] - places[..., None, :, :]).square().sum(dim=-1)
    own = torch.eye(places.shape[-2], dtype=torch.bool, device=places.device)
    least, nearest = distance.masked_fill(own | ~visible[..., None, :], inf).min(dim=-1)
    return places.gather(-2, nearest[..., None].expand_as(places)), least < inf


@cache
def order_of(order: tuple[int, ...], device: torch.device) -> Tensor:
    """An order as a tensor that is made once: a step that is recorded copies nothing to a GPU."""
    with torch.inference_mode(False):  # or no gradient could pass by it later
        return torch.tensor(order, device=device)


def _check(keypoints: Tensor, confidence: Tensor, visible: Tensor | None = None) -> None:
    fits = keypoints.ndim == 4 and keypoints.shape[-1] == 2 and keypoints.is_floating_point()
    others = [confidence] if visible is None else [confidence, visible]
    if not fits or any(other.shape != keypoints.shape[:-1] for other in others):
        raise ValueError(
            "expected keypoints (B, T, K, 2) in floating point, and confidence (and visible) "
            f"(B, T, K), got {', '.join(str(tuple(t.shape)) for t in (keypoints, *others))}"
        )
    if visible is not None and visible.dtype != torch.bool:
        raise ValueError(f"visible is True or False for each keypoint, got {visible.dtype}")
