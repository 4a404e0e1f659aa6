"""Scenes of several people, and the metrics over them."""

from dataclasses import replace

import pytest
import torch

from paperlib.datasets import synthetic
from paperlib.evaluation import evaluate_scenes
from paperlib.models import TemporalPoseNet, filter_widths
from paperlib.prediction import locate, locate_scene
from paperlib.scenes import Gap, longest_gap, scenes


@pytest.fixture(scope="module")
def recordings():
    """Two clips of two people each; of the second person of each, frames 5 to 9 are lost."""
    data = synthetic.load(seconds=0.6, subjects=("S1", "S6"), families=("walking", "boxing"))
    chosen = [r for r in data.train + data.test if r.camera.name == "cam0"]
    people = []
    for number, recording in enumerate(sorted(chosen, key=lambda r: r.action)):
        confidence = torch.full_like(recording.confidence, 0.9)
        confidence[5:10] = 0.0 if number % 2 else 0.05
        clip, person = f"clip{number // 2}", number % 2
        people.append(replace(recording, clip=clip, person=person, confidence=confidence))
    return people


def test_scenes_put_together_who_is_seen_together(recordings):
    found = scenes(recordings[::-1])
    assert [s.name for s in found] == ["clip1/cam0", "clip0/cam0"]
    assert [r.person for r in found[0].people] == [0, 1]
    assert found[0].positions.shape == (2, 30, 17, 3)
    assert torch.equal(found[0].positions[1], recordings[3].positions)
    assert found[0].fps == 50


def test_scores(recordings):
    score = scenes(recordings)[0].score
    assert score.shape == (2, 30)
    assert torch.allclose(score[0, 4:6], torch.tensor([0.9, 0.05]))
    assert (score[1, 5:10] == 0).all()


def test_the_longest_gap(recordings):
    """Person 1 of each clip is lost for five frames; of the second clip for seven, and at its end
    for ever, which is no gap."""
    assert longest_gap(scenes(recordings)) == Gap(0, 1, 5, 10)
    confidence = recordings[3].confidence.clone()
    confidence[10:12] = 0
    confidence[15:] = 0
    changed = [*recordings[:3], replace(recordings[3], confidence=confidence)]
    assert longest_gap(scenes(changed)) == Gap(1, 1, 5, 12)
    assert longest_gap(scenes(changed), most=6) == Gap(0, 1, 5, 10)
    assert longest_gap(scenes(recordings[::2])) == Gap(0, 0, 0, 0)


def test_everybody_is_located_alone(recordings):
    model = TemporalPoseNet(14, 17, filter_widths(9), channels=8).eval()
    scene = scenes(recordings)[0]
    located = locate_scene(model, scene)
    assert torch.equal(located[1], locate(model, scene.people[1]))
    assert not torch.equal(locate_scene(model, scene, flip=False), located)


def test_evaluation_by_hand(recordings):
    """Everybody one decimetre to the right, and a metre where person 1 is lost."""
    truth = scenes(recordings)
    predicted = []
    for scene in truth:
        moved = scene.positions + torch.tensor([0.1, 0.0, 0.0])
        moved[1, 5:10] += torch.tensor([0.9, 0.0, 0.0])
        predicted.append(moved)
    found = evaluate_scenes(predicted, truth)
    assert found.average("mrpe") == pytest.approx((55 * 0.1 + 5 * 1.0) / 60, rel=1e-5)
    assert found.average("mrpe", "detected") == pytest.approx(0.1, rel=1e-5)
    assert found.average("mrpe", "visible") == pytest.approx(0.1, rel=1e-5)
    assert found.average("mpjpe") == pytest.approx(0.0, abs=1e-6)
    assert found.average("pck3d") == 1.0
    assert found.average("pck3d_absolute") == pytest.approx(55 / 60)


def test_scenes_count_alike_however_long(recordings):
    """Half a metre in the first, nothing in the second, which is a third as long."""
    short = [r.cut(0, 10) if r.clip == "clip1" else r for r in recordings]
    truth = scenes(short)
    shift = torch.tensor([0.0, 0.5, 0.0])
    found = evaluate_scenes([truth[0].positions + shift, truth[1].positions], truth)
    assert found.average("mrpe") == pytest.approx(0.25, rel=1e-5)


def test_wrong_input_is_refused(recordings):
    truth = scenes(recordings)
    with pytest.raises(ValueError, match="1 predictions for 2 scenes"):
        evaluate_scenes([truth[0].positions], truth)
    with pytest.raises(ValueError, match="0 scenes"):
        evaluate_scenes([], [])
    with pytest.raises(ValueError, match="one recording a person, all of the same frames"):
        scenes([recordings[0], recordings[1].cut(0, 9)])
    found = evaluate_scenes([s.positions for s in truth], truth)
    with pytest.raises(ValueError, match="unknown poses"):
        found.average("mrpe", "hidden")
    with pytest.raises(ValueError, match="unknown metric"):
        found.average("mprpe")
