"""Films read picture by picture: times, rotation, damage, memory."""

import sys
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from paperlib.outside.videos import described, read_video

GREY = np.arange(12) * 20


def write(path, pictures, rate=25, times=None, **rotation):
    """A lossless film of pictures (H, W, 3) of bytes; ``times`` in thousandths of a second."""
    av = pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    with av.open(str(path), "w") as made:
        codec, stored = ("png", "rgb24") if path.suffix == ".mov" else ("ffv1", "bgr0")
        stream = made.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = stored
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(**rotation)
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = round(1000 * number / rate) if times is None else times[number]
            frame.time_base = Fraction(1, 1000)
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return path


def grey(count=12, height=24, width=32):
    return [np.full((height, width, 3), 20 * number, "u1") for number in range(count)]


@pytest.mark.parametrize("rate", [24, 60, 240])
def test_pictures_come_in_order_with_their_times(tmp_path, rate):
    path = write(tmp_path / "film.mkv", grey(), rate)
    found = list(read_video(path))
    assert [one.number for one in found] == list(range(12))
    assert np.allclose([one.time for one in found], np.arange(12) / rate, atol=6e-4)
    assert all((one.pixels == value).all() for one, value in zip(found, GREY, strict=True))
    assert described(path).fps == pytest.approx(rate, rel=0.02)


def test_times_of_a_film_without_a_constant_rate_are_kept(tmp_path):
    times = [0, 33, 66, 200, 233, 300]
    found = read_video(write(tmp_path / "film.mkv", grey(6), times=times))
    assert np.allclose([one.time for one in found], np.array(times) / 1000, atol=6e-4)


@pytest.mark.parametrize(
    ("rotation", "turned"),
    [
        ({"degrees": 90}, lambda p: np.rot90(p)),
        ({"degrees": -90}, lambda p: np.rot90(p, -1)),
        ({"degrees": 180}, lambda p: p[::-1, ::-1]),
        ({"degrees": 0, "hflip": True}, lambda p: p[:, ::-1]),
        ({"degrees": 0, "vflip": True}, lambda p: p[::-1]),
    ],
    ids=("left", "right", "turned", "mirrored", "upside down"),
)
def test_a_film_stands_upright(tmp_path, rotation, turned):
    """A phone's film in portrait is stored lying; FFmpeg counts degrees counterclockwise."""
    corner = np.zeros((24, 32, 3), "u1")
    corner[:4, :8] = 255
    (found,) = read_video(write(tmp_path / "film.mov", [corner], **rotation))
    assert np.array_equal(found.pixels, turned(corner))


def test_a_phones_film_in_portrait_is_turned_clockwise(tmp_path):
    """The matrix that phones write, its nine numbers by hand: right becomes down."""
    path = write(tmp_path / "film.mov", grey(1, 24, 32))
    content, one = path.read_bytes(), (2**16).to_bytes(4, "big")
    place = content.index(b"tkhd") + 4 + 40
    zero, minus = bytes(4), (-(2**16)).to_bytes(4, "big", signed=True)
    assert content[place : place + 20] == one + zero * 3 + one
    turned = zero + one + zero + minus + zero
    path.write_bytes(content[:place] + turned + content[place + 20 :])
    (found,) = read_video(path)
    assert found.pixels.shape == (32, 24, 3)


def test_a_film_that_was_cut_off_ends_there(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (24, 32, 3), "u1") for _ in range(12)]
    path = write(tmp_path / "film.mkv", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = list(read_video(path))
    assert 3 <= len(found) <= 8
    assert all(np.array_equal(a.pixels, b) for a, b in zip(found[:-1], noise, strict=False))


def test_what_a_film_promises_and_has_not_is_said(tmp_path):
    """Its table of contents stands before its pictures, the last of which are missing."""
    av = pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    path, rng = tmp_path / "film.mov", np.random.default_rng(0)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as made:
        stream = made.add_stream("png", rate=25)
        stream.height, stream.width, stream.pix_fmt = 24, 32, "rgb24"
        for _ in range(12):
            noise = rng.integers(0, 255, (24, 32, 3), "u1")
            made.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        made.mux(stream.encode())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(UserWarning, match=r"film\.mov .*\d+ frames.*what comes before is used"):
        found = list(read_video(path))
    assert 3 <= len(found) <= 8


def test_what_is_no_film_is_refused(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed (extra video)")
    path = tmp_path / "film.mp4"
    with pytest.raises(FileNotFoundError):
        next(read_video(path))
    path.write_bytes(b"no video" * 100)
    with pytest.raises(ValueError, match=r"film\.mp4: not a video, or damaged"):
        next(read_video(path))
    # an MP4 has its table of contents at its end
    whole = write(tmp_path / "whole.mov", grey()).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"film\.mp4: not a video, or damaged"):
        next(read_video(path))
    with av.open(str(path), "w") as made:
        sound = made.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "f4"), format="fltp", layout="mono")
        frame.rate = 44100
        made.mux(sound.encode(frame))
        made.mux(sound.encode())
    with pytest.raises(ValueError, match=r"film\.mp4: a file without pictures, only audio"):
        next(read_video(path))
    with pytest.raises(ValueError, match="is a folder"):
        next(read_video(tmp_path))


@pytest.mark.parametrize("count", [1, 2])
def test_a_film_of_one_or_two_pictures(tmp_path, count):
    assert len(list(read_video(write(tmp_path / "film.mkv", grey(count))))) == count


def test_memory_is_bounded(tmp_path):
    """However long a film is, there are a few pictures of it at a time."""
    path = write(tmp_path / "film.mkv", grey(1, 240, 320) * 300)
    tracemalloc.start()
    try:
        for _ in read_video(path):
            pass
        assert tracemalloc.get_traced_memory()[1] < 10 * 240 * 320 * 3
    finally:
        tracemalloc.stop()


def test_without_the_decoder_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "film.mp4").write_bytes(b"\0" * 100)
    with pytest.raises(
        ValueError, match=r'takes PyAV.*extra "video": pip install -e "\.\[video\]"$'
    ):
        next(read_video(tmp_path / "film.mp4"))
    with pytest.raises(ValueError, match=r"takes PyAV.* Or take a train$"):
        next(read_video(tmp_path / "film.mp4", " Or take a train"))
