"""Films and cameras, read picture by picture by PyAV (package ``av``, of the extra ``video``).

A picture is shown as the film's display matrix has it: what a phone held upright has filmed stands
upright. Pictures keep their times, since many films have no constant rate.
"""

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from paperlib.paths import regular_file, shown

_LARGEST = 2**36  # bytes
_ROTATED = "DISPLAYMATRIX"


class Picture(NamedTuple):
    """One picture of a film: its ``number`` from 0, its ``time`` in seconds, which is later than
    that of the picture before, and its ``pixels`` ``(H, W, 3)``, bytes of red, green and blue."""

    number: int
    time: float
    pixels: np.ndarray


class Described(NamedTuple):
    """What a film says of itself: ``fps``, pictures a second on average; ``frames``, how many there
    are; None where it does not say. It may be wrong: only reading it through tells."""

    fps: float | None
    frames: int | None


def described(path: str | Path) -> Described:
    """What a film says of itself. Raises as :func:`read_video`."""
    with _opened(Path(path)) as (_, stream):
        rate, frames = stream.average_rate, stream.frames
        if not frames and rate and stream.duration:
            frames = round(stream.duration * stream.time_base * rate)
        return Described(float(rate) if rate else None, frames or None)


def read_video(path: str | Path, otherwise: str = "") -> Iterator[Picture]:
    """The pictures of a film, one at a time: no more than a few are in memory. What else the caller
    takes, where there is no PyAV, ``otherwise`` says.

    Raises ``FileNotFoundError`` where there is no file, and ``ValueError`` for one that is no film,
    has no pictures, or whose beginning is missing, and where PyAV is not installed. A film that is
    damaged or cut off later on ends there, with a warning that says where.
    """
    path, number = Path(path), 0
    with _opened(path, otherwise) as (av, stream):
        said = stream.frames
        try:
            for picture in _pictures(stream.container.decode(stream), stream):
                yield picture
                number += 1
        except av.error.FFmpegError as problem:
            if not number:
                raise _damaged(path, problem) from None
            _warn(path, f"is damaged after {number} frames ({_reason(problem)})")
        else:
            if not number:
                raise ValueError(f"{path}: a film of no pictures; was it cut off?")
            # some containers count a few that are never shown
            if number < 0.95 * said - 2:
                _warn(path, f"ends after {number} frames of the {said} that it says it has")


def read_camera(
    device: str,
    kind: str | None = None,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Iterator[Picture]:
    """The pictures of a camera, as they come, without an end. Times begin with about 0.

    ``device`` is its name, or its number from 0, ``kind`` the input format by which PyAV opens it:
    v4l2, avfoundation or dshow, by the system. The camera is asked for pictures of this ``size``
    and for ``fps`` of them a second; what it gives may differ.

    ``ValueError`` where there is no such camera, or PyAV is not installed."""
    av = _pyav(device)
    kind = kind or {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "v4l2")
    name = device
    if kind == "v4l2" and device.isdecimal():
        name = f"/dev/video{device}"
    if kind == "dshow" and "=" not in device:
        name = f"video={device}"
    asked = {"video_size": size and f"{size[0]}x{size[1]}", "framerate": fps and f"{fps:g}"}
    try:
        camera = av.open(name, format=kind, options={k: v for k, v in asked.items() if v})
    except (av.error.FFmpegError, ValueError) as problem:
        raise ValueError(f"{device}: no camera that {kind} opens ({_reason(problem)})") from None
    with camera:
        if not camera.streams.video:
            raise ValueError(f"{device}: no camera, {_what(camera)}")
        stream = camera.streams.video[0]
        yield from _pictures(_without_end(av, stream), stream)


def _without_end(av: Any, stream: Any) -> Iterator[Any]:
    while True:
        try:
            yield from stream.container.decode(stream)
            return
        except av.error.BlockingIOError:  # on macOS, where the next picture is not there yet
            time.sleep(0.002)


def _pictures(frames: Iterator[Any], stream: Any) -> Iterator[Picture]:
    # where pictures have no times of their own
    step = float(1 / stream.average_rate) if stream.average_rate else 1 / 25
    before = -np.inf
    for number, frame in enumerate(frames):
        # 0 at the film's own start: not every film's first picture is shown at once
        at = number * step if frame.pts is None else _seconds(frame, stream)
        # two pictures of one time are none of a film's; a clock that jumps back goes on
        at = at if at > before else before + step
        yield Picture(number, at, _upright(frame))
        before = at


def _seconds(frame: Any, stream: Any) -> float:
    base: Fraction = frame.time_base or stream.time_base
    return float((frame.pts - (stream.start_time or 0)) * base)


@contextmanager
def _opened(path: Path, otherwise: str = "") -> Iterator[tuple[Any, Any]]:
    """PyAV, and the video stream of a film."""
    regular_file(path, _LARGEST)
    av = _pyav(path, otherwise)
    try:
        film = av.open(str(path))
    except av.error.FFmpegError as problem:
        raise _damaged(path, problem) from None
    with film:
        # a cover is a stream of one picture, and comes after the film
        streams = film.streams.video
        if not streams:
            raise ValueError(f"{path}: a file without pictures, {_what(film)}")
        yield av, streams[0]


def _pyav(what: str | Path, otherwise: str = "") -> Any:
    try:
        import av
    except ImportError:
        raise ValueError(
            f"{what}: decoding a video takes PyAV, which is not installed: pip install av. It "
            f'belongs to the extra "video": pip install -e ".[video]"{otherwise}'
        ) from None
    return av


def _damaged(path: Path, problem: Exception) -> ValueError:
    return ValueError(f"{path}: not a video, or damaged ({_reason(problem)})")


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)


def _what(film: Any) -> str:
    kinds = sorted({stream.type for stream in film.streams})
    return f"only {', '.join(kinds)}" if kinds else "nothing in it"


def _warn(path: Path, what: str) -> None:
    warnings.warn(f"{shown(path)} {what}: what comes before is used", stacklevel=3)


def _upright(frame: Any) -> np.ndarray:
    """The pixels ``(H, W, 3)`` of a frame, turned and mirrored as its display matrix says."""
    pixels = frame.to_ndarray(format="rgb24")
    if _ROTATED not in frame.side_data:
        return pixels
    # x' = a x + c y, y' = b x + d y, in sixteenths of a bit
    a, b, _, c, d = np.frombuffer(bytes(frame.side_data[_ROTATED])[:36], "<i4")[:5].tolist()
    if abs(b) > abs(a):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    if d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
