"""The direct solver's search compiled for a processor; ``by_person`` says what for.

Functions take K coordinates as ``(K, T)`` and one as ``(T,)``, with these beside them: ``anchor``,
the prediction without gaps; ``weight`` of the data term, 0 where the anchor is not the prediction;
``gate`` ``(T,)`` of the long step that ends in a frame. ``search`` is a ``Search``.

All that is compiled must stand in this file: numba finds what it compiled earlier by the age of the
file, and takes no notice of what that used from others.
"""

from typing import NamedTuple

import numba
import numpy as np

PREDICTION, WITHOUT_CAP, LOWEST = range(3)  # stages

# Sums may be taken in any order, as vectors. What Python does not call needs no way in from there.
# Loops over frames, where NumPy would do, compile in a third of the time.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract"},
}
_entry = numba.njit(**_OPTIONS)
_inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


class Search(NamedTuple):
    """The energy of a track, and how its minimum is looked for."""

    short: float  # weight of the short step
    long: float  # weight of the long step
    short_step: int  # frames
    long_step: int  # frames
    cap: float  # square metres
    reach: int  # frames on either side of those in doubt
    ridge: float  # of the largest weights
    near_cap: float  # of the squared error from which a frame is in doubt
    seen: float  # of the score
    descent: int  # steps
    softest: float  # hardness of the soft cap at its start, at least
    harder: float  # factor on it from step to step
    hard: float  # hardness from which the cap itself leads on


@_entry
def minima(positions, score, gate, root, pose, stage, found):
    """Fills ``found`` ``(P, T, J, 3)`` by what a stage of the search makes of predicted positions:
    without gaps, where the energy without a cap is least, or the lowest found.

    ``score`` and ``gate`` ``(P, T)`` weigh the data term and the long step of each frame; ``root``
    and ``pose`` are a ``Search`` each. Gives a person and a coordinate of theirs, counted over
    joints, that is known in no frame, and goes no further; or -1 and -1.
    """
    joints = positions.shape[2]
    for person in range(len(positions)):
        for first, last, search in ((0, 1, root), (1, joints, pose)):
            anchor, weight, unknown = _predicted(positions[person], first, last, score[person])
            if unknown >= 0:
                return person, 3 * first + unknown
            values = anchor
            if stage > PREDICTION:
                values = _least(anchor, weight, gate[person], search)
            if stage > WITHOUT_CAP:
                _improve(values, anchor, weight, gate[person], search)
            _put(values, first, found[person])
    return -1, -1


@_inner
def _predicted(positions, first, last, score):
    """Anchor and weight ``(K, T)`` of some joints of ``(T, J, 3)``, relative to the root if that is
    not among them; and -1, or the first of the coordinates that is known in no frame."""
    frames, count = len(positions), 3 * (last - first)
    anchor, weight = np.empty((count, frames)), np.zeros((count, frames))
    for k in range(count):
        row, axis = anchor[k], k % 3
        known = plays = False
        for t in range(frames):
            row[t] = positions[t, first + k // 3, axis]
            if first > 0:
                row[t] -= positions[t, 0, axis]
            if not np.isnan(row[t]):
                known = True
                weight[k, t] = score[t]
                plays = plays or score[t] > 0
        if not known:
            return anchor, weight, k
        before = -1
        for t in range(frames):
            if weight[k, t] > 0 or not (plays or np.isnan(row[t])):
                since = row[before] if before >= 0 else row[t]
                for between in range(before + 1, t):
                    row[between] = since + (row[t] - since) * ((between - before) / (t - before))
                before = t
        for t in range(before + 1, frames):
            row[t] = row[before]
    return anchor, weight, -1


@_inner
def _put(values, first, found):
    """Coordinates ``(K, T)`` into ``found`` ``(T, J, 3)`` from joint ``first`` on, set on its root
    if that is not among them."""
    for t in range(len(found)):
        for k in range(len(values)):
            value = values[k, t]
            if first > 0:
                value += found[t, 0, k % 3]
            found[t, first + k // 3, k % 3] = value


@_inner
def _least(anchor, weight, gate, search):
    """Where the energy without a cap is least, ``(K, T)``."""
    count, frames = anchor.shape
    result = np.empty((count, frames))
    members = np.empty(count, dtype=np.int64)
    done = np.zeros(count, dtype=np.bool_)
    for one in range(count):
        if done[one]:
            continue
        many = 0  # coordinates with the same weights, and so with the same matrix
        for k in range(one, count):
            alike = not done[k]
            for t in range(frames):
                if not alike:
                    break
                alike = weight[one, t] == weight[k, t]
            if alike:
                done[k] = True
                members[many] = k
                many += 1
        bands, ridge = _factor(weight[one], gate, search)
        width = bands.shape[1]
        values = np.empty((frames, many))
        for t in range(frames):
            for i in range(many):
                values[t, i] = (ridge + weight[one, t]) * anchor[members[i], t]
        for t in range(frames):
            for j in range(1, min(width, frames - t)):
                factor = bands[t, j] / bands[t, 0]
                for i in range(many):
                    values[t + j, i] -= factor * values[t, i]
        for t in range(frames - 1, -1, -1):
            for j in range(1, min(width, frames - t)):
                factor = bands[t, j]
                for i in range(many):
                    values[t, i] -= factor * values[t + j, i]
            for i in range(many):
                values[t, i] /= bands[t, 0]
                result[members[i], t] = values[t, i]
    return result


@_inner
def _factor(weight, gate, search):
    """The matrix A = L D Lᵀ of the energy of a coordinate without a cap, as D and beside it D Lᵀ,
    ``(T, W + 1)``; and the weight on the anchor that holds what nothing else does."""
    frames = len(weight)
    largest, gated = 0.0, False
    for t in range(frames):
        largest = max(largest, weight[t])
        gated = gated or (t >= search.long_step and gate[t] > 0)
    largest += 2 * (search.short + search.long)
    ridge = search.ridge * (largest if largest > 0 else 1.0)
    short = search.short_step if search.short > 0 and search.short_step < frames else 0
    long = search.long_step if search.long > 0 and gated else 0
    bands = np.zeros((frames, max(short, long) + 1))  # bands[t, s] = A[t, t + s]
    for t in range(frames):
        bands[t, 0] += weight[t] + ridge
        if short > 0 and t >= short:
            bands[t - short, short] -= search.short
            bands[t - short, 0] += search.short
            bands[t, 0] += search.short
        if long > 0 and t >= long:
            pull = search.long * gate[t]
            bands[t - long, long] -= pull
            bands[t - long, 0] += pull
            bands[t, 0] += pull
    for t in range(frames):
        row = bands[t]
        last = min(len(row), frames - t)
        for i in range(1, last):
            factor = row[i] / row[0]
            if factor != 0.0:
                below = bands[t + i]
                for j in range(last - i):
                    below[j] -= factor * row[i + j]
    return bands, ridge


@_inner
def _minimum(used, anchor, gate, search):
    """Where the energy without a cap is least, of one coordinate and weights of its own."""
    bands, ridge = _factor(used, gate, search)
    frames, width = bands.shape
    values = np.empty(frames)
    for t in range(frames):
        values[t] = (ridge + used[t]) * anchor[t]
    for t in range(frames):
        row = bands[t]
        factor = values[t] / row[0]
        for j in range(1, min(width, frames - t)):
            values[t + j] -= factor * row[j]
    for t in range(frames - 1, -1, -1):
        row = bands[t]
        value = values[t]
        for j in range(1, min(width, frames - t)):
            value -= row[j] * values[t + j]
        values[t] = value / row[0]
    return values


@_inner
def _improve(values, anchor, weight, gate, search):
    """The lower minima of coordinates ``(K, T)``, in place: sought around each stretch of frames in
    doubt, then followed down with all frames."""
    frames = values.shape[1]
    for k in range(len(values)):
        before, track = values[k], (anchor[k], weight[k], gate)
        found = before.copy()
        first = last = -1  # frame in doubt of this stretch
        for t in range(frames + 1):
            doubtful = t < frames and _doubtful(before[t] - anchor[k, t], weight[k, t], search)
            if first >= 0 and (t == frames or (doubtful and t - last > search.reach)):
                begin = max(0, first - 2 * search.reach)
                end = min(frames, last + 2 * search.reach + 1)
                part = anchor[k, begin:end], weight[k, begin:end], gate[begin:end]
                lower = _lower_of_two(before[begin:end], *part, search)
                for own in range(
                    max(begin, first - search.reach // 2), min(end, last + search.reach // 2 + 1)
                ):
                    found[own] = lower[own - begin]
                first = t
            if doubtful:
                first, last = (t if first < 0 else first), t
        if last >= 0:
            found = _descend(found, *track, search)
            if _energy(found, *track, search) < _energy(before, *track, search):
                for t in range(frames):
                    before[t] = found[t]


@_inner
def _doubtful(error, weight, search):
    """Whether error ** 2 > near_cap * cap * (1 - sqrt(weight / (weight + 4 * short)))."""
    short_of = 1.0 - error * error / (search.near_cap * search.cap)
    within = short_of >= 0 and short_of * short_of * (weight + 4 * search.short) >= weight
    return weight > 0 and not within


@_inner
def _lower_of_two(values, anchor, weight, gate, search):
    """The lower of the minima below two starts: all frames, and those in which one was seen."""
    used = np.empty(len(values))
    for t in range(len(values)):
        used[t] = weight[t] if weight[t] >= search.seen else 0.0
    seen = _minimum(used, anchor, gate, search)
    soft = _soften(seen, anchor, weight, gate, search)
    from_seen = _descend(soft, anchor, weight, gate, search)
    from_all = _descend(values, anchor, weight, gate, search)
    lower = _energy(from_seen, anchor, weight, gate, search)
    return from_seen if lower < _energy(from_all, anchor, weight, gate, search) else from_all


@_inner
def _descend(values, anchor, weight, gate, search):
    """Choose the frames below the cap, solve, and again, until the choice stays."""
    used = np.full(len(values), -1.0)
    for _ in range(search.descent):
        changed = False
        for t in range(len(values)):
            below = (values[t] - anchor[t]) ** 2 <= search.cap
            chosen = weight[t] if below else 0.0
            changed = changed or chosen != used[t]
            used[t] = chosen
        if not changed:
            break
        values = _minimum(used, anchor, gate, search)
    return values


@_inner
def _soften(values, anchor, weight, gate, search):
    """The way over a soft cap that is hardened step by step."""
    largest = 0.0
    for t in range(len(values)):
        if weight[t] > 0:
            largest = max(largest, (values[t] - anchor[t]) ** 2)
    hardness = search.cap / max(2 * largest - search.cap, search.cap / search.hard)
    hardness = max(hardness, search.softest)
    used = np.empty(len(values))
    while hardness <= search.hard:
        for t in range(len(values)):
            ratio = search.cap * hardness * (hardness + 1) / (values[t] - anchor[t]) ** 2
            used[t] = weight[t] * min(max(np.sqrt(ratio) - hardness, 0.0), 1.0)
        values = _minimum(used, anchor, gate, search)
        hardness *= search.harder
    return values


@_inner
def _energy(values, anchor, weight, gate, search):
    total = 0.0
    for t in range(len(values)):
        total += weight[t] * min((values[t] - anchor[t]) ** 2, search.cap)
        if t >= search.short_step:
            total += search.short * (values[t] - values[t - search.short_step]) ** 2
        if t >= search.long_step:
            total += search.long * gate[t] * (values[t] - values[t - search.long_step]) ** 2
    return total
