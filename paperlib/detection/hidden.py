"""What a simulated detector finds in place of a joint that it does not see."""

import numpy as np
import torch

from paperlib.cameras import project
from paperlib.detection.events import Events
from paperlib.recordings import Recording

_IN_FRONT = 0.03  # metres by which a bone's axis is nearer to the camera than what it hides


def hidden_keypoints(recording: Recording) -> np.ndarray:
    """``(T, K)`` bool: where the joint of a keypoint's name is hidden; unknown is seen."""
    joints, points = recording.skeleton.joints, recording.keypoint_skeleton.joints
    hidden = np.zeros((len(recording), len(points)), dtype=bool)
    if recording.visible is not None:
        known = [k for k, name in enumerate(points) if name in joints]
        columns = [joints.index(points[k]) for k in known]
        hidden[:, known] = ~recording.visible[:, columns].numpy()
    return hidden


def faded(hidden: np.ndarray, fps: float, seconds: float = 0.1) -> np.ndarray:
    """``(T, K)`` from 0 (seen) to 1: a joint becomes hard to see over some time, not at once."""
    half = round(seconds * fps / 2)
    if half == 0 or not hidden.any():
        return hidden.astype(np.float32)
    padded = np.pad(hidden, ((half + 1, half), (0, 0)), mode="edge")
    total = padded.cumsum(axis=0, dtype=np.int32)
    width = 2 * half + 1
    return ((total[width:] - total[:-width]) / np.float32(width)).astype(np.float32)


def on_occluder(recording: Recording, snaps: Events) -> tuple[Events, np.ndarray]:
    """Of hidden keypoints those that something of the own body hides, and the pixels ``(N, 2)`` of
    the nearest point, in the image, on a bone in front of them."""
    skeleton, points = recording.skeleton, recording.keypoint_skeleton
    names = [points.joints[k] for k in snaps.column]
    joint = np.array([skeleton.joints.index(name) for name in names], dtype=int)
    start, end = np.array(skeleton.bones).T
    frames, row = np.unique(snaps.frame, return_inverse=True)
    body = recording.truth[torch.from_numpy(frames)]
    image = project(body, recording.camera).numpy().astype(np.float64)[row]  # (N, J, 2)
    depth = body[..., 2].numpy().astype(np.float64)[row]
    rows = np.arange(len(joint))
    place = image[rows, joint]
    along = image[:, end] - image[:, start]
    share = ((place[:, None] - image[:, start]) * along).sum(axis=-1)
    share = (share / np.maximum(np.square(along).sum(axis=-1), 1e-9)).clip(0, 1)
    nearest = image[:, start] + share[..., None] * along
    nearer = depth[:, start] + share * (depth[:, end] - depth[:, start])
    own = (start == joint[:, None]) | (end == joint[:, None])
    in_front = ~own & (nearer < depth[rows, joint][:, None] - _IN_FRONT)
    distance = np.where(in_front, np.linalg.norm(nearest - place[:, None], axis=-1), np.inf)
    bone = distance.argmin(axis=1)
    there = np.isfinite(distance[rows, bone])
    return snaps.where(there), nearest[rows, bone][there]
