"""Where 2D keypoints come from. A detector turns a recording into one with its keypoints."""

from paperlib import lazily
from paperlib.detection.detectors import (
    DETECTORS,
    FILES,
    PROFILES,
    detect,
    keypoint_error,
    resolve,
    simulate,
)
from paperlib.detection.hiding import FILLINGS, filled, gap, masked, without
from paperlib.detection.lost_people import detect_people
from paperlib.detection.profiles import ERROR_PROFILES, ErrorProfile
from paperlib.detection.simulated import Profile

_FILES = {"read_people": "files", "read_keypoints": "files", "Keypoints2D": "sequences"}

__getattr__, __dir__ = lazily(__name__, _FILES)
