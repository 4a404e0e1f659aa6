"""One skeleton of constant bone lengths, fitted to positions over a whole sequence.

Animations (BVH, glTF) know no positions: they have one skeleton, whose bones keep their lengths,
and in every frame a rotation of each joint. Lifted poses have bones that breathe. If each bone is
laid along its measured direction, from the root outwards, what the lengths lack adds up along the
limbs. So all is found together: lengths for the whole sequence, and for every frame the root and
the rotations, such that the joints are as near to their positions as they can be in the sum of
squares (:mod:`.least_squares`).

**Twist.** Positions do not tell how a straight limb turns about itself. In the end all bones that
hang alone get the rotation of least twist, and upper limbs the twist that the hinge below tells
over time (:mod:`.twists`): this changes no position.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

from paperlib.arrays import interpolated
from paperlib.exports.least_squares import Tree, place, solve
from paperlib.exports.twists import untwisted
from paperlib.inverse_kinematics import inverse_kinematics, rest_pose
from paperlib.kinematics import (
    forward_kinematics,
    rotation_about,
    rotation_from_vector,
    shortest_turn,
    vector_from_rotation,
)
from paperlib.skeletons import Skeleton, part

# Where several bones leave a joint, only these are held to each other; the spine bends in the
# pelvis, and collar bones move. Each of the others gets a joint of its own, at the same place.
_RIGID = {"hip", "hip_joint", "eye", "ear"}
_FILLED = 1e-4  # the weight of a joint that was not seen, and stands where interpolation has it
_FOR_LENGTHS = 1000  # frames, spread over the sequence, which tell the lengths of bones
_AT_ONCE = 1000  # frames


@dataclass(frozen=True, eq=False)
class Fitted:
    """A skeleton of constant bone lengths and its motion, metres, in the axes of the positions.

    Beside the joints of the skeleton it has joints of no length, as ``thorax_to_left_shoulder``,
    where bones that leave a joint move against each other. In the rest pose, where no joint is
    turned, the person looks along -y with z up and arms half lifted; of joint sets that have others
    than a body's (eyes, fingers), it is the first pose.
    """

    joints: tuple[str, ...]  # limb by limb: after each, all that hangs on it
    parents: tuple[int, ...]  # -1 of the root, which comes first
    offsets: torch.Tensor  # (J, 3) float64, each joint from its parent in the rest pose; root 0
    rotations: torch.Tensor  # (T, J, 3, 3) float64, against the parent; ends of limbs do not turn
    root: torch.Tensor  # (T, 3) float64
    frames: np.ndarray  # (T,) numbers of the frames in which any joint was seen
    residual: float  # millimetres: the mean distance of joints from where they were seen

    def positions(self) -> torch.Tensor:
        """``(T, J, 3)``, by forward kinematics."""
        return forward_kinematics(self.rotations, self.offsets, self.parents, self.root)

    def at(self, frames: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotations ``(N, J, 3, 3)`` and root ``(N, 3)`` at frame numbers ``(N,)``: between frames
        that are there, by the shortest turn and on a straight line; the first and the last pose
        are held before and after."""
        last = len(self.frames) - 1
        rows = torch.from_numpy(np.interp(frames, self.frames, np.arange(last + 1)))
        before = rows.floor().long()
        after, share = (before + 1).clamp(max=last), (rows - before)[:, None]
        root = torch.lerp(self.root[before], self.root[after], share)
        rotations = self.rotations[before].clone()
        between = share[:, 0] > 0  # the others are exact
        start, end = rotations[between], self.rotations[after[between]]
        turn = vector_from_rotation(start.mT @ end) * share[between, None]
        rotations[between] = start @ rotation_from_vector(turn)
        return rotations, root


def fit(
    positions: np.ndarray, skeleton: Skeleton, fps: float, frames: np.ndarray | None = None
) -> Fitted:
    """Fit one skeleton to positions ``(T, J, 3)``, metres, z up, NaN where not seen.

    Joints that are not seen in some frames are interpolated over time to begin with, and then only
    lightly held there; frames in which nothing is seen are left out. ``frames`` ``(T,)`` are their
    numbers, which rise; 0 to T - 1 by default. ``fps`` is their rate.

    ``ValueError`` for a joint that is seen in no frame: where it is nobody knows, and what hangs on
    it would hang on nothing.
    """
    frames = np.arange(len(positions)) if frames is None else np.asarray(frames)
    seen = np.isfinite(positions).all(axis=-1)
    some = seen.any(axis=1)
    if not (ever := seen.any(axis=0)).all():
        names = ", ".join(np.array(skeleton.joints)[~ever])
        raise ValueError(
            f"never seen: {names}. A skeleton needs each of its joints in one frame at least; "
            "leave these out of the poses, or write a format of points (npz, csv, c3d, trc)"
        )
    frames, seen, positions = frames[some], seen[some], positions[some]
    # over time, which frames that are left out have as well
    known = np.zeros((frames[-1] - frames[0] + 1, *seen.shape[1:]), dtype=bool)
    points = np.zeros((*known.shape, 3))
    known[frames - frames[0]] = seen
    points[known] = positions[seen]
    points = torch.from_numpy(interpolated(points, known)[frames - frames[0]])
    weights = torch.from_numpy(seen).double().clamp_min(_FILLED)
    tree, numbers, added = _tree(skeleton)
    world, offsets = _start(points, weights, skeleton, added)
    # a bone by itself may change its length; where it points in the rest pose, rotations make up
    alone = torch.bincount(tree.group)[tree.group] == 1
    free = torch.diag_embed(torch.ones(len(skeleton), 3, dtype=torch.float64))
    free[alone] = normalize(offsets, dim=-1)[alone, :, None] * torch.eye(1, 3)
    free = torch.einsum("jcd,ji->jcid", free, torch.eye(len(skeleton)).double()).flatten(2)
    free = free[..., free.abs().sum(dim=(0, 1)) > 0]
    used = world[:, numbers]
    spread = np.unique(np.linspace(0, len(points) - 1, _FOR_LENGTHS).round().astype(int))
    chosen = torch.from_numpy(spread)
    _, _, offsets = solve(used[chosen], offsets, points[chosen], weights[chosen], tree, free)
    parts = [
        solve(used[now], offsets, points[now], weights[now], tree)[:2]
        for now in torch.arange(len(points)).split(_AT_ONCE)
    ]
    world[:, numbers], root = (torch.cat(each) for each in zip(*parts, strict=True))
    world = untwisted(world, offsets, skeleton, numbers[tree.group], fps)
    placed = place(world[:, numbers], root, offsets, tree)
    distance = (placed - points).norm(dim=-1)[torch.from_numpy(seen)]
    parts = _as_tree(world, offsets, skeleton, added)
    return Fitted(*parts, root, frames, 1000 * float(distance.mean()))


def _tree(skeleton: Skeleton) -> tuple[Tree, torch.Tensor, dict[int, int]]:
    """The tree for the solver; the numbers ``(G,)`` that its rotations have among all; and the
    joints that are moved by a rotation of their own beside their parent's, with its number.

    Among all, the rotation of a joint has the joint's number, then come the added ones, then one
    that stands for what moves the root."""
    count, moved, added = len(skeleton), list(skeleton.parents), {}
    for joint, parent in enumerate(skeleton.parents):
        siblings = skeleton.parents.count(parent) > 1
        if parent >= 0 and siblings and part(skeleton.joints[joint]) not in _RIGID:
            added[joint] = moved[joint] = count + len(added)
    moved[skeleton.root] = count + len(added)
    path = torch.zeros(count, count, dtype=torch.float64)
    for joint in skeleton.order:
        path[joint] = path[skeleton.parents[joint]] if joint != skeleton.root else 0
        path[joint, joint] = 1
    numbers, group = torch.tensor(moved).unique(return_inverse=True)
    return Tree(skeleton.root, group, path), numbers, added


def _start(
    points: torch.Tensor, weights: torch.Tensor, skeleton: Skeleton, added: dict[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """World rotations of all joints and of those that are ``added``, by inverse kinematics, and
    offsets ``(J, 3)`` whose lengths are the medians of the bones'."""
    try:  # looks along x; files want -y where z is up, which is +z where y is
        rest = rest_pose(skeleton) @ rotation_about("z", torch.tensor(-np.pi / 2).double()).mT
    except ValueError:  # other joints than a body's: the first pose is as good as any
        rest = points[0] - points[0, [max(parent, 0) for parent in skeleton.parents]]
        rest = normalize(rest, dim=-1)
    local = inverse_kinematics(points, skeleton, rest)
    world = torch.eye(3, dtype=torch.float64).repeat(
        len(points), len(skeleton) + len(added) + 1, 1, 1
    )
    offsets = torch.zeros_like(rest)
    for joint in skeleton.order:
        parent = skeleton.parents[joint]
        world[:, joint] = local[:, joint] if parent < 0 else world[:, parent] @ local[:, joint]
        if parent < 0:
            continue
        bone = points[:, joint] - points[:, parent]
        both = (weights[:, joint] + weights[:, parent]) > 1
        lengths = bone.norm(dim=-1)
        offsets[joint] = rest[joint] * lengths[both if bool(both.any()) else slice(None)].median()
        if joint in added:
            seen = normalize((bone[:, None] @ world[:, parent]).squeeze(1), dim=-1)
            world[:, added[joint]] = world[:, parent] @ shortest_turn(rest[joint], seen)
    return world, offsets


def _as_tree(
    world: torch.Tensor, offsets: torch.Tensor, skeleton: Skeleton, added: dict[int, int]
) -> tuple[tuple[str, ...], tuple[int, ...], torch.Tensor, torch.Tensor]:
    """Joints, parents, offsets and rotations of :class:`Fitted`: those of the skeleton, limb by
    limb, each after the joint of no length that it may have."""
    joints: list[str] = []
    parents, lengths, turns, places = [], [], [], {-1: -1}
    leaves = set(range(len(skeleton))) - set(skeleton.parents)
    nothing = torch.zeros(3, dtype=torch.float64)
    frames: list[torch.Tensor] = []
    left = [skeleton.root]
    while left:
        joint = left.pop()
        left += [child for child, parent in enumerate(skeleton.parents) if parent == joint][::-1]
        parent, name = skeleton.parents[joint], skeleton.joints[joint]
        above = places[parent]
        if joint in added:
            joints.append(f"{skeleton.joints[parent]}_to_{name}")
            parents.append(above)
            lengths.append(nothing)
            frames.append(world[:, added[joint]])
            above = len(joints) - 1
        places[joint] = len(joints)
        joints.append(name)
        parents.append(above)
        lengths.append(offsets[joint])
        frames.append(frames[above] if joint in leaves else world[:, joint])
    for frame, parent in zip(frames, parents, strict=True):
        turns.append(frame if parent < 0 else frames[parent].mT @ frame)
    return tuple(joints), tuple(parents), torch.stack(lengths), torch.stack(turns, dim=1)
