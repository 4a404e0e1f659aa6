"""Which prediction is whose: people of one view matched by their keypoints (MuPoTS-3D's protocol),
and which of them a table counts.

A person-frame is one person in one frame.
"""

from collections.abc import Sequence
from math import nan

import torch

#: joints of MuPoTS-3D by which people are matched: all that are scored but the top of the head
MATCHING_JOINTS = tuple(range(1, 14))


def match_people(
    predicted: torch.Tensor,
    annotated: torch.Tensor,
    joints: Sequence[int] = MATCHING_JOINTS,
    radius: float = 40.0,
) -> torch.Tensor:
    """For each annotated person the index of the predicted one, or -1: ``(P,)`` long, of keypoints
    ``(P', J, 2)`` and ``(P, J, 2)`` in pixels (the evaluation protocol of MuPoTS-3D).

    Annotated people choose in their order. Each takes, of the predictions not yet taken, the one
    with most ``joints`` nearer than ``radius`` in x and in y; of equals the first, and none where
    no joint is near. NaN is near nothing.
    """
    return match_sequence(predicted[None], annotated[None], None, joints, radius)[0]


def match_sequence(
    predicted: torch.Tensor,
    annotated: torch.Tensor,
    counted: torch.Tensor | None = None,
    joints: Sequence[int] = MATCHING_JOINTS,
    radius: float = 40.0,
) -> torch.Tensor:
    """:func:`match_people` in every frame by itself: ``(T, P)`` long, of ``(T, P', J, 2)`` and
    ``(T, P, J, 2)``. Person-frames outside ``counted`` ``(T, P)`` take no prediction."""
    _check_keypoints(predicted, annotated)
    if counted is None:
        counted = annotated.new_ones(annotated.shape[:2], dtype=torch.bool)
    check_counted(counted, annotated.shape[:2])
    chosen = check_indices(joints, annotated.shape[2])
    matches = torch.full_like(counted, -1, dtype=torch.long)
    free = torch.ones_like(predicted[..., 0, 0], dtype=torch.bool)
    for person in range(annotated.shape[1] if free.shape[1] else 0):
        apart = predicted[:, :, chosen] - annotated[:, person : person + 1, chosen]
        score = (apart.abs() < radius).all(dim=-1).sum(dim=-1) * free
        most, best = score.max(dim=-1)
        found = counted[:, person] & (most > 0)
        matches[:, person] = torch.where(found, best, -1)
        free[found, best[found]] = False
    return matches


def matched_poses(predicted: torch.Tensor, matches: torch.Tensor) -> torch.Tensor:
    """Predictions ``(T, P', J, D)`` in the order of the annotated people, ``(P, T, J, D)``, as
    ``matches`` ``(T, P)`` of :func:`match_sequence` say; NaN where nobody was found."""
    frames = len(predicted)
    if matches.ndim != 2 or len(matches) != frames or bool((matches >= predicted.shape[1]).any()):
        raise ValueError(
            f"matches {tuple(matches.shape)} are not of the predictions {tuple(predicted.shape)}; "
            "expected (T, P) indices of the second axis of (T, P', J, D), or -1"
        )
    nobody = predicted.new_full((frames, 1, *predicted.shape[2:]), nan)
    padded = torch.cat([predicted, nobody], dim=1)  # the last, where -1 leads
    rows = torch.arange(frames, device=matches.device)[:, None]
    return padded[rows, matches].transpose(0, 1)


def pose_sets(score: torch.Tensor) -> dict[str, torch.Tensor]:
    """Person-frames to count, ``(P, T)`` booleans, by the 2D detector's scores ``(P, T)`` from 0 to
    1: ``"all"``, ``"detected"`` (above 0), ``"visible"`` (at least 0.1; veges2020, table 3b), and
    ``"lost"`` (0), who are all but the detected."""
    if not bool(((score >= 0) & (score <= 1)).all()):
        low, high = float(score.min()), float(score.max())
        raise ValueError(f"scores from {low:g} to {high:g}; expected 0 (nobody found) to 1, no NaN")
    found = {"all": score >= 0, "detected": score > 0, "visible": score >= 0.1}
    return found | {"lost": score == 0}


def _check_keypoints(predicted: torch.Tensor, annotated: torch.Tensor) -> None:
    a, b = tuple(predicted.shape), tuple(annotated.shape)
    if len(a) != 4 or len(b) != 4 or a[0] != b[0] or a[2:] != b[2:] or a[3] != 2:
        raise ValueError(
            f"predicted {a} and annotated {b} keypoints; expected (T, P', J, 2) and (T, P, J, 2) "
            "in pixels, of the same frames and joints"
        )


def check_indices(joints: Sequence[int], count: int) -> list[int]:
    if not joints or min(joints) < 0 or max(joints) >= count:
        raise ValueError(f"joints {tuple(joints)} of {count}: name some by index, from 0")
    return list(joints)


def check_counted(counted: torch.Tensor, shape: Sequence[int]) -> None:
    if counted.dtype != torch.bool or counted.ndim != 2 or counted.shape != shape:
        raise ValueError(
            f"counted: {counted.dtype} of shape {tuple(counted.shape)}; expected booleans of "
            f"shape {tuple(shape)}, a person and a frame each"
        )
