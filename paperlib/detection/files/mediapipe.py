"""MediaPipe 0.10's 33 pose landmarks, as people write them: it has no file format of its own.

Read are a JSON list of frames, or ``{"frames": [...], "width": ..., "height": ...}``. A frame is
the landmarks of a person (33 dictionaries of ``x``, ``y``, ``visibility``), the people's landmarks,
or a dictionary that has either as ``pose_landmarks``, ``poseLandmarks``, ``landmarks`` or
``landmark`` (what protocol buffers make of it) and perhaps its number as ``frame``; None or an
empty list is a frame of nobody. Also an ``.npz`` with ``pose_landmarks`` ``(T, 33, 4)`` or
``(T, 33, 5)``: x, y, z, visibility and perhaps presence, NaN where nobody was found.

Coordinates are shares of the picture's width and height: who calls gives its size where the file
does not. World landmarks are no places in the picture and are not read.
"""

from pathlib import Path
from typing import Any

import numpy as np

from paperlib.detection.files.films import (
    Film,
    Found,
    Options,
    film,
    frame_number,
    missing_as_zero,
    timeline,
)
from paperlib.detection.files.joint_sets import MEDIAPIPE_33, Named

_LISTS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")
_COUNT = len(MEDIAPIPE_33)
_NAMED = Named(MEDIAPIPE_33, list(range(_COUNT)), _COUNT)
_FARTHEST = 50.0  # widths of the picture


def is_landmarks(content: Any) -> bool:
    frames = _frames(content)
    return frames is not None and any(_people(frame) for frame in frames)


def read_landmarks(content: Any, path: Path, options: Options) -> Film:
    size = options.size
    if size is None and isinstance(content, dict) and {"width", "height"} <= content.keys():
        size = int(content["width"]), int(content["height"])
    people = {}
    for place, frame in enumerate(_frames(content)):
        number = _number(frame, place, path)
        if number in people:
            raise ValueError(f"{path}: frame {number} is there twice")
        where = f"{path}: frame {number}"
        found = [[_numbers(point) for point in one] for one in _people(frame)]
        people[number] = [_person(one, size, where) for one in found]
    return film(people, timeline(people, path), path, options._replace(size=size), _NAMED)


def _frames(content: Any) -> list | None:
    frames = content.get("frames") if isinstance(content, dict) else content
    return frames if isinstance(frames, list) else None


def _people(frame: Any) -> list[list]:
    """The landmarks of each person of a frame, which may lie in any number of wrappings."""
    if isinstance(frame, dict):
        return next((_people(frame[key]) for key in _LISTS if key in frame), [])
    if not isinstance(frame, list) or not frame:
        return []
    if all(isinstance(each, dict) and {"x", "y"} <= each.keys() for each in frame):
        return [frame]
    return [person for each in frame for person in _people(each)]


def _number(frame: Any, place: int, path: Path) -> int:
    if not isinstance(frame, dict):
        return place
    told = next((frame[key] for key in ("frame", "frame_id") if key in frame), place)
    return frame_number(told, path)


def _numbers(point: dict) -> tuple[Any, Any, Any]:
    return point["x"], point["y"], point.get("visibility", 1.0)


def _person(points: Any, size: tuple[int, int] | None, where: str) -> Found:
    """Of x, y, visibility, as shares of the picture."""
    joints = np.asarray(points, dtype=np.float64)
    if joints.shape != (_COUNT, 3):
        raise ValueError(f"{where}: {len(joints)} landmarks, MediaPipe's pose has {_COUNT}")
    if size is None:
        raise ValueError(
            f"{where}: MediaPipe's landmarks are shares of the picture; pass size=(width, height) "
            "in pixels"
        )
    if np.nanmax(np.abs(joints[:, :2]), initial=0) > _FARTHEST:
        raise ValueError(f"{where}: landmarks beyond {_FARTHEST:g}; shares of the picture expected")
    # an exact 0 is a place that was never set: in pixels too, it stays one
    return Found(missing_as_zero(joints * (*size, 1), where))


def is_archive(archive: dict[str, Any]) -> bool:
    return "pose_landmarks" in archive


def read_landmark_archive(archive: dict[str, Any], path: Path, options: Options) -> Film:
    landmarks = np.asarray(archive["pose_landmarks"], dtype=np.float64)
    if landmarks.ndim != 3 or landmarks.shape[1] != _COUNT or landmarks.shape[2] not in (4, 5):
        raise ValueError(
            f"{path}: pose_landmarks of {landmarks.shape}, expected (T, {_COUNT}, 4) of x, y, z "
            "and visibility"
        )
    people = {
        t: [_person(frame[:, [0, 1, 3]], options.size, f"{path}: frame {t}")]
        for t, frame in enumerate(landmarks)
    }
    return film(people, range(len(landmarks)), path, options, _NAMED)
