"""A trained temporal model with its batch norms folded into the weights."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.models.fast.activation import as_written
from paperlib.models.temporal import Layer, TemporalModel


class FoldedLayer(Layer):
    """A convolution with a bias, and ReLU."""

    def forward(self, frames: Tensor) -> Tensor:
        conv = self.conv
        return F.linear(frames, conv.weight, conv.bias).relu_()


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
    if is_folded(model):
        raise ValueError("the model is folded already: fold the one that it was made of")
    if dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"dtype must be torch.float32 or torch.bfloat16, got {dtype}")
    copy = as_written(deepcopy(model))
    for layer in copy.layers:
        _fold(layer, dtype)
    return copy.eval().requires_grad_(False)


def is_folded(model: nn.Module) -> bool:
    return isinstance(model, TemporalModel) and isinstance(model.expand, FoldedLayer)


@torch.no_grad()
def _fold(layer: Layer, dtype: torch.dtype) -> None:
    conv, norm = layer.conv, layer.norm
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = norm.bias.double() - norm.running_mean.double() * scale
    conv.weight = nn.Parameter((conv.weight.double() * scale[:, None]).to(dtype))
    conv.bias = nn.Parameter(bias.to(dtype))
    layer.__class__ = FoldedLayer
    del layer.norm, layer.dropout
