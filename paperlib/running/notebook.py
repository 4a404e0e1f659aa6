"""Run a notebook with parameters. Unknown parameters are refused before anything starts."""

import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from paperlib.errors import NotebookFailed
from paperlib.paths import ROOT
from paperlib.progress import from_kernels
from paperlib.running.choices import check, known_parameters, literal
from paperlib.running.kernels import AsyncOwnSocketsKernelManager

# cells differ too much in length to foretell the rest from those that are done
_CELLS = {"bar_format": "{desc}: {percentage:3.0f}%|{bar:20}| cell {n_fmt}/{total_fmt}, {elapsed}"}
# a kernel warns of ports, and of a Ctrl-C that comes while it answers
_QUIET = {"extra_arguments": ["--log-level=CRITICAL"]}


def copy(notebook: str | Path, output: str | Path | None = None) -> Path:
    """A reader's own copy of a notebook: in ``my/``, unless ``output`` names another file. Nothing
    there is committed, tested, published, or has a text form. ``ValueError`` for a file that is no
    notebook, or that would replace another."""
    notebook = Path(notebook)
    known_parameters(notebook)
    output = Path(output) if output else ROOT / "my" / place_of(notebook)
    if output.exists():
        raise ValueError(f"{output} is there already: name another file for the copy")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(notebook, output)
    return output


def place_of(notebook: Path) -> Path:
    """Where a notebook lies within ``notebooks/``, or its name alone."""
    path, home = notebook.resolve(), ROOT / "notebooks"
    return path.relative_to(home) if path.is_relative_to(home) else Path(path.name)


def published_with(notebook: str | Path) -> dict[str, Any]:
    """The parameters with which a committed notebook was executed, where they are not those in its
    cell: as data that are never a default."""
    metadata = nbformat.read(notebook, as_version=4).metadata
    return dict(metadata.get("paperlib", {}).get("published_with", {}))


def run(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Execute ``notebook`` with ``parameters`` and write it, outputs and all, to ``output``.

    Raises ``ValueError`` for a parameter that the notebook does not have or a value that it would
    refuse, and :class:`~paperlib.errors.NotebookFailed` where a cell fails (the notebook is then
    written as far as it got).
    """
    notebook, output, parameters = Path(notebook), Path(output), dict(parameters or {})
    check(notebook, {name: [value] for name, value in parameters.items()})
    if output.resolve() == notebook.resolve():
        raise ValueError(f"the result would overwrite {notebook}: name another file")
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        quiet = {"progress_bar": _CELLS if progress else False, **_QUIET}
        kernel = {"kernel_name": "python3", "kernel_manager_class": AsyncOwnSocketsKernelManager}
        where = {"cwd": str(notebook.parent), **kernel, **quiet}
        with from_kernels() if progress else nullcontext():
            papermill.execute_notebook(literal(notebook), literal(output), parameters, **where)
    except PapermillExecutionError as failure:
        raise NotebookFailed(f"{failure.ename}: {failure.evalue}") from None
    except DeadKernelError:
        raise NotebookFailed(
            f"{notebook.name}: its kernel died; most likely there was not enough memory"
        ) from None
    return output
