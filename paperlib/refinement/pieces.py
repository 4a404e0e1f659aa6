"""Long tracks in pieces. Where a person is seen, a frame pulls at others the less the further they
are, until that is less than rounding: there a track can be cut, if each piece is solved with a
margin beyond its ends. Whether neighbours then agree is checked, not assumed.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from paperlib.refinement.settings import Settings

FRAMES = 2**14  # of a piece, at least: with all joints they stay in a processor's cache
_MARGIN = 32  # times the longest step, beyond each end; at most twice that
_BLOCK = 64  # frames: tracks are cut between two blocks
# the exponent by which an influence falls over a margin, at least: e^-37 is rounding, but frames
# that are given up hold nothing
_DECAY = 100.0
_AGREE = 1e-11  # metres, and of the position: what pieces may differ by where they meet


class Piece(NamedTuple):
    """Frames ``begin`` to ``end`` are solved together, and ``first`` to ``last`` are kept."""

    begin: int
    first: int
    last: int
    end: int


def pieces_of(known: np.ndarray, score: np.ndarray, settings: Settings) -> list[Piece]:
    """The pieces of a person whose coordinates are ``known`` ``(T, K)`` and whose score is
    ``(T,)``: one, where the track is short or nothing holds it."""
    frames, whole = len(score), [Piece(0, 0, len(score), len(score))]
    margin = -(-_MARGIN * max(settings.short_step, settings.long_step) // _BLOCK) * _BLOCK
    held = min(settings.root_short, settings.pose_short) > 0  # by the frames next to it
    if frames < 2 * FRAMES or 4 * margin > FRAMES or not held:
        return whole
    # At the ends of a piece all is known: no gap reaches beyond. Frames are eliminated by twos from
    # either end: no pair is torn.
    sure = (score > 0) & known.all(axis=1)
    begins = np.flatnonzero(sure[::2]) * 2
    ends = np.flatnonzero(sure[1 - frames % 2 :: 2]) * 2 + 2 - frames % 2
    bounds, around = [0], [(0, 0)]
    for cut in _loose(known, score, margin, settings).tolist():
        begin = np.searchsorted(begins, cut - margin, side="right") - 1
        end = np.searchsorted(ends, cut + margin)
        if cut < bounds[-1] + FRAMES or begin < 0 or end == len(ends):
            continue
        if cut - begins[begin] <= 2 * margin and ends[end] - cut <= 2 * margin:
            bounds.append(cut)
            around.append((int(begins[begin]), int(ends[end])))
    bounds.append(frames)
    around.append((frames, frames))
    return [
        Piece(before[0], first, last, after[1])
        for (first, last), (before, after) in zip(pairwise(bounds), pairwise(around), strict=True)
    ]


def _loose(known: np.ndarray, score: np.ndarray, margin: int, settings: Settings) -> np.ndarray:
    """The frames between blocks over which nothing pulls: each coordinate loses all influence
    within a margin before and after."""
    pull = max(settings.root_short + settings.root_long, settings.pose_short + settings.pose_long)
    # weight * x = pull * (second difference of x) is solved by what falls so much in each frame
    decay = np.arccosh(1 + score / (2 * pull))
    blocks, reach = len(score) // _BLOCK, margin // _BLOCK
    shape = (blocks, _BLOCK, -1)
    held = np.einsum(
        "bt,btk->bk",
        decay[: blocks * _BLOCK].reshape(blocks, _BLOCK),
        known[: blocks * _BLOCK].reshape(shape),
    )
    so_far = np.concatenate([np.zeros_like(held[:1]), held.cumsum(axis=0)])
    within = (so_far[reach:] - so_far[:-reach]).min(axis=1)  # from each block on
    at = np.flatnonzero(np.minimum(within[:-reach], within[reach:]) >= _DECAY)
    return (at + reach) * _BLOCK


def agree(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two pieces found the same positions for the frames about their seam."""
    return bool((np.abs(before - after) <= _AGREE * (1 + np.abs(after))).all())
