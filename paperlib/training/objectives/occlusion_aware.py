"""Training the occlusion-aware network (wang2020, 4.4): a pose, and which joints are hidden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.errors import one_of
from paperlib.metrics import mpjpe
from paperlib.models import OcclusionAware
from paperlib.recordings import Dataset, Recording
from paperlib.training.objectives.base import Objective, Update
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, keypoint_windows, network_input

OCCLUSION_LOSSES = ("difference", "cross_entropy")
_LEAST = 1e-6  # below which the logarithm of a share of certainty goes no further


@dataclass(frozen=True)
class PoseAndOcclusion(Objective):
    """MPJPE (metres), and a loss of the occlusions against their labels, weighted: those of the
    frames that the network has a vector for.

    ``occlusion_loss`` is the paper's mean absolute ``"difference"``, or the ``"cross_entropy"``.
    The former is least where an occlusion is the commoner label, given what the network sees: 0
    unless a joint is hidden more often than seen, and as it comes near there, the sigmoid has no
    slope to come back by. So labels that guesses tell little about are learnt as "nothing is
    hidden". The latter is least where an occlusion is the share of cases in which the joint is
    hidden, and its slope does not vanish.

    The recordings of ``dataset.train`` hold the labels and guesses to learn from
    (:func:`paperlib.occlusion.with_labels`); ``ValueError`` where they do not. ``weight`` is that
    of the occlusions' loss; the pose's is 1, since Adam only sees their ratio. Source: wang2020,
    4.4, which gives no weights.
    """

    build: Callable[[], OcclusionAware]
    dataset: Dataset
    weight: float = 0.1
    occlusion_loss: str = "difference"

    def check(self, recipe: Recipe) -> None:
        one_of("occlusion_loss", self.occlusion_loss, OCCLUSION_LOSSES)
        dataset = self.dataset
        if dataset.keypoint_skeleton != dataset.skeleton:
            raise ValueError(
                f"{dataset.name} has keypoints of {dataset.keypoint_skeleton.name} and labels for "
                f"joints of {dataset.skeleton.name}: the network needs both of the same joints"
            )
        unlabelled = [recording.name for recording in dataset.train if recording.visible is None]
        if unlabelled:
            raise ValueError(
                f"{unlabelled[0]} and {len(unlabelled) - 1} others say nothing about hidden "
                "joints: label them with paperlib.occlusion.with_labels"
            )
        if recipe.chunk != 1:
            raise ValueError(f"the network learns one frame a window, got {recipe.chunk=}")
        if not self.weight >= 0:
            raise ValueError(f"the weight of a loss is 0 or more, got {self.weight}")

    def model(self, recipe: Recipe) -> OcclusionAware:
        return self.build()

    def examples(
        self, model: OcclusionAware, recipe: Recipe, seed: int, device: torch.device
    ) -> Windows:
        return keypoint_windows(
            self.dataset.train,
            model.receptive_field,
            flip=recipe.train_flip,
            stride=recipe.stride,
            features=_with_label,
            device=device,
        )

    def updates(self, model: OcclusionAware, examples: Windows) -> Sequence[Update]:
        middle, last = model.receptive_field // 2, model.receptive_field - 1
        frames = slice(middle, middle + 1) if model.vectors == "one" else slice(1, last)

        def loss(batch: Tensor) -> Tensor:
            inputs, target = examples.batch(batch)
            poses, occlusion = model.poses_and_occlusion(inputs[..., :3])
            hidden = 1 - inputs[:, frames, :, 3]
            wrong = self._of_occlusions(occlusion.float(), hidden)
            return torch.stack([mpjpe(poses.float(), target), self.weight * wrong])

        return [Update(loss, ("train_mpjpe", "occlusion"), list(model.parameters()))]

    def _of_occlusions(self, occlusion: Tensor, hidden: Tensor) -> Tensor:
        if self.occlusion_loss == "difference":
            return F.l1_loss(occlusion, hidden)
        # PyTorch's own is refused in mixed precision, where it would take halves
        right = torch.where(hidden > 0, occlusion, 1 - occlusion)
        return -right.clamp_min(_LEAST).log().mean()


def _with_label(recording: Recording) -> Tensor:
    """``(T, K, 4)``: x, y, the guess, and whether the label says that the joint is seen."""
    visible = recording.visible.to(recording.keypoints)[..., None]
    return torch.cat([network_input(recording, confidence=True), visible], dim=-1)
