"""What is unpacked while it is read ends at a limit."""

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from paperlib.outside.containers import tar_files


def tar(contents: dict[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    stream.seek(0)
    return stream


def test_the_wanted_files_of_a_tar_archive():
    contents = {"a.txt": b"first", "b.bin": b"other", "folder/c.txt": bytes(3_000_000)}
    found = dict(tar_files(tar(contents), lambda name: name.endswith(".txt")))
    assert found == {name: contents[name] for name in ("a.txt", "folder/c.txt")}


def test_a_tar_archive_larger_than_its_limit():
    files = tar_files(tar({"a": b"first", "b": bytes(200_000)}), lambda name: True, limit=100_000)
    assert next(files) == ("a", b"first")
    with pytest.raises(ValueError, match="asks for more memory than"):
        next(files)


def test_numbers_of_hdf5_files_lie_in_them(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    from paperlib.outside import hdf5

    path, other = tmp_path / "a.mat", tmp_path / "b.mat"
    with h5py.File(other, "w") as file:
        file["x"] = [1.0]
    with h5py.File(path, "w") as file:
        file["x"] = [[1.5, 2.5]]
        file["linked"] = h5py.ExternalLink(str(other), "x")
        file["soft"] = h5py.SoftLink("/x")
        file.create_dataset("raw", (4,), "u1", external=[(str(other), 0, 4)])
        file["text"] = "text"
        file.create_group("group")
        file.create_dataset("large", (2**40,), "f8", chunks=(1024,))
    assert hdf5.read_hdf5(path, ["x"])["x"].tolist() == [[1.5, 2.5]]
    for name in ("linked", "soft", "raw", "group"):
        with pytest.raises(ValueError, match=rf"a\.mat.*no array {name} in the file itself"):
            hdf5.read_hdf5(path, [name])
    with pytest.raises(ValueError, match="text does not hold numbers"):
        hdf5.read_hdf5(path, ["text"])
    with pytest.raises(ValueError, match="larger than 1 GiB"):
        hdf5.read_hdf5(path, ["large"])
    Path(path).write_bytes(b"no HDF5")
    with pytest.raises(ValueError, match="not a readable annotation"):
        hdf5.read_hdf5(path, ["x"])


class Checked(io.BytesIO):
    """As what unpacks a damaged archive: its checksum is wrong, which shows where it ends."""

    def read(self, count=-1):
        if data := super().read(count):
            return data
        raise lzma.LZMAError("Corrupt input data")


def test_a_damaged_header_is_not_taken_for_the_end():
    whole = tar({"a": b"first", "b": b"second"}).getvalue()
    damaged = whole[:1024] + bytes([whole[1024] ^ 8]) + whole[1025:]  # the name in b's header
    files = tar_files(Checked(damaged), lambda name: True)
    assert next(files) == ("a", b"first")
    with pytest.raises(lzma.LZMAError, match="Corrupt"):
        next(files)
