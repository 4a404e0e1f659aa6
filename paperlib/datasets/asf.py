"""Skeletons of the Acclaim format (.asf): every field is honoured, or refused by its name.

Written after the *Acclaim Skeleton File Definition V1.10* (M. Schafer, 1994) and VICON's *ASF line
details*. Where these leave open what a field means, and programs differ, the field is refused
rather than guessed: turns whose order is given in two ways, a root that is turned beforehand, bones
that move against their parent. Mass and limits say nothing about where joints are: values are
within the limits already.
"""

import math
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from paperlib.paths import regular_file, stand_in

Line = tuple[int, list[str]]  # its number, and its words

# the bone whose end each of the 17 joints is, in their order
BONE_ENDS = (
    "root rhipjoint rfemur rtibia lhipjoint lfemur ltibia lowerback lowerneck upperneck head"
    " lclavicle lhumerus lradius rclavicle rhumerus rradius"
).split()
LARGEST = 1e6  # of any number in these files
LONGEST_BONE = 10.0  # metres

_NEEDED = (":units", ":root", ":bonedata", ":hierarchy")
_SECTIONS = (*_NEEDED, ":version", ":name", ":documentation", ":skin")
_ROOT_FIELDS = ("order", "axis", "position", "orientation")
_BONE_FIELDS = "name direction length axis id dof limits bodymass cofmass".split()
_BLANKS = str.maketrans(",()", "   ")  # as the definition has it


@dataclass(frozen=True)
class Bone:
    name: str
    parent: int  # index of the bone it starts from; -1 for the root
    direction: tuple[float, float, float]
    length: float  # metres
    axis: tuple[float, float, float]  # radians about x, y and z
    freedoms: tuple[str, ...]  # which of tx ty tz rx ry rz l a frame gives, in its order
    sequence: str = "xyz"  # in which turns follow each other, about axes that stay


class Asf(NamedTuple):
    bones: tuple[Bone, ...]  # the root first, each after its parent
    metres: float  # in a unit of length
    degrees: bool  # are the angles; else radians
    position: tuple[float, float, float]  # in units of length, added to the root's own


class _Field(NamedTuple):
    where: str  # file and line
    words: list[str]


def read_asf(path: str | Path) -> Asf:
    """A skeleton. ``ValueError`` with file and line for what is damaged or not understood."""
    path = Path(path)
    sections = _sections(path)
    metres, degrees = _units(path, sections[":units"])
    root, position = _root(path, sections[":root"])
    found = {}
    for block in _blocks(path, sections[":bonedata"]):
        bone = _bone(path, block, metres, degrees)
        if bone.name in found or bone.name == "root":
            raise ValueError(f"{path.name}, line {block[0][0]}: a second bone {bone.name!r}")
        found[bone.name] = bone
    parents = _parents(path, sections[":hierarchy"], found)
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    order = ["root"]
    for name in order:  # which grows meanwhile
        order += children.get(name, ())
    if circle := sorted(set(parents) - set(order)):
        raise ValueError(
            f"{path.name}: {', '.join(circle)} never lead back to the root: bones of :hierarchy "
            "hang on each other in a circle"
        )
    if absent := sorted({*BONE_ENDS, *found} - set(order)):
        raise ValueError(f"{path.name}: the bones {', '.join(absent)} are missing in :hierarchy")
    index = {name: number for number, name in enumerate(order)}
    placed = (replace(found[name], parent=index[parents[name]]) for name in order[1:])
    return Asf((root, *placed), metres, degrees, position)


# -- lines ---------------------------------------------------------------------------------------


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of an ASF or AMC file that say something, without their comments."""
    data = regular_file(path).read_bytes().removeprefix(BOM_UTF8)
    if other := stand_in(data[:200]):
        raise ValueError(f"{path.name}: {other}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # of Western computers before UTF-8; any byte is a letter
    # not splitlines, which takes some letters of Latin-1 for the end of a line
    for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        if words := line.split("#")[0].translate(_BLANKS).split():
            yield number, words


def numbers(words: list[str], where: str) -> list[float]:
    """The words as numbers; ``ValueError`` for others, and for those that no body gives."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise ValueError(f"{where}: {' '.join(words)!r} are no numbers") from None
    if not all(abs(value) <= LARGEST for value in values):
        raise ValueError(f"{where}: NaN, infinite or above {LARGEST:g}: {' '.join(words)}")
    return values


def one_number(words: list[str], where: str) -> float:
    if len(words) != 1:
        raise ValueError(f"{where}: expected one number, got {' '.join(words)!r}")
    return numbers(words, where)[0]


def _sections(path: Path) -> dict[str, list[Line]]:
    sections: dict[str, list[Line]] = {}
    current: list[Line] = []
    for number, words in read_lines(path):
        name = words[0].lower()
        if not name.startswith(":"):
            current.append((number, words))
            continue
        if name not in _SECTIONS or name in sections:
            raise ValueError(
                f"{path.name}, line {number}: {name} stands there twice or is none of the sections "
                f"{', '.join(_SECTIONS)}"
            )
        current = sections[name] = []
    if missing := [name for name in _NEEDED if name not in sections]:
        raise ValueError(f"{path.name}: not a whole ASF skeleton, {', '.join(missing)} is missing")
    return sections


def _fields(
    path: Path, title: str, lines: Iterable[Line], known: Iterable[str], needed: Iterable[str]
) -> dict[str, _Field]:
    """Word -> rest of its line, of fields that are all ``known`` and given once."""
    found: dict[str, _Field] = {}
    last = ""
    for number, words in lines:
        name, where = words[0].lower(), f"{path.name}, line {number}"
        if last == "limits" and re.fullmatch(r"[-+\d.]+(e[-+]?\d+)?|[-+]?inf", name):
            continue  # a line for each freedom
        if name not in known or name in found:
            raise ValueError(
                f"{where}: {name!r} of {title} stands there twice or is none of the fields "
                f"{', '.join(known)}"
            )
        found[name], last = _Field(where, words[1:]), name
    if missing := [name for name in needed if name not in found]:
        raise ValueError(
            f"{path.name}: not a whole ASF skeleton, {', '.join(missing)} of {title} is missing or "
            "cut off"
        )
    return found


def _three(field: _Field) -> tuple[float, float, float]:
    if len(field.words) != 3:
        raise ValueError(f"{field.where}: expected three numbers, got {' '.join(field.words)!r}")
    x, y, z = numbers(field.words, field.where)
    return x, y, z


# -- sections ------------------------------------------------------------------------------------


def _units(path: Path, lines: list[Line]) -> tuple[float, bool]:
    fields = _fields(path, ":units", lines, ("mass", "length", "angle"), ("length", "angle"))
    length = one_number(fields["length"].words, fields["length"].where)
    if length <= 0:
        raise ValueError(f"{fields['length'].where}: a unit of length of {length:g}")
    angle = [word.lower() for word in fields["angle"].words]
    if angle not in (["deg"], ["rad"]):
        raise ValueError(f"{fields['angle'].where}: angles must be deg or rad, got {angle}")
    return 0.0254 / length, angle == ["deg"]


def _root(path: Path, lines: list[Line]) -> tuple[Bone, tuple[float, float, float]]:
    fields = _fields(path, ":root", lines, _ROOT_FIELDS, ("order",))
    order = fields["order"]
    freedoms = _freedoms(order, "tx ty tz rx ry rz".split())
    turns = [freedom[1] for freedom in freedoms if freedom[0] == "r"]
    letters = [*turns, *sorted({*"xyz"} - {*turns})]
    if "axis" in fields:
        # by the definition only the order of a turn beforehand; some programs read it as that of
        # the motion's turns
        letters = fields["axis"].words
    sequence = _sequence(freedoms, letters, order)
    nought = _Field("", ["0"] * 3)
    if any(_three(fields.get("orientation", nought))):
        raise ValueError(
            f"{fields['orientation'].where}: a root turned beforehand is not read, since programs "
            "differ about the axes that it turns with it: give the motion this turn, and the root "
            "the orientation 0 0 0"
        )
    still = (0.0, 0.0, 0.0)
    root = Bone("root", -1, still, 0.0, still, freedoms, sequence)
    return root, _three(fields.get("position", nought))


def _bone(path: Path, block: list[Line], metres: float, degrees: bool) -> Bone:
    fields = _fields(path, "a bone", block, _BONE_FIELDS, ("name", "direction", "length", "axis"))
    if len(fields["name"].words) != 1:
        raise ValueError(f"{fields['name'].where}: a name is one word")
    length, direction = (
        one_number(fields["length"].words, fields["length"].where) * metres,
        _three(fields["direction"]),
    )
    if not 0 <= length <= LONGEST_BONE:
        raise ValueError(
            f"{fields['length'].where}: a bone of {length:g} metres; expected 0 to "
            f"{LONGEST_BONE:g}, is the length of :units right?"
        )
    if length and abs(math.hypot(*direction) - 1) > 1e-3:
        raise ValueError(f"{fields['direction'].where}: a direction of length 1 is expected")
    axis = fields["axis"]
    angles = _three(_Field(axis.where, axis.words[:3]))
    if degrees:
        angles = tuple(map(math.radians, angles))
    freedoms = _freedoms(fields.get("dof", _Field("", [])), "rx ry rz l".split())
    sequence = _sequence(freedoms, axis.words[3:], axis)
    return Bone(fields["name"].words[0], -1, direction, length, angles, freedoms, sequence)


def _freedoms(field: _Field, known: list[str]) -> tuple[str, ...]:
    freedoms = tuple(word.lower() for word in field.words)
    if len(set(freedoms)) < len(freedoms) or not set(freedoms) <= set(known):
        raise ValueError(
            f"{field.where}: of the freedoms {' '.join(field.words)!r} one stands there twice, or "
            f"is not read here, which are {' '.join(known)}"
        )
    return freedoms


def _sequence(freedoms: tuple[str, ...], letters: list[str], field: _Field) -> str:
    """The order of turns that an axis says, as "xyz"; it must be that of the freedoms too."""
    sequence = "".join(letters).lower()
    if sorted(sequence) != ["x", "y", "z"]:
        raise ValueError(f"{field.where}: expected an axis with an order such as XYZ")
    turns = "".join(freedom[1] for freedom in freedoms if freedom[0] == "r")
    if turns != "".join(letter for letter in sequence if letter in turns):
        raise ValueError(
            f"{field.where}: turns come in the order {turns.upper()}, but the axis says "
            f"{sequence.upper()}. Programs differ about which counts: give both in one order"
        )
    return sequence


def _blocks(path: Path, lines: list[Line]) -> Iterator[list[Line]]:
    """The lines of each begin … end."""
    block: list[Line] | None = None
    for number, words in lines:
        word = words[0].lower()
        if (block is None) != (word == "begin"):
            raise ValueError(f"{path.name}, line {number}: {word!r} outside of begin and end")
        if word == "begin":
            block = []
        elif word == "end" and block:
            yield block
            block = None
        else:
            block.append((number, words))
    if block is not None:
        raise ValueError(f"{path.name}: not a whole ASF skeleton, the last bone is cut off")


def _parents(path: Path, lines: list[Line], bones: dict[str, Bone]) -> dict[str, str]:
    """Each bone's parent, by name."""
    parents: dict[str, str] = {}
    for number, (parent, *children) in lines:
        if parent.lower() in ("begin", "end") and not children:
            continue
        where = f"{path.name}, line {number}"
        if unknown := [n for n in (parent, *children) if n not in bones and n != "root"]:
            raise ValueError(f"{where}: {', '.join(unknown)} is no bone of :bonedata")
        for child in children:
            if child in (parent, "root"):
                raise ValueError(f"{where}: {child} hangs on {parent}, which is a circle")
            if child in parents:
                raise ValueError(f"{where}: {child} hangs on {parents[child]} already")
            parents[child] = parent
    return parents
