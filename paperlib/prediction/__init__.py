"""Recordings to poses: whole sequences, mirror images averaged in, absolute places, streams."""

from paperlib import lazily
from paperlib.models import Streaming, lift
from paperlib.prediction.absolute import locate, locate_scene
from paperlib.prediction.images import joints_in, predict_dataset, predict_joints
from paperlib.prediction.maps import (
    NetworkMaps,
    maps_of,
    predict_maps,
    with_network_maps,
    with_peaks,
)
from paperlib.prediction.overlapping import lift_windows
from paperlib.prediction.root_depth import (
    ROOT_DEPTHS,
    bone_lengths,
    estimated_root_depth,
    first_stage_poses,
    to_camera_space,
)
from paperlib.prediction.sequences import predict, predict_occlusion
from paperlib.prediction.videos import joints_in_video, predict_video

__all__ = [
    "ROOT_DEPTHS",
    "NetworkMaps",
    "Streaming",
    "bone_lengths",
    "estimated_root_depth",
    "first_stage_poses",
    "joints_in",
    "joints_in_video",
    "lift",
    "lift_windows",
    "locate",
    "locate_scene",
    "maps_of",
    "predict",
    "predict_dataset",
    "predict_joints",
    "predict_maps",
    "predict_occlusion",
    "predict_video",
    "to_camera_space",
    "with_network_maps",
    "with_peaks",
]
__getattr__, __dir__ = lazily(__name__)
