"""Other bodies: the same motion, and nobody of the data set."""

from dataclasses import replace

import pytest
import torch

from paperlib.datasets import synthetic
from paperlib.datasets.other_bodies import other_bodies, random_body
from paperlib.skeletons import H36M_17


@pytest.fixture(scope="module")
def data():
    return synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))


def lengths(recording):
    places = recording.truth
    return torch.stack(
        [(places[:, c] - places[:, p]).norm(dim=-1).mean() for p, c in H36M_17.bones]
    )


def test_each_training_clip_once_by_a_body_of_its_own(data):
    other = other_bodies(data, count=2)
    clips = {(r.subject, r.action, r.clip) for r in data.train}
    assert len(other.train) == len(clips) and not other.test and not other.unseen
    assert {r.subject for r in other.train} == {"other0", "other1"}
    first = next(r for r in other.train if r.subject == "other0")
    body = random_body(0).offsets().norm(dim=-1)[[child for _, child in H36M_17.bones]]
    assert torch.allclose(lengths(first).double(), body, atol=1e-4)
    assert (lengths(first) - lengths(data.train[0])).abs().max() > 0.005


def test_it_follows_from_the_seed(data):
    assert other_bodies(data, 2).fingerprint == other_bodies(data, 2).fingerprint
    assert other_bodies(data, 2).fingerprint != other_bodies(data, 2, seed=1).fingerprint


def test_nothing_to_replay_is_refused(data):
    with pytest.raises(ValueError, match="got 0 recordings"):
        other_bodies(replace(data, train=()))
    with pytest.raises(ValueError, match="count must be at least 1"):
        other_bodies(data, 0)
