"""From a film, or from what a detector found in one, to a folder of poses: ``paperlib lift``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from paperlib.detection.files import CHOICES, chosen, read_people
from paperlib.detection.sequences import Keypoints2D
from paperlib.errors import one_of
from paperlib.exports import Exported, export
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
    which model, and what came out. What was found in a film is kept in ``keypoints.npz``: a
    second call does not look again, and one that was stopped goes on.

    ``ValueError`` for a source that cannot be read, and for keypoints of which neither they nor
    ``options`` tell rate and size."""
    suffixes = [f".{one_of('format', each.lstrip('.'), FILES)}" for each in options.formats]
    if isinstance(options.person, str):
        one_of("person", options.person, CHOICES)
    folder = Path(folder)
    require_writable(folder, "--out")
    people = _people(source, folder, options)
    if options.fps is None and people[0].fps is None:
        raise ValueError(f"{source}: keypoints do not tell the film's rate: say it with --fps")
    long = [one for one in people if one.detected.any(axis=1).sum() >= _BRIEF]
    if not long:
        raise ValueError(f"{source}: nobody is seen in {_BRIEF} frames or more")
    told = (options.size, options.focal, options.person_height, options.down, options.smooth)
    lifted = lift_people(long, options.fps, *told)
    options = replace(options, fps=options.fps or people[0].fps)
    named = _named(lifted)
    exported = _export(named, folder, suffixes, options)
    files = [*exported.files]
    if options.animation:
        files.append(_animate(long, lifted, folder / f"{NAME}.gif", options.fps, source))
    files += _players(long, named, folder, options)
    brief = len(people) - len(long)
    files.append(_about(source, named, exported, brief, folder / "about.json", options))
    return files


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
    """Whether a file is a film, by its name."""
    return Path(path).suffix.lower() in _FILMS


def _people(source: str | Path, folder: Path, options: Options) -> list[Keypoints2D]:
    if not is_film(source):
        return read_people(source, options.person, options.layout, options.size)
    from paperlib.detection.blazepose import detect_film

    keep = folder / "keypoints.npz"
    found = detect_film(source, options.detector, options.people, keep=keep)
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

        wanted = frames_shown(lifted, _FRAMES)
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

    files = []
    for one, (name, lifted) in zip(people, named.items(), strict=True):
        seen = one.converted(COCO_17)
        # the camera of a world whose floor is level
        up = -torch.tensor(lifted.down)
        turn = matrix_to_quaternion(shortest_turn(up, torch.tensor([0.0, 0.0, 1.0])))
        camera = film_camera(one, options.size, options.focal)
        camera = replace(camera, orientation=tuple(turn.tolist()))
        points, scores = torch.from_numpy(seen.keypoints), torch.from_numpy(seen.confidence)
        about = {"skeleton": lifted.skeleton, "keypoint_skeleton": COCO_17}
        film = Recording(
            f"person {name}", "film", one.name, options.fps, camera, points, scores, **about
        )
        files.append(show(film, {"lifted": lifted.positions}).save(folder / f"{NAME}_{name}.html"))
    return files


def _about(
    source: str | Path,
    named: dict[int, Lifted],
    exported: Exported,
    brief: int,
    path: Path,
    options: Options,
) -> Path:
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
    about = {
        "source": Path(source).name,
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
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path
