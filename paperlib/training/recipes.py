"""Hyperparameters: the papers' own, and smaller presets that keep their shape."""

import math
import os
from dataclasses import asdict, dataclass, replace

from paperlib.errors import one_of
from paperlib.training.devices import PRECISIONS, choose_device

PRESETS = ("smoke", "laptop", "paper")
SCHEDULES = ("exponential", "linear", "cosine", "steps")
AUTO = "auto"
# of the laptop preset: with these, two epochs end 4 mm lower (notebook `budget`)
_STEADY = {"schedule": "linear", "learning_rate": 4e-3, "precision": "mixed"}
_STEPS = 5000
_DROPS = (2 / 3, 5 / 6)  # of the epochs
_WINDOWS, _EPOCH = 10_000, 2_000  # of cheng2020, a hundred times as costly


def resolve_preset(name: str = AUTO, device: str = AUTO) -> str:
    """``"auto"`` takes ``PAPERLIB_PRESET``, else ``paper`` on a GPU and ``laptop`` without one."""
    if one_of("preset", name, (AUTO, *PRESETS)) != AUTO:
        return name
    default = "paper" if choose_device(device).type == "cuda" else "laptop"
    return one_of("PAPERLIB_PRESET", os.environ.get("PAPERLIB_PRESET") or default, PRESETS)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained and tested. Immutable; ``recipe.but(epochs=3)`` gives a changed one.

    ``channels`` and ``dropout`` belong to the network, but scale with the preset and so stand here.
    """

    epochs: int = 80
    batch_size: int = 1024
    learning_rate: float = 1e-3
    # how the rate falls: with every epoch; steadily to 0, in a straight line or half a wave; or to
    # a tenth after two thirds of the epochs, and to a hundredth after five sixths
    schedule: str = "exponential"
    decay: float = 0.95  # the factor after each epoch of the first of these
    momentum_start: float = 0.1  # of the batch-norm statistics, in the first epoch …
    momentum_end: float = 1e-3  # … and after the last one
    channels: int = 1024
    dropout: float = 0.25
    train_flip: bool = True
    test_flip: bool = True
    stride: int = 1  # every n-th frame is a training target
    chunk: int = 1  # adjacent frames that are the targets of one window
    epoch_examples: int = 0  # an epoch shows at most so many, others in each; 0 for all there are
    precision: str = "auto"

    def __post_init__(self):
        one_of("precision", self.precision, PRECISIONS)
        one_of("schedule", self.schedule, SCHEDULES)
        counts = ("epochs", "batch_size", "channels", "stride", "chunk")
        rates = ("learning_rate", "decay", "momentum_start", "momentum_end")
        values = {name: getattr(self, name) for name in (*counts, *rates)}
        if not all(isinstance(values[name], int) for name in counts):
            raise ValueError(f"a recipe needs whole numbers of {', '.join(counts)}, got {self}")
        if not all(0 < v < math.inf for v in values.values()) or not 0 <= self.dropout < 1:
            raise ValueError(
                f"a recipe needs positive, finite values and dropout in [0, 1), got {self}"
            )
        if not isinstance(self.epoch_examples, int) or self.epoch_examples < 0:
            raise ValueError(f"epoch_examples is a whole number from 0 (all), got {self}")
        if self.chunk > self.batch_size:
            raise ValueError(
                f"batches of {self.batch_size} frames cannot hold a chunk of {self.chunk}: make "
                "batch_size at least the chunk"
            )

    @classmethod
    def pavllo2019(cls, preset: str = "paper", examples: int = 0) -> "Recipe":
        """Pavllo et al. 2019, section 5.3: AMSGrad, 80 epochs, 0.001 x 0.95 an epoch, batch-norm
        momentum 0.1 -> 0.001; batches of 1024 as in the reference implementation.

        ``laptop`` has a quarter of the channels, and learns with steps of a fourfold size, which
        fall steadily to 0: about 5,000 of them where it is told the ``examples`` (windows, mirrored
        ones included), else 12 epochs. ``smoke`` only shows that everything runs.
        """
        smaller = {"batch_size": 256, "channels": 256, "stride": 2}
        epochs = round(_STEPS * 256 / (examples / 2)) if examples else 12
        return cls()._at(
            preset,
            laptop=smaller | _STEADY | {"epochs": max(1, epochs)},
            smoke={"epochs": 2, "batch_size": 256, "channels": 32, "stride": 4},
        )

    @classmethod
    def pavllo2019_humaneva(cls, preset: str = "paper") -> "Recipe":
        """Pavllo et al. 2019, section 5.3, for HumanEva-I: batches of 128, 1000 epochs and a decay
        of 0.996; all else as on Human3.6M.

        ``laptop`` has a quarter of the channels, every other frame as a target and 50 epochs, in
        which learning rate and momentum fall as far; ``smoke`` only shows that everything runs.
        """
        return cls(epochs=1000, batch_size=128, decay=0.996)._at(
            preset,
            laptop={"epochs": 50, "channels": 256, "stride": 2},
            smoke={"epochs": 2, "channels": 32, "stride": 4},
        )

    @classmethod
    def wang2020(cls, preset: str = "paper") -> "Recipe":
        """Wang et al. 2020 say nothing about training. Their network is that of Pavllo et al. 2019,
        on HumanEva-I, and so is this recipe."""
        return cls.pavllo2019_humaneva(preset)

    @classmethod
    def semi_supervised(cls, preset: str = "paper", examples: int = 0) -> "Recipe":
        """For section 4 of Pavllo et al. 2019, whose text has no numbers of its own: batches of 64
        labelled and as many unlabelled windows, 200 epochs and a decay of 0.98, as in the example
        that the reference implementation publishes.

        ``laptop`` takes about 4,000 steps on any subset, whose size is ``examples`` (windows,
        mirrored ones included), and at most so many where that is not told; ``smoke`` only shows
        that everything runs.
        """
        paper = cls(epochs=200, batch_size=64, decay=0.98)
        if one_of("preset", preset, PRESETS) == "paper":
            return paper
        if preset == "smoke":
            return paper.shortened(2).but(channels=32)
        # no fewer than 8 epochs, since learning begins with some on labels alone: of large subsets
        # an epoch shows a part
        most = 500 * paper.batch_size
        examples = examples or most + 1
        steps = max(1, round(examples / paper.batch_size))
        laptop = paper.shortened(max(8, round(4000 / steps))).but(channels=256)
        return laptop.but(epoch_examples=most) if examples > most else laptop

    @classmethod
    def veges2020(cls, preset: str = "paper") -> "Recipe":
        """Véges & Lőrincz 2020, section 4.3: Adam, 80 epochs with a decay of 0.95, dropout 0.25;
        learning rate, batches, channels and a batch-norm momentum that stays are the reference's.

        ``laptop`` has a quarter of the channels and fewer, smaller steps; ``smoke`` only shows that
        everything runs.
        """
        return cls(momentum_end=0.1)._at(
            preset,
            laptop={"epochs": 8, "batch_size": 256, "channels": 256, "stride": 4},
            smoke={"epochs": 1, "batch_size": 64, "channels": 16, "stride": 8},
        )

    @classmethod
    def cheng2020(cls, preset: str = "paper", windows: int = 0, length: int = 64) -> "Recipe":
        """Cheng et al. 2020 print nothing of their training but the weights of its losses: this is
        ours. AMSGrad and the falling rate of Pavllo et al.; all ``length`` frames of a window are
        targets, and a step takes pairs of windows (:class:`~paperlib.training.Adversarial`), 64 of
        them of 64 frames. Of shorter ones it takes more, so that networks of another length learn
        from as many frames, and in as many steps.

        ``laptop`` has an eighth of the channels, steps of 2 pairs at a smaller rate that falls
        steadily to 0, and no dropout, since it sees little twice: 10,000 windows of 64 frames,
        2,000 of them in an epoch, or all there are (``windows``, mirrored ones included, where they
        are fewer).
        ``smoke`` only shows that everything runs.
        """
        most = round(_EPOCH * 64 / length)
        epoch = min(windows, most) if windows else most
        epochs = max(2, round(_WINDOWS * 64 / length / epoch))
        laptop = {"batch_size": 2 * 64, "channels": 128, "dropout": 0.0, "epochs": epochs}
        # 1e-3 in such small steps ends 7 mm higher, 3e-4 and 5e-4 no lower (takes held out)
        laptop |= {"schedule": "linear", "learning_rate": 4e-4, "precision": "mixed"}
        laptop |= {"epoch_examples": most // 2}
        return cls(batch_size=64 * 64, chunk=length)._at(
            preset, laptop=laptop, smoke={"epochs": 1, "batch_size": 4 * 64, "channels": 16}
        )

    @classmethod
    def martinez2017(cls, preset: str = "paper", windows: int = 0, length: int = 75) -> "Recipe":
        """For the recurrent forecaster of Martinez et al. 2017
        (:class:`~paperlib.training.Forecasting`): as many windows as :meth:`cheng2020` shows with
        the same arguments. Batches of 16 and 1024 channels are those of their public code, which
        descends plain gradients of standardised angles; for metres it is AMSGrad, with a rate of
        0.001 that falls steadily to 0.

        ``laptop`` and ``smoke`` are as much smaller as there.
        """
        alike = cls.cheng2020(preset, windows, length)
        own = {"learning_rate": 1e-3, "schedule": "linear", "dropout": 0.0, "precision": "float32"}
        # an example is one window, and a pair there
        return alike.but(batch_size=16 * length, epoch_examples=2 * alike.epoch_examples, **own)

    @classmethod
    def cheng2020_maps(cls, preset: str = "paper") -> "Recipe":
        """For the network that gives Cheng et al. 2020 their maps, of whose training the text says
        nothing (:class:`~paperlib.training.KeypointMaps`): Adam, a rate of 0.001 that falls
        steadily to 0, batches of 128 and as many pictures as a GPU draws in some hours; ours. The
        network's ``channels`` stand here too.

        ``laptop`` learns from 200,000 pictures in batches of 32; ``smoke`` only shows that
        everything runs.
        """
        shown = {"batch_size": 128, "epochs": 200, "epoch_examples": 50_000}
        smaller = {"precision": "mixed", "batch_size": 32}
        return cls(schedule="linear", channels=20, **shown)._at(
            preset,
            laptop=smaller | {"epochs": 20, "epoch_examples": 10_000},
            smoke=smaller | {"channels": 4, "epochs": 2, "epoch_examples": 64},
        )

    @classmethod
    def kato2020(cls, preset: str = "paper") -> "Recipe":
        """The second stage of Kato et al. 2020, whose text prints the network alone (1024 channels,
        dropout 0.25). All else is that of the network's own paper, Pavllo et al. 2019.

        ``laptop`` has a quarter of the channels and every eighth frame as a target; ``smoke`` only
        shows that everything runs.
        """
        smaller = {"epochs": 12, "batch_size": 256, "channels": 256, "stride": 8}
        return cls()._at(
            preset,
            laptop=smaller | _STEADY,
            smoke={"epochs": 2, "batch_size": 64, "channels": 32, "stride": 4},
        )

    @classmethod
    def kato2020_images(cls, preset: str = "paper") -> "Recipe":
        """The first stage of Kato et al. 2020, of whose training the text prints nothing. Adam,
        0.001 divided by 10 twice and batches of 128 are those of integral regression (Sun et al.
        2018). An example is an image with depths and, beside it, one without (half of each batch:
        :class:`~paperlib.training.ImageJoints`); an epoch shows 50,000. The batch norms keep their
        momentum. The network's sizes are :data:`~paperlib.training.FIRST_STAGE`, whose channels
        stand here too.

        ``laptop`` learns from 200,000 images in batches of 32; ``smoke`` only shows that everything
        runs.
        """
        shown = {"batch_size": 64, "epochs": 60, "epoch_examples": 50_000}
        steady = {"schedule": "cosine", "precision": "mixed", "batch_size": 16}
        return cls(momentum_end=0.1, schedule="steps", channels=64, **shown)._at(
            preset,
            laptop=steady | {"channels": 32, "epochs": 20, "epoch_examples": 5_000},
            smoke=steady | {"channels": 8, "epochs": 2, "epoch_examples": 60, "batch_size": 4},
        )

    def _at(self, preset: str, laptop: dict, smoke: dict) -> "Recipe":
        """This recipe for ``"paper"``, and for a smaller preset with what changes there."""
        changes = {"paper": {}, "laptop": laptop, "smoke": smoke}[one_of("preset", preset, PRESETS)]
        epochs = changes.get("epochs", self.epochs)
        return self.shortened(epochs).but(**changes)

    def but(self, **changes) -> "Recipe":
        """The recipe with some values changed. Fewer ``epochs`` leave the decay of each epoch as it
        is; :meth:`shortened` makes it fall as far."""
        for name in changes:
            one_of("value of a recipe", name, self.as_dict())
        return replace(self, **changes)

    def shortened(self, epochs: int) -> "Recipe":
        """Fewer epochs (or more), through which the learning rate falls by the same factor."""
        fall = self.decay ** ((self.epochs - 1) / max(epochs - 1, 1))
        return self.but(epochs=epochs, decay=fall)

    def steps(self, examples: int) -> int:
        """Steps of an epoch, of ``examples`` windows of ``chunk`` target frames, taken at a stride
        of 1 and mirrored ones included."""
        shown = math.ceil(examples / self.stride)
        return math.ceil(min(shown, self.epoch_examples or shown) / self.batch_windows)

    @property
    def batch_windows(self) -> int:
        """Windows in a batch: ``batch_size`` counts their target frames."""
        return self.batch_size // self.chunk

    def rate(self, at: float) -> float:
        """Learning rate after ``at`` epochs, a whole number of them or not."""
        if self.schedule == "linear":
            return self.learning_rate * (1 - at / self.epochs)
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * at / self.epochs)) / 2
        if self.schedule == "steps":
            drops = sum(at >= share * self.epochs for share in _DROPS)
            return self.learning_rate * 0.1**drops
        return self.learning_rate * self.decay ** int(at)

    def momentum(self, epoch: int) -> float:
        """Batch-norm momentum (weight of the new batch) in an epoch counted from 0."""
        fall = math.log(self.momentum_start / self.momentum_end)
        return self.momentum_start * math.exp(-epoch / self.epochs * fall)

    def as_dict(self) -> dict:
        return asdict(self)
