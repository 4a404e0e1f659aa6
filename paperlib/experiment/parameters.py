"""A notebook's parameters, checked before anything starts.

papermill sets any name and only warns of one that the notebook does not have. With a misspelt
parameter the notebook would run for minutes, and answer another question than the one asked.
"""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

# how a parameters cell begins, here and where papermill injects one
MARK = "# Parameters"


def assigned(source: str) -> list[str]:
    """The names that a cell's plain assignments set."""
    names = []
    for statement in ast.parse(source).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else ()
        names += [t.id for t in targets if isinstance(t, ast.Name)]
    return names


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """``ValueError`` for the first name that is no parameter, with the one likely meant."""
    known = tuple(known)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            names = ", ".join(map(repr, known))
            raise ValueError(f"unknown parameter {name!r}: there are {names}.{hint}")


def check_cells(namespace: Mapping[str, Any], known: Iterable[str]) -> None:
    """Look for names that are no parameters in the parameter cells that ran just before this one
    (``In`` of a kernel's namespace: the notebook's own and papermill's). Earlier cells may have
    been corrected since. Outside a kernel there are no cells."""
    cells = list(namespace.get("In", ()))
    if cells and not cells[-1].startswith(MARK):
        cells.pop()  # the one that runs now
    while cells and cells[-1].startswith(MARK):
        refuse_unknown(assigned(cells.pop()), known)


def parse(text: str) -> Any:
    """A value from the command line: a number, true, false, none, or the text itself."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def parameters_of(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``-p name value`` pairs of a command line as values."""
    return {name: parse(value) for name, value in pairs}
