"""From rendered images to poses: a network that sees, and one that lifts its maps."""

from dataclasses import replace

import pytest
import torch
from plain_numbers import PlainNumbers
from samples import same, weights

from paperlib.datasets import synthetic
from paperlib.evaluation import evaluate
from paperlib.models import HighResolutionNet, MultiStrideTCN
from paperlib.occlusion import OcclusionMasks
from paperlib.prediction import predict_maps
from paperlib.recordings import Dataset, PerFrame
from paperlib.skeletons import H36M_17
from paperlib.training import (
    MASKS,
    Adversarial,
    KeypointMaps,
    Recipe,
    Supervised,
    load_run,
    spatio_temporal,
    train,
    withhold_positions,
)
from paperlib.windows import unpacked

SHORT = {"length": 16, "strides": (1, 2)}
DATA = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))
DATA = DATA.map(lambda r: r.cut(0, 20))


def with_maps(dataset: Dataset, seed: int = 0, crops: float = 0.5) -> Dataset:
    """Every recording with maps of 8 cells that are anything, of its own."""

    def step(recording):
        chance = torch.Generator().manual_seed(seed + len(recording.name))
        maps = torch.rand(len(recording), 17, 8, 8, generator=chance)
        values = PerFrame(f"seed {seed}", lambda frames: maps[frames])
        return replace(recording, heatmaps=values, crops=torch.full((len(recording), 3), crops))

    return dataset.map(step)


def learning(dataset=None, films=None, **options) -> tuple[Adversarial, Recipe]:
    return spatio_temporal(
        dataset or with_maps(DATA), "smoke", films, maps="network", **(SHORT | options)
    )


def trained(*given, retrain=False, recipe=None, **options):
    objective, usual = learning(*given, **options)
    return train(objective, recipe or usual, device="cpu", progress=False, retrain=retrain)


def test_the_whole_way(tmp_path, monkeypatch):
    """Rendered bodies, maps, windows of maps with every part of the system, errors of poses."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    recipe = Recipe.cheng2020_maps("smoke")

    def sees():
        return HighResolutionNet(17, recipe.channels, 1, 1)

    seeing = train(KeypointMaps(sees, DATA, size=32), recipe, device="cpu", progress=False)
    seen = predict_maps(seeing.model, DATA, size=32, progress=False)
    data, films = withhold_positions(seen)
    run = trained(data, films)
    history = run.history[-1]
    assert history["pose"] > 0 and history["views"] > 0 and history["projection"] > 0
    found = evaluate(run.model, data.test, device="cpu")
    assert 0.02 < found.average("mpjpe") < 2.0
    again = load_run(run.key)
    assert evaluate(again.model, data.test, device="cpu").values == found.values
    assert trained(data, films).reused
    # a network that sees otherwise makes another run
    seeing.model.last.bias.data += 0.5
    others = predict_maps(seeing.model, DATA, size=32, progress=False)
    assert trained(*withhold_positions(others)).key != run.key
    assert evaluate(run.model, others.test, device="cpu").values != found.values


def test_it_is_as_large_as_the_maps_are():
    config = learning()[0].build().config
    assert (config["maps"]["size"], config["in_features"]) == (8, 3 + 8 * 8)
    simulated = spatio_temporal(DATA, "smoke", **SHORT)
    assert learning()[1] == simulated[1]
    assert simulated[0].build().config["in_features"] == 3


def test_a_resumed_run_is_the_same_run(whole_and_resumed):
    """Masks and noise are drawn on as if nothing had happened."""
    recipe = learning()[1].but(epochs=2)

    def again():
        return trained(recipe=recipe)

    whole, resumed = whole_and_resumed(again, (2, 2))
    assert same(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_other_maps_are_another_run_with_other_weights():
    one, other = trained(), trained(with_maps(DATA, seed=1))
    assert one.key != other.key and not same(weights(one), weights(other))
    assert trained().reused


def test_what_is_hidden_is_not_seen():
    """Where all frames are hidden, networks of different maps learn the same, since crops stay."""
    hidden = {"masks": OcclusionMasks(frames=1.0)}
    one, other = trained(**hidden), trained(with_maps(DATA, seed=1), **hidden)
    assert one.key != other.key and same(weights(one), weights(other))
    placed = trained(with_maps(DATA, crops=0.6), **hidden)
    assert not same(weights(one), weights(placed))


def test_masks_and_noise_change_the_maps_and_no_crop():
    objective, recipe = learning(masks=replace(MASKS, points=0.5, noise=1.0), views=0.0)
    model = objective.model(recipe).train()
    examples = objective.examples(model, recipe, 0, torch.device("cpu"))
    lift = objective.updates(model, examples)[0].loss
    batch, seen = examples.order(torch.Generator().manual_seed(0))[:4], []
    model.generator.register_forward_pre_hook(lambda _, given: seen.append(given))
    lift(batch)
    maps, crops = unpacked(examples.labelled.input(batch[:, :2].T.reshape(-1)))
    assert seen[0][0].shape == maps.shape and torch.equal(seen[0][1], crops.float())
    assert 0.3 < (seen[0][0].amax(dim=(-2, -1)) == 0).float().mean() < 0.8
    assert not torch.equal(seen[0][0], maps.float())


def test_a_step_makes_no_tensor_of_plain_numbers():
    """On a GPU it is recorded, and such tensors would be copied there meanwhile."""
    objective, recipe = learning(views=0.0)
    model = objective.model(recipe).train()
    examples = objective.examples(model, recipe, 0, torch.device("cpu"))
    lift, tell = (update.loss for update in objective.updates(model, examples))
    batch = examples.order(torch.Generator().manual_seed(0))[:4]
    lift(batch)
    with PlainNumbers() as made:
        lift(batch).sum().backward()
        tell(batch).sum().backward()
    assert made.found == []


def test_it_trains_on_a_gpu(gpu):
    objective, recipe = learning(adversarial=0.0)
    run = train(objective, recipe, device="cuda", progress=False)
    assert all(torch.isfinite(v).all() for v in run.model.state_dict().values())


def test_the_plain_objective_takes_it_too():
    data = with_maps(DATA)
    recipe = Recipe.cheng2020("smoke", length=16)

    def build():
        return MultiStrideTCN(17, 67, 17, (1, 2), 16, {"size": 8}, 16, 16)

    run = train(Supervised(build, data), recipe, device="cpu", progress=False)
    assert run.history[0]["train_mpjpe"] > 0
    assert evaluate(run.model, data.test, device="cpu").average("mpjpe") > 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"has no heat maps.*predict_maps"):
        learning(DATA)
    with pytest.raises(ValueError, match="maps of one size"):
        learning(replace(DATA, train=()))
    with pytest.raises(ValueError, match="unknown maps 'real'"):
        spatio_temporal(DATA, "smoke", maps="real")
    with pytest.raises(ValueError, match="leave cells=16 out"):
        learning(cells=16)
    with pytest.raises(ValueError, match="maps that come ready cannot be turned"):
        trained(views=0.0, rotated=True)
    with pytest.raises(ValueError, match="has no heat maps"):
        learning(films=withhold_positions(DATA)[1])
    run = trained()
    with pytest.raises(ValueError, match="has no heat maps"):
        evaluate(run.model, DATA.test, device="cpu")
    other = replace(DATA.test[0], crops=torch.ones(20, 3))
    wide = PerFrame("wide", lambda frames: torch.rand(len(frames), 17, 16, 16))
    with pytest.raises(ValueError, match=r"\(B, T, 17, 67\).*17, 259"):
        evaluate(run.model, [replace(other, heatmaps=wide)], device="cpu")


def test_mirrored_copies_have_mirrored_maps():
    objective, recipe = learning(views=0.0)
    examples = objective.examples(objective.model(recipe), recipe, 0, torch.device("cpu"))
    windows = examples.labelled
    half = len(windows) // 2
    (maps, crops), (flipped, turned) = (
        unpacked(windows.input(part)) for part in torch.arange(2 * half).split(half)
    )
    assert torch.equal(flipped, maps.flip(-1)[:, :, list(H36M_17.mirrored)])
    assert torch.equal(turned, crops * torch.tensor([-1, 1, 1]).half())
