"""The spatio-temporal KCS pose discriminator (cheng2020, figure 4): is this how people move?"""

from collections.abc import Sequence
from numbers import Integral

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as normalised

from paperlib.kinematics import bone_vectors, kinematic_chain_space, temporal_kinematic_chain_space
from paperlib.models.arguments import checked

_SLOPE = 0.2  # of LeakyReLU below 0
_STILL = 1e-5  # a feature that never reaches this is not blown up by a scale


class PoseDiscriminator(nn.Module):
    """Sequences of poses to logits: ``(B, T, J, 3)`` metres -> ``(B,)``, above 0 for "a person".

    Each frame is described by up to three kinds of features, side by side: the coordinates,
    relative to the root; the upper triangle of the spatial KCS, where ``spatial``; that of the
    temporal KCS for each of ``intervals`` (frames), ``()`` for none. The last frames, which have
    no successor at an interval, are given as many zeros. Each kind is divided by the root mean
    square that it has in true motion (:meth:`standardised_by`), so that what is small, the change
    from frame to frame, counts as much as what is large; and pressed together by asinh, linear
    where the true ones lie, since those of a network that has learnt little are a thousand times
    larger.

    A temporal convolutional network of width 3 goes over them: a layer, then ``num_blocks``
    residual ones whose dilation grows threefold, all of ``channels`` and with LeakyReLU. The logit
    of a sequence is the mean of those of its frames. There is no batch norm, whose statistics would
    mix true and false; ``spectral_norm`` holds each layer's largest singular value at 1 (Miyato et
    al. 2018), which keeps the two-player game stable.

    ``parents`` are those of the joints' skeleton. ``ValueError`` where no feature is left, for
    intervals that repeat or are below 1, and for sequences of other joints or no longer than the
    largest interval. Source: cheng2020, pose discriminator, which gives the features and says
    nothing about their scale or the network.
    """

    def __init__(
        self,
        parents: tuple[int, ...],
        spatial: bool = True,
        intervals: tuple[int, ...] = (1,),
        coordinates: bool = True,
        channels: int = 64,
        num_blocks: int = 2,
        spectral_norm: bool = True,
    ):
        super().__init__()
        self.config = checked(
            locals() | {"parents": _tree(parents), "intervals": _intervals(intervals)}
        )
        self.parents, self.intervals = self.config["parents"], self.config["intervals"]
        self.spatial, self.coordinates = spatial, coordinates
        if not (spatial or self.intervals or coordinates):
            raise ValueError(
                "a discriminator without coordinates, spatial and temporal KCS sees nothing: "
                "choose one of them at least"
            )
        joints, bones = len(self.parents), len(self.parents) - 1
        sizes = [3 * joints] * coordinates
        sizes += [bones * (bones + 1) // 2] * (spatial + len(self.intervals))
        self.register_buffer("scales", torch.ones(len(sizes)))

        def layer(module: nn.Module) -> nn.Module:
            return normalised(module) if spectral_norm else module

        self.first = layer(nn.Conv1d(sum(sizes), channels, 3, padding=1))
        dilations = [3**number for number in range(1, num_blocks + 1)]
        self.blocks = nn.ModuleList(
            layer(nn.Conv1d(channels, channels, 3, padding=d, dilation=d)) for d in dilations
        )
        self.last = layer(nn.Linear(channels, 1))
        self.activation = nn.LeakyReLU(_SLOPE)

    def forward(self, poses: Tensor) -> Tensor:
        kinds = zip(self.kinds(poses), self.scales, strict=True)
        x = torch.cat([_pressed(values / scale) for values, scale in kinds], dim=-1)
        x = self.activation(self.first(x.transpose(1, 2)))
        for block in self.blocks:
            x = x + self.activation(block(x))
        with torch.autocast(x.device.type, enabled=False):
            return self.last(x.float().mean(dim=-1)).squeeze(-1)

    def kinds(self, poses: Tensor) -> list[Tensor]:
        """The features ``(B, T, F)`` of each kind, as they are: coordinates, spatial, temporal."""
        joints, least = len(self.parents), max(self.intervals, default=0) + 1
        if poses.ndim != 4 or poses.shape[2:] != (joints, 3) or poses.shape[1] < least:
            raise ValueError(
                f"expected poses (B, T, {joints}, 3) of {least} or more frames, which the "
                f"intervals {self.intervals} need; got {tuple(poses.shape)}"
            )
        # a root that is off by a millimetre would give away what a network has made
        root = self.parents.index(-1)
        kinds = [(poses - poses[:, :, root : root + 1]).flatten(2)] * self.coordinates
        psi = kinematic_chain_space(bone_vectors(poses, self.parents))
        rows, columns = torch.triu_indices(joints - 1, joints - 1, device=poses.device)
        kinds += [psi[..., rows, columns]] * self.spatial
        for interval in self.intervals:
            phi = temporal_kinematic_chain_space(psi, interval)[..., rows, columns]
            kinds.append(nn.functional.pad(phi, (0, 0, 0, interval)))
        return kinds

    def standardised_by(self, poses: Tensor) -> None:
        """Take the scales of the features from true motion ``(B, T, J, 3)``."""
        with torch.no_grad():
            spread = torch.stack([k.double().square().mean().sqrt() for k in self.kinds(poses)])
            self.scales.copy_(torch.where(spread > _STILL, spread, 1.0))


def _pressed(x: Tensor) -> Tensor:
    """asinh, thirty times faster than PyTorch's own on a CPU."""
    return x.sign() * (x.abs() + (x.square() + 1).sqrt()).log()


def _tree(parents: Sequence[int]) -> tuple[int, ...]:
    found = tuple(parents)
    inside = all(-1 <= parent < len(found) for parent in found)
    if len(found) < 2 or found.count(-1) != 1 or not inside:
        raise ValueError(
            "parents must be those of a skeleton of two or more joints, -1 for its root alone, got "
            f"parents={parents!r}"
        )
    return found


def _intervals(given: Sequence[int]) -> tuple[int, ...]:
    found = tuple(given) if isinstance(given, tuple | list) else (0,)
    good = all(isinstance(i, Integral) and not isinstance(i, bool) and i >= 1 for i in found)
    if not good or len(set(found)) < len(found):
        raise ValueError(
            "intervals must be different numbers of frames, each at least 1, such as (1,) or "
            f"(1, 3, 5), or () for no temporal KCS; got {given!r}"
        )
    return found
