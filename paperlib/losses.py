"""What networks minimise beside the metrics: terms that need no pose to compare with."""

from collections.abc import Sequence

from torch import Tensor

from paperlib.cameras import project_to_screen
from paperlib.kinematics import bone_lengths


def projection_loss(
    positions: Tensor, keypoints: Tensor, intrinsics: Tensor, distortion: bool = True
) -> Tensor:
    """How far joints ``(B, T, J, 3)`` (metres, camera space, absolute) fall from the keypoints
    ``(B, T, J, 2)`` they were lifted from: the mean distance in screen coordinates, whose unit is
    half the image's width. ``intrinsics`` is ``(B, 9)`` of :func:`cameras.screen_intrinsics`.

    Source: pavllo2019, section 4 and figure 3 (2D MPJPE).
    """
    if keypoints.shape[:-1] != positions.shape[:-1]:
        raise ValueError(
            f"joints {tuple(positions.shape)} cannot be laid over keypoints "
            f"{tuple(keypoints.shape)}: the two must be the same joints of the same frames"
        )
    seen = project_to_screen(positions, intrinsics, distortion)
    return (seen - keypoints).norm(dim=-1).mean()


def bone_length_loss(unlabelled: Tensor, labelled: Tensor, parents: Sequence[int]) -> Tensor:
    """How much the mean bone lengths of poses ``(B, T, J, 3)`` without labels differ from those of
    the poses with labels, ``(B', T, J, 3)``: metres, the mean over the bones.

    The means of the two batches are compared, not single people, who may well differ. The paper
    calls the term an L2 loss; it is the absolute difference here, as in its reference
    implementation. Source: pavllo2019, section 4.
    """
    lengths = (bone_lengths(poses, parents) for poses in (unlabelled, labelled))
    mean, goal = (each.flatten(0, -2).mean(dim=0) for each in lengths)
    return (mean - goal).abs().mean()
