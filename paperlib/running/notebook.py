"""Run a notebook with parameters. Unknown parameters are refused before anything starts."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import ValidationError
from papermill.exceptions import PapermillExecutionError

from paperlib.errors import NotebookFailed
from paperlib.experiment.parameters import refuse_unknown
from paperlib.paths import ROOT, shown, stand_in
from paperlib.running.kernels import AsyncOwnSocketsKernelManager


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
    return papermill.inspect_notebook(_literal(notebook))


def copy(notebook: str | Path, output: str | Path | None = None) -> Path:
    """A reader's own copy of a notebook: in ``my/``, unless ``output`` names another file. Nothing
    there is committed, tested, published, or has a text form. ``ValueError`` for a file that is no
    notebook, or that would replace another."""
    notebook = Path(notebook)
    known_parameters(notebook)
    output = Path(output) if output else ROOT / "my" / place_of(notebook)
    if output.exists():
        raise ValueError(f"{shown(output)} is there already: name another file for the copy")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(notebook, output)
    return output


def place_of(notebook: Path) -> Path:
    """Where a notebook lies within ``notebooks/``, or its name alone."""
    path, home = notebook.resolve(), ROOT / "notebooks"
    return path.relative_to(home) if path.is_relative_to(home) else Path(path.name)


def _literal(path: Path) -> str:
    """A path as it is: papermill takes what stands in braces for a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def run(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Execute ``notebook`` with ``parameters`` and write it, outputs and all, to ``output``.

    Raises ``ValueError`` for a parameter that the notebook does not have and
    :class:`~paperlib.errors.NotebookFailed` where a cell fails (the notebook is then written as far
    as it got).
    """
    notebook, output, parameters = Path(notebook), Path(output), dict(parameters or {})
    known = known_parameters(notebook)
    if output.resolve() == notebook.resolve():
        raise ValueError(f"the result would overwrite {notebook}: name another file")
    refuse_unknown(parameters, known)
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        # a kernel warns of ports, and of a Ctrl-C that comes while it answers
        quiet = {"progress_bar": progress, "extra_arguments": ["--log-level=CRITICAL"]}
        kernel = {"kernel_name": "python3", "kernel_manager_class": AsyncOwnSocketsKernelManager}
        where = {"cwd": str(notebook.parent), **kernel, **quiet}
        papermill.execute_notebook(_literal(notebook), _literal(output), parameters, **where)
    except PapermillExecutionError as failure:
        raise NotebookFailed(f"{failure.ename}: {failure.evalue}") from None
    except DeadKernelError:
        raise NotebookFailed(
            f"{notebook.name}: its kernel died; most likely there was not enough memory"
        ) from None
    return output
