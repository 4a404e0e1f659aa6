"""The public exponential-map files of the CMU motion capture, as joint positions.

The data used here was obtained from mocap.cs.cmu.edu; the database was created with funding from
NSF EIA-0196217. Its public text files have known defects, mended here by default:

* the first line is an artificial T-pose, not motion;
* lengths are inches times 0.45 (56.444 mm a unit), y up, 120 frames a second;
* a stored vector is the negative of the rotation vector;
* root rotations equal Rz Rx Ry where Rz Ry Rx was meant, which tips a body over as it turns round;
* the thorax has no length, so that the torso is 116 mm short.
"""

import io
import json
import math
from functools import cache
from numbers import Real
from pathlib import Path

import numpy as np
import torch

from paperlib.kinematics import (
    euler_from_rotation,
    forward_kinematics,
    matrix_to_quaternion,
    quaternion_to_matrix,
    rotation_from_euler,
    rotation_from_vector,
)
from paperlib.paths import regular_file, stand_in
from paperlib.skeletons import CMU_38, H36M_17, convert

FPS = 120.0
METRES_PER_UNIT = 0.0254 / 0.45
THORAX = 0.116  # metres that every published skeleton of the database has, and these files lost
COLUMNS = 3 + 3 * len(CMU_38)
HUMAN36M_COLUMNS = (
    99  # of the files of angles that share this format: 3 and 3 for each of 32 joints
)


@cache
def rest_offsets(restore_thorax: bool = True) -> torch.Tensor:
    """(38, 3) metres: each joint's place in its parent's frame at rest, y up, facing +z."""
    table = json.loads(Path(__file__).with_name("cmu_skeleton.json").read_text())
    offsets = torch.tensor(table["offsets"], dtype=torch.float64) * METRES_PER_UNIT
    if restore_thorax:
        # neck and shoulders start at the lower end of the lost segment: lift them to its upper end
        up = torch.nn.functional.normalize(offsets[CMU_38.index("spine1")], dim=0)
        for joint in ("neck", "left_shoulder", "right_shoulder"):
            offsets[CMU_38.index(joint)] += THORAX * up
    return offsets


def parse_expmap(text: bytes | str, name: str = "file") -> tuple[torch.Tensor, torch.Tensor]:
    """Root positions ``(T, 3)`` in metres and local rotations ``(T, 38, 3, 3)``, y up, 120 Hz.

    Raises ``ValueError`` where the text is not such a file or was cut off.
    """
    import pandas as pd

    data = text if isinstance(text, bytes) else text.encode()
    if other := stand_in(data[:200]):
        raise ValueError(f"{name}: {other}")
    try:
        table = pd.read_csv(io.BytesIO(data), header=None, dtype=np.float64).to_numpy()
    except ValueError as problem:
        raise ValueError(f"{name}: not a table of numbers ({problem})") from None
    if table.shape[1] == HUMAN36M_COLUMNS:
        raise ValueError(
            f"{name}: {HUMAN36M_COLUMNS} columns, a file of Human3.6M's joint angles; those of CMU "
            f'have {COLUMNS}. dataset="human36m" reads the archives of its positions'
        )
    if table.shape[1] != COLUMNS or len(table) < 2 or not np.isfinite(table).all():
        raise ValueError(
            f"{name}: expected at least two lines of {COLUMNS} finite numbers, "
            f"got a table of {table.shape[0]} x {table.shape[1]}; fetch the file again"
        )
    farthest, widest = np.abs(table[:, :3]).max() * METRES_PER_UNIT, np.abs(table[:, 3:]).max()
    if farthest > 1000 or widest > 100:
        raise ValueError(
            f"{name}: places up to {farthest:g} m and rotations up to {widest:g} radians, which are"
            " none of a body; fetch the file again"
        )
    motion = torch.from_numpy(table[1:])
    vectors = motion[:, 3:].reshape(len(motion), len(CMU_38), 3)
    return motion[:, :3] * METRES_PER_UNIT, rotation_from_vector(-vectors)


def correct_root(rotation: torch.Tensor) -> torch.Tensor:
    """Root rotations ``(T, 3, 3)`` with the order of their angles mended.

    A published root is Rz(c) Rx(a) Ry(b); the same angles were meant as Rz(c) Ry(b) Rx(a). Angles
    are found twice over: (a, b, c) and (pi - a, b + pi, c + pi) give the same matrix, but mean two
    rotations. Chosen is the path through both that turns least from frame to frame, and where
    that does not tell, the one with b within 90 degrees.
    """
    c, a, b = euler_from_rotation("zxy", rotation).unbind(dim=-1)
    readings = ((c, b, a), (c + math.pi, b + math.pi, math.pi - a))
    meant = [rotation_from_euler("zyx", torch.stack(angles, dim=-1)) for angles in readings]
    meant = torch.stack(meant)
    beyond = b.abs() > math.pi / 2
    unlikely = 1e-3 * torch.stack([beyond, ~beyond], dim=-1).double()
    # angle from each reading of a frame to each of the next: |R - S| = 2 sqrt(2) sin(angle / 2)
    apart = (meant[:, None, :-1] - meant[None, :, 1:]).norm(dim=(-2, -1)).permute(2, 0, 1)
    choice = _least_path(2 * torch.asin((apart / 8**0.5).clamp_max(1)), unlikely)
    return meant[choice, torch.arange(len(rotation))]


def parse_motion(
    text: bytes | str, name: str, root_correction: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """What :func:`parse_expmap` gives, with the root's rotations mended if ``root_correction``."""
    root, rotations = parse_expmap(text, name)
    if root_correction:
        rotations[:, CMU_38.root] = correct_root(rotations[:, CMU_38.root])
    return root, rotations


def _least_path(step: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    """The states ``(T,)`` of the cheapest path; ``step`` ``(T - 1, S, S)`` is what going from one
    to another costs and ``stay`` ``(T, S)`` what being there does (dynamic programming)."""
    total, came_from = stay[0].numpy(), []
    for costs, here in zip(step.numpy(), stay[1:].numpy(), strict=True):
        through = total[:, None] + costs
        came_from.append(through.argmin(axis=0))
        total = through.min(axis=0) + here
    path = [int(total.argmin())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return torch.tensor(path[::-1])


def resample_rotations(rotations: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """``(T, J, 3, 3)`` at fractional frames ``times``: the shorter arc between neighbours. Bones
    keep their lengths, which interpolated positions would not."""
    before = times.floor().long().clamp(0, len(rotations) - 1)
    after = (before + 1).clamp_max(len(rotations) - 1)
    q0, q1 = matrix_to_quaternion(rotations[before]), matrix_to_quaternion(rotations[after])
    q1 = torch.where((q0 * q1).sum(-1, keepdim=True) < 0, -q1, q1)
    part = (times - before)[:, None, None]
    # between frames 8 ms apart the chord and the arc differ by less than the capture's own noise
    return quaternion_to_matrix(torch.nn.functional.normalize(q0 + part * (q1 - q0), dim=-1))


def resample_points(points: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """``(T, …)`` values at fractional frames ``times``, linearly."""
    before = times.floor().long().clamp(0, len(points) - 1)
    after = (before + 1).clamp_max(len(points) - 1)
    part = (times - before).reshape(-1, *[1] * (points.ndim - 1))
    return points[before] + part * (points[after] - points[before])


def resampling_times(frames: int, source_fps: float, target_fps: float) -> torch.Tensor:
    """The moments of a recording at ``target_fps``, as fractional frames of the source."""
    check_frame_rate(source_fps, "source_fps")
    check_frame_rate(target_fps, "fps")
    count = math.floor((frames - 1) * target_fps / source_fps + 1e-9) + 1
    return torch.arange(count, dtype=torch.float64) * (source_fps / target_fps)


def check_frame_rate(fps: float, what: str) -> None:
    """``ValueError`` for what is no number of frames a second."""
    if not isinstance(fps, Real) or not 1 <= fps <= 10_000:
        raise ValueError(f"{what}: {fps!r} frames a second, expected 1 to 10 000")


def y_up_to_z_up(points: torch.Tensor) -> torch.Tensor:
    """(x, y, z) -> (x, -z, y): a rotation, nobody is mirrored."""
    return torch.stack([points[..., 0], -points[..., 2], points[..., 1]], dim=-1)


def positions_38(
    root: torch.Tensor, rotations: torch.Tensor, offsets: torch.Tensor
) -> torch.Tensor:
    """World positions ``(T, 38, 3)`` of all joints, metres, z up."""
    return y_up_to_z_up(forward_kinematics(rotations, offsets, CMU_38.parents, root))


def read_expmap(
    path: str | Path, root_correction: bool = True, restore_thorax: bool = True
) -> torch.Tensor:
    """The motion of one exponential-map file.

    Returns ``(T, 17, 3)`` float32 world positions in metres, z up, at 120 Hz, in the joint order of
    Human3.6M (``skeletons.H36M_17``). The T-pose row is dropped. ``root_correction`` mends the
    order of the root's angles; ``restore_thorax`` gives the torso its lost 116 mm. Joints are the
    nearest that the source has: its pelvis lies about 10 cm above the line of the hips.
    """
    path = regular_file(path)
    root, rotations = parse_motion(regular_file(path).read_bytes(), path.name, root_correction)
    joints = positions_38(root, rotations, rest_offsets(restore_thorax))
    return convert(joints, CMU_38, H36M_17).float()
