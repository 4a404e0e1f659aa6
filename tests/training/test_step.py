"""A step by its short cuts moves the weights as a plain one does."""

import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch._dynamo.backends.common import aot_autograd
from torch._functorch import config as autograd
from torch._functorch.compilers import nop
from torch._inductor import config as inductor

from paperlib import datasets, detection
from paperlib.models import TemporalModel, fast
from paperlib.recordings import Dataset
from paperlib.training import Recipe, Supervised
from paperlib.training.objectives import amsgrad
from paperlib.training.step import Step
from paperlib.windows import keypoint_windows

BATCH = 24


@pytest.fixture(scope="module")
def data():
    return detection.detect(datasets.load("synthetic", small=True), "ground_truth")


def prepared(data, device, way, monkeypatch, steps, dropout=0.0):
    """A step, the model that it moves, and an order of examples."""
    monkeypatch.setenv("PAPERLIB_COMPILE", "1" if way == "compiled" else "0")
    torch.manual_seed(1)
    model = TemporalModel(17, 2, 17, (3, 3), channels=8, dropout=dropout).to(device).train()
    windows, step = one_step(fast.for_training(model), data.train[:4], device, BATCH, steps, 1e-2)
    if way == "plain":
        step._records = False
    return step, model, windows.order(torch.Generator().manual_seed(0))


def one_step(model, recordings, device, size, steps, rate=1e-3):
    """Supervised training's examples and its step."""
    objective = Supervised(lambda: model, Dataset("some", "made here", tuple(recordings), ()))
    windows = objective.examples(model, Recipe(), 0, device)
    (update,) = objective.updates(model, windows)
    optimizer = amsgrad(update.parameters, rate, device)
    return windows, Step(model, update, optimizer, device, "float32", size, steps)


def stepped(data, device, way, monkeypatch, steps=6, dropout=0.0):
    """Weights and loss after some steps; the last batch of each three is smaller."""
    step, model, order = prepared(data, device, way, monkeypatch, steps, dropout)
    for number in range(steps):
        step(order[number * BATCH : number * BATCH + (7 if number % 3 == 2 else BATCH)])
    return {**model.state_dict(), "total": step.total}


def same(one, other, atol):
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=atol, msg=name)


def test_recorded_is_as_plain(data, device, monkeypatch):
    plain = stepped(data, device, "plain", monkeypatch, steps=12)
    same(stepped(data, device, "recorded", monkeypatch, steps=12), plain, 1e-4)


def test_a_recorded_step_is_one_copy_and_waits_for_nothing(data, waits_for_nothing, monkeypatch):
    step, _, order = prepared(data, torch.device("cuda"), "recorded", monkeypatch, 20)
    batches = order.split(BATCH)
    waits_for_nothing(step, batches[:20])


def test_no_step_waits(data, pretended, monkeypatch):
    """Neither those before the recording, nor those of another size."""
    step, _, order = prepared(data, torch.device("cuda"), "plain", monkeypatch, 20)
    before = pretended.waits
    for batch in order.split(BATCH)[:5]:
        step(batch)
    step(order[:7])
    assert pretended.waits == before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler")
def test_compiled_is_as_plain(data, device, monkeypatch):
    plain = stepped(data, device, "plain", monkeypatch)
    same(stepped(data, device, "compiled", monkeypatch), plain, 1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own
def test_without_a_compiler_training_goes_on(data, monkeypatch):
    plain = stepped(data, torch.device("cpu"), "plain", monkeypatch)
    torch._dynamo.reset()  # what was compiled for other tests
    with (
        inductor.patch({"cpp.cxx": ("no-such-compiler",), "fx_graph_cache": False}),
        autograd.patch(enable_autograd_cache=False),
        pytest.warns(UserWarning, match="goes on without torch.compile.*no-such-compiler"),
    ):
        found = stepped(data, torch.device("cpu"), "compiled", monkeypatch)
    torch._dynamo.reset()
    same(found, plain, 0)


def raising(*args, **kwargs):
    raise RuntimeError("no way back")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own
def test_a_gradient_that_cannot_be_compiled_leaves_no_trace(data, monkeypatch):
    """Dropout and batch norm go on from where they were."""
    plain = stepped(data, torch.device("cpu"), "plain", monkeypatch, dropout=0.5)
    backend = aot_autograd(fw_compiler=nop, bw_compiler=raising)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    with pytest.warns(UserWarning, match="without torch.compile.*no way back") as heard:
        found = stepped(data, torch.device("cpu"), "compiled", monkeypatch, dropout=0.5)
    assert len(heard) == 1
    same(found, plain, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own
def test_trying_the_compiler_leaves_no_trace(data, monkeypatch):
    """The first batch enters the running statistics once."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    statistics = {}
    for way in ("plain", "compiled"):
        step, model, order = prepared(data, torch.device("cpu"), way, monkeypatch, 1)
        step(order[:BATCH])
        statistics[way] = dict(model.named_buffers())
    assert statistics["plain"]
    same(statistics["compiled"], statistics["plain"], 1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's own
def test_what_is_wrong_with_the_loss_itself_is_said(data, monkeypatch):
    step, _, order = prepared(data, torch.device("cpu"), "compiled", monkeypatch, 1)
    step.update = replace(step.update, loss=raising)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="no way back"):
        step(order[:BATCH])


def test_plain_steps_are_those_of_pytorch(data, monkeypatch):
    """Against a loop that anyone would write."""
    device = torch.device("cpu")
    found = stepped(data, device, "plain", monkeypatch)
    torch.manual_seed(1)
    model = TemporalModel(17, 2, 17, (3, 3), channels=8, dropout=0.0).train()
    windows = keypoint_windows(data.train[:4], 9)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, amsgrad=True)
    order = windows.order(torch.Generator().manual_seed(0))
    total = 0.0
    for number in range(6):
        examples = order[number * BATCH : number * BATCH + (7 if number % 3 == 2 else BATCH)]
        inputs, target = windows.batch(examples)
        loss = (model(inputs) - target).norm(dim=-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    same({**model.state_dict(), "total": torch.tensor([total])}, found, 1e-5)


def test_another_wish_is_refused(data, monkeypatch):
    monkeypatch.setenv("PAPERLIB_COMPILE", "yes")
    model = TemporalModel(17, 2, 17, (3,), channels=8)
    with pytest.raises(ValueError, match="PAPERLIB_COMPILE"):
        one_step(model, data.train[:1], torch.device("cpu"), 8, 1)


def test_short_runs_are_not_compiled_without_a_wish(data, monkeypatch):
    monkeypatch.delenv("PAPERLIB_COMPILE", raising=False)
    model = TemporalModel(17, 2, 17, (3,), channels=8)
    _, step = one_step(model, data.train[:1], torch.device("cpu"), 8, 10)
    assert step._loss == step.update.loss
