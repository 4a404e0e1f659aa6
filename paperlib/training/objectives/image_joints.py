"""The first stage of kato2020 (section II): joints with their depths, from images of one person."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Protocol

import torch
from torch import Tensor

from paperlib.datasets.still_crops import StillCrops
from paperlib.datasets.stills import StillImages
from paperlib.models import IntegralRegression
from paperlib.models.integral import expectation
from paperlib.recordings import Dataset
from paperlib.rendering import Augmentation, TrainingImages
from paperlib.training.objectives.base import Objective, Update, adam, in_turn
from paperlib.training.recipes import Recipe

#: sizes of the network by preset; the widths and bins of images that the paper's text lacks are
#: those of integral regression (Sun et al. 2018)
FIRST_STAGE = {
    "smoke": {"backbone": "resnet18", "channels": 8, "deconvolution": 32, "bins": 8, "size": 32},
    "laptop": {
        "backbone": "resnet18",
        "channels": 32,
        "deconvolution": 128,
        "bins": 18,
        "size": 64,
    },
    "paper": {
        "backbone": "resnet50",
        "channels": 64,
        "deconvolution": 256,
        "bins": 72,
        "size": 256,
    },
}


@dataclass(frozen=True)
class ImageJoints(Objective):
    """Mean absolute error of the joints' coordinates (shares of the volume: see
    :mod:`paperlib.models.integral`) that the network which ``build()`` makes finds in images of
    ``dataset.train``, rendered anew in each step (:class:`~paperlib.rendering.TrainingImages`).

    Beside each image is one of ``flat``, of whose joints only the places in the image are known:
    photographs, or renderings, whose depths are held back. None leaves them out. A joint outside of
    its crop counts nothing. With ``marginals`` > 0 the cross-entropy of the three marginals with
    the bins about the true place is added, times that: it learns sooner.

    Source: kato2020, II and III; the loss is that of integral regression, to which it refers.
    """

    build: Callable[[], IntegralRegression]
    dataset: Dataset
    flat: Dataset | StillImages | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    marginals: float = 0.0

    def check(self, recipe: Recipe) -> None:
        if not self.dataset.train:
            raise ValueError(f"{self.dataset.name}: no recordings to draw images of")
        if self.flat is not None and self.flat.skeleton != self.dataset.skeleton:
            raise ValueError(
                f"{self.flat.name} has joints of {self.flat.skeleton.name}, {self.dataset.name} of "
                f"{self.dataset.skeleton.name}: a network learns one joint set (people in "
                "photographs: StillImages.in_h36m)"
            )
        if not isinstance(self.marginals, Real) or not 0 <= self.marginals < math.inf:
            raise ValueError(f"marginals is a weight from 0, got {self.marginals!r}")
        if recipe.chunk != 1 or recipe.stride != 1:
            raise ValueError("images are learnt one by one: chunk and stride must be 1")
        tested = {r.subject for r in self.dataset.test}
        for data in (self.dataset, self.flat):
            if isinstance(data, Dataset) and (both := tested & {r.subject for r in data.train}):
                raise ValueError(
                    f"{data.name}: {', '.join(sorted(both))} would be learnt from and tested: the "
                    "bodies in the images must be others in test"
                )

    def model(self, recipe: Recipe) -> IntegralRegression:
        model = self.build()
        joints = model.config["num_joints_out"]
        if joints != len(self.dataset.skeleton):
            raise ValueError(f"a network of {joints} joints for {self.dataset.skeleton}")
        return model.to(memory_format=torch.channels_last)  # a third faster on a CPU

    def examples(
        self, model: IntegralRegression, recipe: Recipe, seed: int, device: torch.device
    ) -> "Images":
        size = model.config["size"]
        drawers: list[Drawer] = [Rendered(self.dataset, size, self.augmentation, device, True)]
        if isinstance(self.flat, Dataset):
            drawers.append(Rendered(self.flat, size, self.augmentation, device, False))
        elif self.flat is not None:
            drawers.append(Photographed(self.flat, size, self.augmentation, device))
        return Images(drawers, recipe.epoch_examples, device)

    def updates(self, model: IntegralRegression, examples: "Images") -> Sequence[Update]:
        extent, weight = model.extent, self.marginals

        def loss(batch: Tensor) -> Tensor:
            images, target, known = examples.draw(batch, extent)
            found = model.marginals(images.contiguous(memory_format=torch.channels_last))
            errors = mean_errors(expectation(found), target, known)
            terms = torch.stack([errors[:2].sum(), errors[2]])
            if weight:
                extra = weight * cross_entropy(found, target, known)
                terms = torch.cat([terms, extra[None]])
            return terms

        terms = ("train_plane", "train_depth", *(("marginals",) if weight else ()))
        # photographs are read by the host in each step
        recorded = not isinstance(self.flat, StillImages)
        return [Update(loss, terms, list(model.parameters()), adam, recorded=recorded)]


class Drawer(Protocol):
    """What gives images with the joints in them."""

    def __len__(self) -> int:
        """How many there are."""

    def draw(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images ``(N, 3, S, S)``, joints in pixels ``(N, J, 2)`` and whether they are known
        ``(N, J)``, and depths ``(N, J)`` in metres about the root, NaN where nobody knows them."""


class Rendered:
    """Images of the training part of a data set, with depths or without."""

    def __init__(
        self,
        dataset: Dataset,
        size: int,
        augmentation: Augmentation,
        device: torch.device,
        with_depths: bool,
    ):
        self.images = TrainingImages(dataset.train, size, augmentation, device)
        self.with_depths = with_depths

    def __len__(self) -> int:
        return len(self.images)

    def draw(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        drawn = self.images.draw(numbers)
        depths = drawn.depths if self.with_depths else torch.full_like(drawn.depths, torch.nan)
        return drawn.images, drawn.points, torch.ones_like(drawn.visible), depths


class Photographed:
    """Images of people in photographs."""

    def __init__(
        self, stills: StillImages, size: int, augmentation: Augmentation, device: torch.device
    ):
        self.crops, self.device = StillCrops(stills, size, augmentation), device

    def __len__(self) -> int:
        return len(self.crops)

    def draw(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        drawn = self.crops.draw(numbers.cpu())
        images, points, labelled = (values.to(self.device) for values in drawn)
        return images, points, labelled, torch.full_like(points[..., 0], torch.nan)


class Images:
    """Examples ``(N, S)``: an image of each of S sources side by side. An epoch shows ``count`` of
    them, or as many as the first source has, for 0; each source goes through all of its own in a
    new order before any comes again."""

    def __init__(
        self, drawers: Sequence[Drawer], count: int = 0, device: torch.device | str = "cpu"
    ):
        self.drawers, self.count = drawers, count or len(drawers[0])
        self.device = device

    def __len__(self) -> int:
        return self.count

    def order(self, generator: torch.Generator, epoch: int = 0) -> Tensor:
        columns = [in_turn(len(drawer), self.count, generator) for drawer in self.drawers]
        return torch.stack(columns, dim=1).to(self.device)

    def draw(self, examples: Tensor, extent: float) -> tuple[Tensor, Tensor, Tensor]:
        """Images ``(B, 3, H, W)``, coordinates ``(B, J, 3)`` as shares of a volume that is
        ``extent`` metres deep, and 1 or 0 ``(B, J, 3)`` for what is known of them. B is all images
        of the examples, those of the first source first."""
        drawn = [d.draw(own) for d, own in zip(self.drawers, examples.unbind(1), strict=True)]
        images, points, labelled, depths = map(torch.cat, zip(*drawn, strict=True))
        plane = points / images.shape[-1] - 0.5
        inside = labelled & (plane.abs() <= 0.5).all(dim=-1)
        deep = depths / extent
        known = torch.stack([inside, inside, inside & ~deep.isnan()], dim=-1)
        return images, torch.cat([plane, deep.nan_to_num()[..., None]], dim=-1), known.float()


def mean_errors(found: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """``(3,)``: the mean absolute error of x, y and depth ``(N, J, 3)`` over what is ``known``."""
    share = known / known.sum(dim=(0, 1)).clamp_min(1)
    return ((found - target).abs() * share).sum(dim=(0, 1))


def cross_entropy(found: Sequence[Tensor], target: Tensor, known: Tensor) -> Tensor:
    """The cross-entropy of marginals ``(N, J, bins)``, x, y and z, with true coordinates ``(N, J,
    3)``: the sum over the three of the means over what is ``known``.

    The truth is the two bins about it, by their nearness, so that its expected value is the true
    coordinate. What lies outside of all bins counts nothing.
    """
    total = target.new_zeros(())
    for share, place, counts in zip(found, target.unbind(-1), known.unbind(-1), strict=True):
        bins = share.shape[-1]
        at = ((place + 0.5) * bins - 0.5).clamp(0, bins - 1)
        counts = counts * (place.abs() <= 0.5)
        low = at.floor().long().clamp_max(bins - 2) if bins > 1 else at.long()
        pair = torch.stack([low, (low + 1).clamp_max(bins - 1)], dim=-1)
        upper = at - low
        logs = share.gather(-1, pair).clamp_min(1e-9).log()
        entropy = -((1 - upper) * logs[..., 0] + upper * logs[..., 1])
        total = total + (entropy * counts).sum() / counts.sum().clamp_min(1)
    return total
