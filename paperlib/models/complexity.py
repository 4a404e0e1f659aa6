"""What a model costs, counted as pavllo2019 counts it (section 6.1, table 5)."""

from torch import nn

from paperlib.models.temporal import TemporalModel


def count_parameters(model: nn.Module) -> int:
    """All trainable numbers: weights, biases, and scale and shift of the batch norms."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_per_frame(model: nn.Module) -> int:
    """Floating-point operations for one more frame of an endless sequence: two for each weight of
    a matrix product. Biases, norms and the padding at the ends are left out."""
    return 2 * sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))


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
