"""A camera turned to the person: what an unknown place in the image would tell a network falsely.

Keypoints of one pose differ with the place in the image where they stand: somebody at its side is
seen from the side, and a pose in the camera's axes is then turned against what the keypoints alone
show. A camera that is turned to the person, frame by frame, sees them in its middle. What a network
answers is turned back. The focal length need not be known well: an error of it turns a pose by a
part of the angle off the axis, and by nothing in the middle. Where it is known which way is down,
the turned camera is held level as well, as a camera on a tripod is, which all networks have seen.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from paperlib.cameras import inverse_calibration, unproject
from paperlib.kinematics import rotation_about, rotation_apply, shortest_turn
from paperlib.recordings import Recording


def turns_to_person(recording: Recording, down: Sequence[float] | None = None) -> Tensor:
    """``(T, 3, 3)``: for each frame the least rotation that brings the middle of the person's
    keypoints onto the camera's axis, from the camera's axes to those of the turned one.

    With ``down``, the direction (x, y, z) in the camera's axes that is down, the camera is then
    turned about its axis until down is straight below in its picture, too."""
    return _turns(rays(recording), down)


def facing(
    recording: Recording, down: Sequence[float] | None = None, turns: Tensor | None = None
) -> Recording:
    """The recording as a camera that is turned to the person in each frame would see it
    (:func:`turns_to_person`): keypoints in its pixels, the lens undone, and positions, where they
    are known, in its axes (the camera's place stays). ``recording.camera`` is then the same in all
    but its lens; its orientation stays that of the camera before, since the new one has another in
    every frame. ``turns`` are those of :func:`turns_to_person`, where they are known already.

    ``ValueError`` for heat maps or images, which are of the camera before.
    """
    if recording.heatmaps is not None or recording.images is not None:
        raise ValueError(f"{recording.name}: its heat maps or images are not turned with a camera")
    ways, camera = rays(recording), recording.camera.without_distortion()
    turn = _turns(ways, down) if turns is None else turns
    seen = rotation_apply(turn[:, None], ways)
    focal, centre = (ways.new_tensor(values) for values in (camera.focal, camera.centre))
    changed = {"keypoints": (seen[..., :2] / seen[..., 2:].clamp_min(1e-3)) * focal + centre}
    if recording.positions is not None:
        changed["positions"] = rotation_apply(turn[:, None], recording.positions)
    return replace(recording, camera=camera, crops=None, **changed)


def turned_back(poses: Tensor, turns: Tensor) -> Tensor:
    """Poses ``(T, J, 3)`` in the axes of turned cameras, as ``turns`` ``(T, 3, 3)``
    (:func:`turns_to_person`) made them, in the camera's own axes again."""
    if len(poses) != len(turns):
        raise ValueError(f"{len(poses)} poses and {len(turns)} turns: one for each frame")
    return rotation_apply(turns.mT[:, None].to(poses), poses)


def rays(recording: Recording) -> Tensor:
    """``(T, K, 3)``: the points at depth 1 that keypoints show, metres, the lens undone."""
    keypoints, camera = recording.keypoints, recording.camera
    ones = torch.ones_like(keypoints[..., 0])
    if any((*camera.radial, *camera.tangential)):
        return unproject(keypoints, ones, camera)
    # a pinhole: frame by frame, undoing a lens that is none would take longer than all the rest
    return torch.cat([inverse_calibration(keypoints, camera), ones[..., None]], dim=-1)


def _turns(ways: Tensor, down: Sequence[float] | None) -> Tensor:
    middle = torch.nn.functional.normalize(ways.mean(dim=-2), dim=-1)
    turn = shortest_turn(ways.new_tensor([0.0, 0.0, 1.0]), middle).mT
    if down is None:
        return turn
    x, y, _ = rotation_apply(turn, ways.new_tensor(down)).unbind(-1)
    return rotation_about("z", torch.atan2(x, y)) @ turn
