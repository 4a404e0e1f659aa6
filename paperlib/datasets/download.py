"""Fetches the free data, each file checked against the hash it must have."""

import gzip
import hashlib
import tarfile
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO

from tqdm.auto import tqdm

from paperlib.datasets import REGISTRY, cmu, find
from paperlib.errors import MissingDataError
from paperlib.outside.containers import tar_files
from paperlib.paths import data_dir, replacing, shown

# the repositories that hold the exponential-map files, at the commits whose files were examined
CMU_SOURCES = (
    ("https://github.com/jutanke/mocap/archive/3a74f918767a.tar.gz", "mocap/data/cmu_eval"),
    (
        "https://github.com/chaneyddtt/Convolutional-Sequence-to-Sequence-Model-for-Human-Dynamics"
        "/archive/f27ccb4ed5b0.tar.gz",
        "data/cmu_mocap",
    ),
)
# what a download may raise that breaks off, or brings something else
_BROKEN = (OSError, tarfile.TarError, zlib.error, HTTPException, EOFError, ValueError)


@contextmanager
def _stream(url: str) -> Iterator[IO[bytes]]:
    with urllib.request.urlopen(url, timeout=60) as response:
        size = int(response.headers.get("Content-Length") or 0) or None
        with tqdm.wrapattr(response, "read", total=size, desc=url.rsplit("/", 1)[-1]) as shown_read:
            yield shown_read


def _wanted(
    archive: IO[bytes], inside: str, missing: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files in a streamed .tar.gz that are still missing."""
    with gzip.GzipFile(fileobj=archive) as unpacked:
        for path, content in tar_files(unpacked, lambda p: _name(p, inside) in missing):
            yield _name(path, inside), content


def _name(path: str, inside: str) -> str:
    return path.partition(f"{inside}/")[2]


def fetch_cmu(sources: tuple[tuple[str, str], ...] = CMU_SOURCES) -> Path:
    """Download the exponential-map files into the data folder; gives their folder.

    Each file is kept only if its SHA-256 is right. Until all are there they wait in a folder of
    another name, so that part of the data set is never taken for the whole; a download that was
    broken off goes on from there. Raises
    :class:`MissingDataError` where the sources cannot be reached or do not hold the right files.
    """
    whole = data_dir() / cmu.FOLDER / "cmu_expmap"
    folder = whole.with_name("cmu_expmap.partial")
    if whole.is_dir() and folder.exists():
        raise MissingDataError(
            f"{shown(whole)} and {shown(folder)} are both there, the second from a download that "
            "was broken off: delete one of them, and give the same command again"
        )
    if whole.is_dir():
        whole.rename(folder)
    manifest = cmu.manifest()
    names = manifest["path_in_archive"].str.removeprefix("cmu_expmap/")
    hashes = dict(zip(names, manifest["sha256"], strict=True))
    missing = {name: sha for name, sha in hashes.items() if not _is_whole(folder / name, sha)}
    problems = []
    for url, inside in sources:
        if not missing:
            break
        try:
            with _stream(url) as archive:
                for name, content in _wanted(archive, inside, missing):
                    if hashlib.sha256(content).hexdigest() != missing[name]:
                        problems.append(f"{name} from {url} has another content than expected")
                        continue
                    with replacing(folder / name) as temporary:
                        temporary.write_bytes(content)
                    del missing[name]
        except _BROKEN as problem:
            problems.append(f"{url}: {problem}")
    if missing:
        raise MissingDataError(
            f"{len(missing)} of {len(names)} CMU files could not be fetched "
            f"({'; '.join(problems) or 'the sources do not hold them'}). "
            f"They belong in {shown(whole)}/{{train,test}}/<action>/. "
            "What was fetched is kept; the same command goes on from there."
        )
    folder.rename(whole)
    return whole


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def inventory() -> Iterator[str]:
    """A line for each data set: here, or how to get it."""
    for name in REGISTRY:
        try:
            folder = find(name)
            yield f"{name}: in {folder}" if folder else f"{name}: embedded"
        except MissingDataError as missing:
            yield f"{name}: not here. {missing}"
