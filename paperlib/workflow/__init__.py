"""What a notebook stands on: its parameters, running it, publishing it."""

__all__ = ["METRIC_NAMES", "Experiment"]


def __getattr__(name: str):
    # only when asked for: running a notebook would else import torch twice, here and in its kernel
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from paperlib.workflow import experiment

    return getattr(experiment, name)
