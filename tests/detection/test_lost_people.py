"""Losing people behind others."""

from dataclasses import replace

import pytest
import torch

from paperlib.datasets import synthetic
from paperlib.detection import detect
from paperlib.detection.lost_people import FOUND, LOST, detect_people, lose_hidden


@pytest.fixture(scope="module")
def alone():
    data = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking",))
    return data.select(lambda r: r.camera.name == "cam0")


def hidden(recording, joints):
    """With so many joints hidden in each frame."""
    visible = torch.ones_like(recording.visible)
    for frame, count in enumerate(joints):
        visible[frame, :count] = False
    return replace(recording, visible=visible)


def test_a_person_is_lost_at_seven_tenths_and_found_again_at_a_half(alone):
    """Of 17 joints: 12 are 0.71, 11 are 0.65, 9 are 0.53, 8 are 0.47."""
    assert (LOST, FOUND) == (0.7, 0.5)
    counts = [0, 11, 12, 11, 9, 8, 9, 11, 17, 0]
    recording = hidden(alone.train[0].cut(0, 10), counts)
    found = lose_hidden(recording).found
    assert found.tolist() == [True, True, False, False, False, True, True, True, False, True]


def test_of_a_lost_person_nothing_is_left(alone):
    recording = lose_hidden(hidden(alone.train[0].cut(0, 3), [0, 17, 0]))
    assert (recording.keypoints[1] == 0).all() and (recording.confidence[1] == 0).all()
    assert recording.score[1] == 0
    for frame in (0, 2):
        assert torch.equal(recording.keypoints[frame], alone.train[0].keypoints[frame])
        assert (recording.confidence[frame] == 1).all()


def test_scores_fall_with_the_share_that_is_hidden(alone):
    """A few hidden joints are the body's own; those of half a body are not."""
    recording = lose_hidden(hidden(alone.train[0].cut(0, 3), [0, 5, 11]))
    assert (recording.confidence[:2] == 1).all()
    assert (recording.confidence[2, :11] < 0.5).all() and (recording.confidence[2, 11:] == 1).all()
    assert torch.allclose(recording.score, recording.confidence.mean(dim=1))


def test_detection_loses_and_ground_truth_does_not(alone):
    crowd = alone.map(lambda r: hidden(r, [17] * 10 + [0] * (len(r) - 10)))
    assert detect_people(crowd, "ground_truth") is crowd
    seen, plain = detect_people(crowd, "simulated", 1), detect(crowd, "simulated", 1)
    for ours, theirs in zip(seen.train, plain.train, strict=True):
        assert ours.found.tolist() == [False] * 10 + [True] * (len(ours) - 10)
        assert torch.equal(ours.keypoints[10:], theirs.keypoints[10:])


def test_unknown_visibility_is_refused(alone):
    with pytest.raises(ValueError, match="not known which joints are visible"):
        lose_hidden(replace(alone.train[0], visible=None))
