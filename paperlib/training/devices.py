"""Which device, and in which precision."""

import torch

from paperlib.errors import one_of

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(name: str = "auto") -> torch.device:
    """``"auto"`` is a GPU where there is one. ``"cuda"`` without a GPU is a ``ValueError``."""
    present = torch.cuda.is_available()
    if one_of("device", name, DEVICES) == "cuda" and not present:
        raise ValueError(
            'device="cuda" was asked for, but PyTorch sees no GPU here: use device="auto" or "cpu"'
        )
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision: matrix products in bfloat16, weights and statistics in float32.

    ``"auto"`` uses it on GPUs that compute in bfloat16. On a CPU it must be asked for: some gain
    a factor of two by it, others lose a hundred.
    """
    one_of("precision", precision, PRECISIONS)
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8
        precision = "bfloat16" if fast else "float32"
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
