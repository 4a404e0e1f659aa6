"""The whole system of cheng2020, from which a page takes parts away."""

from collections.abc import Sequence
from typing import Any

from paperlib.errors import one_of
from paperlib.models import MultiStrideTCN
from paperlib.occlusion import OcclusionMasks
from paperlib.recordings import Dataset
from paperlib.training.objectives import Adversarial
from paperlib.training.objectives.base import check_options
from paperlib.training.recipes import PRESETS, Recipe
from paperlib.windows.maps import map_cells, map_features

#: what is hidden, moved and swapped in training; the paper names the kinds, the numbers are ours
MASKS = OcclusionMasks(
    frames=0.05,
    points=0.05,
    area=0.3,
    shifts=0.02,
    swaps=0.01,
    noise=0.3,
    frames_lasting=8,
    points_lasting=8,
)
#: where heat maps come from: they are drawn from keypoints, or a network's that saw the film
MAPS = ("simulated", "network")
_CELLS = {"smoke": 8, "laptop": 16, "paper": 64}
_MOST = 512  # the paper's embedding


def spatio_temporal(
    dataset: Dataset,
    preset: str = "paper",
    films: Dataset | None = None,
    *,
    strides: Sequence[int] = (1, 2, 3, 5, 7),
    length: int = 64,
    maps: str = "simulated",
    cells: int | None = None,
    embedding: int | None = None,
    masks: OcclusionMasks | None = MASKS,
    **options: Any,
) -> tuple[Adversarial, Recipe]:
    """What the whole system of Cheng et al. learns, and by which recipe; both go to
    :func:`paperlib.training.train`. Equal calls are equal runs, which are found again.

    A :class:`~paperlib.models.MultiStrideTCN` of heat maps learns from the poses of
    ``dataset.train``, from ``films.train`` (2D alone), from pairs of views, and from a
    discriminator that sees the spatial and the temporal KCS, with ``masks`` over what it is shown
    (:class:`Adversarial`). What a page leaves out, or has otherwise:

    ==================  =========================================================================
    ``strides``         ``(1,)`` for a network of one stride
    ``length``          frames of a window
    ``maps``            ``"network"`` for those that the recordings have of a network which saw
                        their films (:func:`paperlib.prediction.predict_maps`)
    ``cells``           along each side of a map, 16 for the preset ``laptop`` and 64 in the paper;
                        0 for the coordinates of the peaks alone; those of a network's maps are
                        known
    ``embedding``       numbers to which a frame's maps are embedded
    ``masks``           None to hide nothing in training
    ``films``           None for no semi-supervised learning
    ``views``           0.0 for no multi-view loss
    ``adversarial``     0.0 for no discriminator; ``intervals=()`` for one without the temporal KCS,
                        ``spatial=False`` for one without the spatial
    ==================  =========================================================================

    ``options`` are those of :class:`Adversarial`, its own where none is given. Source: cheng2020,
    tables 1 and 2 for strides, length and dimension; what the text leaves open is ours.
    ``ValueError`` for an option that there is not, and for recordings without a network's maps
    where these are asked for.
    """
    check_options("system", options, Adversarial, "build", "dataset", "films")
    network = one_of("maps", maps, MAPS) == "network"
    if network and cells is not None:
        raise ValueError(f"a network's maps have the cells that they have; leave {cells=} out")
    if network:
        cells = map_cells([*dataset.train, *(films.train if films else ())])
    elif cells is None:
        cells = _CELLS[one_of("preset", preset, PRESETS)]
    windows = 2 * sum(-(-len(r) // length) for r in dataset.train)  # mirrored ones included
    recipe = Recipe.cheng2020(preset, windows, length)
    # a peak covers as much of a large map as in the paper's network, and no less than a cell
    how = {"size": cells, "sigma": max(1.0, cells / 32)} if cells else None
    features = map_features(cells) if network else 3 if cells else 2
    joints = len(dataset.keypoint_skeleton), features, len(dataset.skeleton)
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    size["embedding"] = embedding or min(_MOST, 4 * recipe.channels)

    def build() -> MultiStrideTCN:
        return MultiStrideTCN(*joints, tuple(strides), length, how, **size)

    return Adversarial(build, dataset, films, masks=masks, **options), recipe
