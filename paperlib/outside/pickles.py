"""What a pickle describes, made without running it, and within limits.

A pickle is a program for a small stack machine, which calls functions by their names. Here the
machine is our own: it calls none but those it is given, and what these make are inert
:mod:`~paperlib.outside.parts`. When all has been read, :func:`built` makes values of them.
``pickletools``, which interprets nothing, names the operations and reads their arguments.
"""

import codecs
import pickletools
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from paperlib.errors import UnsafeFileError
from paperlib.outside.containers import PIECE, Budget, Stream
from paperlib.outside.parts import Bytes, Function, Names, Part, as_key, as_text, dictionary

_OBJECT = 200  # bytes that an operation is counted as; an empty set, the largest, takes 216
_DEEPEST = 100  # containers within containers


def _nothing_outside(_) -> NoReturn:
    raise ValueError("its pickled data refer to something outside of them")


def read_pickle(
    stream: Stream, budget: Budget, names: Names, persistent: Callable = _nothing_outside
) -> Any:
    """The next pickle of a stream, in parts. ``names`` are what it may call, by "module.name", and
    ``persistent`` makes something of the references that PyTorch writes for the numbers of tensors.

    Raises :class:`UnsafeFileError` where it asks for another name, and other errors where it is
    damaged: of nearly any type, like those of the standard library.
    """
    return _Machine(stream, budget, names, persistent).run()


def built(parts: Any, budget: Budget) -> Any:
    """What ``parts`` stand for, with what was shared still shared. ``ValueError`` where there is
    no end to it, or it would have more bytes than the budget's limit if nothing were shared."""
    return _Builder(budget.limit)(parts)


class _Builder:
    def __init__(self, limit: int):
        self.budget, self.depth = Budget(limit), 0
        # what it was made of is kept with it: an id is unique only as long as its object lives
        self.done: dict[int, tuple[Any, Any, int]] = {}

    def __call__(self, parts: Any) -> Any:
        self.budget.spend(_OBJECT + (len(parts) if isinstance(parts, str) else 0))
        if not isinstance(parts, dict | list | tuple | Part):
            return parts
        if id(parts) in self.done:
            _, value, cost = self.done[id(parts)]
            self.budget.spend(cost)
            return value
        before = self.budget.left
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError(f"its containers are more than {_DEEPEST} deep")
        if isinstance(parts, dict):
            value = {key: self(item) for key, item in parts.items()}
        elif isinstance(parts, list | tuple):
            value = type(parts)(self(item) for item in parts)
        else:
            value = parts.built(self)
            self.budget.spend(value.nbytes if isinstance(value, np.ndarray) else 0)
        self.depth -= 1
        self.done[id(parts)] = parts, value, before - self.budget.left
        return value


# -- the machine ---------------------------------------------------------------------------------


class _Machine:
    def __init__(self, stream: Stream, budget: Budget, names: Names, persistent: Callable):
        self.stream, self.budget, self.names, self.persistent = stream, budget, names, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.push, self.pop = self.stack.append, self.stack.pop

    def run(self) -> Any:
        read, spend = self.stream.read, self.budget.spend
        while (code := read(1)) != b".":
            if code not in _TABLE:
                raise ValueError("its pickled data are cut short, or of a kind that is not read")
            spend(_OBJECT)
            argument, operation = _TABLE[code]
            operation(self, argument and argument(self.stream))
        return self.pop()

    def last(self, count: int) -> tuple:
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        if len(items) != count:
            raise ValueError("its pickled data use more than they have made")
        return items

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def into(self, kind: type) -> Any:
        """The container on top, which is to be filled."""
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"its pickled data fill a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def set_items(self, items: list | tuple) -> None:
        self.into(dict).update(dictionary(zip(items[::2], items[1::2], strict=True)))

    def new_dict(self, items: list) -> None:
        self.push({})
        self.set_items(items)

    def append(self, items: list | tuple) -> None:
        self.into(list).extend(items)

    def add(self, items: list) -> None:
        self.into(set).update(map(as_key, items))

    def sized(self, value: Any) -> None:
        """Push text, or bytes."""
        self.budget.spend(len(value))
        self.push(value)

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def name(self, module: str, name: str) -> None:
        name = f"{module}.{name}"
        if name not in self.names:
            raise UnsafeFileError(
                f"its pickled data ask for {name[:100]!r}, which is not read; nothing in the file "
                "was run. Do not open it with other tools unless you trust its author; fetch a "
                "clean copy"
            )
        self.push(Function(name, self.names[name]))

    def call(self) -> None:
        function, arguments = self.last(2)
        if type(function) is not Function or type(arguments) is not tuple:
            raise ValueError("its pickled data call something that is no function")
        for argument in arguments:  # of which it may make as much again
            if isinstance(argument, list | tuple | dict):
                self.budget.spend(_OBJECT * len(argument))
            elif isinstance(argument, str | Bytes):
                self.budget.spend(len(argument))
        self.push(function.call(*arguments))

    def set_state(self) -> None:
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, Part):
            target.set_state(state)
        else:  # attributes of an OrderedDict, which nobody asks for
            self.into(dict)


def _sized(bytes_of_size: int, is_text: bool = False) -> Callable[[Stream], Bytes]:
    def read(stream: Stream) -> Bytes:
        return Bytes(stream.take(_unsigned(stream, bytes_of_size)), is_text)

    return read


def _sized_text(bytes_of_size: int) -> Callable[[Stream], str]:
    def read(stream: Stream) -> str:
        decode = codecs.getincrementaldecoder("utf-8")("surrogatepass").decode
        size = stream.within(_unsigned(stream, bytes_of_size))
        pieces = [
            decode(stream.take(min(PIECE, size - start)).tobytes())
            for start in range(0, size, PIECE)
        ]
        return "".join([*pieces, decode(b"", True)])

    return read


def _unsigned(stream: Stream, count: int) -> int:
    return int.from_bytes(stream.read(count), "little")


def _quoted(stream: Stream) -> str:
    """Text that Python 2 wrote as it stands in source code."""
    return pickletools.read_stringnl(stream, decode=False).decode("unicode_escape")


# the arguments that may be long, or that pickletools takes for ASCII
_ARGUMENTS = {
    "STRING": _quoted,
    "SHORT_BINSTRING": _sized(1, is_text=True),
    "BINSTRING": _sized(4, is_text=True),
    "SHORT_BINBYTES": _sized(1),
    "BINBYTES": _sized(4),
    "BINBYTES8": _sized(8),
    "BYTEARRAY8": _sized(8),
    "BINUNICODE": _sized_text(4),
    "BINUNICODE8": _sized_text(8),
}

# what the operations do, by their names in pickletools; all others are refused
_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO FRAME": lambda m, _: None,
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT": lambda m, number: m.push(number),
    "STRING SHORT_BINSTRING BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8"
    " SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8": _Machine.sized,
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "TUPLE1": lambda m, _: m.push(m.last(1)),
    "TUPLE2": lambda m, _: m.push(m.last(2)),
    "TUPLE3": lambda m, _: m.push(m.last(3)),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_SET": lambda m, _: m.push(set()),
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())),
    "LIST": lambda m, _: m.push(m.since_mark()),
    "DICT": lambda m, _: m.new_dict(m.since_mark()),
    "FROZENSET": lambda m, _: m.push(frozenset(map(as_key, m.since_mark()))),
    "APPEND": lambda m, _: m.append(m.last(1)),
    "APPENDS": lambda m, _: m.append(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items(m.last(2)),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "ADDITEMS": lambda m, _: m.add(m.since_mark()),
    "PUT BINPUT LONG_BINPUT": _Machine.remember,
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    "GET BINGET LONG_BINGET": lambda m, index: m.push(m.memo[index]),
    "GLOBAL": lambda m, name: m.name(*name.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name(*map(as_text, m.last(2))),
    "REDUCE": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.set_state(),
    "BINPERSID": lambda m, _: m.push(m.persistent(m.pop())),
}


def _table() -> dict[bytes, tuple[Callable | None, Callable]]:
    """Operations by their codes: what reads the argument, if there is one, and what is done."""
    known = {op.name: op for op in pickletools.opcodes}
    table = {}
    for names, operation in _OPERATIONS.items():
        for name in names.split():
            argument = known[name].arg and _ARGUMENTS.get(name, known[name].arg.reader)
            table[known[name].code.encode("latin1")] = argument, operation
    return table


_TABLE = _table()
