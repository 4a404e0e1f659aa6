"""The linear residual baseline of Martinez et al. (ICCV 2017), which all five papers start from.

Two residual blocks of fully connected layers lift a single frame. It is what the temporal model is
measured against in pavllo2019 (tables 1 and 3) and wang2020 (table 6).
"""

import torch
from torch import Tensor, nn

from paperlib.models.arguments import check_keypoints, checked
from paperlib.models.temporal import Layer


class LinearModel(nn.Module):
    """2D keypoints to 3D poses, frame by frame: ``(B, T, J_in, F)`` -> ``(B, T, J_out, 3)``.

    Each layer is linear, batch norm, ReLU, dropout 0.5; a block is two layers and a short cut.
    Every frame stands alone: :attr:`receptive_field` is 1.
    ``normalisation`` says how the keypoints are to be given, ``"screen"`` as in the paper or
    ``"person"`` (:mod:`paperlib.cameras`): whoever prepares its input goes by it.
    """

    causal = False
    receptive_field = 1

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        channels: int = 1024,
        num_blocks: int = 2,
        dropout: float = 0.5,
        normalisation: str = "screen",
    ):
        super().__init__()
        self.config = checked(locals())

        def layer(inputs: int) -> Layer:
            return Layer(inputs, channels, dropout, bias=True)

        self.first = layer(num_joints_in * in_features)
        self.blocks = nn.ModuleList(
            nn.Sequential(layer(channels), layer(channels)) for _ in range(num_blocks)
        )
        self.last = nn.Linear(channels, num_joints_out * 3)
        for one in (self.first, *(one for block in self.blocks for one in block)):
            nn.init.kaiming_normal_(one.conv.weight)
            nn.init.zeros_(one.conv.bias)

    def forward(self, keypoints: Tensor) -> Tensor:
        check_keypoints(keypoints, self.config["num_joints_in"], self.config["in_features"])
        x = self.first(keypoints.flatten(2).to(self.last.weight.dtype))
        for block in self.blocks:
            x = x + block(x)
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            return self.last(x.float()).unflatten(-1, (-1, 3))
