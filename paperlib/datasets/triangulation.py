"""Points in space from where several calibrated cameras see them, and who is who among those."""

from collections.abc import Sequence
from itertools import permutations, product
from typing import NamedTuple

import torch
from torch import Tensor

from paperlib.cameras import (
    Camera,
    camera_to_world,
    inverse_calibration,
    project,
    undistort,
    world_to_camera,
)

_OFF = 8.0  # pixels from which a keypoint counts less and less
_STEPS = 20  # of the reweighting, which then has settled
_NONE = 1e-6  # trust in what was not found: the equations keep a solution
_MOST = 5000  # ways to give people of several views the same numbers


def triangulated(
    pixels: Tensor, trust: Tensor, cameras: Sequence[Camera], steps: int = _STEPS
) -> tuple[Tensor, Tensor]:
    """The points ``(T, K, 3)``, metres, world, nearest to the rays of ``pixels`` ``(V, T, K, 2)``,
    and how far from these they are seen, ``(V, T, K)`` pixels; float64.

    Views are weighted by ``trust`` ``(V, T, K)``, 0 or more, and anew in each of the ``steps`` by
    how far off they are (Cauchy's weights), so that one wrong view among several hardly counts.
    ``ValueError`` for fewer than two views, or shapes that do not belong together.
    """
    if not 2 <= len(pixels) == len(cameras) or trust.shape != pixels.shape[:-1]:
        raise ValueError(
            f"pixels {tuple(pixels.shape)}, trust {tuple(trust.shape)} and {len(cameras)} cameras: "
            "expected (V, T, K, 2), (V, T, K) and V of them, two or more"
        )
    pixels, trust = pixels.double(), trust.double() + _NONE
    rays, eyes = [], []
    for seen, camera in zip(pixels, cameras, strict=True):
        eye = torch.tensor(camera.position, dtype=torch.float64)
        plane = undistort(inverse_calibration(seen, camera), camera)
        ahead = torch.cat([plane, torch.ones_like(plane[..., :1])], dim=-1)
        rays.append(torch.nn.functional.normalize(camera_to_world(ahead, camera) - eye, dim=-1))
        eyes.append(eye)
    ray = torch.stack(rays)
    # the distance from a ray is that across it
    across = torch.eye(3, dtype=torch.float64) - ray[..., :, None] * ray[..., None, :]
    aim = (across @ torch.stack(eyes)[:, None, None, :, None])[..., 0]
    weight = trust
    for _ in range(steps):
        matrix = (weight[..., None, None] * across).sum(dim=0)
        points = torch.linalg.solve(matrix, (weight[..., None] * aim).sum(dim=0))
        off = torch.stack(
            [
                (project(world_to_camera(points, camera), camera) - seen).norm(dim=-1)
                for camera, seen in zip(cameras, pixels, strict=True)
            ]
        )
        weight = trust / (1 + (off / _OFF).square())
    return points, off


class Match(NamedTuple):
    """One way to tell who is who: ``people`` (V, P) are, for each view, the numbers in it of those
    who are the same in all; ``pixels`` is how far off their keypoints are on average if so."""

    people: tuple[tuple[int, ...], ...]
    pixels: float


def who_is_who(pixels: Tensor, trust: Tensor, cameras: Sequence[Camera]) -> list[Match]:
    """All ways to give P people, whom V views see in orders of their own, the same numbers, the
    likeliest first: that whose rays come nearest to meeting. ``pixels`` are ``(V, P, T, K, 2)``,
    ``trust`` ``(V, P, T, K)``; the order of the first view stays. The mean is taken over what was
    found, at most a body's length each. ``ValueError`` for too many ways."""
    views, people = pixels.shape[:2]
    orders = list(permutations(range(people)))
    if len(orders) ** (views - 1) > _MOST:
        raise ValueError(f"{people} people in {views} views: too many ways to tell who is who")
    # one wrong keypoint must not decide: none is further off than a person is tall
    known = (trust > 0)[..., None]
    low = pixels.where(known, torch.inf).amin(dim=(2, 3))
    high = pixels.where(known, -torch.inf).amax(dim=(2, 3))
    limit = float((high - low).clamp(min=0).norm(dim=-1).median())
    found = []
    for rest in product(orders, repeat=views - 1):
        match, total, count = (orders[0], *rest), 0.0, 0
        for person in range(people):
            rows = [each[person] for each in match]
            seen = torch.stack([pixels[view, row] for view, row in enumerate(rows)])
            sure = torch.stack([trust[view, row] for view, row in enumerate(rows)])
            _, off = triangulated(seen, sure, cameras, steps=3)
            total += float(off.clamp(max=limit)[sure > 0].sum())
            count += int((sure > 0).sum())
        found.append(Match(match, total / max(count, 1)))
    return sorted(found, key=lambda each: each.pixels)
