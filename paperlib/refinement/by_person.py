"""The direct solver, compiled: one person after the other.

It goes by the same plan as ``at_once``. That one takes all people through each step together, and
loses most of its time on the way into many small steps, and on passing all coordinates through
memory for each. Here a track, the coordinates of a root or those of the other joints, stays in the
cache from its prediction to its minimum, and each stretch of frames in doubt is cut to its own
length.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from paperlib.refinement.adam import Log
from paperlib.refinement.arrays import Visibility
from paperlib.refinement.at_once import DESCENT, HARD, HARDER, NEAR_CAP, REACH, RIDGE, SEEN, SOFTEST
from paperlib.refinement.compiled import LOWEST, PREDICTION, WITHOUT_CAP, Search, minima
from paperlib.refinement.energy import coordinates, rows_of, unknown, weights_of
from paperlib.refinement.settings import PAPER, Settings

_TIMES = 3  # a history's stages are reached anew, from the prediction on: the quickest one counts
_PARTS = 4  # of the people for each thread, some of which take longer than others


def by_person(
    given: torch.Tensor, visibility: Visibility, settings: Settings, history: bool, threads: int
) -> tuple[torch.Tensor, Log]:
    """Refined positions, and with ``history`` the energies on the way there."""

    def found(stage: int) -> torch.Tensor:
        score, gate = weights_of(given[..., :1, :].double(), visibility, settings)
        people = given.reshape(-1, *given.shape[-3:]).numpy()
        values = _minima(people, score.numpy(), gate.numpy(), settings, stage, threads)
        return torch.from_numpy(values).reshape(given.shape)

    log: Log = []
    if history:
        rows = rows_of(given.double(), visibility, settings)
        for stage in (PREDICTION, WITHOUT_CAP, LOWEST):
            taken = []
            for _ in range(_TIMES):
                began = time.perf_counter()
                reached = found(stage)
                taken.append(time.perf_counter() - began)
            # a stage is not reached before those on the way to it
            seconds = max([min(taken), *(earlier for _, earlier in log)])
            log.append((rows.energy(coordinates(reached), settings).sum(dim=0), seconds))
    return found(LOWEST), log


def _minima(
    people: np.ndarray,
    score: np.ndarray,
    gate: np.ndarray,
    settings: Settings,
    stage: int,
    threads: int,
) -> np.ndarray:
    found = np.empty(people.shape)
    root = _search(settings, settings.root_short, settings.root_long)
    pose = _search(settings, settings.pose_short, settings.pose_long)

    def some(first: int, last: int) -> None:
        part = slice(first, last)
        # always of the same kind: of another one it would all be compiled again
        arrays = (np.ascontiguousarray(x[part], np.float64) for x in (people, score, gate))
        person, wrong = minima(*arrays, root, pose, stage, found[part])
        if person >= 0:
            raise unknown(first + person, wrong)

    if threads == 1 or len(people) == 1:
        some(0, len(people))
    else:
        bounds = np.linspace(0, len(people), min(_PARTS * threads, len(people)) + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, bounds[:-1], bounds[1:]))
    return found


def _search(settings: Settings, short: float, long: float) -> Search:
    steps = int(settings.short_step), int(settings.long_step)
    reach = min(REACH * steps[1], 2**31)  # far beyond any track, and no overflow
    how = RIDGE, NEAR_CAP, SEEN, DESCENT, SOFTEST, HARDER, HARD
    return Search(float(short), float(long), *steps, float(settings.cap), reach, *how)


# what the compiler, or the place where it keeps its work, has to object to is heard here
_minima(np.zeros((1, 1, 1, 3)), np.ones((1, 1)), np.zeros((1, 1)), PAPER, LOWEST, 1)
