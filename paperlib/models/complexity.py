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
    number, and the padding at the ends are left out."""
    return 2 * sum(weight.numel() for m in model.modules() for weight in _matrices(m))


def _matrices(module: nn.Module) -> list[Tensor]:
    if isinstance(module, nn.Linear):
        return [module.weight]
    if isinstance(module, nn.LSTM):
        return [value for name, value in module.named_parameters() if name.startswith("weight")]
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
