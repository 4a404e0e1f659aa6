"""Trained weights that travel with the package, each with how it came to be.

Some are for a use of their own (:func:`shipped`); others are runs that notebooks ask for, and are
found by what identifies these: model, recipe, data, seed and code (:func:`shipped_run`).
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from paperlib.errors import CheckpointError, one_of
from paperlib.models.weights import digest_of
from paperlib.paths import replacing, runs_dir
from paperlib.training import portable
from paperlib.training.devices import choose_device
from paperlib.training.identity import NAME, PACKAGE
from paperlib.training.load import run_in
from paperlib.training.objectives import Objective
from paperlib.training.recipes import Recipe
from paperlib.training.rounding import rounded
from paperlib.training.runs import FILE, Run, describe, key_of, read

FOLDER = PACKAGE / "shipped"
MOST_BYTES = 6_000_000  # of all files together
_SKETCH = "sketch."  # of the data that a run learnt from
_TRAVELS = "weights that travel with the project"


def shipped_models() -> list[str]:
    """The names of what there is."""
    return sorted(path.stem for path in _files())


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*.safetensors"))


def shipped(name: str) -> Run:
    """The run of a shipped model, in evaluation mode. Its ``description`` says besides model,
    recipe and seed which data it learnt from (``data``, in words), by which ``commit``, and what it
    is ``for``; :func:`provenance` says so in a sentence. Its weights are rounded to 12 bits.

    ``ValueError`` for a name that is none, :class:`~paperlib.errors.CheckpointError` where the file
    is damaged."""
    one_of("shipped model", name, shipped_models())
    return run_in(FOLDER / f"{name}.safetensors", name)


def shipped_run(
    objective: Objective,
    recipe: Recipe,
    seed: int,
    device: str = "auto",
    name: str = "training",
    own_first: bool = True,
) -> Run | None:
    """The run of a training, where its weights travel along; a line says so. None where they do
    not, or the code of the training has changed since they were shipped, which a line says, too;
    and, unless ``own_first=False``, where the reader has a run of it, finished or not.

    :class:`~paperlib.errors.CheckpointError` where a file is damaged."""
    objective.check(recipe)
    abouts = {path: _description(path) for path in _files()}
    told = {"recipe": recipe.as_dict(), "seed": seed}
    known = [p for p, a in abouts.items() if portable.alike({n: a.get(n) for n in told}, told)]
    where = choose_device(device)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        model = objective.model(recipe) if known else None
    if not known or (own_first and _own(objective, model, recipe, seed, where.type)):
        return None
    wanted = portable.description(objective, model, recipe, seed)
    for path in known:
        about = abouts[path]
        if portable.alike(about.get("portable"), wanted) and _of_these_data(path, objective):
            modules = portable.modules_of(objective, model)
            code = (about.get("modules"), about.get("portable_code"))
            if code != (modules, portable.code_of(modules)):
                print(
                    f"{name}: {_TRAVELS}, but are stale: the code of the training has changed "
                    f"since commit {about.get('commit')}; it is trained anew"
                )
                return None
            run = run_in(path, path.stem)
            run.model.to(where)
            print(
                f"{name}: {_TRAVELS}; trained at commit {about.get('commit')} in "
                f"{run.seconds / 60:.1f} minutes; retrain=True trains"
            )
            return run
    return None


def _own(objective: Objective, model: nn.Module, recipe: Recipe, seed: int, device: str) -> bool:
    """Whether the reader has a run of it, finished or not."""
    return (runs_dir() / key_of(describe(objective, model, recipe, seed, device)) / FILE).is_file()


def _of_these_data(path: Path, objective: Objective) -> bool:
    there = {n: value for n, value in read(path)[0].items() if n.startswith(_SKETCH)}
    return portable.same(there, _sketches(objective))


def _sketches(objective: Objective) -> dict[str, Tensor]:
    data = portable.datasets_of(objective)
    return {f"{_SKETCH}{name}": portable.sketch(value) for name, value in data.items()}


def _description(path: Path) -> dict:
    """What a file says of its run; its weights are not read."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(json.loads((file.metadata() or {})["run"])["description"])
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError, OSError) as problem:
        raise CheckpointError(
            f"{path.parent.name}/{path.name}: damaged or not a checkpoint ({problem}); get it anew "
            "(git checkout), or train with retrain=True"
        ) from None


def is_stale(about: dict) -> bool:
    """Whether training again would go through other code than the run with this description."""
    return about["portable_code"] != portable.code_of(about["modules"])


def provenance(run: Run) -> str:
    """How a shipped model came to be, and whether training again would give other weights."""
    about = run.description
    stale = " The code of its training has changed since: training again would give other weights."
    return (
        f"{about['for']}; learnt from {about['data']} Seed {about['seed']}, "
        f"{about['recipe']['epochs']} epochs in {run.seconds / 60:.0f} minutes, "
        f"commit {about['commit']}.{stale if is_stale(about) else ''}"
    )


def ship(
    run: Run,
    name: str,
    objective: Objective,
    recipe: Recipe | None = None,
    data_made_by: Iterable[Callable] = (),
    **about,
) -> None:
    """Put the weights of a finished run, trained for this ``objective``, into the package, with
    what ``about`` says: ``data``, ``commit`` and what it is ``for``. With the ``recipe`` it is one
    that :func:`shipped_run` finds. Where another code of ``data_made_by`` would make other data to
    learn from, the weights are stale too, once that code has changed.

    ``ValueError`` for a run that is not finished, or of classes that are not the package's."""
    if not run.finished:
        raise ValueError(f"{run.key}: {run.epoch} epochs; only what is finished is shipped")
    modules = portable.modules_of(objective, run.model)
    modules = sorted({*modules, *(maker.__module__ for maker in data_made_by)})
    if foreign := [module for module in modules if module.split(".")[0] != NAME]:
        raise ValueError(f"{run.key}: trained by code of {', '.join(foreign)}, which stays behind")
    own = {"modules": modules, "portable_code": portable.code_of(modules)}
    tensors = rounded(run.model.state_dict())
    if recipe is not None:
        seed = run.description["seed"]
        own["portable"] = portable.description(objective, run.model, recipe, seed)
        tensors |= _sketches(objective)
    progress = {
        "description": run.description | own | about,
        "epoch": run.epoch,
        "step": 0,
        "loss_so_far": [],
        "seconds": run.seconds,
        "history": run.history,
    }
    text = json.dumps(progress)
    with replacing(FOLDER / f"{name}.safetensors") as temporary:
        save_file(tensors, temporary, metadata={"run": text, "digest": digest_of(tensors, text)})
