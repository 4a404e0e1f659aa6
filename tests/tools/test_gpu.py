"""Measuring on a GPU in steps: refused without one, each taken once, and taken up again."""

import signal
import sys
import time

import pytest
import torch

from tools import gpu
from tools.__main__ import main

SAY = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')"


@pytest.fixture
def log(monkeypatch, tmp_path):
    """What the steps wrote, on a machine that believes it has a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "DONE", tmp_path / "done.json")
    return tmp_path / "log"


def offer(monkeypatch, log, *names, **others):
    named = {name: [sys.executable, "-c", SAY, str(log), name] for name in names}
    monkeypatch.setattr(gpu, "steps", lambda: named | others)


def taken(log) -> list[str]:
    return log.read_text().split() if log.is_file() else []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_stops(capsys):
    assert main(["gpu-results"]) == 1
    assert "sees no GPU" in capsys.readouterr().err


def test_the_steps_are_the_benchmarks_and_every_notebook():
    names = list(gpu.steps())
    assert names[0] == "benchmark training"
    assert {"notebook table1", "notebook pavllo2019/table1"} <= set(names)


def test_each_step_is_taken_once(monkeypatch, log):
    offer(monkeypatch, log, "one", "two")
    assert gpu.gpu_results() == []
    offer(monkeypatch, log, "one", "two", "three")
    assert gpu.gpu_results(9) == []
    assert taken(log) == ["one", "two", "three"]


def test_other_code_repeats_them(monkeypatch, log):
    offer(monkeypatch, log, "one")
    gpu.gpu_results()
    monkeypatch.setattr(gpu, "_state", lambda: "changed")
    gpu.gpu_results()
    assert taken(log) == ["one", "one"]


def test_a_step_that_fails_stops_it_and_is_taken_again(monkeypatch, log):
    fail = [sys.executable, "-c", "raise SystemExit(3)"]
    offer(monkeypatch, log, "one", bad=fail)
    with pytest.raises(ValueError, match="bad failed with status 3"):
        gpu.gpu_results()
    offer(monkeypatch, log, "one", "bad")
    assert gpu.gpu_results() == []
    assert taken(log) == ["one", "bad"]


@pytest.fixture(params=["heard", "ignored"])
def interrupts(request):
    """In the foreground, and as a shell without job control starts us in the background."""
    before = signal.getsignal(signal.SIGINT)
    if request.param == "ignored":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    assert signal.getsignal(signal.SIGINT) == (
        signal.SIG_IGN if request.param == "ignored" else before
    )
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_when_the_time_is_over_a_step_is_interrupted_and_left_for_later(monkeypatch, log):
    monkeypatch.setattr(gpu, "_MIN_SECONDS", 0)
    monkeypatch.setattr(gpu, "_GRACE_SECONDS", 5)
    save = (
        "import sys, time\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    open(sys.argv[1], 'a').write('saved\\n')"
    )
    offer(monkeypatch, log, long=[sys.executable, "-c", save, str(log)])
    began = time.monotonic()
    assert gpu.gpu_results(0.15) == ["long"]
    assert time.monotonic() - began < 40
    assert taken(log) == ["saved"]


def test_too_little_time_begins_nothing(monkeypatch, log):
    offer(monkeypatch, log, "one")
    assert gpu.gpu_results(0.1) == ["one"]
    assert taken(log) == []
