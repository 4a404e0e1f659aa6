"""The command line: what is called with what, and how a problem is reported."""

import sys
from io import BytesIO, TextIOWrapper

import pytest

from paperlib import __main__ as command_line
from paperlib import __version__
from paperlib.claims import recorded
from paperlib.datasets import download
from paperlib.errors import CheckpointError, MissingDataError, NotebookFailed
from paperlib.paths import ROOT
from paperlib.running import claims as running_claims
from paperlib.running import notebook


def said(capsys) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def failing(monkeypatch, problem):
    """Running a notebook ends with the problem."""

    def run(*_):
        raise problem

    monkeypatch.setattr(notebook, "run", run)


def test_run_passes_parameters_as_values(monkeypatch, capsys, tmp_path):
    calls = []

    def run(*words):
        calls.append(words)
        return words[1]

    monkeypatch.setattr(notebook, "run", run)
    words = ["run", "a.ipynb", "b.ipynb", "-p", "receptive_field", "243", "-p", "dataset", "cmu"]
    assert command_line.main(words) == 0
    assert calls == [("a.ipynb", "b.ipynb", {"receptive_field": 243, "dataset": "cmu"})]
    first, how = said(capsys)[0].splitlines()
    assert first == "written to b.ipynb" and how.endswith("jupyter lab b.ipynb")
    assert command_line.main(["run", "a.ipynb", "b.ipynb"]) == 0
    assert calls[1][2] == {}


@pytest.mark.parametrize(
    "problem", [ValueError, MissingDataError, CheckpointError, NotebookFailed, OSError]
)
def test_what_a_person_can_mend_is_one_line(monkeypatch, capsys, problem):
    failing(monkeypatch, problem("no such thing"))
    assert command_line.main(["run", "a.ipynb", "b.ipynb"]) == 1
    assert said(capsys) == ("", "paperlib: no such thing\n")


def test_a_terminal_of_few_signs_shows_others(monkeypatch):
    written = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written, "ascii", write_through=True))
    monkeypatch.setattr(notebook, "run", lambda *_: "50.0 ± 12.7")
    assert command_line.main(["run", "a.ipynb", "b.ipynb"]) == 0
    assert written.getvalue().startswith(b"written to 50.0 ? 12.7\n")


def test_a_fault_of_the_program_is_not_hidden(monkeypatch):
    failing(monkeypatch, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        command_line.main(["run", "a.ipynb", "b.ipynb"])


def test_stopping_is_said_and_has_its_own_status(monkeypatch, capsys):
    failing(monkeypatch, KeyboardInterrupt)
    assert command_line.main(["run", "a.ipynb", "b.ipynb"]) == 130
    assert "stopped; what was finished is kept" in said(capsys)[1]


@pytest.mark.parametrize(
    "words",
    [["fly"], ["run"], ["run", "a.ipynb"], ["run", "a", "b", "-p", "seed"], ["data", "h36m"]],
)
def test_wrong_words_are_answered_with_the_usage(words, capsys):
    with pytest.raises(SystemExit) as stop:
        command_line.main(words)
    assert stop.value.code == 2 and "usage: python -m paperlib" in said(capsys)[1]


def test_help_and_version_are_at_hand(capsys):
    assert command_line.main([]) == 0
    assert said(capsys)[0].startswith("usage: python -m paperlib")
    for words, shown in {
        ("--version",): f"paperlib {__version__}\n",
        ("run", "--help"): "usage: python -m paperlib run",
        ("run", "-h", str(ROOT / "notebooks" / "table1.ipynb")): "-p receptive_field  27  ",
    }.items():
        with pytest.raises(SystemExit) as stop:
            command_line.main(list(words))
        assert stop.value.code == 0 and shown in said(capsys)[0]
    with pytest.raises(SystemExit) as stop:
        command_line.main(["run", "--help", "table9.ipynb"])
    assert stop.value.code == 1 and "there is no notebook" in said(capsys)[1]


def test_claims_lists_what_they_take_or_judges_them(monkeypatch, capsys):
    assert command_line.main(["claims"]) == 0
    assert "pavllo2019/table5" in said(capsys)[0]
    kept, called = recorded()["pavllo2019-c13"], []

    def judge_again(*words):
        called.append(words)
        return kept

    monkeypatch.setattr(running_claims, "judge_again", judge_again)
    assert command_line.main(["claims", "pavllo2019-c13", "pavllo2019-c34"]) == 0
    assert called == [("pavllo2019-c13", None)]  # the other cannot be judged here
    lines = said(capsys)[0].splitlines()
    takes = "it takes the notebook pavllo2019/table5, which computes it"
    first = ["pavllo2019-c13", "its test", "on record", takes, "now"]
    second = ["pavllo2019-c34", "its test", "on record"]
    assert [line.split(":")[0] for line in lines] == first + second
    assert lines[4].startswith("now: reproduced exactly; 27 frames: 8.555571 M")
    assert command_line.main(["claims", "pavllo2019-c35", "--seeds", "0", "1"]) == 1
    assert "there is no claim 'pavllo2019-c35'" in said(capsys)[1]


def test_data_says_what_is_here_or_fetches(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(download, "inventory", lambda: iter(["synthetic: embedded", "cmu: no"]))
    assert command_line.main(["data"]) == 0
    assert said(capsys)[0] == "synthetic: embedded\ncmu: no\n"
    monkeypatch.setattr(download, "fetch_cmu", lambda: tmp_path)
    assert command_line.main(["data", "cmu"]) == 0
    assert said(capsys)[0] == f"complete in {tmp_path}\n"


def test_a_missing_notebook_is_said_in_one_line(capsys, tmp_path):
    assert command_line.main(["run", str(tmp_path / "a.ipynb"), str(tmp_path / "b.ipynb")]) == 1
    error = said(capsys)[1]
    assert error.startswith("paperlib: there is no notebook ") and error.count("\n") == 1
