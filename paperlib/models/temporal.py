"""The temporal convolutional model of pavllo2019 (section 3, figure 2), in both of its schedules.

A stack of convolutions over time, each reaching three times as far as the one below, turns 2D
keypoints into a 3D pose. The same weights can be run in two ways:

* *dilated*, over a whole sequence: every layer computes every frame, neighbours share their work;
* *strided*, over a window of exactly one receptive field: only what that one pose needs.

How the same numbers are computed faster stands in :mod:`paperlib.models.fast`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.errors import one_of
from paperlib.models.arguments import check_keypoints, checked

RECEPTIVE_FIELDS = (1, 3, 9, 27, 81, 243, 729)


def filter_widths(receptive_field: int) -> tuple[int, ...]:
    """Kernel widths of the layers for a receptive field: 27 -> (3, 3, 3), 1 -> (1,).

    Raises ``ValueError``, naming the choices, for any other than 1, 3, 9, 27, 81, 243, 729.

    >>> filter_widths(27)
    (3, 3, 3)
    """
    one_of("receptive field", receptive_field, RECEPTIVE_FIELDS)
    return (3,) * max(1, round(math.log(receptive_field, 3))) if receptive_field > 1 else (1,)


class Layer(nn.Module):
    """Convolution, batch norm, ReLU and dropout.

    A convolution is a linear map of the frames under its kernel: a layer takes them side by side,
    ``(…, width * C_in)``, and gives ``(…, C_out)``. They are ``dilation`` frames apart, and the
    output belongs to the frame number ``tap`` of them.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dropout: float,
        width: int = 1,
        dilation: int = 1,
        tap: int = 0,
        bias: bool = False,
    ):
        super().__init__()
        self.width, self.dilation, self.tap = width, dilation, tap
        self.conv = nn.Linear(width * in_channels, out_channels, bias)
        self.norm = nn.BatchNorm1d(out_channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        x = self.conv(frames)
        x = self.norm(x.flatten(0, -2)).view_as(x)  # statistics of all frames of all sequences
        x = F.relu(x)
        return self.dropout(x)


#: Runs one layer over ``x``, for its output and the frames of ``x`` that the output belongs to
Schedule = Callable[[Layer, Tensor], tuple[Tensor, Tensor]]


def dilated(layer: Layer, x: Tensor) -> tuple[Tensor, Tensor]:
    """Every frame of ``x (B, T, C)`` that has all of the kernel's frames around it."""
    y = layer(side_by_side(x, layer.width, layer.dilation))
    start = layer.tap * layer.dilation
    return y, x[:, start : start + y.shape[1]]


def strided(layer: Layer, x: Tensor) -> tuple[Tensor, Tensor]:
    """Every ``width``-th frame: kernels that do not overlap."""
    batch, frames, channels = x.shape
    kernels = x.reshape(batch, frames // layer.width, layer.width * channels)
    return layer(kernels), x[:, layer.tap :: layer.width]


def side_by_side(x: Tensor, width: int, dilation: int) -> Tensor:
    """``(B, T, C)`` -> ``(B, T - dilation * (width - 1), width * C)``: what each kernel covers."""
    if width == 1:
        return x
    frames = x.shape[1] - dilation * (width - 1)
    starts = range(0, dilation * width, dilation)
    return torch.cat([x[:, s : s + frames] for s in starts], dim=-1)


class Block(nn.Module):
    """A wide and a pointwise layer, and their input added to the output."""

    def __init__(self, wide: Layer, point: Layer):
        super().__init__()
        self.wide, self.point = wide, point

    def forward(self, x: Tensor, schedule: Schedule) -> Tensor:
        y, short_cut = schedule(self.wide, x)
        y, _ = schedule(self.point, y)
        return short_cut + y


class TemporalModel(nn.Module):
    """2D keypoints over time to 3D poses: ``(B, T, J_in, F)`` -> ``(B, T - R + 1, J_out, 3)``.

    ``R`` is :attr:`receptive_field`, the product of ``filter_widths``. Nothing is padded inside:
    output ``t`` comes from input frames ``t … t + R - 1`` and belongs to the middle one, or to the
    last if ``causal``. Poses are in metres, relative to the root, in camera space.

    All widths 1 make the paper's single-frame model. ``dense=True`` is the model without dilation
    of the paper's table 5: kernels as wide as the dilated ones reach, at many times the cost.

    ``normalisation`` says how the keypoints are to be given, ``"screen"`` as in the paper or
    ``"person"`` (:mod:`paperlib.cameras`): whoever prepares its input goes by it. So it does by
    ``third``, what a third number of each joint is: its ``"confidence"``, or its ``"depth"`` as in
    kato2020, section II.

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
        normalisation: str = "screen",
        third: str = "confidence",
    ):
        super().__init__()
        self.config = checked(locals())
        first, *widths = self.config["filter_widths"]
        self.causal, self.dense = causal, dense
        self.receptive_field = math.prod((first, *widths))

        def layer(inputs: int, width: int, dilation: int = 1) -> Layer:
            tap = width - 1 if causal else width // 2
            return Layer(inputs, channels, dropout, width, dilation, tap)

        self.expand = layer(num_joints_in * in_features, first)
        blocks, reach = [], first
        for width in widths:
            # a dense kernel covers, frame by frame, all that the dilated one spans
            kernel, dilation = ((width - 1) * reach + 1, 1) if dense else (width, reach)
            blocks.append(Block(layer(channels, kernel, dilation), layer(channels, 1)))
            reach *= width
        self.blocks = nn.ModuleList(blocks)
        self.shrink = nn.Linear(channels, num_joints_out * 3)

    @property
    def layers(self) -> list[Layer]:
        """All layers before the last linear map, from the input up."""
        return [self.expand, *(layer for b in self.blocks for layer in (b.wide, b.point))]

    def forward(self, keypoints: Tensor, schedule: str = "auto") -> Tensor:
        """``schedule`` is ``"dilated"``, ``"strided"`` (windows of one receptive field only) or
        ``"auto"``: strided where it applies. In evaluation mode all give the same poses."""
        self.check(keypoints)
        one_of("schedule", schedule, ("auto", "dilated", "strided"))
        frames = keypoints.shape[1]
        one_window = frames == self.receptive_field and not self.dense
        if schedule == "strided" and not one_window:
            raise ValueError(
                f"the strided schedule takes windows of exactly {self.receptive_field} frames "
                f"through a model with dilation, got {frames} frames, dense={self.dense}"
            )
        run = strided if one_window and schedule != "dilated" else dilated
        x = keypoints.flatten(2).to(self.expand.conv.weight.dtype)
        return self.poses(self.activations(x, run))

    def activations(self, x: Tensor, schedule: Schedule) -> Tensor:
        """What all layers but the last make of ``(B, T, J_in * F)``: ``(B, T', channels)``."""
        x, _ = schedule(self.expand, x)
        for block in self.blocks:
            x = block(x, schedule)
        return x

    def poses(self, activations: Tensor) -> Tensor:
        """The last linear map: ``(…, channels)`` -> ``(…, J_out, 3)``."""
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(activations.device.type, enabled=False):
            return self.shrink(activations.float()).unflatten(-1, (-1, 3))

    def check(self, keypoints: Tensor) -> None:
        """``ValueError`` for keypoints that this model cannot take."""
        joints, features = self.config["num_joints_in"], self.config["in_features"]
        check_keypoints(keypoints, joints, features, self.receptive_field)
