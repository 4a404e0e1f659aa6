"""Several processes, as ``torchrun`` starts them, give what one gives alone."""

import os
import subprocess
import sys

import pytest
import torch

from paperlib.training import processes
from paperlib.training import runs as saved

TRAINING = """
import weakref
from torch import distributed
from paperlib import datasets
from paperlib.models import TemporalModel
from paperlib.training import Recipe, Supervised, processes, train

data = datasets.load("synthetic", small=True)
# the last batch of an epoch is shorter than the others, and odd
recipe = Recipe(epochs=2, batch_size=250, channels=16, dropout=0.0, stride=5)
with processes.joined("cpu"):
    if beside := processes.count() > 1:
        group = weakref.ref(distributed.group.WORLD)
    build = lambda: TemporalModel(17, 2, 17, (3, 3), channels=16, dropout=0.0)
    run = train(Supervised(build, data), recipe, device="cpu", progress=False)
    if processes.rank() == 0:
        print(run.path)
# its threads would end with Python, and now and then in a crash
assert not beside or group() is None, "the group of processes outlives the leaving"
"""


def launched(command: list[str], runs) -> str:
    environment = {**os.environ, "PAPERLIB_RUNS": str(runs), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
def test_two_processes_give_the_model_of_one(tmp_path):
    script = tmp_path / "training.py"
    script.write_text(TRAINING)
    beside = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    found = {}
    for name, command in {"one": [], "two": beside}.items():
        path = launched([*command, str(script)], tmp_path / name)
        found[name] = saved.read(tmp_path / name / path.split("/")[-1] / FILE)
    (weights, progress), (others, other_progress) = found["one"], found["two"]
    assert weights.keys() == others.keys()
    for name, value in weights.items():
        torch.testing.assert_close(value, others[name], rtol=1e-4, atol=1e-5, msg=name)
    for epoch, other in zip(progress["history"], other_progress["history"], strict=True):
        assert other == pytest.approx(epoch, rel=1e-5)
    assert len(progress["history"]) == 2


FILE = "checkpoint.safetensors"


def test_alone_all_of_it_does_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    values = torch.tensor([1.0, 2.0])
    parameter = torch.nn.Parameter(values.clone())
    parameter.grad = values.clone()
    with processes.joined():
        processes.sum_gradients([parameter])
        processes.all_wait()
        assert (processes.rank(), processes.count()) == (0, 1)
        assert processes.any_of(True, values.device) is True
        assert processes.any_of(False, values.device) is False
        assert torch.equal(processes.share(values), values)
        assert torch.equal(processes.sum_(values), torch.tensor([1.0, 2.0]))
    assert torch.equal(parameter.grad, values)
