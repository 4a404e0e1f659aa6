"""The data types everything speaks: a recording, and a data set of them.

A recording is one person, seen by one camera, over time. It never changes: whatever is done to
one (detecting, cutting, resampling) returns a new one.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from paperlib.cameras import Camera
from paperlib.errors import one_of
from paperlib.skeletons import H36M_17, Skeleton

# the fields of a recording that have a row for each frame
TENSORS = ("positions", "keypoints", "confidence", "visible", "heatmaps", "depths")


@dataclass(frozen=True, eq=False)
class Recording:
    """One person in one camera's view, over ``T`` frames.

    ========================  =============  ====================================================
    ``positions``             (T, J, 3)      metres, camera space (x right, y down, z forward)
    ``keypoints``             (T, K, 2)      pixels; exact projections until a detector ran
    ``confidence``            (T, K)         0 (not seen) to 1
    ``visible``               (T, J) bool    true visibility, where the source knows it
    ``heatmaps``              (T, K, H, W)   where a detector gives them
    ``depths``                (T, K)         metres from the root, where a detector gives them
    ========================  =============  ====================================================

    ``clip`` names what was filmed: recordings of one clip show the same moments, from other sides
    (``camera``) or of other people (``person``). ``skeleton`` names the J joints of ``positions``
    and ``keypoint_skeleton`` the K joints of ``keypoints``; a detector may see other joints than
    the motion capture. Wrong shapes, NaN and empty sequences are refused with a ``ValueError``.
    """

    subject: str
    action: str
    clip: str
    fps: float
    camera: Camera
    positions: torch.Tensor
    keypoints: torch.Tensor
    confidence: torch.Tensor
    skeleton: Skeleton = H36M_17
    keypoint_skeleton: Skeleton = H36M_17
    person: int = 0
    visible: torch.Tensor | None = None
    heatmaps: torch.Tensor | None = None
    depths: torch.Tensor | None = None

    def __post_init__(self):
        frames, joints = len(self.positions), len(self.skeleton)
        points = len(self.keypoint_skeleton)
        if frames == 0:
            raise ValueError(f"{self.name}: a sequence of no frames")
        if not self.fps > 0:
            raise ValueError(f"{self.name}: {self.fps} frames per second")
        expected = {
            "positions": (frames, joints, 3),
            "keypoints": (frames, points, 2),
            "confidence": (frames, points),
            "visible": (frames, joints),
            "depths": (frames, points),
            "heatmaps": (frames, points, "H", "W"),
        }
        for field, shape in expected.items():
            value = getattr(self, field)
            if value is None:
                continue
            fits = len(value.shape) == len(shape) and all(
                isinstance(want, str) or have == want
                for have, want in zip(value.shape, shape, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"{self.name}: {field} has shape {tuple(value.shape)}, expected {shape} "
                    f"({joints} joints of {self.skeleton.name}, "
                    f"{points} keypoints of {self.keypoint_skeleton.name})"
                )
            if value.is_floating_point() and not torch.isfinite(value).all():
                bad = (~torch.isfinite(value)).reshape(frames, -1).any(dim=1).nonzero().flatten()
                raise ValueError(
                    f"{self.name}: {field} has NaN or infinite values in {len(bad)} of {frames} "
                    f"frames, the first is frame {int(bad[0])}; cut these frames out or fill them"
                )

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        return f"Recording({self.name!r}, {len(self)} frames at {self.fps:g} Hz)"

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.action}/{self.clip}/{self.camera.name}/{self.person}"

    @property
    def trajectory(self) -> torch.Tensor:
        """(T, 3): where the root joint is, in camera space."""
        return self.positions[:, self.skeleton.root]

    @property
    def pose(self) -> torch.Tensor:
        """(T, J, 3): the pose relative to its root, in camera axes."""
        return self.positions - self.positions[:, self.skeleton.root : self.skeleton.root + 1]

    def frames(self, start: int, stop: int, step: int = 1) -> "Recording":
        """The recording cut to frames ``start:stop:step``; fps follows the step."""
        cut = slice(start, stop, step)
        shorter = {f: v[cut] for f in TENSORS if (v := getattr(self, f)) is not None}
        return replace(self, fps=self.fps / step, **shorter)

    def with_keypoints(
        self,
        keypoints: torch.Tensor,
        confidence: torch.Tensor,
        keypoint_skeleton: Skeleton | None = None,
    ) -> "Recording":
        """The same recording as another 2D detector sees it. Heatmaps and depths were the former
        detector's and are left out."""
        return replace(
            self,
            keypoints=keypoints,
            confidence=confidence,
            keypoint_skeleton=keypoint_skeleton or self.keypoint_skeleton,
            heatmaps=None,
            depths=None,
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Recordings, split into those to learn from and those to be judged on.

    ``source`` says in a sentence where the data come from and how they were split;
    a table prints it below its numbers.
    """

    name: str
    source: str
    train: tuple[Recording, ...]
    test: tuple[Recording, ...]
    excluded: str = "nothing"  # of what the source holds; printed with the source

    def __post_init__(self):
        for part in ("train", "test"):
            names = [r.name for r in getattr(self, part)]
            if len(set(names)) != len(names):
                raise ValueError(f"{self.name}: two {part} recordings share a name")
        shared = {r.name for r in self.train} & {r.name for r in self.test}
        if shared:
            raise ValueError(f"{self.name}: in train and in test: {sorted(shared)[:3]}")

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self.train)} train, {len(self.test)} test recordings)"

    @property
    def skeleton(self) -> Skeleton:
        return (self.train or self.test)[0].skeleton

    @property
    def keypoint_skeleton(self) -> Skeleton:
        return (self.train or self.test)[0].keypoint_skeleton

    def split(self, name: str) -> tuple[Recording, ...]:
        return getattr(self, one_of("split", name, ("train", "test")))

    def map(self, step: Callable[[Recording], Recording]) -> "Dataset":
        """The data set with ``step`` done to each recording."""
        return replace(self, train=tuple(map(step, self.train)), test=tuple(map(step, self.test)))

    def select(self, keep: Callable[[Recording], bool]) -> "Dataset":
        """Only the recordings for which ``keep`` holds."""
        return replace(
            self, train=tuple(filter(keep, self.train)), test=tuple(filter(keep, self.test))
        )

    def validation(self, every: int = 5) -> "Dataset":
        """The training clips alone, every ``every``-th of them held out as ``test``: what choices
        are made on, so that the real test split is looked at once."""
        clips = sorted({(r.subject, r.action, r.clip) for r in self.train})
        if not 2 <= every <= len(clips):
            raise ValueError(
                f"{self.name}: every {every}th of {len(clips)} training clips would leave nothing "
                f"to learn from or nothing to judge by; every must be 2 to {len(clips)}"
            )
        held = set(clips[every - 1 :: every])
        parts: dict[bool, list[Recording]] = {True: [], False: []}
        for recording in self.train:
            parts[(recording.subject, recording.action, recording.clip) in held].append(recording)
        return replace(
            self,
            name=f"{self.name}-validation",
            source=f"{self.source} Held out of its training part: every {every}th clip.",
            train=tuple(parts[False]),
            test=tuple(parts[True]),
        )

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of all that a model can learn from these data or be judged by."""
        digest = hashlib.sha256(self.name.encode())
        for part in ("train", "test"):
            for r in self.split(part):  # in their order, which decides that of the batches
                digest.update(f"|{part}|{r.name}|{r.fps}|{r.camera}".encode())
                digest.update(f"|{r.skeleton.name}|{r.keypoint_skeleton.name}".encode())
                for field in TENSORS:
                    value = getattr(r, field)
                    if value is not None:
                        digest.update(f"|{field}|{tuple(value.shape)}|{value.dtype}".encode())
                        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def count_frames(recordings: Iterable[Recording]) -> int:
    return sum(len(r) for r in recordings)
