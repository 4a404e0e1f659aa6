"""What everything else is measured against, as the public implementations do it: NumPy on the
processor, one camera and one joint after the other. The design is theirs, the text is ours."""

import numpy as np
import torch
from torch import Tensor

from paperlib.cameras import Camera
from paperlib.rendering import body_capsules, capsule_radii
from paperlib.skeletons import Skeleton


def p_mpjpe(predicted: np.ndarray, target: np.ndarray) -> float:
    """Mean error of poses ``(N, J, 3)`` after alignment, by LAPACK's batched singular values."""
    target_mean = target.mean(axis=1, keepdims=True)
    source_mean = predicted.mean(axis=1, keepdims=True)
    b, a = target - target_mean, predicted - source_mean
    b_size = np.sqrt((b**2).sum(axis=(1, 2), keepdims=True))
    a_size = np.sqrt((a**2).sum(axis=(1, 2), keepdims=True))
    u, s, vt = np.linalg.svd((b / b_size).transpose(0, 2, 1) @ (a / a_size))
    v = vt.transpose(0, 2, 1)
    mirrored = np.sign(np.linalg.det(v @ u.transpose(0, 2, 1)))
    v[:, :, -1] *= mirrored[:, None]
    s[:, -1] *= mirrored
    turn = v @ u.transpose(0, 2, 1)
    scale = s.sum(axis=1)[:, None, None] * b_size / a_size
    moved = target_mean - scale * (source_mean @ turn)
    aligned = scale * (predicted @ turn) + moved
    return float(np.mean(np.linalg.norm(aligned - target, axis=-1)))


def forward_kinematics(rotations: Tensor, offsets: Tensor, parents, root: Tensor) -> Tensor:
    """``(T, J, 3)``, joint after joint."""
    turned, placed = [], []
    for joint, parent in enumerate(parents):
        if parent < 0:
            turned.append(rotations[:, joint])
            placed.append(root + offsets[joint])
        else:
            placed.append(placed[parent] + turned[parent] @ offsets[joint])
            turned.append(turned[parent] @ rotations[:, joint])
    return torch.stack(placed, dim=1)


def film(world: np.ndarray, camera: Camera) -> np.ndarray:
    """World metres ``(T, J, 3)`` to one camera's pixels ``(T, J, 2)``."""
    inverse = np.array(camera.orientation, np.float32) * np.array([1, -1, -1, -1], np.float32)
    q = np.tile(inverse, (*world.shape[:-1], 1))
    points = world - np.array(camera.position, np.float32)
    across = np.cross(q[..., 1:], points)
    points = points + 2 * (q[..., :1] * across + np.cross(q[..., 1:], across))
    plane = np.clip(points[..., :2] / points[..., 2:], -1, 1)
    r2 = np.sum(plane**2, axis=-1, keepdims=True)
    powers = np.concatenate([r2, r2**2, r2**3], axis=-1)
    radial = 1 + np.sum(np.array(camera.radial, np.float32) * powers, axis=-1, keepdims=True)
    tangential = np.array(camera.tangential, np.float32)
    tan = np.sum(tangential * plane, axis=-1, keepdims=True)
    bent = plane * (radial + tan) + tangential * r2
    return bent * np.array(camera.focal, np.float32) + np.array(camera.centre, np.float32)


def visibility(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """``(T, J)``: every joint against every bone of another limb, one joint after the other."""
    radii = capsule_radii(skeleton)
    start = positions[:, [p for p, _ in skeleton.bones]]
    along = positions[:, [c for _, c in skeleton.bones]] - start
    hidden = []
    for joint in range(len(skeleton)):
        own = {joint, skeleton.parents[joint], *(c for p, c in skeleton.bones if p == joint)}
        other = [m for m, bone in enumerate(skeleton.bones) if not own & set(bone)]
        depth = positions[:, joint].norm(dim=-1, keepdim=True)
        sight = (positions[:, joint] * ((depth - 0.1) / depth).clamp_min(0))[:, None]
        gap = _gap(sight, start[:, other], along[:, other])
        hidden.append((gap < radii[other]).any(dim=-1))
    return ~torch.stack(hidden, dim=-1)


def people_visibility(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """``(P, T, J)`` of people ``(P, T, J, 3)``: what is not hidden by the own body, nor by any
    capsule of anybody else, one pair of people after the other."""
    bodies = body_capsules(positions, skeleton)
    seen = torch.stack([visibility(person, skeleton) for person in positions])
    for person, sight in enumerate(positions):
        for other in range(len(positions)):
            if other != person:
                start, along = bodies.start[other][:, None], bodies.along[other][:, None]
                gap = _gap(sight[:, :, None], start, along)
                seen[person] &= ~(gap < bodies.radii).any(dim=-1)
    return seen


def _gap(sight: Tensor, start: Tensor, along: Tensor) -> Tensor:
    """Distance of the segments from the camera to ``sight`` and from ``start`` along ``along``."""
    a, b, c = (sight * sight).sum(-1), (sight * along).sum(-1), (along * along).sum(-1)
    d, e, c = (sight * start).sum(-1), (along * start).sum(-1), c.clamp_min(1e-12)
    s = ((d * c - b * e) / (a * c - b * b).clamp_min(1e-12)).clamp(0, 1)
    t = ((b * s - e) / c).clamp(0, 1)
    s = ((d + b * t) / a.clamp_min(1e-12)).clamp(0, 1)
    return (s[..., None] * sight - start - t[..., None] * along).norm(dim=-1)


def clustered(positions: np.ndarray, tolerance: float) -> np.ndarray:
    """The text of wang2020, 4.1, word by word: a set about each joint of each pose."""
    hidden = np.zeros(positions.shape[:-1], dtype=bool)
    for pose, marks in zip(positions, hidden, strict=True):
        for x, y, _ in pose:
            near = [j for j, (a, b, _) in enumerate(pose) if np.hypot(a - x, b - y) < tolerance]
            seen = min(near, key=lambda j: pose[j, 2])
            marks[[j for j in near if j != seen]] = True
    return hidden
