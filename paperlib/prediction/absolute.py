"""Absolute positions of people in camera space (veges2020)."""

import torch
from torch import Tensor

from paperlib.models import TemporalPoseNet
from paperlib.prediction.sequences import answer
from paperlib.recordings import Recording
from paperlib.scenes import Scene


def locate(model: TemporalPoseNet, recording: Recording, flip: bool = True) -> Tensor:
    """The position of a person in each frame: absolute positions ``(T, J, 3)``, metres, camera
    space.

    The track is padded at its ends; with ``flip`` the mirrored-back answer to its mirror image is
    averaged in. A person who was not found gets the network's guess. ``ValueError`` where the model
    answers other joints than the recording's.
    """
    joints = model.config["num_joints_out"]
    if joints != len(recording.skeleton) or model.root != recording.skeleton.root:
        raise ValueError(
            f"{recording.name} has joints of {recording.skeleton.name}, but this network answers "
            f"{joints} joints with the root in row {model.root}: it learnt another skeleton"
        )
    return answer(model, recording, flip)


def locate_scene(model: TemporalPoseNet, scene: Scene, flip: bool = True) -> Tensor:
    """``(P, T, J, 3)``: the positions of everybody, each found alone."""
    return torch.stack([locate(model, person, flip) for person in scene.people])
