"""The Makefile: each ``make test`` has its own folder; what others call is there."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from paperlib import __main__ as command_line
from paperlib.paths import ROOT
from tools.__main__ import _parser

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
# stands for the tests: shows where they would write, and goes on until it is let go
PYTHON = """#!/bin/sh
case "$*" in *ruff*) exit 0;; esac
mkdir -p "$PAPERLIB_RUNS" "$PAPERLIB_OUT"
echo "$PAPERLIB_RUNS $PAPERLIB_OUT" > "{place}/$$"
while [ ! -e "{place}/go" ]; do sleep 0.05; done
exit {status}
"""


@pytest.fixture
def start(tmp_path):
    """Start ``make test`` with a Python that waits; the process, and the folders it was given."""
    begun = []

    def begin(status: int = 0) -> tuple[subprocess.Popen, list[Path]]:
        python, place = tmp_path / f"bin{len(begun)}" / "python", tmp_path / f"said{len(begun)}"
        python.parent.mkdir()
        place.mkdir()
        python.write_text(PYTHON.format(place=place, status=status))
        python.chmod(0o755)
        (tmp_path / "ready").touch()
        words = ["make", "test", f"BIN={python.parent}", f"READY={tmp_path / 'ready'}"]
        process = subprocess.Popen(
            words, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, start_new_session=True
        )
        begun.append(process)
        end = time.monotonic() + 60
        while not (said := [p.read_text() for p in place.iterdir() if p.read_text()]):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        return process, [ROOT / path for path in said[0].split()]

    yield begin
    for number, process in enumerate(begun):
        (tmp_path / f"said{number}" / "go").touch()
        process.communicate(timeout=60)


def test_two_at_once_leave_each_others_folders_alone(start, tmp_path):
    first, folders = start()
    second, others = start(status=3)
    assert len({*folders, *others}) == 4
    (tmp_path / "said1" / "go").touch()
    second.communicate(timeout=60)
    assert second.returncode != 0 and not any(path.parent.exists() for path in others)
    assert first.poll() is None and all(path.is_dir() for path in folders)
    (tmp_path / "said0" / "go").touch()
    first.communicate(timeout=60)
    assert first.returncode == 0 and not any(path.parent.exists() for path in folders)


def test_ctrl_c_takes_the_folder_away(start):
    process, folders = start()
    os.killpg(process.pid, signal.SIGINT)  # a terminal's reaches all
    process.communicate(timeout=60)
    assert process.returncode != 0 and not any(path.parent.exists() for path in folders)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["notebooks", "ONLY=table1", "SEEDS=1 2"], "publish table1 --seeds 1 2"),
        (["gpu-results", "MINUTES=9"], "gpu-results --minutes 9"),
        (["gpu-results"], "gpu-results"),
    ],
)
def test_maintainers_targets_call_the_tools(words, expected, tmp_path):
    (tmp_path / "ready").touch()
    command = ["make", "-n", *words, "BIN=bin", f"READY={tmp_path / 'ready'}"]
    shown = subprocess.check_output(command, cwd=ROOT, env=ENVIRONMENT, text=True)
    assert shown.strip() == f"bin/python -m tools {expected}"
    _parser().parse_args(expected.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["claims"], "claims"),
        (["claims", "ONLY=pavllo2019-c01"], "claims pavllo2019-c01"),
        (["claims", "ONLY=wang2020-c01", "SEEDS=0 1"], "claims wang2020-c01 --seeds 0 1"),
    ],
)
def test_a_reader_judges_claims_by_the_command_line(words, expected, tmp_path):
    (tmp_path / "ready").touch()
    command = ["make", "-n", *words, "BIN=bin", f"READY={tmp_path / 'ready'}"]
    shown = subprocess.check_output(command, cwd=ROOT, env=ENVIRONMENT, text=True)
    assert shown.strip() == f"bin/python -m paperlib {expected}"
    command_line._parser().parse_args(expected.split())


def test_a_readers_copies_are_not_tested(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "notebooks" / "paper").mkdir(parents=True)
    for name in ("table1", "table1-mine", "paper/table2"):
        (tmp_path / "notebooks" / f"{name}.py").touch()

    def tested() -> set[str]:
        words = ["make", "--dry-run", "test"]
        shown = subprocess.run(
            words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        return {word for word in shown.stdout.split() if word.endswith(".ipynb")}

    ours = {"notebooks/table1.ipynb", "notebooks/paper/table2.ipynb"}
    assert tested() == ours | {"notebooks/table1-mine.ipynb"}  # without git, all are
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    added = ["git", "add", "notebooks/table1.py", "notebooks/paper/table2.py"]
    subprocess.run(added, cwd=tmp_path, check=True)
    assert tested() == ours
