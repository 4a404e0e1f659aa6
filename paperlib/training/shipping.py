"""Trained weights that travel with the package, each with how it came to be."""

import json

from safetensors.torch import save_file

from paperlib.errors import one_of
from paperlib.models.weights import digest_of
from paperlib.paths import replacing
from paperlib.training.identity import NAME, PACKAGE, code_of
from paperlib.training.load import run_in
from paperlib.training.runs import Run

FOLDER = PACKAGE / "shipped"
_LOOP = "paperlib.training.loop"


def shipped_models() -> list[str]:
    """The names of what there is."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def shipped(name: str) -> Run:
    """The run of a shipped model, in evaluation mode. Its ``description`` says besides model,
    recipe and seed which data it learnt from (``data``, in words), by which ``commit``, and what it
    is ``for``; :func:`provenance` says so in a sentence.

    ``ValueError`` for a name that is none, :class:`~paperlib.errors.CheckpointError` where the file
    is damaged."""
    one_of("shipped model", name, shipped_models())
    return run_in(FOLDER / f"{name}.safetensors", name)


def provenance(run: Run) -> str:
    """How a shipped model came to be, and whether training again would give other weights."""
    about = run.description
    changed = about["code"] != code_of(_LOOP, *about["modules"])
    stale = " The code of its training has changed since: training again would give other weights."
    return (
        f"{about['for']}; learnt from {about['data']} Seed {about['seed']}, "
        f"{about['recipe']['epochs']} epochs in {run.seconds / 60:.0f} minutes, "
        f"commit {about['commit']}.{stale if changed else ''}"
    )


def ship(run: Run, name: str, objective: object, **about: str) -> None:
    """Put the weights of a finished run, trained for this ``objective``, into the package, with
    what ``about`` says: ``data``, ``commit`` and what it is ``for``.

    ``ValueError`` for a run that is not finished."""
    if not run.finished:
        raise ValueError(f"{run.key}: {run.epoch} epochs; only what is finished is shipped")
    kinds = [type(objective), *map(type, run.model.modules())]
    modules = sorted({k.__module__ for k in kinds if k.__module__.split(".")[0] == NAME})
    progress = {
        "description": run.description | {"modules": modules, **about},
        "epoch": run.epoch,
        "step": 0,
        "loss_so_far": [],
        "seconds": run.seconds,
        "history": run.history,
    }
    weights = {f"model.{n}": v.cpu().contiguous() for n, v in run.model.state_dict().items()}
    text = json.dumps(progress)
    with replacing(FOLDER / f"{name}.safetensors") as temporary:
        save_file(weights, temporary, metadata={"run": text, "digest": digest_of(weights, text)})
