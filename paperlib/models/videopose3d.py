"""Reads the public VideoPose3D checkpoints into a :class:`TemporalModel`.

So that published weights give the published numbers. Only tensors are read; nothing that is in the
file is run.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from paperlib.errors import CheckpointError
from paperlib.models.temporal import TemporalModel
from paperlib.models.weights import checked_weights, require_shapes
from paperlib.outside.tensors import read_tensors


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
    weights = read_tensors(path, part)
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return model_from_weights(weights, causal, path.name)


def model_from_weights(
    weights: Mapping[str, Tensor], causal: bool = False, name: str = "checkpoint"
) -> TemporalModel:
    """The same, from the weights themselves, named as in the public implementation."""
    try:
        return _build(checked_weights(weights, name), causal, name).eval()
    except CheckpointError:
        raise
    except (KeyError, ValueError, AttributeError, IndexError, RuntimeError) as problem:
        raise CheckpointError(f"{name}: not a temporal model of VideoPose3D ({problem})") from None


def _build(weights: Mapping[str, Tensor], causal: bool, name: str) -> TemporalModel:
    channels, inputs, first = weights["expand_conv.weight"].shape
    outputs = weights["shrink.weight"].shape[0]
    count = sum(n.startswith("layers_conv.") and n.endswith(".weight") for n in weights)
    kernels = [weights[f"layers_conv.{2 * b}.weight"].shape[2] for b in range(count // 2)]
    widths, dense = _widths(first, kernels)
    joints, features = _joints_and_features(inputs, outputs // 3)
    sizes = joints, features, outputs // 3, widths
    build = partial(TemporalModel, *sizes, causal=causal, channels=channels, dense=dense)
    renamed = {_our_name(old): value for old, value in weights.items()}
    for key, value in renamed.items():
        if key.endswith("conv.weight"):
            renamed[key] = value.transpose(1, 2).flatten(1)  # theirs is (C_out, C_in, width)
    renamed["shrink.weight"] = renamed["shrink.weight"].squeeze(-1)
    require_shapes(build, renamed, name)
    model = build()
    model.load_state_dict(renamed)
    return model


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
