"""What a notebook stands on: its parameters, running it, publishing it."""

from importlib import import_module

_HOMES = {
    "METRIC_NAMES": "experiment",
    "Experiment": "experiment",
    "PEOPLE_METRICS": "people",
    "people_protocol": "people",
    "people_rows": "people",
}
__all__ = ["METRIC_NAMES", "PEOPLE_METRICS", "Experiment", "people_protocol", "people_rows"]


def __getattr__(name: str):
    # only when asked for: running a notebook would else import torch twice, here and in its kernel
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"paperlib.workflow.{_HOMES[name]}"), name)
