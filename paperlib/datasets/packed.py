"""Motion capture in one archive: read in memory, and held against the list of its data set."""

import lzma
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from paperlib.errors import MissingDataError
from paperlib.outside.containers import tar_files
from paperlib.paths import regular_file, shown, stand_in


def packed_texts(
    path: Path, wanted: Callable[[str], bool], advice: str, limit: int = 2 * 2**30
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the ``wanted`` files of a ``.tar.xz``; nothing is unpacked to a disk.
    ``ValueError`` with ``advice`` where it is damaged, or unpacks to more than ``limit`` bytes."""
    regular_file(path)
    try:
        with lzma.open(path) as unpacked:
            yield from tar_files(unpacked, wanted, limit)
    except PermissionError:
        raise
    except Exception as problem:  # a damaged archive can fail in nearly any way
        with path.open("rb") as file:
            what = stand_in(file.read(200)) or f"damaged ({problem})"
        raise ValueError(f"{shown(path)}: {what}. {advice}") from None


def hold_against(
    listed: Mapping[str, str],
    found: Mapping[str, str | None],
    where: str,
    advice: str,
    closed: bool = True,
) -> None:
    """Refuse files that are not those of a data set: ``listed`` by name with their SHA-256,
    ``found`` likewise, None where it is not known. :class:`MissingDataError` for less than all of
    them, ``ValueError`` for others, if the list is ``closed``, and for those that have changed."""
    faults = {
        "missing": [name for name in listed if name not in found],
        "not of the data set": [name for name in found if closed and name not in listed],
        "of another content": [n for n, h in found.items() if h not in (None, listed.get(n, h))],
    }
    for what, which in faults.items():
        if which:
            some = f"{', '.join(sorted(which)[:3])}{', …' if len(which) > 3 else ''}"
            raise (MissingDataError if what == "missing" else ValueError)(
                f"{where}: of {len(listed)} files, {len(which)} are {what} ({some}). {advice} "
                "as_found=True loads the files as they are"
            )
