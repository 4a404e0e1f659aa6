"""People as they come: a line of JSON for each frame, from a detector that is still at work.

A line is ``{"time": 0.02, "people": [{"id": 1, "keypoints": [[x, y, score], …]}, …]}``, or what
OpenPose or MMPose write of a frame, in one line: ``people`` with ``pose_keypoints_2d``, or
``instances`` with ``keypoints`` and ``keypoint_scores``. The time is in seconds, and may be
lacking; so may the number of a person (``id``, ``track_id`` or ``person_id``).
"""

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple, NoReturn

import numpy as np

from paperlib.detection.files.films import Found, check_pixels, track_of, triples
from paperlib.detection.files.joint_sets import settled
from paperlib.errors import contents_of
from paperlib.skeletons import Skeleton

_PEOPLE, _JOINTS = ("people", "instances"), ("keypoints", "pose_keypoints_2d")
_NUMBERS = ("id", "track_id", "person_id")


class Frame(NamedTuple):
    """The ``people`` of a frame at ``time``, seconds, if it tells."""

    time: float | None
    people: list[Found]


class Lines:
    """Reads frames, line by line, whose people are all of one joint set: ``skeleton``, that of the
    ``layout``, or the one that the first people have (:func:`.joint_sets.settled`), and None
    before."""

    def __init__(self, layout: str | None = None):
        self.skeleton: Skeleton | None = None
        self._layout, self._points = layout, 0
        self._numbered: bool | None = None

    def read(self, line: bytes, where: str) -> Frame:
        """The frame of a line; ``where`` it stands is said where it is refused by a ``ValueError``:
        for what is no JSON, as NaN, of no frame, or of another kind than the lines before."""
        with contents_of(where):
            try:
                content = json.loads(line.decode("utf-8-sig"), parse_constant=_refused)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{where}: not JSON ({error})") from None
            frame = _frame(content, where)
            if frame.people:
                self._settle([one.joints for one in frame.people], where)
            numbered = {one.track is not None for one in frame.people}
            if self._numbered is None and len(numbered) == 1:
                (self._numbered,) = numbered
            if numbered - {self._numbered}:
                raise ValueError(f"{where}: either all people have a number, in all lines, or none")
        kept = [Found(one.joints[: len(self.skeleton)], one.track) for one in frame.people]
        return Frame(frame.time, kept)

    def _settle(self, people: Sequence[np.ndarray], where: str) -> None:
        if self.skeleton is None:
            self.skeleton, self._points = settled(people, self._layout, where), len(people[0])
            check_pixels(people, where)
        if wrong := {len(points) for points in people} - {self._points}:
            raise ValueError(
                f"{where}: people of {min(wrong)} joints, after others of {self._points}"
            )


def _frame(content: Any, where: str) -> Frame:
    key = next((key for key in _PEOPLE if key in content), None)
    if not isinstance(content, dict) or key is None or not isinstance(content[key], list):
        raise ValueError(f'{where}: no frame; expected {{"time": …, "people": […]}}')
    time = content.get("time")
    if time is not None and (
        isinstance(time, bool) or not isinstance(time, int | float) or not isfinite(time)
    ):
        raise ValueError(f"{where}: time {time!r}; expected seconds")
    return Frame(time, [_person(one, where) for one in content[key]])


def _person(one: Any, where: str) -> Found:
    key = next((key for key in _JOINTS if key in one), None)
    if not isinstance(one, dict) or key is None:
        raise ValueError(f"{where}: a person without keypoints, [[x, y, score], …]")
    joints = triples(one[key], where, one.get("keypoint_scores"))
    return Found(joints, track_of(next((one[name] for name in _NUMBERS if name in one), None)))


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
