"""Bars: here, and from a kernel in the terminal that it was started from."""

import fcntl
import os
import pty
import struct
import sys
import termios
import time
from contextlib import suppress

from paperlib import progress


def test_a_kernel_says_how_far_it_is_in_a_file(tmp_path, monkeypatch):
    path = tmp_path / "progress"
    monkeypatch.setenv(progress.VARIABLE, str(path))
    with progress.bar(total=4, desc="single frame", unit="batch", leave=False) as bar:
        bar.update(3)
        bar.set_postfix(train="60.1 mm")
        said = path.read_text("utf-8")
        assert said.startswith("single frame:  75%") and "3/4" in said and "train=60.1 mm" in said
    assert path.read_text("utf-8") == ""  # it is over


def test_work_goes_on_where_nobody_listens_any_more(tmp_path, monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "gone" / "progress"))
    with progress.bar(total=4) as bar:
        bar.update(4)
    assert bar.n == 4


def test_a_terminal_shows_what_kernels_say(monkeypatch):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    os.set_blocking(master, False)
    with os.fdopen(slave, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(progress, "_EVERY", 0.01)
        with progress.from_kernels():
            with progress.bar(total=4, desc="temporal") as bar:
                bar.update(2)
                bar.refresh()
                shown = b""
                for _ in range(500):
                    time.sleep(0.01)
                    with suppress(BlockingIOError):
                        shown += os.read(master, 10_000)
                    if b"temporal:  50%" in shown:
                        break
            assert b"temporal:  50%" in shown
        assert progress.VARIABLE not in os.environ
    os.close(master)


def test_without_a_terminal_nothing_is_asked_for(capsys):
    with progress.from_kernels():
        assert progress.VARIABLE not in os.environ
    assert capsys.readouterr().err == ""
