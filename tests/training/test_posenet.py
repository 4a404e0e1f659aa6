"""Training the Temporal PoseNet: what is minimised, and that it learns to locate."""

from dataclasses import replace

import pytest
import torch

from paperlib.datasets import synthetic
from paperlib.metrics import mrpe
from paperlib.models import TemporalPoseNet, filter_widths
from paperlib.tracks import Tracks, features
from paperlib.training import Recipe, locate, posenet, train_posenet
from paperlib.training.posenet import Located
from paperlib.windows import mirror, pad_sequence

RECIPE = Recipe.veges2020("smoke").but(channels=32, epochs=4, stride=1, dropout=0.0)


@pytest.fixture(scope="module")
def data():
    return synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path))


def test_the_papers_recipe():
    recipe = Recipe.veges2020()
    assert (recipe.epochs, recipe.decay, recipe.dropout) == (80, 0.95, 0.25)
    assert (recipe.batch_size, recipe.learning_rate, recipe.channels) == (1024, 1e-3, 1024)
    assert recipe.momentum(0) == recipe.momentum(79) == pytest.approx(0.1)


def test_the_loss_is_the_mean_absolute_error_of_the_standardised_answer(data):
    tracks = Tracks(data.train, 9)
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    model.standardised_by(*tracks.statistics())
    examples = torch.tensor([0, 5, 200])
    loss = Located(model, tracks).loss(examples)
    inputs, answers = tracks.batch(examples)
    told = (answers - model.output_mean) / model.output_std
    by_hand = sum(
        (model.answer(inputs)[b, 0, j, c] - told[b, 0, j, c]).abs()
        for b in range(3)
        for j in range(17)
        for c in range(3)
    ) / (3 * 17 * 3)
    assert torch.allclose(loss, by_hand[None], atol=1e-5)


def test_it_learns_to_locate(data):
    """After a few epochs better than where people stand on average."""
    run = train_posenet(
        data, RECIPE.but(epochs=12, batch_size=32, decay=0.9), (3, 3), progress=False
    )
    assert run.history[-1]["train_l1"] < 0.6 * run.history[0]["train_l1"]
    mean = torch.cat([r.trajectory for r in data.train]).mean(dim=0)
    found = guess = 0.0
    for recording in data.train:
        found += mrpe(locate(run.model, recording), recording.positions)
        guess += (recording.trajectory - mean).norm(dim=-1).mean()
    assert found < 0.5 * guess


def test_a_run_is_found_again_and_other_settings_are_other_runs(data):
    recipe = RECIPE.but(epochs=1)
    first = train_posenet(data, recipe, (3, 3), progress=False)
    again = train_posenet(data, recipe, (3, 3), progress=False)
    assert again.reused and again.key == first.key
    assert torch.equal(again.model.output_std, first.model.output_std)
    assert not train_posenet(data, recipe, (3, 3), zoom=False, progress=False).reused


def test_no_windows_are_made_for_a_run_that_is_found(data, monkeypatch):
    first = train_posenet(data, RECIPE.but(epochs=1), (3, 3), progress=False)

    def refused(*_, **__):
        raise AssertionError("windows for a run that is there already")

    monkeypatch.setattr(posenet, "Tracks", refused)
    again = train_posenet(data, RECIPE.but(epochs=1), (3, 3), progress=False)
    assert again.reused
    trained, found = first.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in trained.items())
    with pytest.raises(AssertionError, match="windows for a run"):
        train_posenet(data, RECIPE.but(epochs=2), (3, 3), progress=False)


def test_a_network_standardises_by_what_it_learnt_from(data):
    run = train_posenet(data, RECIPE.but(epochs=1), (3, 3), zoom=False, progress=False)
    of_data = Tracks(data.train, 9, zoom=False).statistics()
    for name, value in of_data._asdict().items():
        assert torch.equal(getattr(run.model, name).cpu(), value)


def test_nothing_to_learn_from_is_refused(data):
    for nothing in (replace(data, train=()), replace(data, train=(), test=())):
        with pytest.raises(ValueError, match="no recordings to take windows from"):
            train_posenet(nothing, RECIPE, (3, 3), progress=False)


def test_locating_averages_over_the_mirror_image(data):
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    recording = data.test[0]
    once = locate(model, recording, flip=False)
    assert torch.allclose(once, model(pad_sequence(features(recording), 9)[None])[0], atol=1e-4)
    other = model(pad_sequence(features(recording, mirrored=True), 9)[None])[0]
    both = (once + mirror(other, recording.skeleton)) / 2
    assert torch.allclose(locate(model, recording), both, atol=1e-4)


def test_locating_a_lost_person_gives_a_guess(data):
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    r = data.test[0]
    lost = replace(r, keypoints=0 * r.keypoints, confidence=0 * r.confidence)
    assert torch.isfinite(locate(model, lost)).all()


def test_a_single_frame_is_seen_by_a_network_as_deep(data):
    deep = train_posenet(data, RECIPE.but(epochs=1), (1, 1, 1, 1), progress=False).model
    assert deep.receptive_field == 1 and len(deep.temporal.blocks) == 3
    assert locate(deep, data.test[0]).shape == data.test[0].positions.shape


def test_recordings_of_another_skeleton_are_refused(data):
    model = TemporalPoseNet(14, 15, filter_widths(9), channels=8)
    with pytest.raises(ValueError, match="it learnt another skeleton"):
        locate(model, data.test[0], flip=False)
    with pytest.raises(ValueError, match="it learnt another skeleton"):
        locate(TemporalPoseNet(14, 17, filter_widths(9), root=14, channels=8), data.test[0])


def test_chunks_are_refused(data):
    with pytest.raises(ValueError, match="one frame a window"):
        train_posenet(data, RECIPE.but(chunk=2), (3, 3))
