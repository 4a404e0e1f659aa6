"""OpenPose 1.7: a folder with a JSON file for each frame (``--write_json``).

A file holds ``{"people": [{"pose_keypoints_2d": [x, y, score, ...], "person_id": [-1]}, ...]}``.
It does not name its joint set: 18 are those of the COCO model, 25 of BODY_25 or of BODY_25B, told
apart by where they lie. OpenPose itself names files ``clip_000000000000_keypoints.json``; the last
number is the frame's, so that ``cam01_000000.json`` and ``cam01.0000.json`` are read too. Pose2Sim
and others write the same files of more joint sets.
"""

from pathlib import Path
from typing import Any

from paperlib.detection.files.films import (
    Film,
    Found,
    Options,
    film,
    nobody,
    numbered,
    track_of,
    triples,
)
from paperlib.outside.json_files import read_json

_ENDING = "_keypoints.json"


def files_of(folder: Path) -> list[Path]:
    """The files of a folder's frames: where some have OpenPose's own ending, those alone."""
    files = sorted(folder.glob("*.json"))
    return [file for file in files if file.name.endswith(_ENDING)] or files


def is_frame(content: Any) -> bool:
    return isinstance(content, dict) and "people" in content


def read_frames(folder: Path, options: Options) -> Film:
    # an empty frame counts: the film was that long
    images = {}
    for file in files_of(folder):
        images[file.name.removesuffix(".json").removesuffix("_keypoints")] = _people(file)
    if not any(images.values()):
        raise nobody(folder)
    people, frames = numbered(images, folder)
    return film(people, frames, folder, options, name=folder.name)


def _people(file: Path) -> list[Found]:
    content = read_json(file)
    if not is_frame(content) or not isinstance(content["people"], list):
        raise ValueError(f"{file}: no list of 'people'; expected a file that OpenPose has written")
    found = []
    for person in content["people"]:
        if not isinstance(person, dict):
            raise ValueError(f"{file}: a person without keypoints, a list of numbers x, y, score")
        numbers = person.get("pose_keypoints_2d")
        if numbers != []:  # of a face or hand alone
            found.append(Found(triples(numbers, str(file)), track_of(person.get("person_id"))))
    return found
