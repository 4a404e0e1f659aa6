"""Weights in 12 bits each."""

import pytest
import torch

from paperlib.errors import CheckpointError
from paperlib.training.rounding import restored, rounded


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "wide": torch.randn(5, 7, 3, generator=generator),  # an odd number in each row
        "even": torch.randn(4, 6, generator=generator) * 1e-4,
        "bias": torch.randn(5, generator=generator),
        "count": torch.tensor(7),
    }


def shapes(weights) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def test_no_weight_is_off_by_more_than_half_a_step(weights):
    weights["even"][2] = 0
    found = restored(rounded(weights), shapes(weights), "a file")
    assert found.keys() == weights.keys()
    for name in ("wide", "even"):
        step = weights[name].flatten(1).abs().amax(dim=1) / 2047
        off = (found[name] - weights[name]).flatten(1).abs()
        assert found[name].shape == weights[name].shape
        assert (off <= 0.501 * step[:, None]).all() and off[0].max() > 0.2 * step[0]
    assert torch.equal(found["even"][2], torch.zeros(6))
    assert torch.equal(found["bias"], weights["bias"]) and found["count"] == 7


def test_two_numbers_lie_in_three_bytes(weights):
    stored = rounded(weights)
    assert stored["packed.wide"].shape == (5, 33) and stored["packed.even"].shape == (4, 9)
    assert stored["packed.wide"].dtype == torch.uint8


@pytest.mark.parametrize(
    "wrong",
    [
        {"packed.wide": torch.zeros(5, 30, dtype=torch.uint8)},
        {"packed.wide": torch.zeros(5, 33)},
        {"packed.bias": torch.zeros(5, 3, dtype=torch.uint8), "scale.bias": torch.ones(5)},
        {"packed.other": torch.zeros(5, 3, dtype=torch.uint8), "scale.other": torch.ones(5)},
        {"scale.wide": torch.ones(4)},
    ],
)
def test_other_shapes_are_refused(weights, wrong):
    with pytest.raises(CheckpointError, match=r"a file: .* is not stored as"):
        restored(rounded(weights) | wrong, shapes(weights), "a file")
