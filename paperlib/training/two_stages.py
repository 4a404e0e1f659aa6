"""The two stages of kato2020 as its pages train them, so that each page finds the others' runs."""

from functools import partial
from typing import Any

from paperlib.datasets.other_bodies import other_bodies
from paperlib.errors import one_of
from paperlib.models import IntegralRegression
from paperlib.recordings import Dataset
from paperlib.rendering import Augmentation
from paperlib.rendering.crops import CROP_MARGIN
from paperlib.training.objectives import FIRST_STAGE, SECOND_STAGE, ImageJoints, JointDepths
from paperlib.training.objectives.base import check_options
from paperlib.training.recipes import PRESETS, Recipe

#: weight of the cross-entropy of the three marginals, which the paper does not have. In a trial the
#: first stage learnt with it from 30,000 images what it took 39,000 to learn without
MARGINALS = 0.05

# a small network sees too few images to learn from bodies at all angles and sizes which side is
# left: in a trial on held-out training takes, after 24,000 images, it took one for the other in 44
# per cent of them with the paper's preset's augmentation, and in 11 with this
_LITTLE = Augmentation(margin=CROP_MARGIN, rotation=10.0, scale=(0.9, 1.1))
#: how the images of the first stage are drawn, by preset
AUGMENTATION = {"smoke": _LITTLE, "laptop": _LITTLE, "paper": Augmentation(margin=CROP_MARGIN)}
# of the second stage: batches of 256 would be 400 steps in all, after which exact 2D and depths of
# held-out training takes still left 47 mm; after four times as many, 31. Its place is
# Recipe.kato2020; but every training's identity has the code of the recipes in it, so that moving
# it there makes all weights that travel stale: when these are next trained anyway
_OFTENER = {"batch_size": 64, "learning_rate": 2e-3}


def first_stage(
    dataset: Dataset, preset: str = "paper", **options: Any
) -> tuple[ImageJoints, Recipe]:
    """What the first stage of Kato et al. learns, and by which recipe; both go to
    :func:`paperlib.training.train`. Equal calls are equal runs, which are found again.

    An :class:`~paperlib.models.IntegralRegression` of the preset's size (:data:`FIRST_STAGE`)
    learns from images of the training bodies and, beside each, from one of other bodies
    (:func:`~paperlib.datasets.other_bodies.other_bodies`) whose depths are held back, in the place
    of the paper's photographs. ``options`` are those of :class:`ImageJoints`: ``flat=None`` for no
    other bodies, ``marginals=0.0`` for the paper's loss alone (:data:`MARGINALS` by default),
    ``augmentation`` (:data:`AUGMENTATION` by default).

    Source: kato2020, section II; what the text leaves open is ours. ``ValueError`` for an option
    that there is not.
    """
    check_options("first stage", options, ImageJoints, "build", "dataset")
    sizes = FIRST_STAGE[one_of("preset", preset, PRESETS)]
    build = partial(IntegralRegression, len(dataset.skeleton), **sizes)
    if "flat" not in options:
        options["flat"] = other_bodies(dataset)
    options = {"marginals": MARGINALS, "augmentation": AUGMENTATION[preset]} | options
    return ImageJoints(build, dataset, **options), Recipe.kato2020_images(preset)


def second_stage(
    seen: Dataset,
    preset: str = "paper",
    inputs: str = "2d_depth_noise",
    receptive_field: int = 243,
    **options: Any,
) -> tuple[JointDepths, Recipe]:
    """Likewise of the second stage, which is given ``inputs`` (:data:`~paperlib.windows.INPUTS`) of
    so many frames (:data:`SECOND_STAGE`). ``seen`` is what the first one made of a data set
    (:func:`paperlib.prediction.predict_dataset`). ``options`` are ``sigma`` and ``noise_on`` of
    :class:`JointDepths`.

    Source: kato2020, section II and table I.
    """
    check_options("second stage", options, JointDepths, "dataset", "inputs", "widths")
    widths = SECOND_STAGE[one_of("receptive_field", receptive_field, SECOND_STAGE)]
    recipe = Recipe.kato2020(preset)
    if preset == "laptop":
        recipe = recipe.but(**_OFTENER)
    return JointDepths(seen, inputs, widths, **options), recipe
