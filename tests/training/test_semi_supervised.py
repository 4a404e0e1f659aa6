"""Semi-supervised training: its terms by hand, what it may look at, and that it helps."""

import os
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch
from plain_numbers import PlainNumbers
from samples import same, weights
from torch import Tensor, nn

from paperlib import training
from paperlib.cameras import Camera, normalize_screen_coordinates, project
from paperlib.evaluation import evaluate
from paperlib.kinematics import forward_kinematics, rotation_from_vector
from paperlib.models import PoseAndTrajectory, SharedPoseAndTrajectory, TemporalModel
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import Recipe, SemiSupervised, Supervised, load_run
from paperlib.training.objectives.semi_supervised import LabelledAndUnlabelled
from paperlib.windows import keypoint_windows, mirror

FRONT = Camera(
    "front", 1000, 1000, (1145.0, 1143.0), (512.0, 515.0), (-0.2, 0.24, -0.002), (-0.004, -0.006)
)
SIDE = Camera(
    "side", 1280, 720, (1250.0, 1240.0), (651.0, 347.0), (-0.1, 0.1, 0.01), (0.005, 0.003)
)
RECIPE = Recipe(epochs=4, batch_size=16, channels=8, dropout=0.0)


def body(seed: int = 3, size: float = 0.3) -> Tensor:
    """(17, 3): a bone for each joint, as long on the left as on the right."""
    bones = torch.randn(17, 3, generator=torch.Generator().manual_seed(seed)) * size
    bones[0] = 0
    return (bones + mirror(bones, H36M_17)) / 2


def moving(clip: str, frames: int, camera: Camera = FRONT, bones: Tensor | None = None, seed=0):
    """Somebody of constant bones who bends, turns and walks about."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(frames)[:, None, None] / 10
    speed, phase = (torch.rand(2, 17, 3, generator=generator) * 6).unbind()
    turns = rotation_from_vector(0.3 * torch.sin(speed * time / 4 + phase))
    wander = torch.sin(time[:, 0] * torch.tensor([0.9, 1.1, 1.3]) + phase[0])
    root = wander * torch.tensor([0.5, 0.2, 0.8]) + torch.tensor([0.0, 0.0, 5.0])
    positions = forward_kinematics(turns, body() if bones is None else bones, H36M_17.parents, root)
    seen = (project(positions, camera), torch.ones(frames, 17), positions)
    return Recording("S1", "moving", clip, 50.0, camera, *seen)


def data(*recordings: Recording, name: str = "moves") -> Dataset:
    return Dataset(name, "made here", recordings, (moving("test", 20, seed=99),))


# 24 labelled examples, doubled by mirroring: three batches of 16; of the unlabelled ones there are
# fewer than that, of two cameras
LABELLED = data(moving("a", 14, seed=1), moving("b", 10, SIDE, seed=2))
UNLABELLED = data(moving("c", 12, SIDE, seed=3), moving("d", 7, seed=4), name="more moves")


def build(**options) -> PoseAndTrajectory:
    options = {"filter_widths": (3,), "channels": 8, "dropout": 0.0} | options
    return PoseAndTrajectory(17, 2, 17, **options)


OPTIONS = ("warm_up", "bones", "distortion", "projection")


def train(labelled=LABELLED, unlabelled=UNLABELLED, recipe=RECIPE, make=build, **options):
    own = {name: options.pop(name) for name in OPTIONS if name in options}
    options = {"device": "cpu", "progress": False} | options
    return training.train(SemiSupervised(make, labelled, unlabelled, **own), recipe, **options)


class Aim:
    """An objective with its examples, and the update that is made with them."""

    terms = ("train_mpjpe", "trajectory", "projection", "bones")

    def __init__(self, model, labelled=LABELLED, unlabelled=UNLABELLED, device="cpu", **options):
        self.model = model
        objective = SemiSupervised(lambda: model, labelled, unlabelled, **options)
        self.examples = objective.examples(model, RECIPE, 0, torch.device(device))
        self.labelled, self.unlabelled = self.examples.labelled, self.examples.unlabelled
        (self.update,) = objective.updates(model, self.examples)
        assert self.update.terms == self.terms

    def order(self, epoch: int, seed: int = 0) -> Tensor:
        return self.examples.order(torch.Generator().manual_seed(seed), epoch)

    def loss(self, examples: Tensor) -> Tensor:
        return self.update.loss(examples)


# ---- the terms -----------------------------------------------------------------------------------


def examples_of(dataset: Dataset) -> list[tuple[Tensor, Tensor, Camera]]:
    """Keypoints on the screen, positions and camera of each frame; then of each in the mirror."""
    plain, mirrored = [], []
    for r in dataset.train:
        screen = normalize_screen_coordinates(r.keypoints, r.camera.width, r.camera.height)
        for seen, there in zip(screen, r.positions, strict=True):
            plain.append((seen, there, r.camera))
            mirrored.append((mirror(seen, H36M_17), mirror(there, H36M_17), r.camera.mirrored()))
    return plain + mirrored


def mean(values) -> float:
    values = [float(v) for v in values]
    return sum(values) / len(values)


@pytest.mark.parametrize("distortion", [True, False])
@pytest.mark.parametrize("bones", [True, False])
@pytest.mark.parametrize("projection", [True, False])
@pytest.mark.parametrize("causal", [False, True])
def test_the_terms_by_hand(causal, projection, bones, distortion):
    model = build(filter_widths=(3, 3), causal=causal).train()
    with torch.no_grad():
        model.trajectory.shrink.bias[2] = 5  # in front of the camera
    aim = Aim(model, bones=bones, distortion=distortion, projection=projection)
    examples = aim.order(epoch=1)[:9]
    found = aim.loss(examples).tolist()

    labelled = [examples_of(LABELLED)[i] for i in examples[:, 0].tolist()]
    unlabelled = [examples_of(UNLABELLED)[i] for i in examples[:, 1].tolist()]
    inputs = [aim.labelled.batch(examples[:, 0])[0], aim.unlabelled.input(examples[:, 1])]
    inputs = torch.cat(inputs)
    with torch.no_grad():  # batch norm takes its statistics of both halves
        poses, roots = model.pose(inputs)[:, 0], model.trajectory(inputs)[:, 0, 0]

    places = torch.stack([there for _, there, _ in labelled])
    away = (roots[:9] - places[:, 0]).norm(dim=-1) / places[:, 0, 2]
    expected = [mean((poses[:9] - (places - places[:, :1])).norm(dim=-1).flatten()), mean(away)]
    offs = []
    for pose, root, (seen, _, camera) in zip(poses[9:], roots[9:], unlabelled, strict=True):
        lens = camera if distortion else camera.without_distortion()
        fallen = project(pose + root, lens)
        fallen = normalize_screen_coordinates(fallen, camera.width, camera.height)
        offs += (fallen - seen).norm(dim=-1).tolist()
    assert mean(offs) > 0.01
    expected.append(mean(offs) if projection else 0.0)
    goal, long = (
        [mean((half[:, c] - half[:, p]).norm(dim=-1)) for p, c in H36M_17.bones]
        for half in (poses[:9], poses[9:])
    )
    expected.append(mean(abs(a - b) for a, b in zip(long, goal, strict=True)) if bones else 0.0)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert min(expected[:2]) > 0.01


def test_warming_up_there_are_the_labelled_terms_alone():
    model = build().train()
    aim = Aim(model)
    examples = aim.order(epoch=0)[:9]
    found = aim.loss(examples).tolist()
    inputs, target = aim.labelled.batch(examples[:, 0])
    with torch.no_grad():  # and batch norm has but the labelled half
        assert found[0] == pytest.approx(mean((model.pose(inputs) - target).norm(dim=-1).flatten()))
    assert found[1] > 0.1
    assert found[2:] == [0, 0]


def test_which_network_learns_from_which_term():
    """The two of the labelled half are the one's and the other's; both must fall back together."""
    model = build().train()
    terms = Aim(model).loss(Aim(model).order(epoch=1))
    for term, name in zip(terms, Aim.terms, strict=True):
        model.zero_grad()
        term.backward(retain_graph=True)
        learns = {
            part: any(p.grad is not None and p.grad.any() for p in network.parameters())
            for part, network in model.named_children()
        }
        assert learns == {
            "pose": name in ("train_mpjpe", "projection", "bones"),
            "trajectory": name in ("trajectory", "projection"),
        }


def test_one_network_for_both_learns_from_every_term():
    model = SharedPoseAndTrajectory(17, 2, 17, filter_widths=(3,), channels=8, dropout=0.0).train()
    terms = Aim(model).loss(Aim(model).order(epoch=1))
    first = model.network.expand.conv.weight
    for term in terms:
        (gradient,) = torch.autograd.grad(term, first, retain_graph=True)
        assert gradient.any()


class Oracle(nn.Module):
    """Knows every pose and root by the keypoints of its window."""

    receptive_field = 9

    def __init__(self, causal: bool, *datasets: Dataset):
        super().__init__()
        self.causal = causal
        parts = [keypoint_windows(d.train, 9, causal) for d in datasets]
        every = [torch.arange(len(windows)) for windows in parts]
        known = [w.batch(i) for w, i in zip(parts, every, strict=True)]
        self.seen = torch.cat([inputs for inputs, _ in known]).flatten(1)
        self.poses = torch.cat([poses for _, poses in known])
        self.roots = torch.cat([w.target("root", i) for w, i in zip(parts, every, strict=True)])

    def _place(self, inputs: Tensor) -> Tensor:
        return (inputs.flatten(1)[:, None] == self.seen).all(dim=-1).int().argmax(dim=1)

    def both(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        place = self._place(inputs)
        return self.poses[place], self.roots[place]


@pytest.mark.parametrize("causal", [False, True])
def test_nothing_is_left_to_learn_for_a_network_that_is_right(causal):
    aim = Aim(Oracle(causal, LABELLED, UNLABELLED))
    for epoch in (0, 1):
        terms = aim.loss(aim.order(epoch))
        torch.testing.assert_close(terms, torch.zeros(4), rtol=0, atol=2e-6)
    # what it knows is needed for each of them
    aim.model.poses = aim.model.poses * 1.1
    wrong = aim.loss(aim.order(1))
    assert wrong[0] > 0.01 and wrong[1] < 1e-6 and wrong[2] > 1e-3 and wrong[3] < 1e-6
    aim.model.poses, aim.model.roots = aim.model.poses / 1.1, aim.model.roots * 1.1
    wrong = aim.loss(aim.order(1))
    assert wrong[0] < 1e-6 and wrong[1] > 0.01 and wrong[2] > 1e-3 and wrong[3] < 1e-6


def test_bones_of_other_people_are_told_apart():
    taller = data(moving("e", 12, SIDE, bones=1.2 * body(), seed=3))
    aim = Aim(Oracle(False, LABELLED, taller), unlabelled=taller)
    terms = aim.loss(aim.order(1))
    assert terms[:3].max() < 2e-6
    expected = 0.2 * body()[1:].norm(dim=-1).mean()
    torch.testing.assert_close(terms[3], expected, rtol=1e-4, atol=0)


def test_a_step_makes_no_tensor_of_plain_numbers():
    """On a GPU it is recorded, and such tensors would be copied there meanwhile."""
    aim = Aim(build().train())
    for epoch in (0, 1):
        examples = aim.order(epoch)
        with PlainNumbers() as made:
            aim.loss(examples).sum().backward()
        assert made.found == []


# ---- the order -----------------------------------------------------------------------------------


def test_an_epoch_is_every_labelled_example_once_with_unlabelled_ones_beside():
    aim = Aim(build())
    assert len(aim.examples) == 48 and len(aim.unlabelled) == 38
    warm, mixed = aim.order(0), aim.order(1)
    assert (warm.shape, mixed.shape) == ((48, 1), (48, 2))
    for order in (warm, mixed):
        assert sorted(order[:, 0].tolist()) == list(range(48))
        assert order[:, 0].tolist() != list(range(48))
    # all of the unlabelled ones before any comes again
    assert sorted(mixed[:38, 1].tolist()) == list(range(38))
    assert len(set(mixed[38:, 1].tolist())) == 10
    assert torch.equal(mixed, aim.order(1))
    assert not torch.equal(mixed[:, 1], aim.order(1, seed=1)[:, 1])


def test_of_more_unlabelled_examples_each_epoch_takes_others():
    aim = Aim(build(), labelled=UNLABELLED, unlabelled=LABELLED, warm_up=0)
    orders = [aim.order(0, seed)[:, 1] for seed in range(20)]
    assert all(len(set(order.tolist())) == len(order) == 38 for order in orders)
    assert set(torch.cat(orders).tolist()) == set(range(48))


def test_labelled_and_unlabelled_examples_are_not_paired_the_same_way_each_time():
    aim = Aim(build(), unlabelled=LABELLED)
    mixed = aim.order(1)
    assert (mixed[:, 0] == mixed[:, 1]).float().mean() < 0.2


@pytest.mark.parametrize("warm_up", [0, 1, 3])
def test_the_unlabelled_half_comes_after_warming_up(warm_up):
    run = train(warm_up=warm_up)
    assert [set(row) for row in run.history] == [{"epoch", *Aim.terms}] * 4
    for row in run.history:
        for term in ("projection", "bones"):
            assert (row[term] > 0) == (row["epoch"] > warm_up)


@pytest.mark.parametrize(("causal", "flip", "stride"), [(True, False, 1), (False, True, 3)])
def test_examples_are_those_of_the_model_and_of_the_recipe(causal, flip, stride, monkeypatch):
    aims, order = [], LabelledAndUnlabelled.order

    def noting(self, *args):
        aims.append(self)
        return order(self, *args)

    monkeypatch.setattr(LabelledAndUnlabelled, "order", noting)
    recipe = RECIPE.but(epochs=1, train_flip=flip, stride=stride)
    train(recipe=recipe, make=lambda: build(causal=causal))
    (aim,) = aims
    for windows, part in ((aim.labelled, LABELLED), (aim.unlabelled, UNLABELLED)):
        expected = keypoint_windows(part.train, 3, causal, flip=flip, stride=stride)
        assert len(windows) == len(expected)
        every = torch.arange(len(windows))
        assert torch.equal(windows.input(every), expected.input(every))
    every = torch.arange(len(aim.labelled))
    expected = keypoint_windows(LABELLED.train, 3, causal, flip=flip, stride=stride)
    assert torch.equal(aim.labelled.batch(every)[1], expected.batch(every)[1])


# ---- what it looks at ----------------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", [lambda r: torch.randn(len(r), 17, 3), lambda r: None])
def test_no_pose_of_the_unlabelled_data_is_ever_looked_at(nonsense):
    """Films whose poses nobody knows will do."""
    films = [replace(r, positions=nonsense(r)) for r in UNLABELLED.train]
    first, other = train(), train(unlabelled=data(*films))
    assert first.key != other.key
    assert same(weights(first), weights(other))


def test_the_keypoints_and_the_cameras_of_the_unlabelled_data_are():
    moved = [r.with_keypoints(r.keypoints + 5, r.confidence) for r in UNLABELLED.train]
    focal = {"focal": (1000.0, 1000.0)}
    zoomed = [replace(r, camera=replace(r.camera, **focal)) for r in UNLABELLED.train]
    first = weights(train())
    assert not same(first, weights(train(unlabelled=data(*moved))))
    assert not same(first, weights(train(unlabelled=data(*zoomed))))


def test_where_the_labelled_people_stand_is_learnt_by_the_trajectory_alone_while_warming_up():
    away = torch.tensor([0.0, 0.0, 1.0])
    aside = [replace(r, positions=r.positions + away) for r in LABELLED.train]
    one, other = (train(labelled, warm_up=4).model for labelled in (LABELLED, data(*aside)))
    assert same(one.pose.state_dict(), other.pose.state_dict())
    assert not same(one.trajectory.state_dict(), other.trajectory.state_dict())


def test_warming_up_takes_no_unlabelled_examples():
    other = data(moving("e", 30, seed=7))
    assert same(weights(train(warm_up=4)), weights(train(unlabelled=other, warm_up=4)))
    assert same(weights(train(warm_up=4)), weights(train(warm_up=9)))
    assert not same(weights(train(warm_up=3)), weights(train(unlabelled=other, warm_up=3)))


def test_warming_up_is_supervised_training_of_the_pose_network():
    run = train(warm_up=4)
    one = partial(TemporalModel, 17, 2, 17, (3,), channels=8, dropout=0.0)
    alone = training.train(Supervised(one, LABELLED), RECIPE, device="cpu", progress=False)
    assert same(run.model.pose.state_dict(), alone.model.state_dict())
    found = [row["train_mpjpe"] for row in run.history]
    assert found == pytest.approx([row["train_mpjpe"] for row in alone.history], rel=1e-6)


def test_without_the_bone_term_all_else_stays():
    with_bones, without = train(warm_up=1), train(warm_up=1, bones=False)
    assert without.history[0] == with_bones.history[0]
    assert all(row["bones"] == 0 for row in without.history)
    assert all(row["projection"] > 0 for row in without.history[1:])
    assert not same(weights(with_bones), weights(without))


def test_the_lens_can_be_left_out():
    bent, straight = train(), train(distortion=False)
    assert straight.history[0] == bent.history[0]
    assert straight.history[1]["projection"] != bent.history[1]["projection"]


# ---- runs ----------------------------------------------------------------------------------------


def test_other_settings_and_other_data_are_other_runs():
    other = data(moving("e", 12, seed=7))
    settings = [{}, {"warm_up": 0}, {"warm_up": 2}, {"bones": False}, {"distortion": False}]
    settings += [{"seed": 1}, {"unlabelled": other}, {"labelled": other}]
    settings += [{"labelled": UNLABELLED, "unlabelled": LABELLED}]
    settings += [{"make": lambda: build(causal=True)}]
    runs = [train(recipe=RECIPE.but(epochs=1), **changes) for changes in settings]
    assert not any(run.reused for run in runs)
    assert len({run.key for run in runs}) == len(runs)
    assert train(recipe=RECIPE.but(epochs=1)).reused


def test_a_run_is_found_again_and_loaded_by_its_name():
    run = train()
    found = load_run(run.key)
    assert run.key.startswith("poseandtrajectory-seed0-")
    assert found.finished and same(weights(run), weights(found))
    assert train().reused


# three batches an epoch, two epochs of them to warm up: while warming up, between, and after
@pytest.mark.parametrize("calls", [[2], [4], [6], [7], [9], [2, 3, 4]], ids=str)
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(calls, whole_and_resumed):
    one = partial(train, make=lambda: build(dropout=0.25), warm_up=2)
    whole, resumed = whole_and_resumed(one, calls)
    assert resumed.finished and not resumed.reused
    assert same(weights(whole), weights(resumed))
    for row, expected in zip(resumed.history, whole.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-5)


def test_every_epoch_has_an_its_own_also_where_a_run_goes_on(monkeypatch):
    asked, order = [], LabelledAndUnlabelled.order

    def noted(self, generator, epoch):
        asked.append((epoch, generator.initial_seed()))
        if len(asked) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return order(self, generator, epoch)

    monkeypatch.setattr(LabelledAndUnlabelled, "order", noted)
    with pytest.raises(KeyboardInterrupt, match="epoch 3, batch 0"):
        train()
    train()
    assert [epoch for epoch, _ in asked] == [0, 1, 2, 2, 3]
    assert asked[2] == asked[3]  # the same examples as they would have been
    assert len({number for _, number in asked}) == 4
    train(seed=1)
    assert not {number for _, number in asked[:5]} & {number for _, number in asked[5:]}


# ---- it learns -----------------------------------------------------------------------------------


def bending(clip: str, frames: int, camera: Camera, seed: int, aside: float) -> Recording:
    """Somebody who bends in two ways, more or less of each, standing about."""
    ways = torch.randn(2, 17, 3, generator=torch.Generator().manual_seed(8))
    generator = torch.Generator().manual_seed(seed)
    much = torch.rand(frames, 2, generator=generator) * 2 - 1
    turns = rotation_from_vector(0.4 * torch.einsum("tk,kjc->tjc", much, ways))
    place = (torch.rand(frames, 3, generator=generator) * 2 - 1) * torch.tensor([0.6, 0.3, 0.8])
    root = place * aside + torch.tensor([0.0, 0.0, 5.0])
    positions = forward_kinematics(turns, body(size=0.15), H36M_17.parents, root)
    seen = {"positions": positions, "keypoints": project(positions, camera)}
    return replace(moving(clip, frames, camera), **seen)


def test_what_was_never_labelled_is_lifted_better_for_having_been_seen(device):
    """Few labelled frames, all of one place; the others are all over the room."""
    views = (FRONT, SIDE)
    few = data(*(bending(f"few{i}", 8, view, i + 1, 0.2) for i, view in enumerate(views)))
    many = data(*(bending(f"many{i}", 200, view, i + 3, 1.0) for i, view in enumerate(views)))
    recipe = Recipe(200, batch_size=32, channels=64, dropout=0.0, learning_rate=3e-3, decay=0.977)
    options = {"recipe": recipe, "device": device.type}
    options["make"] = lambda: build(filter_widths=(1, 1), channels=64)
    alone, together = (train(few, many, warm_up=epochs, **options) for epochs in (200, 20))
    assert together.history[-1]["projection"] < 0.5 * together.history[20]["projection"]
    judged = [evaluate(run.model, many.train, device=device.type) for run in (together, alone)]
    found, supervised_alone = (result.average("mpjpe") for result in judged)
    assert found < 0.95 * supervised_alone


# ---- what is refused -----------------------------------------------------------------------------


def test_keypoints_that_are_other_joints_than_the_poses_are_refused():
    detected = [r.with_keypoints(r.keypoints, r.confidence, COCO_17) for r in LABELLED.train]
    for parts in ((data(*detected), UNLABELLED), (LABELLED, data(*detected))):
        with pytest.raises(ValueError, match="keypoints of coco_17 and poses of h36m_17"):
            train(*parts)


def test_data_sets_of_different_joints_are_refused():
    """They may have as many."""
    other = [replace(r, skeleton=COCO_17, keypoint_skeleton=COCO_17) for r in UNLABELLED.train]
    coco = Dataset("coco", "made here", tuple(other), ())
    with pytest.raises(ValueError, match="moves has joints of h36m_17, coco of coco_17"):
        train(LABELLED, coco)


@pytest.mark.parametrize("warm_up", [-1, float("nan")])
def test_a_warm_up_of_fewer_epochs_than_none_is_refused(warm_up):
    with pytest.raises(ValueError, match=f"warm_up is a number of epochs, got {warm_up}"):
        train(warm_up=warm_up)


def test_chunks_are_refused():
    with pytest.raises(ValueError, match="takes one frame a window, got chunk=4"):
        train(recipe=RECIPE.but(chunk=4))


def test_nothing_unlabelled_is_refused():
    with pytest.raises(ValueError, match="no recordings"):
        train(unlabelled=replace(UNLABELLED, train=()))
