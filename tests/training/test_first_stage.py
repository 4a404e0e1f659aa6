"""The first stage of kato2020: what it learns from, what is minimised, and that it learns."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from samples import same, weights

from paperlib import training
from paperlib.datasets import synthetic
from paperlib.datasets.other_bodies import other_bodies
from paperlib.datasets.stills import StillImages
from paperlib.models import IntegralRegression
from paperlib.models.integral import expectation, marginals
from paperlib.rendering import Augmentation
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import FIRST_STAGE, ImageJoints, Recipe
from paperlib.training.objectives.image_joints import cross_entropy, mean_errors

TINY = {"backbone": "resnet18", "channels": 4, "deconvolution": 8, "bins": 8, "size": 32}
RECIPE = Recipe.kato2020_images("smoke").but(epochs=1, epoch_examples=8, precision="float32")
build = partial(IntegralRegression, 17, **TINY)


@pytest.fixture(scope="module")
def data():
    whole = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))
    return replace(whole, train=whole.train[:6], test=whole.test[:2])


@pytest.fixture(scope="module")
def flat(data):
    return other_bodies(data, count=2)


@pytest.fixture
def stills(tmp_path):
    """Three people in grey photographs, joint k at (10 + k, 12 + k)."""
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(np.full((48, 64), 80 * number, dtype="u1")).save(files[-1])
    place = torch.arange(17.0)[None, :, None].expand(3, 17, 2) + torch.tensor([10.0, 12.0])
    labelled = torch.ones(3, 17, dtype=torch.bool)
    labelled[:, 7] = False
    box = torch.tensor([8.0, 9.0, 25.0, 28.0]).expand(3, 4)
    return StillImages(
        "photographs", "made here", H36M_17, tuple(files), place, labelled, labelled, box
    )


def train(data, recipe=RECIPE, device="cpu", **options):
    objective = ImageJoints(build, data, **options)
    return training.train(objective, recipe, device=device, progress=False)


def prepared(data, recipe=RECIPE, **options):
    """An objective's network, examples and update."""
    objective = ImageJoints(build, data, **options)
    objective.check(recipe)
    model = objective.model(recipe).train()
    examples = objective.examples(model, recipe, 0, torch.device("cpu"))
    (update,) = objective.updates(model, examples)
    return model, examples, update


# ---- what is shown -------------------------------------------------------------------------------


def test_half_of_each_batch_has_no_depths(data, flat):
    _, examples, _ = prepared(data, flat=flat)
    batch = examples.order(torch.Generator().manual_seed(0))[:5]
    images, target, known = examples.draw(batch, 1.5)
    assert images.shape == (10, 3, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert known[:5, :, 2].sum() > 0.9 * 5 * 17
    assert (known[5:, :, 2] == 0).all() and (target[5:, :, 2] == 0).all()
    assert torch.equal(known[..., 0], known[..., 1])


def test_targets_are_shares_of_the_volume_about_the_root(data):
    """Drawn again with the same chance: pixels of 32, and depths of 1.2 metres."""
    _, examples, _ = prepared(data)
    batch = torch.tensor([[3], [40]])
    torch.manual_seed(4)
    _, target, known = examples.draw(batch, 1.2)
    torch.manual_seed(4)
    drawn = examples.drawers[0].images.draw(batch[:, 0])
    assert torch.allclose((target[..., :2] + 0.5) * 32, drawn.points, atol=1e-4)
    assert torch.allclose(target[..., 2] * 1.2, drawn.depths, atol=1e-6)
    assert (target[:, 0, 2] == 0).all()
    inside = ((drawn.points >= 0) & (drawn.points <= 32)).all(dim=-1)
    assert torch.equal(known[..., 0] == 1, inside)


def test_joints_outside_of_the_crop_count_nothing(data):
    """Squares that hold a third of the person."""
    near = Augmentation.none(scale=(3.0, 3.0))
    _, examples, _ = prepared(data, augmentation=near)
    _, target, known = examples.draw(torch.arange(20)[:, None], 1.5)
    outside = (target[..., :2].abs() > 0.5).any(dim=-1)
    assert outside.any()
    assert (known[outside] == 0).all() and (known[~outside] == 1).all()


def test_an_epoch_goes_through_all_images_before_any_comes_again(data, flat):
    recipe = RECIPE.but(epoch_examples=500)
    _, examples, _ = prepared(data, recipe, flat=flat)
    frames, others = (len(drawer) for drawer in examples.drawers)
    assert frames == sum(map(len, data.train)) and others < 500 < 2 * frames
    order = examples.order(torch.Generator().manual_seed(1))
    assert len(order) == len(examples) == 500
    for column, count in ((0, frames), (1, others)):
        assert order[:count, column].sort().values.tolist() == list(range(count))
    assert not torch.equal(order, examples.order(torch.Generator().manual_seed(2)))


def test_photographs_in_the_place_of_renderings(data, stills):
    _, examples, update = prepared(data, flat=stills)
    images, _, known = examples.draw(torch.tensor([[3, 0], [5, 2]]), 1.5)
    assert torch.allclose(images[2], torch.zeros(1), atol=1e-6)  # the first one is black
    assert images[3].max().item() == pytest.approx(160 / 255, abs=1e-5)
    assert (known[2:, :, 2] == 0).all() and (known[2:, 7] == 0).all()
    assert known[2:, :, 0].sum() > 20
    assert not update.recorded  # since the host reads files
    run = train(data, flat=stills)
    assert train(data, flat=stills).reused
    moved = replace(stills, keypoints=stills.keypoints + 1)
    assert train(data, flat=moved).key != run.key


# ---- what is minimised ---------------------------------------------------------------------------


def test_the_loss_is_the_mean_absolute_error_of_what_is_known(data, flat):
    model, examples, update = prepared(data, flat=flat)
    model.eval()  # batch norms that do not change
    batch = torch.tensor([[3, 8], [40, 2], [7, 7]])
    torch.manual_seed(1)
    plane, deep = update.loss(batch)
    torch.manual_seed(1)
    images, target, known = examples.draw(batch, 1.5)
    off = (model(images) - target).abs()
    inside = known[..., 0] == 1
    assert plane.item() == pytest.approx(off[inside][:, :2].sum(dim=1).mean().item(), rel=1e-4)
    inside[3:] = False
    assert deep.item() == pytest.approx(off[inside][:, 2].mean().item(), rel=1e-4)


def test_no_gradient_flows_to_depths_that_nobody_knows():
    """Of two samples, the second of which has none: its volume learns x and y alone."""
    volume = torch.randn(2, 3, 4, 5, 6, requires_grad=True)
    target = torch.rand(2, 3, 3) - 0.5
    known = torch.ones(2, 3, 3)
    known[1, :, 2] = 0
    found = marginals(volume)
    places = expectation(found)
    extra = cross_entropy(found[2:], target[..., 2:], known[..., 2:])
    (mean_errors(places, target, known)[2] + extra).backward()
    assert volume.grad[0].abs().sum() > 0
    assert (volume.grad[1] == 0).all()
    volume.grad = None
    errors = mean_errors(expectation(marginals(volume)), target, known)
    errors[:2].sum().backward()
    assert volume.grad[1].abs().sum() > 0


def test_cross_entropy_by_hand():
    """Four bins: 0.05 is 0.2 bins beyond the middle between the second and the third, so that the
    third counts 0.7 and the second 0.3."""
    share = torch.tensor([[[0.1, 0.2, 0.6, 0.1]]])
    target, known = torch.full((1, 1, 1), 0.05), torch.ones(1, 1, 1)
    right = -(0.3 * np.log(0.2) + 0.7 * np.log(0.6))
    assert cross_entropy([share], target, known).item() == pytest.approx(right, rel=1e-5)
    assert cross_entropy([share], target + 0.6, known).item() == 0  # outside of all bins
    last = cross_entropy([share], torch.full((1, 1, 1), 0.5), known)
    assert last.item() == pytest.approx(-np.log(0.1), rel=1e-5)


def test_cross_entropy_is_least_where_the_expected_value_is_the_truth():
    logits = torch.zeros(1, 1, 9, requires_grad=True)
    target = torch.full((1, 1, 1), 0.13)
    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        cross_entropy([logits.softmax(dim=-1)], target, torch.ones(1, 1, 1)).backward()
        optimizer.step()
    share = logits.detach().softmax(dim=-1)
    assert expectation([share, share, share])[0, 0, 0].item() == pytest.approx(0.13, abs=0.01)


def test_mixed_precision_gives_about_the_same_loss(data):
    _, _, update = prepared(data)
    batch, found = torch.arange(8)[:, None], []
    for half in (False, True):
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found.append(update.loss(batch))
    assert torch.allclose(found[0], found[1], rtol=0.02)


# ---- that it learns ------------------------------------------------------------------------------


def test_it_learns_where_joints_are(data):
    """Sixteen images, the same in each step, are soon known better than by the mean pose."""
    larger = partial(IntegralRegression, 17, **FIRST_STAGE["smoke"])
    objective = ImageJoints(larger, data, augmentation=Augmentation.none())
    model = objective.model(RECIPE).train()
    examples = objective.examples(model, RECIPE, 0, torch.device("cpu"))
    (update,) = objective.updates(model, examples)
    batch = torch.arange(0, 160, 10)[:, None]
    torch.manual_seed(1)
    _, target, known = examples.draw(batch, 1.5)
    mean = (target * known).sum(dim=0) / known.sum(dim=0).clamp_min(1)
    plain = mean_errors(mean, target, known)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(80):
        torch.manual_seed(1)
        terms = update.loss(batch)
        optimizer.zero_grad()
        terms.sum().backward()
        optimizer.step()
    plane, deep = terms.tolist()
    assert plane < plain[:2].sum()
    assert deep < 0.5 * plain[2]


def test_resumed_is_as_uninterrupted(whole_and_resumed, data, flat):
    recipe = RECIPE.but(epochs=2)
    whole, resumed = whole_and_resumed(partial(train, data, recipe, flat=flat), (1, 2))
    assert same(weights(whole), weights(resumed))
    assert whole.history == resumed.history


def test_options_are_other_runs(data, flat):
    options = [{}, {"flat": flat}, {"marginals": 0.1}, {"augmentation": Augmentation(flip=0.0)}]
    keys = [train(data, RECIPE.but(epoch_examples=4), **one).key for one in options]
    assert len(set(keys)) == len(options)
    assert keys[0].startswith("integralregression-seed0-")


# ---- what is refused -----------------------------------------------------------------------------


def test_bodies_that_are_tested_are_not_learnt_from(data):
    assert not {r.subject for r in data.train} & {r.subject for r in data.test}
    both = replace(data, train=(*data.train, replace(data.test[0], clip="another")))
    with pytest.raises(ValueError, match="S6 would be learnt from and tested"):
        train(both)
    with pytest.raises(ValueError, match="S6 would be learnt from and tested"):
        train(data, flat=replace(both, test=()))


def test_what_does_not_fit_is_refused(data, stills):
    with pytest.raises(ValueError, match="no recordings to draw images of"):
        train(replace(data, train=()))
    with pytest.raises(ValueError, match=r"joints of coco_17.*in_h36m"):
        train(data, flat=replace(stills, skeleton=COCO_17))
    for weight in (-1.0, float("nan"), "1"):
        with pytest.raises(ValueError, match="marginals is a weight from 0"):
            train(data, marginals=weight)
    with pytest.raises(ValueError, match="chunk and stride must be 1"):
        train(data, RECIPE.but(stride=2))
    with pytest.raises(ValueError, match="a network of 16 joints"):
        training.train(ImageJoints(partial(IntegralRegression, 16, **TINY), data), RECIPE)


def test_presets_are_of_the_same_kind():
    for preset, sizes in FIRST_STAGE.items():
        with torch.device("meta"):
            model = IntegralRegression(17, **sizes).train()
            side = sizes["size"]
            volume = model.volume(torch.empty(2, 3, side, side))
        assert volume.shape == (2, 17, sizes["bins"], side // 4, side // 4), preset
        assert Recipe.kato2020_images(preset).channels == sizes["channels"]


def test_it_trains_on_a_gpu(gpu, data, flat):
    """Steps are recorded and replayed there: nothing in them waits for the device."""
    run = train(data, RECIPE.but(epoch_examples=24), gpu.type, flat=flat, marginals=0.1)
    assert next(run.model.parameters()).is_cuda
    assert all(0 < row[term] < 10 for row in run.history for term in ("train_plane", "marginals"))
