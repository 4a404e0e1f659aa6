"""Training a network that sees: pictures of bodies to a map of each joint (cheng2020, whose maps
come from such a network; integral regression for the places)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.errors import one_of
from paperlib.models.high_resolution import STRIDE, soft_argmax
from paperlib.occlusion.heatmaps import gaussians
from paperlib.recordings import Dataset
from paperlib.rendering import Augmentation, Drawn, TrainingImages
from paperlib.training.objectives.base import Objective, Update, adam
from paperlib.training.recipes import PRESETS, Recipe

_CELLS = 0.05  # weight of the maps' cross-entropy, summed over a map's cells
_IMAGES = {"smoke": 256, "laptop": 200_000, "paper": 10_000_000}


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
    chunks, and for values out of range.
    """

    build: Callable[[], nn.Module]
    dataset: Dataset
    size: int = 64
    augmentation: Augmentation = field(default_factory=Augmentation)
    sigma: float = 1.0
    hidden: float = 0.3

    def check(self, recipe: Recipe) -> None:
        if recipe.chunk != 1:
            raise ValueError(f"pictures are learnt from one by one, got {recipe.chunk=}")
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
        return Pictures(images, recipe.stride)

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
    """Every ``stride``-th frame of :class:`~paperlib.rendering.TrainingImages`, drawn anew each
    time."""

    def __init__(self, images: TrainingImages, stride: int):
        self.images, self.stride = images, stride

    def __len__(self) -> int:
        return -(-len(self.images) // self.stride)

    def order(self, generator: torch.Generator, epoch: int = 0) -> Tensor:
        chosen = torch.randperm(len(self), generator=generator) * self.stride
        return chosen.to(self.images.device)


def map_recipe(preset: str, frames: int) -> Recipe:
    """How a map network is trained on so many ``frames`` (of one pass, all of them): batches of
    32, Adam, a rate of 0.001 that falls steadily to 0, for about 200,000 pictures with ``laptop``;
    ours. ``paper`` takes batches of 128 and as many pictures as a GPU draws in some hours;
    ``smoke`` only shows that everything runs.
    """
    images = _IMAGES[one_of("preset", preset, PRESETS)]
    stride = max(1, frames // images)
    return Recipe(
        epochs=max(1, round(images * stride / frames)),
        batch_size=128 if preset == "paper" else 32,
        schedule="linear",
        stride=stride,
        channels=1,  # of no use here: the network's own are said where it is built
        precision="auto" if preset == "paper" else "mixed",
    )
