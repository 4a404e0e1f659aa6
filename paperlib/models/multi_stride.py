"""The spatio-temporal network of cheng2020 (figure 2): heat maps embedded frame by frame, then
temporal convolutions with several strides side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from itertools import pairwise
from math import log2
from numbers import Integral

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from paperlib.errors import one_of
from paperlib.models.arguments import check_keypoints, checked
from paperlib.models.complexity import channels_for, count_parameters
from paperlib.models.temporal import Block, Layer, side_by_side
from paperlib.occlusion import SimulatedMaps
from paperlib.windows.maps import are_maps, map_features, unpacked

_KERNEL = 3  # frames, and cells of a map along each side
_LAST = 4  # cells along each side that the embedding's convolutions leave …
_MOST = 64  # … with so many channels, half of them in the convolution before, and so on


class MultiStrideTCN(nn.Module):
    """Windows of keypoints or of their heat maps to the poses of all their frames: ``(B, T, J_in,
    F)`` or ``(B, T, J_in, S, S)`` -> ``(B, T, J_out, 3)``, metres, relative to the root.

    An embedding f_E makes a vector of ``embedding`` numbers of each frame. Without ``maps`` it is
    linear, from x, y and whatever else ``in_features`` counts: the peaks of the maps, table 2's
    Base. With ``maps``, the options of :class:`~paperlib.occlusion.SimulatedMaps`, it is
    convolutional, 3 x 3 with stride 2 down to 4 x 4 cells, and a linear map. The keypoints are then
    x, y, confidence and, as a fourth number where a map shows the occluder, whether each is visible
    (1 or 0), and their maps are drawn here. With ``in_features`` 3 + S * S the maps come
    :attr:`ready`, from a network that sees the image, beside their crops
    (:func:`paperlib.windows.map_input`); of ``maps`` only ``size``, S, counts then. With ``place``
    the embedding is told of each frame's crop, too: its middle and the logarithm of its side (see
    :class:`~paperlib.occlusion.SimulatedMaps`). The paper's has the maps alone, and so knows
    nothing of the direction in which its camera looks at the person.

    Each of the ``strides`` k has a branch: ``num_blocks`` residual blocks of :class:`TemporalModel`
    at the frames t, t ± k, then t ± 3k, t ± 9k …, as if the film had 1/k of its frames; beyond
    both ends of a window there are zeros. Two blocks see 9 frames of every
    k-th: those of the strides 1, 2, 3, 5, 7 reach over 9, 17, 25, 41 and 57 frames, which is about
    a window of 64. The branches' ``channels`` go side by side through a layer for each frame, and a
    linear map.

    ``length`` is that of the windows, in training and in :func:`paperlib.prediction.predict`; a
    call takes what it is given as one window. :attr:`receptive_field` is 1, as of all that gives
    as many poses as it takes frames: examples are chunks of ``length`` frames.

    Source: cheng2020, Multi-Scale Features, and table 1 for ``embedding``, ``length`` and
    ``strides``. Its text has neither layers nor widths; these are ours. ``ValueError`` where the
    largest stride's kernel is wider than a window, or strides repeat.
    """

    causal = False
    receptive_field = 1

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        strides: Sequence[int] = (1, 2, 3, 5, 7),
        length: int = 64,
        maps: Mapping | None = None,
        embedding: int = 512,
        channels: int = 1024,
        num_blocks: int = 2,
        dropout: float = 0.25,
        place: bool = True,
        normalisation: str = "screen",
    ):
        super().__init__()
        self.config = checked(locals())
        self.length = length
        self.config["strides"] = self.strides = _checked_strides(strides, length)
        self.maps = None if maps is None else _maps_of(maps)
        if self.maps is None:
            self.embed = NormedLayer(num_joints_in * in_features, embedding, dropout)
        else:
            self.config["maps"] = asdict(self.maps)
            _check_maps(self.maps, num_joints_in, in_features)
            self.embed = MapEmbedding(num_joints_in, self.maps.size, embedding, dropout, place)
        self.branches = nn.ModuleList(
            Branch(embedding, channels, num_blocks, stride, dropout) for stride in self.strides
        )
        self.fuse = NormedLayer(len(self.strides) * channels, channels, dropout)
        self.shrink = nn.Linear(channels, num_joints_out * 3)

    def forward(self, features: Tensor, crops: Tensor | None = None) -> Tensor:
        """``features`` are ``(B, T, J_in, F)``, as :meth:`drawn` takes them, or maps ``(B, T, J_in,
        S, S)`` and, if the network knows the ``place``, their ``crops`` ``(B, T, 3)``."""
        if self.maps is not None and isinstance(features, Tensor) and features.ndim == 5:
            maps = features
        else:
            maps, crops = self.drawn(features)
        if self.maps is None:
            x = self.embed(maps.flatten(2))
        else:
            x = self.embed(maps, self._placed(maps, crops))
        x = self.fuse(torch.cat([branch(x) for branch in self.branches], dim=-1))
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            return self.shrink(x.float()).unflatten(-1, (-1, 3))

    @property
    def ready(self) -> bool:
        """Whether its maps come ready, and are not drawn."""
        return self.maps is not None and are_maps(self.config["in_features"])

    def drawn(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """The maps ``(B, T, J_in, S, S)`` and crops ``(B, T, 3)`` of keypoints, as :meth:`forward`
        takes them, or those that come :attr:`ready`; the keypoints themselves, and None, where it
        takes no maps."""
        check_keypoints(features, self.config["num_joints_in"], self.config["in_features"])
        device = features.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        if self.ready:
            maps, crops = unpacked(features)
            return maps.to(dtype or torch.float32), crops.float()
        features = features.to(self.shrink.weight.dtype)
        if self.maps is None:
            return features, None
        points, confidence = features[..., :2], features[..., 2]
        visible = features[..., 3] > 0 if features.shape[-1] > 3 else None
        crops = self.maps.crops(points, confidence)
        return self.maps.draw(points, confidence, crops, visible, dtype), crops

    def _placed(self, maps: Tensor, crops: Tensor | None) -> Tensor | None:
        """What the embedding is told of the crops: ``(B, T, 3)``, if anything."""
        shape = (self.config["num_joints_in"], self.maps.size, self.maps.size)
        if maps.shape[2:] != shape:
            joints, size = shape[:2]
            raise ValueError(
                f"expected maps (B, T, {joints}, {size}, {size}) or keypoints (B, T, {joints}, "
                f"{self.config['in_features']}), got {tuple(maps.shape)}"
            )
        if not self.config["place"]:
            return None
        if crops is None or crops.shape != (*maps.shape[:2], 3):
            raise ValueError(
                "this network knows the place of each map: expected its crops (B, T, 3), got "
                f"{None if crops is None else tuple(crops.shape)} beside maps {tuple(maps.shape)}"
            )
        return torch.cat([crops[..., :2], crops[..., 2:].log()], dim=-1)


class NormedLayer(Layer):
    """A :class:`Layer` with a layer norm in the place of the batch norm. A batch holds a few
    windows of adjacent frames, which are nearly the same pose: its statistics are those of a
    handful of people, and others in each batch."""

    def __init__(self, in_channels: int, out_channels: int, *options, **named):
        super().__init__(in_channels, out_channels, *options, **named)
        self.norm = nn.LayerNorm(out_channels)

    def forward(self, frames: Tensor) -> Tensor:
        return self.dropout(F.relu(self.norm(self.conv(frames))))


class MapEmbedding(nn.Module):
    """f_E: the K maps of each frame ``(B, T, K, S, S)``, and what is known of their ``place``
    ``(B, T, 3)``, as a vector ``(B, T, embedding)``."""

    def __init__(self, num_maps: int, size: int, embedding: int, dropout: float, place: bool):
        super().__init__()
        count = round(log2(size / _LAST))
        widths = [num_maps, *(max(1, _MOST >> after) for after in reversed(range(count)))]
        self.convolutions = nn.ModuleList(
            ChannelsLast(*pair, _KERNEL, stride=2, padding=1) for pair in pairwise(widths)
        )
        self.last = NormedLayer(_LAST**2 * widths[-1] + 3 * place, embedding, dropout)

    def forward(self, maps: Tensor, place: Tensor | None) -> Tensor:
        x = maps.flatten(0, 1).permute(0, 2, 3, 1).contiguous()
        # without a norm: the height of a peak says how sure its detector was
        for layer in self.convolutions:
            x = F.relu(layer(x))
        x = x.flatten(1).unflatten(0, maps.shape[:2])
        return self.last(x if place is None else torch.cat([x, place.to(x.dtype)], dim=-1))


class ChannelsLast(nn.Conv2d):
    """A convolution of ``(N, H, W, C)``, which is how it is fastest."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Branch(nn.Module):
    """``(B, T, embedding)`` -> ``(B, T, channels)`` by temporal convolutions that see every
    ``stride``-th frame."""

    def __init__(self, embedding: int, channels: int, blocks: int, stride: int, dropout: float):
        super().__init__()
        self.expand = NormedLayer(embedding, channels, dropout)
        self.blocks = nn.ModuleList(
            Block(
                NormedLayer(channels, channels, dropout, _KERNEL, stride * _KERNEL**number, tap=1),
                NormedLayer(channels, channels, dropout),
            )
            for number in range(blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.expand(x)
        for block in self.blocks:
            x = block(x, all_frames)
        return x


def all_frames(layer: Layer, x: Tensor) -> tuple[Tensor, Tensor]:
    """A schedule for :class:`Block` (see :mod:`paperlib.models.temporal`) that loses no frames:
    beyond the ends of ``x`` there are zeros."""
    beyond = layer.dilation * (layer.width // 2)
    return layer(side_by_side(F.pad(x, (0, 0, beyond, beyond)), layer.width, layer.dilation)), x


def as_large(config: Mapping, **changes) -> dict:
    """The config of a network with other options, and so many channels that it has, as nearly as
    can be, the parameters of the one of ``config``: ``as_large(config, strides=(1,))`` tells
    whether several strides do better, or more parameters.

    A network of one stride sees less of a window; with ``num_blocks`` 3 or 4 it sees as much.
    ``ValueError`` for options that build none.
    """

    other = {**config, **changes}
    with torch.device("meta"):
        wanted = count_parameters(MultiStrideTCN(**config))
    best = channels_for(lambda width: MultiStrideTCN(**other | {"channels": width}), wanted)
    return other | {"channels": best}


def _checked_strides(strides: object, length: int) -> tuple[int, ...]:
    given = tuple(strides) if isinstance(strides, tuple | list) else ()
    whole = all(isinstance(k, Integral) and not isinstance(k, bool) and k >= 1 for k in given)
    if not given or not whole or len(set(given)) < len(given):
        raise ValueError(
            "strides must be different whole numbers of at least one, such as (1, 2, 3, 5, 7); "
            f"got {strides!r}"
        )
    reach = 2 * max(given) + 1
    if length < reach:
        raise ValueError(
            f"windows of {length} frames are shorter than the {reach} over which a kernel of "
            f"stride {max(given)} reaches: take a length of {reach} or more, or smaller strides"
        )
    return tuple(sorted(int(k) for k in given))


def _maps_of(options: object) -> SimulatedMaps:
    if not isinstance(options, Mapping):
        raise ValueError(f"maps are a dictionary of options, or None for peaks; got {options!r}")
    for name in options:
        one_of("option of maps", name, [field.name for field in fields(SimulatedMaps)])
    return SimulatedMaps(**options)


def _check_maps(maps: SimulatedMaps, joints: int, features: int) -> None:
    expected, ready = 4 if maps.occluder else 3, map_features(maps.size)
    if features not in (expected, ready):
        raise ValueError(
            f"maps with occluder={maps.occluder} are drawn from {expected} features of each "
            "keypoint (x, y, confidence and, for the occluder, whether it is visible), and those "
            f"of {maps.size} cells a side that come ready are {ready}, got in_features={features}"
        )
    if maps.mirrored and len(maps.mirrored) != joints:
        raise ValueError(f"`mirrored` is of {len(maps.mirrored)} keypoints, but there are {joints}")
