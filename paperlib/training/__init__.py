"""How models learn: objectives, recipes (hyperparameters), the loop, and finished runs."""

from paperlib import lazily
from paperlib.training.collapse import collapse
from paperlib.training.devices import choose_device
from paperlib.training.load import load_run
from paperlib.training.loop import train
from paperlib.training.objectives import (
    FIRST_STAGE,
    SECOND_STAGE,
    AbsolutePose,
    Adversarial,
    Forecasting,
    ImageJoints,
    JointDepths,
    KeypointMaps,
    Objective,
    PoseAndOcclusion,
    SemiSupervised,
    Supervised,
    Update,
)
from paperlib.training.recipes import PRESETS, Recipe, resolve_preset
from paperlib.training.runs import Run
from paperlib.training.shipping import provenance, ship, shipped, shipped_models, shipped_run
from paperlib.training.spatio_temporal import MASKS, spatio_temporal
from paperlib.training.subsets import (
    FRACTIONS,
    downsampled,
    split_labels,
    whole_windows,
    withhold_positions,
)
from paperlib.training.two_stages import MARGINALS, first_stage, second_stage

__getattr__, __dir__ = lazily(__name__)
