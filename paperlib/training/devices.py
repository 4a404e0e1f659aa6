"""Which device, and in which precision."""

import torch

from paperlib.errors import one_of

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "mixed", "float32", "bfloat16")
# what makes a processor faster in bfloat16: a training step by 1.4 to 1.6 with the second alone
_INSTRUCTIONS = ("amx_bf16", "avx512_bf16")


def choose_device(name: str = "auto") -> torch.device:
    """``"auto"`` is a GPU where there is one. ``"cuda"`` without a GPU is a ``ValueError``."""
    present = torch.cuda.is_available()
    if one_of("device", name, DEVICES) == "cuda" and not present:
        raise ValueError(
            'device="cuda" was asked for, but PyTorch sees no GPU here: use device="auto" or "cpu"'
        )
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def choose_precision(device: torch.device, precision: str) -> str:
    """``"float32"`` or ``"bfloat16"``. ``"mixed"`` is the second where the device multiplies such
    matrices itself: GPUs from the year 2020 on, and processors with AMX or with AVX-512 for
    bfloat16. ``"auto"`` does so on a GPU alone.

    Other processors can be asked for ``"bfloat16"`` too, but some lose a factor of hundred by it.
    """
    one_of("precision", precision, PRECISIONS)
    if precision not in ("auto", "mixed"):
        return precision
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device)[0] >= 8 else "float32"
    # older versions of PyTorch do not say
    known = getattr(torch.cpu, "get_capabilities", dict)()
    able = any(known.get(name) for name in _INSTRUCTIONS)
    return "bfloat16" if precision == "mixed" and able else "float32"


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Mixed precision where :func:`choose_precision` says so: matrix products in bfloat16, weights
    and statistics in float32."""
    half = choose_precision(device, precision) == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=half)
