"""Both ways to solve banded systems, against dense ones."""

import pytest
import torch

from paperlib.refinement import banded
from paperlib.refinement.banded import by_cyclic_reduction, by_lapack, solve


def a_system(systems, frames, steps, device="cpu"):
    diagonal = 0.1 + torch.rand(systems, frames, dtype=torch.float64)
    links = [(step, torch.rand(systems, frames, dtype=torch.float64)) for step in steps]
    return diagonal.to(device), [(step, strength.to(device)) for step, strength in links]


def dense(diagonal, links):
    """(N, T, T), frame by frame."""
    matrices = torch.diag_embed(diagonal)
    for step, strength in links:
        for t in range(step, diagonal.shape[-1]):
            for a, b, sign in ((t, t, 1), (t - step, t - step, 1), (t, t - step, -1)):
                matrices[:, a, b] += sign * strength[:, t]
                if a != b:
                    matrices[:, b, a] += sign * strength[:, t]
    return matrices


@pytest.mark.parametrize("frames", [1, 2, 7, 20, 21, 65, 130])
@pytest.mark.parametrize("steps", [(1, 20), (3,), (2, 2), (20, 1), (1, 500), ()])
def test_solution_is_the_dense_one(frames, steps, device):
    diagonal, links = a_system(4, frames, steps, device)
    system = torch.tensor([2, 0, 0, 3, 1, 0, 3, 2])
    right = torch.randn(8, frames, dtype=torch.float64, device=device)
    found = solve(diagonal, links, right, system)
    expected = torch.linalg.solve(dense(diagonal, links)[system.to(device)], right)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("frames", [1, 16, 17, 40, 79, 100, 160, 163])
@pytest.mark.parametrize("width", [0, 1, 15, 16, 20, 33])
def test_elimination_by_halves_is_the_dense_solution(frames, width):
    """As it runs on a GPU, with any number of blocks."""
    width = min(width, frames - 1)
    bands = torch.rand(3, frames, width + 1, dtype=torch.float64)
    bands[..., -1] += 2 * width
    matrix = torch.zeros(3, frames, frames, dtype=torch.float64)
    for t in range(frames):
        for step in range(min(width, t) + 1):
            matrix[:, t, t - step] = matrix[:, t - step, t] = bands[:, t, width - step]
    right = torch.randn(3, 5, frames, dtype=torch.float64)
    expected = torch.linalg.solve(matrix, right.mT).mT
    torch.testing.assert_close(by_cyclic_reduction(bands, right), expected)
    torch.testing.assert_close(by_lapack(bands.clone(), right.clone()), expected)


@pytest.mark.parametrize("method", [by_lapack, by_cyclic_reduction])
def test_batches_do_not_show(method, monkeypatch):
    diagonal, links = a_system(9, 50, (1, 20))
    system = torch.tensor([0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
    right = torch.randn(12, 50, dtype=torch.float64)
    monkeypatch.setattr(banded, "_LARGEST_BATCH", dict.fromkeys((method, by_lapack), 1))
    monkeypatch.setattr(banded, "by_lapack", method)
    alone = solve(diagonal, links, right, system)
    monkeypatch.setattr(banded, "_LARGEST_BATCH", {method: 2**20})
    together = solve(diagonal, links, right, system)
    torch.testing.assert_close(alone, together)
    expected = torch.linalg.solve(dense(diagonal, links)[system], right)
    torch.testing.assert_close(together, expected)


def test_each_row_may_have_a_matrix_of_its_own(monkeypatch, device):
    diagonal, links = a_system(5, 70, (1, 20), device)
    right = torch.randn(5, 70, dtype=torch.float64, device=device)
    expected = solve(diagonal, links, right, torch.arange(5))
    before = right.clone()
    torch.testing.assert_close(solve(diagonal, links, right), expected)
    assert torch.equal(right, before)
    monkeypatch.setattr(banded, "_LARGEST_BATCH", dict.fromkeys(banded._LARGEST_BATCH, 1))
    torch.testing.assert_close(solve(diagonal, links, right), expected)


def test_links_of_no_strength_widen_nothing():
    diagonal, links = a_system(1, 40, (1, 20))
    none = [links[0], (20, torch.zeros_like(diagonal))]
    right = torch.randn(1, 40, dtype=torch.float64)
    one = torch.tensor([0])
    assert torch.equal(solve(diagonal, none, right, one), solve(diagonal, links[:1], right, one))


def test_what_is_not_definite_is_refused():
    bands = -torch.ones(1, 5, 1, dtype=torch.float64)
    with pytest.raises(ArithmeticError, match="not positive definite"):
        by_lapack(bands, torch.ones(1, 1, 5, dtype=torch.float64))
