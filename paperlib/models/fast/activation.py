"""Batch norm, ReLU and dropout as one step: the layers of :mod:`paperlib.models.temporal` and
:mod:`paperlib.models.linear` as they are trained.

One after the other, the three go four times through memory in the forward pass and four times in
the backward pass, for which they keep three copies. Here the second and third work in place, and
the backward pass needs the input and the output only: a zero there is a unit that was cut or
dropped.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, distributed, nn

from paperlib.models.temporal import Layer

_ROWS = 2048  # added up in one go on a CPU


class FusedLayer(Layer):
    """A :class:`Layer` that trains faster; the statistics are those of a batch norm.

    On a CPU the dropout probability is taken to the nearest 256th; 0.25 and 0.5 are exact.
    Dropout draws other random numbers than ``nn.Dropout``.
    """

    def forward(self, frames: Tensor) -> Tensor:
        if not self.training:
            return super().forward(frames)
        x, norm = self.conv(frames), self.norm
        rows = x.flatten(0, -2)
        p = _exact(self.dropout.p, x.device)
        dropped = _dropped(rows, p) if p else None
        scale = 1 / (1 - p)
        # what is kept is scaled up: after ReLU that may as well be done before, to C numbers
        weight, bias = norm.weight * scale, norm.bias * scale
        given = (rows, weight, bias, dropped, norm.eps)
        if self.synchronised or torch.compiler.is_compiling():
            y, mean, variance = _Stepwise.apply(*given, self.synchronised)
        else:
            y, mean, variance = _NormReluDropout.apply(*given)
        with torch.no_grad():
            norm.running_mean.lerp_(mean, self.momentum)
            norm.running_var.lerp_(variance, self.momentum)
            norm.num_batches_tracked += 1
        return y.view_as(x)


def for_training(model: nn.Module) -> nn.Module:
    """The same model, its layers fused. Parameters, buffers and the names in its state stay.

    :func:`as_written` takes it back.
    """
    for layer in _layers(model):
        if type(layer) is Layer:
            # its class alone changes: whoever holds the layer or its tensors holds them still
            layer.__class__ = FusedLayer
            layer.synchronised = False
            # a tensor, so that a recorded step follows when it changes
            momentum = torch.full_like(layer.norm.running_mean[0], layer.norm.momentum)
            layer.register_buffer("momentum", momentum, persistent=False)
    return model


def as_written(model: nn.Module) -> nn.Module:
    """The same model, its layers as their page has them: batch norm, ReLU and dropout in turn."""
    for layer in _layers(model):
        if type(layer) is FusedLayer:
            layer.__class__ = Layer
            del layer.synchronised, layer.momentum
    return model


def set_momentum(model: nn.Module, momentum: float) -> None:
    """The weight of a new batch in the running statistics, for every layer, fused or not."""
    for layer in _layers(model):
        layer.norm.momentum = momentum
        if type(layer) is FusedLayer:
            layer.momentum.fill_(momentum)


def synchronise(model: nn.Module) -> None:
    """From now on, statistics are those of all processes' batches together. Layers are fused:
    PyTorch's own batch norm does that on GPUs only."""
    for layer in _layers(for_training(model)):
        layer.synchronised = True


def _layers(model: nn.Module) -> Iterator[Layer]:
    """Those with a batch norm: a layer norm has no statistics and no second pass to save."""
    layers = (module for module in model.modules() if isinstance(module, Layer))
    return (layer for layer in layers if isinstance(layer.norm, nn.BatchNorm1d))


def _exact(p: float, device: torch.device) -> float:
    return round(256 * p) / 256 if device.type == "cpu" else p


def _dropped(x: Tensor, p: float) -> Tensor:
    """Which activations to drop."""
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return torch.rand(x.shape, device=x.device) < p
    # a CPU draws a number for each activation in one thread, a third of a small model's step;
    # a byte says as well whether to keep one, and eight of them come with each draw
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    return words.view(torch.uint8)[: x.numel()].view(x.shape) < round(256 * p)


def _unbiased(variance: Tensor, count: int | Tensor) -> Tensor:
    return variance * (count / (count - 1))


def _statistics(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each column of ``(N, C)``, on a CPU.

    PyTorch adds up all rows one by one, so that of many rows the sums lose two to three digits.
    Here it does so for a block of rows at a time, which also stays in the cache for the second
    pass over it; the few blocks are put together in float64.
    """
    kept = x.new_zeros(x.shape[1], dtype=dtype)  # which makes the statistics of that precision
    blocks = x.split(_ROWS)
    parts = [torch.batch_norm_update_stats(block, kept, kept, 0.0) for block in blocks]
    means, variances = (torch.stack(each).double() for each in zip(*parts, strict=True))
    share = means.new_tensor([len(block) for block in blocks])[:, None] / len(x)
    mean = (share * means).sum(0)
    variance = (share * (variances + (means - mean).square())).sum(0)
    return mean.to(dtype), variance.to(dtype)


class _NormReluDropout(torch.autograd.Function):
    """``(N, C)`` to the same, and the batch's mean and unbiased variance."""

    @staticmethod
    def forward(ctx, x, weight, bias, dropped, eps):
        if x.device.type == "cpu" and len(x) > _ROWS:
            mean, variance = _statistics(x, weight.dtype)
            y, *_ = torch.native_batch_norm(x, weight, bias, mean, variance, False, 0.0, eps)
            inverse = (variance + eps).rsqrt()
        else:
            y, mean, inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
            variance = inverse.pow(-2) - eps
        y = y.relu_()
        if dropped is not None:
            y = y.masked_fill_(dropped, 0)
        ctx.save_for_backward(x, y, weight, mean, inverse)
        ctx.eps = eps
        variance = _unbiased(variance, len(x))
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    def backward(ctx, grad, _mean, _variance):
        x, y, weight, mean, inverse = ctx.saved_tensors
        grad = torch.ops.aten.threshold_backward(grad, y, 0)
        wanted = [True, True, True]
        dx, dweight, dbias = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, inverse, True, ctx.eps, wanted
        )
        return dx, dweight, dbias, None, None


class _Stepwise(torch.autograd.Function):
    """The same in single steps: for a compiler, which fuses them itself, and for statistics over
    all processes (gradients of weight and bias stay those of this process, to be summed with all).
    """

    @staticmethod
    def forward(ctx, x, weight, bias, dropped, eps, synchronised):
        rows = x.to(weight.dtype)
        if synchronised:
            count = rows.new_tensor([len(x)])
            total = _over_processes(torch.cat([rows.sum(0), count]))
            count, mean = total[-1], total[:-1] / total[-1]
            # from the deviations: the difference of two large sums of squares loses what it seeks
            variance = _over_processes((rows - mean).square().sum(0)) / count
        else:
            count = len(x)
            variance, mean = torch.var_mean(rows, 0, correction=0)
        inverse = (variance + eps).rsqrt()
        y = ((rows - mean) * (inverse * weight) + bias).to(x.dtype).relu()
        if dropped is not None:
            y = y.masked_fill(dropped, 0)
        ctx.save_for_backward(x, y, weight, mean, inverse)
        ctx.count, ctx.synchronised = count, synchronised
        variance = _unbiased(variance, count)
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    def backward(ctx, grad, _mean, _variance):
        x, y, weight, mean, inverse = ctx.saved_tensors
        grad = grad.to(mean.dtype).masked_fill(y <= 0, 0)
        normed = (x.to(mean.dtype) - mean) * inverse
        dbias, dweight = grad.sum(0), (grad * normed).sum(0)
        sums = torch.stack([dbias, dweight])
        of_all = (_over_processes(sums) if ctx.synchronised else sums) / ctx.count
        dx = (grad - of_all[0] - normed * of_all[1]) * (inverse * weight)
        return dx.to(x.dtype), dweight, dbias, None, None, None


def _over_processes(values: Tensor) -> Tensor:
    distributed.all_reduce(values)
    return values
