"""Training the Temporal PoseNet: what is minimised, and that it learns to locate."""

from dataclasses import replace

import pytest
import torch
from samples import same, weights

from paperlib import training
from paperlib.datasets import synthetic
from paperlib.metrics import mrpe
from paperlib.models import TemporalPoseNet, filter_widths
from paperlib.prediction import locate
from paperlib.training import AbsolutePose, Recipe
from paperlib.training.objectives import absolute_pose
from paperlib.windows import mirror, pad_sequence, track_features, track_targets

RECIPE = Recipe.veges2020("smoke").but(channels=32, epochs=4, stride=1, dropout=0.0)


@pytest.fixture(scope="module")
def data():
    return synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))


def train(data, recipe, **options):
    return training.train(AbsolutePose(data, (3, 3), **options), recipe, progress=False)


def prepared(data, zoom=True):
    """An objective's network, standardised, and its examples and update."""
    objective = AbsolutePose(data, (3, 3), zoom)
    model = objective.model(RECIPE.but(channels=8)).eval()
    windows = objective.examples(model, RECIPE, 0, torch.device("cpu"))
    (update,) = objective.updates(model, windows)
    return model, windows, update


def test_the_papers_recipe():
    recipe = Recipe.veges2020()
    assert (recipe.epochs, recipe.decay, recipe.dropout) == (80, 0.95, 0.25)
    assert (recipe.batch_size, recipe.learning_rate, recipe.channels) == (1024, 1e-3, 1024)
    assert recipe.momentum(0) == recipe.momentum(79) == pytest.approx(0.1)


def test_the_loss_is_the_mean_absolute_error_of_the_standardised_answer(data):
    model, windows, update = prepared(data)
    examples = torch.tensor([0, 5, 200])
    loss = update.loss(examples)
    inputs, answers = windows.batch(examples)
    wanted = (answers - model.output_mean) / model.output_std
    off = model.answer(inputs)[:, 0] - wanted[:, 0]
    assert off.shape == (3, 17, 3)
    assert torch.allclose(loss, off.abs().sum()[None] / (3 * 17 * 3), atol=1e-5)


def test_it_learns_to_locate(data):
    """After a few epochs better than where people stand on average."""
    run = train(data, RECIPE.but(epochs=12, batch_size=32, decay=0.9))
    assert run.history[-1]["train_l1"] < 0.6 * run.history[0]["train_l1"]
    mean = torch.cat([r.trajectory for r in data.train]).mean(dim=0)
    found = guess = 0.0
    for recording in data.train:
        found += mrpe(locate(run.model, recording), recording.positions)
        guess += (recording.trajectory - mean).norm(dim=-1).mean()
    assert found < 0.5 * guess


def test_what_is_learnt_of_a_lost_person_is_what_counts_in_the_loss(data):
    """Somebody is lost for three frames of nine, and seen before and after: a network to which
    such frames were targets makes more of that than one to which they were none."""

    def losing(recording):
        keep = (torch.arange(len(recording)) % 9 > 2).float()[:, None]
        return replace(
            recording,
            keypoints=recording.keypoints * keep[..., None],
            confidence=recording.confidence * keep,
        )

    gone = data.map(losing)
    recipe = RECIPE.but(epochs=12, batch_size=32, decay=0.9)
    off = {}
    for lost in (False, True):
        run = train(gone, recipe, lost=lost)
        errors = [
            (locate(run.model, r)[~r.found] - r.positions[~r.found])[:, 0].norm(dim=-1).mean()
            for r in gone.train
        ]
        off[lost] = torch.stack(errors).mean()
    assert off[True] < 0.9 * off[False]
    assert not train(gone, recipe.but(epochs=1), lost=True).reused


def test_a_run_is_found_again_and_other_settings_are_other_runs(data):
    recipe = RECIPE.but(epochs=1)
    first = train(data, recipe)
    again = train(data, recipe)
    assert again.reused and again.key == first.key
    assert torch.equal(again.model.output_std, first.model.output_std)
    assert not train(data, recipe, zoom=False).reused


def test_no_windows_are_made_for_a_run_that_is_found(data, monkeypatch):
    first = train(data, RECIPE.but(epochs=1))

    def refused(*_, **__):
        raise AssertionError("windows for a run that is there already")

    monkeypatch.setattr(absolute_pose, "track_windows", refused)
    again = train(data, RECIPE.but(epochs=1))
    assert again.reused
    assert same(weights(first), weights(again))
    with pytest.raises(AssertionError, match="windows for a run"):
        train(data, RECIPE.but(epochs=2))


def test_a_network_standardises_by_what_it_learnt_from(data):
    run = train(data, RECIPE.but(epochs=1), zoom=False)
    model, _, _ = prepared(data, zoom=False)
    for name in ("input_mean", "input_std", "output_mean", "output_std"):
        assert torch.equal(getattr(run.model, name).cpu(), getattr(model, name))


def test_standardised_is_what_the_network_sees(data):
    """Over the frames themselves: what stands in beyond the ends of a track counts nothing."""
    model, _, _ = prepared(data, zoom=False)
    versions = [(r, m) for r in data.train for m in (False, True)]
    seen = torch.cat([track_features(r, mirrored=m) for r, m in versions])
    wanted = torch.cat([track_targets(r, mirrored=m) for r, m in versions])
    assert torch.allclose(seen.mean(dim=0), model.input_mean, atol=1e-5)
    assert torch.allclose(seen[..., :2].std(dim=0), model.input_std[..., :2], atol=1e-5)
    assert (model.input_std[..., 2] == 1).all()  # scores are 1 here: never divided by nothing
    assert torch.allclose(wanted.mean(dim=0), model.output_mean, atol=1e-5)
    assert torch.allclose(wanted.std(dim=0)[1:], model.output_std[1:], atol=1e-5)


def test_nothing_to_learn_from_is_refused(data):
    for nothing in (replace(data, train=()), replace(data, train=(), test=())):
        with pytest.raises(ValueError, match="no recordings to take windows from"):
            train(nothing, RECIPE)


def test_locating_averages_over_the_mirror_image(data):
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    recording = data.test[0]
    once = locate(model, recording, flip=False)
    assert torch.allclose(
        once, model(pad_sequence(track_features(recording), 9)[None])[0], atol=1e-4
    )
    other = model(pad_sequence(track_features(recording, mirrored=True), 9)[None])[0]
    both = (once + mirror(other, recording.skeleton)) / 2
    assert torch.allclose(locate(model, recording), both, atol=1e-4)


def test_locating_a_lost_person_gives_a_guess(data):
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    r = data.test[0]
    lost = replace(r, keypoints=0 * r.keypoints, confidence=0 * r.confidence)
    assert torch.isfinite(locate(model, lost)).all()


def test_a_single_frame_is_seen_by_a_network_as_deep(data):
    objective = AbsolutePose(data, (1, 1, 1, 1))
    deep = training.train(objective, RECIPE.but(epochs=1), progress=False).model
    assert deep.receptive_field == 1 and len(deep.temporal.blocks) == 3
    assert locate(deep, data.test[0]).shape == data.test[0].positions.shape


def test_recordings_of_another_skeleton_are_refused(data):
    for joints, options in ((15, {}), (17, {"root": 14})):
        model = TemporalPoseNet(14, joints, filter_widths(9), channels=8, **options)
        with pytest.raises(ValueError, match="it learnt another skeleton"):
            locate(model, data.test[0], flip=False)


def test_chunks_are_refused(data):
    with pytest.raises(ValueError, match="one frame a window"):
        train(data, RECIPE.but(chunk=2))
