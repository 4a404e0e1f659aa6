"""Rows and protocol of tables on several people (veges2020)."""

from collections.abc import Iterable
from math import isnan

import torch

from paperlib.evaluation import SceneEvaluation
from paperlib.experiment.frame import Experiment
from paperlib.experiment.rows import row
from paperlib.recordings import Dataset
from paperlib.results import Protocol
from paperlib.training import Recipe, Run

METRICS = ("mrpe", "mpjpe", "pck3d", "n_mrpe", "n_mpjpe", "mrpe_median", "mpjpe_median")
METRICS += ("auc3d", "pck3d_absolute", "acceleration_error")


def scene_rows(
    experiment: Experiment, system: str, evaluation: SceneEvaluation, run: Run
) -> list[dict]:
    """The evaluation as rows of results; in the place of an action stands the set of poses. What a
    set has no value of (acceleration, where nobody is lost for three frames) has no row."""
    about = experiment.about(system, run)
    found = [
        row(about, metric, poses, evaluation.average(metric, poses))
        for poses in evaluation.scenes
        for metric in METRICS
    ]
    return [line for line in found if not isnan(line["value"])]


def scene_protocol(
    experiment: Experiment,
    data: Dataset,
    exact: Dataset,
    recipe: Recipe,
    receptive_field: int,
    seeds: Iterable[int] = (),
) -> Protocol:
    """What stands below a table of several people; ``exact`` is ``data`` with exact
    keypoints. The 2D error is that of people who were found."""
    base = experiment.protocol(data, recipe, receptive_field, seeds, exact)
    pairs = zip(data.test, exact.test, strict=True)
    errors = torch.cat([(r.keypoints - e.keypoints).norm(dim=-1)[r.found] for r, e in pairs])
    lost = 1 - torch.cat([r.found for r in data.test]).float().mean().item()
    return base.but(
        keypoint_error=errors.mean().item(),
        averaging=(
            "people and frames pooled within a video, videos averaged alike; locations are "
            f"absolute; the detector lost people in {100 * lost:.1f} % of their frames, which "
            "count unless a table says otherwise"
        ),
    )
