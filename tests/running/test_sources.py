"""Frames as they come: a film that plays by a clock, a camera's newest, keypoints on a pipe."""

import io
import json
import threading

import numpy as np
import pytest
from detection.figures import COCO, figure

from paperlib.outside.videos import Picture
from paperlib.running.sources import Keypoints, Newest, Playing
from paperlib.skeletons import COCO_17

PIXELS = np.zeros((2, 2, 3), np.uint8)


class Time:
    """A clock that goes only when it is told to, or slept by."""

    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def film(times):
    return (Picture(number, time, PIXELS) for number, time in enumerate(times))


@pytest.mark.parametrize(
    ("work", "seen"),
    [
        (0.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (0.03, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (0.055, [0, 1, 2, 4, 5, 6, 8, 9]),
        (0.095, [0, 2, 4, 7, 9]),
        (9.0, [0, 9]),
    ],
)
def test_a_film_plays_and_drops_what_there_is_no_time_for(work, seen):
    """25 pictures a second; the last comes in any case."""
    time, shown = Time(), []
    playing = Playing(film([t / 25 for t in range(10)]), time, time.sleep)
    for picture, captured in playing:
        assert captured == pytest.approx(100 + picture.time)
        assert time.now >= captured - 1e-9  # not before its time
        assert time.now - captured < max(work, 1e-9) + 1e-9
        shown.append(picture.number)
        time.now += work
    assert shown == seen and playing.dropped == 10 - len(seen)


def test_a_computer_that_is_too_slow_for_a_film_still_sees_some_of_it():
    """More than a second for each picture, of two seconds of film."""
    time, shown = Time(), []
    for picture, captured in Playing(film([t / 25 for t in range(51)]), time, time.sleep):
        assert captured == pytest.approx(100 + picture.time)
        shown.append(picture.number)
        time.now += 1.5
    assert shown == [0, 13, 26, 39, 50]


def test_a_camera_gives_its_newest_picture():
    """Three come while the first is worked on."""
    taken, three, time = threading.Event(), threading.Event(), Time()

    def camera():
        for picture in film([0.0, 0.04, 0.08, 0.12]):
            yield picture
            if picture.number == 0:
                assert taken.wait(10)
            time.now += 0.04
        three.set()

    newest = Newest(camera(), time)
    pictures = iter(newest)
    first, captured = next(pictures)
    assert (first.number, captured, newest.dropped) == (0, 100.0, 0)
    taken.set()
    assert three.wait(10)
    last, captured = next(pictures)
    assert (last.number, captured, newest.dropped) == (3, pytest.approx(100.12), 2)
    assert [*pictures] == []


def test_what_goes_wrong_in_a_camera_is_not_lost():
    def camera():
        yield Picture(0, 0.0, PIXELS)
        raise ValueError("unplugged")

    pictures = iter(Newest(camera(), Time()))
    with pytest.raises(ValueError, match="unplugged"):
        for _ in range(3):
            next(pictures)


def keypoints(lines, fps=None, clock=None, size=(640, 480)):
    stream = io.BytesIO(
        b"".join(line if isinstance(line, bytes) else frame(line) for line in lines)
    )
    return Keypoints(stream, size, None, fps, clock or Time())


def frame(content: dict) -> bytes:
    return json.dumps(content).encode() + b"\n"


BODY = {"keypoints": figure(COCO).tolist()}


def test_keypoints_on_a_pipe():
    source = keypoints(
        [{"time": 3, "people": []}, b"\n", {"time": 3.5, "people": [BODY | {"id": 2}]}]
    )
    empty, one = source
    assert (empty.time, empty.people, empty.numbers) == (3, [], None)
    assert (one.time, one.numbers, source.skeleton) == (3.5, [2], COCO_17)
    assert (source.size, source.dropped, one.captured) == ((640, 480), 0, 100.0)


def test_times_that_no_line_tells():
    lines = [{"people": []}] * 3
    assert [one.time for one in keypoints(lines, fps=50)] == pytest.approx([0, 0.02, 0.04])
    time = Time()
    found = []
    for one in keypoints(lines, clock=time):
        found.append((one.time, one.captured))
        time.now += 0.5
    assert found == [(0, 100.0), (0.5, 100.5), (1.0, 101.0)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"time": 1, "people": []}, "line 3: time 1, after 1"),
        ({"time": 0.5, "people": []}, r"line 3: time 0\.5, after 1"),
        ({"time": 2, "people": [BODY | {"id": 2}] * 2}, "line 3: two people of one number"),
        (b'{"people"', "line 3: not JSON"),
        (b"[" + b"1," * 2**21, "line 3: more than"),
    ],
)
def test_a_wrong_line_is_named(line, message):
    source = iter(keypoints([{"time": 0, "people": []}, {"time": 1, "people": []}, line]))
    next(source), next(source)
    with pytest.raises(ValueError, match=message):
        next(source)
