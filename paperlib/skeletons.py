"""Joint sets of the five papers, as named data, and how one maps to another.

A conversion is a matrix: each joint of the target is a mean of joints of the source. None of them
is lossless. Two data sets that both say "hip" may mean points centimetres apart, so a network that
is fed another detector's joints is better trained on those joints than given converted ones.
"""

from dataclasses import dataclass
from functools import cached_property

import torch

from paperlib.errors import one_of


def part(joint: str) -> str:
    """A joint's name without its side: ``"left_hip"`` and ``"right_hip"`` are ``"hip"``."""
    return joint.removeprefix("left_").removeprefix("right_")


@dataclass(frozen=True)
class Skeleton:
    """A joint set. ``parents[j]`` is -1 for the root; every parent stands before its children
    or after them, as the data set has it; ``order`` walks outwards from the root."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self):
        if len(self.joints) != len(self.parents):
            raise ValueError(f"{self.name}: {len(self.joints)} joints, {len(self.parents)} parents")

    @classmethod
    def of(cls, name: str, joints: str, parents: str) -> "Skeleton":
        """``parents`` names each joint's parent; ``-`` marks the root."""
        names, above = tuple(joints.split()), parents.split()
        return cls(name, names, tuple(-1 if p == "-" else names.index(p) for p in above))

    def __len__(self) -> int:
        return len(self.joints)

    def __repr__(self) -> str:
        return f"Skeleton({self.name!r}, {len(self)} joints)"

    def index(self, joint: str) -> int:
        return self.joints.index(one_of(f"joint of {self.name}", joint, self.joints))

    @cached_property
    def root(self) -> int:
        return self.parents.index(-1)

    @cached_property
    def left(self) -> tuple[int, ...]:
        return tuple(j for j, name in enumerate(self.joints) if name.startswith("left_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """The mirror image of each joint of ``left``, in the same order."""
        return tuple(self.joints.index("right_" + part(self.joints[j])) for j in self.left)

    @cached_property
    def mirrored(self) -> tuple[int, ...]:
        """Joint order with left and right exchanged: ``mirrored_pose = pose[..., mirrored, :]``."""
        order = list(range(len(self)))
        for left, right in zip(self.left, self.right, strict=True):
            order[left], order[right] = right, left
        return tuple(order)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) of every joint but the root."""
        return tuple((p, j) for j, p in enumerate(self.parents) if p >= 0)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Joints so that each comes after its parent."""
        walked = [self.root]
        for joint in walked:
            walked += [child for parent, child in self.bones if parent == joint]
        return tuple(walked)

    def side(self, joint: int) -> str:
        return "left" if joint in self.left else "right" if joint in self.right else "centre"


# Human3.6M, 17 of its 32 joints, shoulders moved to the thorax (pavllo2019, reference order).
H36M_17 = Skeleton.of(
    "h36m_17",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax neck_nose"
    " head_top left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    "- pelvis right_hip right_knee pelvis left_hip left_knee pelvis spine thorax"
    " neck_nose thorax left_shoulder left_elbow thorax right_shoulder right_elbow",
)
# which of the 32 raw joints of the motion capture those 17 are
H36M_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)

HUMANEVA_15 = Skeleton.of(
    "humaneva_15",
    "pelvis thorax left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist"
    " left_hip left_knee left_ankle right_hip right_knee right_ankle head",
    "- pelvis thorax left_shoulder left_elbow thorax right_shoulder right_elbow"
    " pelvis left_hip left_knee pelvis right_hip right_knee thorax",
)

# MuPoTS-3D and, picked from its 28 joints, MPI-INF-3DHP (veges2020).
MUPOTS_17 = Skeleton.of(
    "mupots_17",
    "head_top neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
    " right_hip right_knee right_ankle left_hip left_knee left_ankle hip spine head_nose",
    "neck spine neck right_shoulder right_elbow neck left_shoulder left_elbow"
    " hip right_hip right_knee hip left_hip left_knee - hip neck",
)
MUPOTS_17_OF_3DHP_28 = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)

# Keypoints of COCO detectors; they form no tree by themselves, so the nose is taken as the root.
COCO_17 = Skeleton.of(
    "coco_17",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow"
    " left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
    "- nose nose left_eye right_eye nose nose left_shoulder right_shoulder left_elbow right_elbow"
    " left_shoulder right_shoulder left_hip right_hip left_knee right_knee",
)

# COCO with the middle of the hips and of the shoulders added (veges2020).
COCO_19 = Skeleton.of(
    "coco_19",
    " ".join(COCO_17.joints) + " hip neck",
    "neck nose nose left_eye right_eye neck neck left_shoulder right_shoulder left_elbow"
    " right_elbow hip hip left_hip right_hip left_knee right_knee - hip",
)

MPII_16 = Skeleton.of(
    "mpii_16",
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck"
    " head_top right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
    "right_knee right_hip pelvis pelvis left_hip left_knee - pelvis thorax"
    " upper_neck right_elbow right_shoulder thorax thorax left_shoulder left_elbow",
)

# What the detectors and data sets of veges2020 have in common.
COMMON_14 = Skeleton.of(
    "common_14",
    "hip right_hip right_knee right_ankle left_hip left_knee left_ankle neck"
    " left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    "- hip right_hip right_knee hip left_hip left_knee hip"
    " neck left_shoulder left_elbow neck right_shoulder right_elbow",
)

# The 38 nodes of the CMU motion capture in its public exponential-map form.
CMU_38 = Skeleton.of(
    "cmu_38",
    "hips left_hip_joint left_up_leg left_leg left_foot left_toe_base left_toe_end right_hip_joint"
    " right_up_leg right_leg right_foot right_toe_base right_toe_end lower_back spine spine1 neck"
    " neck1 head head_end left_shoulder left_arm left_fore_arm left_hand left_finger_base"
    " left_hand_index1 left_hand_index_end left_thumb left_thumb_end right_shoulder right_arm"
    " right_fore_arm right_hand right_finger_base right_hand_index1 right_hand_index_end"
    " right_thumb right_thumb_end",
    "- hips left_hip_joint left_up_leg left_leg left_foot left_toe_base hips"
    " right_hip_joint right_up_leg right_leg right_foot right_toe_base hips lower_back spine spine1"
    " neck neck1 head spine1 left_shoulder left_arm left_fore_arm left_hand"
    " left_finger_base left_hand_index1 left_hand left_thumb spine1 right_shoulder right_arm"
    " right_fore_arm right_hand right_finger_base right_hand_index1"
    " right_hand right_thumb",
)

# The annotated points of Penn Action, in the order of its readme; no tree by themselves either.
PENN_13 = Skeleton.of(
    "penn_13",
    "head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip"
    " right_hip left_knee right_knee left_ankle right_ankle",
    "- head head left_shoulder right_shoulder left_elbow right_elbow left_shoulder"
    " right_shoulder left_hip right_hip left_knee right_knee",
)

# The joints of the body model SMPL, which 3DPW has.
SMPL_24 = Skeleton.of(
    "smpl_24",
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3"
    " left_foot right_foot neck left_collar right_collar head left_shoulder right_shoulder"
    " left_elbow right_elbow left_wrist right_wrist left_hand right_hand",
    "- pelvis pelvis pelvis left_hip right_hip spine1 left_knee right_knee spine2"
    " left_ankle right_ankle spine3 spine3 spine3 neck left_collar right_collar"
    " left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist",
)

_ALL = (H36M_17, HUMANEVA_15, MUPOTS_17, COCO_17, COCO_19, MPII_16, COMMON_14, CMU_38)
SKELETONS = {s.name: s for s in (*_ALL, PENN_13, SMPL_24)}

_CMU_LIMBS = {"hip": "up_leg", "knee": "leg", "ankle": "foot"}
_CMU_LIMBS |= {"shoulder": "arm", "elbow": "fore_arm", "wrist": "hand"}
# target joint -> source joint or joints whose mean it is; joints named alike need no entry
_RENAMED: dict[tuple[str, str], dict[str, str]] = {
    ("cmu_38", "h36m_17"): {
        **{"pelvis": "hips", "thorax": "neck1", "neck_nose": "head", "head_top": "head_end"},
        **{
            f"{side}_{ours}": f"{side}_{theirs}"
            for side in ("left", "right")
            for ours, theirs in _CMU_LIMBS.items()
        },
    },
    ("coco_17", "coco_19"): {"hip": "left_hip right_hip", "neck": "left_shoulder right_shoulder"},
    ("coco_17", "common_14"): {"hip": "left_hip right_hip", "neck": "left_shoulder right_shoulder"},
    ("coco_19", "common_14"): {},
    ("mupots_17", "common_14"): {},
    ("h36m_17", "common_14"): {"hip": "pelvis", "neck": "thorax"},
    ("humaneva_15", "common_14"): {"hip": "pelvis", "neck": "thorax"},
    ("mpii_16", "common_14"): {"hip": "pelvis", "neck": "thorax"},
    ("penn_13", "common_14"): {"hip": "left_hip right_hip", "neck": "left_shoulder right_shoulder"},
    ("smpl_24", "common_14"): {"hip": "pelvis"},
    ("h36m_17", "penn_13"): {"head": "neck_nose head_top"},
    ("h36m_17", "humaneva_15"): {"head": "neck_nose head_top"},
    ("mupots_17", "h36m_17"): {"pelvis": "hip", "thorax": "neck", "neck_nose": "head_nose"},
    ("h36m_17", "mupots_17"): {"hip": "pelvis", "neck": "thorax", "head_nose": "neck_nose"},
}


def sources(source: Skeleton, target: Skeleton) -> tuple[tuple[int, ...], ...]:
    """For each joint of ``target``, the joints of ``source`` whose mean it is."""
    if source == target:
        return tuple((j,) for j in range(len(source)))
    key = source.name, target.name
    if key in _RENAMED or not set(target.joints) <= set(source.joints):
        if key not in _RENAMED:
            lacking = [joint for joint in target.joints if joint not in source.joints]
            more = ", …" if len(lacking) > 4 else ""
            to = ", ".join(other for name, other in _RENAMED if name == source.name)
            raise ValueError(
                f"unknown conversion of {source.name} to {target.name}: it has no "
                f"{', '.join(lacking[:4])}{more}; known are those to {to or 'parts of it'}"
            )
        names = _RENAMED[key]
    else:  # a part of the source, joint for joint
        names = {}
    return tuple(tuple(source.index(s) for s in names.get(j, j).split()) for j in target.joints)


def conversion_matrix(source: Skeleton, target: Skeleton) -> torch.Tensor:
    """(J_target, J_source) matrix ``M`` with ``target_pose = M @ source_pose``; rows add to 1."""
    matrix = torch.zeros(len(target), len(source))
    for joint, found in enumerate(sources(source, target)):
        matrix[joint, list(found)] = 1.0 / len(found)
    return matrix


def convert(points: torch.Tensor, source: Skeleton, target: Skeleton) -> torch.Tensor:
    """Points ``(..., J_source, D)`` of one joint set as ``(..., J_target, D)`` of another."""
    if points.shape[-2] != len(source):
        raise ValueError(
            f"expected {len(source)} joints of {source.name} in (..., J, D), "
            f"got shape {tuple(points.shape)}"
        )
    return conversion_matrix(source, target).to(points) @ points


def convert_confidence(
    confidence: torch.Tensor, source: Skeleton, target: Skeleton
) -> torch.Tensor:
    """Scores ``(..., J_source)`` as ``(..., J_target)``; a joint made of several takes their
    harmonic mean, so that it is trusted no more than its weakest part (veges2020, reference)."""
    if confidence.shape[-1] != len(source):
        raise ValueError(
            f"expected {len(source)} scores of {source.name} in (..., J), "
            f"got shape {tuple(confidence.shape)}"
        )
    parts = [confidence[..., list(found)] for found in sources(source, target)]
    means = [
        part[..., 0] if part.shape[-1] == 1 else 1 / (1 / (part + 1e-6)).mean(dim=-1)
        for part in parts
    ]
    return torch.stack(means, dim=-1)


# of Human3.6M's joints, what the common ones are called there
_COMMON_IN_H36M = {"hip": "pelvis", "neck": "thorax"}


def as_h36m(
    points: torch.Tensor, found: torch.Tensor, source: Skeleton
) -> tuple[torch.Tensor, torch.Tensor]:
    """Annotated points ``(..., K, 2)`` as Human3.6M's ``(..., 17, 2)``, and which of them were
    ``found``, ``(..., K)`` and ``(..., 17)`` bool: the joints of :data:`COMMON_14`, and the top of
    the head where ``source`` has it. A middle is found where both of its ends are; what nobody
    annotated is 0 and not found."""
    common = convert(points, source, COMMON_14)
    parts = sources(source, COMMON_14)
    whole = torch.stack([found[..., list(joints)].all(dim=-1) for joints in parts], dim=-1)
    places = [H36M_17.index(_COMMON_IN_H36M.get(name, name)) for name in COMMON_14.joints]
    if "head_top" in source.joints:
        top = source.index("head_top")
        places.append(H36M_17.index("head_top"))
        common = torch.cat([common, points[..., top, None, :]], dim=-2)
        whole = torch.cat([whole, found[..., top, None]], dim=-1)
    every = points.new_zeros(*points.shape[:-2], len(H36M_17), points.shape[-1])
    known = torch.zeros(every.shape[:-1], dtype=torch.bool, device=points.device)
    every[..., places, :], known[..., places] = common, whole
    return every, known
