"""Adversarial training: its terms by hand, what it may look at, and where it goes on."""

from dataclasses import replace
from functools import partial
from math import pi

import pytest
import torch
from plain_numbers import PlainNumbers
from samples import same, weights
from torch import Tensor, nn
from views import data, filmed, without_poses

from paperlib import losses, training
from paperlib.cameras import project_to_screen, screen_intrinsics
from paperlib.kinematics import bone_lengths
from paperlib.metrics import mpjpe
from paperlib.models import MultiStrideTCN, TemporalModel, build
from paperlib.models.pose_discriminator import PoseDiscriminator
from paperlib.occlusion import OcclusionMasks
from paperlib.prediction import predict
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import Adversarial, Recipe, collapse, load_run
from paperlib.training.objectives.adversarial import _LIFTED as LIFTED
from paperlib.training.objectives.adversarial import _TOLD as TOLD
from paperlib.training.objectives.turning import random_turns, seen_anew, turned
from paperlib.training.step import Step

FRAMES = 6
DATA = data(*filmed("a", 30, 4, seed=1), *filmed("b", 17, 4, seed=2))
FILMS = without_poses(*filmed("c", 26, 2, seed=3))
# mirrored ones too 32 pairs of windows: three batches of 12, 12 and 8
RECIPE = Recipe(epochs=3, batch_size=12 * FRAMES, chunk=FRAMES)
SMALL = {"channels": 8, "blocks": 1}


def lifter(dropout: float = 0.0) -> TemporalModel:
    return TemporalModel(17, 2, 17, (3,), channels=8, dropout=dropout)


def aim(make=lifter, dataset=DATA, films=FILMS, **options) -> Adversarial:
    return Adversarial(make, dataset, films, **(SMALL | options))


def train(recipe=RECIPE, seed=0, retrain=False, device="cpu", **options):
    objective = aim(**options)
    return training.train(objective, recipe, seed, device, retrain, progress=False)


class Learning:
    """An objective with its model, its examples, and its updates."""

    def __init__(self, device="cpu", recipe=RECIPE, epoch=1, seed=0, **options):
        torch.manual_seed(seed)
        objective = aim(**options)
        objective.check(recipe)
        self.model = objective.model(recipe).to(device).train()
        self.examples = objective.examples(self.model, recipe, 0, torch.device(device))
        self.updates = objective.updates(self.model, self.examples)
        self.lift, *tell = (update.loss for update in self.updates)
        self.tell = tell[0] if tell else None
        order = self.examples.order(torch.Generator().manual_seed(seed), epoch)
        self.batch = order[:12]

    def lifted(self) -> dict[str, Tensor]:
        return dict(zip(LIFTED, self.lift(self.batch), strict=True))

    def told(self) -> dict[str, Tensor]:
        return dict(zip(TOLD, self.tell(self.batch), strict=True))


# ---- the terms of the generator ------------------------------------------------------------------


def test_the_terms_by_hand():
    learning = Learning(turned=False, noise=0.0, views=0.3, projection=0.7, adversarial=0.05)
    model, examples, batch = learning.model, learning.examples, learning.batch
    found = learning.lifted()
    with torch.no_grad():
        inputs = [examples.labelled.input(batch[:, view]) for view in (0, 1)]
        inputs.append(examples.films.input(batch[:, 2]))
        poses = model.generator(torch.cat(inputs))
        first, second, free = poses.split(12)
        targets = [examples.labelled.target("pose", batch[:, view]) for view in (0, 1)]
        known, target = torch.cat([first, second]), torch.cat(targets)
        expected = {
            "train_mpjpe": mpjpe(known, target),
            "pose": (known - target).square().sum() / (24 * FRAMES),
            "views": 0.3 * losses.multi_view_loss(first, second, examples.rotation(batch)) / 2,
            "projection": 0.7
            * losses.orthographic_loss(
                free, inputs[2][:, 1:-1], torch.ones(12, FRAMES, 17, dtype=torch.bool)
            ),
            "adversarial": 0.05 * torch.log1p(torch.exp(-model.discriminator(poses))).mean(),
            "gradient": torch.tensor(0.0),
            "bone_spread": bone_lengths(poses, H36M_17.parents).flatten(0, 1).std(dim=0).mean(),
        }
    for name, value in expected.items():
        # the spectral norm of the discriminator has gone one iteration further
        torch.testing.assert_close(found[name].detach(), value, rtol=1e-2, atol=1e-6, msg=name)
        assert name == "gradient" or value > 1e-3


@pytest.mark.parametrize(
    ("options", "none"),
    [
        ({"films": None}, {"projection"}),
        ({"views": 0.0}, {"views"}),
        ({"projection": 0.0}, {"projection"}),
        ({"adversarial": 0.0}, {"adversarial"}),
        ({"epoch": 0}, {"adversarial"}),
    ],
    ids=str,
)
def test_each_part_can_be_left_out(options, none):
    found = Learning(**options).lifted()
    assert {name for name, value in found.items() if value == 0} == none | {"gradient"}


def test_what_is_only_watched_is_not_minimised():
    learning = Learning(penalty=10.0)
    learned = ({"pose", "views", "projection", "adversarial"}, {"discriminator", "penalty"})
    for update, wanted in zip(learning.updates, learned, strict=True):
        terms = dict(zip(update.terms, update.loss(learning.batch), strict=True))
        found = set()
        for name, term in terms.items():
            own = torch.autograd.grad(term, update.parameters, retain_graph=True, allow_unused=True)
            if any(gradient is not None and gradient.any() for gradient in own):
                found.add(name)
        assert found == wanted


class Oracle(nn.Module):
    """Knows every pose by the middle frames of its window."""

    receptive_field, causal = 3, False

    def __init__(self):
        super().__init__()
        self.config = {"in_features": 2}
        self.weight = nn.Parameter(torch.zeros(()))

    def know(self, windows) -> None:
        every = torch.arange(len(windows))
        self.seen, self.poses = windows.input(every).flatten(1), windows.target("pose", every)

    def forward(self, inputs: Tensor) -> Tensor:
        place = (inputs.flatten(1)[:, None] == self.seen).all(dim=-1).int().argmax(dim=1)
        return self.poses[place] + self.weight


def test_nothing_is_left_to_learn_for_a_network_that_is_right():
    learning = Learning(make=Oracle, films=data(*DATA.train))
    learning.model.generator.know(learning.examples.labelled)
    terms = learning.lifted()
    for name in ("train_mpjpe", "pose", "views"):
        assert terms[name] < 1e-5, name
    # a lens is not orthographic, but six metres off it nearly is: some centimetres a joint
    assert 0 < terms["projection"] < 0.1 * 17 * 0.05**2
    # views agree about a person who is too large, and the image does not tell
    generator, right = learning.model.generator, learning.model.generator.poses
    generator.poses = 1.1 * right
    wrong = learning.lifted()
    assert wrong["pose"] > 1e-3 and wrong["views"] < 1e-5
    torch.testing.assert_close(wrong["projection"], 1.21 * terms["projection"])
    # what is wrong along a camera's axis alone, another one sees
    generator.poses = right + torch.tensor([0.0, 0.0, 0.1]) * torch.randn(17, 1)
    wrong = learning.lifted()
    assert wrong["pose"] > 1e-3 and wrong["views"] > 1e-3
    torch.testing.assert_close(wrong["projection"], terms["projection"])


# ---- the turns -----------------------------------------------------------------------------------


def test_the_turns_are_those_of_equation_5():
    """Columns of what is turned are where the axes go: y, the body's length, tilts by 0.4 pi at
    most, and x goes all around it."""
    axes = torch.eye(3).expand(4000, 1, 3, 3)
    turned = aim(noise=0.0)._shown(axes)[:, 0].transpose(-1, -2)
    torch.testing.assert_close(turned @ turned.mT, torch.eye(3).expand(4000, 3, 3))
    torch.testing.assert_close(torch.linalg.det(turned), torch.ones(4000))
    # Rx(a) Ry(b) Rz(c) has sin(b) in the upper right, and the others beside it
    cosine = turned[:, 0, :2].norm(dim=-1)
    sure = cosine > 0.05
    tilts = [torch.atan2(-turned[:, 1, 2], turned[:, 2, 2])]
    tilts.append(torch.atan2(-turned[:, 0, 1], turned[:, 0, 0]))
    behind = (tilts[0].abs() > pi / 2) & (tilts[1].abs() > pi / 2)  # where cos(b) < 0
    assert behind.float().mean().item() == pytest.approx(0.5, abs=0.04)
    for tilt in tilts:
        tilt = torch.where(behind, torch.remainder(tilt, 2 * pi) - pi, tilt)[sure]
        assert tilt.abs().max().item() == pytest.approx(0.2 * pi, rel=0.01)
        assert tilt.mean().abs() < 0.02
        assert tilt.std().item() == pytest.approx(0.4 * pi / 12**0.5, rel=0.05)
    assert turned[:, 0, 2].square().mean().item() == pytest.approx(0.5, abs=0.03)


def test_true_and_made_sequences_are_turned_alike_and_whole():
    judged = []
    learning = Learning(noise=0.0)
    learning.model.discriminator.register_forward_pre_hook(lambda _, given: judged.append(given[0]))
    learning.lifted(), learning.told()
    poses, pair = judged
    assert poses.shape == (36, FRAMES, 17, 3) and len(pair) == 24 + 36
    made, target = (
        learning.model.pool[:36],
        learning.examples.labelled.target("pose", learning.batch[:, :2].T.reshape(-1)),
    )
    judge = PoseDiscriminator(H36M_17.parents, coordinates=False)
    for shown, before in ((poses, made), (pair[:24], target)):
        # turned, each sequence by an angle of its own: all that shows is the coordinates
        for found, expected in zip(judge.kinds(shown), judge.kinds(before), strict=True):
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        assert (shown - before).abs().amax(dim=(1, 2, 3)).min() > 0.01
    plain = Learning(turned=False)
    assert torch.equal(plain.updates[0].loss(plain.batch)[:1], learning.lift(learning.batch)[:1])


def test_true_and_made_sequences_have_noise_of_the_same_size():
    judged = []
    learning = Learning(turned=False, noise=0.02)
    learning.model.discriminator.register_forward_pre_hook(lambda _, given: judged.append(given[0]))
    learning.lifted(), learning.told()
    poses, pair = judged
    target = learning.examples.labelled.target("pose", learning.batch[:, :2].T.reshape(-1))
    for shown, before in ((poses, learning.model.pool[:36]), (pair[:24], target)):
        noise = shown - before
        assert noise.std().item() == pytest.approx(0.02, rel=0.03)
        still = noise[:, 1:] - noise[:, :-1]  # drawn anew in each frame
        assert still.std().item() == pytest.approx(0.02 * 2**0.5, rel=0.03)


# ---- the discriminator ---------------------------------------------------------------------------


def test_what_the_discriminator_is_told_by_hand():
    learning = Learning(turned=False, noise=0.0, penalty=10.0)
    learning.lifted()
    judge = learning.model.discriminator.eval()  # and so the spectral norm stays where it is
    state = torch.get_rng_state()
    found = learning.told()
    torch.set_rng_state(state)
    real = learning.examples.labelled.target("pose", learning.batch[:, :2].T.reshape(-1))
    real = real.clone().requires_grad_()
    true, false = judge(real), judge(learning.model.recall(36))
    told = -true.sigmoid().log().mean() - (1 - false.sigmoid()).log().mean()
    torch.testing.assert_close(found["discriminator"], told)
    (slope,) = torch.autograd.grad(true.sum(), real)
    torch.testing.assert_close(found["penalty"], 10 * slope.square().sum() / 24 / 2)
    assert found["accuracy_real"] == (true > 0).float().mean()
    assert found["accuracy_fake"] == (false < 0).float().mean()


def test_its_scales_are_those_of_the_true_poses():
    learning = Learning()
    windows, judge = learning.examples.labelled, learning.model.discriminator
    every = windows.target("pose", torch.arange(len(windows)))
    expected = [kind.square().mean().sqrt() for kind in judge.kinds(every)]
    torch.testing.assert_close(judge.scales, torch.stack(expected))


def test_each_update_moves_its_own_network_alone():
    learning = Learning()
    before = weights_of(learning.model)
    moved = []
    for update in learning.updates:
        optimizer = update.new_optimizer(RECIPE, torch.device("cpu"))
        step = Step(learning.model, update, optimizer, torch.device("cpu"), "float32", 12, 1)
        step(learning.batch)
        after = weights_of(learning.model)
        moved.append({n.split(".")[0] for n in after if not torch.equal(after[n], before[n])})
        before = after
    assert moved == [{"generator"}, {"discriminator"}]
    # Adam as the paper's followers have it, at a tenth of the generator's rate
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"]) == (pytest.approx(1e-4), (0.5, 0.9))


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def test_gradients_are_limited_and_their_norms_noted():
    learning = Learning(clip=0.01)
    for number, update in enumerate(learning.updates):
        optimizer = update.new_optimizer(RECIPE, torch.device("cpu"))
        update.loss(learning.batch).sum().backward(inputs=list(update.parameters))
        norm = torch.stack([p.grad.norm() for p in update.parameters]).norm()
        optimizer.step()
        limited = torch.stack([p.grad.norm() for p in update.parameters]).norm()
        assert norm > 0.011 and limited.item() == pytest.approx(0.01, rel=1e-3)
        torch.testing.assert_close(learning.model.gradients[number], norm)
        optimizer.zero_grad()
    assert learning.lifted()["gradient"] == learning.model.gradients[0]
    assert learning.told()["discriminator_gradient"] == learning.model.gradients[1]


# ---- runs ----------------------------------------------------------------------------------------


def test_the_history_has_all_of_it():
    run = train(recipe=RECIPE.but(epochs=3), penalty=1.0, warm_up=2)
    assert [list(row) for row in run.history] == [["epoch", *LIFTED, *TOLD]] * 3
    assert [row["adversarial"] > 0 for row in run.history] == [False, False, True]
    for row in run.history:
        assert 0 < row["gradient"] and 0 < row["discriminator_gradient"]
        assert 0 <= row["accuracy_real"] <= 1 and row["bone_spread"] > 1e-3
    assert isinstance(collapse(run.history), str)


@pytest.mark.parametrize("films", [FILMS, None], ids=["films", "no films"])
def test_a_discriminator_that_does_not_count_leaves_the_generator_as_it_is(films):
    """Still warming up, it only watches."""
    options = {"recipe": RECIPE.but(dropout=0.0), "films": films}
    watched, alone = train(warm_up=9, **options), train(adversarial=0.0, **options)
    assert same(watched.model.generator.state_dict(), alone.model.generator.state_dict())
    against = train(warm_up=0, **options)
    assert not same(against.model.generator.state_dict(), alone.model.generator.state_dict())
    assert list(alone.history[0]) == ["epoch", *LIFTED]


def test_the_generator_can_be_taken_alone_and_the_run_be_loaded():
    run = train()
    found = load_run(run.key)
    assert run.key.startswith("generatoranddiscriminator-seed0-")
    assert same(weights(run), weights(found))
    generator = found.model.generator
    alone = build({"class": "TemporalModel", **generator.config})
    alone.load_state_dict(generator.state_dict())
    x = torch.rand(2, 9, 17, 2)
    assert torch.equal(alone.eval()(x), run.model(x))
    assert train().reused


# six steps an epoch, of both in turn: in the first epoch, between two networks, in later ones
@pytest.mark.parametrize("calls", [[1], [2], [5], [6], [9], [3, 4]], ids=str)
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(calls, whole_and_resumed):
    """Bit for bit, with the pool, the scales, and the state of both optimisers."""
    one = partial(train, make=partial(lifter, 0.25), clip=5.0)
    whole, resumed = whole_and_resumed(one, calls)
    assert resumed.finished and not resumed.reused
    assert same(weights(whole), weights(resumed))
    assert resumed.model.steps == 9
    for row, expected in zip(resumed.history, whole.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-5)


def test_other_options_are_other_runs():
    recipe = RECIPE.but(epochs=1)
    changes = [{"views": 0.4}, {"projection": 0.2}, {"adversarial": 0.02}, {"warm_up": 0}]
    changes += [
        {"spatial": False},
        {"intervals": (3,)},
        {"coordinates": False},
        {"clip": 2.0},
        {"noise": 0.0},
    ]
    changes += [{"turned": False}, {"spectral_norm": False}, {"penalty": 10.0}, {"rate": 0.2}]
    changes += [
        {"pool": 2},
        {"films": None},
        {"masks": OcclusionMasks(future=1)},
        {"masks": OcclusionMasks(future=2)},
    ]
    runs = [train(recipe, **change) for change in [{}, *changes]]
    assert len({run.key for run in runs}) == len(runs)
    assert not any(run.reused for run in runs)
    assert train(recipe, masks=OcclusionMasks(future=2)).reused
    assert runs[-1].description["objective"]["masks"]["future"] == 2


def test_the_papers_network_learns_from_noisy_maps_and_answers_alone():
    """Heat maps, two strides, views, films, discriminator and masks, all at once."""

    def multi_stride():
        maps, size = {"size": 8}, {"embedding": 8, "channels": 8, "dropout": 0.0}
        return MultiStrideTCN(17, 3, 17, (1, 2), FRAMES, maps=maps, **size)

    clean, noisy = (
        train(RECIPE.but(epochs=2), make=multi_stride, masks=OcclusionMasks(points=0.1, noise=n))
        for n in (0.0, 1.0)
    )
    assert clean.finished and noisy.finished and not same(weights(clean), weights(noisy))
    poses = [predict(net, DATA.train[0]) for net in (noisy.model, noisy.model.generator)]
    assert torch.equal(*poses) and poses[0].shape == (30, 17, 3)
    assert noisy.model.length == FRAMES


# ---- the person turned, and seen anew ------------------------------------------------------------


def coordinates(**options) -> MultiStrideTCN:
    return MultiStrideTCN(17, 2, 17, (1,), FRAMES, embedding=8, channels=8, dropout=0.0, **options)


def test_a_turned_person_is_seen_where_the_turned_joints_are():
    """Exact keypoints are the exact projections of the turned poses; a detector's error stays."""
    pairs = [(r.pose, r.trajectory[:, None], screen_intrinsics(r.camera)) for r in DATA.train[:4]]
    pose, root, intrinsics = (torch.stack(values) for values in zip(*pairs, strict=True))
    turns = random_turns(4, torch.device("cpu"))
    after = turned(pose, turns)
    error = 0.01 * torch.randn(4, 30, 17, 2)
    seen = torch.cat(
        [project_to_screen(pose + root, intrinsics) + error, torch.ones(4, 30, 17, 1)], -1
    )
    found = seen_anew(seen, pose, after, root, intrinsics)
    expected = project_to_screen(after + root, intrinsics) + error
    torch.testing.assert_close(found[..., :2], expected, rtol=0, atol=1e-6)
    assert torch.equal(found[..., 2], seen[..., 2])
    lengths = [bone_lengths(p, H36M_17.parents) for p in (pose, after)]
    torch.testing.assert_close(*lengths, rtol=1e-5, atol=1e-6)
    assert (after - pose).norm(dim=-1).mean() > 0.05
    assert (after[:, :, H36M_17.root] == pose[:, :, H36M_17.root]).all()


def test_turns_tilt_by_36_degrees_at_most_and_face_every_way():
    ways = random_turns(4000, torch.device("cpu"))[:, :, 2]  # where the depth axis goes
    angles = torch.atan2(ways[:, 0], ways[:, 2])
    assert (angles.sin().mean().abs() < 0.05) and (angles.cos().mean().abs() < 0.05)
    tilt = torch.rad2deg(torch.asin(random_turns(4000, torch.device("cpu"))[:, 1, 1].clamp(-1, 1)))
    assert tilt.min() > 90 - 2 * 36 - 1e-3 and tilt.max() <= 90


def test_a_network_learns_from_turned_people():
    options = {"make": coordinates, "views": 0.0, "films": None, "adversarial": 0.0}
    plain, rotated = (train(rotated=r, **options) for r in (False, True))
    assert plain.key != rotated.key and not same(weights(plain), weights(rotated))
    seen = []
    learning = Learning(rotated=True, **options)
    learning.model.generator.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    learning.lifted()
    untouched = learning.examples.labelled.input(learning.batch.T.reshape(-1))
    assert seen[0].shape == untouched.shape and (seen[0] - untouched).abs().mean() > 0.01


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"make": coordinates}, "set views to 0"),
        ({"views": 0.0}, r"receptive_field 1"),
        ({"views": 0.0, "make": partial(coordinates, normalisation="person")}, "screen"),
    ],
)
def test_people_that_cannot_be_turned_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        train(rotated=True, **options)


def test_no_pose_of_a_film_is_ever_looked_at():
    nonsense = [replace(r, positions=torch.randn(len(r), 17, 3)) for r in FILMS.train]
    one, other = train(), train(films=data(*nonsense, name="films"))
    assert one.key != other.key
    assert same(weights(one), weights(other))
    moved = [r.with_keypoints(r.keypoints * 1.01, r.confidence) for r in FILMS.train]
    assert not same(weights(one), weights(train(films=data(*moved, name="films"))))


def test_masks_hide_what_the_generator_sees_and_nothing_else():
    """The orthographic loss goes by the keypoints as they are."""
    seen = []
    learning = Learning(masks=OcclusionMasks(future=3), views=0.0, adversarial=0.0)
    learning.model.generator.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    found = learning.lifted()
    assert seen[0].shape == (36, FRAMES + 2, 17, 2)
    assert seen[0][:, -3:].abs().max() == 0 < seen[0][:, :-3].abs().min()
    free = learning.model.generator(seen[0])[24:]
    keypoints = learning.examples.films.input(learning.batch[:, 2])[:, 1:-1]
    everything = torch.ones(12, FRAMES, 17, dtype=torch.bool)
    expected = 0.1 * losses.orthographic_loss(free, keypoints, everything)
    torch.testing.assert_close(found["projection"], expected)


def test_on_a_gpu_a_step_is_recorded_and_gives_the_same(device):
    run = train(recipe=RECIPE.but(epochs=4, precision="float32"), device=device.type)
    assert run.finished and run.model.steps == 12
    expected = train(recipe=RECIPE.but(epochs=4, precision="float32"))
    for row, other in zip(run.history, expected.history, strict=True):
        for name in ("train_mpjpe", "pose", "views", "projection"):
            assert row[name] == pytest.approx(other[name], rel=0.02), name


def test_mixed_precision_only_rounds():
    exact, mixed = (
        train(recipe=RECIPE.but(precision=precision)).history[-1]
        for precision in ("float32", "bfloat16")
    )
    for name in ("train_mpjpe", "views", "projection", "discriminator"):
        assert mixed[name] == pytest.approx(exact[name], rel=0.1), name


def test_a_step_makes_no_tensor_of_plain_numbers():
    """On a GPU it is recorded, and such tensors would be copied there meanwhile."""
    learning = Learning(penalty=10.0)
    with PlainNumbers() as made:
        learning.lift(learning.batch).sum().backward()
        learning.tell(learning.batch).sum().backward()
    assert made.found == []


def test_both_learn():
    """Poses get better; and what is made by a network that has learnt but a little is told from
    true motion."""
    recipe = RECIPE.but(epochs=20, learning_rate=1e-2, decay=0.95)
    run = train(recipe, make=lambda: TemporalModel(17, 2, 17, (3,), channels=32, dropout=0.0))
    first, last = run.history[0], run.history[-1]
    for name in ("train_mpjpe", "pose", "views", "projection"):
        assert last[name] < 0.6 * first[name], name
    assert last["discriminator"] < 0.9 * first["discriminator"]
    assert (last["accuracy_real"] + last["accuracy_fake"]) / 2 > 0.7


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["views", "projection", "adversarial", "noise", "penalty", "rate", "clip"]
)
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_weights_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is a finite number of 0 or more, got {name}="):
        train(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("warm_up", -1), ("warm_up", 0.5), ("pool", 0)])
def test_counts_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is a whole number from ., got {name}={value}"):
        train(**{name: value})


@pytest.mark.parametrize(("chunk", "intervals"), [(1, ()), (1, (1,)), (5, (1, 5)), (4, (5,))])
def test_windows_no_longer_than_the_interval_are_refused(chunk, intervals):
    with pytest.raises(ValueError, match=f"windows of {chunk} frames have nothing to compare"):
        train(recipe=RECIPE.but(chunk=chunk), intervals=intervals)


def test_views_without_a_partner_are_refused_where_they_are_compared():
    lonely = data(*DATA.train[:5])
    with pytest.raises(ValueError, match="has no view from another camera"):
        train(dataset=lonely)
    assert train(recipe=RECIPE.but(epochs=1), dataset=lonely, views=0.0).finished


def test_films_of_other_joints_are_refused():
    coco = [r.with_keypoints(r.keypoints, r.confidence, COCO_17) for r in FILMS.train]
    with pytest.raises(ValueError, match="films has keypoints of coco_17, the poses are of h36m"):
        train(films=data(*coco, name="films"))


def test_films_without_a_visible_joint_are_refused():
    film = FILMS.train[1]
    blind = film.with_keypoints(film.keypoints, torch.zeros_like(film.confidence))
    with pytest.raises(ValueError, match="cam1/0 has no visible joint in any frame"):
        train(films=data(FILMS.train[0], blind, name="films"))


def test_masks_of_another_kind_are_refused():
    with pytest.raises(ValueError, match=r"occlusion\.OcclusionMasks or None"):
        train(masks=lambda windows, skeleton: windows)


def test_a_discriminator_that_sees_nothing_is_refused():
    with pytest.raises(ValueError, match="sees nothing"):
        train(spatial=False, intervals=(), coordinates=False)


def test_a_generator_that_does_not_answer_for_all_frames_is_refused():
    class Short(TemporalModel):
        def forward(self, keypoints):
            return super().forward(keypoints)[:, :1]

    with pytest.raises(ValueError, match=r"\(24, 1, 17, 3\) and target \(24, 6, 17, 3\) must have"):
        train(make=lambda: Short(17, 2, 17, (3,), channels=8), views=0.0, films=None)


def test_losses_that_are_not_finite_name_epoch_step_and_term():
    recipe = RECIPE.but(learning_rate=1e30)
    with pytest.raises(FloatingPointError, match=r"epoch 1, step 2: .*'pose': (nan|inf)"):
        train(recipe=recipe)


def test_a_discriminator_that_breaks_is_named():
    learning = Learning()
    with torch.no_grad():
        learning.model.discriminator.last.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"epoch 2, step 1: .*\{'adversarial': nan\}"):
        learning.lifted()
    with pytest.raises(FloatingPointError, match=r"epoch 2, step 1: .*\{'discriminator': nan\}"):
        learning.told()
