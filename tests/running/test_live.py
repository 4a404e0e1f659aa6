"""Keypoints in, poses out, as the command line has it; and how late they are."""

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from live.filmed import RATE, joints_of, walker
from running.test_sources import Time

from paperlib.__main__ import main
from paperlib.live import LiveLifter
from paperlib.outside.videos import read_camera
from paperlib.running.live import Options, live

WALKER = walker()
SIZE = WALKER.camera.width, WALKER.camera.height
TOLD = ("--size", f"{SIZE[0]}x{SIZE[1]}", "--down", "0,1,0")
FRAMES = 20
JOINTS = joints_of(WALKER.positions[:FRAMES], WALKER.camera)


TIMES = np.arange(FRAMES) / RATE


def lines(sides=(0,), times=TIMES) -> bytes:
    frames = [
        {
            "time": time,
            "people": [
                {"id": n + 5, "keypoints": (JOINTS[t] + np.array([side, 0, 0])).tolist()}
                for n, side in enumerate(sides)
            ],
        }
        for t, time in enumerate(times)
    ]
    return "".join(json.dumps(one) + "\n" for one in frames).encode()


@pytest.fixture
def given(monkeypatch):
    """``given(bytes)``: what is on standard input."""

    def give(content: bytes):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


def test_two_people_from_lines_to_lines(given, capsys):
    given(lines(sides=(-150, 150)))
    assert main(["live", "-", *TOLD]) == 0
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    order = [(one["time"], one["person"]) for one in found]
    assert sorted(order) == [(round(t / RATE, 4), n) for t in range(FRAMES) for n in (5, 6)]
    assert err.startswith("20 frames in ") and " 0 dropped; 2 people, 40 poses\n" in err
    # 260 ms for 7 of 20 frames, and less and less for those that the end comes before
    assert "the wait for later frames, median 190 ms" in err
    # the lifter's own poses, to the tenth of a millimetre
    lifter = LiveLifter(SIZE, down=(0, 1, 0))
    poses = []
    for t in range(FRAMES):
        poses += lifter.add(t / RATE, [JOINTS[t] + np.array([150, 0, 0])])
    right = [one["positions"] for one in found if one["person"] == 6]
    for one, expected in zip(right, poses + lifter.finish(), strict=True):
        np.testing.assert_allclose(one, expected.positions.numpy(), atol=6e-5)
    assert found[0]["score"] == 0.9


class Slow(io.BytesIO):
    """A pipe that one waits for, a second by the clock for each line."""

    def __init__(self, content: bytes, time: Time):
        super().__init__(content)
        self.time = time

    def readline(self, *limit):
        line = super().readline(*limit)
        self.time.now += bool(line)
        return line


def test_the_delay_by_a_clock_of_our_own(monkeypatch):
    """A pose waits for 13 frames by the times of the lines, and its computing is what goes by on
    the clock from when the last of them is here; the wait for a line is no part of it."""
    time, written = Time(), []
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Slow(lines(), time)))

    def clock() -> float:
        time.now += 0.007  # from one look at it to the next
        return time.now

    summary = live("-", Options(size=SIZE, down=(0, 1, 0)), written.append, clock, time.sleep)
    last = range(1, 14)  # poses that come when the lines end, 7 ms after each other
    waited = [260] * (FRAMES - 13) + [260 - 20 * n for n in last]
    computing = [7] * (FRAMES - 13) + [7 + 7 * n for n in last]
    assert 1000 * np.array(summary.waited) == pytest.approx(np.array(waited), abs=1e-6)
    assert 1000 * np.array(summary.computing) == pytest.approx(np.array(computing), abs=1e-6)
    delays = [json.loads(line)["delay"] for line in written]
    assert delays == pytest.approx(np.array(waited) + computing, abs=0.06)
    assert (summary.frames, summary.dropped, summary.people) == (FRAMES, 0, {5})


@pytest.mark.parametrize(("wait", "delay"), [("0", 0), ("3", 60)])
def test_less_to_wait_for(given, capsys, wait, delay):
    given(lines())
    assert main(["live", "-", *TOLD, "--wait", wait]) == 0
    assert f"the wait for later frames, median {delay} ms" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "content", "message"),
    [
        ((), b"", "--size"),
        ((*TOLD, "--wait", "14"), b"", "wait=14"),
        ((*TOLD, "--fps", "0"), lines(), "fps=0"),
        ((*TOLD, "--height", "180"), lines(), "person_height=180.0: expected metres"),
        (TOLD, lines() + b"{", "line 21: not JSON"),
        (TOLD, lines().replace(b"0.9]", b"NaN]", 1), "line 1: not JSON (NaN is no number of JSON)"),
        (TOLD, lines(times=[0.1] * FRAMES), "line 2: time 0.1, after 0.1"),
        ((*TOLD, "--layout", "mine"), lines(), "unknown layout 'mine'"),
    ],
)
def test_what_is_wrong_is_said(given, capsys, words, content, message):
    given(content)
    assert main(["live", "-", *words]) == 1
    assert message in capsys.readouterr().err


def test_nobody_at_all(given, capsys):
    given(b'{"time": 0, "people": []}\n')
    assert main(["live", "-", *TOLD]) == 0
    assert capsys.readouterr().err.endswith(" s, 0 dropped; 0 people, 0 poses\n")


@pytest.mark.parametrize(
    ("source", "message"), [("nothing", "no film, and no camera"), ("lost.mp4", "lost.mp4")]
)
def test_what_is_no_source(capsys, source, message):
    assert main(["live", source]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_is_how_it_ends():
    """Poses come while the lines do, and the summary when it is stopped."""
    command = [sys.executable, "-m", "paperlib", "live", "-", *TOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes)
    process.stdin.write(lines())
    process.stdin.flush()
    first = [json.loads(process.stdout.readline()) for _ in range(FRAMES - 13)]
    assert [one["person"] for one in first] == [5] * len(first)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out == b""
    assert b"20 frames in" in err and b"7 poses" in err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows tells of a closed pipe in another way")
def test_a_reader_that_has_enough():
    command = [sys.executable, "-m", "paperlib", "live", "-", *TOLD, "--wait", "0"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdin.write(lines().splitlines(keepends=True)[0])
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"".join(lines().splitlines(keepends=True)[1:]))
        process.stdin.close()
        err = process.stderr.read()
        assert process.wait(60) == 0
    assert b" poses" in err and b"Traceback" not in err and b"Broken" not in err


def test_a_camera_is_opened_by_pyav():
    """FFmpeg's own test picture stands for one."""
    pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    pictures = read_camera("testsrc=size=64x48:rate=25", "lavfi")
    found = [next(pictures) for _ in range(4)]
    assert [one.time for one in found] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert all(one.pixels.shape == (48, 64, 3) for one in found)
    pictures.close()
    with pytest.raises(ValueError, match="99: no camera"):
        next(read_camera("99"))
