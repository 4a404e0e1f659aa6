"""People followed from picture to picture: where somebody was is where they are looked for."""

from typing import NamedTuple

import numpy as np

from paperlib.detection.blazepose.landmarks import JOINTS, Landmarks
from paperlib.detection.blazepose.networks import Networks
from paperlib.detection.blazepose.regions import Region
from paperlib.detection.blazepose.smoothing import Smoother, steadier

_PRESENT = 0.5  # presence from which somebody is there


class Tracker:
    """Finds one person in the pictures of a film, given in their order.

    The detector is asked only where nobody is followed. ``smooth`` smooths the joints over time as
    MediaPipe does; the region in which the person is looked for next is smoothed always.
    """

    def __init__(self, networks: Networks, smooth: bool = True):
        self.networks, self.smooth = networks, smooth
        self._region: Region | None = None

    def step(self, picture: np.ndarray, time: float) -> Landmarks | None:
        """The person in the picture ``(H, W, 3)`` of bytes at ``time`` seconds."""
        if self._region is None:
            found = self.networks.people(picture)
            if not found:
                return None
            self._region = found[0]
            self._rim, self._joints = Smoother(0.01, 10.0), Smoother(0.05, 80.0)
            self._visibility = None
        seen = self.networks.landmarks(picture, self._region)
        if seen.presence < _PRESENT:
            self._region = None
            return None
        size = seen.region(wider=1.0).side
        rim = self._rim.points(seen.points[JOINTS:], time, size)
        joints = seen.points[:JOINTS]
        if self.smooth:
            joints = self._joints.points(joints, time, size)
            self._visibility = steadier(self._visibility, seen.visibility)
            seen = seen._replace(visibility=self._visibility)
        seen = seen._replace(points=np.concatenate([joints, rim]))
        self._region = seen.region()
        return seen
