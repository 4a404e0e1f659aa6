"""Evaluation of several people in one camera's view (veges2020, 4.2): who was found, and how wrong
their poses are, in the room and relative to the root.

A scene's people and frames are counted together, and scenes count alike. A person-frame is one
person in one frame. Positions are metres.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import nan

import torch

from paperlib import metrics
from paperlib.skeletons import Skeleton, part

#: joints of MuPoTS-3D by which people are matched: all that are scored but the top of the head
MATCHING_JOINTS = tuple(range(1, 14))
#: joints that 3D-PCK counts, without their side; a joint set has either a neck or a thorax there
PCK_JOINTS = ("head_top", "neck", "thorax", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
#: metres along the bones from the ankle to the top of the head, of the body of :func:`universal`
STANDARD_HEIGHT = 1.75

_DISTANCES = ("mrpe", "mpjpe", "n_mrpe", "n_mpjpe")
_SHARES = ("pck3d", "auc3d", "pck3d_absolute", "auc3d_absolute")


# -- who is who ----------------------------------------------------------------------------------


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
    _check_counted(counted, annotated.shape[:2])
    chosen = _check_indices(joints, annotated.shape[2])
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
    1: ``"all"``, ``"detected"`` (above 0), ``"visible"`` (at least 0.1; veges2020, table 3b)."""
    if not bool(((score >= 0) & (score <= 1)).all()):
        low, high = float(score.min()), float(score.max())
        raise ValueError(f"scores from {low:g} to {high:g}; expected 0 (nobody found) to 1, no NaN")
    return {"all": score >= 0, "detected": score > 0, "visible": score >= 0.1}


# -- sizes ---------------------------------------------------------------------------------------


def rescale_bones(
    predicted: torch.Tensor, target: torch.Tensor, skeleton: Skeleton
) -> torch.Tensor:
    """Poses ``(…, J, 3)`` in which each bone keeps its predicted direction and has the length it
    has in ``target``, from the root outwards; the root stays (the protocol of MuPoTS-3D, before
    3D-PCK). A bone of no length has no direction: its joint comes to lie on the parent."""
    _check_poses(skeleton, predicted, target)
    before, true = predicted.unbind(dim=-2), target.unbind(dim=-2)
    after = list(before)
    for joint in skeleton.order[1:]:
        parent = skeleton.parents[joint]
        direction = torch.nn.functional.normalize(before[joint] - before[parent], dim=-1)
        length = (true[joint] - true[parent]).norm(dim=-1, keepdim=True)
        after[joint] = after[parent] + direction * length
    return torch.stack(after, dim=-2)


def body_height(positions: torch.Tensor, skeleton: Skeleton) -> torch.Tensor:
    """``(…)`` metres of poses ``(…, J, 3)``: the bones from an ankle over knee, hip, root and spine
    to the top of the head end to end, the mean of both legs. It does not depend on the posture."""
    _check_poses(skeleton, positions)
    joints = positions.unbind(dim=-2)

    def to_root(name: str) -> torch.Tensor:
        length, joint = 0.0, skeleton.index(name)
        while (parent := skeleton.parents[joint]) >= 0:
            length, joint = length + (joints[joint] - joints[parent]).norm(dim=-1), parent
        return length

    return to_root("head_top") + (to_root("left_ankle") + to_root("right_ankle")) / 2


def universal(
    positions: torch.Tensor, skeleton: Skeleton, height: float = STANDARD_HEIGHT
) -> torch.Tensor:
    """People ``(…, T, J, 3)``, each rescaled from its root by one factor, so that the median over
    time of its :func:`body_height` is ``height`` (veges2020, 4.2). Roots stay where they are.

    For data that bring no universal coordinates. MPI-INF-3DHP and MuPoTS-3D bring their own,
    measured in another way: load these where the papers' numbers are wanted.
    """
    if not height > 0:
        raise ValueError(f"{height=}: expected metres, more than 0")
    tall = body_height(positions, skeleton).nanmedian(dim=-1).values
    if not bool((tall > 0).all()):
        raise ValueError(
            f"people of {tall.flatten().tolist()} metres cannot be rescaled; each needs frames "
            "without NaN, and joints that lie apart"
        )
    root = positions[..., skeleton.root : skeleton.root + 1, :]
    return root + (height / tall)[..., None, None, None] * (positions - root)


# -- metrics -------------------------------------------------------------------------------------


def pck_joints(skeleton: Skeleton) -> tuple[int, ...]:
    """The joints of :data:`PCK_JOINTS`: of ``MUPOTS_17`` 0 to 13, of ``H36M_17`` the same 14."""
    names = [part(name) for name in skeleton.joints]  # the root may be called "hip"
    return tuple(j for j, n in enumerate(names) if n in PCK_JOINTS and j != skeleton.root)


def evaluate_scene(
    predicted: torch.Tensor,
    target: torch.Tensor,
    counted: torch.Tensor,
    skeleton: Skeleton,
    joints: Sequence[int] | None = None,
    bone_lengths: bool = False,
) -> dict[str, float]:
    """All metrics of one scene (veges2020, 4.2), over its ``counted`` ``(P, T)`` person-frames, of
    absolute poses ``(P, T, J, 3)`` in camera space. A pose predicted as NaN was not found.

    ======================  ====================================================================
    ``matched``             share of the counted person-frames that were found
    ``mrpe``                distance of the root
    ``mpjpe``               of root-relative poses; the root is a joint without error, as in the
                            reference implementation (a factor of 16/17 for 17 joints)
    ``n_mrpe``              after one scale for all people and frames, found on absolute poses
    ``n_mpjpe``             root-relative after that scale, over the joints of ``mpjpe`` (without
                            the factor, as the reference has it, it would be 17/16 of this)
    ``pck3d``, ``auc3d``    share of ``joints`` within 150 mm, and its mean over 0, 5, … 150 mm,
                            root-relative; ``…_absolute``: in camera space
    ``acceleration_error``  of absolute poses, metres per frame squared, where three frames in a
                            row of one person were found
    ======================  ====================================================================

    Distances are metres, over what was found only, and NaN where that is nothing; whoever was not
    found has all joints wrong in the shares. ``joints`` are by default those of
    :func:`pck_joints`. ``bone_lengths=True`` gives predicted bones their true lengths before the
    shares are counted (the protocol of MuPoTS-3D). The paper counts the shares on universal
    coordinates and the distances on normal ones: two calls, where the data bring both.
    """
    found = _found(predicted, target, counted, skeleton)
    scored = _check_indices(pck_joints(skeleton) if joints is None else joints, len(skeleton))
    share = (found.sum() / counted.sum()).item()
    p, t = predicted[found], target[found]
    distances = _distances(p, t, skeleton.root) if share else [nan] * len(_DISTANCES)
    p = rescale_bones(p, t, skeleton) if bone_lengths else p
    shares = _shares(p, t, skeleton.root, scored) if share else [0.0] * len(_SHARES)
    return {
        "matched": share,
        **dict(zip(_DISTANCES, distances, strict=True)),
        # whoever was not found is wrong by all joints
        **{name: share * value for name, value in zip(_SHARES, shares, strict=True)},
        "acceleration_error": _jitter(predicted, target, found),
    }


def _distances(p: torch.Tensor, t: torch.Tensor, root: int) -> list[float]:
    """Of the poses (N, J, 3) that were found."""
    scaled = metrics.best_scale(p, t, over=(0, 1, 2)) * p
    pose, n_pose = (metrics.mpjpe(_relative(x, root), _relative(t, root)) for x in (p, scaled))
    place, n_place = metrics.mrpe(p, t, root), metrics.n_mrpe(p, t, root)
    return torch.stack([place, pose, n_place, n_pose]).tolist()


def _shares(p: torch.Tensor, t: torch.Tensor, root: int, joints: list[int]) -> list[float]:
    """Of the poses (N, J, 3) that were found."""
    both = (_relative(p, root), _relative(t, root)), (p, t)
    shares = (metrics.pck3d, metrics.auc3d)
    return torch.stack([f(a[:, joints], b[:, joints]) for a, b in both for f in shares]).tolist()


def _jitter(predicted: torch.Tensor, target: torch.Tensor, found: torch.Tensor) -> float:
    if found.shape[1] < 3:
        return nan
    runs = found[:, :-2] & found[:, 1:-1] & found[:, 2:]
    return metrics.acceleration_error(predicted, target, reduction="none")[runs].mean().item()


def _relative(poses: torch.Tensor, root: int) -> torch.Tensor:
    return poses - poses[..., root : root + 1, :]


def pooled_scenes(scenes: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over scenes that count alike, however long they are (veges2020, 4.2).
    A NaN of one scene stays: leave such a scene out, and say so, or mend the predictions."""
    scenes = list(scenes)
    names = {tuple(sorted(scene)) for scene in scenes}
    if len(names) != 1:
        raise ValueError(
            f"{len(scenes)} scenes with {len(names)} sets of metrics; expected at least one scene, "
            "and of all of them what evaluate_scene returns"
        )
    alike = [1] * len(scenes), range(len(scenes))
    return {name: metrics.pooled([s[name] for s in scenes], *alike)[1] for name in scenes[0]}


# -- checks --------------------------------------------------------------------------------------


def _check_keypoints(predicted: torch.Tensor, annotated: torch.Tensor) -> None:
    a, b = tuple(predicted.shape), tuple(annotated.shape)
    if len(a) != 4 or len(b) != 4 or a[0] != b[0] or a[2:] != b[2:] or a[3] != 2:
        raise ValueError(
            f"predicted {a} and annotated {b} keypoints; expected (T, P', J, 2) and (T, P, J, 2) "
            "in pixels, of the same frames and joints"
        )


def _check_indices(joints: Sequence[int], count: int) -> list[int]:
    if not joints or min(joints) < 0 or max(joints) >= count:
        raise ValueError(f"joints {tuple(joints)} of {count}: name some by index, from 0")
    return list(joints)


def _check_counted(counted: torch.Tensor, shape: Sequence[int]) -> None:
    if counted.dtype != torch.bool or counted.ndim != 2 or counted.shape != shape:
        raise ValueError(
            f"counted: {counted.dtype} of shape {tuple(counted.shape)}; expected booleans of "
            f"shape {tuple(shape)}, a person and a frame each"
        )


def _check_poses(skeleton: Skeleton, *poses: torch.Tensor) -> None:
    shapes = [tuple(p.shape) for p in poses]
    if len(set(shapes)) != 1 or shapes[0][-2:] != (len(skeleton), 3):
        raise ValueError(
            f"poses of shape {' and '.join(map(str, shapes))}; expected (..., {len(skeleton)}, 3), "
            f"the joints of {skeleton.name}, all of the same shape"
        )


def _found(
    predicted: torch.Tensor, target: torch.Tensor, counted: torch.Tensor, skeleton: Skeleton
) -> torch.Tensor:
    """The counted person-frames (P, T) with a prediction; refuses what cannot be counted."""
    _check_poses(skeleton, predicted, target)
    _check_counted(counted, target.shape[:-2])
    if not bool(counted.any()):
        raise ValueError("no person-frame is counted; leave this scene out")
    if not bool(target[counted].isfinite().all()):
        raise ValueError("target: NaN or infinite values in counted frames; do not count these")
    poses = predicted[counted].flatten(1)
    if not bool((poses.isfinite().all(dim=1) | poses.isnan().all(dim=1)).all()):
        raise ValueError(
            "predicted: poses of which some values are NaN or infinite; a pose must be whole, or "
            "NaN throughout where the person was not found"
        )
    return counted & ~predicted[..., 0, 0].isnan()
