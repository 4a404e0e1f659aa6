"""Training a network that sees: pictures of bodies to a map of each joint (cheng2020, whose maps
come from such a network; integral regression for the places)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.models.high_resolution import STRIDE
from paperlib.models.integral import soft_argmax
from paperlib.occlusion.heatmaps import gaussians
from paperlib.recordings import Dataset
from paperlib.rendering import Augmentation, Drawn, TrainingImages
from paperlib.training.objectives.base import Objective, Update, adam, in_turn
from paperlib.training.recipes import Recipe

_CELLS = 0.05  # weight of the maps' cross-entropy, summed over a map's cells


@dataclass(frozen=True)
class KeypointMaps(Objective):
    """Maps of the joints of bodies that are drawn, ``size`` pixels along each side, from the
    positions of ``dataset.train``; nothing else of the data is used.

    A map to learn is a Gaussian about the joint, with a standard deviation of ``sigma`` cells (of 4
    x 4 pixels): 1 high where the joint is visible, ``hidden`` high where it is hidden but within
    picture and film, and nothing where it lies outside. So the height of a peak tells how sure one
    can be of it, as confidence does for simulated maps, and yet a hidden joint has a place. The
    loss is the cross-entropy of the maps, summed over cells (weight 0.05), and the mean absolute
    error in cells of their soft-argmax, for all joints within picture and film.

    Source: cheng2020 gives no training of its maps; this is ours. ``ValueError`` for a recipe of
    chunks or strides, and for values out of range.
    """

    build: Callable[[], nn.Module]
    dataset: Dataset
    size: int = 64
    augmentation: Augmentation = field(default_factory=Augmentation)
    sigma: float = 1.0
    hidden: float = 0.3

    def check(self, recipe: Recipe) -> None:
        if recipe.chunk != 1 or recipe.stride != 1:
            raise ValueError("pictures are learnt from one by one: chunk and stride must be 1")
        if not isinstance(self.sigma, Real) or not 0 < self.sigma <= self.size:
            raise ValueError(f"sigma is a number of cells above 0, got {self.sigma!r}")
        if not isinstance(self.hidden, Real) or not 0 <= self.hidden <= 1:
            raise ValueError(f"hidden is the height of a map, 0 to 1, got {self.hidden!r}")

    def model(self, recipe: Recipe) -> nn.Module:
        return self.build()

    def examples(
        self, model: nn.Module, recipe: Recipe, seed: int, device: torch.device
    ) -> "Pictures":
        joints, wanted = model.config["num_joints"], len(self.dataset.skeleton)
        if joints != wanted:
            raise ValueError(
                f"the network has maps of {joints} joints, but bodies of {self.dataset.name} have "
                f"{wanted} ({self.dataset.skeleton.name})"
            )
        images = TrainingImages(self.dataset.train, self.size, self.augmentation, device)
        return Pictures(images, recipe.epoch_examples)

    def updates(self, model: nn.Module, examples: "Pictures") -> Sequence[Update]:
        def loss(frames: Tensor) -> Tensor:
            drawn = examples.images.draw(frames)
            return self.terms(model(drawn.images).float(), drawn)

        return [Update(loss, ("places", "maps"), list(model.parameters()), adam)]

    def terms(self, logits: Tensor, drawn: Drawn) -> Tensor:
        """``(2,)``: the mean error of places in cells, and the weighted cross-entropy of maps."""
        inside = drawn.crops.inside(drawn.points)
        places = drawn.points / STRIDE
        off = (soft_argmax(logits) - places).abs().mean(dim=-1) * inside
        height = torch.where(drawn.visible, 1.0, self.hidden) * inside
        x, y = gaussians(places - 0.5, logits.shape[-1], self.sigma)
        maps = (height[..., None] * y)[..., :, None] * x[..., None, :]
        wrong = F.binary_cross_entropy_with_logits(logits, maps, reduction="none")
        wrong = _CELLS * wrong.sum(dim=(-1, -2)).mean()
        return torch.stack([off.sum() / inside.sum().clamp_min(1), wrong])


class Pictures:
    """Examples ``(N,)``: frames of :class:`~paperlib.rendering.TrainingImages`, drawn anew each
    time. An epoch shows ``count`` of them, or all for 0; all are shown before any comes again."""

    def __init__(self, images: TrainingImages, count: int):
        self.images, self.count = images, count or len(images)

    def __len__(self) -> int:
        return self.count

    def order(self, generator: torch.Generator, epoch: int = 0) -> Tensor:
        return in_turn(len(self.images), self.count, generator).to(self.images.device)
