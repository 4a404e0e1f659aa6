"""Training without a notebook: in a shell, on a cluster, or by ``torchrun`` over several GPUs."""

from typing import Any

from paperlib.detection import DETECTORS, FILES
from paperlib.experiment.frame import Experiment
from paperlib.experiment.parameters import refuse_unknown
from paperlib.models import RECEPTIVE_FIELDS, TemporalModel, filter_widths
from paperlib.training import Recipe, Run, Supervised

PARAMETERS = {"dataset": "auto", "detector": "simulated", "receptive_field": 27, "causal": False}
PARAMETERS |= {"preset": "auto", "seed": 0, "device": "auto", "retrain": False}


def train_temporal(parameters: dict[str, Any]) -> Run:
    """Train the temporal model of pavllo2019 as the notebooks do, which then find it: they ask for
    the same model, data and recipe. ``parameters`` change some of :data:`PARAMETERS`.

    Under ``torchrun`` it is to be called within :func:`paperlib.training.processes.joined`.
    """
    refuse_unknown(parameters, PARAMETERS)
    own = {"detector": DETECTORS + FILES, "receptive_field": RECEPTIVE_FIELDS}
    values = PARAMETERS | parameters
    experiment = Experiment.begin("train", values, **own, causal=(False, True))
    data, recipe = experiment.load(), Recipe.pavllo2019(experiment.preset)

    def build() -> TemporalModel:
        joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
        options = {"channels": recipe.channels, "dropout": recipe.dropout}
        widths = filter_widths(values["receptive_field"])
        return TemporalModel(*joints, widths, causal=values["causal"], **options)

    return experiment.train("temporal", Supervised(build, data), recipe)
