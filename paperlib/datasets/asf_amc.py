"""The original format of the CMU motion capture: a skeleton (.asf) and its motion (.amc).

A bone turns against its parent by R = C M C^-1, where C is the bone's own axis and M the angles of
the frame; its end lies ``length * direction`` further, turned by all rotations above it. Files give
no frame rate; 120 Hz is what most of the database was captured at.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from paperlib.datasets import expmap
from paperlib.kinematics import forward_kinematics, rotation_from_euler

# the bone whose end each of the 17 joints is, in their order
_BONE_ENDS = (
    "root rhipjoint rfemur rtibia lhipjoint lfemur ltibia lowerback lowerneck upperneck head"
    " lclavicle lhumerus lradius rclavicle rhumerus rradius"
).split()


@dataclass(frozen=True)
class Bone:
    name: str
    parent: int  # index of the bone it starts from; -1 for the root
    direction: tuple[float, float, float]
    length: float  # metres
    axis: tuple[float, float, float]  # degrees
    freedoms: tuple[str, ...]  # which of tx ty tz rx ry rz a frame gives, in its order


class Asf(NamedTuple):
    bones: tuple[Bone, ...]  # the root first, each after its parent
    metres: float  # in a unit of length


def read_asf(path: str | Path) -> Asf:
    """A skeleton. ``ValueError`` if the file is damaged."""
    path = Path(path)
    try:
        return _parse_asf(path)
    except (KeyError, IndexError) as problem:
        raise ValueError(
            f"{path.name}: not a whole ASF skeleton, {problem} is missing or cut off"
        ) from None


def _parse_asf(path: Path) -> Asf:
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            current = sections.setdefault(words[0], [])
        elif words:
            current.append(words)
    missing = [s for s in (":units", ":root", ":bonedata", ":hierarchy") if s not in sections]
    if missing:
        raise ValueError(f"{path.name}: not a whole ASF skeleton, {', '.join(missing)} is missing")
    units = {words[0]: words[1] for words in sections[":units"]}
    if units.get("angle") != "deg":
        raise ValueError(f"{path.name}: angles must be degrees, got {units.get('angle')!r}")
    metres = 0.0254 / float(units["length"])
    root = {words[0]: words[1:] for words in sections[":root"]}
    order = tuple(word.lower() for word in root["order"])
    bones = [Bone("root", -1, (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0), order)]
    found = {bone["name"][0]: bone for bone in _blocks(sections[":bonedata"])}
    index = {"root": 0}
    for parent, *children in (w for w in sections[":hierarchy"] if w[0] not in ("begin", "end")):
        for name in children:
            bone = found[name]
            index[name] = len(bones)
            length = float(bone["length"][0]) * metres
            place = (index[parent], _three(bone["direction"]), length, _three(bone["axis"]))
            bones.append(Bone(name, *place, tuple(bone.get("dof", ()))))
    absent = sorted(set(_BONE_ENDS) - set(index))
    if absent:
        raise ValueError(f"{path.name}: the bones {', '.join(absent)} are missing")
    return Asf(tuple(bones), metres)


def _three(words: list[str]) -> tuple[float, float, float]:
    x, y, z = map(float, words[:3])
    return x, y, z


def _blocks(lines: list[list[str]]) -> Iterator[dict[str, list[str]]]:
    """The begin … end blocks of a section, as word -> rest of its line."""
    block: dict[str, list[str]] = {}
    for words in lines:
        if words[0] == "begin":
            block = {}
        elif words[0] == "end":
            yield block
        else:
            block.setdefault(words[0], words[1:])


def read_amc(asf: str | Path, amc: str | Path, fps: float | None = None) -> torch.Tensor:
    """The motion of one trial on one skeleton.

    Returns ``(T, 17, 3)`` float32 world positions in metres, z up, in the joint order of
    Human3.6M, at 120 Hz or resampled to ``fps``. Raises ``ValueError`` for a damaged file.
    """
    bones, metres = read_asf(asf)
    root, local = _frames(bones, Path(amc))
    root = root * metres
    if fps is not None:
        times = expmap.resampling_times(len(root), expmap.FPS, fps)
        root, local = expmap.resample_points(root, times), expmap.resample_rotations(local, times)
    offsets = torch.tensor([b.direction for b in bones], dtype=torch.float64)
    offsets = offsets * torch.tensor([[b.length] for b in bones], dtype=torch.float64)
    # in this format a bone carries its own offset; ours turns a joint's offset by its parent. One
    # more joint at the end of each bone says the same: (joint of the bone, its end).
    parents, table, turns = [-1], [torch.zeros(3, dtype=torch.float64)], [local[:, 0]]
    ends = {0: 0}
    eye = torch.eye(3, dtype=torch.float64).expand(len(root), 3, 3)
    for b, bone in enumerate(bones[1:], start=1):
        joint = len(parents)
        parents += [ends[bone.parent], joint]
        table += [torch.zeros(3, dtype=torch.float64), offsets[b]]
        turns += [local[:, b], eye]
        ends[b] = joint + 1
    joints = forward_kinematics(torch.stack(turns, dim=1), torch.stack(table), parents, root)
    names = {bone.name: ends[b] for b, bone in enumerate(bones)}
    chosen = [names[bone] for bone in _BONE_ENDS]
    return expmap.y_up_to_z_up(joints[:, chosen]).float()


def _frames(bones: tuple[Bone, ...], path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Root positions (T, 3) in the file's unit and local rotations (T, bones, 3, 3)."""
    index = {bone.name: b for b, bone in enumerate(bones)}
    values = {bone.name: [] for bone in bones if bone.freedoms}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.split()
        if words and words[0].upper() == ":RADIANS":
            raise ValueError(f"{path.name}, line {number}: angles must be degrees, not radians")
        if not words or words[0][0] in "#:" or words[0].isdigit():
            continue
        name, angles = words[0], _numbers(words[1:], f"{path.name}, line {number}")
        if name not in index or len(angles) != len(bones[index[name]].freedoms):
            raise ValueError(f"{path.name}, line {number}: {name!r} does not fit the skeleton")
        values[name].append(angles)
    lengths = {len(frames) for frames in values.values()}
    if len(lengths) != 1 or not lengths.pop():
        raise ValueError(f"{path.name}: bones have different numbers of frames; it was cut off")
    motion = {name: torch.tensor(v, dtype=torch.float64) for name, v in values.items()}
    count = len(motion["root"])
    local = torch.eye(3, dtype=torch.float64).repeat(count, len(bones), 1, 1)
    for b, bone in enumerate(bones):
        if not bone.freedoms:
            continue
        angle = {f: motion[bone.name][:, i] for i, f in enumerate(bone.freedoms)}
        zero = torch.zeros(count, dtype=torch.float64)
        turn = torch.stack([angle.get(f, zero) for f in ("rz", "ry", "rx")], dim=-1)
        own = torch.tensor(bone.axis[::-1], dtype=torch.float64)
        axis = rotation_from_euler("zyx", torch.deg2rad(own))
        local[:, b] = axis @ rotation_from_euler("zyx", torch.deg2rad(turn)) @ axis.T
    place = [bones[0].freedoms.index(f) for f in ("tx", "ty", "tz")]
    return motion["root"][:, place], local


def _numbers(words: list[str], where: str) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise ValueError(f"{where}: {' '.join(words)!r} are no numbers") from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{where}: NaN or infinite values")
    return numbers


def trials(folder: Path, fps: float) -> Iterator[tuple[str, torch.Tensor]]:
    """(name, positions) of every trial in a folder, each on its subject's own skeleton, or on the
    folder's first one where the subject's is not there (bone lengths are then approximate)."""
    skeletons = {path.stem: path for path in sorted(folder.glob("*.asf"))}
    for amc in sorted(folder.glob("*.amc")) if skeletons else ():
        asf = skeletons.get(amc.stem.split("_")[0], next(iter(skeletons.values())))
        yield amc.stem, read_amc(asf, amc, fps)
