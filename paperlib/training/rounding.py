"""Weights in 12 bits each, for files that travel: whole numbers, with one scale for each output of
a layer. Smaller than bfloat16 and nearer to what was trained, since the largest weight of an output
leaves the others steps as fine as its own.
"""

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.errors import CheckpointError

_MOST = 2047  # of 12 bits, one of which is the sign


def rounded(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights by name as they are stored: of matrices, and what has more axes, ``packed.name``
    (bytes) and ``scale.name``, one for each row; all else as ``model.name``, as it is."""
    stored = {}
    for name, value in weights.items():
        value = value.detach().cpu().contiguous()
        if value.ndim < 2:
            stored[f"model.{name}"] = value
        else:
            stored[f"packed.{name}"], stored[f"scale.{name}"] = _packed(value.float().flatten(1))
    return stored


def restored(
    stored: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, Tensor]:
    """Weights by name, from tensors as :func:`rounded` gives them; those of ``packed`` ones need
    the ``shapes`` that they have in the model. Tensors of other kinds are left out.

    :class:`~paperlib.errors.CheckpointError` where they are not of these shapes."""
    weights = {n.removeprefix("model."): v for n, v in stored.items() if n.startswith("model.")}
    for key, value in stored.items():
        kind, _, name = key.partition(".")
        if kind != "packed":
            continue
        shape, scale = shapes.get(name, ()), stored.get(f"scale.{name}")
        rows, columns = (*shape[:1], 0)[0], prod(shape[1:])
        whole = (rows, 3 * -(-columns // 2))
        fits = len(shape) > 1 and tuple(value.shape) == whole and value.dtype == torch.uint8
        if not fits or scale is None or tuple(scale.shape) != (rows,):
            raise CheckpointError(f"{where}: {name} is not stored as a {shape} of this model")
        weights[name] = _unpacked(value, scale, columns).reshape(shape)
    return weights


def _packed(rows: Tensor) -> tuple[Tensor, Tensor]:
    """``(N, C)`` numbers as ``(N, 3 C / 2)`` bytes, two numbers in three, and their scales."""
    scale = rows.abs().amax(dim=1).clamp_min(1e-30) / _MOST
    whole = (rows / scale[:, None]).round().int() + _MOST
    first, second = F.pad(whole, (0, whole.shape[1] % 2)).unflatten(1, (-1, 2)).unbind(-1)
    parts = (first & 255, first >> 8 | (second & 15) << 4, second >> 4)
    return torch.stack(parts, dim=-1).flatten(1).to(torch.uint8), scale


def _unpacked(stored: Tensor, scale: Tensor, columns: int) -> Tensor:
    low, middle, high = stored.int().unflatten(1, (-1, 3)).unbind(-1)
    pair = (low | (middle & 15) << 8, middle >> 4 | high << 4)
    whole = torch.stack(pair, dim=-1).flatten(1)[:, :columns] - _MOST
    return whole * scale[:, None]
