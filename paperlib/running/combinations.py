"""The runs of a sweep: values read and checked before anything starts, every combination of them,
and a name for each."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paperlib.experiment.parameters import parse, refuse_unknown
from paperlib.running.choices import check
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
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the parameter {twice[0]} is given twice: list its values in one -p")
    if not names:
        raise ValueError("nothing to sweep: name a parameter and its values, -p seed 0,1,2")
    refuse_unknown(names, known := known_parameters(notebook))
    values = {name: values_of(name, text) for name, text in pairs}
    check(notebook, values)
    # in the notebook's order, so that names of runs do not depend on the order in the command
    return {name: values[name] for name in known if name in values}


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
