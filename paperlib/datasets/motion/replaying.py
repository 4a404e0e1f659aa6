"""A captured motion, replayed by another body."""

import torch

from paperlib.datasets.motion.bodies import Body
from paperlib.skeletons import H36M_17

_LEGS = ((1, 2), (2, 3), (4, 5), (5, 6))  # thighs and shins: (upper end, lower end)


def replay(positions: torch.Tensor, ankle_height: float, body: Body) -> torch.Tensor:
    """World positions ``(T, 17, 3)`` of joints of Human3.6M (metres, z up, floor at 0), with the
    directions of all bones kept and the bones of ``body``.

    The path is scaled as the legs are, so that steps fit the floor; ``ankle_height`` is that of the
    captured body on flat feet, metres.
    """
    lengths = body.offsets().to(positions).norm(dim=-1)
    own = torch.stack([positions[0, a] - positions[0, b] for a, b in _LEGS]).norm(dim=-1)
    scale = float(2 * sum(body.leg) / own.sum())
    root = positions[:, H36M_17.root] * scale
    root[:, 2] += body.ankle_height - scale * ankle_height
    placed = {H36M_17.root: root}
    for joint in H36M_17.order[1:]:
        parent = H36M_17.parents[joint]
        bone = positions[:, joint] - positions[:, parent]
        placed[joint] = placed[parent] + lengths[joint] * torch.nn.functional.normalize(bone, dim=1)
    return torch.stack([placed[joint] for joint in range(len(H36M_17))], dim=1)
