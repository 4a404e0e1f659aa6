"""Tensors as PyTorch saves them: in a zip archive, or formerly in one pickle after another.

``torch.load(weights_only=True)`` runs nothing that is in a file either, but 3 kB of it can end the
process: a dictionary there may have a key that is a tuple 2,000,000 deep.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from paperlib.errors import CheckpointError, UnsafeFileError
from paperlib.outside import arrays
from paperlib.outside.containers import Budget, Stream, member, members
from paperlib.outside.parts import Function, Part, as_text
from paperlib.outside.pickles import read_pickle
from paperlib.paths import regular_file, stand_in

MAX_BYTES = 4 * 2**30  # the published models of the field are below 0.3 GiB

_MAGIC = 0x1950A86A20F9469CFC6C  # how files of the older format begin
_STORED = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}


class Storage(Part):
    """The numbers of one or more tensors, which a file has under a key."""

    __slots__ = ("count", "dtype", "key", "values")

    def __init__(self, key: str, dtype: torch.dtype, count: int):
        self.key, self.dtype, self.count, self.values = key, dtype, count, None

    @property
    def bytes(self) -> int:
        return self.count * self.dtype.itemsize

    def read(self, stream: Stream, budget: Budget) -> None:
        budget.spend(self.bytes)
        data = torch.from_numpy(stream.take(self.bytes))
        # of no bytes PyTorch makes no other numbers
        self.values = data.view(self.dtype) if self.count else torch.empty(0, dtype=self.dtype)


class Stored(Part):
    """A tensor, by its place in a storage."""

    __slots__ = ("offset", "shape", "storage", "stride")

    def __init__(self, storage: Any, offset: Any, shape: Any, stride: Any, *_):
        if not isinstance(storage, Storage):
            raise ValueError("a tensor without numbers")
        places = (offset, *shape, *stride)
        if len(shape) != len(stride) or not all(type(n) is int and 0 <= n < 2**63 for n in places):
            raise ValueError("a tensor whose shape is not of whole numbers")
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def tensor(self) -> Tensor:
        return self.storage.values.as_strided(self.shape, self.stride, self.offset)


class _SetAside(Part):
    """Of an object that is not needed: takes anything, and does nothing."""

    __slots__ = ()

    def __init__(self, *_):
        pass

    def set_state(self, state: Any) -> None:
        pass


# a pickled numpy RandomState
_NOT_NEEDED = (
    "numpy.random.__RandomState_ctor numpy.random._pickle.__randomstate_ctor"
    " numpy.random._pickle.__bit_generator_ctor numpy.random._mt19937.MT19937"
).split()

_WHOLE = ([], [None])  # what the older format says of a storage that is no view of another

_NAMES = {
    **arrays.NAMES,
    **dict.fromkeys(_NOT_NEEDED, _SetAside),
    **{f"torch.{kind}Storage": _SetAside for kind in _STORED},  # named, never called
    "torch._utils._rebuild_tensor": Stored,
    "torch._utils._rebuild_tensor_v2": Stored,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
}


class _Storages(dict[str, Storage]):
    """By their keys, as a pickle refers to them."""

    def __call__(self, reference: Any) -> Storage:
        kind, of, key, _device, count, *view = reference
        known = isinstance(of, Function) and _STORED.get(of.name[len("torch.") : -len("Storage")])
        if as_text(kind) != "storage" or not known or type(count) is not int or view not in _WHOLE:
            raise ValueError("its pickled data refer to what is no storage of numbers")
        storage = self.setdefault(as_text(key), Storage(key, known, count))
        if (storage.dtype, storage.count) != (known, count):
            raise ValueError("a storage is said to be of two kinds")
        return storage


def read_tensors(path: str | Path, part: str | None = None) -> dict[str, Tensor]:
    """The tensors by name of a file that PyTorch has saved: of its dictionary ``part``, or of all
    of it. They lie on the CPU; all else that the file holds is not looked at.

    Raises :class:`UnsafeFileError` where it asks for anything but tensors, arrays and plain
    containers, and :class:`CheckpointError` where it is damaged or another kind of file. A missing
    file raises ``FileNotFoundError``.
    """
    path = regular_file(path, MAX_BYTES)
    try:
        with Stream(path.open("rb", buffering=0), path.stat().st_size) as stream:
            head = stream.peek(200)
            if other := stand_in(head):
                raise CheckpointError(other)
            if not head.startswith(b"PK"):
                return _read_sequence(stream, part)
        with zipfile.ZipFile(path) as archive:
            return _read_zip(archive, part)
    except PermissionError:
        raise
    except (CheckpointError, UnsafeFileError) as problem:
        raise type(problem)(f"{path.name}: {problem}") from None
    except Exception as problem:  # a cut file fails in many ways, none of which names the file
        raise CheckpointError(
            f"{path.name}: not a checkpoint, or cut off ({problem or type(problem).__name__}); "
            "fetch it again"
        ) from None


def _read_zip(archive: zipfile.ZipFile, part: str | None) -> dict[str, Tensor]:
    infos, budget, storages = members(archive, MAX_BYTES), Budget(MAX_BYTES), _Storages()
    pickled = next((name for name in infos if name.endswith("/data.pkl")), None)
    if pickled is None:
        raise CheckpointError("a zip archive, but none that PyTorch has saved")
    root = pickled.removesuffix("data.pkl")
    with member(archive, infos[pickled]) as stream:
        weights = _chosen(read_pickle(stream, budget, _NAMES, storages), part)
    order = infos.get(f"{root}byteorder")
    if order and archive.open(order).read(10) != b"little":
        raise CheckpointError("numbers of the other byte order")
    for storage in {id(w.storage): w.storage for w in weights.values()}.values():
        info = infos[f"{root}data/{storage.key}"]
        if info.file_size != storage.bytes:
            raise ValueError(f"{info.file_size} bytes for {storage.count} numbers")
        with member(archive, info) as stream:
            storage.read(stream, budget)
    return {name: stored.tensor() for name, stored in weights.items()}


def _read_sequence(stream: Stream, part: str | None) -> dict[str, Tensor]:
    budget, storages = Budget(MAX_BYTES), _Storages()
    magic, version, system = (read_pickle(stream, budget, _NAMES) for _ in range(3))
    if magic != _MAGIC or version != 1001:
        raise CheckpointError("not a file that PyTorch has saved; fetch it again")
    if system.get("little_endian") is not True:
        raise CheckpointError("numbers of the other byte order")
    weights = _chosen(read_pickle(stream, budget, _NAMES, storages), part)
    wanted = {id(w.storage) for w in weights.values()}
    for key in read_pickle(stream, budget, _NAMES):
        storage = storages[as_text(key)]
        if int.from_bytes(stream.read(8), "little") != storage.count:
            raise ValueError("a storage of another size than said")
        if id(storage) in wanted:
            storage.read(stream, budget)
        elif stream.seek(storage.bytes, io.SEEK_CUR) > stream.size:
            raise ValueError("it ends within a storage")
    return {name: stored.tensor() for name, stored in weights.items()}


def _chosen(content: Any, part: str | None) -> dict[str, Stored]:
    if part is not None:
        content = content.get(part) if isinstance(content, dict) else None
    what = "the file" if part is None else f"its {part!r}"
    if not isinstance(content, dict):
        missing = "missing, or is " if part else ""
        raise CheckpointError(f"{what} is {missing}no dictionary of tensors")
    if not all(isinstance(k, str) and isinstance(v, Stored) for k, v in content.items()):
        raise CheckpointError(f"{what} holds something else than tensors by name")
    return content
