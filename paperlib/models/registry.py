"""All models by the names of their classes: what checkpoints and the command line know them by."""

from torch import nn

from paperlib.errors import CheckpointError, one_of
from paperlib.models.generator_and_discriminator import GeneratorAndDiscriminator
from paperlib.models.high_resolution import HighResolutionNet
from paperlib.models.integral import IntegralRegression
from paperlib.models.linear import LinearModel
from paperlib.models.lstm import LSTMModel
from paperlib.models.multi_stride import MultiStrideTCN
from paperlib.models.occlusion_aware import OcclusionAware
from paperlib.models.pose_and_trajectory import PoseAndTrajectory, SharedPoseAndTrajectory
from paperlib.models.recurrent_forecaster import RecurrentForecaster
from paperlib.models.temporal import TemporalModel
from paperlib.models.temporal_posenet import TemporalPoseNet

MODELS: dict[str, type[nn.Module]] = {
    m.__name__: m
    for m in (
        LinearModel,
        LSTMModel,
        TemporalModel,
        PoseAndTrajectory,
        SharedPoseAndTrajectory,
        TemporalPoseNet,
        OcclusionAware,
        MultiStrideTCN,
        GeneratorAndDiscriminator,
        RecurrentForecaster,
        IntegralRegression,
        HighResolutionNet,
    )
}


def build(config: dict) -> nn.Module:
    """A new model of ``{"class": name, **model.config}``, its weights at random.

    Raises ``ValueError`` for another class than those of :data:`MODELS`, and
    :class:`CheckpointError` for arguments that are missing, unknown or wrong.
    """
    name = one_of("model", config.get("class"), MODELS)
    try:
        return MODELS[name](**{key: value for key, value in config.items() if key != "class"})
    except (TypeError, ValueError) as problem:  # Python's own names the argument
        raise CheckpointError(f"no {name} can be built of its configuration: {problem}") from None
