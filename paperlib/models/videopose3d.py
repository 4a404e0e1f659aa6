"""Reads the public VideoPose3D checkpoints into a :class:`TemporalModel`.

So that published weights give the published numbers. Only tensors and plain values are read: the
random state that those files carry as an object is put aside unread, and any other object makes
the file be refused.
"""

import io
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from paperlib.errors import CheckpointError, UnsafeFileError
from paperlib.models.temporal import TemporalModel
from paperlib.paths import stand_in


class _SetAside:
    """Stands in for an object of the file that is not needed; takes anything and does nothing."""

    def __init__(self, *_, **__):
        pass

    def __setstate__(self, _):
        pass


# what a pickled numpy RandomState and the numbers in it are made by, in old and new numpy
_NOT_NEEDED = (
    "numpy.random.__RandomState_ctor numpy.random._pickle.__randomstate_ctor"
    " numpy.random._pickle.__bit_generator_ctor numpy.random._mt19937.MT19937"
    " numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct"
    " numpy.core.multiarray.scalar numpy._core.multiarray.scalar"
    " numpy.ndarray numpy.dtype _codecs.encode"
).split()


def read_tensors(path: Path) -> Any:
    """What a file of PyTorch holds, if that is tensors and plain values. Raises
    :class:`UnsafeFileError` where it is more, :class:`CheckpointError` where it is no such file."""
    stand_ins = [(_SetAside, name) for name in _NOT_NEEDED]
    data = path.read_bytes()  # outside the try: a missing file is no damaged one
    if other := stand_in(data):
        raise CheckpointError(f"{path.name}: {other}")
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        # torch's own message ends in advice to read the file without this protection
        named = re.search(r"GLOBAL ([\w.]+)", str(problem))
        what = f"it asks for {named.group(1)}" if named else "it holds more than weights"
        raise UnsafeFileError(f"{path.name}: {what} and was not read") from None
    except Exception as problem:  # a cut file fails in many ways, none of which names the file
        raise CheckpointError(
            f"{path.name}: not a checkpoint, or cut off ({type(problem).__name__}); fetch it again"
        ) from None


def _read(path: Path) -> dict:
    content = read_tensors(path)
    if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
        raise CheckpointError(f"{path.name}: a VideoPose3D checkpoint has an entry 'model_pos'")
    return content


def load_videopose3d_checkpoint(
    path: str | Path, causal: bool = False, part: str = "model_pos"
) -> TemporalModel:
    """A :class:`TemporalModel` with the weights of a public checkpoint, in evaluation mode.

    Joints, features, widths and channels are read from the shapes of the weights. The file does
    not say whether the model is ``causal``: causal and symmetric ones have the same weights.
    ``part`` may be ``"model_traj"``. Raises :class:`CheckpointError` for another architecture,
    :class:`UnsafeFileError` for a file that holds more than weights.
    """
    path = Path(path)
    weights = _read(path).get(part)
    if not isinstance(weights, dict):
        raise CheckpointError(f"{path.name}: has no {part!r}")
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return model_from_weights(weights, causal, path.name)


def model_from_weights(
    weights: dict[str, Tensor], causal: bool = False, name: str = "checkpoint"
) -> TemporalModel:
    """The same, from the weights themselves, named as in the public implementation."""
    try:
        return _build(weights, causal).eval()
    except (KeyError, ValueError, AttributeError, IndexError, RuntimeError) as problem:
        raise CheckpointError(f"{name}: not a temporal model of VideoPose3D ({problem})") from None


def _build(weights: dict[str, Tensor], causal: bool) -> TemporalModel:
    channels, inputs, first = weights["expand_conv.weight"].shape
    outputs = weights["shrink.weight"].shape[0]
    count = sum(n.startswith("layers_conv.") and n.endswith(".weight") for n in weights)
    kernels = [weights[f"layers_conv.{2 * b}.weight"].shape[2] for b in range(count // 2)]
    widths, dense = _widths(first, kernels)
    joints, features = _joints_and_features(inputs, outputs // 3)
    model = TemporalModel(
        joints, features, outputs // 3, widths, causal=causal, channels=channels, dense=dense
    )
    model.load_state_dict(our_weights(weights))
    return model


def our_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The public implementation's weights under the names and in the shapes of ours."""
    renamed = {_our_name(old): value for old, value in weights.items()}
    for key, value in renamed.items():
        if key.endswith("conv.weight"):
            renamed[key] = value.transpose(1, 2).flatten(1)  # theirs is (C_out, C_in, width)
    renamed["shrink.weight"] = renamed["shrink.weight"].squeeze(-1)
    return renamed


def _widths(first: int, kernels: list[int]) -> tuple[tuple[int, ...], bool]:
    """Filter widths, and whether the kernels are those of the model without dilation."""
    reach, widths = first, [first]
    for kernel in kernels:
        if kernel <= 1 or (kernel - 1) % reach:
            return (first, *kernels), False
        widths.append((kernel - 1) // reach + 1)
        reach *= widths[-1]
    # a first width of 1 makes both readings one and the same
    return (tuple(widths), True) if kernels and first > 1 else ((first, *kernels), False)


def _joints_and_features(inputs: int, joints_out: int) -> tuple[int, int]:
    for features in (2, 3):
        # x and y, or with a confidence; the joints in are as many as out, or 17 (COCO, Human3.6M)
        if inputs % features == 0 and inputs // features in {joints_out, 17, 16, 15}:
            return inputs // features, features
    raise ValueError(f"{inputs} inputs are no known number of joints times 2 or 3")


def _our_name(theirs: str) -> str:
    """``layers_conv.3.weight`` -> ``blocks.1.point.conv.weight`` and so on."""
    head, *rest = theirs.split(".")
    layer, _, part = head.rpartition("_")
    part = {"conv": "conv", "bn": "norm"}.get(part)
    if part and layer == "expand":
        return ".".join(["expand", part, *rest])
    if part and layer == "layers" and rest[0].isdigit():
        block, second = divmod(int(rest[0]), 2)
        return ".".join(["blocks", str(block), "point" if second else "wide", part, *rest[1:]])
    return theirs
