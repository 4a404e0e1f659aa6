"""What a pickle makes while it is read: inert parts, and plain containers of them.

Nothing here is hashed or compared before it is known to be text or a number: with a tuple that is
deep enough, either ends the process or never ends.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from paperlib.outside.containers import PIECE

_LONGEST_KEY = 1000  # characters

Names = Mapping[str, Callable[..., Any]]  # what a pickle may call, by "module.name"


class Part:
    """Something that a pickle makes by a call. It stands for what is made of it in the end."""

    __slots__ = ()

    def set_state(self, state: Any) -> None:
        raise ValueError("its pickled data try to alter what they may only use")

    def built(self, build: Callable[[Any], Any]) -> Any:
        """What this part stands for; ``build`` makes the same of the parts that it holds."""
        raise ValueError("its pickled data hold a function, or something half made")


class Function(Part):
    """Of a pickle's names, one that it may call."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[..., Any]):
        self.name, self.call = name, call


class Bytes(Part):
    """Bytes, which Python 2 also wrote for text."""

    __slots__ = ("_given", "is_text", "raw")

    def __init__(self, raw: np.ndarray, is_text: bool = False):
        self.raw, self.is_text, self._given = raw, is_text, False

    def __len__(self) -> int:
        return len(self.raw)

    def own(self) -> np.ndarray:
        """The bytes as memory that belongs to whoever asks: for all but the first, a copy."""
        given, self._given = self._given, True
        return self.raw.copy() if given else self.raw

    def built(self, build: Callable[[Any], Any]) -> str | bytes:
        return str(self.raw.data, "latin1") if self.is_text else self.raw.tobytes()


def as_bytes(value: Any) -> Bytes:
    """The bytes of an array or a number, also where they were written as text."""
    if isinstance(value, Bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected bytes, got a {type(value).__name__}")
    raw = np.empty(len(value), np.uint8)
    for start in range(0, len(value), PIECE):  # so that there is no third copy
        piece = value[start : start + PIECE].encode("latin1")
        raw[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
    return Bytes(raw)


def as_text(value: Any) -> str:
    """A name or a key."""
    if not isinstance(value, str | Bytes):
        raise ValueError(f"expected text, got a {type(value).__name__}")
    if len(value) > _LONGEST_KEY:
        raise ValueError(f"a name or key of {len(value)} characters")
    return value if isinstance(value, str) else str(value.raw.data, "latin1")


def as_key(value: Any) -> Any:
    """Something by which a dictionary may be keyed, or a set hold."""
    if isinstance(value, str) or (isinstance(value, Bytes) and value.is_text):
        return as_text(value)
    if isinstance(value, int | np.integer) and -(2**63) <= int(value) < 2**64:
        return value
    kind = "bytes" if isinstance(value, Bytes) else type(value).__name__
    raise ValueError(
        f"a {kind} is a key of a dictionary or in a set: only text and whole numbers are read there"
    )


def dictionary(pairs: Iterable = ()) -> dict:
    return {as_key(key): value for key, value in pairs}


def _set_of(kind: type) -> Callable[..., Any]:
    return lambda items=(): kind(map(as_key, items))


def _complex(real: Any, imaginary: Any) -> complex:
    if not (isinstance(real, float) and isinstance(imaginary, float)):
        raise ValueError("a complex number is made of two others")
    return complex(real, imaginary)


def _encode(text: Any, encoding: Any = "latin1") -> Bytes:
    """How protocol 2 writes bytes: as text to be encoded."""
    if as_text(encoding) not in ("latin1", "latin-1", "iso-8859-1") or not isinstance(text, str):
        raise ValueError("bytes that are not encoded as latin1")
    return as_bytes(text)


def _plain_names() -> dict[str, Callable[..., Any]]:
    names = {"_codecs.encode": _encode, "collections.OrderedDict": dictionary}
    for module in ("__builtin__", "builtins"):  # Python 2 and 3
        names |= {f"{module}.{kind.__name__}": _set_of(kind) for kind in (set, frozenset)}
        names |= {f"{module}.complex": _complex}
        # how protocol 2 writes no bytes at all
        names |= {f"{module}.bytes": lambda: Bytes(np.empty(0, np.uint8))}
    return names


PLAIN: Names = _plain_names()
