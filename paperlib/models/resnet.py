"""Residual networks for images (He et al., CVPR 2016), the backbone of kato2020's first stage.

Layers are named as torchvision names them, so that weights trained on ImageNet can be loaded from
its files. ``channels`` is the width of the first of four parts, each of which doubles it; 64 is the
paper's.
"""

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.errors import CheckpointError, one_of
from paperlib.models.weights import checked_weights
from paperlib.outside.tensors import read_tensors

STRIDE = 32  # pixels of an image that one place of the features stands for


def _convolution(inputs: int, outputs: int, width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, width, stride, padding=width // 2, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions of width 3, and their input added to the output."""

    expansion = 1

    def __init__(self, inputs: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = _convolution(inputs, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _short_cut(inputs, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x))


class Bottleneck(nn.Module):
    """A convolution of width 3 between two of width 1, which narrow and widen, and the input added
    to the output. The stride is that of the wide one, as in torchvision."""

    expansion = 4

    def __init__(self, inputs: int, channels: int, stride: int):
        super().__init__()
        outputs = self.expansion * channels
        self.conv1 = _convolution(inputs, channels, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _convolution(channels, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _short_cut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x))


def _short_cut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The input as it is, or where shapes differ a convolution of it."""
    if inputs == outputs and stride == 1:
        return nn.Sequential()
    return nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


#: kind and number of blocks in each of the four parts
RESNETS = {"resnet18": (BasicBlock, (2, 2, 2, 2)), "resnet50": (Bottleneck, (3, 4, 6, 3))}


class ResNet(nn.Module):
    """Images ``(N, 3, H, W)`` to features ``(N, C, H / 32, W / 32)``; C is :attr:`out_channels`."""

    def __init__(self, name: str = "resnet50", channels: int = 64):
        super().__init__()
        block, counts = RESNETS[one_of("backbone", name, RESNETS)]
        self.name, self.conv1 = name, _convolution(3, channels, 7, 2)
        self.bn1 = nn.BatchNorm2d(channels)
        inputs = channels
        for part, count in enumerate(counts):
            blocks = []
            for number in range(count):
                stride = 2 if part and not number else 1
                blocks.append(block(inputs, channels * 2**part, stride))
                inputs = block.expansion * channels * 2**part
            self.add_module(f"layer{part + 1}", nn.Sequential(*blocks))
        self.out_channels = inputs
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, 2, padding=1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def load_imagenet_weights(network: ResNet, path: str | Path) -> ResNet:
    """Weights trained on ImageNet, from a file of torchvision's such as
    ``resnet50-0676ba61.pth``, which is read and not run; its classifier is left out.

    Raises :class:`CheckpointError` for another file, or weights of another network.
    """
    where = Path(path).name
    weights = checked_weights(read_tensors(path), where)
    weights = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        found = tuple(weights[name].shape) if name in weights else "missing"
        right = tuple(wanted[name].shape) if name in wanted else "none of this name"
        # files of old versions of PyTorch have no counters
        if found != right and not (name.endswith("num_batches_tracked") and found == "missing"):
            raise CheckpointError(
                f"{where}: not the weights of a {network.name} with {network.conv1.out_channels} "
                f"channels: {name} is {found}, expected {right}"
            )
    network.load_state_dict(weights, strict=False)
    return network
