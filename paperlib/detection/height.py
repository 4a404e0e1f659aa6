"""How tall a person is in the image: the measure of the errors of 2D keypoints."""

from torch import Tensor

from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton

_NEAREST = 0.1  # metres before the camera, where an image still means anything
_NEEDED = tuple(f"{s}_{p}" for p in ("shoulder", "hip", "knee", "ankle") for s in ("left", "right"))


def image_height(recording: Recording) -> Tensor:
    """``(T,)`` pixels: the trunk and a leg of the person, from shoulder to ankle, seen from the
    side at the distance of the root.

    It does not change with pose or view, only with the distance. The head is left out, since no two
    joint sets agree on it. ``ValueError`` without positions, or without those joints.
    """
    length = body_length(recording.truth, recording.skeleton)
    depth = recording.trajectory[:, 2].clamp_min(_NEAREST)
    return length * sum(recording.camera.focal) / 2 / depth


def body_length(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """Metres from the shoulders over hips and knees to the ankles, of positions ``(T, J, 3)``: the
    median over time of the mean of both sides."""
    missing = [joint for joint in _NEEDED if joint not in skeleton.joints]
    if missing:
        raise ValueError(f"{skeleton.name} has no {', '.join(missing)}: how tall is the person?")
    shoulder, hip, knee, ankle = (
        positions[:, [skeleton.index(left), skeleton.index(right)]]
        for left, right in zip(_NEEDED[::2], _NEEDED[1::2], strict=True)
    )
    trunk = (shoulder.mean(dim=1) - hip.mean(dim=1)).norm(dim=-1)
    leg = ((hip - knee).norm(dim=-1) + (knee - ankle).norm(dim=-1)).mean(dim=1)
    return (trunk + leg).median()
