"""Semi-supervised training by back-projection (pavllo2019, section 4, figure 3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from paperlib.losses import bone_length_loss, projection_loss
from paperlib.metrics import mpjpe, weighted_mpjpe
from paperlib.models import PoseAndTrajectory, SharedPoseAndTrajectory
from paperlib.recordings import Dataset
from paperlib.training.objectives.base import Objective, Update, as_many
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, keypoint_windows

#: what gives a pose and a trajectory: two networks, or one
Lifter = PoseAndTrajectory | SharedPoseAndTrajectory


@dataclass(frozen=True)
class SemiSupervised(Objective):
    """What ``build()`` makes learns from the poses of ``labelled.train`` and from the keypoints
    alone of ``unlabelled.train``.

    Poses and trajectories are learnt from the labelled half of each batch. What is lifted from the
    unlabelled half must be projected onto the keypoints it came from, with bones as long as the
    labelled ones on average. Both halves go through the networks together. An epoch goes once
    through the labelled examples, ``recipe.batch_size`` of them at a time and as many unlabelled
    ones.

    In the first ``warm_up`` epochs there is no unlabelled half: what a network projects before it
    knows anything teaches nothing. ``bones=False`` leaves the bone-length term out,
    ``projection=False`` the projection (``--no-proj`` of the reference), ``distortion=False`` the
    lens. ``ValueError`` where keypoints and pose, or the two data sets, are not of the same joints:
    a pose can then not be compared with keypoints.

    Source: pavllo2019, section 4; the weights of the terms (1 each) are those of the reference.
    """

    build: Callable[[], Lifter]
    labelled: Dataset
    unlabelled: Dataset
    warm_up: int = 1
    bones: bool = True
    distortion: bool = True
    projection: bool = True

    def check(self, recipe: Recipe) -> None:
        labelled, unlabelled = self.labelled, self.unlabelled
        for part in (labelled, unlabelled):
            if part.keypoint_skeleton != part.skeleton:
                raise ValueError(
                    f"{part.name} has keypoints of {part.keypoint_skeleton.name} and poses of "
                    f"{part.skeleton.name}: back-projection needs the same joints in both"
                )
        if labelled.skeleton != unlabelled.skeleton:
            raise ValueError(
                f"{labelled.name} has joints of {labelled.skeleton.name}, {unlabelled.name} of "
                f"{unlabelled.skeleton.name}: what is learnt from one must be joints of the other"
            )
        if recipe.chunk != 1:
            raise ValueError(f"back-projection takes one frame a window, got chunk={recipe.chunk}")
        if not self.warm_up >= 0:
            raise ValueError(f"warm_up is a number of epochs, got {self.warm_up}")

    def model(self, recipe: Recipe) -> Lifter:
        return self.build()

    def examples(
        self, model: Lifter, recipe: Recipe, seed: int, device: torch.device
    ) -> "LabelledAndUnlabelled":
        parts = (
            keypoint_windows(
                part.train,
                model.receptive_field,
                causal=model.causal,
                flip=recipe.train_flip,
                stride=recipe.stride,
                device=device,
                labelled=part is self.labelled,
            )
            for part in (self.labelled, self.unlabelled)
        )
        return LabelledAndUnlabelled(*parts, self.warm_up)

    def updates(self, model: Lifter, examples: "LabelledAndUnlabelled") -> Sequence[Update]:
        labelled, unlabelled = examples.labelled, examples.unlabelled
        parents = self.labelled.skeleton.parents
        target = -1 if model.causal else model.receptive_field // 2  # of a window's frames

        def loss(batch: Tensor) -> Tensor:
            inputs, pose = labelled.batch(batch[:, 0])
            many = len(inputs)
            if batch.shape[1] == 2:
                inputs = torch.cat([inputs, unlabelled.input(batch[:, 1])])
            poses, roots = (found.float() for found in model.both(inputs))
            true_roots = labelled.target("root", batch[:, 0])
            terms = [
                mpjpe(poses[:many], pose),
                weighted_mpjpe(roots[:many], true_roots, 1 / true_roots[..., 0, 2]),
            ]
            none = poses.new_zeros(())
            if batch.shape[1] == 1:
                return torch.stack([*terms, none, none])
            free = poses[many:]
            if self.projection:
                keypoints = inputs[many:, target, None]
                intrinsics = unlabelled.constant("intrinsics", batch[:, 1])
                lifted = free + roots[many:]
                terms.append(projection_loss(lifted, keypoints, intrinsics, self.distortion))
            else:
                terms.append(none)
            terms.append(bone_length_loss(free, poses[:many], parents) if self.bones else none)
            return torch.stack(terms)

        terms = ("train_mpjpe", "trajectory", "projection", "bones")
        return [Update(loss, terms, list(model.parameters()))]


@dataclass(frozen=True)
class LabelledAndUnlabelled:
    """Examples ``(N, 2)``: labelled ones, and as many unlabelled ones beside them; ``(N, 1)`` in
    the first ``warm_up`` epochs."""

    labelled: Windows
    unlabelled: Windows
    warm_up: int

    def __len__(self) -> int:
        return len(self.labelled)

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        labelled = self.labelled.order(generator)
        if epoch < self.warm_up:
            return labelled[:, None]
        unlabelled = as_many(self.unlabelled, len(labelled), generator)
        return torch.stack([labelled, unlabelled], dim=1)
