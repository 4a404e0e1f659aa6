"""The runs of a sweep: values read and checked before anything starts, every combination of them,
and a name for each."""

import ast
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat

from paperlib.experiment.frame import COMMON_PARAMETERS, check_value
from paperlib.experiment.parameters import parse, refuse_unknown
from paperlib.running.notebook import known_parameters

_MAX_LENGTH = 150  # characters of a name


def values_of(name: str, text: str) -> list:
    """``"27,81"`` as ``[27, 81]``."""
    values = [parse(part.strip()) for part in text.split(",")]
    if "" in values:
        raise ValueError(f"{name} has an empty value in {text!r}: give values as 1,2,3")
    if len(set(map(repr, values))) < len(values):
        raise ValueError(f"{name} has a value twice: {text}")
    return values


def read_values(notebook: Path, pairs: Sequence[tuple[str, str]]) -> dict[str, list]:
    """``-p name values`` pairs of a command line, checked against the notebook: names that it does
    not have and values that it would refuse are refused here, before anything starts."""
    known = known_parameters(notebook)
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the parameter {twice[0]} is given twice: list its values in one -p")
    if not names:
        raise ValueError("nothing to sweep: name a parameter and its values, -p seed 0,1,2")
    refuse_unknown(names, known)
    values = {name: values_of(name, text) for name, text in pairs}
    choices = _choices(notebook)
    for name in names:
        for value in values[name]:
            _refuse_text(name, value, known[name]["default"])
            if name in choices:
                check_value(name, value, choices[name])
    # in the notebook's order, so that names of runs do not depend on the order in the command
    return {name: values[name] for name in known if name in values}


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


def _choices(notebook: Path) -> dict[str, Any]:
    """The choices that a notebook gives to ``Experiment.begin``, by the parameter's name; without
    those that are only known when it runs."""
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


def combinations(values: Mapping[str, Iterable]) -> list[dict[str, Any]]:
    """Every combination; the last parameter changes fastest."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def label(parameters: Mapping[str, Any]) -> str:
    """``receptive_field=27_seed=0``: fit to be a file's name. What may not stand there is written
    as in a URL; a hash ends a name that would be too long."""
    name = "_".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())
    if len(name) <= _MAX_LENGTH:
        return name
    return f"{name[:_MAX_LENGTH]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
