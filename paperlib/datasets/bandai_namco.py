"""Bandai Namco Research's motion data: BVH files of three actors, free for non-commercial use.

Licence CC BY-NC 4.0, Bandai Namco Research Inc., 2022; cite Kobayashi et al., "Motion Capture
Dataset for Practical Use of AI-based Motion Editing and Stylization", arXiv 2306.08861. It is
loaded only where it is asked for by name.

The publisher gave all actors one skeleton, and the files do not say who performed. Its proportions
are a game character's (shoulders 20 cm apart, ankles 12 cm high), so that the motion is replayed by
bodies of human ones: directions of bones are the files', lengths those of
:data:`.motion.bodies.BODIES`.

The joints are those of Human3.6M, but two. The pelvis is the middle of the two upper legs, the
thorax is ``Neck``, elbows ``LowerArm``, wrists ``Hand``, ankles ``Foot``. The head ends in a point
of no length, so that nose and top are **built**: places in the head's own frame (x up, y ahead), as
a body of the same height has them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from paperlib.datasets import bvh, expmap, synthetic, takes
from paperlib.datasets.motion.bodies import BODIES
from paperlib.datasets.motion.replaying import replay
from paperlib.datasets.packed import hold_against, packed_texts
from paperlib.datasets.prepared import chosen
from paperlib.errors import MissingDataError, one_of
from paperlib.paths import find_data, regular_file, shown
from paperlib.recordings import Dataset
from paperlib.skeletons import H36M_17

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "bandai_namco"
ARCHIVE = "bandai_namco.tar.xz"
LICENCE = (
    "CC BY-NC 4.0, not for commercial use; cite Kobayashi et al., arXiv 2306.08861 "
    "(Bandai Namco Research Inc., 2022)"
)
ABOUT = f"Bandai Namco Research motion data ({LICENCE})."
EXCLUDED = (
    "of Bandai Namco's 3,077 files, dance-long and three quarters of the takes of the second part"
)
ACTIONS = tuple(
    "walk walk-back walk-left walk-right walk-turn-left walk-turn-right run dash bow bye byebye"
    " guide respond call punch kick slash dance-short wave-both-hands wave-left-hand"
    " wave-right-hand raise-up-both-hands raise-up-left-hand raise-up-right-hand".split()
)
ANKLE_HEIGHT = 0.1174  # metres of the files' body, standing
_NOSE, _TOP = (0.097, 0.045, 0.0), (0.224, 0.019, 0.0)  # metres in the head's frame
_SOURCES = {
    **{"pelvis": ("UpperLeg_L", "UpperLeg_R"), "spine": ("Spine",), "thorax": ("Neck",)},
    **{"neck_nose": ("nose",), "head_top": ("top",)},
    **{
        f"{side}_{joint}": (f"{source}_{side[0].upper()}",)
        for side in ("left", "right")
        for joint, source in {
            **{"hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot"},
            **{"shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand"},
        }.items()
    },
}
_FILE = re.compile(r"(?:.*/)?dataset-(?P<part>[12])_(?P<rest>[a-z-]+_[a-z-]+_\d+)\.bvh")
_MOST_BYTES = 2**29  # unpacked; the 924 files have a third of that
_FORMAT = "1"  # changes whenever the same files would give other positions


def find() -> Path:
    """The folder that holds the data; :class:`MissingDataError` tells how to get them."""
    return find_data(
        FOLDER,
        lambda folder: (folder / ARCHIVE).is_file() or _unpacked(folder),
        "Bandai Namco Research's motion data were",
        "Put the repository github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset "
        "(commit 74ead3ba1ae4; CC BY-NC 4.0: not for commercial use) there, unpacked, or "
        f"{ARCHIVE}; PAPERLIB_DATA names another folder. Without them, "
        'dataset="cmu" and "synthetic" run.',
    )


def _unpacked(folder: Path) -> dict[str, Path]:
    """The files by their names, "1_walk_happy_001"; none where only the archive is there."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("**/*.bvh")):
        if name := _name(path.as_posix()):
            _once(found, name, shown(folder))
            found[name] = path
    return found


def _name(path: str) -> str | None:
    match = _FILE.fullmatch(path)
    return f"{match['part']}_{match['rest']}" if match else None


def _once(found: dict[str, object], name: str, where: str) -> None:
    if name in found:
        raise ValueError(f"{where}: dataset-{name}.bvh is there twice; move one of them away")


def _texts(folder: Path) -> dict[str, bytes]:
    """The content of every file. What is packed is read in memory, nothing is unpacked."""
    if unpacked := _unpacked(folder):
        return {name: regular_file(path).read_bytes() for name, path in unpacked.items()}
    path, texts = folder / ARCHIVE, {}
    wanted, advice = (lambda member: bool(_name(member))), "Get the archive again"
    for member, text in packed_texts(path, wanted, advice, _MOST_BYTES):
        name = _name(member)
        _once(texts, name, shown(path))
        texts[name] = text
    return dict(sorted(texts.items()))


def _of_manifest(texts: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """The files of the manifest; refused unless all are there, as they should be. The public set
    has more of them."""
    listed = manifest()
    right = dict(zip(listed["name"], listed["sha256"], strict=True))
    hold_against(
        right,
        {n: hashlib.sha256(texts[n]).hexdigest() for n in right if n in texts},
        f"Bandai Namco Research's motion data in {shown(folder)}",
        "Get them again, at commit 74ead3ba1ae4.",
        closed=False,
    )
    return {name: texts[name] for name in right}


def _content_key(folder: Path, as_found: bool) -> str:
    digest = hashlib.sha256(repr((_FORMAT, BODIES, _SOURCES, _NOSE, _TOP, as_found)).encode())
    unpacked = _unpacked(folder) or {ARCHIVE: folder / ARCHIVE}
    for name, path in unpacked.items():
        digest.update(name.encode() + regular_file(path).read_bytes())
    return digest.hexdigest()[:16]


def joints_17(motion: bvh.Bvh, name: str = "file") -> torch.Tensor:
    """``(T, 17, 3)`` of Human3.6M's joints: metres, z up, floor at 0, at the file's own rate and
    with its bones. ``ValueError`` for another skeleton than this data set's."""
    try:
        for point, place in (("nose", _NOSE), ("top", _TOP)):
            motion = motion.with_point(point, "Head", [100 * metres for metres in place])
        where = [[motion.index(j) for j in _SOURCES[joint]] for joint in H36M_17.joints]
    except ValueError as problem:
        raise ValueError(f"{name}: not a skeleton of this data set ({problem})") from None
    joints = motion.positions() / 100
    joints = torch.stack([joints[:, which].mean(dim=1) for which in where], dim=1)
    return expmap.y_up_to_z_up(joints)


def all_takes(actions: Iterable[str] | None = None, as_found: bool = False) -> list[takes.Take]:
    """Every file of some of :data:`ACTIONS` as a take, on its two bodies; its group is its style.

    30 frames a second become 50 between neighbouring frames, linearly, and bones keep their
    lengths. (Of CMU's motion at 120 Hz, every fourth frame kept, 0.8 mm are lost so, 0.7 by cubic
    splines.)
    """
    wanted, folder = chosen("action", actions, ACTIONS), find()

    @cache
    def texts() -> dict[str, bytes]:
        found = _texts(folder)
        return found if as_found else _of_manifest(found, folder)

    def make(action: str) -> Iterator[tuple[str, str, str, np.ndarray]]:
        names = sorted(name for name in texts() if name.split("_")[1] == action)
        for number, name in enumerate(names):
            motion = bvh.parse_bvh(texts()[name], f"dataset-{name}.bvh")
            own = takes.turned(joints_17(motion, f"dataset-{name}.bvh"), takes.heading(name))
            times = expmap.resampling_times(len(own), round(motion.fps, 3), takes.FPS)
            own = expmap.resample_points(own, times)
            for part in ("train", "test"):
                bodies = getattr(synthetic, part.upper())
                body = bodies[number % len(bodies)]
                world = replay(own, ANKLE_HEIGHT, BODIES[body])
                yield name, part, body, world.float().numpy()

    key, found = _content_key(folder, as_found), []
    for action in wanted:
        file = f"{FOLDER}-{action}-{key}.npz"
        found += takes.kept(file, action, lambda take: take.split("_")[2], partial(make, action))
    if not found:
        raise MissingDataError(f"{shown(folder)} has no files of {', '.join(wanted)}")
    return found


def load(fold: int = 0, actions: Iterable[str] | None = None, as_found: bool = False) -> Dataset:
    """One of the three folds of the takes, at 50 Hz, filmed by the four cameras of the studio.

    ``actions`` limits it to some of :data:`ACTIONS`, the contents of the files; a clip's name tells
    the style. The takes of one content and style are alike, and all of them in one fold.
    ``as_found=True`` loads the files that are there, as they are: another data set.
    """
    one_of("fold", fold, takes.FOLDS)
    found = all_takes(actions, as_found)
    return takes.dataset(FOLDER, ABOUT, found, fold, EXCLUDED, as_found)


def manifest() -> "pd.DataFrame":
    """The files that are used: name, frames, sha256."""
    import pandas as pd

    return pd.read_csv(Path(__file__).with_name("bandai_namco_manifest.csv"))
