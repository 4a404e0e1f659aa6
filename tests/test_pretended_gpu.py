"""The pretended GPU refuses and allows what a real one does: where there is one, it is tested."""

import pytest
import torch
from pretended_gpu import OnGPU
from torch import nn

from paperlib.training import choose_device


def test_it_is_chosen(gpu):
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    assert torch.zeros(2, device=gpu).device == torch.device("cuda", 0)


MADE = {
    "of a size": lambda gpu, x: torch.ones(3, device=gpu),
    "by name": lambda gpu, x: torch.rand(3, device="cuda"),
    "of values": lambda gpu, x: torch.tensor([1.0, 2.0, 3.0], device=gpu),
    "of an array": lambda gpu, x: torch.as_tensor(torch.zeros(3).numpy(), device=gpu),
    "moved": lambda gpu, x: torch.zeros(3).to(gpu),
    "moved and converted": lambda gpu, x: torch.arange(3).to(gpu, torch.float32),
    "moved to where another is": lambda gpu, x: torch.arange(3).to(x),
    "moved by number": lambda gpu, x: torch.zeros(3).to(0),
    "moved as another is": lambda gpu, x: torch.arange(3).type_as(x),
    "like another": lambda gpu, x: torch.zeros_like(x),
    "like one of the host": lambda gpu, x: torch.zeros_like(torch.ones(3), device=gpu),
    "new of one of the host": lambda gpu, x: torch.ones(2).new_zeros(3, device=gpu),
    "new of another": lambda gpu, x: x.new_zeros(3),
    "new of values": lambda gpu, x: x.new_tensor([1.0, 2.0, 3.0]),
    "a view": lambda gpu, x: x.view(1, 3)[0],
    "a result": lambda gpu, x: x * 2 + 1,
    "with a number": lambda gpu, x: x * torch.tensor(2.0),
    "with a chosen number": lambda gpu, x: torch.where(x > 0, x, torch.tensor(1.0)),
    "by the host's indices": lambda gpu, x: x[torch.tensor([2, 1, 0])],
    "by a list": lambda gpu, x: x[[2, 1, 0]],
    "drawn": lambda gpu, x: x.normal_(),
}


@pytest.mark.parametrize("how", MADE)
def test_what_is_made_there_is_there(gpu, how):
    made = MADE[how](gpu, torch.ones(3, device=gpu))
    assert made.is_cuda
    assert made.device.type == "cuda"
    assert made.dtype == torch.float32
    assert made.cpu().device.type == "cpu"
    assert made.cpu().numpy().shape == (3,)
    assert len(made.tolist()) == 3


REFUSED = {
    "a sum": lambda here, there: here + there,
    "a sum in place": lambda here, there: here.add_(there),
    "a number of the host, written": lambda here, there: torch.tensor(1.0).add_(there[0]),
    "a product": lambda here, there: here @ there,
    "a chain": lambda here, there: torch.cat([here, there]),
    "a stack of numbers": lambda here, there: torch.stack([here[0], there[0]]),
    "the GPU's indices": lambda here, there: here[there.long()],
    "the GPU's mask": lambda here, there: here[there > 0],
    "chosen by the GPU": lambda here, there: torch.where(there > 0, here, there),
    "a table of the host": lambda here, there: here.gather(0, there.long()),
    "compared": lambda here, there: torch.equal(here, there),
    "a layer of the host": lambda here, there: nn.Linear(3, 2)(there),
    "a mask of the host": lambda here, there: there.masked_fill(torch.tensor(True), 1.0),
    "one of three factors": lambda here, there: torch.addcmul(there, here[0], there),
    "a gradient": lambda here, there: setattr(here, "grad", there),
    "the host's generator": lambda here, there: there.normal_(generator=torch.Generator()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_devices_do_not_mix(gpu, what):
    with pytest.raises((RuntimeError, ValueError), match="device"):
        REFUSED[what](torch.ones(3), torch.ones(3, device=gpu))


def test_arrays_and_the_hosts_generator_are_refused(gpu):
    with pytest.raises(TypeError, match="can't convert cuda"):
        torch.ones(3, device=gpu).numpy()
    with pytest.raises(RuntimeError, match="'cuda' device type for generator"):
        torch.randn(3, device=gpu, generator=torch.Generator())


def test_back_to_the_host(gpu):
    x = torch.tensor([1.0, 2.0, 3.0], device=gpu)
    host = torch.zeros(2, 3)
    host[0] = x
    host[1] = x[2]
    assert host.tolist() == [[1, 2, 3], [3, 3, 3]]
    assert torch.zeros_like(x, device="cpu").device.type == "cpu"
    assert x.new_ones(2, device="cpu").device.type == "cpu"
    assert torch.tensor([x[1], x[2]]).tolist() == [2, 3]
    assert x.numpy(force=True).tolist() == [1, 2, 3]
    assert f"{x[1]:.2f}" == "2.00"
    x.data = torch.tensor([4.0], device=gpu)
    assert x.tolist() == [4]


def test_random_numbers_of_host_and_gpu_are_apart(gpu):
    torch.manual_seed(3)
    there = torch.cuda.get_rng_state()
    here = torch.rand(2)
    first = torch.rand(2, device=gpu)
    torch.cuda.set_rng_state(there)
    assert torch.equal(torch.rand(2, device=gpu), first)
    torch.manual_seed(3)
    torch.rand(5, device=gpu)
    assert torch.equal(torch.rand(2), here)


def test_writing_through_a_view(gpu):
    x = torch.zeros(4, 3, device=gpu)
    x[1] = torch.arange(3.0)  # a copy from the host
    x[:, 0] = torch.tensor(7.0)
    x[x > 6] += 1
    x[2, 1] = 5
    assert x.tolist() == [[8, 0, 0], [8, 1, 2], [8, 5, 0], [8, 0, 0]]


def test_gradients_find_their_way(gpu):
    here = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    there = torch.tensor([2.0, 3.0, 4.0], device=gpu, requires_grad=True)
    (here.to(gpu) * there).square().sum().cpu().backward()
    assert here.grad.device.type == "cpu"
    assert there.grad.is_cuda
    assert here.grad.tolist() == [8, 36, 96]
    assert there.grad.tolist() == [4, 24, 72]


def test_a_module_moves_and_keeps_its_parameters(gpu):
    layer = nn.Linear(3, 2)
    weight, before = layer.weight, layer.weight.detach().clone()
    assert layer.to(gpu).weight is weight
    assert isinstance(layer.weight, nn.Parameter)
    assert weight.is_cuda
    assert torch.equal(weight.cpu(), before)
    assert not layer.cpu().weight.is_cuda


def test_mixed_precision(gpu):
    layer = nn.Linear(3, 2).to(gpu)
    with torch.autocast("cuda", torch.bfloat16):
        assert layer(torch.ones(1, 3, device=gpu)).dtype == torch.bfloat16
    assert layer(torch.ones(1, 3, device=gpu)).dtype == torch.float32


# ---- recorded work -------------------------------------------------------------------------------


def recorded(work):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()
    return graph, result


def test_recording_does_no_work_and_replaying_does_it_again(gpu):
    calls = []
    x, total = torch.ones(2, device=gpu), torch.zeros(2, device=gpu)

    def work():
        calls.append(1)
        total.add_(2 * x)
        return total + 1

    graph, result = recorded(work)
    assert total.tolist() == [0, 0]
    graph.replay()
    x.copy_(torch.tensor([5.0, 10.0]))
    graph.replay()
    assert total.tolist() == [12, 22]
    assert result.tolist() == [13, 23]
    assert len(calls) == 1


def test_a_recorded_gradient(gpu):
    weight = torch.tensor([1.0, 2.0], device=gpu, requires_grad=True)
    x = torch.ones(2, device=gpu)
    graph, _ = recorded(lambda: (weight * x).square().sum().backward())
    gradient = weight.grad
    x.fill_(3)
    graph.replay()
    assert weight.grad is gradient
    assert gradient.tolist() == [18, 36]


def test_dropout_is_drawn_anew_each_time(gpu):
    x = torch.ones(1000, device=gpu)
    graph, result = recorded(lambda: nn.functional.dropout(x, 0.5))
    graph.replay()
    first = result.clone()
    graph.replay()
    assert not torch.equal(first, result)
    assert set(result.tolist()) == {0.0, 2.0}


def test_a_mask_says_what_to_fill_without_being_looked_at(gpu):
    x = torch.arange(4.0, device=gpu)
    graph, _ = recorded(lambda: x.__setitem__(x > 1, 9.0))
    graph.replay()
    assert x.tolist() == [0, 1, 9, 9]


def test_recorded_batch_norm(gpu):
    layer, x = nn.BatchNorm1d(2).to(gpu), torch.tensor([[0.0, 1.0], [2.0, 5.0]], device=gpu)
    layer(x)  # as one does before a recording
    layer.reset_running_stats()
    graph, _ = recorded(lambda: layer(x))
    assert layer.running_mean.tolist() == [0, 0]
    graph.replay()
    assert layer.running_mean.tolist() == pytest.approx([0.1, 0.3])


def test_before_it_is_replayed_nothing_was_computed(pretended):
    """A real GPU's memory holds anything then."""
    x = torch.ones(2, device="cuda")
    graph, result = recorded(lambda: 2 * x)
    assert result.isnan().all()
    graph.replay()
    assert result.tolist() == [2, 2]


def test_what_was_not_recorded_to_its_end_is_not_replayed(pretended):
    graph, x = torch.cuda.CUDAGraph(), torch.ones(2, device="cuda")
    with pytest.raises(RuntimeError, match="capturing"), torch.cuda.graph(graph):
        x.sum().item()
    with pytest.raises(RuntimeError, match="not recorded to its end"):
        graph.replay()


def test_an_optimizer_that_counts_on_the_host_is_not_recorded(gpu):
    weight = nn.Parameter(torch.ones(2, device=gpu))
    optimizer = torch.optim.Adam([weight], capturable=False)
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    with pytest.raises(RuntimeError, match="capturable is False"):
        recorded(optimizer.step)


HELD_UP = {
    "for a number": lambda x: x.sum().item(),
    "for a decision": lambda x: bool(x.sum() > 0),
    "for what a mask chooses": lambda x: x[x > 0],
    "for a copy": lambda x: x.cpu(),
    "by a copy of its own": lambda x: x + torch.ones(2).to(x.device),
    "by the host's indices": lambda x: x[[1, 0]],
    "to see whether all went well": lambda x: torch.linalg.inv(x * torch.eye(2).to(x.device)),
    "for a stream": lambda x: torch.cuda.current_stream().synchronize(),
}


@pytest.mark.parametrize("why", HELD_UP)
def test_who_records_does_not_wait(pretended, why):
    """On a real GPU the graph would be lost, and other tests with it."""
    x = torch.ones(2, device="cuda")
    HELD_UP[why](x)
    with pytest.raises(RuntimeError, match="capturing"):
        recorded(lambda: HELD_UP[why](x))


# ---- what is counted -----------------------------------------------------------------------------


def test_waiting_and_sending_are_counted(pretended):
    waits, brought = pretended.waits, pretended.brought
    x = torch.ones(3).to("cuda")
    y = (x + 1) * x
    assert (pretended.waits, pretended.brought) == (waits, brought + 1)
    assert y.sum().item() == 6
    assert y[y > 5].tolist() == []
    assert pretended.waits == waits + 3
    assert isinstance(y, OnGPU)


def test_moving_gradients_is_counted(pretended):
    here = torch.ones(3, requires_grad=True)
    result = (2 * here.to("cuda")).sum()
    waits = pretended.waits
    result.backward()
    assert pretended.waits == waits + 1


def test_it_comes_once(pretended):
    with pytest.raises(RuntimeError, match="there already"):
        pretended.__enter__()
