"""Integral regression (Sun et al., ECCV 2018), the first stage of kato2020 (section II).

From the image of a person a network makes a heatmap volume of each joint: columns, rows and depths
in bins. The joint is where the volume has its centre: the expected value of the place, if the
volume is taken as a distribution. That can be differentiated, and is finer than a bin.

Coordinates are shares of the volume, counted from its middle: from -1/2 to 1/2 over the width, the
height, and the depth of :attr:`IntegralRegression.extent` metres about the root. A bin stands for
its middle, so that the first of n is at (0 + 1/2) / n - 1/2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.models.arguments import check_images, checked
from paperlib.models.resnet import STRIDE, ResNet

# of ImageNet's pictures, which published weights expect to be taken out
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UPSAMPLED = 8  # by three transposed convolutions


def centres(bins: int, like: Tensor) -> Tensor:
    """``(bins,)``: the middles of bins, from -1/2 to 1/2."""
    return (torch.arange(bins, device=like.device, dtype=like.dtype) + 0.5) / bins - 0.5


def marginals(volume: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of logits ``(N, J, d, h, w)``, made a distribution by a softmax over the whole volume, the
    three marginals: over columns ``(N, J, w)``, rows ``(N, J, h)`` and depths ``(N, J, d)``."""
    share = volume.float().flatten(2).softmax(dim=-1).view(volume.shape)
    over_depth = share.sum(dim=2)
    return over_depth.sum(dim=2), over_depth.sum(dim=3), share.sum(dim=(3, 4))


def expectation(distributions: Sequence[Tensor]) -> Tensor:
    """``(…, D)``: the expected value of each of D marginals ``(…, bins)``, on the middles of its
    bins, from -1/2 to 1/2."""
    means = [(share * centres(share.shape[-1], share)).sum(dim=-1) for share in distributions]
    return torch.stack(means, dim=-1)


def soft_argmax(logits: Tensor) -> Tensor:
    """``(…, 2)``: x and y of the maps ``(…, H, W)``: the mean place under a softmax over all cells,
    in cells from the map's upper left corner; the middle of the first cell is (0.5, 0.5)."""
    share = logits.flatten(-2).softmax(dim=-1).view_as(logits)
    x, y = (expectation([share.sum(dim=-2), share.sum(dim=-1)]) + 0.5).unbind(-1)
    return torch.stack([x * logits.shape[-1], y * logits.shape[-2]], dim=-1)


class IntegralRegression(nn.Module):
    """Images of one person each, ``(N, 3, H, W)`` from 0 to 1, to joints ``(N, J, 3)``: x and y as
    shares of the image, the depth as a share of ``extent`` metres about the root, each from -1/2
    to 1/2. For millimetres see :func:`paperlib.prediction.to_camera_space`.

    A :class:`~paperlib.models.resnet.ResNet`, three transposed convolutions of width 4 and stride 2
    with ``deconvolution`` channels, and a convolution of width 1 to J x ``bins`` channels: volumes
    of H / 4 rows, W / 4 columns and ``bins`` depths. ``size`` is the side of the square crops that
    it is trained on, a multiple of 32; other multiples are taken too.

    Source: kato2020, section II; sizes that its text lacks are Sun et al.'s.
    """

    receptive_field, causal = 1, False
    stride = STRIDE

    def __init__(
        self,
        num_joints_out: int,
        backbone: str = "resnet50",
        channels: int = 64,
        deconvolution: int = 256,
        bins: int = 72,
        size: int = 256,
        extent: float = 1.5,
    ):
        super().__init__()
        self.config = checked(locals())
        self.extent = extent
        self.backbone = ResNet(backbone, channels)
        layers, inputs = [], self.backbone.out_channels
        # PyTorch's own beginnings: public code draws these weights with a deviation of 0.001, which
        # Adam's steps outgrow at once, and a network without a backbone that knows images then
        # learns several times slower
        for _ in range(3):
            layers += [
                nn.ConvTranspose2d(inputs, deconvolution, 4, 2, padding=1, bias=False),
                nn.BatchNorm2d(deconvolution),
                nn.ReLU(),
            ]
            inputs = deconvolution
        self.deconvolutions = nn.Sequential(*layers)
        self.last = nn.Conv2d(deconvolution, num_joints_out * bins, 1)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return expectation(self.marginals(images))

    def marginals(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the joints are along columns, rows and depths: see :func:`marginals`."""
        return marginals(self.volume(images))

    def volume(self, images: Tensor) -> Tensor:
        """``(N, J, bins, H / 4, W / 4)``: the logits of each joint."""
        check_images(images, STRIDE, values=not self.training)
        x = (images - self.mean) / self.deviation
        x = self.last(self.deconvolutions(self.backbone(x)))
        return x.unflatten(1, (self.config["num_joints_out"], self.config["bins"]))
