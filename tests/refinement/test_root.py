"""The root may be any joint; and what a gap must last to be one."""

import numpy as np
import pytest
import torch

from paperlib.refinement import energy, energy_terms, refine


@pytest.fixture
def track() -> tuple[torch.Tensor, torch.Tensor]:
    """(2, 60, 5, 3) with noise, and scores with a gap."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, 60, 5, 3, generator=generator, dtype=torch.float64)
    way = torch.linspace(0, 2, 60, dtype=torch.float64)[:, None, None]
    score = torch.full((2, 60), 0.9)
    score[:, 20:35] = 0
    return way + 0.1 * noise + torch.tensor([0.0, 0.0, 4.0]), score


@pytest.mark.parametrize("solver", ["direct", "adam"])
def test_which_number_the_root_has_plays_no_part(track, solver):
    positions, score = track
    order = [3, 1, 4, 0, 2]  # joint 0 comes to row 3
    moved = positions[..., order, :]
    plain = refine(positions, score, solver=solver)
    other = refine(moved, score, solver=solver, root=3)
    torch.testing.assert_close(other, plain[..., order, :], rtol=1e-5, atol=1e-5)
    assert (refine(moved, score, solver=solver) - other).abs().max() > 1e-3
    assert torch.allclose(
        energy(other, moved, score, root=3), energy(plain, positions, score), rtol=1e-5
    )
    terms = energy_terms(other, moved, score, root=3)
    assert torch.allclose(sum(terms.values()), energy(other, moved, score, root=3))
    with pytest.raises(ValueError, match="the root must be one of 5 joints, got 5"):
        refine(positions, score, root=5)


def test_a_gap_shorter_than_half_of_the_median_filter_is_none_unless_it_is_nan(track):
    positions, _ = track
    wrong = positions[0].clone()
    wrong[30:34] += 0.5
    score = np.full(60, 0.9)
    score[30:34] = 0
    kept = refine(wrong, score)[30:34] - refine(positions[0], score)[30:34]
    assert kept.mean() > 0.25
    unknown = wrong.clone()
    unknown[30:34] = float("nan")
    bridged = refine(unknown, score)[30:34] - refine(positions[0], score)[30:34]
    assert bridged.mean().abs() < 0.1
