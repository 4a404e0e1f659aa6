"""Learning to see bodies that are drawn."""

import pytest
import torch
from samples import same, weights

from paperlib.datasets import synthetic
from paperlib.errors import CheckpointError
from paperlib.experiment.checkpoints import evaluate_checkpoint
from paperlib.models import HighResolutionNet, soft_argmax
from paperlib.rendering import Augmentation, TrainingImages
from paperlib.training import KeypointMaps, Recipe, train

RECIPE = Recipe.cheng2020_maps("smoke").but(epochs=1, batch_size=8, precision="float32")


@pytest.fixture(scope="module")
def dataset():
    return synthetic.load(seconds=2.0, subjects=("S1", "S2"), families=("walking", "boxing"))


def objective(dataset, **changes) -> KeypointMaps:
    return KeypointMaps(lambda: HighResolutionNet(17, 8), dataset, **{"size": 32} | changes)


def test_the_loss_of_exact_maps_is_that_of_certainty_alone(dataset):
    """Logits of exactly the maps to learn: places are right to a hundredth of a cell, and any other
    maps are worse."""
    own = objective(dataset, hidden=0.3)
    images = TrainingImages(dataset.train, 64)
    drawn = images.draw(torch.arange(0, 600, 30))
    cells = torch.arange(16) + 0.5
    off = cells - drawn.points[..., None] / 4  # (N, K, 2, 16)
    gauss = torch.exp(-(off[..., 1, :, None] ** 2 + off[..., 0, None, :] ** 2) / 2)
    inside = drawn.crops.inside(drawn.points)
    height = torch.where(drawn.visible, 1.0, 0.3) * inside
    exact = (gauss * height[..., None, None]).clamp(1e-6, 1 - 1e-6).logit()
    places, maps = own.terms(exact, drawn)
    assert places < 0.15
    for other in (exact + 0.5, exact - 0.5, exact.roll(1, dims=-1), torch.zeros_like(exact)):
        assert own.terms(other, drawn)[1] > maps + 1e-3
    assert own.terms(exact.roll(2, dims=-2), drawn)[0] > places + 0.5


def test_joints_outside_have_no_place_and_an_empty_map(dataset):
    own = objective(dataset)
    images = TrainingImages(dataset.train, 64, Augmentation(scale=(2.5, 2.5)))
    drawn = images.draw(torch.arange(8))
    outside = ~drawn.crops.inside(drawn.points)
    assert outside.any()
    logits = torch.randn(8, 17, 16, 16)
    changed = torch.where(outside[..., None, None], torch.randn_like(logits), logits)
    assert torch.equal(own.terms(logits, drawn)[0], own.terms(changed, drawn)[0])
    lower = torch.where(outside[..., None, None], logits - 3, logits)
    assert own.terms(lower, drawn)[1] < own.terms(logits, drawn)[1]


def test_a_few_pictures_are_learnt_by_heart(dataset):
    own = objective(dataset)
    drawn = TrainingImages(dataset.train, 32).draw(torch.arange(0, 400, 50))
    model = HighResolutionNet(17, 8)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(150):
        places, maps = own.terms(model(drawn.images), drawn)
        optimizer.zero_grad()
        (places + maps).backward()
        optimizer.step()
    off = (4 * soft_argmax(model(drawn.images)) - drawn.points).norm(dim=-1)
    middle = (drawn.points.mean(dim=0) - drawn.points).norm(dim=-1)
    inside = drawn.crops.inside(drawn.points)
    assert off[inside].mean() < 0.25 * middle[inside].mean()


def test_it_trains_and_the_same_run_gives_the_same_weights(dataset):
    run = train(objective(dataset), RECIPE, progress=False, device="cpu")
    assert set(run.history[0]) == {"epoch", "places", "maps"}
    again = train(objective(dataset), RECIPE, progress=False, device="cpu", retrain=True)
    assert same(weights(run), weights(again))
    found = train(objective(dataset), RECIPE, progress=False, device="cpu")
    assert found.reused
    with pytest.raises(CheckpointError, match="HighResolutionNet, which sees pictures"):
        evaluate_checkpoint(run.key, "synthetic", "simulated")
    other = objective(dataset, augmentation=Augmentation(noise=0.1))
    assert train(other, RECIPE, progress=False, device="cpu").key != run.key


def test_a_resumed_run_is_the_same_run(dataset, whole_and_resumed):
    """Pictures, with all that is random in them, are drawn on as if nothing had happened."""
    recipe = RECIPE.but(epochs=2, epoch_examples=24)

    def trained():
        return train(objective(dataset), recipe, progress=False, device="cpu")

    whole, resumed = whole_and_resumed(trained, (2, 2))
    assert same(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_an_epoch_shows_as_many_as_the_recipe_says_and_none_twice(dataset):
    own = objective(dataset)
    frames = sum(map(len, dataset.train))

    def order(count, number=0):
        recipe = RECIPE.but(epoch_examples=count)
        examples = own.examples(own.build(), recipe, 0, torch.device("cpu"))
        found = examples.order(torch.Generator().manual_seed(number))
        assert len(found) == len(examples)
        return found

    assert len(order(50).unique()) == 50 and not torch.equal(order(50), order(50, 1))
    assert order(0).sort().values.tolist() == list(range(frames))
    assert order(frames + 9)[:frames].sort().values.tolist() == list(range(frames))


def test_it_trains_on_a_gpu(dataset, gpu):
    recipe = RECIPE.but(batch_size=4, epoch_examples=20)
    run = train(objective(dataset), recipe, progress=False, device="cuda")
    assert all(torch.isfinite(v).all() for v in run.model.state_dict().values())


def test_what_does_not_fit_is_refused(dataset):
    for wrong in ({"chunk": 4}, {"stride": 2}):
        with pytest.raises(ValueError, match="one by one"):
            train(objective(dataset), RECIPE.but(**wrong), progress=False, device="cpu")
    with pytest.raises(ValueError, match="sigma is a number of cells"):
        train(objective(dataset, sigma=0), RECIPE, progress=False, device="cpu")
    with pytest.raises(ValueError, match="hidden is the height"):
        train(objective(dataset, hidden=1.5), RECIPE, progress=False, device="cpu")
    other = KeypointMaps(lambda: HighResolutionNet(14, 4), dataset, size=32)
    with pytest.raises(ValueError, match=r"maps of 14 joints.*17"):
        train(other, RECIPE, progress=False, device="cpu")
