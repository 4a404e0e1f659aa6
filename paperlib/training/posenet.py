"""Training the Temporal PoseNet (veges2020, 3.1 and 4.3), and what it makes of a track."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.models import TemporalPoseNet
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COMMON_14
from paperlib.tracks import Tracks, features
from paperlib.training.checkpoints import Run
from paperlib.training.evaluation import mean_answer
from paperlib.training.loop import fit
from paperlib.training.recipes import Recipe

_CODE = (
    "training/posenet.py",
    "models/temporal_posenet.py",
    "tracks.py",
    "detection/people.py",
    "randomness.py",
    "cameras.py",
    "skeletons.py",
)


class Located:
    """Mean absolute error of the standardised answer: robust against outliers, and the same weight
    for the root's place as for any joint."""

    terms = ("train_l1",)

    def __init__(self, model: TemporalPoseNet, tracks: Tracks):
        self.model, self.tracks = model, tracks

    def __len__(self) -> int:
        return len(self.tracks)

    def order(self, generator: torch.Generator, epoch: int) -> Tensor:
        return self.tracks.order(generator)

    def loss(self, examples: Tensor) -> Tensor:
        inputs, answers = self.tracks.batch(examples)
        told = self.model.answer(inputs).float()
        return F.l1_loss(told, self.model.standardise(answers))[None]


def train_posenet(
    dataset: Dataset,
    recipe: Recipe,
    widths: Sequence[int] = (3, 3, 3, 3),
    zoom: bool = True,
    seed: int = 0,
    device: str = "auto",
    retrain: bool = False,
    name: str = "training",
    progress: bool = True,
) -> Run:
    """Train a :class:`TemporalPoseNet` on ``dataset.train``, single people and several alike; or
    find it trained (see :func:`paperlib.training.loop.fit`). ``widths`` are the filter widths, for
    81 frames by default; all 1 make a network as deep that sees a single frame. ``zoom=False``
    leaves the zoom augmentation out, and with it half of an epoch's examples.

    Source: veges2020, 3.1 and 4.3; what its text lacks is as in the reference implementation.
    """
    if recipe.chunk != 1:
        raise ValueError(f"the Temporal PoseNet learns one frame a window, got {recipe.chunk=}")
    if not dataset.train:
        raise ValueError(f"{dataset.name}: no recordings to take windows from")
    skeleton = dataset.skeleton

    def build() -> TemporalPoseNet:
        return TemporalPoseNet(
            len(COMMON_14),
            len(skeleton),
            widths,
            skeleton.root,
            dropout=recipe.dropout,
            channels=recipe.channels,
        )

    def objective(model: TemporalPoseNet, where: torch.device) -> Located:
        flip, stride = recipe.train_flip, recipe.stride
        tracks = Tracks(dataset.train, prod(widths), zoom, flip, stride, seed=seed)
        model.standardised_by(*tracks.statistics())  # a run that is found has its own
        return Located(model, tracks.to(where))

    data = f"{dataset.fingerprint}, zoom {zoom}"
    return fit(build, objective, data, recipe, _CODE, seed, device, retrain, name, progress)


def locate(model: TemporalPoseNet, recording: Recording, flip: bool = True) -> Tensor:
    """Where a person is in each frame: absolute positions ``(T, J, 3)``, metres, camera space.

    The track is padded at its ends; with ``flip`` the mirrored-back answer to its mirror image is
    averaged in. A person who was not found gets the network's guess.
    """
    joints = model.config["num_joints_out"]
    if joints != len(recording.skeleton) or model.root != recording.skeleton.root:
        raise ValueError(
            f"{recording.name} has joints of {recording.skeleton.name}, but this network answers "
            f"{joints} joints with the root in row {model.root}: it learnt another skeleton"
        )
    views = [features(recording, mirrored=m) for m in ((False, True) if flip else (False,))]
    return mean_answer(model, views, recording.skeleton)
