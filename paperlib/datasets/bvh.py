"""BVH (Biovision hierarchy) files: a tree of joints, and their channels in every frame.

A joint turns against its parent by the product of its rotation channels, from left to right in the
order in which the file lists them, degrees; any axis may be missing. Where a joint has a position
channel, its value stands *in place of* that component of the OFFSET: it is the translation from
the parent, in the parent's frame, and of a root the place in the world. (Measured on the 924 files
of :mod:`.bandai_namco`, whose joints all have position channels: these repeat the OFFSET to
within 0.01 mm. Added to it they would double every bone.) Lengths have no unit and the vertical
axis no rule in this format: that is known of the files, not from them.

The libraries on the package index read less: position channels of joints other than the root are
refused or dropped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch

from paperlib.errors import one_of
from paperlib.kinematics import forward_kinematics, rotation_from_euler
from paperlib.paths import regular_file, shown

MAX_DEPTH = 200  # joints from a root to the end of a limb; bodies with fingers have about 12
_POSITIONS = ("Xposition", "Yposition", "Zposition")
_ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")
_CHANNELS = {name.lower(): name for name in (*_POSITIONS, *_ROTATIONS)}


@dataclass(frozen=True, eq=False)
class Bvh:
    """A skeleton and its motion, in the file's own unit of length and axes.

    End Sites are joints as well, named after their joint: ``"Head end"``.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]  # -1 of the root, which comes first; parents before children
    offsets: torch.Tensor  # (J, 3) float64
    channels: tuple[tuple[str, ...], ...]  # of each joint, in the file's order
    frame_time: float  # seconds
    values: torch.Tensor  # (T, channels of all joints) float64, degrees and lengths

    @property
    def fps(self) -> float:
        return 1 / self.frame_time

    def __len__(self) -> int:
        return len(self.values)

    def index(self, joint: str) -> int:
        return self.joints.index(one_of("joint", joint, self.joints))

    def with_point(self, name: str, joint: str, place: Sequence[float]) -> "Bvh":
        """The same with one more joint, which stays at ``place`` in the frame of ``joint``."""
        return replace(
            self,
            joints=(*self.joints, name),
            parents=(*self.parents, self.index(joint)),
            offsets=torch.cat([self.offsets, torch.tensor([place], dtype=torch.float64)]),
            channels=(*self.channels, ()),
        )

    def translations(self) -> torch.Tensor:
        """``(T, J, 3)``: each joint from its parent, in the parent's frame."""
        moved = self.offsets.repeat(len(self), 1, 1)
        for joint, column, channel in self._columns():
            if channel in _POSITIONS:
                moved[:, joint, _POSITIONS.index(channel)] = self.values[:, column]
        return moved

    def rotations(self) -> torch.Tensor:
        """``(T, J, 3, 3)``: how each joint turns against its parent."""
        turns = torch.eye(3, dtype=torch.float64).repeat(len(self), len(self.joints), 1, 1)
        of_axes: dict[str, list[tuple[int, list[int]]]] = {}
        columns: dict[int, list[tuple[int, str]]] = {}
        for joint, column, channel in self._columns():
            if channel in _ROTATIONS:
                columns.setdefault(joint, []).append((column, channel[0].lower()))
        for joint, own in columns.items():  # joints of one order of axes are turned together
            axes = "".join(axis for _, axis in own)
            of_axes.setdefault(axes, []).append((joint, [column for column, _ in own]))
        for axes, which in of_axes.items():
            angles = torch.deg2rad(self.values[:, [own for _, own in which]])
            turns[:, [joint for joint, _ in which]] = rotation_from_euler(axes, angles)
        return turns

    def positions(self) -> torch.Tensor:
        """``(T, J, 3)`` float64: where every joint is in the world."""
        root = torch.zeros(3, dtype=torch.float64)
        return forward_kinematics(self.rotations(), self.translations(), self.parents, root)

    def _columns(self) -> Iterator[tuple[int, int, str]]:
        """(joint, column of ``values``, channel) of every channel."""
        pairs = ((joint, name) for joint, names in enumerate(self.channels) for name in names)
        for column, (joint, name) in enumerate(pairs):
            yield joint, column, name


def read_bvh(path: str | Path) -> Bvh:
    """A file. ``ValueError``, with file and line, where it is not a whole one."""
    return parse_bvh(regular_file(path).read_bytes(), shown(Path(path)))


def parse_bvh(text: bytes | str, name: str = "file") -> Bvh:
    """The content of a file; ``name`` is what messages call it."""
    text = text.encode() if isinstance(text, str) else text
    lines = text.removeprefix(b"\xef\xbb\xbf").splitlines()
    lines = [line.decode(errors="backslashreplace") for line in lines]
    reader = _Reader(lines, name)
    joints, parents, offsets, channels = reader.hierarchy()
    frames, frame_time = reader.head_of_motion()
    values = reader.motion(frames, sum(map(len, channels)))
    table = torch.tensor(offsets, dtype=torch.float64)
    motion = torch.from_numpy(values)
    bvh = Bvh(tuple(joints), tuple(parents), table, tuple(channels), frame_time, motion)
    _check_positions(bvh, name)
    return bvh


def _check_positions(bvh: Bvh, name: str) -> None:
    """Some programs are said to write what is *added* to the OFFSET: zeros, for a rigid bone."""
    still = bvh.translations().abs().amax(dim=(0, 2)) == 0
    for joint, length in enumerate(bvh.offsets.norm(dim=-1).tolist()):
        if bvh.parents[joint] >= 0 and still[joint] and length > 0:
            raise ValueError(
                f"{name}: the position channels of {bvh.joints[joint]!r} are 0 in every frame, but "
                f"its OFFSET is {length:g} long. They are read as taking the OFFSET's place, which "
                "would leave no bone; remove these channels from the file"
            )


class _Reader:
    """Goes through the lines of a file; whatever is wrong is said with its line."""

    def __init__(self, lines: list[str], name: str):
        self.lines, self.name = lines, name
        self.line = 0  # the number of lines taken
        self.words: list[str] = []  # what is left of the one taken last

    def fail(self, problem: str, line: int | None = None) -> NoReturn:
        raise ValueError(f"{self.name}, line {line or max(self.line, 1)}: {problem}")

    def _fill(self, wanted: str) -> None:
        while not self.words:
            if self.line == len(self.lines):
                self.fail(f"the file ends where {wanted} should come; it was cut off")
            line = self.lines[self.line].replace("{", " { ").replace("}", " } ")
            self.line, self.words = self.line + 1, line.split()

    def word(self, wanted: str) -> str:
        self._fill(wanted)
        return self.words.pop(0)

    def expect(self, wanted: str) -> None:
        if (word := self.word(wanted)).upper() != wanted.upper():
            self.fail(f"expected {wanted}, found {word[:40]!r}")

    def numbers(self, count: int, of: str) -> list[float]:
        return [self._number(self.word(f"{count} numbers of {of}"), of) for _ in range(count)]

    def _number(self, word: str, of: str) -> float:
        value = _float(word)
        if value is None or not np.isfinite(value):
            self.fail(f"{word[:40]!r} is no finite number, in {of}")
        return value

    def _title(self) -> str:
        """A joint's name: the rest of the line, which may hold spaces, up to the brace."""
        self._fill("a name")
        stop = self.words.index("{") if "{" in self.words else len(self.words)
        title, self.words = " ".join(self.words[:stop]), self.words[stop:]
        return title or self.fail("a joint without a name")

    def hierarchy(self):
        """Names, parents, offsets and channels of all joints, up to the word MOTION."""
        joints: list[str] = []
        parents, offsets, channels = [], [], []
        open_: list[int] = []  # the joints whose braces are not closed yet
        seen: dict[str, int] = {}
        self.expect("HIERARCHY")
        while open_ or not joints or self._another_root():
            kind = self.word("a joint or }").upper() if joints else self.word("ROOT").upper()
            if kind == "}":
                open_.pop()
                continue
            if kind not in (("JOINT", "END") if open_ else ("ROOT",)):
                wanted = "JOINT, End Site or }" if open_ else "ROOT"
                self.fail(f"expected {wanted}, found {kind[:40]!r}")
            if kind == "END":
                self.expect("Site")
                title = f"{joints[open_[-1]]} end"
                self.words = self.words[self.words.index("{") :] if "{" in self.words else []
            else:
                title = self._title()
            if title in seen:
                self.fail(f"{title!r} is there a second time, after line {seen[title]}")
            if len(open_) >= MAX_DEPTH:
                self.fail(f"{title!r} is more than {MAX_DEPTH} joints from the root")
            seen[title] = self.line
            self.expect("{")
            self.expect("OFFSET")
            joints.append(title)
            parents.append(open_[-1] if open_ else -1)
            offsets.append(self.numbers(3, f"the OFFSET of {title!r}"))
            channels.append(() if kind == "END" else self._channels(title))
            if kind == "END":
                self.expect("}")
            else:
                open_.append(len(joints) - 1)
        if not any(channels):
            self.fail("no joint has a channel: there is nothing that could move")
        return joints, parents, offsets, channels

    def _another_root(self) -> bool:
        """At the end of a tree: whether another follows, which is refused; else MOTION."""
        word = self.word("MOTION")
        if word.upper() == "ROOT":
            self.fail(
                f"a second ROOT, {self._title()!r}: the file holds several bodies, and one is read;"
                " put each into a file of its own"
            )
        if word.upper() != "MOTION":
            self.fail(f"expected MOTION, found {word[:40]!r}")
        return False

    def _channels(self, title: str) -> tuple[str, ...]:
        self.expect("CHANNELS")
        word = self.word("a number of channels")
        if not (word.isascii() and word.isdigit() and int(word[:3]) <= 6 and len(word) < 4):
            self.fail(f"{title!r} has {word[:40]!r} channels, expected a number from 0 to 6")
        found: list[str] = []
        for _ in range(int(word)):
            given = self.word(f"{word} channels of {title!r}")
            channel = _CHANNELS.get(given.lower())
            if channel is None:
                known = ", ".join(_CHANNELS.values())
                self.fail(f"unknown channel {given[:40]!r} of {title!r}: expected one of {known}")
            if channel in found:
                self.fail(f"{title!r} has the channel {channel} twice")
            found.append(channel)
        return tuple(found)

    def head_of_motion(self) -> tuple[int, float]:
        """The number of frames and the seconds each lasts."""
        frames = self._field("Frames:")
        if not (frames.isascii() and frames.isdigit()):
            self.fail(f"Frames: {frames[:40]!r} is no number of frames")
        if not frames.strip("0"):
            self.fail("Frames: 0, there is no motion in this file")
        seconds = self._number(self._field("Frame Time:"), "Frame Time")
        if not seconds > 0:
            self.fail(f"Frame Time: {seconds:g} seconds, expected more than 0")
        return int(frames[:12]), seconds

    def _field(self, label: str) -> str:
        """What stands after ``label`` on a line of its own."""
        self._fill(label)
        given, self.words = " ".join(self.words), []
        pattern = r"\s*".join(map(re.escape, label.replace(":", " :").split())) + r"\s*(\S+)"
        if not (found := re.fullmatch(pattern, given, re.IGNORECASE)):
            self.fail(f"expected {label} and a number, found {given[:60]!r}")
        return found[1]

    def motion(self, frames: int, channels: int) -> np.ndarray:
        """``(frames, channels)``: a line for each frame."""
        numbered = enumerate((line.split() for line in self.lines[self.line :]), self.line + 1)
        rows = [(number, words) for number, words in numbered if words]
        for number, words in rows:
            if len(words) != channels:
                last = " (the last line: the file was cut off)" if number == rows[-1][0] else ""
                self.fail(f"{len(words)} values{last}, expected {channels}", number)
        if len(rows) != frames:
            end = "the file was cut off" if len(rows) < frames else "more than are announced"
            self.fail(f"{len(rows)} frames up to here, of {frames}: {end}", len(self.lines))
        try:
            values = np.array([words for _, words in rows], dtype=np.float64)
        except ValueError:
            values = None
        # NumPy reads 1_000 as a number, as Python does; in a file it is a slip
        slip = any("_" in line for line in self.lines[self.line :])
        if slip or values is None or not np.isfinite(values).all():
            for self.line, words in rows:
                for word in words:
                    self._number(word, "the motion")
        return values


def _float(word: str) -> float | None:
    try:
        return None if "_" in word else float(word)
    except ValueError:
        return None
