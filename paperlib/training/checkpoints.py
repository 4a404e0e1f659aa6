"""Trained runs on disk: tensors as safetensors, all else as JSON, each moved into place whole."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from paperlib.errors import CheckpointError
from paperlib.paths import replacing, runs_dir, shown

# the code that decides what any training gives; a run of other code is not found again
_CODE = (
    "models/temporal.py",
    "models/linear.py",
    "models/fast/activation.py",
    "windows.py",
    "metrics.py",
    "training/loop.py",
    "training/step.py",
)


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

    @property
    def path(self) -> Path:
        return runs_dir() / self.key

    @property
    def finished(self) -> bool:
        return self.epoch >= self.description["recipe"]["epochs"]


@cache
def _hash(*names: str) -> str:
    root = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((root / name).read_bytes() for name in names)).hexdigest()[:12]


def describe(
    model: nn.Module, data: str, recipe: dict, seed: int, device: str, code: Sequence[str] = ()
) -> dict:
    """All that decides what a training run gives. ``code`` are modules beside those of every run,
    as paths within the package."""
    return {
        "code": _hash(*_CODE, *code),
        "model": {"class": type(model).__name__, **model.config},
        "data": data,
        "recipe": recipe,
        "seed": seed,
        "device": device,
    }


def key_of(description: dict) -> str:
    """A readable, unique name: architecture and seed, then a hash of the whole description."""
    text = json.dumps(description, sort_keys=True)
    model = description["model"]["class"].removesuffix("Model").lower()
    return f"{model}-seed{description['seed']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def save(run: Run, optimizer: torch.optim.Optimizer, random_state: Tensor | None) -> None:
    """Write the run as it stands: usable as a model and, until it is finished, enough to go on."""
    state = {f"model.{name}": value for name, value in run.model.state_dict().items()}
    names = {id(p): name for name, p in run.model.named_parameters()}
    for parameter, values in () if run.finished else optimizer.state.items():
        for kind, value in values.items():
            state[f"optimizer.{names[id(parameter)]}.{kind}"] = torch.as_tensor(value)
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
    with replacing(run.path / "checkpoint.safetensors") as temporary:
        save_file(state, temporary, metadata={"run": json.dumps(progress)})
    with replacing(run.path / "run.json") as temporary:
        temporary.write_text(json.dumps(progress, indent=1))


def restore(run: Run, optimizer: torch.optim.Optimizer | None = None) -> Tensor | None:
    """Bring a run to where its checkpoint stands; gives the random state saved with it, if any.

    Raises :class:`CheckpointError` where the file is damaged or of another architecture.
    """
    path = run.path / "checkpoint.safetensors"
    state, progress = _read(path)
    weights = {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")}
    try:
        run.model.load_state_dict(weights)
    except RuntimeError as problem:
        raise CheckpointError(f"{path.name} of {run.key}: another model ({problem})") from None
    run.epoch, run.step = progress["epoch"], progress["step"]
    run.loss_so_far = progress["loss_so_far"]
    run.seconds, run.history = progress["seconds"], progress["history"]
    if optimizer is not None:
        device = next(run.model.parameters()).device
        for name, parameter in run.model.named_parameters():
            prefix = f"optimizer.{name}."
            found = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            if found:
                # copies, since what was read may still be the file itself, soon to be replaced;
                # a fused optimiser keeps even its step count on the device
                optimizer.state[parameter] = {
                    kind: value.to(device, copy=True) for kind, value in found.items()
                }
    return state.get("random_state")


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    try:
        with safe_open(path, framework="pt") as file:
            progress = json.loads((file.metadata() or {})["run"])
        return load_file(path), progress
    except (SafetensorError, KeyError, ValueError, OSError) as problem:
        raise CheckpointError(
            f"{path.parent.name}/{path.name}: damaged or not a checkpoint ({problem}); "
            "delete it or train with retrain=True"
        ) from None


def load_run(key: str, build: Callable[[dict], nn.Module]) -> Run:
    """The run of a name, with the model that ``build`` makes of its description."""
    path = runs_dir() / key / "checkpoint.safetensors"
    if not path.is_file():
        raise CheckpointError(f"there is no run {key!r} in {shown(runs_dir())}")
    _, progress = _read(path)
    run = Run(build(progress["description"]["model"]), key, progress["description"], reused=True)
    restore(run)
    run.model.eval()
    return run
