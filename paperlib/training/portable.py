"""What identifies a run on any machine.

A run's key is made for one machine. Data that are computed, as the embedded ones, differ between
processors in their last digits (positions by micrometres, keypoints by thousandths of a pixel), a
rule of thumb that is applied to them then once in a million joints; and Python's way to write
code down differs between its versions. Here none of this counts, and everything else does.
"""

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isclose, sqrt
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from paperlib.recordings import LAZY, PARTS, Dataset, Recording
from paperlib.training.identity import NAME, PACKAGE, reached
from paperlib.training.objectives.base import Objective, described
from paperlib.training.recipes import Recipe

_LOOP = "paperlib.training.loop"
# what two versions of the same recording may differ by: in the mean of a field, and in its sum with
# signs drawn by lot, over the root of the number of values. A value that is another shows in the
# latter whole, however many there are, and what has changed everywhere in the former
_TOLERANCES = {
    "positions": (1e-4, 1e-4),  # metres
    "keypoints": (1e-2, 2e-2),  # pixels
    "confidence": (1e-3, 5e-2),
    "visible": (1e-3, 5e-2),
    "depths": (1e-4, 1e-4),
    "crops": (1e-4, 1e-4),
}
_CAMERA = 1e-3


def modules_of(objective: Objective, model: nn.Module) -> list[str]:
    """Where the code of a training stands: its objective's, and its networks'. Classes that are not
    the package's, nor PyTorch's, are named by their own module."""
    kinds = {type(part).__module__ for part in (objective, *model.modules())}
    return sorted(kind for kind in kinds if kind.split(".")[0] != "torch")


def code_of(modules: list[str]) -> str:
    """A short hash of the code that a training of these modules reaches, as
    :func:`paperlib.training.identity.code_of`, and the same in every version of Python."""
    there = [m for m in (_LOOP, *modules) if m.split(".")[0] == NAME]
    parts = [f"{module}: {_plain(_tree(module))}" for module in sorted(reached(*there))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _tree(module: str) -> ast.Module:
    path = PACKAGE.parent.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text("utf-8"))


def _plain(node: Any) -> Any:
    """A tree of code in plain lists, without docstrings and without what is empty: versions of
    Python differ in which fields they add."""
    if isinstance(node, list):
        return [_plain(part) for part in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    own = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        own["body"] = node.body[1:]
    return [type(node).__name__, *([name, _plain(value)] for name, value in own.items())]


def description(objective: Objective, model: nn.Module, recipe: Recipe, seed: int) -> dict:
    """All that decides what a training gives, but the code, and the values of the data."""
    own = described(objective)
    own |= {name: _outline(data) for name, data in datasets_of(objective).items()}
    about = {"model": {"class": type(model).__name__, **model.config}, "objective": own}
    # as it comes back from a file: lists in the place of tuples
    return json.loads(json.dumps(about | {"recipe": recipe.as_dict(), "seed": seed}))


def alike(one: Any, other: Any) -> bool:
    """Whether two descriptions say the same; numbers may differ by what their computing may."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and one == other


def datasets_of(objective: Objective) -> dict[str, Dataset]:
    """The data that an objective learns from, by the names of its fields."""
    own = fields(objective) if is_dataclass(objective) else ()
    values = {field.name: getattr(objective, field.name) for field in own}
    return {name: value for name, value in values.items() if isinstance(value, Dataset)}


def _outline(data: Dataset) -> str:
    """A hash of which recordings there are, in which order, of what size, and what they hold."""
    lines = [data.name]
    for part in PARTS:
        for r in data.split(part):
            holds = [name for name in _TOLERANCES if getattr(r, name) is not None]
            lazy = [values.key for name in LAZY if (values := getattr(r, name))]
            joints = (r.skeleton.name, r.keypoint_skeleton.name)
            lines.append(f"{part}|{r.name}|{len(r)}|{r.fps:g}|{joints}|{holds}|{lazy}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def sketch(data: Dataset) -> Tensor:
    """``(R, 13)`` float32: a few numbers of each recording, by which :func:`same` knows it again on
    another machine."""
    every = [recording for part in PARTS for recording in data.split(part)]
    return torch.tensor([_numbers(recording) for recording in every], dtype=torch.float32)


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether sketches by name are of the same data, to within what machines differ by."""
    allowed = torch.tensor([n for pair in _TOLERANCES.values() for n in pair] + [_CAMERA])
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape
        and bool(((one[name] - other[name]).abs() <= allowed).all())
        for name in one
    )


def _numbers(recording: Recording) -> list[float]:
    numbers = []
    for field in _TOLERANCES:
        value = getattr(recording, field)
        values = np.zeros(1) if value is None else value.cpu().double().numpy().ravel()
        numbers += [values.mean(), _signed(values)]
    camera = recording.camera
    own = [np.ravel(v) for f in fields(camera) if _is_number(v := getattr(camera, f.name))]
    return [*numbers, _signed(np.concatenate(own))]


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) or (isinstance(value, tuple) and all(map(_is_number, value)))


def _signed(values: np.ndarray) -> float:
    # the lot: the same numbers for ever, which generators of random ones do not promise
    lot = hashlib.shake_256(b"signs").digest(-(-len(values) // 8))
    signs = np.unpackbits(np.frombuffer(lot, np.uint8))[: len(values)] * 2.0 - 1
    return float(signs @ values) / sqrt(len(values))
