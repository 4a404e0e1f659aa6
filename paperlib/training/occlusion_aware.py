"""Training the occlusion-aware network (wang2020, 4.4): a pose, and which joints are hidden."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.metrics import mpjpe
from paperlib.models import OcclusionAware
from paperlib.recordings import Dataset, Recording
from paperlib.training.checkpoints import Run
from paperlib.training.loop import fit
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, network_input

_CODE = ("training/occlusion_aware.py", "models/occlusion_aware.py")
_WEIGHT = 0.1  # the paper has no numbers


class Aware:
    """MPJPE (metres), and the mean absolute difference of the occlusions to their labels, weighted:
    those of the frames that the network has a vector for."""

    terms = ("train_mpjpe", "occlusion")

    def __init__(self, model: OcclusionAware, windows: Windows, weight: float):
        self.model, self.windows, self.weight = model, windows, weight
        middle = model.receptive_field // 2
        one = model.vectors == "one"
        self.frames = slice(middle, middle + 1) if one else slice(1, model.receptive_field - 1)

    def __len__(self) -> int:
        return len(self.windows)

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        return self.windows.order(generator)

    def loss(self, examples: Tensor) -> Tensor:
        inputs, target = self.windows.batch(examples)
        poses, occlusion = self.model.poses_and_occlusion(inputs[..., :3])
        hidden = 1 - inputs[:, self.frames, :, 3]
        wrong = F.l1_loss(occlusion.float(), hidden)
        return torch.stack([mpjpe(poses.float(), target), self.weight * wrong])


def train_occlusion_aware(
    build: Callable[[], OcclusionAware],
    dataset: Dataset,
    recipe: Recipe,
    weight: float = _WEIGHT,
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
) -> Run:
    """Train what ``build()`` makes on ``dataset.train``; or find it trained (see
    :func:`paperlib.training.loop.fit`). The recordings hold the labels and guesses to learn from
    (:func:`paperlib.occlusion.with_labels`); ``ValueError`` where they do not.

    ``weight`` is that of the occlusions' loss; the pose's is 1, since Adam only sees their ratio.
    Source: wang2020, 4.4, whose weights are not given.
    """
    if dataset.keypoint_skeleton != dataset.skeleton:
        raise ValueError(
            f"{dataset.name} has keypoints of {dataset.keypoint_skeleton.name} and labels for "
            f"joints of {dataset.skeleton.name}: the network needs both of the same joints"
        )
    unlabelled = [recording.name for recording in dataset.train if recording.visible is None]
    if unlabelled:
        raise ValueError(
            f"{unlabelled[0]} and {len(unlabelled) - 1} others say nothing about hidden joints: "
            "label them with paperlib.occlusion.with_labels"
        )
    if recipe.chunk != 1:
        raise ValueError(f"the network learns one frame a window, got {recipe.chunk=}")
    if not weight >= 0:
        raise ValueError(f"the weight of a loss is 0 or more, got {weight}")

    def objective(model: OcclusionAware, where: torch.device) -> Aware:
        windows = Windows(
            dataset.train,
            model.receptive_field,
            flip=recipe.train_flip,
            stride=recipe.stride,
            features=_labelled,
            device=where,
        )
        return Aware(model, windows, weight)

    data = f"{dataset.fingerprint}, weight {weight}"
    return fit(build, objective, data, recipe, _CODE, seed, device, retrain, name, progress)


def _labelled(recording: Recording) -> Tensor:
    """``(T, K, 4)``: x, y, the guess, and whether the label says that the joint is seen."""
    visible = recording.visible.to(recording.keypoints)[..., None]
    return torch.cat([network_input(recording, confidence=True), visible], dim=-1)
