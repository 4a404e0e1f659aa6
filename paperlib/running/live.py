"""From a camera, a film that plays or a stream of keypoints to a stream of poses: ``paperlib
live``."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from paperlib.lifting import require_positive
from paperlib.live import LiveLifter, LivePose
from paperlib.models import TemporalModel, fold
from paperlib.running.lift import is_film
from paperlib.running.sources import Clock, Keypoints, Newest, Pictures, Playing, Source
from paperlib.training.shipping import shipped


@dataclass(frozen=True)
class Options:
    """What may be said beyond what the source says itself; see :class:`.LiveLifter`."""

    fps: float | None = None
    size: tuple[int, int] | None = None
    focal: float | None = None
    person_height: float | None = None
    down: Sequence[float] | None = None
    wait: int | None = None
    layout: str | None = None
    detector: str = "lite"
    people: int = 1
    input_format: str | None = None


@dataclass
class Summary:
    """What became of a stream: ``frames`` that were looked at, those ``dropped``, the numbers of
    the ``people``, and for each pose the seconds for which it ``waited`` for later frames, and
    those of ``computing`` since the last of these was filmed."""

    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    people: set[int] = field(default_factory=set)
    waited: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.frames} frames in {self.seconds:.1f} s, {self.dropped} dropped; "
            f"{len(self.people)} people, {len(self.waited)} poses"
        ]
        if self.waited:
            waited, computing = 1000 * np.array([self.waited, self.computing])
            delay = waited + computing
            lines.append(
                f"delay of a pose: median {np.median(delay):.0f} ms, 95 % below "
                f"{np.quantile(delay, 0.95):.0f} ms; of these the wait for later frames, median "
                f"{np.median(waited):.0f} ms, and computing, median {np.median(computing):.0f} ms"
            )
        return "\n".join(lines)


def live(
    source: str,
    options: Options = Options(),
    write: Callable[[str], object] | None = None,
    clock: Clock = time.perf_counter,
    sleep: Callable[[float], object] = time.sleep,
) -> Summary:
    """Lift the people in ``source`` while they are filmed, and ``write`` a line of JSON for each
    pose, by default to standard output, until the source ends or Ctrl-C is pressed.

    ``source`` is ``-``: lines of keypoints from standard input
    (:mod:`paperlib.detection.files.lines`), a film, which plays at its own speed, or a camera: its
    number from 0, or its name. A line has ``time``, seconds in the source, ``person``, their
    number, ``score``, ``delay``, and ``positions``, 17 x 3 metres in camera space. The delay, in
    milliseconds, goes from when the frame was filmed until its pose is written: the frames that it
    has to wait for, as far as the source's times tell, and since the last of these was filmed, as
    far as the clock does. When a camera's picture was filmed nobody tells: it counts from when it
    is here. ``clock`` and ``sleep`` are those of ``time``.

    ``ValueError`` for keypoints without the size of their pictures, and for what is none of these.
    """
    frames = opened(source, options, clock, sleep)
    model = _warm(options)
    summary, lifter, began = Summary(), None, clock()

    def put(poses: Sequence[LivePose], captured: float) -> None:
        for one in poses:
            computing = clock() - captured
            summary.people.add(one.person)
            summary.waited.append(one.waited)
            summary.computing.append(computing)
            (write or _printed)(_line(one, one.waited + computing))

    try:
        for frame in frames:
            summary.frames += 1
            if lifter is None and frames.skeleton is not None:
                told = _told(options) | {"model": model, "skeleton": frames.skeleton}
                lifter = LiveLifter(frames.size, **told)
            if lifter is not None:
                put(lifter.add(frame.time, frame.people, frame.numbers), frame.captured)
        if lifter is not None:
            put(lifter.finish(), frame.captured)
    except KeyboardInterrupt:
        pass  # this is how a camera ends
    except BrokenPipeError:  # whoever read the poses has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    summary.dropped, summary.seconds = frames.dropped, clock() - began
    return summary


def opened(source: str, options: Options, clock: Clock, sleep: Callable[[float], object]) -> Source:
    """The frames of a source, see :func:`live`."""
    require_positive(fps=options.fps)
    if source == "-":
        if options.size is None:
            raise ValueError("how large the pictures are keypoints do not tell: say it with --size")
        stream = sys.stdin.buffer
        return Keypoints(stream, options.size, options.layout, options.fps, clock)
    if is_film(source) or Path(source).is_file():
        from paperlib.outside.videos import described, read_video

        described(source)  # or it would be refused only after the networks are there
        pictures = Playing(read_video(source), clock, sleep)
    elif source.isdecimal() or source.startswith("/dev/") or options.input_format:
        from paperlib.outside.videos import read_camera

        camera = read_camera(source, options.input_format, options.size, options.fps)
        pictures = Newest(camera, clock)
    else:
        raise ValueError(
            f"{source}: no film, and no camera; expected - for keypoints on standard input, a "
            "film, or a camera: its number, as 0, or with --input-format its name"
        )
    if options.people < 1:
        raise ValueError(f"people is {options.people}: follow at least one")
    return Pictures(pictures, options.detector, options.people, torch.get_num_threads())


def _told(options: Options) -> dict[str, object]:
    return {name: getattr(options, name) for name in ("focal", "person_height", "down", "wait")}


def _warm(options: Options) -> TemporalModel:
    """The shipped model, and all else loaded that the first frames would have to wait for. Options
    that are wrong are refused here."""
    model = fold(shipped("any_camera").model)
    lifter = LiveLifter(options.size or (1000, 1000), **_told(options), model=model)
    body = np.column_stack([np.arange(34).reshape(17, 2), np.ones(17)])
    for moment in (0.0, 0.1):
        lifter.add(moment, [body])
    lifter.finish()
    return model


def _line(one: LivePose, delay: float) -> str:
    return json.dumps(
        {
            "time": round(one.time, 4),
            "person": one.person,
            "score": round(one.score, 3),
            "delay": round(1000 * delay, 1),
            "positions": [[round(x, 4) for x in joint] for joint in one.positions.tolist()],
        }
    )


def _printed(line: str) -> None:
    print(line, flush=True)
