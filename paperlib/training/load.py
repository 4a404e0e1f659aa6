"""Trained runs, found by name."""

from pathlib import Path

from paperlib import models
from paperlib.errors import CheckpointError
from paperlib.models.weights import require_shapes
from paperlib.paths import runs_dir, shown
from paperlib.training.runs import FILE, Run, read, restore


def load_run(key: str) -> Run:
    """The run of a name, its model built anew from its description (of a class in
    :data:`paperlib.models.MODELS`) and in evaluation mode."""
    path = runs_dir() / key / FILE
    if not path.is_file():
        raise CheckpointError(f"there is no run {key!r} in {shown(runs_dir())}")
    return run_in(path, key)


def run_in(path: Path, key: str) -> Run:
    """The run in a file, as :func:`load_run` gives it."""
    state, progress = read(path)
    description = progress["description"]
    config = description.get("model")
    if not isinstance(config, dict) or not isinstance(description.get("recipe"), dict):
        raise CheckpointError(f"{key}: says neither its model nor its recipe")
    weights = {n.removeprefix("model."): v for n, v in state.items() if n.startswith("model.")}
    require_shapes(lambda: models.build(config), weights, key)
    run = Run(models.build(config), key, description, reused=True)
    restore(run, path)
    run.model.eval()
    return run
