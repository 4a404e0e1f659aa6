"""Data, rows and protocol of tables on several people (veges2020)."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

import torch

from paperlib.datasets import muco_temp
from paperlib.detection import detect, detect_people
from paperlib.evaluation import SceneEvaluation
from paperlib.experiment.frame import Experiment
from paperlib.experiment.rows import row
from paperlib.experiment.selection import pictured
from paperlib.recordings import Dataset, count_frames
from paperlib.results import Protocol
from paperlib.scenes import Scene, scenes
from paperlib.training import Recipe, Run

_STEPS = 3000  # of the laptop preset, on any data
METRICS = ("mrpe", "mpjpe", "pck3d", "n_mrpe", "n_mpjpe", "mrpe_median", "mpjpe_median")
METRICS += ("auc3d", "pck3d_absolute", "acceleration_error")


@dataclass(frozen=True)
class SeveralPeople:
    """What a table on several people learns from and is tested on: ``videos`` of them with exact
    keypoints, as a detector sees them (``crowd``), and single people so seen (``alone``), at the
    videos' frame rate. ``data`` learns from both and is tested on the videos, of which ``truth``
    has the scenes."""

    videos: Dataset
    alone: Dataset
    crowd: Dataset

    @property
    def data(self) -> Dataset:
        return muco_temp.joined(self.alone, self.crowd)

    @property
    def truth(self) -> tuple[Scene, ...]:
        return scenes(self.crowd.test)

    def recipe(self, preset: str) -> Recipe:
        """:meth:`Recipe.veges2020 <paperlib.training.Recipe.veges2020>`; as ``laptop`` with as many
        epochs of :attr:`data` as make about 3,000 steps."""
        recipe = Recipe.veges2020(preset)
        if preset != "laptop":
            return recipe
        steps = recipe.steps(2 * count_frames(self.data.train))  # each track is zoomed, too
        return recipe.shortened(max(1, round(_STEPS / steps)))


def several_people(experiment: Experiment) -> SeveralPeople:
    """The experiment's recordings, and MuCo-Temp made of them (veges2020, 4.1.1), as its detector
    sees them. Of all motion capture it is an excerpt (:func:`~paperlib.experiment.pictured`), but
    for the paper's preset: of single people about as many frames as the videos have, as there."""
    if experiment.dataset == "mocap":
        experiment = pictured(experiment)
    exact, how = experiment.exact, (experiment.detector, experiment.seed)
    videos = muco_temp.compose(exact, muco_temp.SIZES[experiment.preset])
    alone = detect(muco_temp.single(exact), *how)
    return SeveralPeople(videos, alone, detect_people(videos, *how))


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
    people: SeveralPeople,
    recipe: Recipe,
    receptive_field: int,
    seeds: Iterable[int] = (),
) -> Protocol:
    """What stands below a table of several people. The 2D error is that of people who were
    found."""
    data, exact = people.data, people.videos
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
