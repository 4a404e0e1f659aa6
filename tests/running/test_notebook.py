"""Running a notebook: what is refused before it starts, and what is left where it fails."""

import nbformat
import pytest

from paperlib.errors import NotebookFailed
from paperlib.running import notebook as running
from paperlib.running.notebook import copy, run


@pytest.fixture
def notebook(write_notebook):
    return write_notebook(
        "# Parameters\nreceptive_field = 27  # frames\nseed = 0  # of all",
        "print('sees', receptive_field * 2)",
        "import os\nprint('in', os.path.basename(os.getcwd()))",
        "assert receptive_field != 99, 'ninety-nine is\\nnot known'",
        "print('to the end')",
    )


@pytest.fixture
def no_kernel(monkeypatch):
    def never(*_, **__):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(running.papermill, "execute_notebook", never)


@pytest.mark.usefixtures("no_kernel")
def test_a_misspelt_parameter_starts_nothing(notebook, tmp_path):
    with pytest.raises(ValueError, match=r"'receptive_feild'.*Did you mean 'receptive_field'\?"):
        run(notebook, tmp_path / "out" / "out.ipynb", {"receptive_feild": 243})
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_kernel")
def test_a_value_that_it_would_refuse_starts_nothing(write_notebook, tmp_path):
    """Not even a kernel: the cells of this one would fail in another way."""
    begin = "from paperlib.experiment import Experiment\nExperiment.begin('a', globals(), n=(3, 9))"
    notebook = write_notebook("n = 3\nseed = 0", begin, "raise SystemExit")
    for name, value, message in (
        ("n", 4, "unknown n 4: choose one of 3, 9"),
        ("n", "few", "n is 3 in the notebook, and 'few' is a text"),
        ("seed", -1, "seed must be a whole number"),
    ):
        with pytest.raises(ValueError, match=message):
            run(notebook, tmp_path / "out.ipynb", {name: value})
    assert not (tmp_path / "out.ipynb").exists()


def test_a_notebook_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there is no notebook .*table9\.ipynb"):
        run(tmp_path / "table9.ipynb", tmp_path / "out.ipynb")
    with pytest.raises(ValueError, match="there is no notebook"):
        run(tmp_path, tmp_path / "out.ipynb")


@pytest.mark.usefixtures("no_kernel")
def test_what_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "small.ipynb"
    deep = '{"cells": ' + "[" * 200_000 + "]" * 200_000 + "}"
    for text in ("this is no notebook", "", "{}", "[]", '{"nbformat": 4}', deep):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"small\.ipynb: it is no notebook"):
            run(path, tmp_path / "out.ipynb")
    path.write_text("<!DOCTYPE html><html>")
    with pytest.raises(ValueError, match=r"small\.ipynb: a web page, not the file"):
        run(path, tmp_path / "out.ipynb")


def test_braces_in_a_path_are_part_of_it(notebook, tmp_path, printed):
    path = tmp_path / "{seed}" / "a{x}.ipynb"
    path.parent.mkdir()
    path.write_bytes(notebook.read_bytes())
    output = tmp_path / "{y}.ipynb"
    assert run(path, output, progress=False) == output and printed(output)


@pytest.mark.usefixtures("no_kernel")
def test_a_notebook_is_not_overwritten_by_its_own_run(notebook):
    before = notebook.read_bytes()
    with pytest.raises(ValueError):
        run(notebook, notebook)
    assert notebook.read_bytes() == before


def test_a_readers_copy_replaces_nothing(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "ROOT", tmp_path / "project")
    own = copy(notebook)
    assert own == tmp_path / "project" / "my" / notebook.name
    assert own.read_bytes() == notebook.read_bytes()
    own.write_text("changed")
    with pytest.raises(ValueError, match=f"{notebook.name} is there already: name another"):
        copy(notebook)
    assert own.read_text() == "changed"
    assert copy(notebook, tmp_path / "a" / "b.ipynb").read_bytes() == notebook.read_bytes()
    with pytest.raises(ValueError, match="it is no notebook"):
        copy(own)


def test_a_copy_of_a_papers_notebook_keeps_its_place(monkeypatch, write_notebook, tmp_path):
    monkeypatch.setattr(running, "ROOT", tmp_path)
    source = write_notebook("# Parameters\nseed = 0  # of all")
    inside = tmp_path / "notebooks" / "wang2020" / "table1.ipynb"
    inside.parent.mkdir(parents=True)
    source.rename(inside)
    assert copy(inside) == tmp_path / "my" / "wang2020" / "table1.ipynb"


def test_a_notebook_runs_with_its_parameters_in_its_own_folder(notebook, tmp_path, printed):
    before = notebook.read_bytes()
    output = tmp_path / "new" / "folder" / "out.ipynb"
    assert run(notebook, output, {"receptive_field": 243}, progress=False) == output
    assert printed(output) == f"sees 486\nin {tmp_path.name}\nto the end\n"
    assert notebook.read_bytes() == before


def test_a_failing_cell_gives_its_own_message_and_what_was_done_so_far(notebook, tmp_path, printed):
    output = tmp_path / "out.ipynb"
    with pytest.raises(NotebookFailed, match="AssertionError: ninety-nine is\nnot known"):
        run(notebook, output, {"receptive_field": 99}, progress=False)
    text = printed(output)
    assert "sees 198" in text and "to the end" not in text


def test_a_kernel_that_dies_is_a_failed_notebook(write_notebook, tmp_path):
    path = write_notebook("# Parameters\nseed = 0", "import os\nos._exit(1)")
    with pytest.raises(NotebookFailed):
        run(path, tmp_path / "out.ipynb", progress=False)


def test_what_was_stopped_and_saved_is_one_line_in_a_notebook(write_notebook, tmp_path):
    notebook = write_notebook(
        "# Parameters\nseed = 0",
        "from paperlib.errors import Interrupted\nraise Interrupted('temporal: saved in epoch 3')",
    )
    with pytest.raises(NotebookFailed, match="Interrupted: temporal: saved in epoch 3"):
        run(notebook, tmp_path / "out.ipynb", progress=False)
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    (error,) = (o for c in cells for o in c.get("outputs", ()) if o.output_type == "error")
    assert error.traceback == ["stopped: temporal: saved in epoch 3"]
