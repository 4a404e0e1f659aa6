"""The linear residual baseline of Martinez et al. (ICCV 2017), which all five papers start from.

Two residual blocks of fully connected layers lift a single frame. It is what the temporal model is
measured against in pavllo2019 (tables 1 and 3) and wang2020 (table 6).
"""

import torch
from torch import Tensor, nn

from paperlib.models.activation import Activation


class LinearModel(nn.Module):
    """2D keypoints to 3D poses, frame by frame: ``(B, T, J_in, F)`` -> ``(B, T, J_out, 3)``.

    Each layer is linear, batch norm, ReLU, dropout 0.5; a block is two layers and a short cut.
    Every frame stands alone: :attr:`receptive_field` is 1.
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
    ):
        super().__init__()
        sizes = (num_joints_in, in_features, num_joints_out, channels)
        if min(sizes) < 1 or num_blocks < 0 or not 0 <= dropout < 1:
            raise ValueError(
                "joints, features and channels must be positive and dropout in [0, 1), got "
                f"{num_joints_in=} {in_features=} {num_joints_out=} {channels=} {num_blocks=} "
                f"{dropout=}"
            )
        self.config = {
            "num_joints_in": num_joints_in,
            "in_features": in_features,
            "num_joints_out": num_joints_out,
            "channels": channels,
            "num_blocks": num_blocks,
            "dropout": dropout,
        }
        self.first = _Layer(num_joints_in * in_features, channels, dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(_Layer(channels, channels, dropout) for _ in range(2)))
            for _ in range(num_blocks)
        )
        self.last = nn.Linear(channels, num_joints_out * 3)
        for layer in self.modules():
            if isinstance(layer, _Layer):
                nn.init.kaiming_normal_(layer.linear.weight)
                nn.init.zeros_(layer.linear.bias)

    def forward(self, keypoints: Tensor) -> Tensor:
        joints, features = self.config["num_joints_in"], self.config["in_features"]
        if keypoints.ndim != 4 or tuple(keypoints.shape[2:]) != (joints, features):
            raise ValueError(
                f"expected keypoints (B, T, {joints}, {features}), got {tuple(keypoints.shape)}"
            )
        batch, frames = keypoints.shape[:2]
        x = self.first(keypoints.reshape(batch * frames, joints * features))
        for block in self.blocks:
            x = x + block(x)
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            poses = self.last(x.float())
        return poses.view(batch, frames, self.config["num_joints_out"], 3)


class _Layer(Activation):
    def __init__(self, in_channels: int, out_channels: int, dropout: float):
        super().__init__(out_channels, dropout)
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.linear(x))
