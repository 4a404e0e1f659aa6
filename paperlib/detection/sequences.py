"""2D keypoints of one person over the frames of a video, of whatever tool."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.arrays import interpolated
from paperlib.skeletons import COCO_17, Skeleton

# a list of pictures that are no frames of one video would otherwise become one, mostly of gaps
_MOST_GAPS = 0.9


@dataclass(frozen=True, eq=False)
class Keypoints2D:
    """2D keypoints of one person in one video: NumPy, float32.

    ``keypoints`` (T, K, 2) are pixels, ``confidence`` (T, K) is 0 (not detected) to 1, and
    ``skeleton`` names the K joints. ``width`` and ``height`` are the video's in pixels, where the
    file tells. Wrong shapes, NaN and no frames are refused with a ``ValueError``.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton
    width: int | None
    height: int | None
    name: str

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

    def __len__(self) -> int:
        return len(self.keypoints)

    def __repr__(self) -> str:
        return f"Keypoints2D({self.name!r}, {len(self)} frames of {self.skeleton.name})"


def in_time(images: dict[str, Any], path: Path) -> tuple[dict[int, Any], range]:
    """What was found by image name, by frame number, and the frames that the video had.

    The number is the last one in a name: ``9.jpg`` comes before ``10.jpg``. Frames that are left
    out of a regular sequence are those in which nobody was found.
    """
    frames: dict[int, Any] = {}
    videos = set()
    for name, value in images.items():
        match = re.fullmatch(r"(.*?)(\d+)\D*", name, flags=re.DOTALL)
        if match is None:
            raise ValueError(f"{path}: image {name!r} has no frame number in its name")
        videos.add(match[1])
        frames[int(match[2])] = value
    if not frames:
        raise nobody(path)
    if len(videos) > 1 or len(frames) < len(images):
        some = ", ".join(repr(name) for name in sorted(images)[:4])
        raise ValueError(
            f"{path}: images of several videos, or a frame twice ({some}, ...); give one file or "
            "folder for each video"
        )
    numbers = sorted(frames)
    step = reduce(math.gcd, np.diff(numbers).tolist(), 0) or 1
    timeline = range(numbers[0], numbers[-1] + 1, step)
    if len(frames) < (1 - _MOST_GAPS) * len(timeline):
        raise ValueError(
            f"{path}: {len(frames)} images numbered from {numbers[0]} to {numbers[-1]} are no "
            "frames of one video; name them by frame number"
        )
    return frames, timeline


def sequence(
    frames: dict[int, np.ndarray],
    timeline: Iterable[int],
    size: tuple[int | None, int | None],
    path: Path,
) -> Keypoints2D:
    """Frame number -> (17, 3) x, y, score, put in line; what is missing is filled."""
    if not any((joints[:, 2] > 0).any() for joints in frames.values()):
        raise nobody(path)
    empty = np.zeros((len(COCO_17), 3))
    points = np.stack([frames.get(t, empty) for t in timeline]).astype(np.float64)
    # some tools give scores slightly above 1
    confidence = points[..., 2].clip(0, 1)
    seen = (points[..., :2] != 0).any(axis=-1) & (confidence > 0)
    keypoints = interpolated(points[..., :2], seen)
    return Keypoints2D(keypoints, confidence, COCO_17, *size, path.stem)


def nobody(path: Path) -> ValueError:
    return ValueError(
        f"{path}: nobody was detected in any frame; look at the detector's threshold and input"
    )
