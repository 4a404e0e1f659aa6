"""What bfloat16 costs in error: the same training in both precisions, judged on the test split.

Masters of the weights, statistics and the last layer are float32 in both. Two seeds of float32 say
how much of the difference is chance.
"""

import os
import tempfile
from unittest.mock import patch

import torch

from paperlib import datasets, detection
from paperlib.evaluation import evaluate
from paperlib.models import TemporalModel, filter_widths
from paperlib.training import Recipe, Supervised, resolve_preset, train


def measure(device: torch.device) -> list[dict]:
    data = detection.detect(datasets.load("synthetic"), "simulated")
    recipe = Recipe.pavllo2019(resolve_preset(device=device.type))
    if device.type == "cpu":
        recipe = recipe.shortened(4)  # four trainings: minutes all the same
    widths = filter_widths(27)

    def build() -> TemporalModel:
        return TemporalModel(17, 2, 17, widths, channels=recipe.channels)

    rows = []
    # runs of a folder of their own: what is measured is measured now
    with tempfile.TemporaryDirectory() as runs, patch.dict(os.environ, {"PAPERLIB_RUNS": runs}):
        for precision, seed in (("float32", 0), ("float32", 1), ("bfloat16", 0), ("bfloat16", 1)):
            how = recipe.but(precision=precision)
            run = train(Supervised(build, data), how, seed, device.type, progress=False)
            found = evaluate(run.model, data.test, recipe.test_flip, device.type)
            rows.append(
                {
                    "receptive_field": run.model.receptive_field,
                    "channels": recipe.channels,
                    "precision": precision,
                    "seed": seed,
                    "mpjpe_mm": 1000 * found.average("mpjpe"),
                    "minutes": run.seconds / 60,
                }
            )
    return rows
