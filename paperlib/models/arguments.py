"""What the models' constructors and calls take, checked in one place."""

from numbers import Integral, Real

import torch
from torch import Tensor

from paperlib.cameras import NORMALISATIONS

THIRD = ("confidence", "depth")  # what a third number of a joint may be


def _integer(least: int) -> tuple:
    return (lambda v: isinstance(v, Integral) and v >= least), f"an integer of at least {least}"


_SWITCH = (lambda v: isinstance(v, bool)), "True or False"
# what an argument of this name must be, and in words
_EXPECTED = {
    **dict.fromkeys(("num_joints", "num_joints_in", "in_features"), _integer(1)),
    **dict.fromkeys(("num_joints_out", "channels", "embedding", "length"), _integer(1)),
    **dict.fromkeys(("num_blocks", "root"), _integer(0)),
    **dict.fromkeys(("causal", "dense", "start_from_guesses", "place"), _SWITCH),
    **dict.fromkeys(("spatial", "coordinates", "spectral_norm"), _SWITCH),
    **dict.fromkeys(("discriminator_channels", "pool", "pool_frames"), _integer(1)),
    "discriminator_blocks": _integer(0),
    **dict.fromkeys(("bins", "deconvolution"), _integer(1)),
    "size": ((lambda v: isinstance(v, Integral) and v > 0 and v % 32 == 0), "a multiple of 32"),
    "extent": ((lambda v: isinstance(v, Real) and 0 < v < 1e3), "a length in metres, above 0"),
    "dropout": ((lambda v: isinstance(v, Real) and 0 <= v < 1), "in [0, 1)"),
    "normalisation": ((lambda v: v in NORMALISATIONS), f"one of {', '.join(NORMALISATIONS)}"),
    "third": ((lambda v: v in THIRD), f"one of {', '.join(THIRD)}"),
    "threshold": ((lambda v: isinstance(v, Real) and 0 < v < 1), "between 0 and 1"),
}


def checked(arguments: dict) -> dict:
    """The arguments of a constructor, from its ``locals()``: the config that builds it again.

    Raises ``ValueError`` for a value of the wrong kind or size.
    """
    config = {name: v for name, v in arguments.items() if name not in ("self", "__class__")}
    for name, value in config.items():
        is_good, what = _EXPECTED.get(name, (lambda v: True, ""))
        if not is_good(value):
            raise ValueError(f"{name} must be {what}, got {name}={value!r}")
    if "filter_widths" in config:
        config["filter_widths"] = _widths(config["filter_widths"])
    return config


def _widths(given: object) -> tuple[int, ...]:
    widths = tuple(given) if isinstance(given, tuple | list) else ()
    if not widths or not all(isinstance(w, Integral) and w >= 1 and w % 2 for w in widths):
        raise ValueError(
            "filter_widths must be a tuple of numbers, each odd and at least one, such as "
            f"(3, 3, 3), which filter_widths(27) gives for 27 frames; got {given!r}"
        )
    return tuple(int(w) for w in widths)


def check_keypoints(
    keypoints: Tensor, joints: int, features: int, receptive_field: int = 0, what: str = "keypoints"
) -> None:
    """``ValueError`` for anything but a tensor ``(B, T, joints, features)`` of enough frames."""
    is_tensor = isinstance(keypoints, Tensor)
    if not is_tensor or keypoints.ndim != 4 or keypoints.shape[2:] != (joints, features):
        given = tuple(keypoints.shape) if is_tensor else f"a {type(keypoints).__name__}"
        raise ValueError(f"expected {what} (B, T, {joints}, {features}) as a tensor, got {given}")
    frames = keypoints.shape[1]
    if frames < receptive_field:
        raise ValueError(
            f"{frames} frames are fewer than the receptive field of {receptive_field}: pad the "
            "sequence (windows.pad_sequence does)"
        )


def check_images(images: Tensor, divisor: int, values: bool = True) -> None:
    """``ValueError`` for anything but pictures ``(N, 3, H, W)`` in floating point, both sides
    multiples of ``divisor``; with ``values`` also for what is not finite or not from 0 to 1. That
    waits for the device, so that a training, which draws its own, does not ask."""
    is_tensor = isinstance(images, Tensor)
    if not is_tensor or images.ndim != 4 or images.shape[1] != 3 or not len(images):
        given = tuple(images.shape) if is_tensor else f"a {type(images).__name__}"
        raise ValueError(f"expected images (N, 3, H, W) as a tensor, N > 0, got {given}")
    if images.shape[2] % divisor or images.shape[3] % divisor or not images.numel():
        raise ValueError(
            f"images of {images.shape[2]} x {images.shape[3]} pixels: both sides must be "
            f"multiples of {divisor}, by which the network divides them; resize or crop them"
        )
    if not images.is_floating_point():
        raise ValueError(f"images of {images.dtype}: expected floating point from 0 to 1")
    if values and not (torch.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
        raise ValueError(
            f"images must be RGB from 0 to 1, got values from {images.min():.4g} to "
            f"{images.max():.4g}; divide 8-bit pictures by 255, and leave out frames with NaN"
        )
