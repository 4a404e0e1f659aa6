"""Archives that are small, and would end the process or take all its memory, are refused."""

import io
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest
from guarded import read_guarded
from test_archives import npy_of_pickle, write_members, write_pickle

from paperlib.datasets.archives import read_archive

DEEP = b")" + b"\x85" * 400_000  # a tuple in a tuple in a …
SHARED = b")" + b"q\x00h\x00\x86" * 40  # of 2**40 tuples, if they were not shared


def npy_of_bytes(count: int, given: bytes) -> bytes:
    """A member that claims to be an array of ``count`` bytes."""
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + given


def forged(path, data: bytes, method: int = zipfile.ZIP_DEFLATED, size=None, flags=0):
    """An archive whose one member is said to have another size, or to be encrypted."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x.npy", data)
    whole = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = whole.index(signature)
        whole[start + at] |= flags
        if size is not None:
            whole[start + at + 16 : start + at + 20] = struct.pack("<I", size)
    path.write_bytes(whole)


def pickled(data: bytes):
    """Protocol 4, of these operations."""
    return lambda path: write_members(path, x=npy_of_pickle(b"\x80\x04" + data + b"."))


CASES = {
    "a deep key": (pickled(b"}" + DEEP + b"K\x01s"), "a tuple is a key of a dictionary"),
    "a shared key": (pickled(b"}" + SHARED + b"K\x01s"), "a tuple is a key of a dictionary"),
    "a key of a dictionary made at once": (pickled(b"(" + DEEP + b"Nd"), "a tuple is a key"),
    "a deep member of a set": (
        pickled(b"\x8f(" + DEEP + b"\x90"),
        "a tuple is a key .*or in a set",
    ),
    "a frozen set": (pickled(b"(" + SHARED + b"\x91"), "a tuple is a key .*or in a set"),
    "a deep value": (pickled(DEEP), "more than 100 deep"),
    "a shared value": (pickled(SHARED), "more memory than 8 GiB"),
    "a large memo": (pickled(b"Nr\xff\xff\xff\x7f"), "not the array that its header declares"),
    "long bytes": (pickled(b"\x8e" + struct.pack("<Q", 2**40)), "are said to follow"),
    "long text": (pickled(b"X" + struct.pack("<I", 2**32 - 1)), "are said to follow"),
    "a line without end": (pickled(b"V" + b"a" * 2 * 10**7), "no newline"),
    "a long number": (pickled(b"\x8b" + struct.pack("<i", 2**31 - 1)), "cut short, or of a kind"),
    "bzip2": (lambda p: forged(p, b"", zipfile.ZIP_BZIP2, 100), "'x.npy' is compressed by bzip2"),
    "lzma": (lambda p: forged(p, b"", zipfile.ZIP_LZMA, 100), "'x.npy' is compressed by lzma"),
    "an encrypted one": (lambda p: forged(p, b"", flags=1), "'x.npy' is encrypted"),
    # unpacks to 200 MB
    "more than it says": (lambda p: forged(p, npy_of_bytes(9, bytes(2 * 10**8)), size=137), "CRC"),
    "less than it says": (
        lambda p: forged(p, npy_of_bytes(2**30, bytes(9)), size=2**30 + 128),
        "ends where 1073741824 bytes are said to follow",
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    paths = {case: folder / f"{number}.npz" for number, case in enumerate(CASES)}
    for case, path in paths.items():
        CASES[case][0](path)
    found = read_guarded("paperlib.datasets.archives", "read_archive", list(paths.values()))
    return {case: (path.name, found[path]) for case, path in paths.items()}


@pytest.mark.parametrize("case", CASES)
def test_hostile_archives_are_refused_by_a_process_that_lives_on(outcomes, case):
    name, (said, megabytes) = outcomes[case]
    assert re.fullmatch(rf"ValueError: .*{name}: not a readable .*{CASES[case][1]}.*", said)
    assert megabytes < 60


REPEATED = {
    "empty sets": b"\x8f" * 20_000,
    "text as bytes": b"X" + struct.pack("<I", 9_000) + b"a" * 9_000 + b"q\x00"
    b"c_codecs\nencode\nq\x01" + b"h\x01h\x00\x85R" * 400,
    "a set of a list": b"("
    + b"K\x01" * 500
    + b"lq\x00cbuiltins\nset\nq\x01"
    + b"h\x01h\x00\x85R" * 40,
}


@pytest.mark.parametrize("case", REPEATED)
def test_what_little_text_asks_for_again_and_again_is_limited(tmp_path, monkeypatch, case):
    monkeypatch.setattr("paperlib.datasets.archives.MAX_BYTES", 10_000_000)
    path = write_members(tmp_path / "a.npz", x=npy_of_pickle(REPEATED[case] + b"."))
    with pytest.raises(ValueError, match="not the array that its header declares"):
        read_archive(path)
    monkeypatch.setattr("paperlib.datasets.archives.MAX_BYTES", 2_000_000)
    with pytest.raises(ValueError, match="asks for more memory than"):
        read_archive(path)


def test_one_array_in_many_places_is_limited_and_shared(tmp_path, monkeypatch):
    """Whoever takes a list of it for an array makes all of them."""
    path = write_pickle(tmp_path / "a.npz", [np.zeros(10_000)] * 100)
    listed = read_archive(path)["item"]
    assert len(listed) == 100 and listed[0] is listed[99]
    monkeypatch.setattr("paperlib.datasets.archives.MAX_BYTES", 5_000_000)
    with pytest.raises(ValueError, match="asks for more memory than"):
        read_archive(path)


def test_arrays_of_the_same_bytes_are_changed_one_by_one(tmp_path):
    """Python has each byte once, so that pickles of two arrays of one byte share it."""
    value = [np.array([5], "u1"), np.array([5], "u1")]
    assert pickle.dumps(value, 4).count(b"C\x01\x05") == 1
    one, two = read_archive(write_pickle(tmp_path / "a.npz", value))["item"]
    one[0] = 6
    assert (one, two) == ([6], [5])


def test_a_checksum_is_held_to_the_last_byte(tmp_path):
    for name, value in (("raw", np.arange(300_000)), ("pickled", {"x": np.arange(300_000)})):
        path = tmp_path / f"{name}.npz"
        np.savez(path, x=value)
        whole = bytearray(path.read_bytes())
        whole[1_000_000] ^= 1
        path.write_bytes(whole)
        with pytest.raises(ValueError, match=rf"{name}\.npz.*CRC"):
            read_archive(path)


def test_what_follows_a_pickle_is_refused(tmp_path):
    data = pickle.dumps(np.array({"a": 1}, dtype=object)) + b"more"
    path = write_members(tmp_path / "a.npz", x=npy_of_pickle(data))
    with pytest.raises(ValueError, match="followed by something else"):
        read_archive(path)


def written(folder) -> dict:
    """Archives of 16 MB, and how many times that may be needed to read them."""
    numbers = np.arange(2**24).astype("u1")
    np.savez(folder / "raw.npz", x=numbers)
    np.savez_compressed(folder / "packed.npz", x=numbers.view("f4").reshape(-1, 2).T)
    write_pickle(folder / "one.npz", {"x": numbers}, 4)
    write_pickle(folder / "many.npz", {"x": np.split(numbers, 32)}, 4)
    write_pickle(folder / "older.npz", {"x": np.split(numbers, 32)}, 2)
    return {"raw": 1, "packed": 1, "one": 1, "many": 1, "older": 2}


def test_honest_arrays_take_little_more_memory_than_their_own(tmp_path):
    times = written(tmp_path)
    paths = {name: tmp_path / f"{name}.npz" for name in times}
    found = read_guarded("paperlib.datasets.archives", "read_archive", list(paths.values()))
    assert {name: found[path].said for name, path in paths.items()} == dict.fromkeys(
        times, "nothing"
    )
    peaks = {name: found[path].megabytes for name, path in paths.items()}
    assert {n: peaks[n] for n in times if not 15 < peaks[n] < 16 * times[n] + 6} == {}
