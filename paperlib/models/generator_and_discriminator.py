"""The two networks of adversarial training (cheng2020, figure 2): one lifts, one judges."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.models.arguments import checked
from paperlib.models.multi_stride import MultiStrideTCN
from paperlib.models.pose_discriminator import PoseDiscriminator
from paperlib.models.temporal import TemporalModel

#: what may lift, by the names of the classes: networks that answer for all frames of a window
GENERATORS: dict[str, type[nn.Module]] = {m.__name__: m for m in (TemporalModel, MultiStrideTCN)}


class GeneratorAndDiscriminator(nn.Module):
    """A lifting network, :attr:`generator`, the :class:`PoseDiscriminator` that it learns against,
    :attr:`discriminator`, and what the two need while they learn.

    Called, it gives what the generator does, and it is tested like that; the generator alone is a
    model like any other, to be saved and used without the rest. ``generator`` is a network, or the
    name of a class in :data:`GENERATORS` with its ``options``; ``parents`` are those of the
    skeleton of its poses. ``discriminator_channels`` and ``discriminator_blocks`` are the
    discriminator's ``channels`` and ``num_blocks``.

    :attr:`pool` holds the last ``pool`` sequences that the generator made, ``pool_frames`` long:
    a discriminator that is shown old ones too does not forget them, and the two do not go round in
    circles (Shrivastava et al. 2017). :attr:`gradients` are the norms of the last gradients of
    both, :attr:`steps` counts the steps. All of this is saved with the weights, so that a training
    goes on as if never interrupted.
    """

    def __init__(
        self,
        generator: str | nn.Module,
        parents: Sequence[int],
        spatial: bool = True,
        intervals: tuple[int, ...] = (1,),
        coordinates: bool = True,
        discriminator_channels: int = 64,
        discriminator_blocks: int = 2,
        spectral_norm: bool = True,
        pool: int = 64,
        pool_frames: int = 64,
        **options,
    ):
        super().__init__()
        own = checked({k: v for k, v in locals().items() if k not in ("options", "generator")})
        if isinstance(generator, str):
            generator = GENERATORS[one_of("generator", generator, GENERATORS)](**options)
        self.generator = generator
        self.discriminator = PoseDiscriminator(
            parents,
            spatial,
            intervals,
            coordinates,
            discriminator_channels,
            discriminator_blocks,
            spectral_norm,
        )
        own |= {name: self.discriminator.config[name] for name in ("parents", "intervals")}
        if both := own.keys() & generator.config.keys():
            raise ValueError(f"a generator may not have options named {sorted(both)}")
        self.config = {"generator": type(generator).__name__, **own, **generator.config}
        self.causal, self.receptive_field = generator.causal, generator.receptive_field
        if hasattr(generator, "length"):  # of the windows in which it answers
            self.length = generator.length
        self.register_buffer("pool", torch.zeros(pool, pool_frames, len(own["parents"]), 3))
        self.register_buffer("made", torch.zeros((), dtype=torch.int64))  # sequences so far
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("gradients", torch.zeros(2))

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.generator(keypoints)

    @torch.no_grad()
    def remember(self, poses: Tensor) -> None:
        """Put the sequences ``(N, T, J, 3)`` that were made in this step into the pool, in the
        places of the oldest."""
        self._check(len(poses))
        self.pool.index_copy_(0, self._places(self.made, len(poses)), poses.to(self.pool))
        self.made.add_(len(poses))

    @torch.no_grad()
    def recall(self, count: int) -> Tensor:
        """``(count, T, J, 3)``: the last sequences that were made, and in the place of each second
        one, by chance, any of the pool."""
        self._check(count)
        known = self.made.clamp(max=len(self.pool))
        chance = torch.rand(2, count, device=self.pool.device)
        # rounding must not lead beyond the last
        past = torch.minimum((chance[0] * known).long(), known - 1)
        last = self._places(self.made - count, count)
        return self.pool[torch.where(chance[1] < 0.5, past, last)]

    def _places(self, start: Tensor, count: int) -> Tensor:
        return (start + torch.arange(count, device=self.pool.device)) % len(self.pool)

    def _check(self, count: int) -> None:
        if count > len(self.pool):
            raise ValueError(f"{count} sequences are more than the pool's {len(self.pool)}")
