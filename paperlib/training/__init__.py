"""Recipes (hyperparameters), the loop, checkpoints and evaluation."""

from paperlib.training.checkpoints import Run, load_run
from paperlib.training.devices import choose_device
from paperlib.training.evaluation import Evaluation, evaluate, predict
from paperlib.training.recipes import PRESETS, Recipe, resolve_preset
from paperlib.training.semi_supervised import train_semi_supervised
from paperlib.training.supervised import train

__all__ = [
    "PRESETS",
    "Evaluation",
    "Recipe",
    "Run",
    "choose_device",
    "evaluate",
    "load_run",
    "predict",
    "resolve_preset",
    "train",
    "train_semi_supervised",
]
