"""NumPy's arrays, as a ``.npy`` file has them: as they are in memory, or pickled."""

import io
import math
import re
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from paperlib.outside.containers import Budget, Stream
from paperlib.outside.parts import PLAIN, Function, Names, Part, as_bytes, as_text
from paperlib.outside.pickles import built, read_pickle

_LONGEST_HEADER = 12_000  # bytes; NumPy reads 10,000
_MOST_AXES = 64


def read_npy(stream: Stream, budget: Budget) -> Any:
    """The array in the format of ``.npy``, to the end of a stream. An object array without
    dimensions (a pickled dictionary, say) gives the object itself.

    Raises ``UnsafeFileError`` where a pickle asks for anything but arrays, numbers, text and plain
    containers, and errors of nearly any type where the data are damaged.
    """
    # no more than a header is given to what reads headers
    head = io.BytesIO(stream.peek(_LONGEST_HEADER)[:_LONGEST_HEADER])
    shape, fortran, dtype = _read_header(head)
    stream.read(head.tell())
    if dtype.kind == "O":
        value = built(read_pickle(stream, budget, NAMES), budget)
        if not isinstance(value, np.ndarray) or value.size != math.prod(shape):
            raise ValueError("its pickled data are not the array that its header declares")
        if stream.read(1):
            raise ValueError("its pickled data are followed by something else")
        return value.item() if shape == () else value.reshape(shape)
    if dtype.hasobject:
        raise ValueError("a structured array of objects")
    data = stream.size - head.tell()
    _check_size(dtype, shape, data)
    budget.spend(data)
    return _filled(dtype, shape, fortran, stream.take(data))


def _read_header(head: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    of = np.lib.format
    readers = {(1, 0): of.read_array_header_1_0, (2, 0): of.read_array_header_2_0}
    version = of.read_magic(head)
    if version not in readers:
        raise ValueError(f".npy format {version} is unknown")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # headers of Python 2 are read all the same
        return readers[version](head)


def _check_size(dtype: np.dtype, shape: tuple[int, ...], given: int) -> None:
    items = math.prod(shape)
    expected = items * dtype.itemsize
    endless = items > 1 and dtype.itemsize == 0  # any number of items from no data
    if given != expected or endless or min(shape, default=0) < 0:
        raise ValueError(f"an array {shape} of {dtype} needs {expected} bytes, got {given}")


def _filled(dtype: np.dtype, shape: tuple[int, ...], fortran: bool, data: np.ndarray) -> np.ndarray:
    """An array that lies in the memory of ``data``, whose length is right."""
    if len(data) == 0:
        return np.empty(shape, dtype)
    return data.view(dtype).reshape(shape, order="F" if fortran else "C")


# -- what a pickle makes -------------------------------------------------------------------------


class _Type(Part):
    """Of a ``numpy.dtype``: a code such as ``f4``, then its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, *_align_and_copy):
        text = as_text(code)
        if not re.fullmatch(r"[?biufc]\d{0,2}|[SUO]\d{0,9}", text):
            raise ValueError(f"arrays of {text!r} are not read, only numbers, text and objects")
        self.dtype = np.dtype(object if text.startswith("O") else text)

    def set_state(self, state: Any) -> None:
        _version, order, *structure = state[:5]
        if any(part is not None for part in structure):
            raise ValueError("structured arrays in pickles are not read")
        order = as_text(order)
        if order not in {"<", ">", "|", "="}:
            raise ValueError(f"unknown byte order {order!r}")
        self.dtype = self.dtype.newbyteorder(order)

    def built(self, build: Callable[[Any], Any]) -> np.dtype:
        return self.dtype


class _Array(Part):
    """Of an array: checked as it comes."""

    __slots__ = ("data", "dtype", "fortran", "shape")

    def __init__(self):
        self.dtype = None  # until its state has come

    def set_state(self, state: Any) -> None:
        _version, shape, kind, fortran, data = state
        if not isinstance(kind, _Type):
            raise ValueError("an array without a dtype")
        if type(shape) is not tuple or len(shape) > _MOST_AXES:
            raise ValueError("an array without a shape")
        if not all(type(n) is int and 0 <= n < 2**63 for n in shape):
            raise ValueError("an array whose shape is not of whole numbers")
        if kind.dtype != object:
            data = as_bytes(data)
            _check_size(kind.dtype, shape, len(data))
        elif type(data) is not list or len(data) != math.prod(shape):
            raise ValueError(f"an array {shape} of objects without its objects")
        self.shape, self.dtype, self.fortran, self.data = shape, kind.dtype, bool(fortran), data

    def built(self, build: Callable[[Any], Any]) -> np.ndarray:
        if self.dtype is None:
            raise ValueError("an array without contents")
        if self.dtype != object:
            return _filled(self.dtype, self.shape, self.fortran, self.data.own())
        value = np.empty(len(self.data), dtype=object)
        for i, item in enumerate(self.data):
            value[i] = build(item)
        return value.reshape(self.shape)


def _reconstruct(kind: Any, *_shape_and_code) -> _Array:
    if not (isinstance(kind, Function) and kind.name == "numpy.ndarray"):
        raise ValueError("only plain arrays are read, no other types of them")
    return _Array()


def _from_buffer(data: Any, kind: Any, shape: Any, order: Any, axis_order: Any = None) -> _Array:
    if axis_order is not None or as_text(order) not in ("C", "F"):
        raise ValueError("an array whose axes are stored in another order than C's or Fortran's")
    array = _Array()
    array.set_state((1, shape, kind, as_text(order) == "F", data))
    return array


def _scalar(kind: Any, data: Any = "") -> Any:
    if not isinstance(kind, _Type) or kind.dtype == object:
        raise ValueError("a scalar that is neither number nor text")
    data = as_bytes(data).raw
    _check_size(kind.dtype, (), len(data))
    return _filled(kind.dtype, (), False, data)[()]


def _not_called(*_) -> NoReturn:
    raise ValueError("its pickled data ask for an array by its size")


def _names() -> Names:
    names = {**PLAIN, "numpy.ndarray": _not_called, "numpy.dtype": _Type}
    for core in ("numpy.core", "numpy._core"):  # before and since NumPy 2
        names[f"{core}.multiarray._reconstruct"] = _reconstruct
        names[f"{core}.multiarray.scalar"] = _scalar
        names[f"{core}.numeric._frombuffer"] = _from_buffer
    return names


NAMES = _names()  # what arrays and containers need, by "module.name"
