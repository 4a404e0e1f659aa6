"""The virtual studio: four calibrated cameras around a 4 x 4 m stage, and how motion is filmed.

Both free data sets are filmed here, so that a table made on one can be set beside the other.
"""

import math
from typing import Any

import torch

from paperlib.arrays import as_tensor
from paperlib.cameras import Camera, project, world_to_camera
from paperlib.kinematics import matrix_to_quaternion
from paperlib.recordings import Recording
from paperlib.rendering import joint_visibility
from paperlib.skeletons import H36M_17, Skeleton

STAGE = 4.0  # metres along each side


def look_at(
    position: tuple[float, float, float], target: tuple[float, float, float], roll: float = 0.0
) -> tuple[float, float, float, float]:
    """Camera-to-world quaternion of a camera at ``position`` that looks at ``target``; level, or
    turned clockwise about its axis by ``roll`` radians."""
    eye = torch.tensor(position, dtype=torch.float64)
    forward = torch.nn.functional.normalize(torch.tensor(target).double() - eye, dim=0)
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=0)
    down = torch.linalg.cross(forward, right)
    sine, cosine = math.sin(roll), math.cos(roll)
    right, down = cosine * right + sine * down, cosine * down - sine * right
    q = matrix_to_quaternion(torch.stack([right, down, forward], dim=1))
    return tuple(q.tolist())


def placed_camera(
    name: str, size: tuple[int, int], aim: float, row: tuple[float, ...], roll: float = 0.0
) -> Camera:
    """A camera of ``size`` pixels that looks at ``aim`` metres above the middle of the stage, with
    a ``roll`` in degrees.

    ``row`` says where it stands (azimuth in degrees, distance and height in metres) and what its
    lens is: focal lengths and centre, two numbers each, then k1, k2, k3, p1, p2.
    """
    azimuth, distance, height, fx, fy, cx, cy, *distortion = row
    angle = math.radians(azimuth)
    position = (distance * math.cos(angle), distance * math.sin(angle), height)
    lens = ((fx, fy), (cx, cy), tuple(distortion[:3]), tuple(distortion[3:]))
    turned = look_at(position, (0.0, 0.0, aim), math.radians(roll))
    return Camera(name, *size, *lens, turned, position)


# Near the corners of the stage, at heights and with lenses like those of motion-capture studios;
# the numbers are our own, and no two cameras are alike.
_STUDIO = {
    "cam0": (38, 6.0, 1.60, 1146.0, 1144.5, 508.0, 512.0, -0.20, 0.24, -0.003, -0.0008, -0.0014),
    "cam1": (141, 6.2, 1.52, 1150.5, 1149.0, 513.5, 504.0, -0.19, 0.23, 0.006, -0.0015, -0.0022),
    "cam2": (226, 5.8, 1.66, 1148.0, 1147.0, 492.0, 507.5, -0.21, 0.25, -0.002, 0.0012, -0.0007),
    "cam3": (317, 6.1, 1.56, 1143.0, 1145.0, 503.0, 496.0, -0.20, 0.22, -0.008, -0.0006, -0.0016),
}


def studio(
    azimuth: float = 0.0,
    distance: float = 0.0,
    height: float = 0.0,
    focal: float = 1.0,
    roll: float = 0.0,
) -> tuple[Camera, ...]:
    """The four cameras, moved on by ``azimuth`` degrees, and ``distance`` and ``height`` metres
    further off and up; focal lengths times ``focal``, and a ``roll`` in degrees. What a model that
    was trained in the studio makes of them shows what it has learnt of its cameras."""
    cameras = []
    for name, (around, off, up, fx, fy, *lens) in _STUDIO.items():
        row = (around + azimuth, off + distance, up + height, focal * fx, focal * fy, *lens)
        cameras.append(placed_camera(name, (1000, 1000), 0.95, row, roll))
    return tuple(cameras)


STUDIO = studio()


def film(
    world: torch.Tensor,
    *,
    subject: str,
    action: str,
    clip: str,
    fps: float,
    cameras: tuple[Camera, ...] = STUDIO,
    skeleton: Skeleton = H36M_17,
) -> tuple[Recording, ...]:
    """World positions ``(T, J, 3)``, a tensor or an array, as each camera sees them.

    They are metres, z up, the floor at 0; the default studio surrounds a stage of 4 by 4 m around
    the origin. Keypoints are the exact projections with confidence 1; ``visible`` is found by ray
    and capsule. ``ValueError`` for another shape, or a person who walks into a camera.
    """
    world = as_tensor(world).float()
    if world.shape[1:] != (len(skeleton), 3):
        raise ValueError(
            f"{subject}/{action}/{clip}: world positions of shape {tuple(world.shape)}, expected "
            f"(T, {len(skeleton)}, 3): frames, joints of {skeleton.name}, metres"
        )
    about = {"subject": subject, "action": action, "clip": clip, "fps": fps}
    return tuple(_one_view(world, camera, skeleton, about) for camera in cameras)


def _one_view(world, camera, skeleton, about: dict[str, Any]) -> Recording:
    positions = world_to_camera(world, camera)
    if not (positions[..., 2] > 0.3).all():
        place = "{subject}/{action}/{clip}".format(**about)
        raise ValueError(f"{place}: the person walks into camera {camera.name}")
    visible = joint_visibility(positions, skeleton)
    return exact_recording(positions, camera, skeleton, visible, **about)


def exact_recording(
    positions: torch.Tensor,
    camera: Camera,
    skeleton: Skeleton,
    visible: torch.Tensor | None,
    **about: Any,
) -> Recording:
    """The recording of ``positions`` ``(T, J, 3)``, metres in camera space, whose keypoints are
    their exact projections with confidence 1. ``visible`` is ``(T, J)`` bool, or None where nobody
    asks; ``about`` are the other fields."""
    keypoints = project(positions, camera)
    about |= {"skeleton": skeleton, "keypoint_skeleton": skeleton, "visible": visible}
    confidence = torch.ones_like(keypoints[..., 0])
    return Recording(
        camera=camera, positions=positions, keypoints=keypoints, confidence=confidence, **about
    )


def share_in_view(recording: Recording) -> float:
    """The share of keypoints that lie inside the image, from 0 to 1."""
    return share_inside(recording.keypoints, recording.camera)


def share_inside(pixels: torch.Tensor, camera: Camera) -> float:
    """The share of ``pixels`` ``(..., 2)`` that lie inside the camera's image, from 0 to 1."""
    u, v = pixels.unbind(-1)
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    return inside.float().mean().item()
