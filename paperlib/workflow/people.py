"""Rows and protocol of tables on several people (veges2020)."""

from collections.abc import Iterable

import torch

from paperlib.detection.people import was_found
from paperlib.recordings import Dataset
from paperlib.results import Protocol
from paperlib.training import PeopleEvaluation, Recipe, Run
from paperlib.workflow.experiment import Experiment

# what the tables show: metric, as it is called there, and the factor from metres and shares
PEOPLE_SHOWN = {
    "mrpe": ("MRPE", "mm", 1000),
    "mpjpe": ("MPJPE", "mm", 1000),
    "pck3d": ("3D-PCK", "%", 100),
    "n_mrpe": ("N-MRPE", "mm", 1000),
    "n_mpjpe": ("N-MPJPE", "mm", 1000),
    "auc3d": ("AUC", "%", 100),
    "pck3d_absolute": ("3D-PCK, absolute", "%", 100),
    "acceleration_error": ("Accel", "mm/frame²", 1000),
}
PEOPLE_METRICS = {metric: shown[0] for metric, shown in PEOPLE_SHOWN.items()}


def people_rows(
    experiment: Experiment, system: str, evaluation: PeopleEvaluation, run: Run
) -> list[dict]:
    """The evaluation as rows of results; in the place of an action stands the set of poses."""
    about = experiment.about(system, run)
    return [
        {
            **about,
            "metric": metric,
            "action": poses,
            "value": factor * evaluation.average(metric, poses),
            "unit": unit,
        }
        for poses in evaluation.scenes
        for metric, (_, unit, factor) in PEOPLE_SHOWN.items()
    ]


def people_protocol(
    experiment: Experiment,
    data: Dataset,
    exact: Dataset,
    recipe: Recipe,
    receptive_field: int,
    seeds: Iterable[int] = (),
) -> Protocol:
    """What must be said below a table of several people; ``exact`` is ``data`` with exact
    keypoints. The 2D error is that of people who were found."""
    base = experiment.protocol(data, recipe, receptive_field, seeds, exact)
    found = [was_found(r) for r in data.test]
    errors = torch.cat(
        [
            (r.keypoints - e.keypoints).norm(dim=-1)[f]
            for r, e, f in zip(data.test, exact.test, found, strict=True)
        ]
    )
    lost = 1 - torch.cat(found).float().mean().item()
    return base.but(
        keypoint_error=errors.mean().item(),
        averaging=(
            "people and frames pooled within a video, videos averaged alike; locations are "
            f"absolute; the detector lost people in {100 * lost:.1f} % of their frames, which "
            "count unless a table says otherwise"
        ),
    )
