"""The original format of the CMU motion capture: a skeleton (.asf) and its motion (.amc).

A bone turns against its parent by R = C M C^-1, where C is the bone's own axis and M the angles of
the frame; its end lies ``length * direction`` further, turned by all rotations above it. Few files
say their frame rate: 120 Hz is what most of the database was captured at, :data:`FPS_OF` what is
known of others.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from paperlib.datasets import expmap
from paperlib.datasets.asf import BONE_ENDS, Asf, Bone, numbers, one_number, read_asf, read_lines
from paperlib.errors import one_of
from paperlib.kinematics import forward_kinematics, rotation_from_euler

# trials whose free fall is that of 60 frames a second, not 120
FPS_OF = {"88_01": 60.0, "90_08": 60.0, "90_11": 60.0}
FARTHEST = 1000.0  # metres from the origin

_ANGLES = {":degrees": True, ":radians": False}
# of a file's head, what says nothing about the motion
_ABOUT = (":fully-specified", ":asf-file", ":asf-path", ":frame-range")


def read_amc(
    asf: str | Path, amc: str | Path, fps: float | None = None, source_fps: float | None = None
) -> torch.Tensor:
    """The motion of one trial on one skeleton.

    Returns ``(T, 17, 3)`` float32 world positions in metres, z up, in the joint order of
    Human3.6M, at the trial's own frame rate or resampled to ``fps``. The trial's own is what its
    file says, else ``source_fps``, else 120 Hz. Raises ``ValueError`` with file and line for what
    is damaged or not understood.
    """
    for name, rate in (("fps", fps), ("source_fps", source_fps)):
        if rate is not None:
            expmap.check_frame_rate(rate, name)
    skeleton, path = read_asf(asf), Path(amc)
    motion, stated = _frames(skeleton, path)
    if stated and source_fps and stated != source_fps:
        raise ValueError(f"{path.name}: {stated:g} frames a second, but source_fps={source_fps:g}")
    bones = skeleton.bones
    count = len(motion["root"])
    root = _translation(bones[0], motion["root"])
    if any(skeleton.position):
        root = root + torch.tensor(skeleton.position, dtype=torch.float64)
    root = root * skeleton.metres
    local = torch.eye(3, dtype=torch.float64).repeat(count, len(bones), 1, 1)
    for b, bone in enumerate(bones):
        if bone.freedoms:
            local[:, b] = _rotation(bone, motion[bone.name])
    offsets = _offsets(skeleton, motion)
    if fps is not None:
        times = expmap.resampling_times(count, stated or source_fps or expmap.FPS, fps)
        root, local = expmap.resample_points(root, times), expmap.resample_rotations(local, times)
        offsets = expmap.resample_points(offsets, times)
    # in this format a bone carries its own offset; ours turns a joint's offset by its parent. One
    # more joint at the end of each bone says the same: (joint of the bone, its end).
    still = torch.zeros_like(offsets[:, 0])
    parents, table, turns = [-1], [still], [local[:, 0]]
    ends = {0: 0}
    eye = torch.eye(3, dtype=torch.float64).expand(len(root), 3, 3)
    for b, bone in enumerate(bones[1:], start=1):
        joint = len(parents)
        parents += [ends[bone.parent], joint]
        table += [still, offsets[:, b]]
        turns += [local[:, b], eye]
        ends[b] = joint + 1
    joints = forward_kinematics(torch.stack(turns, dim=1), torch.stack(table, 1), parents, root)
    names = {bone.name: ends[b] for b, bone in enumerate(bones)}
    positions = expmap.y_up_to_z_up(joints[:, [names[bone] for bone in BONE_ENDS]])
    if not positions.abs().max() <= FARTHEST:
        raise ValueError(
            f"{path.name}: joints up to {positions.abs().max():g} metres from the origin; is the "
            f"length of :units in {Path(asf).name} right?"
        )
    return positions.float()


def _translation(bone: Bone, values: torch.Tensor) -> torch.Tensor:
    """(T, 3) in the file's unit; what the file does not give is 0."""
    return _columns(bone, values, ("tx", "ty", "tz"))


def _rotation(bone: Bone, values: torch.Tensor) -> torch.Tensor:
    """(T, 3, 3): the turns of a bone, about its own axes."""
    turn = _turns(bone.sequence, _columns(bone, values, ("rx", "ry", "rz")))
    axis = _turns(bone.sequence, torch.tensor(bone.axis, dtype=torch.float64))
    return axis @ turn @ axis.T


def _columns(bone: Bone, values: torch.Tensor, wanted: tuple[str, ...]) -> torch.Tensor:
    given = {freedom: values[:, i] for i, freedom in enumerate(bone.freedoms)}
    zero = torch.zeros(len(values), dtype=torch.float64)
    return torch.stack([given.get(freedom, zero) for freedom in wanted], dim=-1)


def _turns(sequence: str, angles: torch.Tensor) -> torch.Tensor:
    """Rotations by radians (…, 3) about x, y and z, one after the other about axes that stay: the
    first of them stands rightmost."""
    order = sequence[::-1]
    return rotation_from_euler(order, angles[..., ["xyz".index(letter) for letter in order]])


def _offsets(skeleton: Asf, motion: dict[str, torch.Tensor]) -> torch.Tensor:
    """(T, bones, 3) metres from the start of each bone to its end; the freedom ``l`` stretches."""
    lengths = torch.tensor([bone.length for bone in skeleton.bones], dtype=torch.float64)
    lengths = lengths.repeat(len(motion["root"]), 1)
    for b, bone in enumerate(skeleton.bones):
        if "l" in bone.freedoms:
            lengths[:, b] += _columns(bone, motion[bone.name], ("l",))[:, 0] * skeleton.metres
    directions = torch.tensor([bone.direction for bone in skeleton.bones], dtype=torch.float64)
    return directions * lengths[..., None]


# -- files ---------------------------------------------------------------------------------------


def _frames(skeleton: Asf, path: Path) -> tuple[dict[str, torch.Tensor], float | None]:
    """The values (T, freedoms) of each bone, angles in radians, and the frame rate if said."""
    freedoms = {bone.name: bone.freedoms for bone in skeleton.bones if bone.freedoms}
    values: dict[str, list[list[float]]] = {name: [] for name in ("root", *freedoms)}
    degrees, fps, frame, count = skeleton.degrees, None, None, 0
    for number, words in read_lines(path):
        name, where = words[0], f"{path.name}, line {number}"
        if name.startswith(":"):
            key = name.lower()
            if frame is not None or key not in (*_ABOUT, *_ANGLES, ":samples-per-second"):
                raise ValueError(f"{where}: {name} is not known here")
            degrees = _ANGLES.get(key, degrees)
            if key == ":samples-per-second":
                fps = one_number(words[1:], where)
                expmap.check_frame_rate(fps, where)
        elif name.isdecimal() and len(words) == 1:
            _check_whole(values, count, frame, where)
            following = int(name[:20])
            if frame is not None and following != frame + 1:
                raise ValueError(
                    f"{where}: frame {following} follows frame {frame}; a motion without gaps, in "
                    "the order of time is expected"
                )
            frame, count = following, count + 1
        else:
            if name not in freedoms or len(words) - 1 != len(freedoms[name]):
                raise ValueError(f"{where}: {name!r} does not fit the skeleton")
            if frame is None or len(values[name]) == count:
                raise ValueError(f"{where}: {name!r} before a frame's number, or twice in a frame")
            values[name].append(numbers(words[1:], where))
    _check_whole(values, count, frame, path.name)
    if not count:
        raise ValueError(f"{path.name}: no frames")
    motion = {name: torch.tensor(rows, dtype=torch.float64) for name, rows in values.items()}
    for name in freedoms if degrees else ():
        angles = [i for i, freedom in enumerate(freedoms[name]) if freedom[0] == "r"]
        motion[name][:, angles] = torch.deg2rad(motion[name][:, angles])
    return motion, fps


def _check_whole(values: dict[str, list], count: int, frame: int | None, where: str) -> None:
    if absent := [name for name, rows in values.items() if len(rows) < count]:
        raise ValueError(
            f"{where}: frame {frame} ends without {', '.join(absent)}; the file was cut off, or is "
            "of another skeleton"
        )


def trials(
    folder: Path, fps: float, source_fps: Mapping[str, float] | None = None
) -> Iterator[tuple[str, torch.Tensor]]:
    """(name, positions) of every trial in a folder, each on its subject's own skeleton, or on the
    folder's first one where the subject's is not there (bone lengths are then approximate).

    ``source_fps`` says the frame rate of trials, by name, beside those of :data:`FPS_OF`."""
    skeletons = {path.stem: path for path in sorted(folder.glob("*.asf"))}
    motions = {path.stem: path for path in sorted(folder.glob("*.amc"))} if skeletons else {}
    for name in source_fps or ():
        one_of("trial", name, motions)
    rates = FPS_OF | dict(source_fps or {})
    for name, amc in motions.items():
        asf = skeletons.get(name.split("_")[0], next(iter(skeletons.values())))
        yield name, read_amc(asf, amc, fps, rates.get(name))
