"""Semi-supervised training by back-projection (pavllo2019, section 4, figure 3)."""

from collections.abc import Callable

import torch
from torch import Tensor

from paperlib.losses import bone_length_loss, projection_loss
from paperlib.metrics import mpjpe, weighted_mpjpe
from paperlib.models import PoseAndTrajectory
from paperlib.recordings import Dataset
from paperlib.training.checkpoints import Run
from paperlib.training.loop import fit
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows

_CODE = ("losses.py", "cameras.py", "models/pose_and_trajectory.py", "training/semi_supervised.py")


class SemiSupervised:
    """Poses and trajectories are learnt from the labelled half of each batch; of the unlabelled
    half, what was lifted must fall back on the keypoints it came from, with bones as long as the
    labelled ones on average. Both halves go through the networks together.

    In the first ``warm_up`` epochs there is no unlabelled half: what a network projects before it
    knows anything teaches nothing.
    """

    terms = ("train_mpjpe", "trajectory", "projection", "bones")

    def __init__(
        self,
        model: PoseAndTrajectory,
        labelled: Windows,
        unlabelled: Windows,
        parents: tuple[int, ...],
        warm_up: int,
        bones: bool,
        distortion: bool,
    ):
        self.model, self.labelled, self.unlabelled = model, labelled, unlabelled
        self.parents, self.warm_up = parents, warm_up
        self.bones, self.distortion = bones, distortion
        self.target = -1 if model.causal else model.receptive_field // 2  # of a window's frames

    def __len__(self) -> int:
        return len(self.labelled)

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        """``(N, 2)``: labelled examples, and as many unlabelled ones beside them; ``(N, 1)`` while
        warming up."""
        labelled = self.labelled.order(generator)
        if epoch < self.warm_up:
            return labelled[:, None]
        rounds = -(-len(labelled) // len(self.unlabelled))
        unlabelled = [self.unlabelled.order(generator) for _ in range(rounds)]
        return torch.stack([labelled, torch.cat(unlabelled)[: len(labelled)]], dim=1)

    def loss(self, examples: Tensor) -> Tensor:
        inputs, target = self.labelled.batch(examples[:, 0])
        many = len(inputs)
        if examples.shape[1] == 2:
            inputs = torch.cat([inputs, self.unlabelled.batch(examples[:, 1])[0]])
        poses = self.model.pose(inputs).float()
        roots = self.model.trajectory(inputs).float()
        true_roots = self.labelled.roots_of(examples[:, 0])
        terms = [
            mpjpe(poses[:many], target),
            weighted_mpjpe(roots[:many], true_roots, 1 / true_roots[..., 0, 2]),
        ]
        none = poses.new_zeros(())
        if examples.shape[1] == 1:
            return torch.stack([*terms, none, none])
        keypoints = inputs[many:, self.target, None]
        intrinsics = self.unlabelled.intrinsics_of(examples[:, 1])
        free = poses[many:]
        terms.append(projection_loss(free + roots[many:], keypoints, intrinsics, self.distortion))
        terms.append(bone_length_loss(free, poses[:many], self.parents) if self.bones else none)
        return torch.stack(terms)


def train_semi_supervised(
    build: Callable[[], PoseAndTrajectory],
    labelled: Dataset,
    unlabelled: Dataset,
    recipe: Recipe,
    warm_up: int = 1,
    bones: bool = True,
    distortion: bool = True,
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
) -> Run:
    """Train what ``build()`` makes on the poses of ``labelled.train`` and on the keypoints alone of
    ``unlabelled.train``; or find it trained (see :func:`paperlib.training.loop.fit`).

    An epoch goes once through the labelled examples, ``recipe.batch_size`` of them at a time and
    as many unlabelled ones. ``warm_up`` is in epochs. ``bones=False`` leaves the bone-length term
    out, ``distortion=False`` the lens. Raises ``ValueError`` where keypoints and pose, or
    the two data sets, are not of the same joints: a pose is then not to be laid over keypoints.

    Source: pavllo2019, section 4; the weights of the terms (1 each) are those of the reference.
    """
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
    if not warm_up >= 0:
        raise ValueError(f"warm_up is a number of epochs, got {warm_up}")

    def objective(model: PoseAndTrajectory, where: torch.device) -> SemiSupervised:
        windows = [
            Windows(
                part.train,
                model.receptive_field,
                causal=model.causal,
                flip=recipe.train_flip,
                stride=recipe.stride,
                device=where,
            )
            for part in (labelled, unlabelled)
        ]
        parents = labelled.skeleton.parents
        return SemiSupervised(model, *windows, parents, warm_up, bones, distortion)

    settings = f"warm-up {warm_up}, bones {bones}, distortion {distortion}"
    data = f"{labelled.fingerprint} and {unlabelled.fingerprint}, {settings}"
    return fit(build, objective, data, recipe, _CODE, seed, device, retrain, name, progress)
