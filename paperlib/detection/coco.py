"""COCO's keypoints for motion that has Human3.6M's joints.

Motion capture gives the centres of joints; COCO's annotators clicked on people in photographs. The
two differ where a name is the same ("hip") and in what there is at all: COCO has a face and neither
spine nor head top. Where the points lie here is **our model** of those clicks: face and shoulders
from the usual proportions of adults, hips from one body alone. It shows what differing joint sets
do to a network, not by how many millimetres on real detections.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from paperlib.cameras import project
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17, part

# metres from the top of the head: forward, to the side, and down
_FACE = {"nose": (0.12, 0.0, 0.145), "eye": (0.09, 0.032, 0.115), "ear": (0.01, 0.073, 0.13)}
# the joints between which "up" is, for these
_SPINE = {"shoulder": ("spine", "thorax"), "hip": ("pelvis", "spine")}


@dataclass(frozen=True)
class Clicks:
    """Where annotators, and detectors that learnt from them, put what is no joint: shares of the
    distance between left and right by which hips and shoulders lie outward and higher (below 0:
    lower), and metres by which the face lies further forward and down.

    The hips are those that bring bodies of CMU, Bandai Namco and the embedded data, on average,
    near to the proportions of the woman of :mod:`~paperlib.datasets.two_people`, as triangulated
    from BlazePose's keypoints: hips 0.44 of the trunk's length apart, thighs 0.67 of it. Anything
    from 0.1 to 0.4 lower fits about as well. She is made by a computer, and where her joints are
    nobody knows: it is a guess from one body, and no measurement."""

    hip: tuple[float, float] = (0.05, -0.20)
    shoulder: tuple[float, float] = (0.05, 0.06)
    face: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def drawn(cls, key: str) -> "Clicks":
        """Others about these, which follow from ``key`` alone. Detectors differ in them by a few
        centimetres, and no film tells by how much: who learns from many trusts none."""
        chance = generator_of(f"clicks of {key}")
        usual = cls()

        def about(values: tuple[float, float], *widths: float) -> tuple[float, float]:
            first, second = (
                v + w * chance.uniform(-1, 1) for v, w in zip(values, widths, strict=True)
            )
            return first, second

        return cls(
            about(usual.hip, 0.12, 0.2),
            about(usual.shoulder, 0.08, 0.1),
            about(usual.face, 0.03, 0.03),
        )


USUAL = Clicks()


def as_coco(recording: Recording, clicks: Clicks = USUAL) -> Recording:
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
    keypoints = project(coco_points(recording.positions, clicks), recording.camera)
    return recording.with_keypoints(keypoints, torch.ones_like(keypoints[..., 0]), COCO_17)


def coco_points(positions: Tensor, clicks: Clicks = USUAL) -> Tensor:
    """Human3.6M joints ``(..., 17, 3)``, metres, as COCO's points ``(..., 17, 3)``.

    Elbows, wrists, knees and ankles are the joints themselves. Hips lie lower and a little wider,
    shoulders a little higher and wider. The head is taken to face where the chest does, since no
    joint tells where it looks. Any right-handed axes will do.
    """
    named = dict(zip(H36M_17.joints, positions.unbind(-2), strict=True))
    return torch.stack([_point(joint, named, clicks) for joint in COCO_17.joints], dim=-2)


def _point(joint: str, named: dict[str, Tensor], clicks: Clicks) -> Tensor:
    kind = part(joint)
    side = {"left": 1, "right": -1}.get(joint.split("_")[0], 0)
    if kind in _FACE:
        forward, left, down = _FACE[kind]
        forward, down = forward + clicks.face[0], down + clicks.face[1]
        ahead, leftward, up = _head_axes(named)
        return named["head_top"] + forward * ahead + side * left * leftward - down * up
    if kind in _SPINE:
        outward, higher = getattr(clicks, kind)
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
