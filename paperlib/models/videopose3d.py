"""Reads the public VideoPose3D checkpoints into a :class:`TemporalModel`.

So that published weights give the published numbers. Only tensors are read; nothing that is in the
file is run.
"""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from paperlib.errors import CheckpointError
from paperlib.models.arguments import checked
from paperlib.models.temporal import TemporalModel
from paperlib.models.weights import checked_weights, require_shapes
from paperlib.outside.tensors import read_tensors


def load_videopose3d_checkpoint(
    path: str | Path,
    causal: bool = False,
    part: str = "model_pos",
    widths: Sequence[int] | None = None,
    dense: bool | None = None,
) -> TemporalModel:
    """A :class:`TemporalModel` with the weights of a public checkpoint, in evaluation mode.

    Joints, features, widths and channels are read from the shapes of the weights. The file does
    not say whether the model is ``causal``: causal and symmetric ones have the same weights. Nor
    do kernels always tell a ``dense`` model from one with dilation: 3 and 7 frames wide, they may
    be of dense layers of ``widths`` 3,3 or of dilated ones of 3,7. Where neither was given, the
    dense model is taken, with a warning. ``part`` may be ``"model_traj"``. Raises
    :class:`CheckpointError` for another architecture, or another one than asked for,
    :class:`UnsafeFileError` for a file that holds more than weights.
    """
    path = Path(path)
    weights = read_tensors(path, part)
    weights = {name.removeprefix("module."): value for name, value in weights.items()}
    return model_from_weights(weights, causal, path.name, widths, dense)


def model_from_weights(
    weights: Mapping[str, Tensor],
    causal: bool = False,
    name: str = "checkpoint",
    widths: Sequence[int] | None = None,
    dense: bool | None = None,
) -> TemporalModel:
    """The same, from the weights themselves, named as in the public implementation."""
    given = {"filter_widths": widths, "dense": dense}
    asked = checked({key: value for key, value in given.items() if value is not None})
    try:
        return _build(checked_weights(weights, name), causal, name, asked).eval()
    except CheckpointError:
        raise
    except (KeyError, ValueError, AttributeError, IndexError, RuntimeError) as problem:
        raise CheckpointError(f"{name}: not a temporal model of VideoPose3D ({problem})") from None


def _build(
    weights: Mapping[str, Tensor], causal: bool, name: str, asked: dict[str, Any]
) -> TemporalModel:
    channels, inputs, first = weights["expand_conv.weight"].shape
    outputs = weights["shrink.weight"].shape[0]
    count = sum(n.startswith("layers_conv.") and n.endswith(".weight") for n in weights)
    kernels = [weights[f"layers_conv.{2 * b}.weight"].shape[2] for b in range(count // 2)]
    layers = _chosen(_readings(first, kernels), asked, name)
    joints, features = _joints_and_features(inputs, outputs // 3)
    sizes = joints, features, outputs // 3
    build = partial(TemporalModel, *sizes, causal=causal, channels=channels, **layers)
    own = our_weights(weights)
    require_shapes(build, own, name)
    model = build()
    model.load_state_dict(own)
    return model


def our_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The public implementation's weights under the names and in the shapes of ours."""
    renamed = {_our_name(old): value for old, value in weights.items()}
    for key, value in renamed.items():
        if key.endswith("conv.weight"):
            renamed[key] = value.transpose(1, 2).flatten(1)  # theirs is (C_out, C_in, width)
    renamed["shrink.weight"] = renamed["shrink.weight"].squeeze(-1)
    return renamed


def _readings(first: int, kernels: list[int]) -> list[dict[str, Any]]:
    """The models that kernels of these widths may be of: one with dilation, and perhaps a dense one
    of other filter widths."""
    dilated = {"filter_widths": (first, *kernels), "dense": False}
    reach, widths = first, [first]
    for kernel in kernels:
        steps, rest = divmod(kernel - 1, reach) if reach else (0, 1)
        if rest or steps % 2:  # filter widths are odd
            return [dilated]
        widths.append(steps + 1)
        reach *= widths[-1]
    return [dilated, {"filter_widths": tuple(widths), "dense": True}]


def _chosen(readings: list[dict], asked: dict[str, Any], name: str) -> dict[str, Any]:
    """The reading that is as ``asked``, as far as that goes."""
    fit = [reading for reading in readings if asked.items() <= reading.items()]
    if not fit:
        there = " or ".join(_words(**reading) for reading in readings)
        raise CheckpointError(f"{name}: the weights are of {there}, not of {_words(**asked)}")
    if fit[0]["filter_widths"] == fit[-1]["filter_widths"]:  # then both compute the same
        return fit[0]
    other, assumed = fit  # filter widths that grow from layer to layer are the less likely ones
    warnings.warn(
        f"{name}: taken for a model of {_words(**assumed)}, but its weights could as well be of "
        f"{_words(**other)}; say which by widths or dense (--widths, --dense)",
        stacklevel=5,  # where the file is loaded
    )
    return assumed


def _words(filter_widths: tuple[int, ...] | None = None, dense: bool | None = None) -> str:
    widths = f" of widths {','.join(map(str, filter_widths))}" if filter_widths else ""
    return {None: "", True: "dense ", False: "dilated "}[dense] + "layers" + widths


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
