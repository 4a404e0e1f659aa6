"""What the linear systems of the direct solver are made of, compiled by numba. Names and shapes are
those of ``compiled``."""

import numpy as np

RIDGE = 1e-9  # of the largest weights: holds what nothing else does
NEAR_CAP = 0.5  # of the squared error above which it pays to give a frame up
SEEN = 0.5  # of the score: two starts give up the frames below it

_V, _M = "float64[::1]", "float64[:,::1]"
SIGNATURES = {
    "fill": f"int64({_M}, int64, {_V}, {_M}, {_M})",
    "link": f"{_M}({_V}, float64, float64, int64, int64, {_M})",
    "doubts": f"boolean[:,::1]({_M}, {_M}, float64, float64)",
    "gather": f"float64[:,:,::1]({_M}, {_M}, {_M}, {_M}, int64[::1], int64, int64, int64)",
}


def fill(given, first, score, anchor, weight):
    """Anchor and weight ``(T, K)`` of coordinates from ``first`` on, relative to the root if that
    is not among them. Returns -1, or the first coordinate that is known in no frame."""
    frames, count = anchor.shape
    plays = np.zeros(count, np.int64)
    for t in range(frames):
        for k in range(count):
            anchor[t, k] = given[t, first + k] - (given[t, k % 3] if first > 0 else 0.0)
            weight[t, k] = 0.0 if np.isnan(anchor[t, k]) else score[t]
            plays[k] += weight[t, k] > 0
    for k in range(count):
        if plays[k] == frames:
            continue
        before = -1
        for t in range(frames):
            if weight[t, k] > 0 or (plays[k] == 0 and not np.isnan(anchor[t, k])):
                since = anchor[before, k] if before >= 0 else anchor[t, k]
                for s in range(before + 1, t):
                    share = (s - before) / (t - before)
                    anchor[s, k] = since + (anchor[t, k] - since) * share
                before = t
        if before < 0:
            return k
        for t in range(before + 1, frames):
            anchor[t, k] = anchor[before, k]
    return -1


def link(gate, short, long, short_step, long_step, weight):
    """The band ``(T, W + 1)`` of the terms that tie frames together, and a small weight on the
    anchor that holds what nothing else does."""
    frames, gated, largest = len(gate), False, 0.0
    for t in range(frames):
        gated = gated or (t >= long_step and gate[t] > 0)
        for k in range(weight.shape[1]):
            largest = max(largest, weight[t, k])
    near = short_step if short > 0 and short_step < frames else 0
    far = long_step if long > 0 and gated else 0
    links = np.zeros((frames, max(near, far) + 1))
    scale = largest + 2 * (short + long)
    for t in range(frames):
        links[t, 0] += RIDGE * (scale if scale > 0 else 1.0)
        for step, pull in ((near, short), (far, long * gate[t])):
            if 0 < step <= t:
                links[t - step, step] -= pull
                links[t - step, 0] += pull
                links[t, 0] += pull
    return links


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
