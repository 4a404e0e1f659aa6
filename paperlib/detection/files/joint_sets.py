"""The joint sets of tools that find people in images, and which one a file has.

Joints are named as in :mod:`paperlib.skeletons`, so that what is in :data:`COCO_17` is found by
name. Orders are those of OpenPose 1.7 (BODY_25, BODY_25B, COCO), AlphaPose 0.5 and MMPose 1.x
(Halpe, COCO-WholeBody), and MediaPipe 0.10. Of sets with face and hands the body is read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from paperlib.errors import one_of
from paperlib.skeletons import COCO_17, H36M_17, MPII_16, MUPOTS_17, Skeleton

_COCO = " ".join(COCO_17.joints)
# parents of COCO's joints where there is a neck, or also a middle of the hips
_WITH_NECK = (
    "neck nose nose left_eye right_eye neck neck left_shoulder right_shoulder left_elbow"
    " right_elbow {0} {0} left_hip right_hip left_knee right_knee"
)
_TOES = ("big_toe", "small_toe", "heel")
_OPENPOSE_ARMS = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
)
_OPENPOSE_ARM_PARENTS = "neck {} neck right_shoulder right_elbow neck left_shoulder left_elbow"
_OPENPOSE_EYES = "right_eye left_eye right_ear left_ear"
_LEFT_FOOT, _RIGHT_FOOT = (" ".join(f"{side}_{p}" for p in _TOES) for side in ("left", "right"))
_FEET = f"{_LEFT_FOOT} {_RIGHT_FOOT}"
_OF_FEET = "left_ankle left_ankle left_ankle right_ankle right_ankle right_ankle"

BODY_25 = Skeleton.of(
    "body_25",
    f"{_OPENPOSE_ARMS} hip right_hip right_knee right_ankle left_hip left_knee left_ankle"
    f" {_OPENPOSE_EYES} {_FEET}",
    f"{_OPENPOSE_ARM_PARENTS.format('hip')} - hip right_hip right_knee hip left_hip left_knee"
    f" nose nose right_eye left_eye {_OF_FEET}",
)
COCO_18 = Skeleton.of(
    "coco_18",
    f"{_OPENPOSE_ARMS} right_hip right_knee right_ankle left_hip left_knee left_ankle"
    f" {_OPENPOSE_EYES}",
    f"{_OPENPOSE_ARM_PARENTS.format('-')} neck right_hip right_knee neck left_hip left_knee"
    " nose nose right_eye left_eye",
)
BODY_25B = Skeleton.of(
    "body_25b",
    f"{_COCO} upper_neck head_top {_FEET}",
    f"{_WITH_NECK.format('neck').replace('neck', 'upper_neck')} - upper_neck {_OF_FEET}",
)
HALPE_26 = Skeleton.of(
    "halpe_26",
    f"{_COCO} head_top neck hip left_big_toe right_big_toe left_small_toe right_small_toe"
    " left_heel right_heel",
    f"{_WITH_NECK.format('hip')} neck hip - left_ankle right_ankle left_ankle right_ankle"
    " left_ankle right_ankle",
)
COCO_23 = Skeleton.of(
    "coco_23",
    f"{_COCO} {_FEET}",
    "- nose nose left_eye right_eye nose nose left_shoulder right_shoulder left_elbow right_elbow"
    f" left_shoulder right_shoulder left_hip right_hip left_knee right_knee {_OF_FEET}",
)
MEDIAPIPE_33 = Skeleton.of(
    "mediapipe_33",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer"
    " left_ear right_ear left_mouth right_mouth left_shoulder right_shoulder left_elbow right_elbow"
    " left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb right_thumb"
    " left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel"
    " left_foot_index right_foot_index",
    "- nose left_eye_inner left_eye nose right_eye_inner right_eye left_eye_outer right_eye_outer"
    " nose nose nose nose left_shoulder right_shoulder left_elbow right_elbow left_wrist"
    " right_wrist left_wrist right_wrist left_wrist right_wrist left_shoulder right_shoulder"
    " left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel",
)

# The bodies that a number of points may be; where there are several, the places of the points tell.
# Of 133, 135 and 136 points the first are the body, the others face and hands.
_OF_COUNT = {
    17: (COCO_17, H36M_17, MUPOTS_17),
    18: (COCO_18,),
    23: (COCO_23,),
    25: (BODY_25, BODY_25B),
    26: (HALPE_26,),
    33: (MEDIAPIPE_33,),
    133: (COCO_23,),
    135: (BODY_25B,),
    136: (HALPE_26,),
}
# MPII's is read where the file, or who calls, names it
JOINT_SETS = {each.name: each for sets in (*_OF_COUNT.values(), (MPII_16,)) for each in sets}
_CLEARLY = 0.75  # of the mean bone length of the second best set, below which the best is taken
_ENOUGH, _AT_LEAST = 6, 3  # bones between found points of the set that is taken, and of others


class Named(NamedTuple):
    """A joint set that a file names: which of its ``total`` points a person are the joints."""

    skeleton: Skeleton
    points: list[int]
    total: int


def known(name: str) -> Skeleton:
    """The joint set of a name; ``ValueError`` with the choices for another."""
    return JOINT_SETS[one_of("layout", name, JOINT_SETS)]


def settled(people: Sequence[np.ndarray], layout: str | None, path: Path) -> Skeleton:
    """The joint set of all the ``people`` of a file, each ``(n, 3)`` of x, y and score, 0 where
    nothing was found.

    ``layout`` names it where who calls knows better. Otherwise the number of points tells; where it
    leaves several, that set is taken whose bones between found points are clearly the shortest,
    since under a wrong name an ankle is joined to a hip. ``ValueError`` where the number is
    unknown or the points do not tell.
    """
    counts = sorted({len(points) for points in people})
    if len(counts) != 1:
        raise ValueError(
            f"{path}: people of {', '.join(map(str, counts))} joints; expected one joint set in all"
        )
    candidates = _OF_COUNT.get(counts[0], ())
    if layout is not None:
        skeleton = known(layout)
        if counts[0] != len(skeleton) and skeleton not in candidates:
            raise ValueError(f"{path}: {counts[0]} joints a person, {layout} has others")
        return skeleton
    if not candidates:
        raise ValueError(
            f"{path}: {3 * counts[0]} numbers per person, expected x, y, score of {_expected()} "
            "joints; run the tool with one of these models"
        )
    if len(candidates) == 1:
        return candidates[0]
    found = {s.name: _bones(np.stack(people), s) for s in candidates}
    lengths = {name: length for name, (length, _) in found.items()}
    best, second = sorted(lengths, key=lengths.get)[:2]
    tells = found[best][1] >= _ENOUGH and min(count for _, count in found.values()) >= _AT_LEAST
    # 17 are COCO's in all these formats, unless it is clear that they are not
    if counts[0] == len(COCO_17):
        other = tells and lengths[best] < _CLEARLY * lengths[COCO_17.name]
        return JOINT_SETS[best] if other else COCO_17
    if not (tells and lengths[best] < _CLEARLY * lengths[second]):
        raise ValueError(
            f"{path}: people of {counts[0]} joints, and where they lie does not tell which joint "
            f"set this is; pass layout= one of {', '.join(map(repr, lengths))}"
        )
    return JOINT_SETS[best]


def _expected() -> str:
    *counts, last = _OF_COUNT
    return f"{', '.join(map(str, counts))} or {last}"


def _bones(people: np.ndarray, skeleton: Skeleton) -> tuple[float, int]:
    """The mean length of bones both of whose ends were found, of ``(N, n, 3)``, relative to the
    extent of the person, and how many bones these are."""
    parents, children = np.array(skeleton.bones).T
    points, found = people[..., :2], people[..., 2] > 0
    low = np.where(found[..., None], points, np.inf).min(axis=1)
    high = np.where(found[..., None], points, -np.inf).max(axis=1)
    extent = np.linalg.norm(high - low, axis=-1)[:, None]
    both = found[:, parents] & found[:, children] & (extent > 0)
    length = np.linalg.norm(points[:, parents] - points[:, children], axis=-1)
    relative = np.divide(length, extent, out=np.zeros_like(length), where=both)
    return float(relative.sum() / max(both.sum(), 1)), int(both.any(axis=0).sum())


def by_names(names: Sequence[str], path: Path) -> Named:
    """The joint set whose joints a file names: the known one that has them in that order, else
    COCO's 17 among them. ``ValueError`` where they are not all there."""
    # Halpe's head is the top of it
    ours = [{"head": "head_top", "mid_hip": "hip"}.get(name, name) for name in names]
    for skeleton in JOINT_SETS.values():
        if tuple(ours[: len(skeleton)]) == skeleton.joints and (
            len(ours) == len(skeleton) or skeleton in _OF_COUNT.get(len(ours), ())
        ):
            return Named(skeleton, list(range(len(skeleton))), len(ours))
    lacking = [joint for joint in COCO_17.joints if joint not in ours]
    if lacking:
        raise ValueError(
            f"{path}: its joints ({', '.join(map(str, names[:30]))}) lack {', '.join(lacking)} of "
            "COCO's; run the tool with a model of COCO's or Halpe's joints"
        )
    return Named(COCO_17, [ours.index(joint) for joint in COCO_17.joints], len(ours))
