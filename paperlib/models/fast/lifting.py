"""Whole sequences through a trained model, in the layout that is fastest where they are."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.models.fast.folding import is_folded
from paperlib.models.temporal import Layer, TemporalModel


@torch.no_grad()
def lift(model: nn.Module, keypoints: Tensor, part: int = 8192) -> Tensor:
    """Poses ``(B, T - R + 1, J_out, 3)`` of sequences ``(B, T, J_in, F)`` of any length, ``part``
    of them at a time: that bounds the memory, and computes R - 1 frames twice at each seam.

    Of a folded model in float32 on a processor the weights are laid out once and kept as long as
    the model. Changes to them are noticed, except those that PyTorch does not count: through
    ``.data`` or a NumPy array that shares their memory.
    """
    ahead = model.receptive_field - 1
    starts = range(0, max(keypoints.shape[1] - ahead, 1), part)
    if _suits_channels_first(model):
        poses = _channels_first(model)
    else:
        poses = model
        _LAID_OUT.pop(model, None)  # which may have gone to a GPU
    return torch.cat([poses(keypoints[:, s : s + part + ahead]) for s in starts], dim=1)


def _suits_channels_first(model: nn.Module) -> bool:
    """Whether PyTorch's own convolution is the faster: on a processor in float32, where it needs no
    copies of its input side by side. In bfloat16, and on a GPU, the matrix product is."""
    if not is_folded(model):
        return False
    weight = model.expand.conv.weight
    return weight.device.type == "cpu" and weight.dtype == torch.float32


def _channels_first(model: TemporalModel) -> Callable[[Tensor], Tensor]:
    """A folded model, computed on activations ``(B, C, T)``."""
    layers = model.layers
    weights = dict(zip(layers, _laid_out(model, layers), strict=True))

    def schedule(layer: Layer, x: Tensor) -> tuple[Tensor, Tensor]:
        y = F.conv1d(x, weights[layer], layer.conv.bias, dilation=layer.dilation).relu_()
        start = layer.tap * layer.dilation
        return y, x[:, :, start : start + y.shape[2]]

    def poses(keypoints: Tensor) -> Tensor:
        model.check(keypoints)
        x = keypoints.flatten(2).to(model.expand.conv.weight.dtype)
        x = model.activations(x.transpose(1, 2), schedule)
        return model.poses(x.transpose(1, 2))

    return poses


def _laid_out(model: TemporalModel, layers: list[Layer]) -> list[Tensor]:
    """Weights as PyTorch's convolution wants them, ``(C_out, C_in, width)``. They are kept, since
    for a short sequence laying them out takes a noticeable part of the time."""
    weights, widths = [x.conv.weight for x in layers], [x.width for x in layers]
    if any(weight.is_inference() for weight in weights):  # whose changes are not counted
        return list(map(_in_order, weights, widths))
    stamp = [(weight.data_ptr(), weight._version) for weight in weights]
    kept = _LAID_OUT.get(model)
    if kept is None or kept[0] != stamp:
        # with the weights they were made from, so that no others can come to the same place
        sources = [weight.detach() for weight in weights]
        kept = _LAID_OUT[model] = stamp, sources, list(map(_in_order, sources, widths))
    return kept[2]


def _in_order(weight: Tensor, width: int) -> Tensor:
    # `contiguous` would leave a kernel of width 1 as it is, with strides that make the convolution
    # put channels last, and every layer after it copy its input back
    weight = weight.unflatten(1, (width, -1)).transpose(1, 2)
    return torch.empty(weight.shape, dtype=weight.dtype, device=weight.device).copy_(weight)


_LAID_OUT: WeakKeyDictionary[TemporalModel, tuple[list, list[Tensor], list[Tensor]]]
_LAID_OUT = WeakKeyDictionary()
