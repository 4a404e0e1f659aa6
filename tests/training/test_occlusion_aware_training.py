"""Learning which joints are hidden: the loss by hand, and that it teaches what it should."""

from dataclasses import replace

import pytest
import samples
import torch

from paperlib import datasets
from paperlib.cameras import Camera
from paperlib.detection import detect
from paperlib.evaluation import evaluate
from paperlib.metrics import mpjpe
from paperlib.models import VECTORS, OcclusionAware, TemporalModel
from paperlib.occlusion import scores, with_labels
from paperlib.prediction import predict, predict_occlusion
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17, HUMANEVA_15
from paperlib.training import PoseAndOcclusion, Recipe, Supervised, train
from paperlib.training.objectives.occlusion_aware import OCCLUSION_LOSSES
from paperlib.windows import mirror, network_input, pad_sequence

CAMERA = Camera("front", 1000, 1000, focal=(1000.0, 1000.0), centre=(500.0, 500.0))
RECIPE = Recipe(epochs=3, batch_size=16, channels=8, dropout=0.0, train_flip=False)
JOINTS = len(HUMANEVA_15)


def recording(clip: str, frames: int = 40, seed: int = 0, **changes) -> Recording:
    """Random places, labels and guesses; a guess is right nine times in ten."""
    generator = torch.Generator().manual_seed(seed)
    visible = torch.rand(frames, JOINTS, generator=generator) < 0.7
    right = torch.rand(frames, JOINTS, generator=generator) < 0.9
    positions = 0.3 * torch.randn(frames, JOINTS, 3, generator=generator)
    positions[..., 2] += 5
    fields = {"subject": "S1", "action": "moving", "camera": CAMERA, "visible": visible}
    fields |= {"keypoints": 1000 * torch.rand(frames, JOINTS, 2, generator=generator)}
    fields |= {"confidence": (visible == right).float(), "positions": positions}
    fields |= {"skeleton": HUMANEVA_15, "keypoint_skeleton": HUMANEVA_15}
    return samples.recording(frames, clip, **(fields | changes))


def data(*recordings: Recording) -> Dataset:
    return Dataset("moves", "made here", recordings, (recording("test", seed=9),))


def build(vectors: str = "many", **options) -> OcclusionAware:
    options |= {"vectors": vectors, "channels": 8, "dropout": 0.0}
    return OcclusionAware(JOINTS, 3, JOINTS, (3, 3), **options)


@pytest.mark.parametrize("vectors", VECTORS)
def test_the_loss_by_hand(vectors):
    model, one = build(vectors).eval(), recording("a")
    objective = PoseAndOcclusion(lambda: model, data(one), weight=0.25)
    windows = objective.examples(model, RECIPE, 0, torch.device("cpu"))
    (update,) = objective.updates(model, windows)
    examples = torch.tensor([0, 7, 39])
    terms = update.loss(examples)
    assert update.terms == ("train_mpjpe", "occlusion") and terms.shape == (2,)

    whole = pad_sequence(network_input(one, confidence=True), model.receptive_field)[None]
    torch.testing.assert_close(terms[0], mpjpe(model(whole)[0, examples], one.pose[examples]))
    hidden = pad_sequence(1 - one.visible.float(), model.receptive_field)
    off = []
    for example in examples.tolist():
        if vectors == "one":
            frames, vector = [example + model.receptive_field // 2], [example]
        else:  # the nine frames of the lifting network; a vector belongs to one frame later
            frames = list(range(example + 1, example + 10))
            vector = [frame - 1 for frame in frames]
        said = model.occlusion(whole)[0, vector]
        off.append((said - hidden[frames]).abs().mean())
    torch.testing.assert_close(terms[1], 0.25 * torch.stack(off).mean())


def test_the_cross_entropy_by_hand():
    one, model = recording("a"), build().eval()
    objective = PoseAndOcclusion(lambda: model, data(one), 0.5, "cross_entropy")
    (update,) = objective.updates(model, objective.examples(model, RECIPE, 0, torch.device("cpu")))
    whole = pad_sequence(network_input(one, confidence=True), model.receptive_field)[None]
    said = model.occlusion(whole)[0, 10:19]  # of the nine frames about the eleventh
    hidden = 1 - one.visible.float()[6:15]
    wanted = torch.nn.functional.binary_cross_entropy(said, hidden)
    torch.testing.assert_close(update.loss(torch.tensor([10]))[1], 0.5 * wanted)


def test_on_embedded_data_the_cross_entropy_marks_more_than_the_difference():
    """Clusters without depth cannot say who is in front, so that few guesses are right more often
    than wrong: what the difference makes of that is that less is hidden than is."""
    like = datasets.load("humaneva_like", seconds=3.0)
    guessed = detect(like, "simulated", 0).map(lambda r: with_labels(r, "clustered", "clustered"))
    recipe = RECIPE.but(epochs=6, learning_rate=0.01, decay=0.8, stride=4, batch_size=64)
    label = ~torch.cat([r.visible for r in guessed.test])
    marked, hit = {}, {}
    for loss in OCCLUSION_LOSSES:
        objective = PoseAndOcclusion(build, guessed, 1.0, loss)
        run = train(objective, recipe, device="cpu", progress=False)
        said = torch.cat([predict_occlusion(run.model, r) for r in guessed.test]) > 0.5
        marked[loss] = said.float().mean() / label.float().mean()
        hit[loss] = scores(said, label).f1
    assert marked["cross_entropy"] > 0.3 and hit["cross_entropy"] > 0.3
    assert marked["difference"] < 0.7 * marked["cross_entropy"]


def test_mirrored_windows_have_mirrored_labels():
    one = recording("a")
    objective, recipe = PoseAndOcclusion(build, data(one)), RECIPE.but(train_flip=True)
    windows = objective.examples(build(), recipe, 0, torch.device("cpu"))
    inputs, _ = windows.batch(torch.tensor([5, 45]))
    order = list(HUMANEVA_15.mirrored)
    torch.testing.assert_close(inputs[1], mirror(inputs[0], HUMANEVA_15))
    assert torch.equal(inputs[1][..., 2:], inputs[0][:, order, 2:])


@pytest.mark.parametrize(
    ("vectors", "from_guesses"), [("many", False), ("many", True), ("one", True)]
)
def test_it_learns_to_believe_good_guesses(vectors, from_guesses):
    """Nine guesses in ten are right, so that believing them is wrong once in ten; to take all
    joints as seen is wrong three times."""
    recipe = RECIPE.but(epochs=60, learning_rate=0.02, decay=0.97)
    parts = [recording(str(i), seed=i) for i in range(6)]
    objective = PoseAndOcclusion(
        lambda: build(vectors, start_from_guesses=from_guesses), data(*parts), weight=1.0
    )
    run = train(objective, recipe, device="cpu", progress=False)
    losses = [row["occlusion"] for row in run.history]
    assert (losses[0] < 0.25) == from_guesses
    assert losses[-1] < 0.15


def test_a_weight_of_none_leaves_the_branch_as_it_was():
    objective = PoseAndOcclusion(build, data(recording("a")), weight=0.0)
    run = train(objective, RECIPE, device="cpu", progress=False)
    torch.manual_seed(0)
    before = build()
    for name, value in before.branch.named_parameters():
        assert torch.equal(run.model.branch.get_parameter(name), value)
    moved = run.model.lifting.expand.conv.weight - before.lifting.expand.conv.weight
    assert moved.abs().max() > 1e-3


def test_found_again_and_told_apart():
    def again(weight=0.1, **changes):
        objective = PoseAndOcclusion(build, data(recording("a", **changes)), weight=weight)
        return train(objective, RECIPE, device="cpu", progress=False)

    first = again()
    assert again().reused and again().key == first.key
    every = torch.ones(40, JOINTS)
    other = [again(weight=0.2), again(visible=every.bool()), again(confidence=every)]
    assert len({run.key for run in (first, *other)}) == 4


def test_predictions_see_the_guesses():
    model, one = build(gate="soft"), recording("a")
    found = predict(model, one, flip=False)
    whole = pad_sequence(network_input(one, confidence=True), model.receptive_field)[None]
    torch.testing.assert_close(found, model(whole)[0].detach(), rtol=0, atol=1e-6)
    blind = replace(one, confidence=torch.ones_like(one.confidence))
    assert not torch.allclose(found, predict(model, blind, flip=False), atol=1e-4)
    assert evaluate(model, [one], device="cpu").average("mpjpe") > 0


@pytest.mark.parametrize("vectors", VECTORS)
@pytest.mark.parametrize("frames", [1, 5, 40])
def test_every_frame_has_the_occlusion_that_it_is_lifted_with(vectors, frames):
    model, one = build(vectors, start_from_guesses=True).eval(), recording("a", frames)
    found = predict_occlusion(model, one)
    assert found.shape == (frames, JOINTS)
    assert torch.equal(found > 0.5, one.confidence == 0)  # it believes the guesses, frame by frame
    padded = pad_sequence(one.confidence, model.receptive_field)
    x = torch.cat([torch.zeros(len(padded), JOINTS, 2), padded[..., None]], dim=-1)
    alone = [model.occlusion(x[None, t : t + model.receptive_field])[0] for t in range(frames)]
    middle = [vector[len(vector) // 2] for vector in alone]
    torch.testing.assert_close(found, torch.stack(middle).detach(), rtol=0, atol=1e-6)


def test_a_plain_network_may_be_given_guesses_too():
    """As a third number for each keypoint, in training and in testing."""

    def plain() -> TemporalModel:
        return TemporalModel(JOINTS, 3, JOINTS, (3, 3), channels=8, dropout=0.0)

    run = train(Supervised(plain, data(recording("a"))), RECIPE, device="cpu", progress=False)
    one = recording("b", seed=4)
    blind = replace(one, confidence=torch.ones_like(one.confidence))
    assert not torch.allclose(predict(run.model, one), predict(run.model, blind), atol=1e-4)


def test_wrong_input():
    def refused(*recordings, recipe=RECIPE, **options):
        train(PoseAndOcclusion(build, data(*recordings), **options), recipe, progress=False)

    with pytest.raises(ValueError, match="S1/moving/a/front/0 and 0 others say nothing"):
        refused(recording("a", visible=None))
    coco = recording("a").with_keypoints(torch.zeros(40, 17, 2), torch.ones(40, 17), COCO_17)
    with pytest.raises(ValueError, match="keypoints of coco_17 and labels for joints of humaneva"):
        refused(coco)
    with pytest.raises(ValueError, match=r"recipe\.chunk=4"):
        refused(recording("a"), recipe=RECIPE.but(chunk=4))
    with pytest.raises(ValueError, match="unknown occlusion_loss 'l1'"):
        refused(recording("a"), occlusion_loss="l1")
    with pytest.raises(ValueError, match="weight of a loss is 0 or more, got -1"):
        refused(recording("a"), weight=-1)


def test_its_recipe_is_that_of_the_network_it_adapts():
    assert Recipe.wang2020() == Recipe.pavllo2019_humaneva()
