"""Which code a training goes through, so that a run of other code is another run.

The code is found, not listed: from the classes that take part, along the imports of this package.
What counts is the code alone; layout, comments and docstrings do not. A changed plot is not reached
by a training, a changed projection is.
"""

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = PACKAGE.name


def code_of(*starts: str | type | Callable) -> str:
    """A short hash of all code of the package that ``starts`` reach: modules, classes, functions.
    What is not of the package, as in a notebook, counts by its own source where that is known."""
    modules, other = set(), set()
    for start in starts:
        module = start if isinstance(start, str) else start.__module__
        if module.split(".")[0] == NAME:
            modules.add(module)
        elif module.split(".")[0] != "torch":
            other.add(_source(start))
    parts = [f"{module}\n{_code(module)}" for module in sorted(reached(*sorted(modules)))]
    return hashlib.sha256("\n".join([*parts, *sorted(other)]).encode()).hexdigest()[:12]


@cache
def reached(*starts: str) -> frozenset[str]:
    """The modules of the package that these ones import, directly or through others."""
    found, waiting = set(), list(starts)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return frozenset(found)


def _source(kind: type | Callable) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return kind.__qualname__


def _file(module: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text("utf-8"))


@cache
def _code(module: str) -> str:
    """The module's code without docstrings, in one layout."""
    tree = ast.parse(_file(module).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


@cache
def _imports(module: str) -> frozenset[str]:
    return frozenset(
        home for base, name in _imported(module) for home in _homes(base, name) if home != module
    )


def _imported(module: str) -> Iterator[tuple[str, str | None]]:
    """(module, name) of whatever a module imports from the package, wherever in its text."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.startswith(NAME))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == NAME:
            yield from ((node.module, alias.name) for alias in node.names)


def _homes(base: str, name: str | None) -> Iterator[str]:
    """Where an imported name is defined: a name that a folder offers stands in one of its files,
    and only that one is reached."""
    if name is not None and _file(f"{base}.{name}"):
        yield f"{base}.{name}"
        return
    if base == NAME or _file(base) is None:
        return  # how rooms are loaded decides nothing
    if name is not None and _file(base).name == "__init__.py":
        for inner, offered in _imported(base):
            if offered == name:
                yield from _homes(inner, name)
                return
        # offered in another way: any of its files may define it
        folder = _file(base).parent
        yield from (f"{base}.{path.stem}" for path in folder.glob("*.py") if path.stem[0] != "_")
    yield base
