"""The data types everything speaks: a recording, and a data set of them.

A recording is one person in the view of one camera, over time. It never changes: whatever is done
to one (detecting, cutting, resampling) returns a new one.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from math import inf
from numbers import Real
from typing import Any

import torch

from paperlib.arrays import as_tensor, require_metres
from paperlib.cameras import Camera
from paperlib.errors import one_of
from paperlib.skeletons import H36M_17, Skeleton

# the fields of a recording that hold a row for each frame; what is None is not known
TENSORS = ("positions", "keypoints", "confidence", "visible", "depths", "crops", "frames")
# what no person before a camera exceeds: metres, pixels, a probability. Pixels go far: a lens model
# throws a faulty marker hundreds of millions of them out (HumanEva-I); squared, they are finite yet
_LIMITS = {
    "positions": (-1e4, 1e4),
    "keypoints": (-1e12, 1e12),
    "confidence": (0, 1),
    "depths": (-1e4, 1e4),
}
_KINDS = {"visible": torch.bool, "frames": torch.int64}  # what is not float32
PARTS = ("train", "test", "unseen")  # of a data set
LAZY = ("heatmaps", "images")  # fields that are computed when they are asked for


@dataclass(frozen=True)
class PerFrame:
    """Values of frames that are computed when they are asked for, and never stored or hashed.

    ``function`` takes frame indices ``(N,)`` and gives ``(N, ...)``. ``key`` says what it computes,
    from what and how: it stands for the values where data are identified, so that other values
    need another key.
    """

    key: str
    function: Callable[[torch.Tensor], torch.Tensor]

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        return self.function(frames)

    def of(self, kept: torch.Tensor) -> "PerFrame":
        """The same for the frames ``kept`` ``(M,)`` alone, counted anew."""
        return replace(self, function=lambda frames: self.function(kept[frames.to(kept.device)]))


@dataclass(frozen=True, eq=False)
class Recording:
    """One person in one camera's view, over ``T`` frames.

    ========================  =============  ====================================================
    ``keypoints``             (T, K, 2)      pixels; exact projections until a detector ran
    ``confidence``            (T, K)         0 (not detected) to 1
    ``positions``             (T, J, 3)      metres, camera space (x right, y down, z forward);
                                             None for a film whose poses nobody knows
    ``visible``               (T, J) bool    true visibility, where the source knows it
    ``depths``                (T, K)         metres from the root, where a detector gives them
    ``frames``                (T,) int64     frame numbers in the film, where they are known
    ``heatmaps``              PerFrame       (N,) frame indices -> (N, K, H, W)
    ``crops``                 (T, 3)         their squares, screen coordinates: middle x, y, side
    ``images``                PerFrame       (N,) frame indices -> (N, H, W, 3)
    ========================  =============  ====================================================

    ``clip`` names what was filmed: recordings of one clip show the same moments, from other sides
    (``camera``) or of other people (``person``). ``skeleton`` names the J joints of ``positions``
    and ``keypoint_skeleton`` the K joints of ``keypoints``; a detector may see other joints than
    the motion capture. Arrays and other kinds of numbers are kept as tensors of float32. Wrong
    shapes, NaN and empty sequences are refused with a ``ValueError``.
    """

    subject: str
    action: str
    clip: str
    fps: float
    camera: Camera
    keypoints: torch.Tensor
    confidence: torch.Tensor
    positions: torch.Tensor | None = None
    skeleton: Skeleton = H36M_17
    keypoint_skeleton: Skeleton = H36M_17
    person: int = 0
    visible: torch.Tensor | None = None
    depths: torch.Tensor | None = None
    frames: torch.Tensor | None = None
    heatmaps: PerFrame | None = None
    crops: torch.Tensor | None = None
    images: PerFrame | None = None

    def __post_init__(self):
        frames, joints = len(self.keypoints), len(self.skeleton)
        points = len(self.keypoint_skeleton)
        if frames == 0:
            raise ValueError(f"{self.name}: a sequence of no frames")
        if not isinstance(self.fps, Real) or not 0 < self.fps < inf:
            raise ValueError(f"{self.name}: {self.fps} frames per second")
        for field in LAZY:
            if not isinstance(getattr(self, field), PerFrame | None):
                raise ValueError(f"{self.name}: {field} must be a PerFrame, computed when needed")
        expected = {
            "keypoints": (frames, points, 2),
            "confidence": (frames, points),
            "positions": (frames, joints, 3),
            "visible": (frames, joints),
            "depths": (frames, points),
            "crops": (frames, 3),
            "frames": (frames,),
        }
        for field, shape in expected.items():
            if (given := getattr(self, field)) is None:
                continue
            if tuple((value := as_tensor(given)).shape) != shape:
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
            low, high = _LIMITS.get(field, (-inf, inf))
            if value.min() < low or value.max() > high:
                raise ValueError(
                    f"{self.name}: {field} goes from {value.min():.4g} to {value.max():.4g}, "
                    f"expected {low:g} to {high:g}"
                )
            object.__setattr__(self, field, value.to(_KINDS.get(field, torch.float32)))
        if self.positions is not None:
            require_metres(self.positions, f"{self.name}: positions")

    def __len__(self) -> int:
        return len(self.keypoints)

    def __repr__(self) -> str:
        return f"Recording({self.name!r}, {len(self)} frames at {self.fps:g} Hz)"

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.action}/{self.clip}/{self.camera.name}/{self.person}"

    @property
    def take(self) -> str:
        """What ``clip`` is a piece of: ``"walk_1"`` of ``"walk_1#2"``; else the clip itself. The
        pieces of a take, and its views, do not tell of errors independently."""
        return self.clip.partition("#")[0]

    @property
    def truth(self) -> torch.Tensor:
        """(T, J, 3): :attr:`positions`, or a ``ValueError`` where nobody knows them."""
        if self.positions is None:
            raise ValueError(
                f"{self.name} has no 3D positions: its poses can be predicted, but nothing can be "
                "learnt from it or measured on it"
            )
        return self.positions

    @property
    def trajectory(self) -> torch.Tensor:
        """(T, 3): where the root joint is, in camera space."""
        return self.truth[:, self.skeleton.root]

    @property
    def pose(self) -> torch.Tensor:
        """(T, J, 3): the pose relative to its root, in camera axes."""
        return self.truth - self.truth[:, self.skeleton.root : self.skeleton.root + 1]

    @property
    def found(self) -> torch.Tensor:
        """(T,) bool: the frames in which the detector found the person."""
        return (self.confidence > 0).any(dim=1)

    @property
    def score(self) -> torch.Tensor:
        """(T,): how sure the detector is of the person, the mean confidence of its keypoints; 0
        where the person was not found (veges2020, 3.2)."""
        return self.confidence.mean(dim=1)

    def cut(self, start: int, stop: int, step: int = 1) -> "Recording":
        """The recording cut to frames ``start:stop:step``; fps follows the step."""
        kept = torch.arange(len(self))[start:stop:step]
        changes: dict[str, Any] = {
            field: value[kept] for field in TENSORS if (value := getattr(self, field)) is not None
        }
        for field in LAZY:
            if (values := getattr(self, field)) is not None:
                changes[field] = values.of(kept)
        return replace(self, fps=self.fps / step, **changes)

    def with_keypoints(
        self,
        keypoints: torch.Tensor,
        confidence: torch.Tensor,
        keypoint_skeleton: Skeleton | None = None,
    ) -> "Recording":
        """The same recording with the keypoints of another 2D detector. Heatmaps, their crops and
        depths were the former detector's and are left out."""
        return replace(
            self,
            keypoints=keypoints,
            confidence=confidence,
            keypoint_skeleton=keypoint_skeleton or self.keypoint_skeleton,
            heatmaps=None,
            crops=None,
            depths=None,
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Recordings, split into those to learn from and those to be judged on.

    ``source`` says in a sentence where the data come from and how they were split;
    a table prints it below its numbers. Where one has a single take of an action, which cannot be
    split, it is in ``unseen``: a third part, to be judged apart as an action nobody learnt from.
    """

    name: str
    source: str
    train: tuple[Recording, ...]
    test: tuple[Recording, ...]
    excluded: str = "nothing"  # of what the source holds; printed with the source
    unseen: tuple[Recording, ...] = ()  # of actions that are neither learnt from nor tested

    def __post_init__(self):
        names = {part: [r.name for r in getattr(self, part)] for part in PARTS}
        for part in PARTS:
            if len(set(names[part])) != len(names[part]):
                raise ValueError(f"{self.name}: two {part} recordings share a name")
        for one, other in combinations(PARTS, 2):
            if shared := set(names[one]) & set(names[other]):
                raise ValueError(f"{self.name}: in {one} and in {other}: {sorted(shared)[:3]}")
        split = {r.action for r in (*self.train, *self.test)}
        if known := split & {r.action for r in self.unseen}:
            raise ValueError(f"{self.name}: not unseen, since in train or test: {sorted(known)}")

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self.train)} train, {len(self.test)} test recordings)"

    @property
    def _any(self) -> Recording:
        if not self.train and not self.test:
            raise ValueError(f"{self.name} has no recordings")
        return (self.train or self.test)[0]

    @property
    def skeleton(self) -> Skeleton:
        return self._any.skeleton

    @property
    def keypoint_skeleton(self) -> Skeleton:
        return self._any.keypoint_skeleton

    def split(self, name: str) -> tuple[Recording, ...]:
        return getattr(self, one_of("split", name, PARTS))

    def map(self, step: Callable[[Recording], Recording]) -> "Dataset":
        """The data set with ``step`` done to each recording."""
        return replace(self, **{part: tuple(map(step, getattr(self, part))) for part in PARTS})

    def select(self, keep: Callable[[Recording], bool]) -> "Dataset":
        """Only the recordings for which ``keep`` holds."""
        return replace(self, **{part: tuple(filter(keep, getattr(self, part))) for part in PARTS})

    def validation(self, every: int = 5) -> "Dataset":
        """The training takes alone, every ``every``-th of them held out as ``test``: what choices
        are made on, so that the real test split is looked at once. Pieces of one take stay
        together."""
        takes = sorted({(r.subject, r.action, r.take) for r in self.train})
        if len(takes) < 2:
            raise ValueError(f"{self.name}: {len(takes)} training takes cannot be split in two")
        if not 2 <= every <= len(takes):
            raise ValueError(
                f"{self.name}: every {every}th of {len(takes)} training takes would leave nothing "
                f"to learn from or nothing to judge by; every must be 2 to {len(takes)}"
            )
        held = set(takes[every - 1 :: every])
        parts: dict[bool, list[Recording]] = {True: [], False: []}
        for recording in self.train:
            parts[(recording.subject, recording.action, recording.take) in held].append(recording)
        return replace(
            self,
            name=f"{self.name}-validation",
            source=f"{self.source} Held out of its training part: every {every}th take.",
            train=tuple(parts[False]),
            test=tuple(parts[True]),
            unseen=(),
        )

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of all that a model can learn from these data or be judged by."""
        digest = hashlib.sha256(self.name.encode())
        for part in PARTS:
            for r in self.split(part):  # in their order, which decides that of the batches
                digest.update(f"|{part}|{r.name}|{r.fps}|{r.camera}".encode())
                digest.update(f"|{r.skeleton.name}|{r.keypoint_skeleton.name}".encode())
                for field in TENSORS[:-1]:  # a frame's number in the film decides nothing
                    if (value := getattr(r, field)) is not None:
                        digest.update(f"|{field}|{tuple(value.shape)}|{value.dtype}".encode())
                        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
                keys = (f"|{f}|{v.key}" for f in LAZY if (v := getattr(r, f)))
                digest.update("".join(keys).encode())
        return digest.hexdigest()[:16]


def count_frames(recordings: Iterable[Recording]) -> int:
    return sum(len(r) for r in recordings)
