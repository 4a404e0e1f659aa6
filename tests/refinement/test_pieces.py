"""Long tracks in pieces: the same positions, whatever lies about the seams."""

import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

from paperlib.refinement import Settings, pieces, refine
from paperlib.refinement.pieces import pieces_of

NAN = float("nan")
SETTINGS = Settings(long_step=5)  # margins of 192 frames
FRAMES = 4_000


@pytest.fixture
def many_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "FRAMES", 800)


@pytest.fixture(scope="module")
def track():
    """(FRAMES, 3, 3) positions and their scores: hidden in two stretches with errors, one of them
    long, and never found in a third."""
    chance = torch.Generator().manual_seed(0)
    walk = 0.02 * torch.randn(FRAMES, 1, 3, dtype=torch.float64, generator=chance)
    positions = walk.cumsum(0) + torch.tensor([[0.0, 0, 4], [0, 1, 4], [1, 0, 4]]).double()
    positions += 0.01 * torch.randn(FRAMES, 3, 3, dtype=torch.float64, generator=chance)
    score = 0.7 + 0.3 * torch.rand(FRAMES, dtype=torch.float64, generator=chance)
    for begin, end in ((900, 930), (1_500, 1_900)):
        score[begin:end] = 0.1
        positions[begin:end] += 3 * torch.randn(3, dtype=torch.float64, generator=chance)
    positions[2_600:2_640] = NAN
    return positions, score


def known(positions) -> np.ndarray:
    return ~positions.isnan().flatten(1).numpy()


def test_a_track_in_pieces_is_the_track(track, monkeypatch):
    positions, score = track
    whole = refine(positions, score, SETTINGS)
    monkeypatch.setattr(pieces, "FRAMES", 800)
    found = pieces_of(known(positions), score.numpy(), SETTINGS)
    assert len(found) == 5
    torch.testing.assert_close(refine(positions, score, SETTINGS), whole, rtol=0, atol=1e-9)


@pytest.mark.usefixtures("many_pieces")
def test_pieces_follow_each_other_and_reach_beyond_their_ends(track):
    positions, score = track
    found = pieces_of(known(positions), score.numpy(), SETTINGS)
    assert [p.first for p in found] == [0, *(p.last for p in found[:-1])]
    assert found[-1].last == found[-1].end == FRAMES and found[0].begin == 0
    for before, after in pairwise(found):
        assert 192 <= before.end - before.last <= 384 and 192 <= after.first - after.begin <= 384


@pytest.mark.usefixtures("many_pieces")
def test_what_is_short_or_held_by_nothing_stays_whole(track):
    positions, score = track
    assert len(pieces_of(known(positions)[:1_599], score.numpy()[:1_599], SETTINGS)) == 1
    assert len(pieces_of(known(positions), 0 * score.numpy(), SETTINGS)) == 1
    assert len(pieces_of(known(positions), score.numpy(), SETTINGS.but(root_short=0))) == 1


@pytest.mark.usefixtures("many_pieces")
def test_pieces_that_do_not_agree_are_solved_together(track, monkeypatch):
    positions, score = track
    asked = []

    def never(before, after):
        asked.append(len(before))
        return False

    solver = sys.modules["paperlib.refinement.direct"]  # the function has the same name
    monkeypatch.setattr(solver, "agree", never)
    together = refine(positions, score, SETTINGS)
    assert asked == [10]  # frames about the first seam
    monkeypatch.setattr(pieces, "FRAMES", FRAMES)
    assert torch.equal(refine(positions, score, SETTINGS), together)
