"""What a model costs, counted as pavllo2019 counts it (section 6.1, table 5)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from paperlib.models.temporal import TemporalModel


def count_parameters(model: nn.Module) -> int:
    """All trainable numbers: weights, biases, and scale and shift of the batch norms."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_per_frame(model: nn.Module) -> int:
    """Floating-point operations for one more frame of an endless sequence: two for each weight of
    a matrix product, those of an LSTM's gates among them. Biases, norms, what gates do number by
    number, and the padding at the ends are left out.

    ``ValueError`` for a model with layers of PyTorch's that are none of these: what a convolution
    over an image costs follows from its size, too."""
    return 2 * sum(weight.numel() for m in model.modules() for weight in _matrices(m))


def _matrices(module: nn.Module) -> list[Tensor]:
    if isinstance(module, nn.Linear | nn.RNNBase | nn.RNNCellBase):
        own = module.named_parameters(recurse=False)
        return [value for name, value in own if name.startswith("weight")]
    if any(p.ndim > 1 for p in module.parameters(recurse=False)):
        kind = type(module).__name__
        raise ValueError(f"a frame's cost is counted of matrix products, and there is a {kind}")
    return []


def channels_for(
    build: Callable[[int], nn.Module],
    wanted: int,
    cost: Callable[[nn.Module], int] = count_parameters,
) -> int:
    """How many channels make ``build(channels)`` cost ``wanted``, as nearly as can be: so that two
    kinds of network are compared, and not two sizes. ``ValueError`` for less than one channel
    costs."""

    def costs(channels: int) -> int:
        with torch.device("meta"):  # counting needs no memory
            return cost(build(channels))

    if costs(1) > wanted:
        raise ValueError(f"one channel costs {costs(1)} already, more than the {wanted} wanted")
    low, high = 1, 2
    while costs(high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if costs(middle) >= wanted else (middle, high)
    return min((low, high), key=lambda channels: abs(costs(channels) - wanted))


def flops_per_window(model: TemporalModel) -> int:
    """Floating-point operations for one window alone, by the strided schedule: a layer computes as
    many frames as the later ones still reach. Counted as in :func:`flops_per_frame`.

    Raises ``ValueError`` for a model without dilation, which has no such schedule.
    """
    if model.dense:
        raise ValueError("a model without dilation has no strided schedule, got dense=True")
    frames, total = model.receptive_field, model.shrink.weight.numel()
    for layer in model.layers:
        frames //= layer.width
        total += frames * layer.conv.weight.numel()
    return 2 * total
