"""Errors of several people in one view (veges2020, 4.2): who was found, and how wrong their poses
are, absolute and relative to the root.

A scene's people and frames are counted together, and scenes count alike. A person-frame is one
person in one frame. Positions are metres.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor

from paperlib import metrics
from paperlib.errors import one_of
from paperlib.evaluation.body_size import check_poses, rescale_bones
from paperlib.evaluation.matching import check_counted, check_indices, pose_sets
from paperlib.scenes import Scene
from paperlib.skeletons import Skeleton, part

#: joints that 3D-PCK counts, without their side; a joint set has either a neck or a thorax there
PCK_JOINTS = ("head_top", "neck", "thorax", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")

_DISTANCES = ("mrpe", "mpjpe", "n_mrpe", "n_mpjpe", "mrpe_median", "mpjpe_median")
_SHARES = ("pck3d", "auc3d", "pck3d_absolute", "auc3d_absolute")


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
    ``mrpe_median``,        the median over poses in place of the mean: a few that are metres off,
    ``mpjpe_median``        as of people who are not found, leave it where it is (ours)
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
    scored = check_indices(pck_joints(skeleton) if joints is None else joints, len(skeleton))
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
    places = (p[:, root] - t[:, root]).norm(dim=-1)
    poses = (_relative(p, root) - _relative(t, root)).norm(dim=-1).mean(dim=-1)
    medians = _median(places), _median(poses)
    return torch.stack([place, pose, n_place, n_pose, *medians]).tolist()


def _median(values: torch.Tensor) -> torch.Tensor:
    """Of an even number of values (N,), half way between the two in the middle."""
    ordered = values.sort().values
    return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2


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


def _found(
    predicted: torch.Tensor, target: torch.Tensor, counted: torch.Tensor, skeleton: Skeleton
) -> torch.Tensor:
    """The counted person-frames (P, T) with a prediction; refuses what cannot be counted."""
    check_poses(skeleton, predicted, target)
    check_counted(counted, target.shape[:-2])
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


@dataclass(frozen=True)
class SceneEvaluation:
    """Metrics of every scene for each set of poses: ``"all"``, ``"detected"``, ``"visible"``,
    ``"lost"``."""

    scenes: dict[str, tuple[dict[str, float], ...]]

    def average(self, metric: str, poses: str = "all") -> float:
        """The mean over scenes, which count alike (veges2020, 4.2)."""
        pooled = pooled_scenes(self.scenes[one_of("poses", poses, self.scenes)])
        return pooled[one_of("metric", metric, pooled)]


def evaluate_scenes(predicted: Sequence[Tensor], truth: Sequence[Scene]) -> SceneEvaluation:
    """All metrics of absolute positions ``(P, T, J, 3)``, one tensor for each scene.

    A set of poses leaves out the scenes of which it holds nothing.
    """
    if not truth or len(predicted) != len(truth):
        raise ValueError(f"{len(predicted)} predictions for {len(truth)} scenes: one for each")
    found: dict[str, list[dict[str, float]]] = {}
    for positions, scene in zip(predicted, truth, strict=True):
        skeleton = scene.people[0].skeleton
        for name, counted in pose_sets(scene.score).items():
            if counted.any():
                measured = evaluate_scene(positions, scene.positions, counted, skeleton)
                found.setdefault(name, []).append(measured)
    return SceneEvaluation({name: tuple(rows) for name, rows in found.items()})
