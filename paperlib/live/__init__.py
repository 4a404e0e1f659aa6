"""Poses in metres while people are being filmed: :class:`LiveLifter`, of a detector's keypoints."""

from paperlib import lazily
from paperlib.live.lifter import LiveLifter
from paperlib.live.people import LivePose

__getattr__, __dir__ = lazily(__name__)
