"""A compact high-resolution network: pictures of a person to a map of each joint."""

from itertools import pairwise
from numbers import Integral

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.models.arguments import check_images

STRIDE = 4  # pixels of a picture along each side of a map's cell
_RARE = -4.0  # logit of a cell at first: few cells hold a joint


class HighResolutionNet(nn.Module):
    """Pictures ``(N, 3, S, S)``, RGB from 0 to 1, to the logits of maps ``(N, K, S/4, S/4)``;
    :meth:`maps` gives the maps themselves, from 0 to 1.

    Two convolutions of stride 2 lead to cells of 4 x 4 pixels, and that resolution is kept to the
    end. Branches of half and of a quarter of it, of twice and four times the ``channels``, run
    beside it; ``modules`` times each branch has ``blocks`` residual blocks of two 3 x 3
    convolutions, and then takes the sum of all branches, brought to its own resolution. A 1 x 1
    convolution of the finest branch gives the maps.

    Source: cheng2020 takes its maps from a network of this kind (HRNet, Sun et al. 2019), whose
    sizes it leaves out; these are ours: with the defaults half a million parameters, for pictures
    of 64 pixels. ``ValueError`` for other shapes, for a size that the three resolutions do not
    divide, and, except in training, for values that are no colours.
    """

    causal = False
    receptive_field = 1

    def __init__(self, num_joints: int, channels: int = 20, blocks: int = 1, modules: int = 2):
        super().__init__()
        self.config = {
            "num_joints": num_joints,
            "channels": channels,
            "blocks": blocks,
            "modules": modules,
        }
        for name, value in self.config.items():
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {name}={value!r}")
        widths = [channels, 2 * channels, 4 * channels]
        self.stem = nn.Sequential(
            convolution(3, channels, stride=2),
            nn.ReLU(),
            convolution(channels, channels, stride=2),
            nn.ReLU(),
            *(Block(channels) for _ in range(2)),
        )
        self.begin = nn.ModuleList(
            nn.Sequential(convolution(*pair, stride=2), nn.ReLU()) for pair in pairwise(widths)
        )
        self.stages = nn.ModuleList(
            [
                Exchange(widths[:2], blocks),
                *(Exchange(widths, blocks) for _ in range(modules - 1)),
                Exchange(widths, blocks, targets=1),  # the maps come from the finest branch
            ]
        )
        self.last = nn.Conv2d(channels, num_joints, 1)
        nn.init.constant_(self.last.bias, _RARE)

    def forward(self, images: Tensor) -> Tensor:
        check_images(images, 4 * STRIDE, values=not self.training)
        x = self.stem((2 * images - 1).contiguous(memory_format=torch.channels_last))
        branches = self.stages[0]([x, self.begin[0](x)])
        branches.append(self.begin[1](branches[-1]))
        for stage in self.stages[1:]:
            branches = stage(branches)
        return self.last(branches[0]).float()

    def maps(self, images: Tensor) -> Tensor:
        """``(N, K, S/4, S/4)``, 0 to 1: a peak at each joint, low where the network is unsure."""
        return self(images).sigmoid()


class Block(nn.Module):
    """Two 3 x 3 convolutions and a way around them."""

    def __init__(self, channels: int):
        super().__init__()
        self.one, self.two = (convolution(channels, channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.two(F.relu(self.one(x))))


class Exchange(nn.Module):
    """Blocks in each branch, then every branch takes the sum of all: those that are finer through
    convolutions of stride 2, those that are coarser enlarged. ``targets``, the finest ones, go
    on, by default all."""

    def __init__(self, widths: list[int], blocks: int, targets: int = 0):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(blocks))) for width in widths
        )
        self.ways = nn.ModuleList(
            nn.ModuleList(_way(widths, source, target) for source in range(len(widths)))
            for target in range(targets or len(widths))
        )

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        branches = [block(x) for block, x in zip(self.blocks, branches, strict=True)]
        return [
            F.relu(sum(way(x) for way, x in zip(ways, branches, strict=True))) for ways in self.ways
        ]


def convolution(inputs: int, outputs: int, width: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, width, stride, padding=width // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def _way(widths: list[int], source: int, target: int) -> nn.Module:
    """From one branch to another."""
    if source == target:
        return nn.Identity()
    if source > target:
        enlarged = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
        return nn.Sequential(convolution(widths[source], widths[target], width=1), enlarged)
    steps: list[nn.Module] = []
    for step in range(source, target):
        last = step == target - 1
        steps.append(convolution(widths[source], widths[target if last else source], stride=2))
        steps += [] if last else [nn.ReLU()]
    return nn.Sequential(*steps)
