"""Windows of a person's track, as the Temporal PoseNet takes them (veges2020, 3.1 and 4.3).

Its input is 14 joints: image coordinates times the inverse calibration matrix, so that they mean
angles in any camera, and a score. The hip is absolute, the others are relative to it. Its answer is
the root's place, with the logarithm of its depth, and the joints relative to it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from paperlib.cameras import inverse_calibration
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import COMMON_14, convert, convert_confidence
from paperlib.windows.gather import Track, Windows
from paperlib.windows.keypoints import mirror

DOUBTFUL = 0.1  # score below which a joint is taken for not seen (reference)
_UNSEEN = -1700.0  # pixels from the principal point, both ways, where such a joint is put
_ZOOM = (0.6, 1.5)  # limits of the zoom, whose mean is 1 and whose standard deviation is …
_ZOOM_SPREAD = 0.2
_IN_FRONT = 0.1  # metres before the camera that zooming leaves any joint


def track_features(recording: Recording, zoom: float = 1.0, mirrored: bool = False) -> Tensor:
    """``(T, 14, 3)``: x, y and score of the joints of :data:`~paperlib.skeletons.COMMON_14`.

    The hip is at its own place, the others relative to it and divided by ``zoom``; a joint whose
    score is below :data:`DOUBTFUL` gets a constant far outside any picture instead.
    """
    focal = torch.tensor(recording.camera.focal)
    skeleton, hip = recording.keypoint_skeleton, COMMON_14.root
    image = inverse_calibration(recording.keypoints, recording.camera)
    points = convert(image, skeleton, COMMON_14)
    score = convert_confidence(recording.confidence, skeleton, COMMON_14)
    if mirrored:
        points, score = mirror(points, COMMON_14), score[:, list(COMMON_14.mirrored)]
    seen = (points - points[:, hip : hip + 1]) / zoom
    seen = torch.where((score < DOUBTFUL)[..., None], _UNSEEN / focal, seen)
    seen[:, hip] = points[:, hip]
    return torch.cat([seen, score[..., None]], dim=-1)


def track_targets(recording: Recording, zoom: float = 1.0, mirrored: bool = False) -> Tensor:
    """``(T, J, 3)``: the pose relative to its root, in metres; in the root's row its X, Y and log Z
    in camera space, after a ``zoom`` that moves the person away by that factor. The inverse is
    :func:`paperlib.models.temporal_posenet.absolute`."""
    root = recording.skeleton.root
    if not (recording.trajectory[:, 2] > 0).all():
        frame = int((recording.trajectory[:, 2] <= 0).nonzero()[0])
        raise ValueError(
            f"{recording.name}: the root is not in front of the camera in frame {frame}, so that "
            "its depth has no logarithm; cut such frames out"
        )
    place, pose = zoom * recording.trajectory, recording.pose
    answer = pose.clone()
    answer[:, root] = torch.cat([place[:, :2], place[:, 2:].log()], dim=-1)
    return mirror(answer, recording.skeleton) if mirrored else answer


def draw_zoom(recording: Recording, seed: int = 0) -> float:
    """A track's random zoom (veges2020, 4.3; its law is the reference's): normal about 1 with a
    deviation of 0.2, within 0.6 and 1.5, and such that no joint gets behind the camera."""
    rng = generator_of(f"zoom|{seed}|{recording.name}")
    drawn = float(np.clip(1 + _ZOOM_SPREAD * rng.standard_normal(), *_ZOOM))
    depth, ahead = recording.trajectory[:, 2], recording.pose[..., 2].amin(dim=1)
    return max(drawn, float(((_IN_FRONT - ahead) / depth).max()))


def track_windows(
    recordings: Sequence[Recording],
    receptive_field: int,
    zoom: bool = True,
    flip: bool = True,
    stride: int = 1,
    seed: int = 0,
    device: torch.device | str = "cpu",
    lost: bool = False,
) -> Windows:
    """Windows of track features ``(B, R, 14, 3)`` with the target ``"answer"`` ``(B, 1, J, 3)`` of
    the middle frame.

    With ``zoom`` every track is there twice, as it is and zoomed, and both count as examples. With
    ``flip`` an epoch takes each example either as it is or mirrored, by chance. Frames in which the
    person was not found are no targets, as in the reference implementation, unless ``lost``;
    ``stride`` takes every n-th of those that are.
    """
    kinds = {r.skeleton.name for r in recordings}
    if len(kinds) > 1:
        raise ValueError(f"recordings of different skeletons cannot be mixed: {sorted(kinds)}")
    if stride < 1 or receptive_field < 1 or receptive_field % 2 == 0:
        raise ValueError(
            f"stride must be at least 1 and a window have a middle, got {stride=} and "
            f"{receptive_field=}"
        )
    if recordings and not any(recording.found.any() for recording in recordings):
        raise ValueError("nobody was found in any frame: there is nothing to learn from")
    zooms = [(1.0, draw_zoom(r, seed)) if zoom else (1.0,) for r in recordings]
    tracks = [
        Track(
            length=len(recording),
            chosen=(recording.found | lost).nonzero().flatten()[::stride],
            inputs=track_features(recording, factor, mirrored),
            targets={"answer": track_targets(recording, factor, mirrored)},
        )
        for mirrored in ((False, True) if flip else (False,))
        for recording, factors in zip(recordings, zooms, strict=True)
        for factor in factors
    ]
    return Windows(tracks, receptive_field, versions=1 + flip, device=device)
