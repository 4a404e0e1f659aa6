"""Trained runs, found by name."""

import torch

from paperlib import models
from paperlib.errors import CheckpointError
from paperlib.paths import runs_dir, shown
from paperlib.training.runs import FILE, Run, read, restore


def load_run(key: str) -> Run:
    """The run of a name, its model built anew from its description (of a class in
    :data:`paperlib.models.MODELS`) and in evaluation mode."""
    path = runs_dir() / key / FILE
    if not path.is_file():
        raise CheckpointError(f"there is no run {key!r} in {shown(runs_dir())}")
    state, progress = read(path)
    description = progress["description"]
    config = description.get("model")
    if not isinstance(config, dict) or not isinstance(description.get("recipe"), dict):
        raise CheckpointError(f"{path.parent.name}: says neither its model nor its recipe")
    with torch.device("meta"):  # which has shapes and no memory, however large
        wanted = {f"model.{n}": v.shape for n, v in models.build(config).state_dict().items()}
    if wanted != {n: v.shape for n, v in state.items() if n.startswith("model.")}:
        raise CheckpointError(f"{path.parent.name}: its weights are not of the model that it names")
    run = Run(models.build(config), key, description, reused=True)
    restore(run)
    run.model.eval()
    return run
