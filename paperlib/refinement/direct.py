"""The direct solver of the refinement: the minimum of the energy from a few linear systems.

With a fixed choice of the frames that count (those whose squared error is below the cap) the energy
of a coordinate is quadratic, and its matrix banded: only frames one step apart are tied together. A
capped square is the smaller of the square and the cap, so solving and choosing anew in turn lowers
the energy each time, until no choice changes.

Such a descent ends in one of several minima. Where no error comes near the cap, the first solution
is the last. Otherwise frames are in doubt: those that one had better give up, perhaps. About each
stretch of them the descent is made from two starts, and the lower end is kept for each coordinate.
The starts are the solution that uses all frames, and the one that uses only frames in which the
person was seen, led on by a soft cap that is hardened step by step (graduated non-convexity, Yang
et al. 2020, truncated least squares).

What makes it fast is in ``compiled``. All frames outside a stretch keep their weights, so they are
eliminated once for all coordinates of a track, and the two descents solve small systems.
"""

import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pickle import UnpicklingError

import numba
import numpy as np
import torch
from numba.core import event

from paperlib.refinement import compiled
from paperlib.refinement.adam import History, Log, history_of
from paperlib.refinement.arrays import Array, Visibility, as_positions, like
from paperlib.refinement.energy import coordinates, rows_of, unknown, weights_of
from paperlib.refinement.settings import PAPER, Settings

PREDICTION, WITHOUT_CAP, LOWEST = range(3)  # stages
_TIMES = 3  # a history's stages are reached anew, from the prediction on: the quickest one counts
_PARTS = 4  # of the people for each thread, some of which take longer than others


def direct(
    positions: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    history: bool = False,
) -> Array | tuple[Array, History]:
    """Positions ``(P, T, J, 3)`` or ``(T, J, 3)`` in metres, joint 0 the root, refined by the
    minimum of the energy (veges2020, 3.2): to within rounding in float64 where no error reaches the
    cap, and otherwise the lower of two minima. With ``history`` also how the energy fell from one
    stage to the next, timed in runs of their own.

    The first call of all compiles the solver, which takes some seconds, and says so in a terminal;
    later programs find it compiled. What lies on a GPU is fetched, refined by the processor and
    sent back. Raises ``ValueError`` for a joint that is known in no frame.
    """
    given = as_positions(positions)
    here, seen = (x.cpu() if isinstance(x, torch.Tensor) else x for x in (given, visibility))
    score, gate = weights_of(here[..., :1, :].double(), seen, settings)
    if not history:
        found = _minima(here, score, gate, settings, LOWEST)
        return like(found, positions)
    rows = rows_of(here.double(), seen, settings)
    log: Log = []
    for stage in (PREDICTION, WITHOUT_CAP, LOWEST):
        taken = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            found = _minima(here, score, gate, settings, stage)
            taken.append(time.perf_counter() - began)
        # a stage is not reached before those on the way to it
        seconds = max([min(taken), *(earlier for _, earlier in log)])
        log.append((rows.energy(coordinates(found), settings).sum(dim=0), seconds))
    return like(found, positions), history_of(log, given.shape)


def _minima(
    given: torch.Tensor, score: torch.Tensor, gate: torch.Tensor, settings: Settings, stage: int
) -> torch.Tensor:
    """What a stage of the search makes of positions ``(P, T, J, 3)`` or ``(T, J, 3)``, in float64;
    people are shared out over as many threads as PyTorch has."""
    least, improve = _compiled()
    root = settings.root_short, settings.root_long
    pose = settings.pose_short, settings.pose_long
    # far beyond any track, and no overflow
    steps = [min(step, 2**31) for step in (settings.short_step, settings.long_step)]
    cap = settings.cap if stage == LOWEST else np.inf
    *_, frames, joints, _ = given.shape
    people = given.reshape(-1, frames, 3 * joints).numpy()
    score, gate = (np.ascontiguousarray(x, np.float64) for x in (score, gate))
    found = np.empty(people.shape)

    def some(first: int, last: int) -> None:
        for person in range(first, last):
            one = np.ascontiguousarray(people[person], np.float64)
            for begin, end, (short, long) in ((0, 3, root), (3, 3 * joints, pose)):
                if begin == end:  # the root alone
                    continue
                track = least(one, score[person], gate[person], begin, end, short, long, *steps)
                wrong, anchor, weight, error, links, shared, forward = track
                if wrong >= 0:
                    raise unknown(person, begin + wrong)
                if stage == PREDICTION:
                    error[:] = 0
                parts = links, weight, shared, forward, anchor, error
                improve(*parts, short, cap, steps[1], begin, found[person])

    threads = min(torch.get_num_threads(), len(people))
    bounds = np.linspace(0, len(people), min(_PARTS * threads, len(people)) + 1).astype(int)
    if threads == 1:
        some(0, len(people))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, bounds[:-1], bounds[1:]))
    return torch.from_numpy(found).reshape(given.shape)


class _Said(event.Listener):
    """Says once to whoever waits at a terminal that numba compiles."""

    said = False

    def on_start(self, event):
        if sys.stderr.isatty() and not self.said:
            self.said = True
            print("The first refinement compiles its solver: some seconds, once.", file=sys.stderr)

    def on_end(self, event):
        pass


@cache
def _compiled() -> tuple[Callable, Callable]:
    """``compiled.least`` and ``compiled.improve`` as machine code, made here or found in numba's
    cache."""
    with event.install_listener("numba:compile", _Said()):
        try:
            return _made(cache=True)
        except (RuntimeError, OSError, EOFError, UnpicklingError) as problem:
            warnings.warn(
                f"numba cannot keep or find what it compiles ({problem}): the solver is compiled "
                "anew in each program. Emptying numba's cache, in __pycache__ or where "
                "NUMBA_CACHE_DIR says, or giving it a folder there with room left, mends that.",
                stacklevel=4,
            )
            return _made(cache=False)


def _made(cache: bool) -> tuple[Callable, Callable]:
    made = [numba.njit(cache=cache, **compiled.OPTIONS)(f) for f in (compiled.least, compiled.improve)]
    for function, signature in zip(made, (compiled.LEAST, compiled.IMPROVE), strict=True):
        function.compile(signature)
    return tuple(made)
