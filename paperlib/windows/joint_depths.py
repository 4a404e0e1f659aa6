"""What the second stage of kato2020 is given (table I): keypoints, and with them depths or not."""

from dataclasses import replace

import torch

from paperlib.cameras import project
from paperlib.errors import one_of
from paperlib.recordings import Recording

#: the rows of kato2020's table I, in its order
INPUTS = ("2d", "2d_depth", "2d_depth_noise", "gt_2d", "gt_2d_depth")


def as_inputs(recording: Recording, inputs: str) -> Recording:
    """The recording with the keypoints and depths that a second stage of these ``inputs`` (one of
    :data:`INPUTS`) learns from and is tested on.

    ``2d`` are a detector's keypoints alone, ``2d_depth`` and ``2d_depth_noise`` they and its
    depths; ``gt_2d`` are exact projections of the positions, ``gt_2d_depth`` they and the true
    depths from the root, metres. ``ValueError`` for a recording that lacks what is asked for: a
    detector's depths, positions, or a person in front of the camera.
    """
    one_of("inputs", inputs, INPUTS)
    if not inputs.startswith("gt_"):
        if inputs == "2d":
            return replace(recording, depths=None)
        if recording.depths is None:
            raise ValueError(
                f"{recording.name} has no depths, which inputs={inputs!r} takes: predict them from "
                "images first (paperlib.prediction.predict_joints)"
            )
        return recording
    positions, skeleton = recording.truth, recording.skeleton
    if not (positions[..., 2] > 0).all():
        frame = int((positions[..., 2] <= 0).any(dim=1).nonzero()[0])
        raise ValueError(
            f"{recording.name}: not in front of the camera in frame {frame}; cut such frames out"
        )
    found = torch.ones(positions.shape[:2], dtype=positions.dtype)
    exact = recording.with_keypoints(project(positions, recording.camera), found, skeleton)
    return exact if inputs == "gt_2d" else replace(exact, depths=recording.pose[..., 2])
