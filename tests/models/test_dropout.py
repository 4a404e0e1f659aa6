"""Our dropout against what dropout means."""

import pytest
import torch

from paperlib.models.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1000, 257), (123_457,)])
def test_drops_the_share_it_should_and_keeps_the_mean(p, shape, device):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(shape, device=device))
    assert (out == 0).float().mean().item() == pytest.approx(p, abs=0.006)
    assert out.mean().item() == pytest.approx(1, abs=0.02 / (1 - p))
    assert len(out.unique()) == 2


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    dropped = (Dropout(0.25)(torch.ones(800_000)) == 0).double().view(-1, 8)
    seen = torch.corrcoef(dropped.T)  # the eight bytes of one draw
    assert (seen - torch.eye(8)).abs().max() < 0.015
    ahead = torch.corrcoef(torch.stack([dropped[:-1].flatten(), dropped[1:].flatten()]))
    assert ahead[0, 1].abs() < 0.015


def test_the_gradient_passes_where_the_activation_did():
    x = torch.rand(64, 33, requires_grad=True)
    out = Dropout(0.25)(x)
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
    torch.testing.assert_close(x.grad[out != 0], torch.full_like(x.grad[out != 0], 4 / 3))


def test_the_same_seed_drops_the_same_and_evaluation_nothing():
    layer, x = Dropout(0.5), torch.rand(50, 7)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x)
