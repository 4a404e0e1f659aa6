"""Figures for the page. Each function draws one thing and gives the matplotlib figure."""

from paperlib.plotting.charts import error_bars, joint_path, per_action, training_curves, velocity
from paperlib.plotting.diagrams import receptive_fields, schedules
from paperlib.plotting.poses import draw_keypoints, draw_pose, pose_sequence
from paperlib.plotting.semi_supervised import (
    back_projection,
    label_curves,
    loss_terms,
    reprojections,
)
from paperlib.plotting.style import COLOURS, colour_of, use_style

__all__ = [
    "COLOURS",
    "back_projection",
    "colour_of",
    "draw_keypoints",
    "draw_pose",
    "error_bars",
    "joint_path",
    "label_curves",
    "loss_terms",
    "per_action",
    "pose_sequence",
    "receptive_fields",
    "reprojections",
    "schedules",
    "training_curves",
    "use_style",
    "velocity",
]
