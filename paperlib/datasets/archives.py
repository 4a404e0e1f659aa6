"""Reading the field's ``.npz`` archives without running what is inside them.

Human3.6M, HumanEva and detections are passed around as NumPy archives whose members are pickled
dictionaries. A pickle is a program: read the usual way, a file from the internet may do anything.
Here a pickle may only build NumPy arrays, numbers, text and plain containers. It never gets hold
of a NumPy type or function: arrays are first collected as inert parts, checked, and built at the
end by this module.
"""

import io
import math
import pickle
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from paperlib.errors import UnsafeFileError
from paperlib.paths import stand_in
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16, Skeleton

MAX_BYTES = 8 * 2**30  # unpacked; the largest archive of the field is below 1 GiB

LAYOUTS = {"h36m": H36M_17, "coco": COCO_17, "mpii": MPII_16, "humaneva15": HUMANEVA_15}


def read_archive(path: str | Path) -> dict[str, Any]:
    """The members of an ``.npz`` file by name: arrays, or what their pickles hold.

    An object array without dimensions (a pickled dictionary, say) is given as the object itself;
    all other members are NumPy arrays. Files written by Python 2 and by any NumPy are read.
    Raises :class:`UnsafeFileError` where a pickle asks for anything but arrays, numbers, text and
    plain containers (nothing has been run then), and ``ValueError`` where the file is damaged or
    no such archive. A missing file raises ``FileNotFoundError``.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive)
            return {_name(info): _read_member(archive, info, path) for info in archive.infolist()}
    except (FileNotFoundError, IsADirectoryError, PermissionError, UnsafeFileError):
        raise
    except MemoryError as error:
        raise ValueError(f"{path}: does not fit into memory") from error
    except Exception as error:  # a damaged zip, header or pickle can fail in nearly any way
        with path.open("rb") as file:
            other = stand_in(file.read(200))
        if other:
            raise ValueError(f"{path}: {other}") from None
        raise ValueError(
            f"{path}: not a readable NumPy archive ({error or type(error).__name__}). It may be "
            "truncated or of another kind: fetch or prepare it again, and compare its size"
        ) from error


def layout(metadata: Any, path: str | Path) -> Skeleton:
    """The joint set that the ``metadata`` entry of a 2D keypoint archive describes.

    Older files have no ``layout_name``: there the number of joints and the lists of left and right
    ones tell. Raises ``ValueError`` for anything but 17 Human3.6M, 17 COCO, 16 MPII or 15 HumanEva
    joints.
    """
    if not isinstance(metadata, dict) or "num_joints" not in metadata:
        raise ValueError(f"{path}: 'metadata' must be a dictionary with 'num_joints'")
    joints, name = metadata["num_joints"], metadata.get("layout_name")
    sides = metadata.get("keypoints_symmetry")
    fitting = [
        skeleton
        for key, skeleton in LAYOUTS.items()
        if len(skeleton) == joints and name in (None, key) and _fits(skeleton, sides)
    ]
    if not fitting:
        known = ", ".join(f"{key} ({len(s)} joints)" for key, s in LAYOUTS.items())
        raise ValueError(
            f"{path}: 'metadata' describes {joints} joints, layout {name!r}, left and right "
            f"{sides}; that is none of the known layouts: {known}, in their usual order"
        )
    return fitting[0]


def _fits(skeleton: Skeleton, sides: Any) -> bool:
    ours = [sorted(skeleton.left), sorted(skeleton.right)]
    return sides is None or [sorted(map(int, side)) for side in sides] == ours


def _check_sizes(archive: zipfile.ZipFile) -> None:
    # zipfile never unpacks more than a member declares, so the declared sizes bound the memory
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_BYTES:
        raise ValueError(f"it unpacks to {total / 2**30:.1f} GiB, above {MAX_BYTES / 2**30:g} GiB")


def _name(info: zipfile.ZipInfo) -> str:
    if not info.filename.endswith(".npy"):
        raise ValueError(f"member {info.filename!r} is no .npy array")
    return info.filename.removesuffix(".npy")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Any:
    stream = io.BytesIO(archive.read(info))
    shape, fortran, dtype = _read_header(stream)
    if dtype.kind == "O":
        value = _Unpickler(stream, path).load_plain()
        if not isinstance(value, np.ndarray) or value.size != math.prod(shape):
            raise ValueError(f"member {info.filename!r} is not the array that its header declares")
        return value.item() if shape == () else value.reshape(shape)
    if dtype.hasobject:
        raise ValueError(f"member {info.filename!r} is a structured array of objects")
    return _filled(dtype, shape, fortran, stream.read())


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    of = np.lib.format
    readers = {(1, 0): of.read_array_header_1_0, (2, 0): of.read_array_header_2_0}
    version = of.read_magic(stream)
    if version not in readers:
        raise ValueError(f".npy format {version} is unknown")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # headers of Python 2 are read all the same
        return readers[version](stream)


def _filled(dtype: np.dtype, shape: tuple[int, ...], fortran: bool, data: bytes) -> np.ndarray:
    """An array of its own memory from raw ``data``, whose length must be exactly right."""
    items = math.prod(shape)
    expected = items * dtype.itemsize
    endless = items > 1 and dtype.itemsize == 0  # any number of items from no data
    if len(data) != expected or endless or min(shape, default=0) < 0:
        raise ValueError(f"an array {shape} of {dtype} needs {expected} bytes, got {len(data)}")
    if expected == 0:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy()


# -- unpickling ----------------------------------------------------------------------------------


class _Admitted:
    """A function that a pickle may call. It can neither be altered by the pickle nor looked into,
    and it is no class, so a pickle cannot make instances past it."""

    __slots__ = ("_function",)
    __hash__ = None

    def __init__(self, function: Callable):
        self._function = function

    def __call__(self, *arguments):
        return self._function(*arguments)

    def __setstate__(self, state) -> NoReturn:
        raise ValueError("the pickle tries to alter a function")


class _Type:
    """Parts of a pickled ``numpy.dtype``: a code such as ``f4``, then its byte order."""

    __slots__ = ("dtype",)
    __hash__ = None

    def __init__(self, code: str | bytes, *_align_and_copy):
        text = _as_bytes(code).decode("latin1")
        if not re.fullmatch(r"[?biufc]\d{0,2}|[SUO]\d{0,9}", text):
            raise ValueError(f"arrays of {text!r} are not read, only numbers, text and objects")
        self.dtype = np.dtype(object if text.startswith("O") else text)

    def __setstate__(self, state: tuple) -> None:
        _version, order, subarray, names, fields = state[:5]
        if (subarray, names, fields) != (None, None, None):
            raise ValueError("structured arrays in pickles are not read")
        order = _as_bytes(order).decode("latin1")
        if order not in {"<", ">", "|", "="}:
            raise ValueError(f"unknown byte order {order!r}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Parts of a pickled array, checked as they come; :func:`_plain` builds the array."""

    __slots__ = ("data", "dtype", "fortran", "shape")
    __hash__ = None

    def __init__(self):
        self.dtype = None  # until its state has come

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, fortran, data = state
        if not isinstance(kind, _Type):
            raise ValueError("an array without a dtype")
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(f"array shape {shape}")
        self.shape, self.dtype, self.fortran = tuple(shape), kind.dtype, bool(fortran)
        if self.dtype != object:
            self.data = _as_bytes(data)
        elif isinstance(data, list) and len(data) == math.prod(self.shape):
            self.data = data
        else:
            raise ValueError(f"an array {self.shape} of objects without its objects")


def _as_bytes(value: Any) -> bytes:
    """Bytes, also where Python 2 wrote them as text."""
    if isinstance(value, str):
        return value.encode("latin1")
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise ValueError(f"expected bytes, got {type(value).__name__}")


_NDARRAY = _Admitted(lambda: None)  # a pickle names numpy.ndarray, it need not call it


def _reconstruct(kind: Any, _shape: tuple = (0,), _code: bytes = b"b") -> _Array:
    if kind is not _NDARRAY:
        raise ValueError("only plain arrays are read, no other types of them")
    return _Array()


def _from_buffer(data: bytes, kind: _Type, shape: tuple, order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, kind, order == "F", data))
    return array


def _scalar(kind: _Type, data: bytes | str = b"") -> Any:
    if not isinstance(kind, _Type) or kind.dtype == object:
        raise ValueError("a scalar must be a number or text")
    return _filled(kind.dtype, (), False, _as_bytes(data))[()]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How protocol 2 writes bytes: as text to be encoded."""
    if encoding not in ("latin1", "latin-1", "iso-8859-1") or not isinstance(text, str):
        raise ValueError(f"bytes encoded as {encoding!r}")
    return text.encode("latin1")


def _admitted() -> dict[tuple[str, str], _Admitted]:
    """What a pickle may ask for, by module and name: all that arrays and containers need."""
    names = {
        ("numpy", "ndarray"): _NDARRAY,
        ("numpy", "dtype"): _Admitted(_Type),
        ("_codecs", "encode"): _Admitted(_encode),
        ("collections", "OrderedDict"): _Admitted(OrderedDict),
    }
    for core in ("numpy.core", "numpy._core"):  # before and since NumPy 2
        names[f"{core}.multiarray", "_reconstruct"] = _Admitted(_reconstruct)
        names[f"{core}.multiarray", "scalar"] = _Admitted(_scalar)
        names[f"{core}.numeric", "_frombuffer"] = _Admitted(_from_buffer)
    for module in ("__builtin__", "builtins"):  # Python 2 and 3
        names[module, "bytes"] = _Admitted(lambda: b"")  # how protocol 2 writes no bytes at all
        for kind in (set, frozenset, complex):
            names[module, kind.__name__] = _Admitted(kind)
    return names


_ADMITTED = _admitted()


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, path: Path):
        super().__init__(stream, encoding="latin1")
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise UnsafeFileError(
                f"{self.path}: its pickled data ask for {f'{module}.{name}'!r}. Only arrays, "
                "numbers, text and plain containers are read; nothing in the file was run. Do not "
                "open it with other tools unless you trust its author; fetch a clean copy"
            )
        return _ADMITTED[module, name]

    def load_plain(self) -> Any:
        return _plain(self.load(), {})


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """``value`` with the collected parts built into arrays, and ``OrderedDict`` made ``dict``.

    ``done`` holds what was built already, so that what is shared stays shared, along with the
    parts themselves: an ``id`` is unique only as long as its object lives.
    """
    if not isinstance(value, dict | list | tuple | _Array | _Type | _Admitted):
        return value
    if id(value) in done:
        return done[id(value)][1]
    if isinstance(value, dict):
        built = {key: _plain(item, done) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        built = type(value)(_plain(item, done) for item in value)
    elif isinstance(value, _Type):
        built = value.dtype
    elif isinstance(value, _Array) and value.dtype is not None:
        built = _array(value, done)
    else:
        raise ValueError("an array without contents, or a function among the data")
    done[id(value)] = (value, built)
    return built


def _array(parts: _Array, done: dict[int, tuple[Any, Any]]) -> np.ndarray:
    if parts.dtype != object:
        return _filled(parts.dtype, parts.shape, parts.fortran, parts.data)
    built = np.empty(len(parts.data), dtype=object)
    for i, item in enumerate(parts.data):
        built[i] = _plain(item, done)
    return built.reshape(parts.shape)
