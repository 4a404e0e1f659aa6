"""Hidden test keypoints are those asked for, the same for everyone, and say nothing."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from paperlib.detection import filled, gap, masked, without
from paperlib.occlusion import OcclusionMasks
from paperlib.recordings import PerFrame
from paperlib.windows import network_input
from tests.samples import recording

POINTS = OcclusionMasks(points=0.3, points_lasting=10)


def test_a_share_is_hidden_and_more_of_it_contains_less():
    film = recording(2000)
    shares = (0.1, 0.3, 0.6)
    found = [masked(film, replace(POINTS, points=share)) for share in shares]
    for mask, share in zip(found, shares, strict=True):
        assert mask.shape == (2000, 17)
        assert mask.float().mean().item() == pytest.approx(share, abs=0.03)
    assert not (found[0] & ~found[1]).any() and not (found[1] & ~found[2]).any()


def test_the_name_and_the_seed_decide_what_is_hidden_and_nothing_else():
    film = recording(200)
    other = recording(200, keypoints=torch.rand(200, 17, 2), confidence=torch.zeros(200, 17))
    assert torch.equal(masked(film, POINTS, seed=3), masked(other, POINTS, seed=3))
    assert not torch.equal(masked(film, POINTS, seed=3), masked(film, POINTS, seed=4))
    assert not torch.equal(masked(film, POINTS), masked(recording(200, "take2"), POINTS))


def test_an_area_hides_what_is_in_it():
    found = 0
    for number in range(10):
        film = recording(60, f"take{number}")
        hidden = masked(film, OcclusionMasks(area=1.0))
        for points, own in zip(film.keypoints, hidden, strict=True):
            if own.any():  # nothing that is seen lies in the box about what is hidden
                low, high = points[own].amin(dim=0), points[own].amax(dim=0)
                inside = ((points >= low) & (points <= high)).all(dim=1)
                assert torch.equal(inside, own)
                found += 1
        assert not hidden.all()
    assert found > 60


def test_masks_that_move_keypoints_are_refused():
    with pytest.raises(ValueError, match="shifts, noise"):
        masked(recording(), OcclusionMasks(shifts=0.1, noise=0.1))


def test_a_gap_is_as_long_as_said_and_keeps_from_the_ends():
    starts = set()
    for number in range(40):
        film = recording(50, f"take{number}")
        hidden = gap(film, 8, margin=12)
        assert torch.equal(hidden.any(dim=1), hidden.all(dim=1))
        frames = hidden[:, 0].nonzero().flatten().tolist()
        assert frames == list(range(frames[0], frames[0] + 8))
        assert frames[0] >= 12 and frames[-1] < 38
        starts.add(frames[0])
    assert len(starts) > 10


def test_a_shorter_gap_lies_within_a_longer_one():
    for number in range(40):
        film = recording(60, f"take{number}")
        gaps = [gap(film, frames, margin=5, seed=1) for frames in (1, 3, 17, 50)]
        for short, long in pairwise(gaps):
            assert not (short & ~long).any()


def test_a_gap_that_does_not_fit_is_refused():
    assert gap(recording(20), 10, margin=5)[5:15].all()
    with pytest.raises(ValueError, match="11 frames with 5 on each side"):
        gap(recording(20), 11, margin=5)
    for frames, margin in ((0, 0), (3, -1)):
        with pytest.raises(ValueError, match="does not fit"):
            gap(recording(20), frames, margin)


def test_what_is_hidden_is_zero_to_a_network_and_the_rest_as_it_was():
    film = recording(30)
    hidden = masked(film, POINTS)
    seen, shown = network_input(film, confidence=True), network_input(without(film, hidden), True)
    assert (shown[hidden] == 0).all() and hidden.any()
    assert torch.equal(shown[~hidden], seen[~hidden])


def test_the_maps_of_what_is_hidden_are_empty_and_others_as_they_were():
    maps = torch.rand(30, 17, 4, 4)
    look_up = PerFrame("any", lambda frames: maps[frames])
    film = recording(30, heatmaps=look_up, crops=torch.rand(30, 3))
    hidden = masked(film, POINTS)
    some = torch.tensor([20, 3, 4])
    found = without(film, hidden).cut(2, 30).heatmaps(some - 2)
    assert (found[hidden[some]] == 0).all() and hidden[some].any()
    assert torch.equal(found[~hidden[some]], maps[some][~hidden[some]])
    assert without(recording(30), hidden).heatmaps is None
    line = filled(film, hidden)
    assert line.heatmaps is None and line.crops is None


def test_a_straight_motion_is_found_again_between_and_held_as_last_seen():
    times = torch.arange(10.0)
    points = torch.stack([3 * times, 100 - times], dim=-1)[:, None].repeat(1, 17, 1)
    film = recording(10, keypoints=points, confidence=(times / 10)[:, None].repeat(1, 17))
    hidden = torch.zeros(10, 17, dtype=torch.bool)
    hidden[4:7] = True
    hidden[0, 3] = hidden[9, 4] = True
    line = filled(without(film, hidden), hidden)
    inner = torch.ones(17, dtype=torch.bool)
    inner[3:5] = False
    torch.testing.assert_close(line.keypoints[:, inner], points[:, inner])
    torch.testing.assert_close(line.confidence[:, inner], film.confidence[:, inner])
    assert line.keypoints[0, 3].tolist() == [3.0, 99.0]  # constant beyond the ends
    assert line.keypoints[9, 4].tolist() == [24.0, 92.0]
    held = filled(without(film, hidden), hidden, "held")
    assert (held.keypoints[4:7] == points[3]).all()
    assert torch.equal(held.keypoints[7], points[7])
    assert held.keypoints[0, 3].tolist() == [3.0, 99.0]


def test_nothing_seen_and_other_masks_are_refused():
    film = recording(4)
    with pytest.raises(ValueError, match="all keypoints of all frames"):
        filled(film, torch.ones(4, 17, dtype=torch.bool))
    for wrong in (torch.ones(4, 16, dtype=torch.bool), torch.ones(4, 17)):
        with pytest.raises(ValueError, match="one boolean for each"):
            without(film, wrong)
    with pytest.raises(ValueError, match="held"):
        filled(film, torch.zeros(4, 17, dtype=torch.bool), "guessed")
