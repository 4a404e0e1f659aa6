"""Learning what comes next: the loss by hand, that it teaches, and that a run goes on as it was."""

from dataclasses import replace

import pytest
import torch
from samples import same, swinging, weights
from torch import nn

from paperlib.evaluation import zero_velocity
from paperlib.metrics import mpjpe
from paperlib.models import RecurrentForecaster
from paperlib.recordings import Dataset
from paperlib.skeletons import H36M_17
from paperlib.training import Forecasting, Recipe, load_run, train
from paperlib.training.step import Step
from paperlib.windows import mirror

SEEN, LENGTH = 6, 10
RECIPE = Recipe(epochs=3, batch_size=4 * LENGTH, chunk=LENGTH, learning_rate=3e-3, channels=16)
CLIPS = tuple(
    swinging(f"take{n}", 6 * LENGTH, speed) for n, speed in enumerate((0.4, 0.5, 0.6, 0.45))
)
DATA = Dataset("swings", "made here", CLIPS[:3], CLIPS[3:])


def build() -> RecurrentForecaster:
    return RecurrentForecaster(17, 16)


def trained(recipe=RECIPE, data=DATA, seen=SEEN, **options):
    objective = Forecasting(build, data, seen)
    return train(objective, recipe, device="cpu", progress=False, **options)


def parts(recipe=RECIPE):
    """A network that says something, its windows, and its update."""
    torch.manual_seed(0)
    model = build()
    nn.init.normal_(model.step.weight, std=0.05)
    objective = Forecasting(lambda: model, DATA, SEEN)
    windows = objective.examples(model, recipe, 0, torch.device("cpu"))
    (update,) = objective.updates(model, windows)
    return model, windows, update


def test_the_loss_by_hand():
    """Windows lie end to end: the second one of the first take, the first one of the second."""
    model, _, update = parts()
    cuts = torch.stack([CLIPS[0].pose[LENGTH : 2 * LENGTH], CLIPS[1].pose[:LENGTH]])
    right = mpjpe(model(cuts[:, :SEEN], LENGTH - SEEN), cuts[:, SEEN:])
    assert update.terms == ("train_mpjpe",)
    torch.testing.assert_close(update.loss(torch.tensor([1, 6])), right[None])


def test_half_of_the_windows_are_mirrored_and_keypoints_play_no_part():
    model, windows, update = parts()
    assert len(windows) == 2 * 3 * 6
    poses = mirror(CLIPS[0].pose[:LENGTH], H36M_17)[None]
    right = mpjpe(model(poses[:, :SEEN], LENGTH - SEEN), poses[:, SEEN:])
    torch.testing.assert_close(update.loss(torch.tensor([18])), right[None])
    blind = replace(DATA, train=tuple(replace(r, keypoints=0 * r.keypoints) for r in DATA.train))
    once = RECIPE.but(epochs=1)
    assert same(weights(trained(once)), weights(trained(once, blind)))


def test_no_gradient_is_longer_than_five():
    model, _, update = parts()
    optimizer = update.new_optimizer(RECIPE, torch.device("cpu"))
    for factor, longest in ((1e4, 5.0), (1e-3, 1.0)):
        optimizer.zero_grad()
        (factor * update.loss(torch.arange(8)).sum()).backward()
        before = nn.utils.get_total_norm([p.grad for p in model.parameters()]).item()
        optimizer.step()
        after = nn.utils.get_total_norm([p.grad for p in model.parameters()]).item()
        assert after == pytest.approx(min(before, 5.0), rel=1e-4) and after <= longest + 1e-3


def test_it_learns_to_forecast_and_is_read_again():
    run = trained(RECIPE.but(epochs=80, learning_rate=1e-2))
    past, future = CLIPS[3].pose[None, :SEEN], CLIPS[3].pose[None, SEEN:LENGTH]
    still = mpjpe(zero_velocity(past, LENGTH - SEEN), future)
    assert mpjpe(run.model(past, LENGTH - SEEN), future) < 0.5 * still
    again = load_run(run.key)
    assert again.model.config == run.model.config
    assert torch.equal(again.model(past, 4), run.model(past, 4))


def test_a_step_waits_for_nothing_and_is_recorded(waits_for_nothing):
    """Reading, answering and limiting the gradient too."""
    device, model = torch.device("cuda"), build().to("cuda").train()
    objective = Forecasting(lambda: model, DATA, SEEN)
    examples = objective.examples(model, RECIPE, 0, device)
    (update,) = objective.updates(model, examples)
    step = Step(model, update, update.new_optimizer(RECIPE, device), device, "float32", 4, 100)
    batches = [examples.order(torch.Generator().manual_seed(n))[:4] for n in range(8)]
    waits_for_nothing(step, batches)


def test_a_resumed_run_is_the_same_run(whole_and_resumed):
    whole, resumed = whole_and_resumed(trained, (3, 9))
    assert same(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_found_again_and_told_apart():
    once = RECIPE.but(epochs=1)
    first = trained(once)
    assert trained(once).reused and not trained(once, retrain=True).reused
    assert len({run.key for run in (first, trained(once, seen=5), trained(once, seed=1))}) == 3
    assert same(weights(first), weights(trained(once, retrain=True)))
    assert not same(weights(first), weights(trained(once, seed=1)))


@pytest.mark.parametrize("seen", [0, LENGTH, LENGTH + 1, 2.5, None])
def test_windows_of_which_nothing_is_seen_or_left_are_refused(seen):
    with pytest.raises(ValueError, match=f"windows of 10 frames with seen={seen}"):
        trained(seen=seen)


@pytest.mark.parametrize("windows", [600, 5_000, 40_000])
@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_it_is_shown_as_many_windows_as_the_other_network(preset, windows):
    """An example is one window here, and a pair of them there."""
    own, other = (make(preset, windows, 75) for make in (Recipe.martinez2017, Recipe.cheng2020))
    assert (own.batch_windows, own.chunk, own.epochs) == (16, 75, other.epochs)
    assert (own.channels, own.rate(own.epochs)) == (other.channels, 0)
    shown = min(windows, own.epoch_examples or windows)
    pairs = min(windows // 2, other.epoch_examples or windows // 2)
    assert shown == 2 * pairs
