"""BVH, the format of animation: one skeleton, and how its joints turn in every frame."""

from pathlib import Path

import numpy as np
import torch

from paperlib.exports.fitting import Fitted
from paperlib.exports.motion import Motion, axes
from paperlib.exports.points import path_of
from paperlib.kinematics import euler_from_rotation
from paperlib.paths import replacing

# the usual order first: another is taken for a joint that would come near its gimbal lock
_ORDERS = ("zxy", "zyx", "yxz", "yzx", "xzy", "xyz")
_FAR = np.sin(np.deg2rad(75))  # the sine of the middle angle up to which the usual order is kept
_END = 0.2  # of its bone, how far the end of a limb is drawn on


def write_bvh(motion: Motion, path: str | Path, up: str = "y") -> tuple[Path, ...]:
    """``path`` as BVH; a file for each of several people, ``walk_3.bvh`` of person 3.

    **Unit and axes.** The format has no place for either: centimetres are written, which most
    programs take (in Blender import with scale 0.01), and ``up`` points up, y by custom. The rate
    stands as ``Frame Time``, seconds. In the rest pose the person faces +z (where y is up; -y where
    z is), with arms half lifted.

    **Skeleton.** One for the whole sequence, fitted (:func:`.fitting.fit`); its distance from the
    poses is ``motion.fitted(id).residual``, millimetres. The root has place and rotation, every
    other joint three rotations.

    **Frames** are all those from the first to the last of anybody, the same for everybody. A gap is
    bridged, by the shortest turns and a straight path; before somebody comes and after they leave
    the first and the last pose are held.

    **Angles** are degrees that go on without jumps, also beyond 180. Each joint has the order of
    axes ``Zrotation Xrotation Yrotation``, unless another keeps it clear of gimbal lock.

    ``ValueError`` for a joint that is never seen.
    """
    turn = torch.from_numpy(axes(up))
    written = []
    for name in motion.people:
        fitted, place = motion.fitted(name), path_of(path, motion, name)
        rotations, root = fitted.at(motion.frames)
        orders, angles = continuous_angles(turn @ rotations @ turn.T)
        values = torch.cat([100 * root @ turn.T, torch.rad2deg(angles).flatten(1)], dim=1).numpy()
        with replacing(place) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write("\n".join(_hierarchy(fitted, 100 * fitted.offsets @ turn.T, orders)))
            file.write(f"\nMOTION\nFrames: {len(values)}\nFrame Time: {1 / motion.fps:.9g}\n")
            for row in values:
                file.write(" ".join(f"{value:.6f}" for value in row) + "\n")
        written.append(place)
    return tuple(written)


def continuous_angles(rotations: torch.Tensor) -> tuple[list[str], torch.Tensor]:
    """For rotations ``(T, J, 3, 3)`` an order of axes for each joint, and radians ``(T, J, 3)``
    that :func:`~paperlib.kinematics.rotation_from_euler` takes, each near the one before: of the
    two triples that are the same rotation, and their whole turns, the nearest."""
    found = torch.stack([euler_from_rotation(axes, rotations) for axes in _ORDERS])
    nearest = found[..., 1].sin().abs().amax(dim=1)  # (orders, J), to the lock of each
    best = torch.where(nearest[0] < _FAR, 0, nearest.argmin(dim=0))
    first = found[best, :, torch.arange(rotations.shape[1])].movedim(0, 1).numpy()  # (T, J, 3)
    half = np.array([np.pi, np.pi, np.pi])
    other = half + first * np.array([1, -1, 1])
    angles, whole = first.copy(), 2 * np.pi
    for now in range(1, len(angles)):
        ways = np.stack([first[now], other[now]])
        ways -= whole * np.round((ways - angles[now - 1]) / whole)
        nearer = np.abs(ways - angles[now - 1]).sum(axis=-1).argmin(axis=0)
        angles[now] = np.where(nearer[:, None] == 0, ways[0], ways[1])
    return [_ORDERS[order] for order in best], torch.from_numpy(angles)


def _hierarchy(fitted: Fitted, offsets: torch.Tensor, orders: list[str]) -> list[str]:
    """The lines of the tree, whose joints come in the order of ``fitted``."""
    lines, depths = ["HIERARCHY"], []

    def say(depth: int, *texts: str) -> None:
        lines.extend("  " * depth + text for text in texts)

    def offset(values: torch.Tensor) -> str:
        return "OFFSET " + " ".join(f"{value:.6f}" for value in values.tolist())

    for joint, parent in enumerate(fitted.parents):
        depth = 0 if parent < 0 else depths[parent] + 1
        for above in range(depths[-1] if depths else -1, depth - 1, -1):
            say(above, "}")
        depths.append(depth)
        say(depth, f"{'JOINT' if depth else 'ROOT'} {fitted.joints[joint]}", "{")
        place = "3 " if depth else "6 Xposition Yposition Zposition "
        turns = " ".join(f"{axis.upper()}rotation" for axis in orders[joint])
        say(depth + 1, offset(offsets[joint]), f"CHANNELS {place}{turns}")
        if joint not in fitted.parents:
            say(depth + 1, "End Site", "{", "  " + offset(_END * offsets[joint]), "}")
    for above in range(depths[-1], -1, -1):
        say(above, "}")
    return lines
