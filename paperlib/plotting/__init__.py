"""Figures for the page. Each function draws one thing and gives the matplotlib figure."""

from paperlib import lazily
from paperlib.plotting.animation import lifting_animation
from paperlib.plotting.charts import (
    by_view,
    error_bars,
    error_curves,
    joint_path,
    per_action,
    training_curves,
)
from paperlib.plotting.claims import verdict_counts
from paperlib.plotting.depths import depth_errors, error_per_joint, marginals
from paperlib.plotting.diagrams import receptive_fields, schedules, streaming
from paperlib.plotting.discriminator import adversarial_curves, chain_spaces
from paperlib.plotting.effects import claim_effects
from paperlib.plotting.lifting import lifting
from paperlib.plotting.multi_stride import multi_stride_system
from paperlib.plotting.occlusion import (
    boxed_body,
    heatmap_strip,
    joint_scores,
    labellings,
    tolerance_curves,
)
from paperlib.plotting.people import PEOPLE, energy_curves, floor_plan, occluded_path, shade_gaps
from paperlib.plotting.pictures import high_resolution, pictures_to_poses
from paperlib.plotting.poses import draw_keypoints, name_sides, pose_sequence
from paperlib.plotting.semi_supervised import (
    back_projection,
    label_curves,
    loss_terms,
    reprojections,
)
from paperlib.plotting.speed import growth, ratios
from paperlib.plotting.style import COLOURS, GRID, colour_of, use_style
from paperlib.plotting.two_stages import film_strip, two_stages

__getattr__, __dir__ = lazily(__name__)
