"""Training examples: windows of frames, gathered by index."""

from paperlib import lazily
from paperlib.windows.gather import Track, Windows
from paperlib.windows.joint_depths import INPUTS, as_inputs
from paperlib.windows.keypoints import (
    DEPTH_UNIT,
    input_of,
    keypoint_windows,
    mirror,
    mirror_input,
    network_input,
)
from paperlib.windows.maps import (
    are_maps,
    map_cells,
    map_features,
    map_input,
    mirrored_maps,
    packed,
    unpacked,
)
from paperlib.windows.padding import pad_sequence, padding
from paperlib.windows.tracks import draw_zoom, track_features, track_targets, track_windows

__getattr__, __dir__ = lazily(__name__)
