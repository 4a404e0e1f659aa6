"""The direct solver of the refinement: the minimum of the energy from a few linear systems.

With a fixed choice of the frames that count (those whose squared error is below the cap) the energy
of a coordinate is quadratic, and its matrix banded: only frames one step apart are tied together. A
capped square is the smaller of the square and the cap, so solving and choosing anew in turn lowers
the energy each time, until no choice changes.

Such a descent ends in one of several minima; which ones are tried is told in ``at_once``. That
search is written twice: compiled, for one person after the other, and in PyTorch for all at once,
which needs no compiler.
"""

import time
import warnings
from collections.abc import Callable
from functools import cache
from pickle import UnpicklingError

import torch

from paperlib.refinement.adam import History, Log, history_of
from paperlib.refinement.arrays import Array, Visibility, as_positions, like
from paperlib.refinement.at_once import lowest
from paperlib.refinement.energy import positions_of, rows_of
from paperlib.refinement.settings import PAPER, Settings
from paperlib.refinement.threads import one_thread

_CACHE = 2**19  # numbers


def direct(
    positions: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    history: bool = False,
) -> Array | tuple[Array, History]:
    """Positions ``(P, T, J, 3)`` or ``(T, J, 3)``, joint 0 the root, refined by the minimum of the
    energy, to within rounding in float64 where no error reaches the cap, and otherwise the lower of
    two minima. With ``history`` also how the energy fell from one stage to the next, timed in runs
    of their own.

    The first call of all compiles the solver, in ten seconds or so; later programs find it
    compiled. Where numba is missing it runs as it is, two to five times slower.

    What lies on a GPU is fetched, refined by the processor and sent back: the search in PyTorch
    would ask a GPU for 800 to 15,000 small operations in a row, and wait for 10 to 110 of them.
    """
    with one_thread(blas=False) as threads:
        given = as_positions(positions)
        by_person = _compiled()
        if by_person is None:
            values, log = _at_once(given, visibility, settings, history)
        else:
            here = (x.cpu() if isinstance(x, torch.Tensor) else x for x in (given, visibility))
            values, log = by_person(*here, settings, history, threads)
        refined = like(values, positions)
    return (refined, history_of(log, given.shape)) if history else refined


@cache
def _compiled() -> Callable | None:
    """The compiled search, where there is a compiler and a folder for what it makes."""
    try:
        from paperlib.refinement.by_person import by_person
    except ImportError:
        return None
    except (RuntimeError, OSError, EOFError, UnpicklingError) as problem:
        warnings.warn(
            f"numba cannot keep or find what it compiles ({problem}): refinement goes on without "
            "it, some times slower. Emptying its cache, in __pycache__ or where NUMBA_CACHE_DIR "
            "says, or giving it a folder there with room left, mends that.",
            stacklevel=2,
        )
        return None
    return by_person


@one_thread()
def _at_once(
    given: torch.Tensor, visibility: Visibility, settings: Settings, history: bool
) -> tuple[torch.Tensor, Log]:
    """Refined positions, and with ``history`` the energies on the way there."""
    began = time.perf_counter()
    log: Log = []
    rows = rows_of(given.double(), visibility, settings)

    def record(values: torch.Tensor) -> None:
        if history:
            taken = time.perf_counter() - began
            log.append((rows.energy(values, settings).sum(dim=0), taken))

    if history or given.is_cuda:
        values = lowest(rows, settings, record)
    else:  # so many people at a time as a processor's cache holds
        count = 3 * given.shape[-2]
        size = count * max(1, _CACHE // (count * given.shape[-3]))
        parts = torch.arange(len(rows.target)).split(size)
        values = torch.cat([lowest(rows.at(part), settings, record) for part in parts])
    return positions_of(values, given.shape), log
