"""Whether weights from a file are such as a model can have, asked before it is built; and what they
are known by."""

import hashlib
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from paperlib.errors import CheckpointError


def checked_weights(weights: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Weights by name as they came, from the file ``where``.

    :class:`CheckpointError` for what is no tensor, or has other numbers than finite ones; and where
    they are more than the memory that they lie in, as a number is that was expanded to a matrix:
    they would take far more once copied.
    """
    for name, value in weights.items():
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            raise CheckpointError(f"{where}: {str(name)[:80]} is no tensor with a name")
        if value.layout != torch.strided or value.is_complex() or not _is_dense(value):
            raise CheckpointError(f"{where}: {name} is not stored as a dense array of real numbers")
        if not value.float().isfinite().all():  # in the precision of a model
            raise CheckpointError(f"{where}: {name} holds NaN or infinite numbers")
        if name.endswith("running_var") and (value < 0).any():
            raise CheckpointError(f"{where}: {name} is a variance and below 0")
    stored = {
        v.untyped_storage().data_ptr(): v.untyped_storage().nbytes() for v in weights.values()
    }
    if sum(value.nbytes for value in weights.values()) > sum(stored.values()):
        raise CheckpointError(f"{where}: several weights are the same numbers")
    return dict(weights)


def _is_dense(value: Tensor) -> bool:
    """Whether every number has a place of its own, and no place is left out."""
    sides = sorted(
        (n, size) for n, size in zip(value.stride(), value.shape, strict=True) if size > 1
    )
    expected = 1
    for stride, size in sides:
        if stride != expected and value.numel():
            return False
        expected *= size
    return True


def require_shapes(
    build: Callable[[], nn.Module], weights: Mapping[str, Tensor], where: str
) -> None:
    """:class:`CheckpointError` unless ``weights`` of the file ``where`` are those of the model that
    ``build`` makes, in name and shape. Counters of batches may be missing, as in files of old
    versions of PyTorch."""
    with torch.device("meta"):  # which has shapes and no memory, however large
        wanted = {name: tuple(value.shape) for name, value in build().state_dict().items()}
    for name in wanted.keys() | weights.keys():
        given = tuple(weights[name].shape) if name in weights else None
        counts = name.endswith("num_batches_tracked") and given is None
        if given != wanted.get(name) and not counts:
            found = "is missing" if given is None else f"has shape {given}"
            raise CheckpointError(
                f"{where}: its weights are not of the model that it names: {name} {found}, "
                f"expected {wanted.get(name, 'none of this name')}"
            )


def digest_of(state: Mapping[str, Tensor], text: str) -> str:
    """Of tensors by name and a ``text``: of weights, say, and of what they are weights of."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"|{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
