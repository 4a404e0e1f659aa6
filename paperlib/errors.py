"""What goes wrong, said so that a person can mend it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class MissingDataError(FileNotFoundError):
    """A data set is not on this machine. The message says where it goes and how to get it."""


class UnsafeFileError(ValueError):
    """A file asks for more than numbers: reading it would run code. It was not read."""


class CheckpointError(ValueError):
    """A checkpoint does not belong to the model it is read into."""


class NotebookFailed(RuntimeError):
    """A cell of a notebook raised; the message is the cell's own."""


class Interrupted(KeyboardInterrupt):
    """Work was stopped, by Ctrl-C or Jupyter's stop button, and saved. The message says where."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: not the forty lines of where the work happened to be."""
        return [f"stopped: {self}"]


@contextmanager
def contents_of(file: Any) -> Iterator[None]:
    """What is read here comes from others, and may hold anything anywhere: where Python stumbles
    over that, it is a ``ValueError`` that names the file. So does one that says not where."""
    try:
        yield
    except ValueError as problem:
        if type(problem) is ValueError and isinstance(file, Path) and str(file) not in str(problem):
            raise ValueError(f"{file}: {problem}") from problem
        raise
    except (TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as problem:
        raise ValueError(
            f"{file}: something in it is of another kind than expected there "
            f"({type(problem).__name__}: {problem})"
        ) from problem


def one_of(what: str, given: T, choices: Iterable[T]) -> T:
    """Return ``given`` if it is among ``choices``; otherwise refuse it and name the choices."""
    choices = tuple(choices)
    if given in choices:
        return given
    near = get_close_matches(str(given), [str(c) for c in choices], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(repr(c) for c in choices)
    raise ValueError(f"unknown {what} {given!r}: choose one of {listed}.{hint}")
