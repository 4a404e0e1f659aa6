"""Rows and protocol of a table on several people."""

from dataclasses import replace

import pytest
import torch

from paperlib import datasets
from paperlib.datasets import muco_temp
from paperlib.detection import detect_people
from paperlib.evaluation import evaluate_scenes
from paperlib.experiment import Experiment, pictured, scene_protocol, scene_rows, several_people
from paperlib.experiment.scenes import METRICS, SeveralPeople
from paperlib.recordings import count_frames
from paperlib.results import COLUMNS
from paperlib.scenes import Scene, scenes
from paperlib.training import AbsolutePose, Recipe, train

SIZE = muco_temp.Size(train=1, test=2, frames=100)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    cell = {"dataset": "synthetic", "preset": "smoke", "seed": 2, "device": "cpu", "retrain": False}
    return Experiment.begin("tests", cell | {"detector": "simulated"}, detector=("simulated",))


@pytest.fixture(scope="module")
def videos(experiment):
    return muco_temp.compose(experiment.exact, SIZE)


def test_a_row_for_each_metric_of_each_set_of_poses(experiment, videos, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path))
    truth = scenes(videos.test)
    run = train(AbsolutePose(videos, (3, 3)), Recipe.veges2020("smoke"), progress=False)
    moved = [s.positions + torch.tensor([0.0, 0.0, 0.2]) for s in truth]
    rows = scene_rows(experiment, "moved", evaluate_scenes(moved, truth), run)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    found = {(row["action"], row["metric"]): row for row in rows}
    assert set(found) == {(p, m) for p in ("all", "detected", "visible") for m in METRICS}
    assert found["all", "mrpe"]["value"] == pytest.approx(200, rel=1e-4)
    assert found["all", "mrpe"]["unit"] == "mm"
    assert found["visible", "pck3d"]["value"] == pytest.approx(100)
    assert found["all", "mrpe_median"]["value"] == pytest.approx(200, rel=1e-4)
    assert found["all", "pck3d_absolute"]["value"] == 0
    assert {row["receptive_field"] for row in rows} == {9} and {row["seed"] for row in rows} == {2}


def test_people_who_are_lost_have_rows_of_their_own(experiment, videos, tmp_path, monkeypatch):
    """Who is lost is a metre off, in one frame of each video; all others are right."""
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path))
    truth = []
    for scene in scenes(videos.test):
        confidence = scene.people[0].confidence.clone()
        confidence[40] = 0
        truth.append(Scene((replace(scene.people[0], confidence=confidence), *scene.people[1:])))
    run = train(AbsolutePose(videos, (3, 3)), Recipe.veges2020("smoke"), progress=False)
    answers = [scene.positions.clone() for scene in truth]
    for positions in answers:
        positions[0, 40, :, 0] += 1.0
    rows = scene_rows(experiment, "moved", evaluate_scenes(answers, truth), run)
    found = {(row["action"], row["metric"]): row["value"] for row in rows}
    assert found["lost", "mrpe"] == pytest.approx(1000, rel=1e-4)
    assert found["lost", "mrpe_median"] == pytest.approx(1000, rel=1e-4)
    assert found["all", "mrpe"] == pytest.approx(1000 / truth[0].score.numel(), rel=1e-3)
    assert found["all", "mrpe_median"] == pytest.approx(0, abs=1e-3)
    assert found["detected", "mrpe"] == pytest.approx(0, abs=1e-3)
    # one frame has no acceleration: there is no row that would say so
    assert ("lost", "acceleration_error") not in found and ("lost", "mpjpe") in found


def test_several_people_are_learnt_from_with_people_alone_at_one_rate(experiment):
    people = several_people(experiment)
    assert {r.fps for r in people.data.train} == {muco_temp.FPS}
    assert people.data.train == people.alone.train + people.crowd.train
    assert people.data.test == people.crowd.test
    again = detect_people(people.videos, "simulated", 2)
    for found, right in zip(people.crowd.test, again.test, strict=True):
        assert torch.equal(found.keypoints, right.keypoints)
    assert [r for scene in people.truth for r in scene.people] == [*people.crowd.test]


def test_people_of_all_motion_capture_are_of_an_excerpt_but_for_the_papers_preset(
    experiment, monkeypatch
):
    """The embedded data stand in for motion capture; their clips are as long as an excerpt's."""
    shorter = {"learnt": 1, "tested": 1, "seconds": 5.0}
    monkeypatch.setattr("paperlib.experiment.selection._PICTURED", shorter)
    whole = datasets.load("synthetic")
    of_all = replace(experiment, dataset="mocap", _exact={0: whole})
    people, part = several_people(of_all), pictured(of_all).exact
    assert count_frames(part.train) < count_frames(whole.train)
    want = muco_temp.compose(part, muco_temp.SIZES["smoke"])
    for found, right in zip(people.videos.train, want.train, strict=True):
        assert torch.equal(found.pose, right.pose)
    papers = replace(of_all, preset="paper")
    assert pictured(papers) is papers


def test_the_laptop_takes_as_many_steps_on_any_data(experiment):
    people = several_people(experiment)
    recipe, frames = people.recipe("laptop"), count_frames(people.data.train)
    assert recipe.epochs * recipe.steps(2 * frames) == pytest.approx(3000, rel=0.02)
    paper = Recipe.veges2020("paper")
    assert people.recipe("paper") == paper
    # and the learning rate falls as far
    assert recipe.rate(recipe.epochs - 1) == pytest.approx(paper.rate(paper.epochs - 1))


def test_the_protocol_says_how_often_people_were_lost(experiment, videos):
    alone = muco_temp.single(experiment.exact)
    people = SeveralPeople(videos, alone, detect_people(videos, "simulated", 2))
    found = torch.cat([r.found for r in people.crowd.test])
    recipe = Recipe.veges2020("smoke")
    protocol = scene_protocol(experiment, people, recipe, 81, [0, 1])
    lost = f"lost people in {100 * (1 - found.float().mean()):.1f} % of their frames"
    assert lost in str(protocol)
    assert "videos averaged alike" in str(protocol) and "seeds 0, 1" in str(protocol)
    # who was lost has no keypoints, and no error in them
    assert 0 < protocol.keypoint_error < 20
    exact = SeveralPeople(videos, alone, videos)
    assert scene_protocol(experiment, exact, recipe, 81).keypoint_error == 0
