"""What a notebook stands on: its parameters, running it, publishing it."""

from paperlib.workflow.experiment import METRIC_NAMES, Experiment

__all__ = ["METRIC_NAMES", "Experiment"]
