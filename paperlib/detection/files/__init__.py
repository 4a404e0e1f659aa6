"""2D keypoints that other tools have written, for videos of one's own.

=========================  =====================================================================
what it is                 how it is recognised, whatever the file is called
=========================  =====================================================================
OpenPose 1.7, Pose2Sim     a folder of JSON files, one a frame, each with ``people``; BODY_25 and
                           BODY_25B told apart by where the joints lie
MMPose 1.x                 JSON with ``instance_info``; a list of ``instances``; a folder of such
                           lists, one an image
COCO results, AlphaPose    a JSON list of ``image_id``, ``keypoints`` and perhaps ``idx``, 17, 26
                           or 136 joints; AlphaPose's dictionary by image
COCO annotations           a JSON dictionary with ``annotations``
MediaPipe 0.10             JSON frames of 33 ``x``, ``y``, ``visibility``; ``.npz`` with
                           ``pose_landmarks``
Detectron of VideoPose3D   ``.npz`` with ``boxes``, ``keypoints`` and ``metadata``
custom set of VideoPose3D  ``.npz`` with ``positions_2d`` and ``metadata``
=========================  =====================================================================

:func:`read_people` gives everybody in a file, followed through the film: by the tool's own numbers
of people where it has them, else by where their joints are (:mod:`paperlib.detection.tracking`).
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from paperlib import lazily
from paperlib.datasets.archives import LAYOUTS, read_archive
from paperlib.detection.files import archives, coco, mediapipe, mmpose, openpose
from paperlib.detection.files.films import Film, Options, nobody
from paperlib.detection.files.people import people_in
from paperlib.detection.sequences import Keypoints2D
from paperlib.errors import contents_of, one_of
from paperlib.outside.json_files import read_json
from paperlib.paths import regular_file, stand_in
from paperlib.skeletons import COCO_17

CHOICES = ("everybody", "largest", "longest")
# how a content is recognised, and what reads it; asked in this order
_JSON = (
    (mmpose.is_demo, mmpose.read_demo),
    (mmpose.is_list, mmpose.read_list),
    (coco.is_annotations, coco.read_annotations),
    (coco.is_by_image, coco.read_by_image),
    (mediapipe.is_landmarks, mediapipe.read_landmarks),
    (coco.is_results, coco.read_results),
)
_NPZ = (
    (archives.is_custom, archives.read_custom),
    (archives.is_detectron, archives.read_detectron),
    (mediapipe.is_archive, mediapipe.read_landmark_archive),
)


def read_people(
    path: str | Path,
    person: str | int = "everybody",
    layout: str | None = None,
    size: tuple[int, int] | None = None,
) -> list[Keypoints2D]:
    """The people in a file or folder of one of the formats above, each from the frame in which
    they are first found to the last, with the film's own frame numbers.

    Joints keep the tool's set (``skeleton``; ``converted(COCO_17)`` gives COCO's). What was not
    found has confidence 0. ``person`` is ``"everybody"``; ``"longest"``: who is found in the most
    frames; ``"largest"``: whose size in pixels, added up over the frames, is the largest; or the
    ``track`` of one: a list of one person a video. ``layout`` names the joint set
    (:data:`paperlib.detection.files.joint_sets.JOINT_SETS`) where a file does not tell it, ``size``
    the picture's width and height in pixels where a tool gives shares of them.

    Raises ``FileNotFoundError`` where there is nothing, and ``ValueError`` where the format or the
    joint set is not known, does not become clear, or nobody was detected.
    """
    return [
        one
        for film, people in _followed(path, Options(layout, size))
        for one in chosen(people, person, film.name)
    ]


def read_keypoints(
    path: str | Path,
    person: str | int = "largest",
    layout: str | None = None,
    size: tuple[int, int] | None = None,
) -> list[Keypoints2D]:
    """One person of each video in a file or folder, over all frames that the video is known to
    have, see :func:`read_people`. The joints are COCO's 17, or those of an archive's layout.

    Raises as it does, and ``ValueError`` where a file's joints are not COCO's.
    """
    if person == "everybody":
        raise ValueError("read_keypoints gives one person of a video; read_people gives everybody")
    videos = []
    for film, people in _followed(path, Options(layout, size)):
        (one,) = chosen(people, person, film.name)
        whole = one.over(film.frames)
        videos.append(whole if film.skeleton in LAYOUTS.values() else whole.converted(COCO_17))
    return videos


# -- recognising -----------------------------------------------------------------------------------


def _followed(path: str | Path, options: Options) -> list[tuple[Film, list[Keypoints2D]]]:
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of 2D keypoints")
    with contents_of(path):
        films = _read_folder(path, options) if path.is_dir() else _read_file(path, options)
        films = [films] if isinstance(films, Film) else films
        return [(film, people_in(film)) for film in films]


def _read_file(path: Path, options: Options) -> Film | list[Film]:
    with regular_file(path).open("rb") as file:
        head = file.read(200)
    if other := stand_in(head):
        raise ValueError(f"{path}: {other}")
    if zipfile.is_zipfile(path) or path.suffix == ".npz":
        content, readers = read_archive(path), _NPZ
        what = f"an archive of {sorted(content)}"
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"[", b"{") or path.suffix == ".json":
        content, readers = read_json(path), _JSON
        if content == []:
            raise nobody(path)
        if openpose.is_frame(content):
            raise ValueError(f"{path}: one frame of OpenPose; give the folder of all its frames")
        keys = f" of {list(content)[:6]}" if isinstance(content, dict) else ""
        what = f"JSON, a {type(content).__name__}{keys}"
    else:
        raise _unknown(path, f"a {path.suffix or 'nameless'} file")
    for recognised, read in readers:
        if recognised(content):
            return read(content, path, options)
    raise _unknown(path, what)


def _read_folder(folder: Path, options: Options) -> Film:
    files = openpose.files_of(folder)
    if not files:
        raise _unknown(folder, "a folder without JSON files")
    # of an image of nobody MMPose writes an empty list
    first = next((content for file in files if (content := read_json(file)) != []), [])
    if first == []:
        raise nobody(folder)
    if mmpose.is_list(first):
        return mmpose.read_images({file.stem: read_json(file) for file in files}, folder, options)
    return openpose.read_frames(folder, options)


def _unknown(path: Path, what: str) -> ValueError:
    return ValueError(
        f"{path} is {what}; expected 2D keypoints: the folder of OpenPose's JSON files (BODY_25, "
        "BODY_25B, COCO), JSON of MMPose 1.x (demo or inferencer), COCO results or annotations, "
        "AlphaPose (17, 26, 136 joints), MediaPipe's 33 landmarks, or .npz: a VideoPose3D custom "
        "data set or its Detectron archive"
    )


# -- people ----------------------------------------------------------------------------------------


def chosen(people: Sequence[Keypoints2D], person: str | int, name: str) -> list[Keypoints2D]:
    """Some of the people of a film of this ``name``, as :func:`read_people` says."""
    if person == "everybody":
        return list(people)
    if person == "largest":
        return [max(people, key=lambda one: one.size.sum())]
    if person == "longest":
        return [max(people, key=lambda one: (one.detected.any(axis=1).sum(), one.size.sum()))]
    tracks = [one.track for one in people]
    one_of(f"person of {name}", person, (*CHOICES, *tracks))
    return [people[tracks.index(person)]]


__getattr__, __dir__ = lazily(__name__)
