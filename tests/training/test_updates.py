"""Several networks that learn against each other, each by an optimiser of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from samples import same, swinging, weights
from torch import Tensor, nn

from paperlib import training
from paperlib.recordings import Dataset
from paperlib.training import Objective, Recipe, Update
from paperlib.training.step import Step
from paperlib.windows import Windows, keypoint_windows

DATA = Dataset("swings", "made here", (swinging("a", 15, 0.21), swinging("b", 7, 0.33)), ())
RECIPE = Recipe(epochs=4, batch_size=16)  # 44 examples: batches of 16, 16 and 12


class Rivals(nn.Module):
    """A network that makes poses of keypoints, and one that tells them from true ones."""

    causal, receptive_field = False, 1

    def __init__(self):
        super().__init__()
        self.config = {}
        self.generator = nn.Sequential(nn.Flatten(), nn.Linear(34, 51), nn.Dropout(0.1))
        self.discriminator = nn.Sequential(
            nn.Flatten(), nn.Linear(51, 8), nn.Tanh(), nn.Linear(8, 1)
        )


def momentum(parameters, rate: float, device) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9)


@dataclass(frozen=True)
class Adversarial(Objective):
    """The generator in every step, the discriminator in every ``every``-th."""

    dataset: Dataset
    every: int = 2
    rate: float = 3.0

    def model(self, recipe: Recipe) -> Rivals:
        return Rivals()

    def examples(self, model, recipe, seed, device) -> Windows:
        return keypoint_windows(self.dataset.train, 1, device=device)

    def updates(self, model: Rivals, examples: Windows) -> Sequence[Update]:
        made, judged = model.generator, model.discriminator

        def fool(batch: Tensor) -> Tensor:
            inputs, pose = examples.batch(batch)
            found = made(inputs)
            away = (found.view_as(pose) - pose).square().mean()
            return torch.stack([away, -judged(found).mean()])

        def judge(batch: Tensor) -> Tensor:
            inputs, pose = examples.batch(batch)
            return (judged(made(inputs)).square().mean() + (judged(pose) - 1).square().mean())[None]

        return [
            Update(fool, ("distance", "fooled"), list(made.parameters())),
            Update(judge, ("judged",), list(judged.parameters()), momentum, self.rate, self.every),
        ]


def train(recipe=RECIPE, **options):
    return training.train(Adversarial(DATA, **options), recipe, device="cpu", progress=False)


def by_hand(epochs: int = 4, every: int = 2, rate: float = 3.0) -> tuple[dict, list[dict]]:
    """The same with a loop that anyone would write."""
    torch.manual_seed(0)
    model = Rivals()
    windows = keypoint_windows(DATA.train, 1)
    fool, judge = Adversarial(DATA).updates(model, windows)
    first = torch.optim.Adam(fool.parameters, lr=1e-3, amsgrad=True)
    second = torch.optim.SGD(judge.parameters, lr=rate * 1e-3, momentum=0.9)
    history, taken = [], 0
    for epoch in range(epochs):
        order = windows.order(torch.Generator().manual_seed(epoch), epoch)
        torch.manual_seed(epoch)
        model.train()
        for optimizer, factor in ((first, 1.0), (second, rate)):
            optimizer.param_groups[0]["lr"] = factor * 1e-3 * 0.95**epoch
        losses, judged = [], []
        for batch in order.split(16):
            terms = fool.loss(batch)
            model.zero_grad()
            terms.sum().backward()
            first.step()
            losses.append(terms.tolist())
            if taken % every == 0:
                loss = judge.loss(batch)
                model.zero_grad()
                loss.sum().backward()
                second.step()
                judged.append(loss.item())
            taken += 1
        means = [sum(column) / len(losses) for column in zip(*losses, strict=True)]
        row = {"epoch": epoch + 1, "distance": means[0], "fooled": means[1]}
        history.append(row | {"judged": sum(judged) / max(len(judged), 1)})
    return model.state_dict(), history


@pytest.mark.parametrize("every", [1, 2, 5])
def test_training_is_that_of_a_plain_loop(every):
    run = train(every=every)
    expected, history = by_hand(every=every)
    for name, value in weights(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)
    for row, wanted in zip(run.history, history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)


# three batches an epoch: in the first, between two updates of the second network, later, twice
@pytest.mark.parametrize("calls", [[1], [2], [3], [7], [4, 4]], ids=str)
@pytest.mark.parametrize("every", [1, 3])
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(calls, every, whole_and_resumed):
    """Bit for bit, with the state of both optimisers; a call is a batch of the first one."""
    whole, resumed = whole_and_resumed(partial(train, every=every), calls)
    assert resumed.finished and not resumed.reused
    assert same(weights(whole), weights(resumed))
    for row, expected in zip(resumed.history, whole.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-5)


def test_each_loss_moves_its_own_parameters_alone():
    """The generator's loss goes through the discriminator, which keeps no gradient of it."""
    model = Rivals().train()
    windows = keypoint_windows(DATA.train, 1)
    fool, _ = Adversarial(DATA).updates(model, windows)
    optimizer = fool.new_optimizer(RECIPE, torch.device("cpu"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Step(model, fool, optimizer, torch.device("cpu"), "float32", 16, 1)(torch.arange(16))
    moved = {
        n.split(".")[0] for n, v in model.state_dict().items() if not torch.equal(v, before[n])
    }
    assert moved == {"generator"}
    assert all(p.grad is None for p in model.discriminator.parameters())


def test_other_options_are_other_runs():
    recipe = RECIPE.but(epochs=1)
    runs = [train(recipe, **o) for o in ({}, {"every": 3}, {"rate": 1.0})]
    assert len({run.key for run in runs}) == 3
    assert train(recipe, every=3).reused
