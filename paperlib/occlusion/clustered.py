"""Clustered occlusions (wang2020, 4.1): of joints that lie close together in the image, the nearest
to the camera is seen and the others are not."""

import torch
from torch import Tensor

from paperlib.arrays import in_parts
from paperlib.errors import one_of
from paperlib.occlusion.bodies import check_points

TOLERANCE = 0.06  # wang2020, 4.1; it does not say of what
RULES = ("sets", "pairs", "chains")


def clustered(
    points: Tensor, depths: Tensor | None = None, tolerance: float = TOLERANCE, rule: str = "sets"
) -> Tensor:
    """Which joints ``(..., J)`` are hidden, for ``points`` ``(..., J, 2)`` and their ``depths``
    ``(..., J)`` from the camera, of which only the order counts.

    The paper gives the tolerance without a unit: it is that of ``points``. In screen coordinates
    (half an image's width is 1) 0.06 is 30 pixels of 1000; with x and y in camera space it is
    6 cm. Two joints are neighbours where they are less than that apart. What a cluster is:

    * ``"sets"``, as the text has it: each joint with its neighbours is one, and of each all but
      the nearest are hidden. A joint that is the nearest of its own and not of another is hidden.
    * ``"pairs"``: a joint is hidden by any of its neighbours that is nearer. Fewer are.
    * ``"chains"``: neighbours of neighbours belong to it too, and so on; one of all is seen.

    Of equally near joints the first in the skeleton's order is seen. Without ``depths``, as from
    an image, nobody can tell which joint of a cluster is in front: all of it are taken as hidden.
    """
    one_of("rule", rule, RULES)
    check_points(points, "points", 2)
    if depths is not None and depths.shape != points.shape[:-1]:
        raise ValueError(
            f"depths {tuple(depths.shape)} do not fit points {tuple(points.shape)}: expected one "
            f"for each joint, {tuple(points.shape[:-1])}"
        )
    if not tolerance >= 0:
        raise ValueError(f"the tolerance is a distance, 0 or more, got {tolerance}")
    return in_parts(
        lambda points, depths: _hidden(points, depths, tolerance, rule),
        points,
        depths,
        each=points.shape[-2] ** 2,
        own=2,
    )


def _hidden(points: Tensor, depths: Tensor | None, tolerance: float, rule: str) -> Tensor:
    """As :func:`clustered`, for poses ``(N, J, 2)``."""
    apart = (points[..., :, None, :] - points[..., None, :, :]).norm(dim=-1)
    joints = points.shape[-2]
    itself = torch.eye(joints, dtype=torch.bool, device=points.device)
    together = (apart < tolerance) | itself
    if depths is None:
        return (together & ~itself).any(dim=-1)
    if rule != "pairs":
        together = _reached(together, steps=2 if rule == "sets" else joints)
    order = torch.arange(joints, device=points.device)
    here, there = depths[..., :, None], depths[..., None, :]
    nearer = (there < here) | ((there == here) & (order < order[:, None]))
    return (together & nearer).any(dim=-1)


def _reached(together: Tensor, steps: int) -> Tensor:
    """Which joints can be reached from which in so many steps, or more. Two joints share one of
    the text's sets exactly if one step leads from each of them to the joint the set is about."""
    taken = 1
    while taken < steps:
        wide = together.to(torch.float32)
        together, taken = wide @ wide > 0, 2 * taken
    return together
