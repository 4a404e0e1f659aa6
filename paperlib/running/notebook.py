"""Run a notebook with parameters. Unknown parameters are refused before anything starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from paperlib.experiment.parameters import parse, refuse_unknown
from paperlib.running.kernels import AsyncOwnSocketsKernelManager


class NotebookFailed(RuntimeError):
    """A cell of the notebook raised; the message is the cell's own."""


def parameters_of(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``-p name value`` pairs of a command line as values."""
    return {name: parse(value) for name, value in pairs}


def run(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Execute ``notebook`` with ``parameters`` and write it, outputs and all, to ``output``.

    Raises ``ValueError`` for a parameter that the notebook does not have and
    :class:`NotebookFailed` where a cell fails (the notebook is then written as far as it got).
    """
    notebook, output, parameters = Path(notebook), Path(output), dict(parameters or {})
    if not notebook.is_file():
        raise ValueError(f"there is no notebook {notebook}")
    if output.resolve() == notebook.resolve():
        raise ValueError(f"the result would overwrite {notebook}: name another file")
    refuse_unknown(parameters, papermill.inspect_notebook(str(notebook)))
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        # a kernel with ports warns of them; here it runs on this machine
        quiet = {"progress_bar": progress, "extra_arguments": ["--log-level=ERROR"]}
        kernel = {"kernel_name": "python3", "kernel_manager_class": AsyncOwnSocketsKernelManager}
        where = {"cwd": str(notebook.parent), **kernel, **quiet}
        papermill.execute_notebook(str(notebook), str(output), parameters, **where)
    except PapermillExecutionError as failure:
        raise NotebookFailed(f"{failure.ename}: {failure.evalue}") from None
    except DeadKernelError:
        raise NotebookFailed(
            f"{notebook.name}: its kernel died; most likely there was not enough memory"
        ) from None
    return output
