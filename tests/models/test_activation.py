"""Batch norm, ReLU and dropout in one step against PyTorch's own three."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from paperlib.models import activation
from paperlib.models.activation import Activation, set_momentum


def unit(shape=(40, 3, 12), dropout=0.0, device="cpu", dtype=torch.float32):
    """An activation that is not at its defaults, and something to put in."""
    generator = torch.Generator().manual_seed(1)
    layer = Activation(shape[-1], dropout).to(device, dtype)
    with torch.no_grad():
        for values, least in ((layer.norm.weight, 0.5), (layer.norm.bias, -0.5)):
            values.copy_(least + torch.rand(shape[-1], generator=generator))
        layer.norm.running_mean.normal_(generator=None)
    x = 3 * torch.randn(shape, generator=generator) + 1.5
    return layer, x.to(device, dtype).requires_grad_()


def plainly(layer: Activation, x: torch.Tensor, kept: torch.Tensor, running: nn.BatchNorm1d):
    """What the three layers give, one after the other; ``kept`` is 0 where dropout struck."""
    y = F.batch_norm(
        x.flatten(0, -2),
        running.running_mean,
        running.running_var,
        layer.norm.weight,
        layer.norm.bias,
        training=True,
        momentum=running.momentum,
        eps=layer.norm.eps,
    )
    return F.relu(y).view_as(x) * kept / (1 - layer.dropout)


def gradients(y, layer, x):
    weights = torch.linspace(-1, 2, y.numel(), device=y.device, dtype=y.dtype).view_as(y)
    return torch.autograd.grad((y * weights).sum(), [x, layer.norm.weight, layer.norm.bias])


@pytest.mark.parametrize("dropout", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("way", ["fused", "stepwise"])
def test_values_gradients_and_statistics_are_those_of_the_three(dropout, way, device, monkeypatch):
    layer, x = unit(dropout=dropout, device=device, dtype=torch.float64)
    running = nn.BatchNorm1d(12, momentum=0.03).to(device, torch.float64)
    running.load_state_dict(layer.norm.state_dict())
    set_momentum(layer, 0.03)
    if way == "stepwise":
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    close = {"rtol": 1e-9, "atol": 1e-9}
    y = layer(x)
    expected = plainly(layer, x, (y != 0).double(), running)
    torch.testing.assert_close(y, expected, **close)
    for found, right in zip(gradients(y, layer, x), gradients(expected, layer, x), strict=True):
        torch.testing.assert_close(found, right, **close)
    torch.testing.assert_close(layer.norm.running_mean, running.running_mean, **close)
    torch.testing.assert_close(layer.norm.running_var, running.running_var, **close)
    assert layer.norm.num_batches_tracked == 1


def test_evaluation_uses_what_training_remembered(device):
    layer, x = unit(dropout=0.5, device=device)
    set_momentum(layer, 1.0)  # remember the last batch only
    layer(x)
    rows = x.flatten(0, -2)
    normed = (rows - rows.mean(0)) / (rows.var(0) + 1e-5).sqrt()
    expected = F.relu(normed * layer.norm.weight + layer.norm.bias).view_as(x)
    torch.testing.assert_close(layer.eval()(x), expected, rtol=1e-4, atol=1e-4)
    assert layer.norm.num_batches_tracked == 1


def test_half_precision_keeps_float32_statistics(device):
    layer, x = unit((4000, 1, 12), device=device)
    y = layer(x.bfloat16())
    assert y.dtype == torch.bfloat16
    assert layer.norm.running_mean.dtype == torch.float32
    expected = plainly(layer, x, torch.ones_like(x), nn.BatchNorm1d(12).to(device))
    torch.testing.assert_close(y.float(), expected, rtol=0.02, atol=0.02)
    for found, right in zip(gradients(y, layer, x), gradients(expected, layer, x), strict=True):
        assert (found - right).norm() < 0.02 * right.norm()


def test_a_state_is_that_of_a_batch_norm_alone():
    layer, _ = unit()
    names = {f"norm.{name}" for name in nn.BatchNorm1d(12).state_dict()}
    assert set(layer.state_dict()) == names


def test_momentum_is_set_in_every_layer():
    model = nn.Sequential(Activation(3, 0.0), nn.Sequential(Activation(3, 0.0)))
    set_momentum(model, 0.25)
    model(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    torch.testing.assert_close(model[0].norm.running_mean, torch.tensor([0.5, 0.5, 0.5]))
    assert model[1][0].momentum == 0.25


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_drops_the_share_it_should(p, device):
    dropped = activation._dropped(torch.empty(1000, 257, device=device), p)
    assert dropped.float().mean().item() == pytest.approx(p, abs=0.006)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
def test_dropout_keeps_the_mean(p, device):
    layer = Activation(20, p).to(device)
    with torch.no_grad():
        layer.norm.bias.fill_(5)  # nothing is cut
    mean = layer(torch.randn(20_000, 20, device=device)).mean().item()
    assert mean == pytest.approx(5, abs=0.02 / (1 - p))


def test_neighbours_are_dropped_independently():
    dropped = activation._dropped(torch.empty(800_000), 0.25).double().view(-1, 8)
    seen = torch.corrcoef(dropped.T)  # the eight bytes of one draw
    assert (seen - torch.eye(8)).abs().max() < 0.015
    ahead = torch.corrcoef(torch.stack([dropped[:-1].flatten(), dropped[1:].flatten()]))
    assert ahead[0, 1].abs() < 0.015


def test_the_same_seed_drops_the_same(device):
    layer, x = unit(dropout=0.5, device=device)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own
def test_a_compiler_takes_it_whole(compiler):
    layer, x = unit()
    twin, _ = unit()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    y, expected = compiled(x), twin(x)
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)
    for found, right in zip(gradients(y, layer, x), gradients(expected, twin, x), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-3)
