"""Batch norm, ReLU and dropout as one step: what stands behind every layer of the lifting networks.

One after the other, the three walk four times through memory on the way up and four times back, and
keep three copies for the way back. Here the second and third work in place, and the way back needs
but what came in and what went out: a zero there stands for a unit that was cut or dropped.
"""

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F


class Activation(nn.Module):
    """Batch norm, ReLU and dropout of activations ``(…, C)``, normalised over all but the last.

    On a CPU the dropout probability is taken to the nearest 256th; 0.25 and 0.5 are exact.
    ``synchronised`` takes the statistics over the batches of all processes.
    """

    def __init__(self, channels: int, dropout: float):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)  # its parameters and running statistics
        self.dropout = dropout
        self.synchronised = False
        # a tensor, so that a recorded step follows when it changes
        self.register_buffer("momentum", torch.tensor(0.1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        norm, rows = self.norm, x.flatten(0, -2)
        if not self.training:
            y = F.batch_norm(rows, norm.running_mean, norm.running_var, norm.weight, norm.bias)
            return F.relu(y).view_as(x)
        p = _exact(self.dropout, x.device)
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


def set_momentum(model: nn.Module, momentum: float) -> None:
    """The weight of a new batch in the running statistics, for every :class:`Activation`."""
    for layer in model.modules():
        if isinstance(layer, Activation):
            layer.momentum.fill_(momentum)


def synchronise(model: nn.Module) -> None:
    """From now on, statistics are those of all processes' batches together."""
    for layer in model.modules():
        if isinstance(layer, Activation):
            layer.synchronised = True


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


class _NormReluDropout(torch.autograd.Function):
    """``(N, C)`` to the same; beside it the batch's mean and unbiased variance."""

    @staticmethod
    def forward(ctx, x, weight, bias, dropped, eps):
        y, mean, inverse = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        y = y.relu_()
        if dropped is not None:
            y = y.masked_fill_(dropped, 0)
        ctx.save_for_backward(x, y, weight, mean, inverse)
        ctx.eps = eps
        variance = _unbiased(inverse.pow(-2) - eps, len(x))
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
    """The same in single steps: for a compiler, which joins them anew, and for statistics over all
    processes (gradients of weight and bias stay those of this process, to be summed with all)."""

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
