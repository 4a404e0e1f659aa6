"""Batch norm, ReLU and dropout in one step against the layer's own page."""

import copy

import pytest
import torch
from networks import randomised
from torch import nn
from torch.nn import functional as F

from paperlib.models import LinearModel, OcclusionAware, PoseAndTrajectory, TemporalModel
from paperlib.models.fast import activation, as_written, for_training, set_momentum, synchronise
from paperlib.models.fast.activation import FusedLayer
from paperlib.models.temporal import Layer


def unit(shape=(40, 3, 12), dropout=0.0, device="cpu", dtype=torch.float32, fused=True):
    """A layer whose convolution changes nothing and whose norm is not at its defaults, in
    training, and something to put in."""
    generator = torch.Generator().manual_seed(1)
    layer = Layer(shape[-1], shape[-1], dropout).to(device, dtype)
    layer.conv = nn.Identity()
    with torch.no_grad():
        for values, least in ((layer.norm.weight, 0.5), (layer.norm.bias, -0.5)):
            values.copy_(least + torch.rand(shape[-1], generator=generator))
        layer.norm.running_mean.normal_(generator=None)
    x = 3 * torch.randn(shape, generator=generator) + 1.5
    return for_training(layer) if fused else layer, x.to(device, dtype).requires_grad_()


def gradients(y, layer, x):
    weights = torch.linspace(-1, 2, y.numel(), device=y.device, dtype=y.dtype).view_as(y)
    return torch.autograd.grad((y * weights).sum(), [x, layer.norm.weight, layer.norm.bias])


@pytest.mark.parametrize("dropout", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("way", ["fused", "stepwise"])
def test_values_gradients_and_statistics_are_those_of_the_page(dropout, way, device, monkeypatch):
    layer, x = unit(dropout=dropout, device=device, dtype=torch.float64)
    set_momentum(layer, 0.03)
    plain = as_written(copy.deepcopy(layer))
    plain.dropout = nn.Identity()
    if way == "stepwise":
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    close = {"rtol": 1e-9, "atol": 1e-9}
    y = layer(x)
    expected = plain(x) * (y != 0) / (1 - dropout)
    torch.testing.assert_close(y, expected, **close)
    theirs = gradients(expected, plain, x)
    for found, right in zip(gradients(y, layer, x), theirs, strict=True):
        torch.testing.assert_close(found, right, **close)
    torch.testing.assert_close(layer.norm.running_mean, plain.norm.running_mean, **close)
    torch.testing.assert_close(layer.norm.running_var, plain.norm.running_var, **close)
    assert layer.norm.num_batches_tracked == plain.norm.num_batches_tracked == 1


@pytest.mark.parametrize("rows", [1, 3000, 80_000])
def test_of_many_rows_no_digits_are_lost(rows):
    """Added up one by one, 80,000 rows give a variance that is off by 1e-5 and more."""
    x = 3 * torch.randn(rows, 16, generator=torch.Generator().manual_seed(2)) + 1.5
    mean, variance = activation._statistics(x, torch.float32)
    right, about = torch.var_mean(x.double(), 0, correction=0)
    torch.testing.assert_close(mean.double(), about, rtol=3e-6, atol=0)
    torch.testing.assert_close(variance.double(), right, rtol=3e-6, atol=0)


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
    plain, _ = unit((4000, 1, 12), device=device, fused=False)
    y = layer(x.bfloat16())
    assert y.dtype == torch.bfloat16
    assert layer.norm.running_mean.dtype == torch.float32
    expected = plain(x)
    torch.testing.assert_close(y.float(), expected, rtol=0.02, atol=0.02)
    for found, right in zip(gradients(y, layer, x), gradients(expected, plain, x), strict=True):
        assert (found - right).norm() < 0.02 * right.norm()


# ---- the swap ------------------------------------------------------------------------------------

SIZES = {"filter_widths": (3, 3), "channels": 8}
MODELS = {
    "temporal": lambda p: TemporalModel(5, 2, 5, **SIZES, dropout=p),
    "dense": lambda p: TemporalModel(5, 2, 5, **SIZES, dropout=p, dense=True, causal=True),
    "linear": lambda p: LinearModel(5, 2, 5, channels=8, dropout=p),
    "two networks": lambda p: PoseAndTrajectory(5, 2, 5, **SIZES, dropout=p),
    "occlusion-aware": lambda p: OcclusionAware(5, 3, 5, **SIZES, dropout=p, gate="soft"),
}


def keypoints(model: nn.Module, batch: int = 16) -> torch.Tensor:
    return torch.rand(batch, model.receptive_field + 2, 5, model.config["in_features"])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_to_the_same_weights_fused_and_as_written(name, device):
    """Without dropout, of which each draws its own."""
    plain = randomised(MODELS[name](0.0)).to(device).train()
    fused = for_training(copy.deepcopy(plain))
    x = keypoints(plain).to(device)
    for model in (plain, fused):
        set_momentum(model, 0.3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    before = fused.state_dict()
    assert list(before) == list(plain.state_dict())
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(before[key], value, rtol=1e-3, atol=1e-4, msg=key)
    torch.testing.assert_close(fused.eval()(x), plain.eval()(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_swap_keeps_every_tensor_and_is_undone(name):
    model = randomised(MODELS[name](0.5))
    x, tensors = keypoints(model), {k: v.data_ptr() for k, v in model.state_dict().items()}
    parameters, poses = list(model.parameters()), model(x)
    layers = [m for m in model.modules() if isinstance(m, Layer)]
    assert for_training(for_training(model)) is model
    assert all(type(layer) is FusedLayer for layer in layers)
    assert torch.equal(model(x), poses)  # in evaluation bit by bit
    assert {k: v.data_ptr() for k, v in model.state_dict().items()} == tensors
    assert as_written(model) is model
    assert all(type(layer) is Layer for layer in layers)
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert {k: v.data_ptr() for k, v in model.state_dict().items()} == tensors
    assert len(list(model.buffers())) + len(parameters) == len(tensors)
    assert torch.equal(model(x), poses)


@pytest.mark.parametrize("fused", [False, True])
def test_momentum_is_set_in_every_layer(fused):
    model = nn.Sequential(*(unit((4, 3), fused=fused)[0] for _ in range(2)))
    set_momentum(model, 0.25)
    before = model[0].norm.running_mean.clone()
    model(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    expected = 0.75 * before + 0.25 * torch.tensor([2.0, 2.0, 2.0])
    torch.testing.assert_close(model[0].norm.running_mean, expected)
    assert model[1].norm.momentum == 0.25


def test_a_momentum_of_its_own_goes_along():
    layer, x = unit(fused=False)
    set_momentum(layer, 0.4)
    twin = for_training(copy.deepcopy(layer))
    layer(x), twin(x)
    torch.testing.assert_close(twin.norm.running_mean, layer.norm.running_mean)


def test_statistics_of_all_processes_fuse_the_layers(tmp_path):
    layer, x = unit(fused=False)
    twin = copy.deepcopy(layer)
    alone = {"init_method": f"file://{tmp_path}/meet", "rank": 0, "world_size": 1}
    torch.distributed.init_process_group("gloo", **alone)
    try:
        synchronise(layer)
        y = layer(x)
        assert type(layer) is FusedLayer
        torch.testing.assert_close(y, twin(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(layer.norm.running_var, twin.norm.running_var)
    finally:
        torch.distributed.destroy_process_group()


# ---- dropout -------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_drops_the_share_it_should(p, device):
    dropped = activation._dropped(torch.empty(1000, 257, device=device), p)
    assert dropped.float().mean().item() == pytest.approx(p, abs=0.006)


@pytest.mark.parametrize("p", [0.1, 0.3, 0.9])
def test_dropout_keeps_the_mean(p, device):
    layer, _ = unit((1, 20), p, device)
    with torch.no_grad():
        layer.norm.weight.fill_(1)
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
def test_a_compiler_takes_it_whole():
    layer, x = unit()
    twin, _ = unit()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    y, expected = compiled(x), twin(x)
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)
    for found, right in zip(gradients(y, layer, x), gradients(expected, twin, x), strict=True):
        torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-3)
