"""Publishing: what a committed notebook may not show, and when it no longer fits its text."""

import os
import subprocess
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from paperlib.errors import NotebookFailed
from paperlib.running.notebook import known_parameters, published_with
from tools import publish, readme
from tools.__main__ import main
from tools.publish import differences, text_forms, tidied

TARGET = SimpleNamespace(name="table1.ipynb")


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(**data):
    return new_output("display_data", data=data)


def notebook(*outputs, **metadata):
    cell = new_code_cell("x = 1", outputs=list(outputs), metadata=metadata, execution_count=1)
    return new_notebook(cells=[new_markdown_cell("# A title"), cell])


def test_plain_outputs_stay():
    kept = (stream("46.8 mm\n"), shown(**{"text/plain": "<Figure>", "image/png": "iVBORw0K"}))
    (_, cell) = tidied(notebook(*kept), TARGET).cells
    assert [o.output_type for o in cell.outputs] == ["stream", "display_data"]
    assert cell.outputs[0].text == "46.8 mm\n" and cell.execution_count == 1


def test_progress_bars_times_and_tags_of_the_run_go():
    widget = shown(**{"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})
    tags = {"tags": ["parameters", "papermill-error-cell-tag"], "papermill": {"duration": 3.1}}
    made = notebook(widget, stream("kept\n"), **tags)
    made.metadata["papermill"] = {"start_time": "now"}
    made.metadata["widgets"] = {"state": "large"}
    result = tidied(made, TARGET)
    assert set(result.metadata) == {"kernelspec", "language_info"}
    assert dict(result.cells[1].metadata) == {"tags": ["parameters"]}
    assert [o.get("text") for o in result.cells[1].outputs] == ["kept\n"]
    nbformat.validate(result)


def test_solutions_are_folded_in_jupyterlab_too():
    (_, cell) = tidied(notebook(stream("42\n"), tags=["hide-cell"]), TARGET).cells
    assert cell.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert cell.metadata["tags"] == ["hide-cell"]


def test_ids_are_the_same_in_every_run():
    first, second = (tidied(notebook(stream("a")), TARGET) for _ in range(2))
    assert nbformat.writes(first) == nbformat.writes(second)
    assert [c.id for c in first.cells] == ["cell-00", "cell-01"]


def test_warnings_are_refused_with_their_cell():
    with pytest.raises(ValueError, match=r"table1\.ipynb, cell 1: UserWarning: beware"):
        tidied(notebook(stream("UserWarning: beware", "stderr")), TARGET)


PATHS = [stream("written to /home/ann/out/a.csv"), stream("line\nin '/tmp/x'")]
PATHS += [stream("(/Users/ann/data)"), shown(**{"text/plain": "PosixPath('/root/project/out')"})]
PATHS += [shown(**{"text/plain": "<Markdown>", "text/markdown": "see /home/ann/data"})]
PATHS += [shown(**{"text/plain": "a table", "text/html": "<td>/home/ann/data</td>"})]


@pytest.mark.parametrize("output", PATHS)
def test_paths_of_the_machine_are_refused(output):
    with pytest.raises(ValueError, match=r"table1\.ipynb, cell 1 shows the path /"):
        tidied(notebook(output), TARGET)


@pytest.mark.parametrize(
    "text", ["data/results/table1.csv", "mm/frame", "a/tmp/b", "https://x.org/home/a"]
)
def test_other_slashes_are_no_paths_of_the_machine(text):
    tidied(notebook(stream(text)), TARGET)


def test_a_megabyte_is_refused():
    with pytest.raises(ValueError, match=r"table1\.ipynb: 1\.1 MB is too large"):
        tidied(notebook(shown(**{"image/png": "A" * 1_100_000})), TARGET)
    # bytes, not characters
    with pytest.raises(ValueError, match="too large"):
        tidied(notebook(stream("±" * 600_000)), TARGET)
    tidied(notebook(shown(**{"image/png": "A" * 900_000})), TARGET)


# --- text and notebook -----------------------------------------------------------------------

TEXT = """# %% [markdown]
# # A title

# %% tags=["parameters"]
# Parameters
seed = 0  # of all

# %%
print("seed", seed)
"""


@pytest.fixture
def pair(tmp_path):
    """A text and the notebook made of it; ``pair(text)`` then changes the text."""
    path = tmp_path / "small.py"

    def write(text):
        path.write_text(text)
        return path

    write(TEXT)
    nbformat.write(jupytext.read(path), path.with_suffix(".ipynb"))
    return write


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("seed = 0", "seed = 1", "cell 1"),
        ("# # A title", "# # Another", "cell 0"),
        (' tags=["parameters"]', "", "cell 1"),
        ('# %%\nprint("seed", seed)', '# %% [markdown]\n# print("seed", seed)', "cell 2"),
        ('print("seed", seed)\n', "", "cells"),
        ('print("seed", seed)\n', 'print("seed", seed)\n\n# %%\nseed\n', "4 cells in the text, 3"),
    ],
)
def test_a_changed_text_differs_from_its_notebook(pair, old, new, where):
    assert differences(pair(TEXT)) == []
    assert old in TEXT
    found = differences(pair(TEXT.replace(old, new)))
    assert len(found) == 1 and found[0].startswith("small.py: ")
    assert where in found[0] or where == "cells"


def test_texts_are_found_by_name(tmp_path, monkeypatch):
    for name in ("table1.py", "pavllo2019/table5.py", "pavllo2019/table1.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(publish, "NOTEBOOKS", tmp_path)
    assert text_forms() == [tmp_path / "pavllo2019" / "table5.py", tmp_path / "table1.py"]
    assert text_forms(["pavllo2019/table5"]) == [tmp_path / "pavllo2019" / "table5.py"]
    with pytest.raises(ValueError, match="no notebook table9: there are pavllo2019/table5, table1"):
        text_forms(["table1", "table9"])


def test_a_readers_copies_are_no_notebooks_of_ours(tmp_path, monkeypatch):
    for name in ("table1.py", "table1-Copy1.py"):
        (tmp_path / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "table1.py"], cwd=tmp_path, check=True)
    monkeypatch.setattr(publish, "NOTEBOOKS", tmp_path)
    assert text_forms() == [tmp_path / "table1.py"]


@pytest.fixture
def clean(monkeypatch) -> None:
    """As if all code were committed, which it is not while it is being written."""
    monkeypatch.setattr(publish.results, "commit", lambda: "0123456789")


def test_code_that_is_not_committed_is_not_published(pair, monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", "laptop")
    monkeypatch.setattr(publish.results, "commit", lambda: "0123456789+")
    with pytest.raises(ValueError, match="changes that are not committed: commit them first"):
        publish.publish(pair(TEXT))


def test_a_published_notebook_is_executed_for_the_record(pair, monkeypatch, clean):
    monkeypatch.delenv("PAPERLIB_RECORD", raising=False)
    monkeypatch.setenv("PAPERLIB_PRESET", "laptop")
    text = pair(TEXT + "\n# %%\nimport os\nprint(os.environ['PAPERLIB_RECORD'])\n")
    target = publish.publish(text)
    made = nbformat.read(target, as_version=4)
    nbformat.validate(made)
    assert [c.execution_count for c in made.cells if c.cell_type == "code"] == [1, 2, 3]
    assert [c.outputs[0].text for c in made.cells[2:]] == ["seed 0\n", "1\n"]
    assert differences(text) == [] and "PAPERLIB_RECORD" not in os.environ


def test_a_failing_notebook_is_not_published(pair, monkeypatch, clean):
    monkeypatch.setenv("PAPERLIB_RECORD", "0")
    monkeypatch.setenv("PAPERLIB_PRESET", "laptop")
    text = pair(TEXT + "\n# %%\n1 / 0\n")
    before = text.with_suffix(".ipynb").read_bytes()
    with pytest.raises(NotebookFailed, match="ZeroDivisionError"):
        publish.publish(text)
    assert text.with_suffix(".ipynb").read_bytes() == before
    assert os.environ["PAPERLIB_RECORD"] == "0"


def test_the_smoke_preset_is_not_published(pair, monkeypatch):
    monkeypatch.setenv("PAPERLIB_PRESET", "smoke")
    with pytest.raises(ValueError, match="smoke"):
        publish.publish(pair(TEXT))


# --- in a shell ------------------------------------------------------------------------------


def test_publish_goes_through_the_named_notebooks(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(publish, "text_forms", lambda only: [tmp_path / f"{n}.py" for n in only])
    monkeypatch.setattr(publish, "publish", lambda text, seeds: text.with_suffix(".ipynb"))
    updated = []
    monkeypatch.setattr(readme, "update", lambda: updated.append(True))
    assert main(["publish", "table1", "table2"]) == 0 and updated == [True]
    assert capsys.readouterr().out == "published table1.ipynb\npublished table2.ipynb\n"


def test_publishing_an_unknown_notebook_is_refused(capsys):
    assert main(["publish", "table99"]) == 1
    assert capsys.readouterr().err.startswith("paperlib: no notebook table99: there are ")


def test_some_are_published_with_other_data_than_a_reader_begins_with(pair, monkeypatch, clean):
    """What was set shows in the outputs; the cell that papermill puts in does not stay."""
    monkeypatch.setenv("PAPERLIB_PRESET", "laptop")
    monkeypatch.setattr(publish, "PUBLISHED_WITH", {"small": {"seed": 7}})
    text = pair(TEXT)
    made = nbformat.read(publish.publish(text), as_version=4)
    assert [c.outputs[0].text for c in made.cells[2:]] == ["seed 7\n"]
    assert [c.execution_count for c in made.cells if c.cell_type == "code"] == [1, 2]
    assert differences(text) == []
    assert published_with(text.with_suffix(".ipynb")) == {"seed": 7}


@pytest.mark.parametrize("name", publish.PUBLISHED_WITH)
def test_what_they_are_published_with_are_their_parameters(name):
    (text,) = text_forms([name])
    assert set(publish.PUBLISHED_WITH[name]) <= set(known_parameters(text.with_suffix(".ipynb")))
    assert published_with(text.with_suffix(".ipynb")) == publish.PUBLISHED_WITH[name]
