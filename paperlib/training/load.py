"""Trained runs, found by name."""

from pathlib import Path

import torch

from paperlib import models
from paperlib.errors import CheckpointError
from paperlib.models.weights import require_shapes
from paperlib.paths import runs_dir, shown
from paperlib.training.rounding import restored
from paperlib.training.runs import FILE, Run, read


def load_run(key: str) -> Run:
    """The run of a name, its model built anew from its description (of a class in
    :data:`paperlib.models.MODELS`) and in evaluation mode."""
    path = runs_dir() / key / FILE
    if not path.is_file():
        raise CheckpointError(f"there is no run {key!r} in {shown(runs_dir())}")
    return run_in(path, key)


def run_in(path: Path, key: str) -> Run:
    """The run in a file, as :func:`load_run` gives it; its weights may be rounded
    (:mod:`paperlib.training.rounding`)."""
    state, progress = read(path)
    description = progress["description"]
    config = description.get("model")
    if not isinstance(config, dict) or not isinstance(description.get("recipe"), dict):
        raise CheckpointError(f"{key}: says neither its model nor its recipe")
    with torch.device("meta"):  # which has shapes and no memory, however large
        shapes = {n: tuple(v.shape) for n, v in models.build(config).state_dict().items()}
    weights = restored(state, shapes, key)
    require_shapes(lambda: models.build(config), weights, key)
    model = models.build(config)
    model.load_state_dict(weights)
    done = {name: progress[name] for name in ("history", "seconds", "epoch", "step", "loss_so_far")}
    return Run(model.eval(), key, description, reused=True, **done)
