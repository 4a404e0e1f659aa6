"""Training the Temporal PoseNet (veges2020, 3.1 and 4.3): where a person is, and in what pose."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.models import TemporalPoseNet
from paperlib.recordings import Dataset
from paperlib.skeletons import COMMON_14
from paperlib.training.objectives.base import Objective, Update
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, track_windows


@dataclass(frozen=True)
class AbsolutePose(Objective):
    """Mean absolute error of the standardised answer of a :class:`TemporalPoseNet`: robust against
    outliers, and the same weight for the root's place as for any joint. It learns from
    ``dataset.train``, single people and several alike.

    ``widths`` are the filter widths, for 81 frames by default; all 1 make a network as deep that
    sees a single frame. ``zoom=False`` leaves the zoom augmentation out, and with it half of an
    epoch's examples. Frames in which the person was not found do not count in the loss, so that
    nothing is learnt about what to answer there; with ``lost`` they do.

    Source: veges2020, 3.1 and 4.3; what its text lacks is as in the reference implementation.
    """

    dataset: Dataset
    widths: tuple[int, ...] = (3, 3, 3, 3)
    zoom: bool = True
    lost: bool = False

    def check(self, recipe: Recipe) -> None:
        if recipe.chunk != 1:
            raise ValueError(f"the Temporal PoseNet learns one frame a window, got {recipe.chunk=}")
        if not self.dataset.train:
            raise ValueError(f"{self.dataset.name}: no recordings to take windows from")

    def model(self, recipe: Recipe) -> TemporalPoseNet:
        skeleton = self.dataset.skeleton
        return TemporalPoseNet(
            len(COMMON_14),
            len(skeleton),
            self.widths,
            skeleton.root,
            dropout=recipe.dropout,
            channels=recipe.channels,
        )

    def examples(
        self, model: TemporalPoseNet, recipe: Recipe, seed: int, device: torch.device
    ) -> Windows:
        flip, stride = recipe.train_flip, recipe.stride
        field = model.receptive_field
        options = {"lost": self.lost, "device": device}
        return track_windows(self.dataset.train, field, self.zoom, flip, stride, seed, **options)

    def updates(self, model: TemporalPoseNet, examples: Windows) -> Sequence[Update]:
        # a run that goes on has these with its weights, and they are the same
        model.standardised_by(
            *_statistics(examples.inputs), *_statistics(examples.targets["answer"])
        )

        def loss(batch: Tensor) -> Tensor:
            inputs, answers = examples.batch(batch)
            found = model.answer(inputs).float()
            return F.l1_loss(found, model.standardise(answers))[None]

        return [Update(loss, ("train_l1",), list(model.parameters()))]


def _statistics(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of ``(T, J, 3)`` over all frames of all versions of the tracks,
    those in which nobody was found too: they stand in the windows of others. What never changes
    (a score that is always 1) has the deviation 1 and is left as it is."""
    deviation, mean = torch.std_mean(values.double(), dim=0)
    return mean.float(), torch.where(deviation > 1e-4, deviation, 1.0).float()
