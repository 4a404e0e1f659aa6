"""The temporal convolutional model of pavllo2019 (section 3), in both of its schedules.

A stack of convolutions over time, each reaching three times as far as the one below, turns 2D
keypoints into a 3D pose. The same weights can be run in two ways:

* *dilated*, over a whole sequence: every layer computes every frame, neighbours share their work;
* *strided*, over a window of exactly one receptive field: only what that one pose needs.

Activations are kept as ``(B, T, C)`` with the channels innermost, so that a convolution is one
matrix product: a strided layer merely reshapes its input for it, a dilated one lays the shifted
copies side by side.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.errors import one_of
from paperlib.models.activation import Activation

RECEPTIVE_FIELDS = (1, 3, 9, 27, 81, 243, 729)


def filter_widths(receptive_field: int) -> tuple[int, ...]:
    """Kernel widths of the layers for a receptive field: 27 -> (3, 3, 3), 1 -> (1,).

    Raises ``ValueError``, naming the choices, for any other than 1, 3, 9, 27, 81, 243, 729.
    """
    one_of("receptive field", receptive_field, RECEPTIVE_FIELDS)
    return (3,) * max(1, round(math.log(receptive_field, 3))) if receptive_field > 1 else (1,)


class TemporalConv(nn.Module):
    """A convolution over time of ``(B, T, C_in)``. ``weight`` is ``(C_out, width, C_in)``."""

    def __init__(self, in_channels: int, out_channels: int, width: int):
        super().__init__()
        self.width = width
        self.bias = None  # batch norm has it, until that is folded in here
        self.weight = nn.Parameter(torch.empty(out_channels, width, in_channels))
        bound = 1 / math.sqrt(in_channels * width)  # what PyTorch gives its own convolutions
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor, dilation: int = 1, strided: bool = False) -> Tensor:
        batch, frames, channels = x.shape
        if strided:
            taps = x.reshape(batch, frames // self.width, self.width * channels)
        elif self.width == 1:
            taps = x
        else:
            left = frames - dilation * (self.width - 1)
            steps = range(0, dilation * self.width, dilation)
            taps = torch.cat([x[:, s : s + left] for s in steps], dim=-1)
        return F.linear(taps, self.weight.flatten(1), self.bias)


class _Block(nn.Module):
    """A wide convolution, a pointwise one, and the input added, cropped to the output's frames."""

    def __init__(self, channels: int, width: int, dilation: int, shift: int, dropout: float):
        super().__init__()
        self.dilation = dilation
        self.tap = width // 2 + shift  # which of the kernel's taps the output stands at
        self.wide = TemporalConv(channels, channels, width)
        self.after_wide = Activation(channels, dropout)
        self.point = TemporalConv(channels, channels, 1)
        self.after_point = Activation(channels, dropout)

    def forward(self, x: Tensor, strided: bool) -> Tensor:
        y = self.after_wide(self.wide(x, self.dilation, strided))
        y = self.after_point(self.point(y))
        if strided:
            return x[:, self.tap :: self.wide.width] + y
        start = self.tap * self.dilation
        return x[:, start : start + y.shape[1]] + y


class TemporalModel(nn.Module):
    """2D keypoints over time to 3D poses: ``(B, T, J_in, F)`` -> ``(B, T - R + 1, J_out, 3)``.

    ``R`` is :attr:`receptive_field`, the product of ``filter_widths``. Nothing is padded inside:
    output ``t`` comes from input frames ``t … t + R - 1`` and belongs to the middle one, or to the
    last if ``causal``. Poses are in metres, relative to the root, in camera space.

    All widths 1 make the paper's single-frame model. ``dense=True`` is the model without dilation
    of the paper's table 5: kernels as wide as the dilated ones reach, at many times the cost.

    Source: pavllo2019, section 3 and table 5, with layer details from its reference implementation.
    """

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        filter_widths: tuple[int, ...],
        causal: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
        dense: bool = False,
    ):
        super().__init__()
        widths = tuple(int(w) for w in filter_widths)
        if not widths or any(w < 1 or w % 2 == 0 for w in widths):
            raise ValueError(f"filter widths must be odd and at least one, got {widths}")
        if min(num_joints_in, in_features, num_joints_out, channels) < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"joints, features and channels must be positive and dropout in [0, 1), got "
                f"{num_joints_in=} {in_features=} {num_joints_out=} {channels=} {dropout=}"
            )
        # what builds this model again: kept in checkpoints
        self.config = {
            "num_joints_in": num_joints_in,
            "in_features": in_features,
            "num_joints_out": num_joints_out,
            "filter_widths": widths,
            "causal": causal,
            "dropout": dropout,
            "channels": channels,
            "dense": dense,
        }
        self.causal, self.dense = causal, dense
        self.receptive_field = math.prod(widths)
        self.expand = TemporalConv(num_joints_in * in_features, channels, widths[0])
        self.after_expand = Activation(channels, dropout)
        blocks, reach = [], widths[0]
        for width in widths[1:]:
            # a dense kernel covers, frame by frame, all that the dilated one spans
            kernel, dilation = ((width - 1) * reach + 1, 1) if dense else (width, reach)
            shift = kernel // 2 if causal else 0
            blocks.append(_Block(channels, kernel, dilation, shift, dropout))
            reach *= width
        self.blocks = nn.ModuleList(blocks)
        self.shrink = nn.Linear(channels, num_joints_out * 3)

    def forward(self, keypoints: Tensor, schedule: str = "auto") -> Tensor:
        """``schedule`` is ``"dilated"``, ``"strided"`` (windows of one receptive field only) or
        ``"auto"``: strided where it applies. In evaluation mode all give the same poses."""
        self.check(keypoints)
        one_of("schedule", schedule, ("auto", "dilated", "strided"))
        batch, frames = keypoints.shape[:2]
        strided = frames == self.receptive_field and not self.dense
        if schedule == "strided" and not strided:
            raise ValueError(
                f"the strided schedule takes windows of exactly {self.receptive_field} frames "
                f"through a model with dilation, got {frames} frames, dense={self.dense}"
            )
        strided = strided and schedule != "dilated"
        x = keypoints.flatten(2).to(self.expand.weight.dtype)
        x = self.after_expand(self.expand(x, strided=strided))
        for block in self.blocks:
            x = block(x, strided)
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            poses = self.shrink(x.float())
        return poses.view(batch, -1, self.config["num_joints_out"], 3)

    def check(self, keypoints: Tensor) -> None:
        """``ValueError`` for keypoints that this model cannot take."""
        joints, features = self.config["num_joints_in"], self.config["in_features"]
        if keypoints.ndim != 4 or tuple(keypoints.shape[2:]) != (joints, features):
            raise ValueError(
                f"expected keypoints (B, T, {joints}, {features}), got {tuple(keypoints.shape)}"
            )
        if keypoints.shape[1] < self.receptive_field:
            raise ValueError(
                f"{keypoints.shape[1]} frames are fewer than the receptive field of "
                f"{self.receptive_field}: pad the sequence (windows.pad_sequence does)"
            )
