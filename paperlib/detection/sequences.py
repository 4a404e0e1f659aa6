"""2D keypoints of one person over the frames of a video, of whatever tool."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from paperlib.arrays import interpolated
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton, sources


@dataclass(frozen=True, eq=False)
class Keypoints2D:
    """2D keypoints of one person in one video: NumPy, float32.

    ``keypoints`` (T, K, 2) are pixels, ``confidence`` (T, K) is 0 (not detected) to 1, and
    ``skeleton`` names the K joints. Where the confidence is 0 nothing was detected: the place is
    interpolated over time between what was, and held at the ends. ``frames`` (T,) are the numbers
    of these frames in the video, and ``track`` tells the people of a video apart.
    ``times`` (T,) are their seconds in the video, and ``width`` and ``height`` the video's pixels,
    where the file tells. Wrong shapes, NaN and no frames are refused with a ``ValueError``.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton
    width: int | None
    height: int | None
    name: str
    frames: np.ndarray | None = None  # every frame from 0, if not told
    track: int | None = None
    times: np.ndarray | None = None

    def __post_init__(self):
        frames, joints = len(self.keypoints), len(self.skeleton)
        if frames == 0:
            raise ValueError(f"{self.name}: keypoints of no frames; was the video decoded?")
        for field, shape in (("keypoints", (frames, joints, 2)), ("confidence", (frames, joints))):
            value = getattr(self, field)
            if value.shape != shape:
                raise ValueError(
                    f"{self.name}: {field} of shape {value.shape}, expected {shape} "
                    f"({joints} joints of {self.skeleton.name})"
                )
            bad = np.flatnonzero(~np.isfinite(value).reshape(frames, -1).all(axis=1))
            if len(bad):
                raise ValueError(
                    f"{self.name}: {field} has NaN or infinite values in {len(bad)} of {frames} "
                    f"frames, the first is frame {bad[0]}; cut these frames out or detect again"
                )
            object.__setattr__(self, field, value.astype(np.float32))
        numbers = np.arange(frames) if self.frames is None else np.asarray(self.frames)
        if (
            numbers.shape != (frames,)
            or numbers.dtype.kind not in "iu"
            or (np.diff(numbers) <= 0).any()
        ):
            raise ValueError(f"{self.name}: frames must be {frames} whole numbers that increase")
        object.__setattr__(self, "frames", numbers.astype(np.int64))
        if self.times is not None:
            times = np.asarray(self.times, dtype=np.float64)
            if times.shape != (frames,) or not (np.diff(times) > 0).all():
                raise ValueError(f"{self.name}: times must be {frames} seconds that increase")
            object.__setattr__(self, "times", times)

    @classmethod
    def of(cls, recording: Recording) -> "Keypoints2D":
        """What a detector found in a recording, and nothing else that is known of it but its rate
        and the size of its pictures."""
        camera, arrays = (
            recording.camera,
            (recording.keypoints.numpy(), recording.confidence.numpy()),
        )
        numbers = (
            np.arange(len(recording)) if recording.frames is None else recording.frames.numpy()
        )
        about = {"frames": numbers, "times": numbers / recording.fps}
        size = camera.width, camera.height
        return cls(*arrays, recording.keypoint_skeleton, *size, recording.name, **about)

    def __len__(self) -> int:
        return len(self.keypoints)

    def __repr__(self) -> str:
        who = "" if self.track is None else f" of person {self.track}"
        return f"Keypoints2D({self.name!r}, {len(self)} frames{who}, {self.skeleton.name})"

    @property
    def fps(self) -> float | None:
        """Frames a second, on average; None where times are not known."""
        if self.times is None or len(self) < 2:
            return None
        return float((self.frames[-1] - self.frames[0]) / (self.times[-1] - self.times[0]))

    @property
    def detected(self) -> np.ndarray:
        """(T, K) bool: what the tool has found; the rest is interpolated."""
        return self.confidence > 0

    @property
    def size(self) -> np.ndarray:
        """(T,) pixels: the diagonal of the box around what was found, 0 where nothing was."""
        seen = self.detected[..., None]
        low = np.where(seen, self.keypoints, np.inf).min(axis=1)
        high = np.where(seen, self.keypoints, -np.inf).max(axis=1)
        return np.linalg.norm(np.maximum(high - low, 0), axis=-1)

    def converted(self, skeleton: Skeleton) -> "Keypoints2D":
        """The same person with the joints of ``skeleton``, by name. A joint that is the middle of
        several has the confidence of the least sure of them. ``ValueError`` where these joints do
        not have them all."""
        parts = sources(self.skeleton, skeleton)
        points = [self.keypoints[:, list(joints)].mean(axis=1) for joints in parts]
        scores = [self.confidence[:, list(joints)].min(axis=1) for joints in parts]
        arrays = {"keypoints": np.stack(points, axis=1), "confidence": np.stack(scores, axis=1)}
        return replace(self, skeleton=skeleton, **arrays)

    def over(self, frames: Sequence[int]) -> "Keypoints2D":
        """The same person over other ``frames`` of the video: those in which nothing is known
        about them get confidence 0, and the time that the average rate gives them."""
        numbers = np.asarray(frames)
        kept = np.isin(numbers, self.frames)
        rows = np.searchsorted(self.frames, numbers[kept])
        confidence = np.zeros((len(numbers), len(self.skeleton)), np.float32)
        keypoints = np.zeros((*confidence.shape, 2), np.float32)
        confidence[kept], keypoints[kept] = self.confidence[rows], self.keypoints[rows]
        keypoints = interpolated(keypoints, confidence > 0)
        about = {"frames": numbers, "times": self._times_at(numbers)}
        return replace(self, keypoints=keypoints, confidence=confidence, **about)

    def _times_at(self, numbers: np.ndarray) -> np.ndarray | None:
        if self.fps is None:
            return self.times if np.array_equal(numbers, self.frames) else None
        inside = np.interp(numbers, self.frames, self.times)
        return inside + (numbers - numbers.clip(self.frames[0], self.frames[-1])) / self.fps
