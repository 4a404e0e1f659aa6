"""From a film, or from what a detector found in one, to a folder of poses: ``paperlib lift``."""

import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from paperlib.detection.files import CHOICES, chosen, read_people
from paperlib.detection.sequences import Keypoints2D
from paperlib.errors import one_of
from paperlib.exports import Exported, export, require_packages
from paperlib.kinematics import matrix_to_quaternion, shortest_turn
from paperlib.lifting import Lifted, film_camera, lift_people
from paperlib.paths import replacing, require_writable
from paperlib.progress import bar
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training.shipping import provenance, shipped

NAME = "poses"  # of the files
_FILMS = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".3gp"}
FILES = ("npz", "csv", "bvh", "trc", "c3d", "glb")
_FRAMES = 250  # of an animation, at most
_PIXELS = 480  # of a film's pictures in it, the longer side
_OWN = rf"{NAME}(_\w[\w-]*)?\.\w+"  # the names of files that it writes
_HEAD = 2**12  # bytes by which a film is told from a text
_BRIEF = 5  # frames that somebody must be seen in


@dataclass(frozen=True)
class Options:
    """What may be said of a film beyond what it says itself; see :func:`lift_people`."""

    fps: float | None = None
    size: tuple[int, int] | None = None
    focal: float | None = None
    person_height: float | None = None
    person: str | int = "everybody"
    layout: str | None = None
    down: Sequence[float] | None = None
    smooth: bool = True
    up: str | None = None
    formats: Sequence[str] = FILES
    animation: bool = True
    detector: str = "heavy"
    people: int = 1


def lift(source: str | Path, folder: str | Path, options: Options = Options()) -> list[Path]:
    """Write poses of the people in ``source`` to ``folder``, and give the files.

    ``source`` is a file or folder of keypoints (:func:`paperlib.detection.read_people`), or a film,
    in which BlazePose looks for ``people`` (:mod:`paperlib.detection.blazepose`). Written are
    ``poses`` in each of the ``formats``; ``poses.gif``, which shows them beside the keypoints; for
    each person a page on which to turn and play them; and ``about.json``: what was assumed, by
    which model, and what came out. Keypoints of several videos become a folder for each in it, by
    its name. What was found in a film is kept in ``keypoints-….npz``: a second call does not look
    again, and one that was stopped goes on. Files of an earlier call that this one did not write
    are removed, by what its ``about.json`` says.

    ``ValueError`` for a source that cannot be read, for keypoints of which neither they nor
    ``options`` tell rate and size, and where a format takes a package that is not installed."""
    suffixes = [f".{one_of('format', each.lstrip('.'), FILES)}" for each in options.formats]
    if isinstance(options.person, str):
        one_of("person", options.person, CHOICES)
    require_packages(suffixes)
    folder = Path(folder)
    require_writable(folder, "--out")
    videos: dict[str, list[Keypoints2D]] = {}
    for one in _people(source, folder, options):
        videos.setdefault(one.name, []).append(one)
    long = {name: [o for o in people if _is_long(o)] for name, people in videos.items()}
    for name, people in videos.items():
        if options.fps is None and people[0].fps is None:
            raise ValueError(f"{source}: keypoints do not tell the film's rate: say it with --fps")
        if not long[name]:
            video = f", video {name!r}" if len(videos) > 1 else ""
            raise ValueError(f"{source}{video}: nobody is seen in {_BRIEF} frames or more")
    places = _places(folder, videos)
    files, before = [], set().union(*map(_written_before, {folder, *places}))
    for name, place in zip(videos, places, strict=True):
        brief = len(videos[name]) - len(long[name])
        files += _lift(long[name], brief, place, suffixes, options, source)
    for path in before - {*files}:
        path.unlink(missing_ok=True)
    return files


def _is_long(one: Keypoints2D) -> bool:
    return one.detected.any(axis=1).sum() >= _BRIEF


def _places(folder: Path, videos: Iterable[str]) -> list[Path]:
    """A folder for each video: where there is one, ``folder`` itself."""
    names = [re.sub(r"[^\w.-]+", "_", name).strip(".") or "video" for name in videos]
    if len(names) == 1:
        return [folder]
    alike = len(set(names)) < len(names)
    return [folder / (f"{n}_{name}" if alike else name) for n, name in enumerate(names, start=1)]


def _written_before(folder: Path) -> set[Path]:
    """What an earlier call has written there."""
    about = folder / "about.json"
    try:
        names = json.loads(about.read_text("utf-8"))["files"]
    except (OSError, ValueError, TypeError, LookupError):
        return set()
    own = (name for name in names if isinstance(name, str) and re.fullmatch(_OWN, name))
    return {folder / name for name in own} | {about}


def _lift(
    people: Sequence[Keypoints2D],
    brief: int,
    folder: Path,
    suffixes: Sequence[str],
    options: Options,
    source: str | Path,
) -> list[Path]:
    """The files of one video."""
    told = (options.size, options.focal, options.person_height, options.down, options.smooth)
    lifted = lift_people(people, options.fps, *told)
    options = replace(options, fps=options.fps or people[0].fps)
    named = _named(lifted)
    exported = _export(named, folder, suffixes, options)
    files = [*exported.files]
    if options.animation:
        files.append(_animate(people, lifted, folder / f"{NAME}.gif", options.fps, source))
    files += _players(people, named, folder, options)
    written = [path.name for path in files]
    about = _about(source, people[0].name, named, exported, brief, options) | {"files": written}
    path = folder / "about.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return [*files, path]


def _named(lifted: Sequence[Lifted]) -> dict[int, Lifted]:
    """By the number of the track, else from 1."""
    tracks = [one.track for one in lifted]
    told = None not in tracks and len(set(tracks)) == len(tracks)
    return dict(zip(tracks if told else range(1, len(lifted) + 1), lifted, strict=True))


def _export(
    named: dict[int, Lifted], folder: Path, suffixes: Sequence[str], options: Options
) -> Exported:
    poses = {name: one.upright for name, one in named.items()}
    frames = {name: one.frames for name, one in named.items()}
    scores = {
        name: np.repeat(one.scores[:, None], len(H36M_17), axis=1) for name, one in named.items()
    }
    paths = [folder / f"{NAME}{suffix}" for suffix in suffixes]
    about = {"frames": frames, "scores": scores, "poses_up": "z", "up": options.up}
    return export(poses, paths, options.fps, H36M_17, **about)


def is_film(path: str | Path) -> bool:
    """Whether a file is a film: by its name, else since it is neither text nor an archive."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _FILMS:
        return True
    if suffix == ".npz" or not path.is_file() or zipfile.is_zipfile(path):
        return False
    with path.open("rb") as file:
        return b"\0" in file.read(_HEAD)


def _people(source: str | Path, folder: Path, options: Options) -> list[Keypoints2D]:
    if not is_film(source):
        return read_people(source, options.person, options.layout, options.size)
    from paperlib.detection.blazepose import detect_film

    found = detect_film(source, options.detector, options.people, keep=folder)
    return chosen(found, options.person, Path(source).name)


def _animate(
    people: Sequence[Keypoints2D],
    lifted: Sequence[Lifted],
    path: Path,
    fps: float,
    source: str | Path,
) -> Path:
    from paperlib.plotting.own_film import film_animation, frames_shown

    pictures = {}
    if is_film(source):
        from paperlib.outside.videos import read_video

        wanted = {*frames_shown(lifted, fps, _FRAMES)[0].tolist()}
        for picture in read_video(source):
            if picture.number in wanted:
                step = max(1, max(picture.pixels.shape) // _PIXELS)
                pictures[picture.number] = picture.pixels[::step, ::step].copy()
    animation = film_animation(people, lifted, fps, _FRAMES, pictures)
    with replacing(path) as temporary, bar(desc="drawing", unit="frame", leave=False) as line:
        animation.save(temporary, writer="pillow", progress_callback=lambda *_: line.update())
    return path


def _players(
    people: Sequence[Keypoints2D], named: dict[int, Lifted], folder: Path, options: Options
) -> list[Path]:
    """For each person a page on which their body can be turned and played."""
    from paperlib.player import show
    from paperlib.plotting.own_film import frame_step

    files, fps = [], options.fps / frame_step(list(named.values()))
    for one, (name, lifted) in zip(people, named.items(), strict=True):
        seen = one.converted(COCO_17)
        # the camera of a world whose floor is level
        up = -torch.tensor(lifted.down)
        turn = matrix_to_quaternion(shortest_turn(up, torch.tensor([0.0, 0.0, 1.0])))
        camera = film_camera(one, options.size, options.focal)
        camera = replace(camera, orientation=tuple(turn.tolist()))
        points, scores = torch.from_numpy(seen.keypoints), torch.from_numpy(seen.confidence)
        about = {"skeleton": lifted.skeleton, "keypoint_skeleton": COCO_17}
        film = Recording(f"person {name}", "film", one.name, fps, camera, points, scores, **about)
        files.append(show(film, {"lifted": lifted.positions}).save(folder / f"{NAME}_{name}.html"))
    return files


def _about(
    source: str | Path,
    video: str,
    named: dict[int, Lifted],
    exported: Exported,
    brief: int,
    options: Options,
) -> dict:
    people = {
        str(name): {
            "frames": [int(one.frames[0]), int(one.frames[-1])],
            "seen": round(float((one.scores > 0).mean()), 3),
            "height, m": round(one.height, 3),
        }
        for name, one in named.items()
    }
    for name, residual in exported.residuals.items():
        people[str(name)]["fitted skeleton off by, mm"] = round(residual, 1)
    return {
        "source": Path(source).name,
        "video": video,
        "frames a second": round(options.fps, 3),
        "focal length, pixels": options.focal or "guessed: as long as the picture's longer side",
        "size of people": "told" if options.person_height else "that of an average body",
        "down, in the camera's axes": [round(each, 4) for each in next(iter(named.values())).down],
        "down is": "told" if options.down else "guessed: where people's feet are",
        "paths": "refined" if options.smooth else "as lifted, frame by frame",
        "people": people,
        "seen too briefly": brief,
        "model": provenance(shipped("any_camera")),
    }
