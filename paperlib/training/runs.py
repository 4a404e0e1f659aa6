"""Trained runs on disk: tensors as safetensors, all else as JSON, each moved into place whole."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isfunction
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from paperlib.errors import CheckpointError
from paperlib.models.weights import digest_of
from paperlib.paths import replacing, runs_dir
from paperlib.training.identity import code_of
from paperlib.training.objectives.base import Objective, described
from paperlib.training.recipes import Recipe

FILE = "checkpoint.safetensors"
# what a checkpoint says of its run, and of which type
_PROGRESS = {
    "description": dict,
    "epoch": int,
    "step": int,
    "loss_so_far": list,
    "seconds": float | int,
    "history": list,
}


@dataclass
class Run:
    """A trained model, and how it came to be."""

    model: nn.Module
    key: str
    description: dict
    history: list[dict] = field(default_factory=list)  # a row for each epoch
    seconds: float = 0.0  # spent in training, over all sittings
    epoch: int = 0  # epochs done
    step: int = 0  # batches done of the next one …
    loss_so_far: list[float] = field(default_factory=list)  # … and the sums of their losses
    reused: bool = False  # found on disk, not trained now

    def __repr__(self) -> str:
        epochs = self.description["recipe"]["epochs"]
        return f"Run({self.key!r}, {self.epoch} of {epochs} epochs, {self.seconds:.0f} s)"

    @property
    def path(self) -> Path:
        return runs_dir() / self.key

    @property
    def finished(self) -> bool:
        return self.epoch >= self.description["recipe"]["epochs"]


def describe(
    objective: Objective,
    model: nn.Module,
    recipe: Recipe,
    seed: int,
    device: str,
    each_epoch: Callable | None = None,
) -> dict:
    """All that decides what a training gives."""
    if not isinstance(getattr(model, "config", None), dict):
        raise ValueError(
            f"a {type(model).__name__} cannot be trained: it needs a dictionary `config` of all "
            "that builds it again, since a run is identified by it"
        )
    parts = [objective, *model.modules()] + ([] if each_epoch is None else [each_epoch])
    kinds = {part if isfunction(part) else type(part) for part in parts}
    return {
        "code": code_of("paperlib.training.loop", *kinds),
        "model": {"class": type(model).__name__, **model.config},
        "objective": described(objective),
        "recipe": recipe.as_dict(),
        "seed": seed,
        "device": device,
    } | ({} if each_epoch is None else {"each_epoch": described(each_epoch)})


def key_of(description: dict) -> str:
    """A readable, unique name: architecture and seed, then a hash of the whole description."""
    text = json.dumps(description, sort_keys=True)
    model = description["model"]["class"].removesuffix("Model").lower()
    return f"{model}-seed{description['seed']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def save(
    run: Run, optimizers: Sequence[torch.optim.Optimizer], random_state: Tensor | None
) -> None:
    """Write the run as it stands: usable as a model and, until it is finished, enough to go on."""
    state = {f"model.{name}": value for name, value in run.model.state_dict().items()}
    names = {id(p): name for name, p in run.model.named_parameters()}
    for number, optimizer in enumerate(() if run.finished else optimizers):
        for parameter, values in optimizer.state.items():
            for kind, value in values.items():
                if value is not None:
                    name = f"optimizer.{number}.{names[id(parameter)]}.{kind}"
                    state[name] = torch.as_tensor(value)
    if random_state is not None:
        state["random_state"] = random_state
    state = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    progress = {
        "description": run.description,
        "epoch": run.epoch,
        "step": run.step,
        "loss_so_far": run.loss_so_far,
        "seconds": run.seconds,
        "history": run.history,
    }
    # JSON travels inside the tensors' file: one move then replaces both or neither
    text = json.dumps(progress)
    try:
        with replacing(run.path / FILE) as temporary:
            save_file(state, temporary, metadata={"run": text, "digest": digest_of(state, text)})
        with replacing(run.path / "run.json") as temporary:
            temporary.write_text(json.dumps(progress, indent=1))
    except (SafetensorError, OSError) as problem:
        raise OSError(
            f"{run.key} could not be saved ({problem}); the checkpoint before this one is kept. "
            "Make room, or set PAPERLIB_RUNS to another folder, and train again to go on"
        ) from None


def restore(run: Run, path: Path | None = None) -> dict[str, Tensor]:
    """Bring a run to where its checkpoint stands, or another one at ``path``; gives what else the
    file holds, the state of the optimisers and the ``random_state``, if any.

    Raises :class:`CheckpointError` where the file is damaged or of another architecture.
    """
    path = path or run.path / FILE
    state, progress = read(path)
    weights = {k.removeprefix("model."): state.pop(k) for k in list(state) if k[:6] == "model."}
    try:
        run.model.load_state_dict(weights)
    except RuntimeError as problem:
        raise CheckpointError(f"{path.name} of {run.key}: another model ({problem})") from None
    run.epoch, run.step = progress["epoch"], progress["step"]
    run.loss_so_far = progress["loss_so_far"]
    run.seconds, run.history = progress["seconds"], progress["history"]
    return state


def restore_optimizers(
    run: Run, optimizers: Sequence[torch.optim.Optimizer], state: Mapping[str, Tensor]
) -> None:
    """Put the optimisers of a run to where ``state``, from :func:`restore`, has them."""
    named = dict(run.model.named_parameters())
    for key, value in state.items():
        if key.startswith("optimizer."):
            _, number, name = key.split(".", 2)
            name, kind = name.rsplit(".", 1)
            # a copy, since what was read may still be the file itself, soon to be replaced; a
            # fused optimiser keeps even its step count on the device, and goes through a parameter
            # and what belongs to it side by side, as they lie in memory
            parameter = named[name]
            value = value.to(parameter.device, copy=True)
            if value.shape == parameter.shape:
                value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
            optimizers[int(number)].state[parameter][kind] = value.detach()


def read(path: Path) -> tuple[dict[str, Tensor], dict]:
    """The tensors of a checkpoint, and the description and progress of its run, all of it as it was
    written: :class:`CheckpointError` otherwise."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
        state, progress = load_file(path), json.loads(about["run"])
        if about["digest"] != digest_of(state, about["run"]):
            raise ValueError("its content has changed since it was written")
        for name, kind in _PROGRESS.items():
            if not isinstance(progress[name], kind):
                raise ValueError(f"{name} is a {type(progress[name]).__name__}")
        if not all(v.isfinite().all() for v in state.values() if v.is_floating_point()):
            raise ValueError("it holds NaN or infinite numbers")
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError, OSError) as problem:
        raise CheckpointError(
            f"{path.parent.name}/{path.name}: damaged or not a checkpoint ({problem}); "
            "delete it or train with retrain=True"
        ) from None
    return state, progress
