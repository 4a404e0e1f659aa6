"""The direct solver's arithmetic, compiled by numba; ``direct`` says what it does and why.

A track is the coordinates of the root, or those of all other joints: K numbers in each of T frames,
as ``(T, K)``. All coordinates of a track have the same links between frames, and differ only in
which frames count. Coordinates are the last axis, so that a processor works on many of them at a
time.

Names: ``anchor`` is the prediction without gaps. ``weight`` is that of the data term, 0 where the
prediction is not known. ``used`` is the part of the weight that a linear system uses. ``links`` is
a symmetric matrix with a narrow band, ``(T, W + 1)`` with ``links[t, s] = A[t, t + s]``: the terms
that tie frames together. ``error`` is position minus anchor, and ``base`` the error where the
energy without a cap is least.

All compiled code is in this file: numba compiles again when it is newer than its cache, and looks
at no other file.
"""

import numba
import numpy as np

NEAR_CAP = 0.5  # of the squared error above which it pays to give a frame up
SEEN = 0.5  # of the score: two starts give up the frames below it
AGREE = 1e-11  # metres, and of the error: what stretches may differ from all frames at once
DESCENT = 100  # steps at most; a few are usual
SOFTEST = 1e-9  # hardness of the soft cap at its start, at least
HARDER = 8.0  # factor on the hardness from step to step …
HARD = 6.0  # … up to this one; after it the cap itself is used
LANES = 8  # coordinates in one linear solve: one wide register, and the band stays in the cache

# Sums may be taken in any order, as vectors.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
_inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)

# One type and layout for each argument, and so one compilation. Functions call few others: what
# calls a function optimises it once more.
_V, _M = "float64[::1]", "float64[:,::1]"
SIGNATURES = {
    "doubts": f"boolean[:,::1]({_M}, {_M}, float64, float64)",
    "gather": f"float64[:,:,::1]({_M}, {_M}, {_M}, {_M}, int64[::1], int64, int64, int64)",
    "least": f"{_M}({_M}, {_V}, {_M}, {_M})",
    "mirror": f"{_M}({_M}, {_V})",
    "inside": f"{_M}({_M}, {_M}, {_M}, int64, int64)",
    "together": f"void({_M}, {_V}, {_M}, {_M}, {_M}, {_M}, boolean[::1])",
    "lowest": f"void({_M}, {_M}, {_M}, {_M}, {_M}, boolean[::1], int64, float64)",
}


@_inner
def _eliminate(matrix):
    """A = L D Lᵀ in place of its band: row t becomes that of D Lᵀ. Two rows at a time: what is
    below them is read and written half as often."""
    frames, width = matrix.shape
    for t in range(0, frames - 1 if width > 1 else 0, 2):
        one, two = matrix[t], matrix[t + 1]
        factor = one[1] / one[0]
        for s in range(width - 1):
            two[s] -= factor * one[1 + s]
        for j in range(2, min(width + 1, frames - t)):
            below, rest = matrix[t + j], width - j
            by_one = one[j] / one[0] if rest > 0 else 0.0
            by_two = two[j - 1] / two[0]
            for s in range(rest):
                below[s] -= by_one * one[j + s] + by_two * two[j - 1 + s]
            below[rest] -= by_two * two[width - 1]


@_inner
def _substitute(matrix, values):
    """Solves L D Lᵀ x = values ``(T, K)`` in place; the matrix is D Lᵀ."""
    frames, width = matrix.shape
    count = values.shape[1]
    for t in range(frames):
        for j in range(1, min(width, frames - t)):
            factor = matrix[t, j] / matrix[t, 0]
            for k in range(count):
                values[t + j, k] -= factor * values[t, k]
    for t in range(frames - 1, -1, -1):
        for j in range(1, min(width, frames - t)):
            factor = matrix[t, j]
            for k in range(count):
                values[t, k] -= factor * values[t + j, k]
        for k in range(count):
            values[t, k] /= matrix[t, 0]


def least(links, weight, anchor, error):
    """Errors ``(T, K)`` where the energy without a cap is least, in place, of coordinates with the
    same weight ``(T,)``. Returns links and weight as D Lᵀ, where A = L D Lᵀ."""
    frames, count = anchor.shape
    matrix = links.copy()
    for t in range(frames):
        matrix[t, 0] += weight[t]
        for k in range(count):
            error[t, k] = 0.0
    for t in range(frames):  # in terms of errors, the links pull at the anchor
        for j in range(1, min(links.shape[1], frames - t)):
            if links[t, j] != 0.0:
                for k in range(count):
                    pull = links[t, j] * (anchor[t, k] - anchor[t + j, k])
                    error[t, k] += pull
                    error[t + j, k] -= pull
    _eliminate(matrix)
    _substitute(matrix, error)
    return matrix


def doubts(error, weight, short, cap):
    """Which frames ``(T, K)`` may better be given up.

    One frame is if its squared error is above cap * (1 - h), where h is its influence on its own
    solution: sqrt(weight / (weight + 4 short)) in an endless even track without long steps.
    NEAR_CAP of that allows for several frames together.
    """
    found = np.empty(error.shape, np.bool_)
    for t in range(error.shape[0]):
        for k in range(error.shape[1]):
            free = 1.0 - error[t, k] * error[t, k] / (NEAR_CAP * cap)  # without a root: h at most
            sure = (free >= 0) & (free * free * (weight[t, k] + 4 * short) >= weight[t, k])
            found[t, k] = (weight[t, k] > 0) & (not sure)
    return found


def gather(weight, base, used, error, index, begin, end, starts):
    """Frames ``begin`` to ``end`` of some coordinates of the four, side by side for each start of
    ``lowest``: ``(4, T, K)``. All starts but the first use the frames in which one was seen."""
    many = len(index)
    found = np.empty((4, end - begin, many * starts))
    for t in range(end - begin):
        for start in range(starts):
            for i in range(many):
                k, at = index[i], start * many + i
                found[0, t, at], found[1, t, at] = weight[begin + t, k], base[begin + t, k]
                found[2, t, at], found[3, t, at] = used[begin + t, k], error[begin + t, k]
                if start > 0 and weight[begin + t, k] < SEEN:
                    found[2, t, at] = 0.0
    return found


def together(forward, shared, weight, base, used, error, changed):
    """Errors that each stretch has found alone continued to all frames, in place. Stretches far
    apart agree with each other; coordinates in which they do not, and are to be solved for anew,
    have ``changed``."""
    frames, count = weight.shape
    moved, many = np.empty((frames, count)), 0
    for t in range(frames):
        for k in range(count):
            moved[t, k] = (weight[t, k] - used[t, k]) * error[t, k]
            changed[k] |= used[t, k] != weight[t, k]
    for k in range(count):
        many += changed[k]
    if many <= LANES:  # they are solved for as soon
        return
    _substitute(forward, moved)
    for k in range(count):
        changed[k] = False
    for t in range(frames):
        for k in range(count):
            moved[t, k] += base[t, k]
            off = abs(moved[t, k] - error[t, k])
            agree = (used[t, k] == weight[t, k]) | (off <= AGREE * (1.0 + abs(error[t, k])))
            changed[k] |= (not agree) | (weight[t, k] != shared[t])
            error[t, k] = moved[t, k]


def mirror(links, shared):
    """Links and weight as D Lᵀ, with time running backwards."""
    frames, width = links.shape
    matrix = np.zeros((frames, width))
    for t in range(frames):
        for j in range(min(width, frames - t)):
            matrix[t, j] = links[frames - 1 - t - j, j]
        matrix[t, 0] += shared[frames - 1 - t]
    _eliminate(matrix)
    return matrix


def inside(links, forward, backward, begin, end):
    """The links between frames ``begin`` to ``end`` if all others follow them: what is left when
    those are eliminated, which ``forward`` and ``backward`` have done as far as there."""
    frames, width = links.shape
    matrix = links[begin:end].copy()
    for t in range(max(0, begin - width + 1), begin):
        row = forward[t]
        for j in range(begin - t, width):
            for s in range(min(width - j, end - t - j)):
                matrix[t + j - begin, s] -= row[j] * row[j + s] / row[0]
    for t in range(max(0, frames - end - width + 1), frames - end):
        row = backward[t]
        for j in range(frames - end - t, width):
            for s in range(min(width - j, frames - begin - t - j)):
                matrix[frames - 1 - t - j - s - begin, s] -= row[j] * row[j + s] / row[0]
    return matrix


def lowest(links, weight, base, used, error, changed, starts, cap):
    """Used and found in the lowest of the minima below some ``starts``, in place.

    Each column of ``(T, K)`` is one coordinate from one start; columns K / starts apart are of the
    same coordinate. Solve for those in which what is ``used`` has changed, choose the frames below
    the cap, and again, until the choice stays. The third start has a soft cap, which begins where
    the second one has solved first, as soft as its errors ask for, and is hardened step by step.
    The lowest replaces the first; ``base`` does where that is lower still.
    """
    many = weight.shape[1] // starts
    frames, count = weight.shape
    space = np.empty((frames, links.shape[1] + 1, LANES))
    hardness = np.empty(count)
    for k in range(count):
        hardness[k] = 2 * HARD if k < 2 * many else 0.0
    for _ in range(DESCENT):
        _solve(links, weight, base, used, error, changed, space)
        largest, again = np.zeros(count), False
        for t in range(frames):
            for k in range(count):
                if hardness[k] == 0.0:
                    error[t, k] = error[t, k - many]
                largest[k] = max(largest[k], error[t, k] ** 2 if weight[t, k] > 0 else 0.0)
        for k in range(count):
            if hardness[k] == 0.0:
                hardness[k] = max(cap / max(2 * largest[k] - cap, cap / HARD), SOFTEST)
            changed[k] = hardness[k] <= HARD
            again |= changed[k]
        for t in range(frames):
            for k in range(count):
                chosen = weight[t, k] if error[t, k] ** 2 <= cap else 0.0
                changed[k] |= chosen != used[t, k]
                used[t, k] = chosen
            for k in range(count - many if again else count, count):
                if hardness[k] <= HARD:
                    ratio = cap * hardness[k] * (hardness[k] + 1) / error[t, k] ** 2
                    share = min(max(np.sqrt(ratio) - hardness[k], 0.0), 1.0)
                    used[t, k] = weight[t, k] * share
        for k in range(count):
            hardness[k] *= HARDER
            again |= changed[k]
        if not again:
            break
    # the energy but for a constant: the links' part follows from the system that was solved
    energy, before = np.zeros(count), np.zeros(count)
    for t in range(frames):
        for k in range(count):
            moved = error[t, k] - base[t, k]
            before[k] += weight[t, k] * min(base[t, k] ** 2, cap)
            energy[k] += weight[t, k] * min(error[t, k] ** 2, cap)
            energy[k] -= moved * ((weight[t, k] + used[t, k]) * base[t, k] + used[t, k] * moved)
    for k in range(many):
        best = k
        for other in range(k, count, many):
            best = other if energy[other] < energy[best] else best
        none = not energy[best] < before[k]
        for t in range(frames):
            used[t, k] = weight[t, k] if none else used[t, best]
            error[t, k] = base[t, k] if none else error[t, best]


@_inner
def _solve(links, weight, base, used, error, chosen, space):
    """Errors ``(T, K)`` of the chosen coordinates, in place, if ``used`` counts instead of the
    ``weight`` with which they were ``base``: (links + used) (error - base) = (weight - used) base.
    """
    frames, width = links.shape
    lanes = space.shape[2]  # not a constant: the compiler would write all lanes out one by one
    index, many = np.empty(len(chosen), np.int64), 0
    for k in range(len(chosen)):
        if chosen[k]:
            index[many] = k
            many += 1
    factor, inverse = np.empty(lanes), np.empty(lanes)
    for first in range(0, many, lanes):
        own = min(lanes, many - first)
        for t in range(frames):
            row = space[t]
            for j in range(width):
                for i in range(lanes):
                    row[j, i] = links[t, j]
            for i in range(lanes):  # the last one fills what is left over
                k = index[first + min(i, own - 1)]
                row[0, i] += used[t, k]
                row[width, i] = (weight[t, k] - used[t, k]) * base[t, k]
        for t in range(frames):
            row = space[t]
            last = min(width, frames - t)
            for i in range(lanes):
                inverse[i] = 1.0 / row[0, i]
            for j in range(1, last):
                below = space[t + j]
                for i in range(lanes):
                    factor[i] = row[j, i] * inverse[i]
                for s in range(last - j):
                    for i in range(lanes):
                        below[s, i] -= factor[i] * row[j + s, i]
                for i in range(lanes):
                    below[width, i] -= factor[i] * row[width, i]
        for t in range(frames - 1, -1, -1):
            row = space[t]
            for j in range(1, min(width, frames - t)):
                below = space[t + j]
                for i in range(lanes):
                    row[width, i] -= row[j, i] * below[width, i]
            for i in range(lanes):
                row[width, i] /= row[0, i]
            for i in range(own):
                k = index[first + i]
                error[t, k] = base[t, k] + row[width, i]
