"""All free motion capture together, CMU's and Bandai Namco Research's, in three folds by file.

Enough actions that a mean over them is not one of walking, and a split that is not given by chance:
each fold tests a third of every action's takes. Bandai Namco's is not for commercial use
(:mod:`.bandai_namco`), so that this is loaded only where it is asked for by name.
"""

from collections.abc import Iterable
from pathlib import Path

from paperlib.datasets import bandai_namco, cmu, takes
from paperlib.datasets.prepared import chosen
from paperlib.errors import one_of
from paperlib.recordings import Dataset

ACTIONS = (*cmu.ACTIONS, *bandai_namco.ACTIONS)


def find() -> Path:
    """The folder of Bandai Namco's part, where CMU's is there as well;
    :class:`MissingDataError` tells how to get what is missing."""
    cmu.find()
    return bandai_namco.find()


def load(fold: int = 0, actions: Iterable[str] | None = None, as_found: bool = False) -> Dataset:
    """One of the three folds, at 50 Hz, filmed by the four cameras of the studio.

    Every take is tested in one fold and learnt from in the two others, by bodies of other statures;
    an action of two takes or more is in both parts of some fold. Takes that are alike stay
    together: those of one content and style. An action of a single take is in ``unseen``, in every
    fold. ``actions`` limits it to some of :data:`ACTIONS`; the fold of a take does not depend on
    them. ``as_found=True`` loads the files that are there, as they are: another data set.
    """
    one_of("fold", fold, takes.FOLDS)
    wanted = chosen("action", actions, ACTIONS)
    find()
    found = []
    for source in (cmu, bandai_namco):
        if own := [action for action in wanted if action in source.ACTIONS]:
            found += source.all_takes(own, as_found)
    return takes.dataset(
        "mocap",
        f"CMU motion capture (mocap.cs.cmu.edu), mended, and {bandai_namco.ABOUT}",
        found,
        fold,
        "two broken frames of one of CMU's walks; of CMU's 106 files, ten that the "
        f"public copies lack; {bandai_namco.EXCLUDED}",
        as_found,
    )
