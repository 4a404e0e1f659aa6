"""MATLAB files are gone through as SciPy does, which they could otherwise harm."""

import pickle
import re
import struct
import zlib

import numpy as np
import pytest
from guarded import read_guarded
from scipy.io import loadmat, savemat

from paperlib.outside import matlab
from paperlib.outside.matlab import read_mat

HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"


def element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(kind: int, shape: tuple[int, ...], held: bytes, name: bytes = b"") -> bytes:
    parts = (
        element(6, struct.pack("<II", kind, 0)),
        element(5, struct.pack(f"<{len(shape)}i", *shape)),
    )
    return element(14, b"".join([*parts, element(1, name), held]))


def packed(variable: bytes) -> bytes:
    data = zlib.compress(variable, 9)
    return HEAD + struct.pack("<II", 15, len(data)) + data


def deep(levels: int) -> bytes:
    """Cells within cells. Their sizes are not looked at, as SciPy does not."""
    cell = matrix(1, (1, 1), b"")
    return matrix(1, (1, 1), b"", b"x") + cell * levels + matrix(6, (1, 1), element(9, bytes(8)))


HOSTILE = {
    "deep cells": (packed(deep(300_000)), "more than 30 deep"),
    "deep cells that are not packed": (HEAD + deep(100_000), "more than 30 deep"),
    "a type of numbers that there is not": (
        packed(matrix(6, (1, 1), element(60_000, bytes(8)), b"x")),
        "of a type that is not known",
    ),
    "many cells": (packed(matrix(1, (2**30, 1), b"", b"x")), "and an end before them"),
    "many structures of nothing": (
        packed(matrix(2, (2**30, 1), element(5, b"\1\0\0\0") + element(1, b""), b"x")),
        "1073741824 structures of 0 fields",
    ),
    "a long text of nothing": (
        packed(matrix(4, (1, 2**30), element(16, b""), b"x")),
        "longer than",
    ),
    "long numbers": (
        packed(matrix(6, (1, 2**28), struct.pack("<II", 9, 2**31) + bytes(80), b"x")),
        "cut short",
    ),
    "a function": (packed(matrix(16, (1, 1), b"", b"x")), "something else than numbers"),
    "version 4": (struct.pack("<5i", 0, 1, 1, 0, 2) + b"x\0" + bytes(200), "its head is another"),
}


def test_hostile_files_are_refused_by_a_process_that_lives_on(tmp_path):
    paths = {case: tmp_path / f"{number}.mat" for number, case in enumerate(HOSTILE)}
    for case, path in paths.items():
        path.write_bytes(HOSTILE[case][0])
    found = read_guarded("paperlib.outside.matlab", "read_mat", list(paths.values()), "x")
    for case, path in paths.items():
        said, megabytes = found[path]
        expected = rf"ValueError: .*{path.name}: not a readable MATLAB .*{HOSTILE[case][1]}.*"
        assert re.fullmatch(expected, said), (case, said)
        assert megabytes < 120, case  # SciPy among them


def test_what_unpacks_to_too_much(tmp_path, monkeypatch):
    path = tmp_path / "a.mat"
    savemat(path, {"x": np.zeros(100_000)}, do_compression=True)
    assert read_mat(path, "x")["x"].shape == (1, 100_000)
    monkeypatch.setattr(matlab, "MAX_BYTES", 700_000)
    with pytest.raises(ValueError, match=r"a\.mat: .*more memory than"):
        read_mat(path, "x")


@pytest.mark.parametrize("compressed", [True, False])
def test_honest_files_are_read_as_scipy_does(tmp_path, compressed):
    cells = np.empty((2, 3), dtype=object)
    for number, place in enumerate(np.ndindex(cells.shape)):
        cells[place] = {"a": np.arange(number), "text": "some text", "flag": np.array([[True]])}
    cells[1, 2] = np.empty((0, 0))
    held = {"cells": cells, "texts": np.array(["ab", "cd"]), "z": np.array([1 + 2j]), "empty": {}}
    held |= {"numbers": np.arange(12.0).reshape(3, 4), "small": np.array([1], "u1")}
    path = tmp_path / "a.mat"
    savemat(path, {"before": deep_list(40), **held}, do_compression=compressed)
    found, reference = read_mat(path, *held), loadmat(path)
    for name in held:
        assert found[name].dtype == reference[name].dtype
        assert pickle.dumps(found[name]) == pickle.dumps(reference[name])
    with pytest.raises(ValueError, match=r"a\.mat: .*more than 30 deep"):  # only if asked for
        read_mat(path, "before")
    with pytest.raises(ValueError, match=r"a\.mat: no variable other"):
        read_mat(path, "numbers", "other")


def deep_list(levels: int) -> np.ndarray:
    cell = np.empty(1, dtype=object)
    cell[0] = deep_list(levels - 1) if levels else 1.0
    return cell
