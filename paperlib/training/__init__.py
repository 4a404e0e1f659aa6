"""Recipes (hyperparameters), the loop, checkpoints and evaluation."""

from paperlib.training.checkpoints import Run, load_run
from paperlib.training.devices import choose_device
from paperlib.training.evaluation import Evaluation, evaluate, predict, predict_occlusion
from paperlib.training.occlusion_aware import train_occlusion_aware
from paperlib.training.people import (
    Gap,
    PeopleEvaluation,
    Scene,
    evaluate_people,
    longest_gap,
    scenes,
)
from paperlib.training.posenet import locate, train_posenet
from paperlib.training.recipes import PRESETS, Recipe, resolve_preset
from paperlib.training.semi_supervised import train_semi_supervised
from paperlib.training.supervised import train

__all__ = [
    "PRESETS",
    "Evaluation",
    "Gap",
    "PeopleEvaluation",
    "Recipe",
    "Run",
    "Scene",
    "choose_device",
    "evaluate",
    "evaluate_people",
    "load_run",
    "locate",
    "longest_gap",
    "predict",
    "predict_occlusion",
    "resolve_preset",
    "scenes",
    "train",
    "train_occlusion_aware",
    "train_posenet",
    "train_semi_supervised",
]
