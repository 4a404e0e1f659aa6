"""VideoPose3D's archives: a custom data set, and what its scripts make of Detectron's people.

``data_2d_custom_*.npz`` has ``positions_2d[video]["custom"]``, a list of ``(T, K, 2)``, and no
scores: a joint at exactly (0, 0) or (-1, -1), or NaN, was not found. What ``infer_video_d2.py``
(Detectron2) and ``infer_video.py`` (Detectron) write has for each frame ``boxes`` (n, 5) with the
score last and ``keypoints`` (n, 4, 17) with rows x, y, logit, probability; both stand second in a
pair, after an unused class.
"""

from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.archives import layout
from paperlib.detection.files.films import Film, Found, Options, film, missing_as_zero
from paperlib.detection.files.joint_sets import Named
from paperlib.skeletons import COCO_17


def is_custom(archive: dict[str, Any]) -> bool:
    return "positions_2d" in archive


def read_custom(archive: dict[str, Any], path: Path, options: Options) -> list[Film]:
    stored, metadata = archive["positions_2d"], archive.get("metadata")
    skeleton = layout(metadata, path)
    if not isinstance(stored, dict) or not stored:
        raise ValueError(f"{path}: 'positions_2d' holds no videos; were any detections read?")
    sizes = metadata.get("video_metadata", {})
    named = Named(skeleton, list(range(len(skeleton))), len(skeleton))
    films = []
    for video, parts in stored.items():
        if not isinstance(parts, dict) or not any(map(len, parts.values())):
            raise ValueError(f"{path}: video {video!r} must hold {{'custom': [keypoints]}}")
        views = [(part, view) for part, listed in parts.items() for view in listed]
        for i, (part, view) in enumerate(views):
            name = str(video) if len(views) == 1 else f"{video}/{part}/{i}"
            people = dict(enumerate(_people(view, f"{path}: video {name!r}", skeleton.name, named)))
            size, frames = _size(sizes.get(video)), range(len(people))
            films.append(film(people, frames, path, options, named, size, name))
    return films


def _people(view: Any, where: str, skeleton: str, named: Named) -> list[list[Found]]:
    try:
        points = np.asarray(view, dtype=np.float64)
    except (ValueError, TypeError):
        raise ValueError(f"{where} holds no arrays of numbers") from None
    if points.ndim != 3 or points.shape[1:] != (named.total, 2):
        raise ValueError(f"{where} of {points.shape}, expected (T, {named.total}, 2) of {skeleton}")
    if len(points) == 0:
        raise ValueError(f"{where} has no frames; was the video decoded?")
    joints = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    return [[Found(missing_as_zero(frame, where))] for frame in joints]


def _size(metadata: Any) -> tuple[int | None, int | None]:
    if not isinstance(metadata, dict) or not {"w", "h"} <= metadata.keys():
        return None, None
    return int(metadata["w"]), int(metadata["h"])


def is_detectron(archive: dict[str, Any]) -> bool:
    return {"boxes", "keypoints"} <= archive.keys()


def read_detectron(archive: dict[str, Any], path: Path, options: Options) -> Film:
    boxes, keypoints = archive["boxes"], archive["keypoints"]
    if len(boxes) != len(keypoints):
        raise ValueError(f"{path}: boxes of {len(boxes)} frames, keypoints of {len(keypoints)}")
    people: dict[int, list[Found]] = {}
    for t, (found, kept) in enumerate(zip(boxes, keypoints, strict=True)):
        # a frame of nobody has empty lists
        people[t] = [
            Found(_rows(person, f"{path}: frame {t}"))
            for person in (kept[1] if len(found[1]) else ())
        ]
    named = Named(COCO_17, list(range(len(COCO_17))), len(COCO_17))
    frames, size = range(len(boxes)), _size(archive.get("metadata"))
    return film(people, frames, path, options, named, size)


def _rows(person: Any, where: str) -> np.ndarray:
    person = np.asarray(person, dtype=np.float64)
    if person.shape != (4, len(COCO_17)):
        raise ValueError(
            f"{where} has keypoints of shape {person.shape}, expected (4, 17): x, y, logit and "
            "probability of the COCO joints"
        )
    return missing_as_zero(person[[0, 1, 3]].T, where)
