"""Trained runs, found by name."""

from paperlib import models
from paperlib.errors import CheckpointError
from paperlib.paths import runs_dir, shown
from paperlib.training.runs import Run, read, restore


def load_run(key: str) -> Run:
    """The run of a name, its model built anew from its description (of a class in
    :data:`paperlib.models.MODELS`) and in evaluation mode."""
    path = runs_dir() / key / "checkpoint.safetensors"
    if not path.is_file():
        raise CheckpointError(f"there is no run {key!r} in {shown(runs_dir())}")
    _, progress = read(path)
    description = progress["description"]
    run = Run(models.build(description["model"]), key, description, reused=True)
    restore(run)
    run.model.eval()
    return run
