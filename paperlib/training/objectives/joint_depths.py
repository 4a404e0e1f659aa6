"""The second stage of kato2020 (section II): keypoints and depths of frames, refined over time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.metrics import mpjpe
from paperlib.models import TemporalModel
from paperlib.recordings import Dataset
from paperlib.training.objectives.base import Objective, Update
from paperlib.training.recipes import Recipe
from paperlib.windows import INPUTS, Windows, as_inputs, input_of, keypoint_windows

NOISE_ON = ("depth", "both")
#: filter widths for the receptive fields of table I: one of W frames, then B blocks of W, for
#: (W, B) = (1, 2), (3, 2), (3, 3) and (3, 4). A single frame has two blocks as well
SECOND_STAGE = {1: (1, 1, 1), 27: (3, 3, 3), 81: (3,) * 4, 243: (3,) * 5}


@dataclass(frozen=True)
class JointDepths(Objective):
    """MPJPE (metres, root-relative) of a :class:`TemporalModel` that is given ``inputs``, one of
    :data:`~paperlib.windows.INPUTS`, of ``dataset.train``.

    With ``2d_depth_noise`` Gaussian noise of ``sigma`` is added in training, and in training only:
    drawn anew for each joint (the root too) of each frame of each window. It is ``noise_on`` the
    ``"depth"`` (section III), or on ``"both"`` depth and keypoints (section II). The paper names no
    unit: here it is that of the network's input, 0.1 being 75 mm of depth, and in 2D a twentieth of
    the image's width.

    To test the model, recordings go through :func:`~paperlib.windows.as_inputs` likewise.
    """

    dataset: Dataset
    inputs: str = "2d_depth_noise"
    widths: tuple[int, ...] = SECOND_STAGE[243]
    sigma: float = 0.1
    noise_on: str = "depth"

    def check(self, recipe: Recipe) -> None:
        one_of("inputs", self.inputs, INPUTS)
        one_of("noise_on", self.noise_on, NOISE_ON)
        if not isinstance(self.sigma, Real) or not 0 <= self.sigma < math.inf:
            raise ValueError(f"sigma must be a number from 0, got sigma={self.sigma!r}")
        if not self.dataset.train:
            raise ValueError(f"{self.dataset.name}: no recordings to take windows from")
        for recording in self.dataset.train:
            as_inputs(recording, self.inputs)

    @property
    def noise(self) -> tuple[float, float, float]:
        """Standard deviation of what is added to x, y and depth in training."""
        if self.inputs != "2d_depth_noise":
            return (0.0, 0.0, 0.0)
        plane = self.sigma if self.noise_on == "both" else 0.0
        return (plane, plane, self.sigma)

    def model(self, recipe: Recipe) -> TemporalModel:
        skeleton = self.dataset.skeleton
        true = self.inputs.startswith("gt_")
        joints_in = len(skeleton if true else self.dataset.keypoint_skeleton)
        return TemporalModel(
            joints_in,
            3 if "depth" in self.inputs else 2,
            len(skeleton),
            self.widths,
            dropout=recipe.dropout,
            channels=recipe.channels,
            third="depth",
        )

    def examples(
        self, model: nn.Module, recipe: Recipe, seed: int, device: torch.device
    ) -> Windows:
        return keypoint_windows(
            tuple(map(partial(as_inputs, inputs=self.inputs), self.dataset.train)),
            model.receptive_field,
            flip=recipe.train_flip,
            stride=recipe.stride,
            features=input_of(model),
            device=device,
            chunk=recipe.chunk,
        )

    def updates(self, model: nn.Module, examples: Windows) -> Sequence[Update]:
        spread = torch.tensor(self.noise, device=examples.starts.device)
        noisy = any(self.noise)

        def loss(batch: Tensor) -> Tensor:
            inputs, target = examples.batch(batch)
            if noisy:
                inputs = inputs + spread * torch.randn_like(inputs)
            return mpjpe(model(inputs).float(), target)[None]

        return [Update(loss, ("train_mpjpe",), list(model.parameters()))]
