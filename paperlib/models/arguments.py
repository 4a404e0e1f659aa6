"""What the models' constructors and calls take, checked in one place."""

from numbers import Integral, Real

from torch import Tensor

_LEAST = dict.fromkeys(("num_joints_in", "in_features", "num_joints_out", "channels"), 1)
_LEAST |= {"num_blocks": 0, "root": 0}
_SWITCHES = ("causal", "dense", "start_from_guesses")


def checked(arguments: dict) -> dict:
    """The arguments of a constructor, from its ``locals()``: the config that builds it again.

    Raises ``ValueError`` for a value of the wrong kind or size.
    """
    config = {name: v for name, v in arguments.items() if name not in ("self", "__class__")}
    for name, value in config.items():
        if name in _LEAST:
            _expect(
                isinstance(value, Integral) and value >= _LEAST[name],
                name,
                value,
                f"an integer of at least {_LEAST[name]}",
            )
            config[name] = int(value)
        elif name in _SWITCHES:
            _expect(isinstance(value, bool), name, value, "True or False")
        elif name == "dropout":
            _expect(isinstance(value, Real) and 0 <= value < 1, name, value, "in [0, 1)")
        elif name == "threshold":
            _expect(isinstance(value, Real) and 0 < value < 1, name, value, "between 0 and 1")
        elif name == "filter_widths":
            config[name] = _widths(value)
    return config


def _expect(good: bool, name: str, value: object, what: str) -> None:
    if not good:
        raise ValueError(f"{name} must be {what}, got {name}={value!r}")


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
