"""What a model costs, counted as pavllo2019 counts it (section 6.1, table 5)."""

from torch import nn

from paperlib.models.temporal import TemporalConv, TemporalModel


def count_parameters(model: nn.Module) -> int:
    """All trainable numbers: weights, biases, and scale and shift of the batch norms."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_per_frame(model: nn.Module) -> int:
    """Floating-point operations for one more frame of an endless sequence: two for each weight of
    a matrix product. Biases, norms and the padding at the ends are left out."""
    layers = (m for m in model.modules() if isinstance(m, nn.Linear | TemporalConv))
    return 2 * sum(layer.weight.numel() for layer in layers)


def flops_per_window(model: TemporalModel) -> int:
    """Floating-point operations for one window alone, by the strided schedule: a layer computes as
    many frames as the later ones still reach. Counted as in :func:`flops_per_frame`."""
    first, *widths = model.config["filter_widths"]
    frames = model.receptive_field // first
    total = frames * model.expand.weight.numel()
    for block, width in zip(model.blocks, widths, strict=True):
        frames //= width
        total += frames * (block.wide.weight.numel() + block.point.weight.numel())
    return 2 * (total + model.shrink.weight.numel())
