"""From pixels and depths about the root to millimetres: that takes the depth of the root.

kato2020 is silent about it. Public code of integral regression takes the true one in testing, which
no image tells; or it can be estimated, since whoever has longer bones in the image is nearer.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from paperlib import kinematics
from paperlib.errors import one_of
from paperlib.recordings import Recording
from paperlib.virtual_camera import rays

ROOT_DEPTHS = ("true", "estimated")
_NEAREST = 0.1  # metres before the camera, of any joint


def bone_lengths(recordings: Sequence[Recording]) -> Tensor:
    """``(M,)``: the mean length of each bone of the skeleton, metres, over all frames."""
    if not recordings:
        raise ValueError("no recordings to measure bones of")
    parents = recordings[0].skeleton.parents
    return torch.cat([kinematics.bone_lengths(r.truth, parents) for r in recordings]).mean(dim=0)


def estimated_root_depth(recording: Recording, lengths: Tensor) -> Tensor:
    """``(T,)``: the depth of the root, metres, at which keypoints and depths of a frame make a body
    of bones as long as ``lengths`` ``(M,)``: the sum of their squares is the same.

    A joint on the ray r at the depth Z + d is r (Z + d), so that each bone is a Z + b, and the sum
    of squares is a quadratic in Z; of its two zeros the one further away counts. Where a frame has
    no such depth, it is the one of the smallest body.
    """
    depths, ways = _depths(recording), rays(recording)
    bones = recording.skeleton.bones
    if lengths.shape != (len(bones),):
        raise ValueError(
            f"{recording.name}: expected lengths ({len(bones)},), one for each bone of "
            f"{recording.skeleton.name}, got {tuple(lengths.shape)}"
        )
    upper, lower = ([bone[end] for bone in bones] for end in (0, 1))
    at = ways * depths[..., None]
    a, b = (points[:, lower] - points[:, upper] for points in (ways, at))
    square, linear = ((a * other).sum(dim=(1, 2)) for other in (a, b))
    constant = b.square().sum(dim=(1, 2)) - lengths.to(b).square().sum()
    square = square.clamp_min(1e-9)
    inner = (linear**2 - square * constant).clamp_min(0)
    return torch.maximum((inner.sqrt() - linear) / square, _NEAREST - depths.amin(dim=1))


def to_camera_space(
    recording: Recording, root_depth: str = "true", lengths: Tensor | None = None
) -> Tensor:
    """``(T, J, 3)``: keypoints and depths about the root as positions in camera space, metres, the
    lens undone.

    ``root_depth`` is one of :data:`ROOT_DEPTHS`: the ``"true"`` depth of the root, which no image
    tells, or the ``"estimated"`` one by the mean ``lengths`` of the training bodies' bones
    (:func:`bone_lengths`). ``ValueError`` for recordings without depths, of other joints than the
    positions', and for a root behind the camera.
    """
    one_of("root_depth", root_depth, ROOT_DEPTHS)
    if root_depth == "estimated":
        if lengths is None:
            raise ValueError("root_depth='estimated' needs the lengths of bones (bone_lengths)")
        root = estimated_root_depth(recording, lengths)
    else:
        root = recording.trajectory[:, 2]
        if not (root > 0).all():
            frame = int((root <= 0).nonzero()[0])
            raise ValueError(
                f"{recording.name}: the root is behind the camera in frame {frame} "
                f"({root[frame]:.2f} m): cut such frames out"
            )
    return rays(recording) * (root[:, None] + _depths(recording))[..., None]


def first_stage_poses(
    recording: Recording, root_depth: str = "true", lengths: Tensor | None = None
) -> Tensor:
    """``(T, J, 3)``: :func:`to_camera_space`, relative to the root: what the first stage of
    kato2020 says of the pose, frame by frame, to be measured by
    :func:`paperlib.evaluation.compare`."""
    positions = to_camera_space(recording, root_depth, lengths)
    root = recording.skeleton.root
    return positions - positions[:, root : root + 1]


def _depths(recording: Recording) -> Tensor:
    if recording.depths is None or recording.keypoint_skeleton != recording.skeleton:
        raise ValueError(
            f"{recording.name}: depths of the joints of {recording.skeleton.name} are needed, as "
            "paperlib.prediction.predict_joints gives them; it has "
            f"{'none' if recording.depths is None else recording.keypoint_skeleton.name + 's'}"
        )
    return recording.depths
