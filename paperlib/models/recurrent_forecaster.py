"""The residual recurrent forecaster of Martinez et al. (CVPR 2017), which cheng2020 (table 5) is
compared with: made for nothing but what comes next, from true poses of the past.
"""

from numbers import Integral

import torch
from torch import Tensor, nn

from paperlib.models.arguments import check_keypoints, checked


class RecurrentForecaster(nn.Module):
    """The poses to come of poses that are seen: ``(B, T, J, 3)`` -> ``(B, frames, J, 3)``, metres
    relative to the root, in the axes of what was seen. T is any number of frames.

    One gated recurrent unit of ``channels`` numbers reads the poses seen, frame by frame. Then a
    linear layer of its state says how each joint moves until the next frame; that is added to the
    last pose, and the sum is both the answer and what the unit reads next, in training as in use.
    The linear layer begins with zeros, so that an untrained network says that **nobody moves**.

    ``ValueError`` for other shapes, for no frame seen, or for no frame to come.

    Source: Martinez et al., "On human motion prediction using recurrent neural networks", 2017:
    the residual architecture, one set of weights for reading and answering, without the action's
    name. Joint positions for its exponential maps, and the zeros at the start, are ours.
    """

    causal = True
    receptive_field = 1  # the least: it reads whatever is seen

    def __init__(self, num_joints: int, channels: int = 1024):
        super().__init__()
        self.config = checked(locals())
        self.unit = nn.GRUCell(3 * num_joints, channels)
        self.step = nn.Linear(channels, 3 * num_joints)
        nn.init.zeros_(self.step.weight)
        nn.init.zeros_(self.step.bias)

    def forward(self, seen: Tensor, frames: int = 25) -> Tensor:
        check_keypoints(seen, self.config["num_joints"], 3, 1, "poses")
        if not isinstance(frames, Integral) or isinstance(frames, bool) or frames < 1:
            raise ValueError(f"frames to come are a whole number from 1, got {frames=}")
        # half precision would round a pose by as much as it moves from frame to frame
        with torch.autocast(seen.device.type, enabled=False):
            state = None
            for pose in seen.float().flatten(2).unbind(1):
                state = self.unit(pose, state)
            answers = [pose + self.step(state)]
            while len(answers) < frames:
                state = self.unit(answers[-1], state)
                answers.append(answers[-1] + self.step(state))
            return torch.stack(answers, dim=1).unflatten(-1, (-1, 3))
