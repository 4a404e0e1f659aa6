"""Body size: heights that do not depend on the posture, and poses brought to other sizes."""

import torch

from paperlib.skeletons import Skeleton

#: metres along the bones from the ankle to the top of the head, of the body of :func:`universal`
STANDARD_HEIGHT = 1.75


def rescale_bones(
    predicted: torch.Tensor, target: torch.Tensor, skeleton: Skeleton
) -> torch.Tensor:
    """Poses ``(…, J, 3)`` in which each bone keeps its predicted direction and has the length it
    has in ``target``, from the root outwards; the root stays (the protocol of MuPoTS-3D, before
    3D-PCK). A bone of no length has no direction: its joint is put on the parent."""
    check_poses(skeleton, predicted, target)
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
    check_poses(skeleton, positions)
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


def check_poses(skeleton: Skeleton, *poses: torch.Tensor) -> None:
    shapes = [tuple(p.shape) for p in poses]
    if len(set(shapes)) != 1 or shapes[0][-2:] != (len(skeleton), 3):
        raise ValueError(
            f"poses of shape {' and '.join(map(str, shapes))}; expected (..., {len(skeleton)}, 3), "
            f"the joints of {skeleton.name}, all of the same shape"
        )
