"""Training without a notebook: in a shell, on a cluster, or by ``torchrun`` over several GPUs."""

from dataclasses import replace
from typing import Any

from paperlib import datasets
from paperlib.cameras import NORMALISATIONS
from paperlib.datasets import human36m
from paperlib.datasets.random_cameras import CAMERAS
from paperlib.detection import DETECTORS, FILES
from paperlib.errors import one_of
from paperlib.experiment.frame import Experiment
from paperlib.experiment.parameters import refuse_unknown
from paperlib.experiment.selection import known_and_unknown, listed
from paperlib.models import RECEPTIVE_FIELDS, PoseAndTrajectory, TemporalModel, filter_widths
from paperlib.recordings import Dataset, count_frames
from paperlib.training import Objective, Recipe, Run, SemiSupervised, Supervised, train

PARAMETERS = {"dataset": "auto", "detector": "simulated", "receptive_field": 27, "causal": False}
PARAMETERS |= {"cameras": "studio", "normalisation": "screen"}
PARAMETERS |= {"preset": "auto", "seed": 0, "device": "auto", "retrain": False}
# of semi-supervised training, which "unlabelled" switches on: whose video has no labels ("rest",
# or subjects), who has, and of what share of their frames; and the terms of the loss
SEMI_SUPERVISED = {"unlabelled": None, "labelled": None, "percent": 100}
TERMS = {"bones": True, "projection": True, "distortion": True}
PARAMETERS |= SEMI_SUPERVISED | TERMS
REST = "rest"


def train_temporal(parameters: dict[str, Any]) -> Run:
    """Train the temporal model of pavllo2019 as the notebooks do, which then find it: they ask for
    the same model, data and recipe. ``parameters`` change some of :data:`PARAMETERS`.

    With ``unlabelled`` the training is semi-supervised (section 4): poses are known of ``percent``
    of the frames of the subjects ``labelled`` (by default the first), and ``unlabelled`` are
    ``"rest"``, all other frames of the training part, or subjects by name (``"S6,S7"``). On
    Human3.6M those without published poses may be among these (``"S2,S3,S4"``).

    Under ``torchrun`` it is to be called within :func:`paperlib.training.processes.joined`.
    """
    refuse_unknown(parameters, PARAMETERS)
    own = {"detector": DETECTORS + FILES, "receptive_field": RECEPTIVE_FIELDS}
    own |= {"cameras": CAMERAS, "normalisation": NORMALISATIONS}
    own |= dict.fromkeys(("causal", *TERMS), (False, True)) | dict.fromkeys(SEMI_SUPERVISED)
    values = PARAMETERS | parameters
    experiment = Experiment.begin("train", values, **own)
    if values["unlabelled"] is not None:
        if values["normalisation"] != "screen":
            raise ValueError("normalisation: semi-supervised training projects to the screen only")
        return _semi_supervised(experiment, values)
    idle = [n for n, value in (SEMI_SUPERVISED | TERMS).items() if values[n] != value]
    if idle:
        raise ValueError(
            f"{', '.join(idle)}: of semi-supervised training, which needs unlabelled video: set "
            f"unlabelled to {REST!r}, or to subjects"
        )
    data, recipe = experiment.load(), Recipe.pavllo2019(experiment.preset)

    def build() -> TemporalModel:
        size = _size(values, recipe) | {"normalisation": values["normalisation"]}
        return TemporalModel(*_joints(data), **size)

    return _train(experiment, "temporal", Supervised(build, data), recipe)


def _semi_supervised(experiment: Experiment, values: dict[str, Any]) -> Run:
    labelled, unlabelled = _parts(experiment, values)
    recipe = Recipe.semi_supervised(experiment.preset, 2 * count_frames(labelled.train))

    def build() -> PoseAndTrajectory:
        return PoseAndTrajectory(*_joints(labelled), **_size(values, recipe))

    terms = {name: values[name] for name in TERMS}
    warm_up = max(1, recipe.epochs // 10)
    objective = SemiSupervised(build, labelled, unlabelled, warm_up, **terms)
    return _train(experiment, "semi-supervised", objective, recipe)


def _train(experiment: Experiment, name: str, objective: Objective, recipe: Recipe) -> Run:
    # whoever asks for a training by name wants a run of their own, to evaluate or to go on with:
    # weights that travel along have none
    return train(objective, recipe, name=name, **experiment.training_options)


def _joints(data: Dataset) -> tuple[int, int, int]:
    return len(data.keypoint_skeleton), 2, len(data.skeleton)


def _size(values: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    size = {"filter_widths": filter_widths(values["receptive_field"]), "causal": values["causal"]}
    return size | {"channels": recipe.channels, "dropout": recipe.dropout}


def _parts(experiment: Experiment, values: dict[str, Any]) -> tuple[Dataset, Dataset]:
    """What is learnt from with labels, and without."""
    data = experiment.load()
    there = tuple(dict.fromkeys(r.subject for r in data.train))
    who = there[:1] if values["labelled"] is None else listed("labelled", values["labelled"])
    percent = values["percent"]
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 < percent <= 100:
        raise ValueError(f"percent={percent!r}: expected a share of the frames, above 0, up to 100")
    field = values["receptive_field"]
    labelled, rest = known_and_unknown(experiment, data, who, percent / 100, field)
    names = listed("unlabelled", values["unlabelled"])
    if names == [REST]:
        return labelled, rest
    licensed = experiment.dataset == "human36m"
    films = human36m.UNLABELLED if licensed and values["detector"] in FILES else ()
    for name in names:
        one_of("unlabelled subject", name, (REST, *there, *films))
    parts = rest.select(lambda r: r.subject in names).train
    if wanted := [name for name in names if name in films]:
        small = datasets.REGISTRY["human36m"].small if experiment.preset == "smoke" else {}
        parts += human36m.load_unlabelled(values["detector"], wanted, **small).train
    source = f"{data.source} Without labels: {', '.join(names)}."
    return labelled, replace(
        rest, name=f"{rest.name}-{','.join(names)}", train=parts, source=source
    )
