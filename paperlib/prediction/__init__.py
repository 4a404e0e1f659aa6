"""Recordings to poses: whole sequences, mirror images averaged in, absolute places, streams."""

from paperlib import lazily
from paperlib.models import Streaming, lift
from paperlib.prediction.absolute import locate, locate_scene
from paperlib.prediction.maps import NetworkMaps, maps_of, with_network_maps
from paperlib.prediction.overlapping import lift_windows
from paperlib.prediction.sequences import predict, predict_occlusion

__all__ = [
    "NetworkMaps",
    "Streaming",
    "lift",
    "lift_windows",
    "locate",
    "locate_scene",
    "maps_of",
    "predict",
    "predict_occlusion",
    "with_network_maps",
]
__getattr__, __dir__ = lazily(__name__)
