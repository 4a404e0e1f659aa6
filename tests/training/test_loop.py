"""Training learns, can be interrupted anywhere, and is never done twice."""

import json
import math
import os
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from samples import same, swinging, weights
from torch import nn

from paperlib import training
from paperlib.errors import CheckpointError
from paperlib.evaluation import evaluate
from paperlib.models import LinearModel, TemporalModel
from paperlib.models.fast.activation import FusedLayer
from paperlib.recordings import Dataset
from paperlib.training import Recipe, Supervised, load_run, loop
from paperlib.training import runs as saved
from paperlib.windows import Windows, keypoint_windows

RECIPE = Recipe(epochs=4, batch_size=16, channels=8, dropout=0.25)


def small(**changes) -> Dataset:
    """22 examples, doubled by mirroring: batches of 16, 16 and 12."""
    parts = {"train": (swinging("a", 15, 0.21), swinging("b", 7, 0.33))}
    parts |= {"test": (swinging("c", 30, 0.27),)} | changes
    return Dataset("swings", "made here", **parts)


DATA = small()


def build(**options) -> nn.Module:
    return TemporalModel(17, 2, 17, (3,), **{"channels": 8, "dropout": 0.25} | options)


def train(recipe=RECIPE, data=DATA, make=build, device="cpu", **options):
    return training.train(Supervised(make, data), recipe, device=device, progress=False, **options)


# ---- it learns -----------------------------------------------------------------------------------


def test_the_loss_falls_and_the_model_beats_the_mean_pose(device):
    recipe = Recipe(epochs=20, batch_size=16, channels=48, dropout=0.0, learning_rate=5e-3)
    data = small(train=(swinging("a", 70, 0.21), swinging("b", 40, 0.33)))
    larger = partial(build, channels=48, dropout=0.0)
    run = train(recipe, data, larger, device=device.type)
    losses = [row["train_mpjpe"] for row in run.history]
    assert [row["epoch"] for row in run.history] == list(range(1, 21))
    assert losses[-1] < 0.5 * losses[0]
    assert not run.model.training
    mean_pose = torch.cat([r.pose for r in data.train]).mean(dim=0)
    baseline = (data.test[0].pose - mean_pose).norm(dim=-1).mean().item()
    found = evaluate(run.model, data.test, device=device.type).average("mpjpe")
    assert found < 0.5 * baseline


def test_the_first_step_is_amsgrad_on_the_mean_distance_of_joints():
    """One full batch: each weight moves by the learning rate against its gradient's sign."""
    recipe = RECIPE.but(epochs=1, batch_size=1000, train_flip=False, dropout=0.0)
    still = partial(build, dropout=0.0)
    torch.manual_seed(0)
    model = still()
    windows = keypoint_windows(DATA.train, 3, flip=False)
    inputs, target = windows.batch(torch.arange(22))
    loss = (model.train()(inputs) - target).square().sum(-1).sqrt().mean()
    loss.backward()
    run = train(recipe, make=still)
    assert run.history[0]["train_mpjpe"] == pytest.approx(loss.item(), rel=1e-5)
    old, grad, new = model.shrink.weight, model.shrink.weight.grad, run.model.shrink.weight
    clear = grad.abs() > 1e-4
    assert clear.float().mean() > 0.5
    torch.testing.assert_close((new - old)[clear], -1e-3 * grad[clear].sign(), rtol=1e-2, atol=1e-6)


def test_a_finished_run_keeps_its_weights_alone():
    saved = load_file(train(RECIPE.but(epochs=1)).path / "checkpoint.safetensors")
    assert saved and all(name.startswith("model.") for name in saved)


def watched(monkeypatch):
    """Learning rate and batch-norm momentum of every step, and what builds the model watched."""
    seen = []
    step = torch.optim.Adam.step

    def noting(self, *args, **kwargs):
        (group,) = self.param_groups
        (momentum,) = {m.momentum.item() for m in made[-1].modules() if isinstance(m, FusedLayer)}
        assert group["amsgrad"] and group["betas"] == (0.9, 0.999)
        assert group["weight_decay"] == 0
        seen.append((group["lr"], momentum))
        return step(self, *args, **kwargs)

    made = []
    monkeypatch.setattr(torch.optim.Adam, "step", noting)
    return seen, lambda: made.append(build()) or made[-1]


def test_learning_rate_and_momentum_of_each_epoch(monkeypatch):
    seen, make = watched(monkeypatch)
    train(RECIPE.but(decay=0.5), make=make)
    assert len(seen) == 4 * 3
    for i, (rate, momentum) in enumerate(seen):
        epoch = i // 3
        assert rate == pytest.approx(1e-3 * 0.5**epoch)
        assert momentum == pytest.approx(0.1 * math.exp(-epoch / 4 * math.log(100)))


def test_a_linear_rate_falls_with_every_step_and_goes_on_where_it_was(interrupted, monkeypatch):
    recipe = RECIPE.but(schedule="linear", learning_rate=0.012)
    seen, make = watched(monkeypatch)
    train(recipe, make=make)
    assert [rate for rate, _ in seen] == pytest.approx([0.012 - 0.001 * n for n in range(12)])
    del seen[:]
    with interrupted(8):
        train(recipe, make=make, retrain=True)
    train(recipe, make=make)
    assert [rate for rate, _ in seen] == pytest.approx([0.012 - 0.001 * n for n in range(12)])


def test_learning_rate_and_momentum_go_on_where_they_were(interrupted, monkeypatch):
    with interrupted(8):
        train(recipe=RECIPE.but(decay=0.5))
    seen, make = watched(monkeypatch)
    train(RECIPE.but(decay=0.5), make=make)
    assert len(seen) == 4 * 3 - 8  # the eighth batch was trained on before it stopped
    assert seen[0] == pytest.approx((1e-3 * 0.25, 0.1 * 10**-1.0))
    assert seen[-1] == pytest.approx((1e-3 * 0.125, 0.1 * 10**-1.5))


# ---- the same again ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights():
    first = weights(train())
    again = train(retrain=True)
    assert not again.reused
    assert same(first, weights(again))


def test_the_randomness_of_the_caller_plays_no_part_and_is_left_alone(device):
    torch.manual_seed(1)
    first = weights(train(device=device.type))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    on_gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    again = train(retrain=True, device=device.type)
    assert torch.equal(torch.get_rng_state(), before)
    if on_gpu is not None:
        assert torch.equal(torch.cuda.get_rng_state(), on_gpu)
    for name, value in weights(again).items():
        torch.testing.assert_close(value, first[name])


def test_another_seed_recipe_model_or_data_is_another_run():
    recipes = [RECIPE.but(learning_rate=2e-3), RECIPE.but(train_flip=False)]
    others = [small(train=DATA.train[:1]), small(train=(DATA.train[0], swinging("b", 7, 0.34)))]
    settings = [{}, {"seed": 1}, {"make": partial(LinearModel, 17, 2, 17, channels=8)}]
    settings += [{"make": partial(build, causal=True)}]
    settings += [{"recipe": recipe} for recipe in recipes] + [{"data": data} for data in others]
    keys = [train(**changes).key for changes in settings]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith("temporal-seed0-")
    assert keys[1].startswith("temporal-seed1-")
    assert keys[2].startswith("linear-seed0-")


def test_another_seed_gives_other_weights():
    assert not same(weights(train(seed=0)), weights(train(seed=1)))


def test_the_order_of_recordings_does_not_hide_in_a_run_of_the_same_name():
    """It decides which examples make a batch: either it is part of the name, or without effect."""
    first = train()
    other = train(data=small(train=DATA.train[::-1]), retrain=True)
    assert first.key != other.key or same(weights(first), weights(other))


def test_a_finished_run_is_found_and_not_trained_again(monkeypatch):
    first = train()
    assert (first.reused, first.finished, first.epoch, first.step) == (False, True, 4, 0)
    assert first.seconds > 0
    with monkeypatch.context() as patch:
        patch.setattr(Windows, "batch", None)  # any training would fail
        found = train()
    assert (found.reused, found.finished, found.key) == (True, True, first.key)
    assert (found.seconds, found.history) == (first.seconds, first.history)
    assert same(weights(first), weights(found))
    assert not found.model.training


def test_retrain_trains_anew():
    first = train()
    stamp = (first.path / "checkpoint.safetensors").stat().st_mtime_ns
    again = train(retrain=True)
    assert not again.reused
    assert (again.path / "checkpoint.safetensors").stat().st_mtime_ns > stamp
    assert len(again.history) == 4


# ---- interruptions -------------------------------------------------------------------------------


# three batches an epoch: the first, in mid-epoch, the last of one, and after the first epochs
@pytest.mark.parametrize("calls", [[1], [2], [3], [5], [4, 4], [2, 1, 1, 1], [11]], ids=str)
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(calls, whole_and_resumed, device):
    whole, resumed = whole_and_resumed(partial(train, device=device.type), calls)
    assert not resumed.reused
    assert resumed.finished
    if device.type == "cpu":
        assert same(weights(whole), weights(resumed))
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], value)
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4]


def test_whatever_draws_goes_on_where_it_was(device):
    """Dropout draws where the model is, and crops of photographs always on the processor."""

    def draw() -> list[torch.Tensor]:
        return [torch.rand(5), torch.rand(5, device=device).cpu()]

    state = loop._random_state(device)
    drawn = draw()
    loop._set_random_state(state, device)
    assert all(map(torch.equal, draw(), drawn))


def test_the_history_of_an_interrupted_run_is_that_of_a_whole_one(whole_and_resumed):
    whole, resumed = whole_and_resumed(train, [5])
    expected = [row["train_mpjpe"] for row in whole.history]
    assert [row["train_mpjpe"] for row in resumed.history] == pytest.approx(expected, rel=1e-5)


def test_a_run_that_died_between_epochs_goes_on(monkeypatch, runs):
    """Killed without a chance to save: the last epoch's checkpoint is what there is."""
    whole = train()
    monkeypatch.setenv("PAPERLIB_RUNS", str(runs / "parts"))
    batch, calls = Windows.batch, []

    def dying(self, examples):
        calls.append(examples)
        if len(calls) == 8:
            raise MemoryError("killed")
        return batch(self, examples)

    with monkeypatch.context() as patch:
        patch.setattr(Windows, "batch", dying)
        with pytest.raises(MemoryError):
            train()
    resumed = train()
    assert same(weights(whole), weights(resumed))
    assert resumed.history == whole.history


def test_an_interrupt_leaves_a_usable_run_and_goes_on(interrupted):
    handler = signal.getsignal(signal.SIGINT)
    with interrupted(5, match="epoch 2, batch 2"):
        train()
    assert signal.getsignal(signal.SIGINT) is handler
    key = train().key  # finishes it
    assert load_run(key).finished


def test_the_interrupted_run_can_be_loaded(interrupted, runs):
    with interrupted(5):
        train()
    (folder,) = runs.iterdir()
    run = load_run(folder.name)
    assert (run.epoch, run.step, run.finished) == (1, 2, False)
    assert len(run.history) == 1
    assert run.seconds > 0


@pytest.mark.parametrize("step", [1, 3, 12])
def test_an_interrupt_in_a_step_goes_on_when_the_step_is_saved(step, monkeypatch, runs):
    """Also in the very last one: what follows it in a notebook was meant to stop."""
    whole = train()
    monkeypatch.setenv("PAPERLIB_RUNS", str(runs / "parts"))
    run_step, steps = torch.optim.Adam.step, []

    def interrupted(self, *args, **kwargs):
        steps.append(self)
        if len(steps) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return run_step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train()
    assert len(steps) == step
    assert same(weights(whole), weights(train()))
    assert len(steps) == 12


def test_a_second_interrupt_stops_at_once(interrupted):
    handler = signal.getsignal(signal.SIGINT)
    with interrupted(5, times=2):
        train()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_last_batch_of_one_example_is_left_out():
    """Batch norm has nothing to normalise it by."""
    recipe = RECIPE.but(batch_size=21, train_flip=False)
    run = train(recipe)
    assert run.finished
    assert all(0 < row["train_mpjpe"] < 10 for row in run.history)


def test_batches_of_one_example_are_refused_in_words():
    message = "no batch has the 2 examples that a step takes at least: 44 examples, 1 a batch"
    with pytest.raises(ValueError, match=message):
        train(RECIPE.but(batch_size=1))


def test_a_diverged_run_stops_and_keeps_its_last_good_checkpoint(monkeypatch, runs):
    batch, calls = Windows.batch, []

    def spoilt(self, examples):
        inputs, target = batch(self, examples)
        calls.append(examples)
        return inputs, target * (math.nan if len(calls) > 3 else 1)

    monkeypatch.setattr(Windows, "batch", spoilt)
    with pytest.raises(FloatingPointError, match="epoch 2"):
        train()
    (folder,) = runs.iterdir()
    kept = load_run(folder.name)
    assert kept.epoch == 1
    assert all(v.isfinite().all() for v in weights(kept).values())


# ---- checkpoints ---------------------------------------------------------------------------------


def test_a_run_can_be_loaded_by_its_name():
    run = train()
    found = load_run(run.key)
    assert (found.key, found.seconds, found.history) == (run.key, run.seconds, run.history)
    assert found.finished and found.reused and not found.model.training
    assert same(weights(run), weights(found))
    written = json.loads((run.path / "run.json").read_text())
    assert written["history"] == run.history
    assert written["description"]["recipe"] == RECIPE.as_dict()
    objective = {"class": "Supervised", "dataset": DATA.fingerprint}
    assert written["description"]["objective"] == objective


def test_nothing_but_the_two_files_is_left():
    assert sorted(p.name for p in train().path.iterdir()) == ["checkpoint.safetensors", "run.json"]


def test_a_run_of_no_such_name_is_refused():
    with pytest.raises(CheckpointError, match="temporal-seed9-0"):
        load_run("temporal-seed9-0")


def rewritten(path, change=lambda state, progress: None, text=None) -> None:
    """A checkpoint with other content, and the digest that belongs to it."""
    state, progress = saved.read(path)
    state = {name: value.clone() for name, value in state.items()}
    change(state, progress)
    text = text or json.dumps(progress)
    save_file(state, path, metadata={"run": text, "digest": saved.digest_of(state, text)})


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "text": lambda path: path.write_bytes(b"{} " * 99),
    "one bit": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"\x01" + bytes(8)),
    "no progress": lambda path: save_file(load_file(path), path),
    "NaN": lambda path: rewritten(path, lambda s, _: s["model.shrink.bias"].fill_(math.nan)),
    "a list": lambda path: rewritten(path, text="[]"),
    "deep": lambda path: rewritten(path, text="[" * 200_000 + "]" * 200_000),
    "no epoch": lambda path: rewritten(path, lambda _, progress: progress.pop("epoch")),
    "epochs by name": lambda path: rewritten(path, lambda _, p: p.update(epoch="four")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_checkpoint_is_refused_with_what_to_do(damage):
    run = train()
    damage(run.path / saved.FILE)
    for act in (train, lambda: load_run(run.key)):
        with pytest.raises(CheckpointError, match="retrain=True") as error:
            act()
        assert run.key in str(error.value)
    assert train(retrain=True).finished
    assert train().reused


@pytest.mark.parametrize("config", [{"channels": 2_000_000}, {"num_joints_out": 16}], ids=str)
def test_a_checkpoint_that_names_another_model_is_refused_before_it_is_built(config):
    """Weights of two million channels would take some terabytes."""
    run = train()
    rewritten(run.path / saved.FILE, lambda _, p: p["description"]["model"].update(config))
    with pytest.raises(CheckpointError, match="not of the model that it names"):
        load_run(run.key)


def test_a_checkpoint_that_names_no_model_is_refused():
    run = train()
    rewritten(run.path / saved.FILE, lambda _, p: p["description"].update(model=[]))
    with pytest.raises(CheckpointError, match="neither its model nor its recipe"):
        load_run(run.key)


def test_the_checkpoint_of_another_architecture_is_refused():
    wider = replace(train(), model=build(channels=16))
    with pytest.raises(CheckpointError, match="another model"):
        saved.restore(wider)


@pytest.mark.parametrize("when", ["before", "midway"])
@pytest.mark.parametrize("problem", [OSError, SafetensorError])
def test_a_crash_while_saving_leaves_the_checkpoint_before_it(when, problem, monkeypatch, runs):
    saves = []
    save = saved.save_file

    def crashing(tensors, path, metadata):
        saves.append(path)
        if len(saves) == 3:
            if when == "midway":
                path.write_bytes(b"half of a checkpoint")
            raise problem("no space left on device")
        save(tensors, path, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(saved, "save_file", crashing)
        with pytest.raises(OSError, match=r"no space left on device.*PAPERLIB_RUNS"):
            train()
    (folder,) = runs.iterdir()
    assert sorted(p.name for p in folder.iterdir()) == ["checkpoint.safetensors", "run.json"]
    assert load_run(folder.name).epoch == 2
    resumed = train()
    assert not resumed.reused
    assert same(weights(resumed), weights(train(retrain=True)))


def test_a_folder_that_cannot_be_written_is_named_before_training(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "file"))
    monkeypatch.setattr(Windows, "batch", None)  # any training would fail otherwise
    with pytest.raises(
        ValueError, match=r"cannot be written \(Not a directory\); set PAPERLIB_RUNS"
    ):
        train()


# ---- devices -------------------------------------------------------------------------------------


@pytest.mark.skipif(torch.cuda.is_available(), reason="for computers without a GPU")
def test_a_gpu_that_is_not_there_is_refused(runs):
    with pytest.raises(ValueError, match="no GPU"):
        train(device="cuda")
    assert not runs.exists()


@pytest.mark.parametrize("wrong", ["gpu", "cuda:1", ""])
def test_unknown_devices_are_refused(wrong):
    with pytest.raises(ValueError, match="'auto', 'cpu', 'cuda'"):
        train(device=wrong)


def test_unknown_precisions_are_refused():
    with pytest.raises(ValueError, match="'auto', 'mixed', 'float32', 'bfloat16'"):
        train(RECIPE.but(precision="half"))


def test_models_of_other_joints_are_refused():
    with pytest.raises(ValueError, match="17"):
        train(make=lambda: TemporalModel(16, 2, 17, (3,), channels=8))
    with pytest.raises(ValueError, match="same shape"):
        train(make=lambda: TemporalModel(17, 2, 15, (3,), channels=8))


def test_a_progress_bar_is_shown_only_if_asked_for(capsys):
    train()
    assert capsys.readouterr().err == ""
    training.train(Supervised(build, DATA), RECIPE, device="cpu", retrain=True, name="a swing")
    assert "a swing" in capsys.readouterr().err


def test_no_training_data_are_refused():
    with pytest.raises(ValueError, match="no recordings"):
        train(data=small(train=()))
