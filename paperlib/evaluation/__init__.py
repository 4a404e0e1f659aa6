"""Poses to numbers: errors, their averages over any group, several people, matching."""

from paperlib import lazily
from paperlib.evaluation.body_size import STANDARD_HEIGHT, body_height, rescale_bones, universal
from paperlib.evaluation.clips import over_clips
from paperlib.evaluation.errors import (
    GROUPS,
    METRICS,
    Evaluation,
    HeldOutError,
    compare,
    evaluate,
    joined,
)
from paperlib.evaluation.forecasting import (
    HORIZONS,
    angle_errors,
    by_horizon,
    forecast_errors,
    forecast_windows,
    joint_angles,
    zero_velocity,
)
from paperlib.evaluation.hidden import hidden_mpjpe
from paperlib.evaluation.limbs import limbs, of_limbs, without_depth
from paperlib.evaluation.matching import match_people, match_sequence, matched_poses, pose_sets
from paperlib.evaluation.scenes import (
    SceneEvaluation,
    evaluate_scene,
    evaluate_scenes,
    pck_joints,
    pooled_scenes,
)
from paperlib.evaluation.speed import fastest, joint_speed

__getattr__, __dir__ = lazily(__name__)
