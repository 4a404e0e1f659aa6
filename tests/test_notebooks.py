"""The notebooks as they are committed: paired, executed, small; wrong parameters are refused."""

import ast
import html
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from paperlib import datasets
from paperlib.detection import DETECTORS, PROFILES
from paperlib.experiment import COMMON_PARAMETERS
from paperlib.running.kernels import AsyncOwnSocketsKernelManager
from paperlib.words import in_words
from tools.publish import differences, text_forms

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
TEXTS = text_forms()
MACHINE = re.compile(r"(?<![\w.])/(work|root|tmp|home|Users)/")
LONGEST = 20  # lines of a code cell
INTERACTIVE = ("plotly", "javascript", "widget")


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


every = pytest.mark.parametrize("text", TEXTS, ids=name_of)


def executed(text: Path) -> nbformat.NotebookNode:
    return nbformat.read(text.with_suffix(".ipynb"), as_version=4)


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(text: Path) -> list:
    return [output for cell in code(executed(text)) for output in cell.outputs]


def test_there_are_notebooks_and_each_has_its_text():
    names = set(map(name_of, TEXTS))
    assert {"start_here", "table1", "pavllo2019/table5"} <= names
    assert set(map(name_of, FOLDER.rglob("*.ipynb"))) >= names


@every
def test_text_and_notebook_have_the_same_cells(text):
    assert differences(text) == []


@every
def test_the_notebook_is_valid_and_small(text):
    path = text.with_suffix(".ipynb")
    nbformat.validate(executed(text))
    assert path.stat().st_size < 1_000_000


@every
def test_the_first_code_cell_explains_every_parameter(text):
    cells = code(jupytext.read(text))
    first = cells[0]
    assert first.metadata.get("tags") == ["parameters"]
    assert not [c for c in cells[1:] if "parameters" in c.metadata.get("tags", [])]
    header, *lines = first.source.splitlines()
    assert header == "# Parameters"
    names = []
    for line in lines:
        assert re.fullmatch(r"\w+ = .+  # \S.+", line), line
        names.append(line.split(" ")[0])
    assert set(COMMON_PARAMETERS) <= set(names) and len(set(names)) == len(names)


@every
def test_code_cells_are_short_and_can_be_parsed(text):
    for cell in code(jupytext.read(text)):
        ast.parse(cell.source)
        assert len(cell.source.splitlines()) <= LONGEST, cell.source.splitlines()[0]


@every
def test_the_notebook_was_executed_from_top_to_bottom(text):
    counts = [cell.execution_count for cell in code(executed(text))]
    assert counts == list(range(1, len(counts) + 1))


@every
def test_no_output_is_an_error_or_a_warning(text):
    for output in outputs(text):
        assert output.output_type != "error", output.get("evalue")
        assert output.get("name") != "stderr", output.get("text")
        assert "Warning" not in str(output.get("text", "")) + str(output.get("data", {}))


@every
def test_no_path_of_a_machine_is_shown(text):
    assert not MACHINE.search(text.read_text(encoding="utf-8"))
    for output in outputs(text):
        parts = [output.get("text", ""), *map(str, output.get("data", {}).values())]
        for part in (p for p in parts if not p.startswith("iVBOR")):
            assert not MACHINE.search(part), MACHINE.search(part).group()


NAMES = {name for name in (*DETECTORS, *PROFILES, *datasets.NAMES) if in_words(name) != name}
TAG = re.compile(r"</?[a-zA-Z][^>]*>")  # "46.8 < 51.6" begins none
RAW = re.compile(rf"(?<![\w/.])(?:{'|'.join(NAMES)}|x86_64|1 CPU threads)(?!\w)")


@every
def test_data_and_detectors_are_shown_in_words(text):
    """In what a reader sees of an output: the first of its kinds."""
    for output in outputs(text):
        data = output.get("data", {})
        kinds = [k for k in ("text/html", "text/markdown", "text/plain") if k in data][:1]
        seen = TAG.sub(" ", output.get("text", "") + "".join(data[k] for k in kinds))
        assert not RAW.search(seen), RAW.search(seen).group()


@every
def test_no_line_of_text_begins_like_a_comment(text):
    """The site takes a line that begins with a per cent sign for a comment, and leaves it out."""
    written = (cell for cell in jupytext.read(text).cells if cell.cell_type == "markdown")
    lines = [line for cell in written for line in cell.source.splitlines()]
    assert not [line for line in lines if line.lstrip().startswith("%")]


@every
def test_outputs_need_no_script_of_the_page(text):
    kinds = {kind for output in outputs(text) for kind in output.get("data", {})}
    assert not [k for k in kinds if any(word in k for word in INTERACTIVE)]
    for output in outputs(text):
        assert "<script" not in str(output.get("data", {}).get("text/html", ""))


# --- answers -----------------------------------------------------------------------------------

HOW = 'href="#how"'  # a page's answer, in its first cell, leads to where it was found
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?: ± \d+(?:\.\d+)?)?(?!\w)")
ANSWERED = [text for text in TEXTS if HOW in text.read_text(encoding="utf-8")]


def numbers_of(answer: str) -> list[str]:
    """The numbers of an answer, with their intervals; those of links and names do not count."""
    return NUMBER.findall(re.sub(r"\[[^\]]*\]\([^)]*\)|<[^>]*>", "", " ".join(answer.split())))


def missing(answer: str, shown: str) -> list[str]:
    """The numbers of an answer that are not among what is ``shown``."""
    whole = r"(?<![\d.,]){}(?!\d|[.,]\d)"
    return [n for n in numbers_of(answer) if not re.search(whole.format(re.escape(n)), shown)]


def words_of(text: Path) -> str:
    """All that the outputs of a notebook say in words and tables."""
    parts = []
    for output in outputs(text):
        data = output.get("data", {})
        kinds = [kind for kind in data if kind.startswith("text/")]
        parts += [output.get("text", ""), *(data[kind] for kind in kinds)]
    return " ".join(html.unescape(TAG.sub(" ", "\n".join(parts))).split())


@pytest.mark.parametrize("text", ANSWERED, ids=name_of)
def test_the_numbers_of_an_answer_are_among_the_outputs(text):
    first, *others = executed(text).cells
    (answer,) = [part for part in first.source.split("\n\n") if HOW in part]
    assert answer.startswith("**") and numbers_of(answer)
    assert missing(answer, words_of(text)) == []
    below = [cell.source for cell in others if cell.cell_type == "markdown"]
    assert "\n".join(below).count('<a id="how"></a>') == 1


def test_a_number_that_is_not_shown_is_found():
    said = "**A question?** 63.0 ± 0.2 mm with\n27, in 3D; 1,000 in [table 9](table9.ipynb)."
    assert numbers_of(said) == ["63.0 ± 0.2", "27", "1,000"]
    assert missing(said, "63.0 ± 0.2 | 27 | 1,000") == []
    assert missing(said, "63.0 ± 0.3 | 27.5 | 11,000") == ["63.0 ± 0.2", "27", "1,000"]
    assert TAG.sub("", "46.8 < 51.6 | 2.3 ± 0.8<br>*mm*") == "46.8 < 51.6 | 2.3 ± 0.8*mm*"


def test_pages_begin_with_their_answers():
    assert {"table1", "pavllo2019/table1"} <= set(map(name_of, ANSWERED))


SAVING = {"save_figure": "png", "save_animation": "gif"}


def saved_figures() -> list[str]:
    """The files that all notebooks save, as ``….save_figure(figure, "name")`` names them."""
    names = []
    for text in TEXTS:
        for node in ast.walk(ast.parse(text.read_text(encoding="utf-8"))):
            called = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
            if called in SAVING:
                names.append(f"{ast.literal_eval(node.args[1])}.{SAVING[called]}")
    return names


def test_figures_and_notebooks_belong_together():
    names = saved_figures()
    assert names and len(set(names)) == len(names)
    assert {path.name for path in (ROOT / "figures").iterdir()} == set(names)


# --- wrong parameters ------------------------------------------------------------------------


def command(*words) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "paperlib", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_misspelt_parameter_is_refused_by_the_command_line(tmp_path):
    out = tmp_path / "out.ipynb"
    done = command("run", FOLDER / "table1.ipynb", out, "-p", "receptive_feild", "243")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Did you mean 'receptive_field'?" in done.stderr
    assert not out.exists()


@pytest.mark.slow
def test_a_wrong_receptive_field_is_answered_with_the_choices(tmp_path):
    out = tmp_path / "out.ipynb"
    done = command("run", FOLDER / "table1.ipynb", out, "-p", "receptive_field", "100")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "unknown receptive_field 100: choose one of 3, 9, 27, 81, 243, 729" in last
    assert last.startswith("paperlib: ")
    assert not out.exists()  # no kernel was started


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_papermill_alone_cannot_run_a_misspelt_parameter_either(tmp_path):
    with pytest.raises(PapermillExecutionError, match=r"unknown parameter 'chanels'.*'channels'"):
        # others start kernels beside it
        options = {"progress_bar": False, "kernel_manager_class": AsyncOwnSocketsKernelManager}
        paths = FOLDER / "pavllo2019" / "table5.ipynb", tmp_path / "out.ipynb"
        papermill.execute_notebook(*map(str, paths), parameters={"chanels": 256}, **options)
