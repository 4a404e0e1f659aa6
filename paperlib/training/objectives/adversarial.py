"""Adversarial training with views and films (cheng2020, eq. 1 to 6)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn

from paperlib import losses
from paperlib.kinematics import bone_lengths
from paperlib.metrics import mpjpe
from paperlib.models import GeneratorAndDiscriminator
from paperlib.occlusion import OcclusionMasks
from paperlib.recordings import Dataset
from paperlib.training.objectives.base import Objective, Optimizer, Update, adam, amsgrad
from paperlib.training.objectives.turning import random_turns, seen_anew, turned
from paperlib.training.objectives.view_pairs import ViewPairs, partners, seen_keypoints
from paperlib.training.recipes import Recipe
from paperlib.windows import Windows, input_of, keypoint_windows

_LIFTED = ("train_mpjpe", "pose", "views", "projection", "adversarial", "gradient", "bone_spread")
_TOLD = ("discriminator", "penalty", "accuracy_real", "accuracy_fake", "discriminator_gradient")


@dataclass(frozen=True)
class Adversarial(Objective):
    """What ``build()`` makes, a network that answers for all frames of a window, learns from the
    poses of ``dataset.train`` and, where given, from the keypoints alone of ``films.train``; and a
    :class:`~paperlib.models.pose_discriminator.PoseDiscriminator` learns to tell its sequences from
    true ones. Windows have ``recipe.chunk`` frames; an example is two of them, and one of a film.

    ===================  =========================================================================
    ``views``            weight of the multi-view loss (eq. 2), of which two windows have one: an
                         example is then two views of the same moments
    ``projection``       weight of the orthographic loss (eq. 3), of films
    ``adversarial``      weight of the generator's loss (eq. 5); 0 leaves the discriminator out
    ``spatial``          whether the discriminator sees the spatial KCS,
    ``intervals``        the temporal KCS, at which intervals (frames; ``()`` for none),
    ``coordinates``      and the coordinates
    ``turned``           poses are turned at random before they are judged, true ones alike: else
                         the turn would tell which are not
    ``noise``            standard deviation (metres) of what is added to each coordinate before it
                         is judged, of true poses alike: what a network makes trembles by some
                         millimetres, by which it would be known at once, and nothing else learnt
    ``spectral_norm``    and ``penalty`` (weight of the gradient penalty, 10 is usual, 0 for none):
                         what keeps the discriminator from becoming too sharp
    ``warm_up``          epochs in which the generator learns without the discriminator, which
                         learns already
    ``rate``             the discriminator's learning rate, as a share of the recipe's
    ``pool``             how many batches of sequences that were made are kept, to be shown again
    ``clip``             the largest norm of a gradient, of each of the two; 0 for no limit
    ``rotated``          the person is turned at random, as for ``turned``, and what the camera sees
                         follows: more to learn from (the Base of table 2). Of two views each would
                         be turned by itself, so that ``views`` must be 0
    ``masks``            what is hidden of the windows, and how wrong the rest is found
    ===================  =========================================================================

    Each epoch of the history has the losses with their weights, the discriminator's and its shares
    of right answers about true and made sequences, the norm of both gradients (of the step before
    each), and how much the bones of what is made differ (standard deviation, metres);
    :func:`paperlib.training.collapse` reads it. A loss that is not finite is a
    ``FloatingPointError`` which, on a CPU, names epoch, step and term.

    ``ValueError`` for weights and windows that do not fit; for views without a partner; for films
    without a visible joint, or of other joints.

    Source: cheng2020, eq. 1 to 6, which give weights, ranges of the angles and the standard GAN.
    Units, sums, all about the discriminator's training, and the order of the turns (about z, then
    y, then x) are ours.
    """

    build: Callable[[], nn.Module]
    dataset: Dataset
    films: Dataset | None = None
    views: float = 0.5
    projection: float = 0.1
    adversarial: float = 0.01
    spatial: bool = True
    intervals: tuple[int, ...] = (1,)
    coordinates: bool = True
    turned: bool = True
    noise: float = 0.01
    spectral_norm: bool = True
    penalty: float = 0.0
    channels: int = 64
    blocks: int = 2
    warm_up: int = 1
    rate: float = 0.1
    pool: int = 4
    clip: float = 1.0
    rotated: bool = False
    masks: OcclusionMasks | None = None

    def check(self, recipe: Recipe) -> None:
        for name in ("views", "projection", "adversarial", "noise", "penalty", "rate", "clip"):
            value = getattr(self, name)
            if not 0 <= value < inf:
                raise ValueError(f"{name} is a finite number of 0 or more, got {name}={value}")
        for name, least in (("warm_up", 0), ("pool", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name} is a whole number from {least}, got {name}={value}")
        if recipe.chunk <= max(self.intervals, default=1):
            raise ValueError(
                f"windows of {recipe.chunk} frames have nothing to compare at the intervals "
                f"{self.intervals} of the temporal KCS: make the recipe's chunk larger"
            )
        if self.rotated and self.views:
            raise ValueError("rotated turns each view by itself: set views to 0")
        if self.rotated and self.dataset.keypoint_skeleton != self.dataset.skeleton:
            raise ValueError("rotated needs keypoints of the same joints as the poses")
        if not isinstance(self.masks, OcclusionMasks | None):
            raise ValueError(f"masks are occlusion.OcclusionMasks or None, got {self.masks!r}")
        if self.views:
            partners(self.dataset.train)
        if self.films is not None:
            self._check_films()

    def _check_films(self) -> None:
        for part in (self.dataset, self.films):
            if part.keypoint_skeleton != self.dataset.skeleton:
                raise ValueError(
                    f"{part.name} has keypoints of {part.keypoint_skeleton.name}, the poses are of "
                    f"{self.dataset.skeleton.name}: to be laid over keypoints they must be of the "
                    "same joints"
                )
        for recording in self.films.train:
            if not seen_keypoints(recording)[..., 2].any():
                raise ValueError(
                    f"{recording.name} has no visible joint in any frame: nothing can be learnt "
                    "from it; leave it out"
                )

    def model(self, recipe: Recipe) -> GeneratorAndDiscriminator:
        windows = recipe.batch_windows * (2 if self.films is None else 3)
        made = GeneratorAndDiscriminator(
            self.build(),
            self.dataset.skeleton.parents,
            self.spatial,
            self.intervals,
            self.coordinates,
            self.channels,
            self.blocks,
            self.spectral_norm,
            pool=self.pool * windows if self.adversarial else 1,
            pool_frames=recipe.chunk,
        )
        screen = made.config.get("normalisation", "screen") == "screen"
        screen = screen and not getattr(made.generator, "ready", False)
        if self.rotated and not (screen and made.receptive_field == 1):
            raise ValueError(
                "rotated needs a generator of keypoints in screen coordinates that answers for all "
                "frames it sees (receptive_field 1); maps that come ready cannot be turned"
            )
        return made

    def examples(
        self, model: GeneratorAndDiscriminator, recipe: Recipe, seed: int, device: torch.device
    ) -> ViewPairs:
        def windows(part: Dataset, features: Callable, field: int, labelled: bool) -> Windows:
            return keypoint_windows(
                part.train,
                field,
                causal=model.causal,
                flip=recipe.train_flip,
                stride=recipe.stride,
                features=features,
                device=device,
                chunk=recipe.chunk,
                labelled=labelled,
            )

        features, field, films = input_of(model), model.receptive_field, self.films
        return ViewPairs(
            self.dataset.train,
            windows(self.dataset, features, field, True),
            films and windows(films, features, field, False),
            films and windows(films, seen_keypoints, 1, False),
            self.views > 0,
            self.warm_up,
        )

    def updates(self, model: GeneratorAndDiscriminator, examples: ViewPairs) -> Sequence[Update]:
        labelled, parents = examples.labelled, model.discriminator.parents
        judge = model.discriminator

        def finite(terms: Mapping[str, Tensor]) -> Tensor:
            return _finite(terms, model, examples)

        def shown(windows: Tensor) -> tuple[Tensor, Tensor]:
            inputs, target = labelled.input(windows), labelled.target("pose", windows)
            if not self.rotated:
                return inputs, target
            after = turned(target, random_turns(len(target), target.device))
            about = labelled.target("root", windows), labelled.constant("intrinsics", windows)
            return seen_anew(inputs, target, after, *about), after

        def made(inputs: Tensor, batch: Tensor) -> Tensor:
            if examples.films is not None:
                inputs = torch.cat([inputs, examples.films.input(batch[:, 2])])
            if self.masks is None:
                return model.generator(inputs).float()
            joints, ready = self.dataset.keypoint_skeleton, getattr(model.generator, "ready", False)
            if not ready:
                inputs = self.masks.hide(inputs, joints)
            if getattr(model.generator, "maps", None) is None:
                return model.generator(inputs).float()
            maps, crops = model.generator.drawn(inputs)
            if ready:
                maps = self.masks.hide_maps(maps, crops, joints)
            return model.generator(self.masks.noisy(maps), crops).float()

        def lift(batch: Tensor) -> Tensor:
            model.steps.add_(1)
            inputs, target = shown(_by_view(batch))
            poses = made(inputs, batch)
            known = poses[: len(target)]
            none = poses.new_zeros(())
            terms = dict.fromkeys(_LIFTED, none)
            terms["train_mpjpe"] = mpjpe(known.detach(), target)
            terms["pose"] = losses.pose_loss(known, target)
            if self.views:
                rotation = examples.rotation(batch)
                # the mean over windows, as of the poses: a pair of them has one such term
                apart = losses.multi_view_loss(*known.chunk(2), rotation) / 2
                terms["views"] = self.views * apart
            if examples.films is not None:
                x, y, visible = examples.seen.input(batch[:, 2]).unbind(-1)
                places, free = torch.stack([x, y], dim=-1), poses[len(target) :]
                off = losses.orthographic_loss(free, places, visible)
                terms["projection"] = self.projection * off
            if self.adversarial:
                model.remember(poses.detach())
                fooled = losses.generator_loss(judge(self._shown(poses)))
                terms["adversarial"] = self.adversarial * examples.fooling * fooled
            terms["gradient"] = model.gradients[0]
            bones = bone_lengths(poses.detach(), parents)
            terms["bone_spread"] = bones.flatten(0, -2).std(dim=0).mean()
            return finite(terms)

        def tell(batch: Tensor) -> Tensor:
            real = self._shown(labelled.target("pose", _by_view(batch)))
            fake = self._shown(model.recall(batch.numel()))
            real = real.detach().requires_grad_(self.penalty > 0)
            found = judge(torch.cat([real, fake]))
            true, false = found.split([len(real), len(fake)])
            terms = dict.fromkeys(_TOLD, found.new_zeros(()))
            terms["discriminator"] = losses.discriminator_loss(true, false)
            if self.penalty:
                terms["penalty"] = self.penalty * losses.gradient_penalty(true, real)
            terms["accuracy_real"] = (true > 0).float().mean()
            terms["accuracy_fake"] = (false <= 0).float().mean()
            terms["discriminator_gradient"] = model.gradients[1]
            return finite(terms)

        learn = Update(
            lift, _LIFTED, list(model.generator.parameters()), self._watched(amsgrad, model, 0)
        )
        if not self.adversarial:
            return [learn]
        # a run that goes on has these with its weights, and they are the same
        some = torch.arange(0, len(labelled), -(-len(labelled) // 256), device=examples.device)
        judge.standardised_by(labelled.target("pose", some))
        rival = self._watched(partial(adam, betas=(0.5, 0.9)), model, 1)
        return [learn, Update(tell, _TOLD, list(judge.parameters()), rival, self.rate)]

    def _shown(self, poses: Tensor) -> Tensor:
        """Sequences ``(N, T, J, 3)`` as they are judged: each by an angle of its own (eq. 5), and
        with noise."""
        if self.turned:
            poses = turned(poses, random_turns(len(poses), poses.device))
        return poses + self.noise * torch.randn_like(poses) if self.noise else poses

    def _watched(
        self, optimizer: Optimizer, model: GeneratorAndDiscriminator, number: int
    ) -> Optimizer:
        """The optimiser with its gradients' norm limited, and noted for the history."""

        def make(parameters: Iterable[nn.Parameter], rate: float, device: torch.device):
            parameters = list(parameters)
            made = optimizer(parameters, rate, device)

            def before_step(*_: Any) -> None:
                norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
                model.gradients[number].copy_(norm)
                if self.clip:
                    nn.utils.clip_grads_with_norm_(parameters, self.clip, norm)

            made.register_step_pre_hook(before_step)
            return made

        return make


def _by_view(batch: Tensor) -> Tensor:
    """``(2 B,)``: the first windows of the examples, then the second ones."""
    return batch[:, :2].T.reshape(-1)


def _finite(
    terms: Mapping[str, Tensor], model: GeneratorAndDiscriminator, examples: ViewPairs
) -> Tensor:
    """The terms side by side; on a GPU they are looked at after each epoch, since nothing may wait
    for it before."""
    found = torch.stack(list(terms.values()))
    if found.device.type == "cpu" and not torch.compiler.is_compiling():
        wrong = {n: v for n, v in zip(terms, found.tolist(), strict=True) if not isfinite(v)}
        if wrong:
            raise FloatingPointError(
                f"epoch {examples.epoch + 1}, step {int(model.steps)}: a loss is not finite, "
                f"{wrong}; a smaller learning rate, clip and penalty help"
            )
    return found
