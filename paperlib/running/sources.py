"""What is being filmed, frame by frame: keypoints on a pipe, a camera, a film that plays."""

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np

from paperlib.detection.files.joint_sets import MEDIAPIPE_33
from paperlib.detection.files.lines import Lines
from paperlib.outside.videos import Picture
from paperlib.skeletons import Skeleton

Clock = Callable[[], float]  # seconds
_LINE = 2**22  # bytes of one frame
_MOST_DROPPED = 0.5  # seconds of film
_PATIENCE = 0.5  # seconds until a wait looks whether it was called off


class Frame(NamedTuple):
    """The ``people`` ``(K, 3)`` of the frame at ``time``, x, y in pixels and a score, and their
    ``numbers``, if they are told; ``captured`` is when it was filmed, by the clock."""

    time: float
    captured: float
    people: list[np.ndarray]
    numbers: list[int] | None


class Source(Protocol):
    """Frames as they come. ``skeleton`` and ``size``, width and height, are known with the first
    frame in which somebody is; ``dropped`` frames were lost since others were worked on."""

    skeleton: Skeleton | None
    size: tuple[int, int] | None
    dropped: int

    def __iter__(self) -> Iterator[Frame]: ...


class Keypoints:
    """Lines of JSON, a frame each (:mod:`paperlib.detection.files.lines`). Where they tell no time,
    frames are ``1 / fps`` apart, or, without ``fps``, as far apart as they come. None are
    dropped: those that came meanwhile wait."""

    dropped = 0

    def __init__(
        self,
        stream: BinaryIO,
        size: tuple[int, int] | None,
        layout: str | None,
        fps: float | None,
        clock: Clock,
    ):
        self.size, self._lines = size, Lines(layout)
        self._stream, self._fps, self._clock = stream, fps, clock

    @property
    def skeleton(self) -> Skeleton | None:
        return self._lines.skeleton

    def __iter__(self) -> Iterator[Frame]:
        number, count, before, began = 0, 0, -np.inf, None
        while line := self._stream.readline(_LINE):
            number, now = number + 1, self._clock()
            where = f"line {number}"
            if len(line) == _LINE:
                raise ValueError(f"{where}: more than {_LINE} bytes; expected one frame in a line")
            if not line.strip():
                continue
            time, people = self._lines.read(line, where)
            if time is None:
                began = now if began is None else began
                time = now - began if self._fps is None else count / self._fps
            if time <= before:
                raise ValueError(f"{where}: time {time:g}, after {before:g} in the line before")
            count, before = count + 1, time
            numbers = (
                [one.track for one in people] if people and people[0].track is not None else None
            )
            if numbers and len({*numbers}) < len(numbers):
                raise ValueError(f"{where}: two people of one number")
            yield Frame(time, now, [one.joints for one in people], numbers)


class Playing:
    """A film as if it were filmed now: each picture when its time has come, and those that are over
    before they can be looked at are dropped. One in half a second of film is not, however late: a
    computer that cannot even decode a film at its speed would show nothing else of it."""

    def __init__(self, film: Iterable[Picture], clock: Clock, sleep: Callable[[float], object]):
        self.dropped = 0
        self._film, self._clock, self._sleep = film, clock, sleep

    def __iter__(self) -> Iterator[tuple[Picture, float]]:
        began = None
        for picture, after in pairwise(chain(self._film, [None])):
            if began is None:
                began = self._clock() - picture.time
                shown = picture.time
            late = after is not None and began + after.time <= self._clock()
            if late and picture.time - shown < _MOST_DROPPED:
                self.dropped += 1
                continue
            shown = picture.time
            if (early := began + picture.time - self._clock()) > 0:
                self._sleep(early)
            yield picture, began + picture.time


class Newest:
    """The newest picture of a camera each time. A thread takes them as they come, since a system
    keeps pictures that nobody takes, and whoever then takes one gets an old one."""

    def __init__(self, camera: Iterable[Picture], clock: Clock):
        self.dropped = 0
        self._camera, self._clock = camera, clock
        self._newest: tuple[Picture, float] | None = None
        self._over, self._problem = False, None
        self._changed = threading.Condition()

    def __iter__(self) -> Iterator[tuple[Picture, float]]:
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        try:
            while True:
                with self._changed:
                    while self._newest is None and not self._over:
                        self._changed.wait(_PATIENCE)
                    found, self._newest = self._newest, None
                if found is None:
                    break
                yield found
        finally:
            self._over = True
            reader.join(2 * _PATIENCE)
        if self._problem is not None:
            raise self._problem

    def _read(self) -> None:
        try:
            for picture in self._camera:
                with self._changed:
                    self.dropped += self._newest is not None
                    self._newest = picture, self._clock()
                    self._changed.notify()
                if self._over:
                    return
        except Exception as problem:  # whoever waits for pictures is to know
            self._problem = problem
        finally:
            with self._changed:
                self._over = True
                self._changed.notify()


class Pictures:
    """People in pictures, found by BlazePose."""

    skeleton = MEDIAPIPE_33

    def __init__(self, pictures: Playing | Newest, model: str, people: int, threads: int):
        from paperlib.detection.blazepose.networks import Networks
        from paperlib.detection.blazepose.tracks import Tracker

        self.size: tuple[int, int] | None = None
        self._pictures, self._tracker = pictures, Tracker(Networks(model, threads), people)

    @property
    def dropped(self) -> int:
        return self._pictures.dropped

    def __iter__(self) -> Iterator[Frame]:
        for picture, captured in self._pictures:
            here = picture.pixels.shape[1], picture.pixels.shape[0]
            if here != (self.size or here):
                raise ValueError(f"pictures of {self.size} pixels, and then of {here}")
            self.size = here
            seen = self._tracker.step(picture.pixels, picture.time)
            people = [np.column_stack([one.joints, one.visibility]) for one in seen]
            yield Frame(picture.time, captured, people, None)
