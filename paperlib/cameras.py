"""Perspective cameras with lens distortion; normalisations: the two of the papers, and our own.

Camera space is x right, y down, z forward, in metres; world space has z up; images are in pixels
with the origin at the upper left. The lens model is the one of the Human3.6M tools (pavllo2019,
section 4 and its reference implementation), whose tangential part differs from OpenCV's.
"""

from dataclasses import dataclass, replace

import torch

from paperlib.arrays import as_tensor, in_parts
from paperlib.kinematics import quaternion_apply, quaternion_inverse

NORMALISATIONS = ("screen", "person")  # what a network may be given of keypoints
_NUMBERS = 16  # that a point asks for on its way through a camera


@dataclass(frozen=True)
class Camera:
    """One calibrated view.

    ``focal`` and ``centre`` are pixels; ``radial`` is (k1, k2, k3), ``tangential`` (p1, p2);
    ``orientation`` is the unit quaternion (w, x, y, z) that turns camera space into world space;
    ``position`` is the camera's centre in the world, in metres.
    """

    name: str
    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    orientation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self):
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"camera {self.name}: image of {self.width} x {self.height} pixels")
        if min(self.focal) <= 0:
            raise ValueError(f"camera {self.name}: focal length {self.focal} must be positive")
        if abs(sum(q * q for q in self.orientation) - 1) > 1e-3:
            raise ValueError(f"camera {self.name}: {self.orientation} is not a unit quaternion")

    def without_distortion(self) -> "Camera":
        return replace(self, radial=(0.0, 0.0, 0.0), tangential=(0.0, 0.0))

    def mirrored(self) -> "Camera":
        """The intrinsics under which the mirror image of a scene is seen: principal point and
        first tangential coefficient change sides. Extrinsics stay as they are."""
        return replace(
            self,
            centre=(self.width - self.centre[0], self.centre[1]),
            tangential=(-self.tangential[0], self.tangential[1]),
        )


def _vector(values: tuple[float, ...], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def _floating(points: torch.Tensor, size: int, what: str) -> torch.Tensor:
    """The points ``(..., size)``; whole numbers, as annotations have pixels, in floating point,
    since what a camera makes of them is none."""
    points = as_tensor(points)
    if points.ndim < 1 or points.shape[-1] != size:
        raise ValueError(f"{what}: expected (..., {size}), got shape {tuple(points.shape)}")
    return points if points.is_floating_point() else points.float()


def world_to_camera(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """``(..., 3)`` world metres to camera space: R(q)^-1 (X - t).

    >>> camera = Camera("back", 1000, 1000, (1100, 1100), (500, 500), position=(0, 0, -5))
    >>> world_to_camera(torch.zeros(3), camera).tolist()
    [0.0, 0.0, 5.0]
    """
    points = _floating(points, 3, "world points")
    rotation = quaternion_inverse(_vector(camera.orientation, points))
    position = _vector(camera.position, points)
    return in_parts(lambda some: quaternion_apply(rotation, some - position), points, each=_NUMBERS)


def camera_to_world(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """``(..., 3)`` camera space to world metres: R(q) X + t.

    >>> camera = Camera("back", 1000, 1000, (1100, 1100), (500, 500), position=(0, 0, -5))
    >>> camera_to_world(torch.tensor([0.0, 0.0, 5.0]), camera).tolist()
    [0.0, 0.0, 0.0]
    """
    points = _floating(points, 3, "camera points")
    rotation, position = _vector(camera.orientation, points), _vector(camera.position, points)
    return in_parts(lambda some: quaternion_apply(rotation, some) + position, points, each=_NUMBERS)


def _distort(plane: torch.Tensor, radial, tangential: torch.Tensor) -> torch.Tensor:
    """Bends ``(..., 2)`` points X/Z, Y/Z: x (rho + tau) + p r^2 with radial rho, tangential tau."""
    k1, k2, k3 = radial
    r2 = (plane**2).sum(dim=-1, keepdim=True)
    rho = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    tau = (tangential * plane).sum(dim=-1, keepdim=True)
    return plane * (rho + tau) + tangential * r2


def project(points: torch.Tensor, camera: Camera) -> torch.Tensor:
    """``(..., 3)`` camera-space metres to ``(..., 2)`` pixels, lens distortion included.

    Before the lens bends them, points are limited to 45 degrees off the axis, as in the reference:
    the polynomial means nothing further out. A point at or behind the camera has no image.

    >>> camera = Camera("front", 1000, 1000, focal=(1100, 1100), centre=(500, 500))
    >>> project(torch.tensor([0.5, 0.0, 5.0]), camera).tolist()
    [610.0, 500.0]
    """
    points = _floating(points, 3, "camera points")
    given = (camera.tangential, camera.focal, camera.centre)
    tangential, focal, centre = (_vector(values, points) for values in given)

    def pixels(some: torch.Tensor) -> torch.Tensor:
        plane = (some[..., :2] / some[..., 2:]).clamp(-1, 1)
        return _distort(plane, camera.radial, tangential) * focal + centre

    return in_parts(pixels, points, each=_NUMBERS)


def screen_intrinsics(camera: Camera) -> torch.Tensor:
    """``(9,)``: focal lengths, centre, k1, k2, k3, p1, p2 of a camera whose image is measured in
    screen coordinates, as :func:`normalize_screen_coordinates` makes them of pixels."""
    centre = normalize_screen_coordinates(
        torch.tensor(camera.centre, dtype=torch.float64), camera.width, camera.height
    ).tolist()
    focal = (2 * f / camera.width for f in camera.focal)
    return torch.tensor([*focal, *centre, *camera.radial, *camera.tangential])


def project_to_screen(
    points: torch.Tensor, intrinsics: torch.Tensor, distortion: bool = True
) -> torch.Tensor:
    """``(B, ..., 3)`` camera-space metres to ``(B, ..., 2)`` screen coordinates, each of the B by
    its own row of :func:`screen_intrinsics` ``(B, 9)``. ``distortion=False`` keeps straight lines
    straight (pavllo2019, section 4).

    As :func:`project`, differentiable; a point at or behind the camera has no image.
    """
    points = _floating(points, 3, "camera points")
    if intrinsics.shape != (len(points), 9):
        raise ValueError(
            f"points {tuple(points.shape)} need intrinsics ({len(points)}, 9), a row of "
            f"screen_intrinsics for each; got {tuple(intrinsics.shape)}"
        )
    rows = intrinsics.reshape(len(intrinsics), *[1] * (points.ndim - 2), 9)
    focal, centre, radial, tangential = rows.split([2, 2, 3, 2], dim=-1)
    plane = (points[..., :2] / points[..., 2:]).clamp(-1, 1)
    if distortion:
        plane = _distort(plane, radial.split(1, dim=-1), tangential)
    return plane * focal + centre


def unproject(pixels: torch.Tensor, depth: torch.Tensor, camera: Camera) -> torch.Tensor:
    """``(..., 2)`` pixels at ``(...)`` depths in metres to ``(..., 3)`` camera space.

    The inverse of :func:`project`: the lens is undone by Newton's method on its two equations.

    >>> camera = Camera("front", 1000, 1000, focal=(1100, 1100), centre=(500, 500))
    >>> point = unproject(torch.tensor([610.0, 500.0]), torch.tensor(5.0), camera)
    >>> point.round(decimals=4).tolist()
    [0.5, 0.0, 5.0]
    """
    pixels = _floating(pixels, 2, "pixels")
    if pixels.shape[:-1] != depth.shape:
        raise ValueError(f"pixels {tuple(pixels.shape)} need depths of shape {pixels.shape[:-1]}")

    def points(pixels: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        plane = undistort(inverse_calibration(pixels, camera), camera)
        return torch.cat([plane, torch.ones_like(plane[..., :1])], dim=-1) * depth[..., None]

    return in_parts(points, pixels, depth, each=_NUMBERS)


def undistort(bent: torch.Tensor, camera: Camera, steps: int = 20) -> torch.Tensor:
    """The straight ``(..., 2)`` image-plane point of each bent one (inverse of the lens model)."""
    lens = (_vector(values, bent) for values in (camera.radial, camera.tangential))
    return straightened(bent, *lens, steps)


def straightened(
    bent: torch.Tensor, radial: torch.Tensor, tangential: torch.Tensor, steps: int
) -> torch.Tensor:
    """:func:`undistort` for points each of a lens of its own: ``radial`` ``(..., 3)`` and
    ``tangential`` ``(..., 2)``, by so many ``steps`` of Newton's method, each of which doubles the
    right digits."""
    (k1, k2, k3), (p1, p2) = radial.unbind(-1), tangential.unbind(-1)
    bx, by = x, y = bent.unbind(-1)
    for _ in range(steps):
        r2 = x * x + y * y
        factor = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + p1 * x + p2 * y
        slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
        fx, fy = x * factor + p1 * r2 - bx, y * factor + p2 * r2 - by
        a, b = factor + x * (slope * x + p1) + 2 * p1 * x, x * (slope * y + p2) + 2 * p1 * y
        c, d = y * (slope * x + p1) + 2 * p2 * x, factor + y * (slope * y + p2) + 2 * p2 * y
        determinant = a * d - b * c
        x, y = x - (d * fx - b * fy) / determinant, y - (a * fy - c * fx) / determinant
    return torch.stack([x, y], dim=-1)


def normalize_screen_coordinates(pixels: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """``(..., 2)`` pixels to [-1, 1] across the width, aspect ratio kept (pavllo2019).

    >>> normalize_screen_coordinates(torch.tensor([1000.0, 500.0]), 1000, 500).tolist()
    [1.0, 0.5]
    """
    pixels = _floating(pixels, 2, "pixels")
    return pixels * (2 / width) - _vector((1.0, height / width), pixels)


def denormalize_screen_coordinates(screen: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Inverse of :func:`normalize_screen_coordinates`.

    >>> denormalize_screen_coordinates(torch.tensor([1.0, 0.5]), 1000, 500).tolist()
    [1000.0, 500.0]
    """
    screen = _floating(screen, 2, "screen coordinates")
    return (screen + _vector((1.0, height / width), screen)) * (width / 2)


def normalize_person_coordinates(pixels: torch.Tensor) -> torch.Tensor:
    """``(..., K, 2)`` pixels of a person's keypoints, centred on their mean and divided by their
    root mean square distance from it, frame by frame.

    Where the person stands in the image, how far away, and the focal length, which no film tells,
    are then all but gone; so is what they would tell of the place in the room.

    >>> normalize_person_coordinates(torch.tensor([[400.0, 300.0], [600.0, 300.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    pixels = _floating(pixels, 2, "pixels")
    centred = pixels - pixels.mean(dim=-2, keepdim=True)
    spread = centred.square().sum(dim=-1, keepdim=True).mean(dim=-2, keepdim=True).sqrt()
    return centred / spread.clamp(min=1.0)  # a pixel: keypoints that all fell on one place


def inverse_calibration(pixels: torch.Tensor, camera: Camera) -> torch.Tensor:
    """``(..., 2)`` pixels times the inverse calibration matrix: (u - c) / f (veges2020, 3.1).

    Coordinates then mean the same angle in every camera. Lens distortion is not undone.

    >>> camera = Camera("front", 1000, 1000, focal=(1000, 1000), centre=(500, 500))
    >>> inverse_calibration(torch.tensor([750.0, 500.0]), camera).tolist()
    [0.25, 0.0]
    """
    pixels = _floating(pixels, 2, "pixels")
    return (pixels - _vector(camera.centre, pixels)) / _vector(camera.focal, pixels)
