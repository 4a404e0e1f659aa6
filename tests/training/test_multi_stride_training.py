"""The multi-stride network learns through maps and masks, and a run of it goes on as it began."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from samples import same, swinging, weights
from torch import Tensor, nn

from paperlib.metrics import mpjpe
from paperlib.models import MultiStrideTCN, fast
from paperlib.occlusion import OcclusionMasks
from paperlib.prediction import predict
from paperlib.recordings import Dataset
from paperlib.skeletons import H36M_17
from paperlib.training import Recipe, Supervised, load_run, train
from paperlib.training.objectives import Update, amsgrad
from paperlib.training.objectives.base import described
from paperlib.training.step import Step
from paperlib.windows import Windows

MASKS = OcclusionMasks(0.1, 0.1, 0.3, 0.05, 0.05, 0.3, 3, 2)
RECIPE = Recipe(epochs=3, batch_size=64, chunk=8, learning_rate=3e-3, channels=16, dropout=0.1)


def data() -> Dataset:
    clips = tuple(swinging(f"take{n}", 64, 0.2 + 0.05 * n) for n in range(4))
    return Dataset("swings", "made here", clips[:3], clips[3:])


def build(maps: dict | None = None) -> MultiStrideTCN:
    return MultiStrideTCN(17, 3, 17, (1, 3), 8, maps or {"size": 8}, 24, 16, 1, 0.1)


@dataclass(frozen=True)
class Masked(Supervised):
    """Supervised training on windows of which something is hidden."""

    masks: OcclusionMasks = MASKS

    def updates(self, model: nn.Module, examples: Windows) -> Sequence[Update]:
        def loss(batch: Tensor) -> Tensor:
            inputs, target = examples.batch(batch)
            maps, crops = model.drawn(self.masks.hide(inputs, H36M_17))
            return mpjpe(model(self.masks.noisy(maps), crops), target)[None]

        return [Update(loss, ("train_mpjpe",), list(model.parameters()))]


def trained(objective: Callable = Masked, recipe: Recipe = RECIPE, device: str = "cpu", **options):
    return train(objective(build, data(), **options), recipe, device=device, progress=False)


def test_it_learns_and_is_read_again():
    run = trained(recipe=RECIPE.but(epochs=15))
    assert run.history[-1]["train_mpjpe"] < 0.6 * run.history[0]["train_mpjpe"]
    one = data().test[0]
    error = mpjpe(predict(run.model, one), one.pose).item()
    assert error < 0.6 * one.pose.norm(dim=-1).mean().item()
    again = load_run(run.key)
    assert again.model.config == run.model.config
    torch.testing.assert_close(predict(again.model, one), predict(run.model, one))


def test_a_resumed_run_is_the_same_run(whole_and_resumed):
    """Masks and noise are drawn on as if nothing had happened."""
    whole, resumed = whole_and_resumed(trained, (3, 9))
    assert same(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_other_masks_are_another_run():
    first, second = (trained(recipe=RECIPE.but(epochs=1)) for _ in range(2))
    other = trained(recipe=RECIPE.but(epochs=1), masks=replace(MASKS, points=0.2))
    assert second.reused and second.key == first.key != other.key
    about = described(Masked(build, data(), MASKS))
    assert about["masks"]["points"] == 0.1 and about["masks"]["class"] == "OcclusionMasks"


def test_the_plain_objective_takes_it_too():
    """All frames of its windows are the chunk that is learnt."""
    assert trained(Supervised, RECIPE.but(epochs=1)).history[0]["train_mpjpe"] > 0


def test_a_step_waits_for_nothing_and_is_recorded(waits_for_nothing):
    """Drawing, masks and noise too."""
    device, model = torch.device("cuda"), build().to("cuda").train()
    objective = Masked(lambda: model, data())
    examples = objective.examples(model, RECIPE, 0, device)
    (update,) = objective.updates(fast.for_training(model), examples)
    optimizer = amsgrad(update.parameters, 1e-3, device)
    step = Step(model, update, optimizer, device, "bfloat16", 8, 100)
    batches = [examples.order(torch.Generator().manual_seed(n))[:8] for n in range(8)]
    waits_for_nothing(step, batches)
