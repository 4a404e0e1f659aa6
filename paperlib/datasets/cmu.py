"""CMU motion capture: the free, real data set of the companion.

The data used here was obtained from mocap.cs.cmu.edu; the database was created with funding from
NSF EIA-0196217. Who performed is not known, and every file has one and the same skeleton. So the
files are replayed by bodies of several statures (their joint angles on other bones), five for
training and two others for testing, and the split is the one by file and action that the motion
prediction literature uses.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from paperlib.datasets import asf_amc, expmap, takes
from paperlib.datasets.cmu_bodies import TEST_BUILDS, TRAIN_BUILDS, Build, build_offsets
from paperlib.datasets.filming import film
from paperlib.datasets.packed import hold_against, packed_texts
from paperlib.datasets.prepared import chosen
from paperlib.errors import MissingDataError
from paperlib.paths import cached, find_data, regular_file, shown
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import CMU_38, H36M_17, convert

if TYPE_CHECKING:
    import pandas as pd

read_expmap = expmap.read_expmap  # one file, as joint positions

FOLDER = "cmu_mocap"
ARCHIVE = "cmu_expmap.tar.xz"
FETCH = "`make cmu` (`python -m paperlib data cmu`)"
FPS = 50.0
ACTIONS = tuple(
    "walking walking_extra running jumping soccer basketball basketball_signal directing_traffic"
    " washwindow".split()
)
ANKLE_HEIGHT = 0.08  # metres of an ankle joint above the floor when the foot is flat on it
# frames of motion to leave out: the left arm jumps 66 cm after the second one
_CUT = {"train/walking_extra/walking_27": 2}
_FORMAT = "3"  # changes whenever the same files would give other positions


def find() -> Path:
    """The folder that holds the data; :class:`MissingDataError` tells how to get them."""
    return find_data(
        FOLDER,
        lambda folder: (folder / ARCHIVE).is_file() or _unpacked(folder),
        "CMU motion capture was",
        f"{FETCH} downloads it there (free for research, 25 MB); PAPERLIB_DATA names another "
        'folder. Without it, dataset="synthetic" runs everything.',
    )


def _unpacked(folder: Path) -> list[Path]:
    """The text files, in the order of their names; none where only the archive is there."""
    return sorted((folder / "cmu_expmap").glob("*/*/*.txt"))


def _texts(folder: Path) -> dict[str, bytes]:
    """The content of every exponential-map file, such as "train/walking/walking_1", in the order
    of names."""
    if unpacked := _unpacked(folder):
        top = folder / "cmu_expmap"
        return {
            p.relative_to(top).with_suffix("").as_posix(): regular_file(p).read_bytes()
            for p in unpacked
        }
    advice = f"Get the archive again, or delete it: {FETCH} fetches its files"
    files = dict(packed_texts(folder / ARCHIVE, lambda name: name.endswith(".txt"), advice))
    names = {
        n.removeprefix("./").removeprefix("cmu_expmap/").removesuffix(".txt"): n for n in files
    }
    return {name: files[names[name]] for name in sorted(names)}


def _hold_against_manifest(folder: Path, hashes: Mapping[str, str | None]) -> None:
    """Refuse files, given by name with their SHA-256 or None, that are not the data set's, and less
    than all of them."""
    listed = manifest()
    names = listed["path_in_archive"].str.removeprefix("cmu_expmap/").str.removesuffix(".txt")
    hold_against(
        dict(zip(names, listed["sha256"], strict=True)),
        hashes,
        f"CMU motion capture in {shown(folder)}",
        f"{FETCH} fetches what is missing or damaged; what is none of its files has to be moved "
        "away.",
    )


def _checked_texts(folder: Path, as_found: bool) -> dict[str, bytes]:
    texts = _texts(folder)
    if not as_found:
        hashes = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
        _hold_against_manifest(folder, hashes)
    return texts


def _content_key(folder: Path, *options: object) -> str:
    digest = hashlib.sha256(repr((_FORMAT, TRAIN_BUILDS, TEST_BUILDS, *options)).encode())
    for path in _unpacked(folder) or [folder / ARCHIVE]:
        # the folders of a file say its split and its action
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(regular_file(path).read_bytes())
    return digest.hexdigest()[:16]


def onto_stage(positions: torch.Tensor, yaw: float) -> torch.Tensor:
    """World positions ``(T, 17, 3)`` turned by ``yaw`` radians, centred on the stage, and lowered
    or lifted so that the lowest ankle (5th percentile over time) stands at its natural height."""
    turned = takes.turned(positions, yaw)
    root = turned[:, H36M_17.root, :2]
    middle = (root.amin(dim=0) + root.amax(dim=0)) / 2
    ankles = turned[:, [H36M_17.index("left_ankle"), H36M_17.index("right_ankle")], 2]
    floor = ankles.amin(dim=1).quantile(0.05) - ANKLE_HEIGHT
    return turned - torch.cat([middle, floor[None]])


def _replay(
    name: str, text: bytes, builds: Iterable[Build], root_correction: bool
) -> Iterator[np.ndarray]:
    """The motion of a file, on each of ``builds``."""
    root, rotations = expmap.parse_motion(text, name, root_correction)
    skip = _CUT.get(name, 0)
    root, rotations = root[skip:], rotations[skip:]
    times = expmap.resampling_times(len(root), expmap.FPS, FPS)
    root = expmap.resample_points(root, times)
    rotations = expmap.resample_rotations(rotations, times)
    for build in builds:
        # the length of the legs scales the path, so that steps still fit the floor
        joints = expmap.positions_38(root * build.legs, rotations, build_offsets(build))
        world = onto_stage(convert(joints, CMU_38, H36M_17), takes.heading(name))
        yield world.float().numpy()


def _world(folder: Path, root_correction: bool, as_found: bool) -> dict[str, np.ndarray]:
    """World positions (T, 17, 3) at 50 Hz by "split/action/clip/body"; computed once and cached."""

    def make() -> dict[str, np.ndarray]:
        return _replays(_checked_texts(folder, as_found), root_correction)

    options = (root_correction, "as found") if as_found else (root_correction,)
    name = f"cmu-{_content_key(folder, *options)}.npz"
    world = cached(name, make, takes.write_worlds, _read_cache)
    if not as_found:  # what an earlier version kept was not held against it
        _hold_against_manifest(folder, dict.fromkeys(name.rpartition("/")[0] for name in world))
    return world


def _read_cache(path: Path) -> dict[str, np.ndarray]:
    return takes.read_worlds(path, r"(train|test)/\w+/[^/]+/\w+")


def _replays(texts: dict[str, bytes], root_correction: bool) -> dict[str, np.ndarray]:
    world = {}
    counts = {"train": 0, "test": 0}
    for name, text in texts.items():
        split, action, *clip = name.split("/")
        if len(clip) != 1 or split not in counts or action not in ACTIONS:
            raise ValueError(f"{name}: expected {{train,test}}/<action>/<clip>, one of {ACTIONS}")
        builds = TRAIN_BUILDS if split == "train" else TEST_BUILDS
        build = builds[counts[split] % len(builds)]
        counts[split] += 1
        (world[f"{name}/{build.name}"],) = _replay(name, text, [build], root_correction)
    return world


def all_takes(actions: Iterable[str] | None = None, as_found: bool = False) -> list[takes.Take]:
    """Every file as a take by itself, ``walking_1.train``, on a body of the training part and on
    one of the test part: for another split than the published one, which ``.train`` is of."""
    wanted, folder = chosen("action", actions, ACTIONS), find()
    texts = cache(partial(_checked_texts, folder, as_found))

    def make(action: str) -> Iterator[tuple[str, str, str, np.ndarray]]:
        for number, name in enumerate(n for n in texts() if n.split("/")[1] == action):
            split, _, clip = name.split("/")
            builds = [every[number % len(every)] for every in (TRAIN_BUILDS, TEST_BUILDS)]
            worlds = _replay(name, texts()[name], builds, root_correction=True)
            for use, build, world in zip(("train", "test"), builds, worlds, strict=True):
                yield f"{clip}.{split}", use, build.name, world

    key = _content_key(folder, "takes", *(["as found"] if as_found else []))
    return [
        take
        for action in wanted
        for take in takes.kept(f"cmu-{action}-{key}.npz", action, str, partial(make, action))
    ]


def load(
    actions: Iterable[str] | None = None,
    root_correction: bool = True,
    include_asf_amc: bool = False,
    asf_amc_fps: Mapping[str, float] | None = None,
    as_found: bool = False,
) -> Dataset:
    """The exponential-map files, mended, at 50 Hz, filmed by the four cameras of the studio.

    ``actions`` limits what is filmed to some of :data:`ACTIONS`.
    ``root_correction=False`` leaves the published order of the root's angles (bodies then tip over
    as they turn). ``include_asf_amc=True`` adds the trials in the original format, where present
    (ballet, flips, cartwheels), to the training part; ``asf_amc_fps`` says how many frames a second
    a trial of that name has, where :data:`asf_amc.FPS_OF` does not know it and it is not 120.

    Files that are missing, changed or not of the data set are refused: :class:`MissingDataError` or
    ``ValueError``. ``as_found=True`` loads those that are there, as they are: another data set,
    whose ``name`` and ``source`` say so.
    """
    wanted = chosen("action", actions, ACTIONS)
    if asf_amc_fps and not include_asf_amc:
        raise ValueError("asf_amc_fps is about the trials that include_asf_amc=True adds")
    folder = find()
    parts = {"train": [], "test": []}
    for key, positions in sorted(_world(folder, root_correction, as_found).items()):
        split, action, clip, body = key.split("/")
        if action in wanted:
            world = torch.from_numpy(positions)
            parts[split] += film(world, subject=body, action=action, clip=clip, fps=FPS)
    if not any(parts.values()):
        raise MissingDataError(
            f"CMU motion capture in {shown(folder)}: no files of {', '.join(wanted)}. {FETCH} "
            "fetches all there are"
        )
    if include_asf_amc:
        for name, positions in asf_amc.trials(folder / "asf_amc", FPS, asf_amc_fps):
            world, who = onto_stage(positions, 0.0), f"subject{name.split('_')[0]}"
            parts["train"] += film(world, subject=who, action="acrobatics", clip=name, fps=FPS)
    return Dataset(
        name="cmu-as_found" if as_found else "cmu",
        source=(
            "CMU motion capture (mocap.cs.cmu.edu), public exponential-map files, mended; replayed "
            "by bodies of other statures in test than in training, filmed by four virtual cameras "
            f"at 50 Hz; split by file, performers unknown; {_clips(parts['train'])} to learn from, "
            f"{_clips(parts['test'])} to test on"
            f"{'; files as found, not held against the list of the data set' if as_found else ''}."
        ),
        train=tuple(parts["train"]),
        test=tuple(parts["test"]),
        excluded=(
            "two broken frames of one walk; of the 106 published files, ten that the public copies "
            "lack"
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
