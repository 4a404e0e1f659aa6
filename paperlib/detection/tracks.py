"""Who is who from frame to frame.

Each frame's people are assigned to the tracks before it so that the sum of distances is the least
(the Hungarian algorithm). A track is expected where its last pose would be had it gone on moving
as before, so that two people who cross keep their identity; the distance is the mean over joints
that are seen in both, in units of the person's size, so that it means the same near and far.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

_FARTHEST = 0.5  # sizes of the person: nobody moves farther between frames beyond what is expected
_REMEMBERED = 30  # frames of the film after which somebody who is lost is another person
_MOTION_OVER = 6  # detections over which the motion is averaged
_IMPOSSIBLE = 1e6  # the cost of an assignment that must not be


@dataclass
class _Track:
    number: int
    frames: list[int] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)

    def add(self, frame: int, pose: np.ndarray) -> None:
        self.frames.append(frame)
        self.poses.append(pose)
        # only these are looked at again
        del self.frames[:-_MOTION_OVER], self.poses[:-_MOTION_OVER]

    def expected(self, frame: int) -> np.ndarray:
        return self.poses[-1] + self._velocity() * (frame - self.frames[-1])

    def _velocity(self) -> np.ndarray:
        """(2,) pixels per frame, of the joints that are seen in the first and the last pose."""
        if len(self.frames) < 2:
            return np.zeros(2)
        moved = self.poses[-1] - self.poses[0]
        known = np.isfinite(moved).all(axis=1)
        if not known.any():
            return np.zeros(2)
        return moved[known].mean(axis=0) / (self.frames[-1] - self.frames[0])


def person_size(pose: np.ndarray) -> float:
    """The longer side, in pixels, of the box about what is seen of a pose ``(K, 2)``, NaN where it
    is not; 0 where nothing is."""
    seen = pose[np.isfinite(pose).all(axis=1)]
    return float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0


def associated(frames: dict[int, list[np.ndarray]]) -> dict[int, list[int]]:
    """The number of the track of each pose, from 0 in the order of appearance.

    ``frames`` holds by the film's frame number the poses ``(K, 2)`` found there, pixels, with NaN
    for joints that were not. The answer has the same frames, with a number for each of the poses.
    """
    numbers: dict[int, list[int]] = {}
    tracks: list[_Track] = []
    count = 0
    for frame in sorted(frames):
        poses = frames[frame]
        tracks = [track for track in tracks if frame - track.frames[-1] <= _REMEMBERED]
        found = _assigned(tracks, poses, frame)
        numbers[frame] = []
        for i, pose in enumerate(poses):
            track = found.get(i)
            if track is None:
                track = _Track(count)
                tracks.append(track)
                count += 1
            track.add(frame, pose)
            numbers[frame].append(track.number)
    return numbers


def _assigned(tracks: list[_Track], poses: list[np.ndarray], frame: int) -> dict[int, _Track]:
    """Index of a pose -> its track, for those that have one."""
    if not tracks or not poses:
        return {}
    expected = [track.expected(frame) for track in tracks]
    costs = np.array([[_distance(before, pose) for pose in poses] for before in expected])
    return {
        int(i): tracks[t]
        for t, i in zip(*linear_sum_assignment(costs), strict=True)
        if costs[t, i] <= _FARTHEST
    }


def _distance(before: np.ndarray, pose: np.ndarray) -> float:
    """The mean over joints, in sizes of the larger of the two."""
    size = max(person_size(before), person_size(pose))
    distances = np.linalg.norm(before - pose, axis=1)
    known = np.isfinite(distances)
    if not known.any() or size == 0:
        return _IMPOSSIBLE
    return min(float(distances[known].mean()) / size, _IMPOSSIBLE)
