"""The direct solver of the refinement: the minimum of the energy from a few linear systems.

With a fixed choice of the frames that count (those whose squared error is below the cap) the energy
of a coordinate is quadratic, and its matrix banded: only frames one step apart are tied together. A
capped square is the smaller of the square and the cap, so solving and choosing anew in turn lowers
the energy each time, until no choice changes.

Such a descent ends in one of several minima. Where no error comes near the cap, the first solution
is the last. Otherwise frames are in doubt: those that one had better give up, perhaps. About each
stretch of them the descent is made from three starts, and the lowest end is kept for each
coordinate. The starts are the solution that uses all frames, the one that uses only frames in which
the person was seen, and where a soft cap leads from that one, hardened step by step (graduated
non-convexity, Yang et al. 2020, truncated least squares).

All frames outside a stretch keep their weights, so they are eliminated once for all coordinates of
a track, and the descents solve small systems. The arithmetic is in ``compiled``. Long tracks are
cut into pieces (``pieces``), which need less memory and stay in the processor's cache.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch

from paperlib.arrays import Array, Visibility, as_positions, like
from paperlib.refinement.adam import History, Log, history_of
from paperlib.refinement.energy import coordinates, rows_of, unknown, weights_of
from paperlib.refinement.interpolation import fill
from paperlib.refinement.pieces import Piece, agree, pieces_of
from paperlib.refinement.settings import PAPER, Settings

PREDICTION, WITHOUT_CAP, LOWEST = range(3)  # stages
_TIMES = 3  # a history's stages are reached anew, from the prediction on: the quickest one counts
RIDGE = 1e-9  # of the largest weights: holds what nothing else does
_PARTS = 4  # of the people for each thread, some of which take longer than others
_SHARE = 8000  # frames of people for each thread: fewer are done before threads have found together


def direct(
    positions: Array,
    visibility: Visibility = None,
    settings: Settings = PAPER,
    history: bool = False,
) -> Array | tuple[Array, History]:
    """Positions ``(P, T, J, 3)`` or ``(T, J, 3)`` in metres, joint 0 the root, refined by the
    minimum of the energy (veges2020, 3.2): to within rounding in float64 where no error reaches the
    cap, and otherwise the lowest of a few minima. With ``history`` also how the energy fell from
    one stage to the next, timed in runs of their own.

    The first call of all compiles the solver, which takes some seconds, and says so in a terminal;
    later programs find it compiled. What lies on a GPU is fetched, refined by the processor and
    sent back. Raises ``ValueError`` for a joint that is known in no frame.
    """
    given = as_positions(positions)
    here, seen = (x.cpu() if isinstance(x, torch.Tensor) else x for x in (given, visibility))
    score, gate = weights_of(here[..., :1, :].double(), seen, settings)
    if not history:
        found = _minima(here, score, gate, settings, LOWEST, here.dtype)
        return like(found, positions)
    rows = rows_of(here.double(), seen, settings)
    log: Log = []
    for stage in (PREDICTION, WITHOUT_CAP, LOWEST):
        taken = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            found = _minima(here, score, gate, settings, stage, torch.float64)
            taken.append(time.perf_counter() - began)
        # a stage is not reached before those on the way to it
        seconds = max([min(taken), *(earlier for _, earlier in log)])
        log.append((rows.energy(coordinates(found), settings).sum(dim=0), seconds))
    return like(found, positions), history_of(log, given.shape)


def _minima(
    given: torch.Tensor,
    score: torch.Tensor,
    gate: torch.Tensor,
    settings: Settings,
    stage: int,
    dtype: torch.dtype,
) -> torch.Tensor:
    """What a stage of the search makes of positions ``(P, T, J, 3)`` or ``(T, J, 3)``, in some
    precision; many people are shared out over as many threads as PyTorch has."""
    from paperlib.refinement.kernels import compiled_kernels

    kernels = compiled_kernels()  # before there are threads
    *_, frames, joints, _ = given.shape
    people = given.reshape(-1, frames, 3 * joints).numpy()
    score, gate = (x.reshape(-1, frames).double().numpy() for x in (score, gate))
    found = torch.empty(people.shape, dtype=dtype)
    into = found.numpy()

    def some(first: int, last: int) -> None:
        for person in range(first, last):
            known = _known(people[person])
            one = _Person(person, people[person], known, score[person], gate[person])
            pieces = pieces_of(known, score[person], settings)
            if not _write(into[person], pieces, one, kernels, settings, stage):
                whole = [Piece(0, 0, frames, frames)]
                _write(into[person], whole, one, kernels, settings, stage)

    threads = max(1, min(torch.get_num_threads(), len(people), len(people) * frames // _SHARE))
    bounds = np.linspace(0, len(people), min(_PARTS * threads, len(people)) + 1).astype(int)
    if threads == 1:
        some(0, len(people))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, bounds[:-1], bounds[1:]))
    return found.reshape(given.shape)


class _Person(NamedTuple):
    """What is known of one person."""

    number: int
    given: np.ndarray  # (T, 3 J) positions
    known: np.ndarray  # (T, 3 J) bool
    score: np.ndarray  # (T,)
    gate: np.ndarray  # (T,)


def _write(
    into: np.ndarray,
    pieces: list[Piece],
    person: _Person,
    kernels: dict[str, Callable],
    settings: Settings,
    stage: int,
) -> bool:
    """Writes what a stage makes of a person's positions, piece by piece; stops, and is False, where
    two of them do not agree."""
    tracks = _tracks(person, settings)
    cap = float(settings.cap) if stage == LOWEST else np.inf
    reach = max(settings.short_step, settings.long_step)
    before = None
    for piece in pieces:
        part = slice(piece.begin, piece.end)
        one = np.ascontiguousarray(person.given[part], np.float64)
        found = np.empty(one.shape)
        for track in tracks:
            anchor = one[:, track.begin : track.end].copy()
            if track.begin:
                _each_joint(anchor)[:] -= one[:, None, :3]
            known = person.known[part, track.begin : track.end]
            weight = np.where(known, person.score[part, None], 0)
            if not (weight > 0).all():
                anchor = _without_gaps(anchor, weight, person.number, track.begin)
            if stage > PREDICTION:
                links = _links(person.gate[part], track, settings)
                anchor += _errors(kernels, links, anchor, weight, track.short, cap, settings)
            if track.begin:
                _each_joint(anchor)[:] += found[:, None, :3]
            found[:, track.begin : track.end] = anchor
        first, last = piece.first - piece.begin, piece.last - piece.begin
        if before is not None and not agree(before, found[first - reach : first + reach]):
            return False
        into[piece.first : piece.last] = found[first:last]
        before = found[last - reach : last + reach].copy()
    return True


def _known(given: np.ndarray) -> np.ndarray:
    """Which coordinates of positions ``(T, 3 J)`` are known; without its root, no joint is."""
    known = ~np.isnan(given, order="C")
    _each_joint(known)[:, 1:] &= known[:, None, :3]
    return known


def _each_joint(coordinates: np.ndarray) -> np.ndarray:
    """Coordinates ``(T, 3 J)`` as ``(T, J, 3)``."""
    return coordinates.reshape(len(coordinates), -1, 3)


class _Track(NamedTuple):
    """Some of a person's coordinates, and what ties their frames together."""

    begin: int  # the first coordinate, and the one after the last
    end: int
    short: float  # weights of the steps
    long: float
    steps: set[int]  # frames; those that play a part
    ridge: float  # a small weight on the anchor, which holds what nothing else does


def _tracks(person: _Person, settings: Settings) -> list[_Track]:
    """The root of a person, and the joints about it, if there are any."""
    known, score, gate = person.known, person.score, person.gate
    found = []
    for begin, end in ((0, 3), (3, known.shape[1])):
        short = float(settings.pose_short if begin else settings.root_short)
        long = float(settings.pose_long if begin else settings.root_long)
        steps = {settings.short_step} if short else set()
        if (long * gate[settings.long_step :]).any():
            steps.add(settings.long_step)
        steps = {step for step in steps if step < len(known)}
        weighed = score[known[:, begin:end].any(axis=1)]
        ridge = RIDGE * ((weighed.max(initial=0) + 2 * (short + long)) or 1)
        found.append(_Track(begin, end, short, long, steps, ridge))
    return [track for track in found if track.begin < track.end]


def _without_gaps(anchor: np.ndarray, weight: np.ndarray, person: int, begin: int) -> np.ndarray:
    """The prediction ``(T, K)``, interpolated where it plays no part; where all of it does not,
    where it is not known. ``begin`` is the number of the first coordinate."""
    known = weight > 0
    known |= ~(np.isnan(anchor) | known.any(axis=0))
    missing = np.flatnonzero(~known.any(axis=0))
    if len(missing):
        raise unknown(person, begin + int(missing[0]))
    rows, known = (torch.from_numpy(np.ascontiguousarray(x.T)) for x in (anchor, known))
    return np.ascontiguousarray(fill(rows, known).numpy().T)


def _links(gate: np.ndarray, track: _Track, settings: Settings) -> np.ndarray:
    """The band ``(T, W + 1)`` of the terms that tie frames together, ``links[t, s] = A[t, t + s]``,
    and the ridge."""
    links = np.zeros((len(gate), 1 + max(track.steps, default=0)))
    links[:, 0] = track.ridge
    pulls = (
        (settings.short_step, np.full(len(gate), track.short)),
        (settings.long_step, track.long * gate),
    )
    for step, pull in pulls:
        if step in track.steps:
            links[:-step, step] -= pull[step:]
            links[:-step, 0] += pull[step:]
            links[step:, 0] += pull[step:]
    return links


def _errors(
    kernels: dict[str, Callable],
    links: np.ndarray,
    anchor: np.ndarray,
    weight: np.ndarray,
    short: float,
    cap: float,
    settings: Settings,
) -> np.ndarray:
    """Of a track, position minus anchor ``(T, K)`` where the energy is lowest; with an endless cap,
    where the energy without one is."""
    from paperlib.refinement.compiled import SEEN

    frames, count = weight.shape
    base, rest, most = np.empty_like(anchor), np.arange(count), 0
    while len(rest):  # coordinates with the same weights have the same matrix
        same = np.ascontiguousarray(weight[:, rest[0]])
        alike = (weight == same[:, None]).all(axis=0)
        if alike.all():
            shared, forward = same, kernels["least"](links, same, anchor, base)
            break
        error = np.empty((frames, alike.sum()))
        matrix = kernels["least"](links, same, anchor.compress(alike, axis=1), error)
        base[:, alike] = error
        rest = rest[~alike[rest]]
        if error.shape[1] > most:
            most, shared, forward = error.shape[1], same, matrix
    doubt = kernels["doubts"](base, weight, short, cap)
    if not doubt.any():
        return base
    used, found, changed = weight.copy(), base.copy(), np.zeros(count, np.bool_)
    backward = kernels["mirror"](links, shared)
    hidden = shared < SEEN
    for begin, end in _stretches(doubt.any(axis=1), hidden, settings.long_step, links.shape[1]):
        index = np.flatnonzero(doubt[begin:end].any(axis=0))
        parts = kernels["gather"](weight, base, used, found, index, begin, end, 3)
        inside = kernels["inside"](links, forward, backward, begin, end)
        second = np.repeat([False, True, False], len(index))
        kernels["lowest"](inside, *parts, second, 3, cap)
        used[begin:end, index], found[begin:end, index] = parts[2:, :, : len(index)]
    kernels["together"](forward, shared, weight, base, used, found, changed)
    kernels["lowest"](links, weight, base, used, found, changed, 1, cap)
    return found


def _stretches(
    doubt: np.ndarray, hidden: np.ndarray, reach: int, least: int
) -> list[tuple[int, int]]:
    """First frame and end of each stretch of frames in doubt ``(T,)`` with what is hidden about it,
    as far as the long step reaches twice. At least so many frames that those before are not tied to
    those after."""
    total, hidden = len(doubt), hidden.tolist()
    frames = np.flatnonzero(doubt)
    found = []
    for part in np.split(frames, np.flatnonzero(np.diff(frames) > reach) + 1):
        begin, end = int(part[0]), int(part[-1]) + 1
        first, last = max(0, begin - 2 * reach), min(total, end + 2 * reach)
        while begin > first and hidden[begin - 1]:
            begin -= 1
        while end < last and hidden[end]:
            end += 1
        end = max(end, min(total, begin + least))
        begin = min(begin, max(0, end - least))
        while found and begin < found[-1][1]:
            begin = min(begin, found.pop()[0])
        found.append((begin, end))
    return found
