"""Reads the models of ``pose_refinement``, the reference implementation of veges2020, into a
:class:`TemporalPoseNet`, so that its weights give its numbers.

A folder holds a model: ``model_params.pkl`` the weights, a state dictionary of PyTorch named as in
VideoPose3D, and ``preprocess_params.pkl`` the means and deviations that go with them, a pickled
list of the steps before the network. There 14 joints are the inputs, ``COMMON_14`` with the hip
moved to the end, x, y and score of each; the answer is the 16 joints of ``MUPOTS_17`` without the
hip, relative to it, and at the end the hip with the logarithm of its depth, in millimetres.
"""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.datasets.archives import read_pickle
from paperlib.errors import CheckpointError
from paperlib.models.temporal_posenet import TemporalPoseNet
from paperlib.models.videopose3d import our_weights
from paperlib.models.weights import checked_weights, require_shapes
from paperlib.outside.tensors import read_tensors
from paperlib.skeletons import COMMON_14, MUPOTS_17

WEIGHTS, STATISTICS = "model_params.pkl", "preprocess_params.pkl"
# the steps of which the statistics are, and the numbers of each joint set
_INPUT, _OUTPUT = "DepthposeNormalize2D", "SplitToRelativeAbsAndMeanNormalize3D"
_FEATURES, _ANSWERS = 3 * len(COMMON_14), 3 * len(MUPOTS_17)


def load_pose_refinement_checkpoint(folder: str | Path) -> TemporalPoseNet:
    """The network in a folder with ``model_params.pkl`` and ``preprocess_params.pkl``, in
    evaluation mode. It takes :func:`paperlib.windows.track_features` and answers metres.

    Filter widths and channels are read from the shapes of the weights. Raises
    :class:`CheckpointError` for another architecture or other steps before it,
    :class:`UnsafeFileError` for files that hold more than numbers, ``FileNotFoundError`` where one
    is missing.
    """
    folder = Path(folder)
    model = _network(read_tensors(folder / WEIGHTS), f"{folder.name}/{WEIGHTS}")
    where = f"{folder.name}/{STATISTICS}"
    steps = _steps(read_pickle(folder / STATISTICS), where)
    inputs = (_statistic(steps, _INPUT, part, _FEATURES, where) for part in ("mean", "std"))
    mean, std = (_statistic(steps, _OUTPUT, part, _ANSWERS, where) for part in ("mean", "std"))
    # millimetres become metres; the depth of the root is a logarithm, so it is shifted
    mean[-1], std[-1] = 1000 * (mean[-1] - math.log(1000)), 1000 * std[-1]
    outputs = (_own_place(values / 1000, MUPOTS_17.root) for values in (mean, std))
    model.standardised_by(*(_own_place(values, COMMON_14.root) for values in inputs), *outputs)
    return model.eval()


def _network(weights: Any, where: str) -> TemporalPoseNet:
    try:
        channels, inputs, first = weights["expand_conv.weight"].shape
        outputs = len(weights["shrink.weight"])
        if (inputs, outputs) != (_FEATURES, _ANSWERS):
            raise ValueError(f"{inputs} numbers in and {outputs} out, not {_FEATURES, _ANSWERS}")
        wide = [n for n in weights if n.startswith("layers_conv.") and n.endswith(".weight")]
        widths = [weights[f"layers_conv.{2 * b}.weight"].shape[2] for b in range(len(wide) // 2)]
        own = our_weights(checked_weights(weights, where))
        first_layer = own["expand.conv.weight"].unflatten(1, (first, inputs))
        own["expand.conv.weight"] = _own_place(first_layer, COMMON_14.root).flatten(1)
        for name in ("shrink.weight", "shrink.bias"):
            rows = _own_place(own[name].movedim(0, -1), MUPOTS_17.root)
            own[name] = rows.flatten(-2).movedim(-1, 0)
        sizes = (len(COMMON_14), len(MUPOTS_17), (first, *widths), MUPOTS_17.root)
        build = partial(TemporalPoseNet, *sizes, channels=channels)
        require_shapes(lambda: build().temporal, own, where)
        model = build()
        model.temporal.load_state_dict(own)
    except CheckpointError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError) as problem:
        raise CheckpointError(f"{where}: not a network of pose_refinement ({problem})") from None
    return model


def _own_place(values: Tensor, root: int) -> Tensor:
    """``(…, 3 J)`` of joints with the root last as ``(…, J, 3)`` with the root at its own place."""
    *others, last = values.unflatten(-1, (-1, 3)).unbind(-2)
    return torch.stack([*others[:root], last, *others[root:]], dim=-2)


def _steps(stored: Any, where: str) -> dict[str, dict]:
    """The states of the steps by the steps' names."""
    if isinstance(stored, list) and all(isinstance(step, dict) for step in stored):
        steps = {step.get("name"): step.get("state") for step in stored}
        if isinstance(steps.get(_INPUT), dict) and isinstance(steps.get(_OUTPUT), dict):
            joints = str(steps[_OUTPUT].get("joint_set"))
            if "MuPoTSJoints" in joints:
                return steps
            raise CheckpointError(f"{where}: of {joints}, expected MuPoTSJoints, its 17 joints")
    raise CheckpointError(f"{where}: expected a list of steps with {_INPUT} and {_OUTPUT}")


def _statistic(steps: dict[str, dict], step: str, part: str, count: int, where: str) -> Tensor:
    values = np.asarray(steps[step].get(part))
    good = values.shape == (count,) and values.dtype.kind in "iuf" and np.isfinite(values).all()
    if not good or (part == "std" and not (values > 0).all()):
        raise CheckpointError(
            f"{where}: {part!r} of {step} must be {count} finite numbers, deviations above 0; "
            f"it is {values.dtype} {values.shape}"
        )
    return torch.from_numpy(values.astype(np.float64))
