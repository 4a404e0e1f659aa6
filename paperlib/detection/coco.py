"""COCO's keypoints for motion that has Human3.6M's joints.

Motion capture gives the centres of joints; COCO's annotators clicked on people in photographs. The
two differ where a name is the same ("hip") and in what there is at all: COCO has a face and neither
spine nor head top. Where the points lie here is **our model** of those clicks, from the usual
proportions of adults, and no measured data: it shows what differing joint sets do to a network,
not by how many millimetres on real detections.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from paperlib.cameras import project
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17, part

# metres from the top of the head: forward, to the side, and down
_FACE = {"nose": (0.12, 0.0, 0.145), "eye": (0.09, 0.032, 0.115), "ear": (0.01, 0.073, 0.13)}
# shares of the distance between left and right by which a click lies outward and higher
_OUTWARD_AND_UP = {"shoulder": (0.05, 0.06), "hip": (0.15, 0.20)}
# the joints between which "up" is, for these
_SPINE = {"shoulder": ("spine", "thorax"), "hip": ("pelvis", "spine")}


def as_coco(recording: Recording) -> Recording:
    """The recording with exact projections of COCO's 17 points as its keypoints, and with
    confidence 1; a simulated detector may then add its errors to them.

    Positions stay Human3.6M's, and so does ``visible``, which does not say whether the face is
    hidden. ``ValueError`` where the positions are of another joint set.
    """
    if recording.skeleton != H36M_17:
        raise ValueError(
            f"{recording.name}: COCO's points are placed on {H36M_17.name} positions, these are "
            f"{recording.skeleton.name}"
        )
    keypoints = project(coco_points(recording.positions), recording.camera)
    return recording.with_keypoints(keypoints, torch.ones_like(keypoints[..., 0]), COCO_17)


def coco_points(positions: Tensor) -> Tensor:
    """Human3.6M joints ``(..., 17, 3)``, metres, as COCO's points ``(..., 17, 3)``.

    Elbows, wrists, knees and ankles are the joints themselves. Hips lie higher and wider, shoulders
    a little. The head is taken to face where the chest does, since no joint tells where it looks.
    Any right-handed axes will do.
    """
    named = dict(zip(H36M_17.joints, positions.unbind(-2), strict=True))
    return torch.stack([_point(joint, named) for joint in COCO_17.joints], dim=-2)


def _point(joint: str, named: dict[str, Tensor]) -> Tensor:
    kind = part(joint)
    side = {"left": 1, "right": -1}.get(joint.split("_")[0], 0)
    if kind in _FACE:
        forward, left, down = _FACE[kind]
        ahead, leftward, up = _head_axes(named)
        return named["head_top"] + forward * ahead + side * left * leftward - down * up
    if kind in _OUTWARD_AND_UP:
        outward, higher = _OUTWARD_AND_UP[kind]
        across = named[f"left_{kind}"] - named[f"right_{kind}"]
        low, high = _SPINE[kind]
        up = normalize(named[high] - named[low], dim=-1)
        width = across.norm(dim=-1, keepdim=True)
        return named[joint] + side * outward * across + higher * width * up
    return named[joint]


def _head_axes(named: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Unit vectors forward, to the left and up of the head."""
    up = normalize(named["head_top"] - named["thorax"], dim=-1)
    across = named["left_shoulder"] - named["right_shoulder"]
    ahead = normalize(torch.linalg.cross(across, up), dim=-1)
    return ahead, torch.linalg.cross(up, ahead), up
