"""One person who is lifted while being filmed."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from paperlib.cameras import Camera
from paperlib.detection.resampling import sampled
from paperlib.evaluation.body_size import body_height
from paperlib.lifting import RATE, STATURE, placed, where_down_is
from paperlib.live.keypoints import Even, Filled
from paperlib.models import Streaming, TemporalModel
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.virtual_camera import facing, turned_back, turns_to_person
from paperlib.windows.keypoints import input_of, mirror, mirror_input

_MEMORY = 3000  # poses from which gravity and height are guessed: a minute of one person
_ROUNDING = 1e-4  # seconds


@dataclass(frozen=True, eq=False)
class LivePose:
    """The pose of a ``person`` in the frame at ``time``, seconds: ``positions`` ``(17, 3)``, metres
    in camera space (x right, y down, z forward) of Human3.6M's joints, and the detector's mean
    ``score``, 0 where it did not find them for a moment. ``waited`` are the seconds from this frame
    to the newest that the pose had to wait for."""

    time: float
    person: int
    positions: Tensor
    score: float
    waited: float = 0.0

    @property
    def pose(self) -> Tensor:
        """``(17, 3)``: relative to the root."""
        return self.positions - self.positions[H36M_17.root]


class Down:
    """Where down is, in camera space: as told, else guessed from all poses so far of everybody in
    the last minute (:func:`paperlib.lifting.where_down_is`), and before there are any, as a camera
    has it that is held upright and level."""

    def __init__(self, told: tuple[float, ...] | None):
        self.way = told or (0.0, 1.0, 0.0)
        self._ways: deque | None = None if told else deque(maxlen=_MEMORY)

    def learn(self, pose: Tensor) -> None:
        """Go by a ``pose`` ``(17, 3)`` in camera space, too."""
        if self._ways is not None:
            self._ways.append(where_down_is([pose[None]]))
            middle = np.median(np.array(self._ways), axis=0)
            self.way = tuple((middle / np.linalg.norm(middle)).tolist())


@dataclass(frozen=True)
class Scene:
    """What all people before a camera share: the folded ``model``, the ``camera``, where ``down``
    is, how tall everybody is, if told, and how many of the model's frames poses ``wait``."""

    model: TemporalModel
    camera: Camera
    down: Down
    person_height: float | None
    wait: int

    def film(self, joints: np.ndarray) -> Recording:
        """Keypoints ``(T, 17, 3)`` with their scores as a recording at the model's rate."""
        points, scores = torch.from_numpy(joints).float().split([2, 1], dim=-1)
        about = {"skeleton": H36M_17, "keypoint_skeleton": COCO_17}
        scores = scores[..., 0].clamp(0, 1)
        return Recording("somebody", "live", "live", RATE, self.camera, points, scores, **about)

    def views(self, film: Recording) -> tuple[Tensor, Tensor]:
        """What the network is given of a film ``(T, …)``, ``(2, T, 17, F)``, itself and mirrored,
        and the turns ``(T, 3, 3)`` of the camera to the person that go with it."""
        turns = turns_to_person(film, self.down.way)
        seen = input_of(self.model)(facing(film, turns=turns))
        return torch.stack([seen, mirror_input(seen, COCO_17)]), turns


class Person:
    """Somebody who is seen without a longer break: frames in, poses out, in their order."""

    def __init__(self, number: int, scene: Scene):
        self.number, self.scene = number, scene
        self.seen = -np.inf  # when last, seconds
        self._filled = Filled()
        self._waiting: deque[tuple[float, float]] = deque()  # time and score of frames
        self._heights: deque[float] = deque(maxlen=_MEMORY)

    def add(self, time: float, joints: np.ndarray) -> Iterator[LivePose]:
        """What is known after the next frame, in which COCO's ``joints`` ``(17, 3)`` were found."""
        self.seen = time
        self._waiting.append((time, float(joints[:, 2].mean())))
        yield from self._lift(time, self._filled.add(time, joints))

    def miss(self, time: float) -> None:
        """The next frame, in which they were not found."""
        self._waiting.append((time, 0.0))

    def finish(self) -> Iterator[LivePose]:
        """The poses that are still lacking, up to the frame in which they were last seen, which is
        repeated for the future that there is not."""
        while self._waiting and self._waiting[-1][0] > self.seen:
            self._waiting.pop()
        yield from self._end()

    def _pose(self, time: float, score: float, positions: Tensor) -> LivePose:
        return LivePose(time, self.number, positions, score)

    def _positions(self, both: Tensor, film: Recording, turn: Tensor) -> Tensor:
        """``(17, 3)`` metres in camera space: of the network's answers ``(2, 17, 3)`` to a frame
        and to its mirror image, seen by a camera with this ``turn`` ``(1, 3, 3)``."""
        mean = (both[0] + mirror(both[1], H36M_17)) / 2
        pose = turned_back(mean[None], turn)
        self.scene.down.learn(pose[0])
        if self.scene.person_height is not None:
            self._heights.append(STATURE * float(body_height(pose, H36M_17)))
            pose = pose * (self.scene.person_height / float(np.median(self._heights)))
        return (pose + placed(pose, film)[:, None])[0]


class Streamed(Person):
    """Through :class:`~paperlib.models.Streaming`: each frame at the model's rate costs one column
    of every layer, and its pose comes as many frames late as the model looks ahead."""

    def __init__(self, number: int, scene: Scene):
        super().__init__(number, scene)
        self._even, self._stream = Even(RATE), Streaming(scene.model)
        self._asked: deque[tuple[float, Recording, Tensor]] = deque()
        self._known: list[tuple[float, Tensor]] = []  # the last two answers: time and positions

    def _lift(self, time: float, joints: np.ndarray) -> Iterator[LivePose]:
        for at, even in self._even.add(time, joints):
            yield from self._step(at, even)

    def _step(self, at: float, joints: np.ndarray) -> Iterator[LivePose]:
        film = self.scene.film(joints[None])
        views, turn = self.scene.views(film)
        self._asked.append((at, film, turn))
        both = self._stream.step(views[:, 0])
        if both is not None:
            yield from self._answered(both)

    def _end(self) -> Iterator[LivePose]:
        for at, even in self._even.finish():
            yield from self._step(at, even)
        for both in self._stream.finish():
            yield from self._answered(both)

    def _answered(self, both: Tensor) -> Iterator[LivePose]:
        """The poses of the film's own frames up to the one at the model's rate that is answered."""
        at, film, turn = self._asked.popleft()
        self._known = [*self._known[-1:], (at, self._positions(both, film, turn))]
        times, positions = zip(*self._known, strict=True)
        while self._waiting and self._waiting[0][0] <= at + _ROUNDING:
            time, score = self._waiting.popleft()
            between = sampled(torch.stack(positions).numpy(), times, np.array([time]))
            yield self._pose(time, score, torch.from_numpy(between[0]))


class Windowed(Person):
    """Through the whole network for each frame, on a window about it that ends with the newest
    frame there is, which stands for those to come: poses that wait for less than the network
    looks ahead. What a layer computed of a repeated frame is of no use once the true one has come,
    so that there is nothing to keep from frame to frame, as :class:`Streamed` does."""

    def __init__(self, number: int, scene: Scene):
        super().__init__(number, scene)
        self._past: deque[tuple[float, np.ndarray]] = deque()
        field = scene.model.receptive_field
        self._around = (np.arange(field) - (field - 1 if scene.model.causal else field // 2)) / RATE

    def _lift(self, time: float, joints: np.ndarray) -> Iterator[LivePose]:
        self._past.append((time, joints))
        wait = self.scene.wait / RATE - _ROUNDING
        while self._waiting and self._waiting[0][0] + wait <= time:
            yield self._window(*self._waiting.popleft())

    def _end(self) -> Iterator[LivePose]:
        while self._waiting:
            yield self._window(*self._waiting.popleft())

    def _window(self, time: float, score: float) -> LivePose:
        start = time + self._around[0]
        while len(self._past) > 1 and self._past[1][0] <= start:
            self._past.popleft()
        times, joints = (np.array(each) for each in zip(*self._past, strict=True))
        film = self.scene.film(sampled(joints, times, time + self._around))
        views, turns = self.scene.views(film)
        here = int(np.argmin(np.abs(self._around)))
        with torch.no_grad():
            both = self.scene.model(views)[:, 0]
        one = replace(
            film, keypoints=film.keypoints[here][None], confidence=film.confidence[here][None]
        )
        return self._pose(time, score, self._positions(both, one, turns[here][None]))
