"""What a model costs, counted as pavllo2019 counts it (section 6.1, table 5)."""

from torch import nn

from paperlib.models.temporal import TemporalConv


def count_parameters(model: nn.Module) -> int:
    """All trainable numbers: weights, biases, and scale and shift of the batch norms."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_per_frame(model: nn.Module) -> int:
    """Floating-point operations for one more frame of an endless sequence: two for each weight of
    a matrix product. Biases, norms and the padding at the ends are left out."""
    layers = (m for m in model.modules() if isinstance(m, nn.Linear | TemporalConv))
    return 2 * sum(layer.weight.numel() for layer in layers)
