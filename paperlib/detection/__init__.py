"""Where 2D keypoints come from. A detector turns a recording into one with its keypoints."""

from paperlib import lazily
from paperlib.detection.detectors import DETECTORS, FILES, detect, keypoint_error
from paperlib.detection.lost_people import detect_people
from paperlib.detection.simulated import PROFILES, Profile, simulate

__getattr__, __dir__ = lazily(__name__)
