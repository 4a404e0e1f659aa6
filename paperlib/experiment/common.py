"""The parameters that every notebook has, and what is right for a value."""

from collections.abc import Iterable
from typing import Any

from paperlib import datasets
from paperlib.errors import one_of
from paperlib.randomness import check_seed
from paperlib.training import PRESETS
from paperlib.training.devices import DEVICES
from paperlib.training.recipes import AUTO

# the parameters of every notebook, and their choices
COMMON_PARAMETERS = {
    "dataset": (datasets.AUTO, *datasets.NAMES),
    "preset": (AUTO, *PRESETS),
    "seed": None,
    "device": DEVICES,
    "retrain": (False, True),
}


def check_value(name: str, value: Any, choices: Iterable | None) -> None:
    """``ValueError`` for a value that is not among the choices (None: anything goes), or a seed
    that is no whole number."""
    if choices is not None:
        one_of(name, value, choices)
    if name == "seed":
        check_seed(value)


def resolved_data(name: str, choices: tuple[str, ...]) -> str:
    """The data set that a parameter stands for, which is one of ``choices``."""
    if choices == COMMON_PARAMETERS["dataset"]:
        return datasets.resolve(name)
    return datasets.resolve(name, auto=tuple(c for c in choices if c != datasets.AUTO))
