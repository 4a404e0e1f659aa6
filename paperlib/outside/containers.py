"""What a file holds, read in pieces: no more than it says, and no more than is allowed."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np

PIECE = 2**20  # bytes read at a time
_BUFFER = 2**16
_LONGEST_LINE = 2**24  # only pickles of text protocols have lines, and NumPy never wrote them


class Budget:
    """How many bytes may still be made of a file."""

    def __init__(self, limit: int):
        self.limit = self.left = limit

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError(f"it asks for more memory than {self.limit / 2**30:g} GiB")


class Stream(io.BufferedReader):
    """The ``size`` bytes of a file or of a member of an archive."""

    def __init__(self, raw: io.IOBase, size: int):
        super().__init__(raw, _BUFFER)
        self.size = size

    def readline(self, size: int = _LONGEST_LINE) -> bytes:
        return super().readline(size)

    def within(self, count: int) -> int:
        """``count``, which is refused if it is more bytes than there are."""
        if not 0 <= count <= self.size:
            raise ValueError(f"{count} bytes are said to follow, of {self.size} in all")
        return count

    def take(self, count: int) -> np.ndarray:
        """``count`` bytes ``(count,)`` in memory of their own, which takes no more than that."""
        data = np.empty(self.within(count), np.uint8)
        for start in range(0, count, PIECE):
            piece = data[start : start + PIECE]
            if self.readinto(piece) != len(piece):
                raise ValueError(f"it ends where {count} bytes are said to follow")
        return data


def members(archive: zipfile.ZipFile, limit: int) -> dict[str, zipfile.ZipInfo]:
    """What is in a zip archive by name. ``ValueError`` for what NumPy and PyTorch do not write:
    encryption, and other compressions than deflate, some of which cannot be unpacked in pieces; and
    where all of it has more than ``limit`` bytes. No member gives more than it declares, see
    :func:`member`."""
    infos = archive.infolist()
    for info in infos:
        if info.flag_bits & 1:
            raise ValueError(f"member {info.filename!r} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = zipfile.compressor_names.get(info.compress_type, info.compress_type)
            raise ValueError(
                f"member {info.filename!r} is compressed by {method}; only deflate is read"
            )
    total = sum(info.file_size for info in infos)
    if total > limit:
        raise ValueError(f"it unpacks to {total / 2**30:.1f} GiB, above {limit / 2**30:g} GiB")
    return {info.filename: info for info in infos}


def member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Stream:
    """One of :func:`members` as a stream, whose checksum is checked where it ends. ``zipfile``
    stops at the size that was declared, and unpacks no more than is asked of it at a time."""
    return Stream(archive.open(info), info.file_size)


def tar_files(
    unpacked: IO[bytes], wanted: Callable[[str], bool], limit: int = 2 * 2**30
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the ``wanted`` files of a tar archive, in its order, which is unpacked as
    it is read; ``ValueError`` where it has more than ``limit`` bytes."""
    stream = _Limited(unpacked, limit)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            if info.isfile() and wanted(info.name):
                yield info.name, archive.extractfile(info).read()
    # a damaged header looks like the end: what packs the archive has a checksum, at its own end
    while stream.read(PIECE):
        pass


class _Limited:
    def __init__(self, stream: IO[bytes], limit: int):
        self.stream, self.budget = stream, Budget(limit)

    def read(self, count: int) -> bytes:
        data = self.stream.read(min(count, PIECE))
        self.budget.spend(len(data))
        return data
