"""MATLAB files, read by SciPy once it is known to take no harm.

SciPy goes into cells within cells past the end of the process's stack (0.6 MB unpack to enough of
them), looks up types of numbers that there are not, and takes sizes on trust. So what it is to read
is gone through here first, as it does, step by step.
"""

import io
import math
import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from paperlib.outside.containers import Budget
from paperlib.paths import regular_file

MAX_BYTES = 2**30  # packed or unpacked

_DEEPEST = 30
_MOST_FIELDS = 1000
_LONGEST_EMPTY = 2**16  # characters of a text that has no bytes: SciPy makes them blanks
_PACKED = 2**16  # bytes unpacked at a time

_MATRIX, _COMPRESSED = 14, 15  # types of elements, beside those of integers, numbers and text
_INTEGERS, _NAMES = {5, 6}, {1, 16}
_NUMBERS, _TEXTS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}, {1, 2, 4, 16, 17, 18}
_CELLS, _STRUCTURES, _CHARACTERS, _OPAQUE = 1, 2, 4, 17  # classes of matrices
_NUMERIC = range(6, 16)


def read_mat(path: Path, *names: str) -> dict[str, Any]:
    """The variables ``names`` of a MATLAB file, versions 5 to 7.2: numbers, text, and cells and
    structures of them; reading it runs nothing. ``ValueError`` where one is not there, or the file
    is damaged or unpacks to more than :data:`MAX_BYTES`."""
    from scipy.io import loadmat  # which takes a third of a second

    data = regular_file(path, MAX_BYTES).read_bytes()
    if data[124:128] in (b"\0\2IM", b"\2\0MI"):
        raise ValueError(f"{path}: of MATLAB 7.3; save it in MATLAB again with '-v7'")
    try:
        _check(data, names)
        found = loadmat(io.BytesIO(data), variable_names=names)
    except Exception as error:  # a damaged file can fail in nearly any way
        raise ValueError(
            f"{path}: not a readable MATLAB file, or cut short ({error or type(error).__name__}); "
            "get it again"
        ) from error
    absent = [name for name in names if name not in found]
    if absent:
        raise ValueError(f"{path}: no variable {', '.join(absent)}; this is another kind of file")
    return found


def _check(data: bytes, names: Collection[str]) -> None:
    """Go through the variables ``names``; any error says that something is wrong with them."""
    order = {b"\0\1IM": "<", b"\1\0MI": ">"}.get(data[124:128])
    if order is None or 0 in data[:4]:  # which is how version 4 is known, and it has no cells
        raise ValueError("its head is another")
    budget, at = Budget(MAX_BYTES), 128
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        # what is not packed is not known to end where it says
        end = at + 8 + size
        pieces = (
            _unpacked(data[at + 8 : end], budget)
            if kind == _COMPRESSED
            else iter([memoryview(data)[at:]])
        )
        first = next(pieces, b"")
        if _Matrices(first, order).name() in names:
            _Matrices(b"".join([first, *pieces]), order).check()
        at = end


def _unpacked(packed: bytes, budget: Budget) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    for start in range(0, len(packed), _PACKED):
        piece = inflate.decompress(packed[start : start + _PACKED])
        budget.spend(len(piece))
        yield piece


class _Matrices:
    """A variable: a matrix, and those within it."""

    def __init__(self, data: bytes, order: str):
        self.data, self.order, self.tag = data, order, struct.Struct(f"{order}II")
        self.at = 8  # after the tag of the outermost

    def name(self) -> str:
        return self._head()[-1]

    def check(self) -> None:
        to_come = [self._matrix()]  # on each level
        while to_come:
            if to_come[-1] == 0:
                to_come.pop()
                continue
            to_come[-1] -= 1
            kind, size = self.tag.unpack_from(self.data, self.at)
            self.at += 8
            if kind != _MATRIX:
                raise ValueError("a cell or field that holds no matrix")
            if size:
                to_come.append(self._matrix())
            if len(to_come) > _DEEPEST:
                raise ValueError(f"cells or structures are more than {_DEEPEST} deep")

    def _matrix(self) -> int:
        """Past one, or to those within it: how many there are."""
        kind, is_complex, count, _ = self._head()
        inside = 0
        if kind == _CELLS:
            inside = count
        elif kind == _STRUCTURES:
            (length,) = struct.unpack(f"{self.order}i", self._element(_INTEGERS))
            fields = len(self._element(_NAMES)) // length
            inside = count * fields
            if not (0 <= fields <= _MOST_FIELDS and (fields or count <= _MOST_FIELDS)):
                raise ValueError(f"{count} structures of {fields} fields")
        elif kind == _CHARACTERS:
            if count > max(len(self._element(_TEXTS)), _LONGEST_EMPTY):
                raise ValueError("a text that is longer than what it holds")
        elif kind in _NUMERIC:
            for _ in range(2 if is_complex else 1):
                self._element(_NUMBERS)
        else:
            raise ValueError("something else than numbers, text, cells and structures")
        if inside * 8 > len(self.data) - self.at:
            raise ValueError(f"{inside} cells or fields, and an end before them")
        return inside

    def _head(self) -> tuple[int, bool, int, str]:
        """Class of a matrix, whether its numbers are complex, how many they are, its name."""
        _, _, flags, _ = struct.unpack_from(f"{self.order}4I", self.data, self.at)
        self.at += 16
        kind = flags & 0xFF
        if kind == _OPAQUE:  # which alone has no name
            return kind, False, 0, ""
        sizes = struct.iter_unpack(f"{self.order}i", self._element(_INTEGERS))
        shape = [size for (size,) in sizes]
        if min(shape, default=0) < 0:
            raise ValueError("a matrix of less than nothing")
        name = str(self._element(_NAMES), "latin1")
        return kind, bool(flags >> 11 & 1), math.prod(shape), name

    def _element(self, kinds: set[int]) -> bytes:
        kind, size = self.tag.unpack_from(self.data, self.at)
        start = self.at + 8
        if kind >> 16:  # a small one, within its tag
            kind, size, start = kind & 0xFFFF, kind >> 16, self.at + 4
            self.at += 8
        else:
            self.at = start + size + -size % 8
        if kind not in kinds or start + size > len(self.data) or start + size > self.at:
            raise ValueError("an element that is cut short, or of a type that is not known")
        return self.data[start : start + size]
