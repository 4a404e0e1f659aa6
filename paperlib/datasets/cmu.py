"""CMU motion capture: the free, real data set of the companion.

The data used here was obtained from mocap.cs.cmu.edu; the database was created with funding from
NSF EIA-0196217. Who performed is not known, and every file has one and the same skeleton. So the
files are replayed by bodies of several statures (their joint angles on other bones), five for
training and two others for testing, and the split is the one by file and action that the motion
prediction literature uses.
"""

import hashlib
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from paperlib.datasets import asf_amc, expmap
from paperlib.datasets.filming import film
from paperlib.errors import MissingDataError, one_of
from paperlib.kinematics import rotation_about
from paperlib.paths import cache_dir, data_dirs, replacing, shown
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import CMU_38, H36M_17, convert, part

if TYPE_CHECKING:
    import pandas as pd

read_expmap = expmap.read_expmap  # one file, as joint positions

FOLDER = "cmu_mocap"
FPS = 50.0
ACTIONS = tuple(
    "walking walking_extra running jumping soccer basketball basketball_signal directing_traffic"
    " washwindow".split()
)
ANKLE_HEIGHT = 0.08  # metres of an ankle joint above the floor when the foot is flat on it
# frames of motion to leave out: the left arm jumps 66 cm after the second one
_CUT = {"train/walking_extra/walking_27": 2}
_FORMAT = "3"  # changes whenever the same files would give other positions


@dataclass(frozen=True)
class Build:
    """A body that replays the capture: factors on the published skeleton's bones."""

    name: str
    legs: float = 1.0
    trunk: float = 1.0
    arms: float = 1.0
    width: float = 1.0


TRAIN_BUILDS = (
    Build("body1", 1.00, 1.00, 1.00, 1.00),
    Build("body2", 0.92, 0.95, 0.90, 0.92),
    Build("body3", 1.10, 1.04, 1.09, 1.06),
    Build("body4", 1.03, 1.10, 1.06, 1.12),
    Build("body5", 0.95, 0.90, 0.97, 0.95),
)
TEST_BUILDS = (Build("body6", 0.97, 1.02, 0.94, 1.02), Build("body7", 1.06, 0.99, 1.04, 0.98))


def build_offsets(build: Build, restore_thorax: bool = True) -> torch.Tensor:
    """(38, 3) metres: the rest skeleton of one body."""
    offsets = expmap.rest_offsets(restore_thorax).clone()
    for joint, name in enumerate(CMU_38.joints):
        place = part(name)
        if place in ("up_leg", "shoulder"):
            offsets[joint] *= build.width
        elif place.startswith(("leg", "foot", "toe")):
            offsets[joint] *= build.legs
        elif place.startswith(("arm", "fore_arm", "hand", "finger", "thumb")):
            # the upper arm's offset is the collar bone, which follows the width of the body
            offsets[joint] *= build.width if place == "arm" else build.arms
        else:
            offsets[joint] *= build.trunk
    return offsets


def find() -> Path:
    """The folder that holds the data; :class:`MissingDataError` tells how to get them."""
    for place in data_dirs():
        folder = place / FOLDER
        if (folder / "cmu_expmap.tar.xz").is_file() or _unpacked(folder):
            return folder
    places = " or ".join(f"{shown(p)}/{FOLDER}" for p in data_dirs())
    raise MissingDataError(
        f"CMU motion capture was not found in {places}. `make cmu` (`python -m paperlib data cmu`) "
        "downloads it there (free for research, 25 MB); PAPERLIB_DATA names another folder. "
        'Without it, dataset="synthetic" runs everything.'
    )


def _unpacked(folder: Path) -> list[Path]:
    """The text files, in the order of their names; none where only the archive is there."""
    return sorted((folder / "cmu_expmap").glob("*/*/*.txt"))


def _texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """("train/walking/walking_1", content) of every exponential-map file, in the order of names."""
    if unpacked := _unpacked(folder):
        for path in unpacked:
            name = path.relative_to(folder / "cmu_expmap").with_suffix("").as_posix()
            yield name, path.read_bytes()
        return
    with tarfile.open(folder / "cmu_expmap.tar.xz") as archive:
        members = {m.name: m for m in archive if m.isfile() and m.name.endswith(".txt")}
        texts = {name: archive.extractfile(members[name]).read() for name in members}
    for name in sorted(texts):
        yield name.removeprefix("cmu_expmap/").removesuffix(".txt"), texts[name]


def _content_key(folder: Path, *options: object) -> str:
    digest = hashlib.sha256(repr((_FORMAT, TRAIN_BUILDS, TEST_BUILDS, *options)).encode())
    for path in _unpacked(folder) or [folder / "cmu_expmap.tar.xz"]:
        # the folders of a file say its split and its action
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def onto_stage(positions: torch.Tensor, yaw: float) -> torch.Tensor:
    """World positions ``(T, 17, 3)`` turned by ``yaw`` radians, centred on the stage, and lowered
    or lifted so that the lowest ankle (5th percentile over time) stands at its natural height."""
    turned = positions @ rotation_about("z", torch.tensor(yaw, dtype=positions.dtype)).T
    root = turned[:, H36M_17.root, :2]
    middle = (root.amin(dim=0) + root.amax(dim=0)) / 2
    ankles = turned[:, [H36M_17.index("left_ankle"), H36M_17.index("right_ankle")], 2]
    floor = ankles.amin(dim=1).quantile(0.05) - ANKLE_HEIGHT
    return turned - torch.cat([middle, floor[None]])


def _replay(name: str, text: bytes, build: Build, yaw: float, root_correction: bool) -> np.ndarray:
    root, rotations = expmap.parse_motion(text, name, root_correction)
    skip = _CUT.get(name, 0)
    root, rotations = root[skip:], rotations[skip:]
    times = expmap.resampling_times(len(root), expmap.FPS, FPS)
    # the length of the legs scales the path, so that steps still fit the floor
    path = expmap.resample_points(root, times) * build.legs
    joints = expmap.positions_38(
        path, expmap.resample_rotations(rotations, times), build_offsets(build)
    )
    return onto_stage(convert(joints, CMU_38, H36M_17), yaw).float().numpy()


def _world(folder: Path, root_correction: bool) -> dict[str, np.ndarray]:
    """World positions (T, 17, 3) at 50 Hz by "split/action/clip/body"; computed once and cached."""
    cached = cache_dir() / f"cmu-{_content_key(folder, root_correction)}.npz"
    if cached.is_file():
        with np.load(cached, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    world = {}
    counts = {"train": 0, "test": 0}
    for name, text in _texts(folder):
        split = name.split("/")[0]
        builds = TRAIN_BUILDS if split == "train" else TEST_BUILDS
        build = builds[counts[split] % len(builds)]
        counts[split] += 1
        # every capture faces the same way; a heading of its own, by its name, spreads them
        yaw = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") / 2**32
        world[f"{name}/{build.name}"] = _replay(name, text, build, yaw * 2 * np.pi, root_correction)
    with replacing(cached) as temporary, temporary.open("wb") as file:
        np.savez(file, **world)
    return world


def load(
    actions: Iterable[str] | None = None,
    root_correction: bool = True,
    include_asf_amc: bool = False,
) -> Dataset:
    """The exponential-map files, mended, at 50 Hz, filmed by the four cameras of the studio.

    ``actions`` limits what is filmed to some of :data:`ACTIONS`.
    ``root_correction=False`` leaves the published order of the root's angles (bodies then tip over
    as they turn). ``include_asf_amc=True`` adds the trials in the original format, where present
    (ballet, flips, cartwheels), to the training part.
    """
    wanted = [one_of("action", a, ACTIONS) for a in (ACTIONS if actions is None else actions)]
    folder = find()
    parts = {"train": [], "test": []}
    for key, positions in sorted(_world(folder, root_correction).items()):
        split, action, clip, body = key.split("/")
        if action in wanted:
            world = torch.from_numpy(positions)
            parts[split] += film(world, subject=body, action=action, clip=clip, fps=FPS)
    if include_asf_amc:
        for name, positions in asf_amc.trials(folder / "asf_amc", FPS):
            world, who = onto_stage(positions, 0.0), f"subject{name.split('_')[0]}"
            parts["train"] += film(world, subject=who, action="acrobatics", clip=name, fps=FPS)
    return Dataset(
        name="cmu",
        source=(
            "CMU motion capture (mocap.cs.cmu.edu), public exponential-map files, mended; replayed "
            "by bodies of other statures in test than in training, filmed by four virtual cameras "
            f"at 50 Hz; split by file, performers unknown; {_clips(parts['train'])} to learn from, "
            f"{_clips(parts['test'])} to test on."
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        excluded=(
            "two broken frames of walking_extra/walking_27; of the 106 published files, ten that "
            "the public copies lack"
        ),
    )


def _clips(recordings: list[Recording]) -> str:
    """ "24 clips (18 walking_extra, …)": what a mean over actions hides."""
    actions = Counter(action for action, _ in {(r.action, r.clip) for r in recordings})
    ranked = sorted(actions.items(), key=lambda item: (-item[1], item[0]))
    counts = ", ".join(f"{count} {action}" for action, count in ranked)
    return f"{actions.total()} clips ({counts})"


def manifest() -> "pd.DataFrame":
    """The files of the public set that are used: path, split, action, rows, sha256."""
    import pandas as pd

    return pd.read_csv(Path(__file__).with_name("cmu_manifest.csv"))
