"""The temporal model as it is used once trained."""

from copy import deepcopy
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.models.activation import Activation
from paperlib.models.temporal import TemporalConv, TemporalModel


def fold(model: TemporalModel, dtype: torch.dtype = torch.float32) -> TemporalModel:
    """A copy of a trained model with its batch norms folded into the weights: the same poses in
    fewer steps.

    Running statistics do not change any more, so that normalising is a factor and a shift for each
    channel, which the convolution before it can as well do itself. ``dtype`` is that of weights and
    activations: bfloat16 is about twice as fast where the hardware computes in it, and moves a pose
    by tenths of a millimetre. The copy has no gradients and cannot be trained.
    """
    if not isinstance(model, TemporalModel):
        raise ValueError(
            f"a {type(model).__name__} has no batch norms of its own to fold; fold the "
            "TemporalModel that it is made of"
        )
    if dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"dtype must be torch.float32 or torch.bfloat16, got {dtype}")
    copy = deepcopy(model)
    _fold(copy, "expand", "after_expand", dtype)
    for block in copy.blocks:
        _fold(block, "wide", "after_wide", dtype)
        _fold(block, "point", "after_point", dtype)
    return copy.eval().requires_grad_(False)


def _fold(parent: nn.Module, name: str, after: str, dtype: torch.dtype) -> None:
    conv: TemporalConv = getattr(parent, name)
    activation: Activation = getattr(parent, after)
    norm = activation.norm
    with torch.no_grad():
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        bias = norm.bias.double() - norm.running_mean.double() * scale
        conv.weight = nn.Parameter((conv.weight.double() * scale[:, None, None]).to(dtype))
        conv.bias = nn.Parameter(bias.to(dtype))
    setattr(parent, after, nn.ReLU(inplace=True))


@torch.no_grad()
def lift(model: nn.Module, keypoints: Tensor, part: int = 8192) -> Tensor:
    """Poses ``(B, T - R + 1, J_out, 3)`` of sequences ``(B, T, J_in, F)`` of any length, ``part``
    of them at a time: that bounds the memory, and computes R - 1 frames twice at each seam.

    Of a folded model in float32 on a processor the weights are laid out once and kept as long as
    the model. Changes to them are noticed, but for those that PyTorch does not count: through
    ``.data`` or a NumPy array that shares their memory.
    """
    ahead = model.receptive_field - 1
    starts = range(0, max(keypoints.shape[1] - ahead, 1), part)
    if _suits_channels_first(model):
        poses = _ChannelsFirst(model)
    else:
        poses = model
        _LAID_OUT.pop(model, None)  # which may have gone to a GPU
    return torch.cat([poses(keypoints[:, s : s + part + ahead]) for s in starts], dim=1)


def _suits_channels_first(model: nn.Module) -> bool:
    """Whether PyTorch's own convolution is the faster: on a processor in float32, where it needs no
    copies of its input side by side. In bfloat16, and on a GPU, the matrix product is."""
    if not isinstance(model, TemporalModel) or model.expand.bias is None:
        return False
    weight = model.expand.weight
    return weight.device.type == "cpu" and weight.dtype == torch.float32


class _ChannelsFirst:
    """A folded model, computed on activations ``(B, C, T)``."""

    def __init__(self, model: TemporalModel):
        layers = [model.expand, *(conv for b in model.blocks for conv in (b.wide, b.point))]
        self.weights = dict(zip(layers, _laid_out(model, layers), strict=True))
        self.model = model

    def __call__(self, keypoints: Tensor) -> Tensor:
        self.model.check(keypoints)
        x = self._conv(self.model.expand, keypoints.flatten(2).transpose(1, 2))
        for block in self.model.blocks:
            y = self._conv(block.point, self._conv(block.wide, x, block.dilation))
            start = block.tap * block.dilation
            x = y.add_(x[:, :, start : start + y.shape[2]])
        poses = self.model.shrink(x.transpose(1, 2))
        return poses.unflatten(-1, (-1, 3))

    def _conv(self, conv: TemporalConv, x: Tensor, dilation: int = 1) -> Tensor:
        return F.conv1d(x, self.weights[conv], conv.bias, dilation=dilation).relu_()


def _laid_out(model: TemporalModel, layers: list[TemporalConv]) -> list[Tensor]:
    """Weights as PyTorch's convolution wants them, ``(C_out, C_in, width)``. They are kept, since
    for a short sequence laying them out takes a noticeable part of the time."""
    if any(conv.weight.is_inference() for conv in layers):  # whose changes are not counted
        return [_in_order(conv.weight) for conv in layers]
    stamp = [(conv.weight.data_ptr(), conv.weight._version) for conv in layers]
    kept = _LAID_OUT.get(model)
    if kept is None or kept[0] != stamp:
        # with the weights they were made from, so that no others can come to the same place
        sources = [conv.weight.detach() for conv in layers]
        kept = _LAID_OUT[model] = stamp, sources, [_in_order(weight) for weight in sources]
    return kept[2]


def _in_order(weight: Tensor) -> Tensor:
    # `contiguous` would leave a kernel of width 1 as it is, with strides that make the convolution
    # put channels last, and every layer after it copy its input back
    weight = weight.transpose(1, 2)
    return torch.empty(weight.shape, dtype=weight.dtype, device=weight.device).copy_(weight)


_LAID_OUT: WeakKeyDictionary[TemporalModel, tuple[list, list[Tensor], list[Tensor]]]
_LAID_OUT = WeakKeyDictionary()
