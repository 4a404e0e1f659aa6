"""People in a film to poses in metres, frame by frame, as it is being filmed."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from paperlib.detection.tracking import Follower
from paperlib.lifting import camera_of, require_positive, unit
from paperlib.live.people import Down, LivePose, Person, Scene, Streamed, Windowed
from paperlib.models import TemporalModel, fold
from paperlib.models.fast.folding import is_folded
from paperlib.skeletons import COCO_17, Skeleton, sources
from paperlib.training.shipping import shipped

_LOST = 0.5  # seconds unseen after which nothing of somebody's motion goes on
_FRAMES = 30.0  # a second: how the follower of people counts time


class LiveLifter:
    """:func:`paperlib.lifting.lift_people` while the film is being filmed::

        lifter = LiveLifter(size=(1280, 720))
        for time, people in camera:  # seconds; of each person (17, 3): x, y, score
            for one in lifter.add(time, people):
                print(one.time, one.person, one.positions)  # (17, 3) metres
        last = lifter.finish()

    The poses are those that ``lift_people(…, smooth=False)`` gives of the whole film, where it is
    told the same. What differs is what only a whole film tells:

    * **Where down is**, if not told, is guessed from the poses so far.
    * **A joint that was not found** is not interpolated between before and after: it moves on with
      the others. How tall somebody is, is the median so far.
    * Films of nearly the model's rate, 50 Hz, are brought to exactly that one, too.

    The camera that is turned to the person, frame by frame, is no obstacle to streaming: a turn is
    made from its own frame's keypoints alone, before the network, and undone in the pose of that
    frame. Only the guess of where down is changes what the frames before would have been; it soon
    stands still.

    The shipped model sees 13 frames ahead, 0.26 s. ``wait`` says for how many of them a pose waits,
    by default all, through :class:`~paperlib.models.Streaming`; with fewer, down to 0, the newest
    frame stands for those that have not come, and a pose is less sure.

    Whoever is not seen for half a second ends there: the poses that they still lack come, and
    later they begin anew, as the same person where a number is told or where they are found soon
    and near (:class:`~paperlib.detection.tracking.Follower`: 2 s), else as another.

    ``size`` is width and height of the pictures; ``focal``, ``person_height``, ``down`` and
    ``model`` are as :func:`~paperlib.lifting.lift_people` has them. ``skeleton`` names the joints
    of the people; it must have COCO's. ``ValueError`` for numbers that no film has.
    """

    def __init__(
        self,
        size: tuple[int, int],
        focal: float | None = None,
        person_height: float | None = None,
        down: Sequence[float] | None = None,
        wait: int | None = None,
        model: TemporalModel | None = None,
        skeleton: Skeleton = COCO_17,
    ):
        require_positive(person_height=person_height)
        model = shipped("any_camera").model if model is None else model
        model = model if is_folded(model) else fold(model)
        ahead = 0 if model.causal else model.receptive_field // 2
        wait = ahead if wait is None else wait
        if wait not in range(ahead + 1):
            raise ValueError(f"wait={wait!r}: expected 0 to {ahead}, frames that the model can see")
        told = None if down is None else unit(down)
        self._scene = Scene(model, camera_of(size, focal), Down(told), person_height, wait)
        self._kind = Streamed if wait == ahead else Windowed
        parts = sources(skeleton, COCO_17)
        #: (17, K): which of the joints each of COCO's is the middle of
        self._parts = np.array([[j in part for j in range(len(skeleton))] for part in parts])
        self._shape = (len(skeleton), 3)
        self._people: dict[int, Person] = {}
        self._follower = Follower()
        self._time: float | None = None

    @property
    def down(self) -> tuple[float, ...]:
        """Where down is in camera space, ``(x, y, z)`` of length 1: as told, or guessed so far."""
        return self._scene.down.way

    def add(
        self, time: float, people: Sequence[np.ndarray], numbers: Sequence[int] | None = None
    ) -> list[LivePose]:
        """The next frame, at ``time`` seconds, and the poses that are known now, of this frame and
        of earlier ones. ``people`` are ``(K, 3)`` each: x and y in pixels, and a score that is 0
        where a joint was not found. ``numbers`` tell who they are; without them, people are
        followed.

        ``ValueError`` for a time that is not after the one before, other shapes, numbers that are
        not finite, and two people of one number; a frame that is refused leaves no trace."""
        if not isfinite(time) or (self._time is not None and time <= self._time):
            raise ValueError(f"time {time}: expected seconds, after those of the frame before")
        found = [self._checked(one) for one in people]
        if numbers is None:
            kept = [one for one in found if one[:, 2].any()]
            who = self._follower.step(kept, time * _FRAMES)
        else:
            if len(numbers) != len(found) or len({*numbers}) != len(found):
                raise ValueError(f"people numbered {[*numbers]}: expected a number of its own each")
            pairs = [pair for pair in zip(numbers, found, strict=True) if pair[1][:, 2].any()]
            who, kept = [n for n, _ in pairs], [one for _, one in pairs]
        self._time, here, poses = time, dict(zip(who, kept, strict=True)), []
        for number, person in [*self._people.items()]:
            if time - person.seen > _LOST:
                poses += self._people.pop(number).finish()
            elif number not in here:
                person.miss(time)
        for number, joints in here.items():
            if number not in self._people:
                self._people[number] = self._kind(number, self._scene)
            poses += self._people[number].add(time, joints)
        return self._timed(poses)

    def finish(self) -> list[LivePose]:
        """The film is over: the poses that are still lacking."""
        poses = [pose for person in self._people.values() for pose in person.finish()]
        self._people = {}
        return self._timed(poses)

    def _timed(self, poses: Sequence[LivePose]) -> list[LivePose]:
        waited = [replace(one, waited=self._time - one.time) for one in poses]
        return sorted(waited, key=lambda one: (one.time, one.person))

    def _checked(self, one: np.ndarray) -> np.ndarray:
        one = np.asarray(one, dtype=np.float64)
        if one.shape != self._shape:
            raise ValueError(
                f"a person of shape {one.shape}, expected {self._shape}: x, y and score of each "
                "joint"
            )
        if not np.isfinite(one).all() or (one[:, 2] < 0).any():
            raise ValueError(
                "a person with NaN, infinite values or scores below 0: mark what was not found by "
                "a score of 0"
            )
        points = self._parts @ one[:, :2] / self._parts.sum(axis=1, keepdims=True)
        return np.column_stack([points, np.where(self._parts, one[:, 2], np.inf).min(axis=1)])
