"""Someone who stands, and profiles without any error but those asked for."""

import torch

from paperlib.cameras import Camera, project
from paperlib.detection import ErrorProfile
from paperlib.detection.profiles import Confidence, Hidden, Noise, Standing
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17, Skeleton

CAMERA = Camera("front", 1000, 1000, focal=(1000.0, 1000.0), centre=(500.0, 500.0))
# metres right of the middle (of the left) and down; half a metre of trunk, 0.8 of leg
PLACES = {"hip": (0.1, 0.0), "knee": (0.1, 0.4), "ankle": (0.1, 0.8), "shoulder": (0.2, -0.5)}
PLACES |= {"elbow": (0.4, -0.25), "wrist": (0.5, 0.05), "head_top": (0.0, -0.8)}
PLACES |= {"thorax": (0.0, -0.5), "neck_nose": (0.0, -0.6), "spine": (0.0, -0.25)}


def profile(**changes) -> ErrorProfile:
    parts = {"standing": Standing(0.0), "noise": Noise(0.0, 0.0, 0.2)}
    parts |= {"confidence": Confidence(1.0, 1.0, 0.0, 0.0), "hidden": Hidden(1.0, 0.0)}
    return ErrorProfile("quiet", **(parts | changes))


def standing(
    frames: int = 200, depth: float = 5.0, skeleton: Skeleton = H36M_17, **changes
) -> Recording:
    """1.3 m from shoulder to ankle: 260 pixels at 5 m."""
    rest = torch.zeros(len(skeleton), 3)
    for j, joint in enumerate(skeleton.joints):
        x, y = PLACES.get(joint.removeprefix("left_").removeprefix("right_"), (0.0, 0.0))
        rest[j] = torch.tensor([x * {"left": 1, "right": -1}.get(skeleton.side(j), 0), y, 0.0])
    positions = (rest + torch.tensor([0.0, 0.0, depth])).repeat(frames, 1, 1)
    fields = {"subject": "S1", "action": "standing", "clip": "take", "fps": 50.0, "camera": CAMERA}
    fields |= {"keypoints": project(positions, CAMERA), "positions": positions}
    fields |= {"confidence": torch.ones(frames, len(skeleton))}
    return Recording(**(fields | {"skeleton": skeleton, "keypoint_skeleton": skeleton} | changes))
