"""The bodies that replay CMU's motion: factors on the one skeleton of its files."""

from dataclasses import dataclass

import torch

from paperlib.datasets import expmap
from paperlib.skeletons import CMU_38, part


@dataclass(frozen=True)
class Build:
    """A body that replays the capture: factors on the published skeleton's bones."""

    name: str
    legs: float = 1.0
    trunk: float = 1.0
    arms: float = 1.0
    width: float = 1.0


TRAIN_BUILDS = (
    Build("body1", 1.00, 1.00, 1.00, 1.00),
    Build("body2", 0.92, 0.95, 0.90, 0.92),
    Build("body3", 1.10, 1.04, 1.09, 1.06),
    Build("body4", 1.03, 1.10, 1.06, 1.12),
    Build("body5", 0.95, 0.90, 0.97, 0.95),
)
TEST_BUILDS = (Build("body6", 0.97, 1.02, 0.94, 1.02), Build("body7", 1.06, 0.99, 1.04, 0.98))


def build_offsets(build: Build, restore_thorax: bool = True) -> torch.Tensor:
    """(38, 3) metres: the rest skeleton of one body."""
    offsets = expmap.rest_offsets(restore_thorax).clone()
    for joint, name in enumerate(CMU_38.joints):
        place = part(name)
        if place in ("up_leg", "shoulder"):
            offsets[joint] *= build.width
        elif place.startswith(("leg", "foot", "toe")):
            offsets[joint] *= build.legs
        elif place.startswith(("arm", "fore_arm", "hand", "finger", "thumb")):
            # the upper arm's offset is the collar bone, which follows the width of the body
            offsets[joint] *= build.width if place == "arm" else build.arms
        else:
            offsets[joint] *= build.trunk
    return offsets
