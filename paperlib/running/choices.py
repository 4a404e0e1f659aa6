"""What may be given to a notebook: its parameters, their choices, and the refusal of anything else
before a kernel starts."""

import ast
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Any

import nbformat
import papermill
from nbformat import ValidationError

from paperlib.experiment.parameters import refuse_unknown
from paperlib.paths import stand_in


def known_parameters(notebook: Path) -> dict[str, Any]:
    """What papermill knows of the parameters of a notebook, by name; ``ValueError`` for a file that
    is none."""
    if not notebook.is_file():
        raise ValueError(f"there is no notebook {notebook}")
    try:
        nbformat.validate(nbformat.reads(notebook.read_text("utf-8"), as_version=4))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError, ValidationError) as no:
        why = stand_in(notebook.read_bytes()) or f"it is no notebook ({type(no).__name__})"
        raise ValueError(f"{notebook}: {why}") from None
    return papermill.inspect_notebook(literal(notebook))


def check(notebook: Path, values: Mapping[str, Sequence]) -> None:
    """``ValueError`` for parameters that the notebook does not have, and for values among those
    given that it would refuse."""
    known = known_parameters(notebook)
    refuse_unknown(values, known)
    if not values:
        return
    from paperlib.experiment.common import check_value  # and PyTorch with it: seconds

    choices = choices_of(notebook)
    for name in values:
        for value in values[name]:
            _refuse_text(name, value, known[name]["default"])
            if name in choices:
                check_value(name, value, choices[name])


def described(notebook: Path) -> str:
    """The parameters of a notebook, a line each: name, default, what it means; and its choices."""
    known, lines = known_parameters(notebook), [f"parameters of {notebook}:"]
    choices = choices_of(notebook)
    for name, about in known.items():
        lines.append(f"  -p {name:<16} {about['default']:<12} {about['help']}".rstrip())
        if isinstance(of := choices.get(name), tuple | list):
            gap = " " * 22
            lines.append(
                fill(", ".join(map(str, of)), 96, initial_indent=gap, subsequent_indent=gap)
            )
    return "\n".join(lines)


def _refuse_text(name: str, value: Any, default: str) -> None:
    """The notebook would fail late, or not notice, where a text replaces a number."""
    try:
        number = isinstance(ast.literal_eval(default), int | float)
    except (ValueError, SyntaxError):
        return  # an expression
    if number and isinstance(value, str):
        raise ValueError(
            f"{name} is {default} in the notebook, and {value!r} is a text: give values as 1,2,3"
        )


def choices_of(notebook: Path) -> dict[str, Any]:
    """The choices that a notebook gives to ``Experiment.begin``, by the parameter's name; without
    those that are only known when it runs."""
    from paperlib.experiment.common import COMMON_PARAMETERS

    imported, begins = {}, []
    for cell in nbformat.read(notebook, as_version=4).cells:
        try:
            tree = ast.parse(cell.source if cell.cell_type == "code" else "")
        except SyntaxError:
            continue  # a magic
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("paperlib"):
                imported |= {a.asname or a.name: (node.module, a.name) for a in node.names}
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Experiment.begin":
                begins.append(node)
    choices = {}
    for begin in begins:
        choices |= COMMON_PARAMETERS
        for keyword in begin.keywords:
            try:
                choices[keyword.arg] = _value_of(keyword.value, imported)
            except (ValueError, KeyError, TypeError, ImportError, AttributeError):
                choices.pop(keyword.arg, None)
    return choices


def _value_of(node: ast.expr, imported: Mapping[str, tuple[str, str]]) -> Any:
    """The value of literals, names that the notebook imports from paperlib, sums and slices, and of
    ``tuple(…)`` of such."""
    match node:
        case ast.Call(func=ast.Name(id="tuple"), args=[of], keywords=[]):
            return tuple(_value_of(of, imported))
        case ast.Tuple(elts=parts):
            values = []
            for part in parts:
                if isinstance(part, ast.Starred):
                    values += _value_of(part.value, imported)
                else:
                    values.append(_value_of(part, imported))
            return tuple(values)
        case ast.Name(id=name):
            module, attribute = imported[name]
            return getattr(import_module(module), attribute)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value_of(left, imported) + _value_of(right, imported)
        case ast.Subscript(value=of, slice=ast.Slice(lower=lower, upper=upper, step=None)):
            cut = slice(*(n and ast.literal_eval(n) for n in (lower, upper)))
            return _value_of(of, imported)[cut]
    return ast.literal_eval(node)


def literal(path: Path) -> str:
    """A path as it is: papermill takes what stands in braces for a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")
