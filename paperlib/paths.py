"""Where things lie: the project, the data sets, the caches, the trained runs.

Every place can be moved by an environment variable, so that a read-only checkout works as well. A
relative path there starts at the project's folder: notebooks run in folders of their own.

========================  ==============================================  =====================
variable                  what lies there                                 default
========================  ==============================================  =====================
``PAPERLIB_DATA``         data sets that were brought or downloaded       ``data/``
``PAPERLIB_CACHE``        what was computed from them once                ``data/cache/``
``PAPERLIB_RUNS``         trained models                                  ``runs/``
``PAPERLIB_OUT``          a reader's own results and figures              ``out/``
========================  ==============================================  =====================
"""

import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from paperlib.errors import MissingDataError

T = TypeVar("T")


def _root() -> Path:
    """The checkout that this file is of; where the package was installed as a copy, the one that
    the working folder lies in, or the working folder."""
    here = Path.cwd()
    places = (Path(__file__).resolve().parents[1], here, *here.parents)
    inside = (p for p in places if (p / "pyproject.toml").is_file() and (p / "paperlib").is_dir())
    return next(inside, here)


ROOT = _root()


def _place(variable: str, default: Path) -> Path:
    value = os.environ.get(variable)
    return (ROOT / Path(value).expanduser()).resolve() if value else default


OUT = _place("PAPERLIB_OUT", ROOT / "out")


def data_dir() -> Path:
    """Where data sets are looked for, and where downloads go."""
    return _place("PAPERLIB_DATA", ROOT / "data")


def data_dirs() -> tuple[Path, ...]:
    """All the places a data set may lie: the one the user names, then the project's own. A name
    that leads nowhere is refused: it was meant to lead to data."""
    if not data_dir().is_dir() and os.environ.get("PAPERLIB_DATA"):
        raise MissingDataError(f"PAPERLIB_DATA names {data_dir()}, and there is no such folder")
    return tuple(dict.fromkeys((data_dir(), ROOT / "data")))


def find_data(name: str, is_there: Callable[[Path], object], what: str, how: str) -> Path:
    """The folder ``name`` among the places of data for which ``is_there`` holds;
    :class:`MissingDataError` says ``what`` was not found, where it was looked for, and ``how`` to
    get it."""
    for place in data_dirs():
        if is_there(place / name):
            return place / name
    places = " or ".join(f"{shown(place)}/{name}" for place in data_dirs())
    raise MissingDataError(f"{what} not found in {places}. {how}")


def cache_dir() -> Path:
    return _place("PAPERLIB_CACHE", ROOT / "data" / "cache")


def runs_dir() -> Path:
    return _place("PAPERLIB_RUNS", ROOT / "runs")


def shown(path: Path) -> str:
    """A path as it may stand in a committed output: relative to the project, or to a place that the
    user has named, ``$PAPERLIB_DATA/cmu_mocap``; else its name alone."""
    path = Path(path)
    places = {"": ROOT}
    for variable in ("PAPERLIB_DATA", "PAPERLIB_CACHE", "PAPERLIB_RUNS", "PAPERLIB_OUT"):
        if os.environ.get(variable):
            places[f"${variable}/"] = _place(variable, ROOT)
    for name, place in places.items():
        if path.resolve().is_relative_to(place):
            return (name + path.resolve().relative_to(place).as_posix()).removesuffix("/.")
    return path.name


def require_writable(folder: Path, variable: str) -> None:
    """``ValueError`` where nothing can be written to ``folder``, which is made if need be. It is
    asked before work begins that will have to be kept there; ``variable`` names another place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise ValueError(
            f"{shown(folder)} cannot be written ({problem.strerror}); set {variable} to a folder "
            "that can be"
        ) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to the temporary file this yields; it becomes ``path`` in one move, or not at all.

    What a killed process left of an earlier attempt is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{path.stem}-{socket.gethostname()}-"
    _remove_left_behind(path.parent, start)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f"{start}{os.getpid()}-", suffix=path.suffix or ".tmp"
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # temporary files are made for their owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def cached(
    name: str, make: Callable[[], T], write: Callable[[Path, T], None], read: Callable[[Path], T]
) -> T:
    """What ``make`` computes: from the file ``name`` of the cache, or computed and kept there.

    ``read`` must raise for a file that does not hold what ``write`` wrote. Such a file is made
    anew, and a line on the standard error says so. ``ValueError``, before anything is computed,
    where the cache cannot be written."""
    path = cache_dir() / name
    if path.exists():
        try:
            return read(path)
        except Exception as problem:  # what is damaged can fail in nearly any way
            why = str(problem).replace(str(path), path.name).splitlines() or [repr(problem)]
            print(f"{shown(path)} cannot be read and is made anew: {why[0]}", file=sys.stderr)
    require_writable(cache_dir(), "PAPERLIB_CACHE")
    made = make()
    with replacing(path) as temporary:
        write(temporary, made)
    return made


def _remove_left_behind(folder: Path, start: str) -> None:
    """Remove temporary files whose names begin so, of processes of this machine that are gone."""
    for file in folder.iterdir() if os.name == "posix" else ():
        process = file.name.removeprefix(start).split("-")[0]
        if file.name.startswith(start) and process.isdigit() and not _runs(int(process)):
            file.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, and does nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # of somebody else
        return True
    return True


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular_file(path: str | Path, limit: int = 2 * 2**30) -> Path:
    """A path that a user has named and that is to be read. ``FileNotFoundError`` where nothing is
    there, ``ValueError`` for what is no file (some never end, or wait for somebody before they
    begin), and for one of more than ``limit`` bytes."""
    path = Path(path)
    found = path.stat()
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"{path} is {_KINDS.get(kind, 'something else')}, not a file")
    if found.st_size > limit:
        raise ValueError(
            f"{path} has {found.st_size / 2**30:.1f} GiB; files of its kind are read up to "
            f"{limit / 2**30:g} GiB"
        )
    return path


def stand_in(head: bytes) -> str | None:
    """What a file is that stands where another was to be fetched, by its first bytes."""
    start = head[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file: `git lfs pull` fetches it"
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not the file: fetch it again, from the page's link for downloading"
    return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone with a file that is read, changed and replaced: other processes wait meanwhile."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Variables of the environment, for what starts meanwhile; afterwards all is as it was."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
