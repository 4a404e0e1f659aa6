"""What networks minimise beside the metrics: squared errors, and terms that need no pose to compare
with."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from paperlib.cameras import project_to_screen
from paperlib.kinematics import bone_lengths, rotation_apply


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


# ---- cheng2020, eq. 1 to 5: squares are summed over the coordinates of a pose, and the mean taken
# over frames and sequences; the paper does not say which, and its weights hang on it


def pose_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """The squared distances of all joints of a pose, summed: metres squared, the mean over the
    poses ``(B, T, J, 3)``. Source: cheng2020, eq. 1."""
    if predicted.shape != target.shape:
        raise ValueError(
            f"poses {tuple(predicted.shape)} cannot be compared with {tuple(target.shape)}: "
            "expected twice the same shape (B, T, J, 3)"
        )
    return (predicted - target).square().sum(dim=(-2, -1)).mean()


def multi_view_loss(first: Tensor, second: Tensor, rotation: Tensor) -> Tensor:
    """How far poses ``(B, T, J, 3)`` of the same moments in two cameras' axes are from being the
    same: :func:`pose_loss` of ``first`` turned by ``rotation`` ``(B, 3, 3)``, which leads from the
    first camera's axes to those of the second, R_v2 R_v1^T of their world-to-camera rotations.

    Source: cheng2020, eq. 2; the poses are relative to their roots.
    """
    if rotation.shape != (len(first), 3, 3):
        raise ValueError(
            f"poses {tuple(first.shape)} need rotations ({len(first)}, 3, 3), one for each pair of "
            f"views, got {tuple(rotation.shape)}"
        )
    return pose_loss(rotation_apply(rotation[:, None, None], first), second)


def orthographic_fit(
    positions: Tensor, keypoints: Tensor, visible: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Scale ``(..., 1, 1)``, 0 or more, and shift ``(..., 1, 2)`` that bring the x and y of joints
    ``(..., J, 3)`` closest to keypoints ``(..., J, 2)`` in the sum of squares over the ``visible``
    ``(..., J)``, by frame; and metres for each unit of the keypoints ``(..., 1, 1)``, by the ratio
    of the spreads. Scale and metres are 0 where joints or keypoints have no extent, as fewer than
    two have none; the scale is also 0 where the image would have to be turned upside down.
    """
    weight = visible.to(positions)[..., None]
    count = weight.sum(dim=-2, keepdim=True).clamp_min(1)

    def centred(points: Tensor) -> tuple[Tensor, Tensor]:
        mean = (weight * points).sum(dim=-2, keepdim=True) / count
        return weight * (points - mean), mean

    (flat, middle), (seen, goal) = centred(positions[..., :2]), centred(keypoints)
    dots = [(a * b).sum(dim=(-2, -1), keepdim=True) for a, b in ((flat, seen), (flat, flat))]
    (along, size), spread = dots, seen.square().sum(dim=(-2, -1), keepdim=True)
    extended = (size > 1e-8) & (spread > 1e-12)
    one = torch.ones_like(size)
    scale = torch.where(extended, along / torch.where(extended, size, one), 0.0).clamp_min(0)
    metres = torch.where(extended, size / torch.where(extended, spread, one), 0.0).sqrt()
    return scale, goal - scale * middle, metres


def orthographic_loss(positions: Tensor, keypoints: Tensor, visible: Tensor) -> Tensor:
    """How far joints ``(B, T, J, 3)``, their depths left out, fall from the keypoints ``(B, T, J,
    2)``, after the best scale and shift of each frame (:func:`orthographic_fit`): squares summed
    over the ``visible`` ``(B, T, J)`` joints, the mean over frames.

    The keypoints may be of any unit, since it is metres that are squared: keypoints are taken to
    spread as widely as the pose does, which is not to gain by becoming smaller. ``ValueError`` for
    joints that are not those of the keypoints. Source: cheng2020, eq. 3; how metres and image are
    brought together it does not say.
    """
    shape = positions.shape[:-1]
    if keypoints.shape != (*shape, 2) or visible.shape != shape:
        raise ValueError(
            f"joints {tuple(positions.shape)} cannot be laid over keypoints "
            f"{tuple(keypoints.shape)}, visible {tuple(visible.shape)}: the three must be the same "
            "joints of the same frames"
        )
    # at their best, scale and shift have no gradient of their own
    scale, shift, metres = (v.detach() for v in orthographic_fit(positions, keypoints, visible))
    off = metres * (scale * positions[..., :2] + shift - keypoints)
    return (visible.to(off)[..., None] * off.square()).sum(dim=(-2, -1)).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-log of the probability, averaged, that what a generator made is taken for true: small where
    the discriminator's logits ``(B,)`` are large. The non-saturating loss of the standard GAN,
    which cheng2020 says it follows."""
    return F.softplus(-fake).mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log of the probability of being right, averaged over ``real`` logits ``(B,)`` and over
    ``fake`` ones ``(B',)``, added: 2 log 2 where nothing is known (standard GAN)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def gradient_penalty(logits: Tensor, real: Tensor) -> Tensor:
    """Half the square of the gradient of ``logits`` ``(B,)`` by the ``real`` sequences ``(B, ...)``
    that they were made of, averaged over B. It makes a discriminator flat where the true data lie,
    and the two-player game converge there (Mescheder et al. 2018, R1)."""
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean() / 2
