"""What every example of a temporal model needs: a past and a future at the ends of a sequence."""

import torch
from torch import Tensor


def padding(receptive_field: int, causal: bool) -> tuple[int, int]:
    """Frames to add before and after a sequence so that each of its frames gets a pose."""
    return (receptive_field - 1, 0) if causal else ((receptive_field - 1) // 2,) * 2


def pad_sequence(values: Tensor, receptive_field: int, causal: bool = False) -> Tensor:
    """``(T, …)`` with its first and last frame repeated: pavllo2019, 5.3, replication only at the
    ends of a sequence. ``T`` poses come out of a model that is given the result."""
    before, after = padding(receptive_field, causal)
    first = values[:1].expand(before, *values.shape[1:])
    last = values[-1:].expand(after, *values.shape[1:])
    return torch.cat([first, values, last])
