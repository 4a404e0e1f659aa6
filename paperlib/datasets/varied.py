"""Motion in postures that nobody was filmed in: limbs turned by an angle that a clip keeps.

Motion capture holds the actions that somebody thought of. A network that learns from it alone takes
a leg that is lifted to the side for one that it knows. Turning whole limbs keeps how they move and
how long they are, and gives up that feet stand on the ground and that nobody bends backwards: what
is asked of such poses is variety, not truth. (Ours; after an idea of pose augmentation.)
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from paperlib.cameras import camera_to_world, world_to_camera
from paperlib.kinematics import rotation_apply, rotation_from_vector
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17

_JOINTS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}


@dataclass(frozen=True)
class Variety:
    """By how much: standard deviations of angles about each of three axes, degrees: of a limb as a
    whole, of its lower half besides, and of the body; and the share of clips."""

    arm: tuple[float, float] = (25.0, 20.0)
    leg: tuple[float, float] = (15.0, 15.0)
    body: float = 8.0
    share: float = 0.6


def varied(recording: Recording, variety: Variety = Variety()) -> Recording:
    """The recording with its limbs turned about shoulder and hip, their lower halves about elbow
    and knee, all in the axes of the trunk, and the body about its root. Angles follow from the
    clip's name, so that all its views show the same.

    Positions alone are changed: film them anew
    (:func:`paperlib.datasets.random_cameras.filmed_by`). ``ValueError`` for other joints than
    Human3.6M's.
    """
    if recording.skeleton != H36M_17:
        raise ValueError(f"{recording.name}: limbs are those of {H36M_17.name}")
    name = f"{recording.subject}/{recording.action}/{recording.clip}"
    chance = generator_of(f"varied {name}")
    if chance.uniform() >= variety.share:
        return recording
    world = camera_to_world(recording.truth, recording.camera)
    joints = dict(zip(H36M_17.joints, world.unbind(-2), strict=True))
    trunk = _trunk(joints)

    def turned(bone: Tensor, turn: Tensor) -> Tensor:
        return rotation_apply(trunk, rotation_apply(turn, rotation_apply(trunk.mT, bone)))

    for limb, (upper, middle, lower) in _JOINTS.items():
        whole, half = getattr(variety, limb)
        for side in ("left_", "right_"):
            start, bend, end = joints[side + upper], joints[side + middle], joints[side + lower]
            turn, more = _drawn(chance, whole), _drawn(chance, half)
            joints[side + middle] = start + turned(bend - start, turn)
            below = turned(turned(end - bend, turn), more)
            joints[side + lower] = joints[side + middle] + below
    points = torch.stack([joints[joint] for joint in H36M_17.joints], dim=-2)
    root = points[:, H36M_17.root][:, None]
    points = root + rotation_apply(_drawn(chance, variety.body), points - root)
    return replace(recording, positions=world_to_camera(points, recording.camera))


def _trunk(joints: dict[str, Tensor]) -> Tensor:
    """``(T, 3, 3)``: the axes of the trunk, forward, left and up, as columns."""
    up = normalize(joints["thorax"] - joints["pelvis"], dim=-1)
    across = joints["left_hip"] - joints["right_hip"]
    ahead = normalize(torch.linalg.cross(across, up, dim=-1), dim=-1)
    return torch.stack([ahead, torch.linalg.cross(up, ahead, dim=-1), up], dim=-1)


def _drawn(chance: np.random.Generator, degrees: float) -> Tensor:
    vector = np.radians(degrees) * chance.normal(size=3)
    return rotation_from_vector(torch.from_numpy(vector).float())
