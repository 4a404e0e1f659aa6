"""Dropout that does not hold up training on a CPU.

There, PyTorch draws a floating-point number for every activation, in one thread: a third of a small
model's step. A byte says as well whether to keep one, and eight of them come with each draw.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Zeroes activations with probability ``p`` while training and scales up the others.

    On a CPU ``p`` is taken to the nearest 256th; 0.25 and 0.5 are exact. Elsewhere this is
    PyTorch's own.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not self.training or self.p == 0:
            return F.dropout(x, self.p, self.training)
        dropped = round(256 * self.p)
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= dropped
        return x * keep.to(x.dtype).mul_(256 / (256 - dropped))
