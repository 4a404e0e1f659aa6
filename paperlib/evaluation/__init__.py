"""Poses to numbers: errors, their averages over any group, several people, matching."""

from paperlib import lazily
from paperlib.evaluation.body_size import STANDARD_HEIGHT, body_height, rescale_bones, universal
from paperlib.evaluation.errors import GROUPS, METRICS, Evaluation, HeldOutError, evaluate
from paperlib.evaluation.matching import match_people, match_sequence, matched_poses, pose_sets
from paperlib.evaluation.scenes import (
    SceneEvaluation,
    evaluate_scene,
    evaluate_scenes,
    pck_joints,
    pooled_scenes,
)

__all__ = [
    "GROUPS",
    "METRICS",
    "STANDARD_HEIGHT",
    "Evaluation",
    "HeldOutError",
    "SceneEvaluation",
    "body_height",
    "evaluate",
    "evaluate_scene",
    "evaluate_scenes",
    "match_people",
    "match_sequence",
    "matched_poses",
    "pck_joints",
    "pooled_scenes",
    "pose_sets",
    "rescale_bones",
    "universal",
]
__getattr__, __dir__ = lazily(__name__)
