"""HumanEva-I's protocol on embedded motion."""

import numpy as np
import pytest
import torch

from paperlib import datasets
from paperlib.cameras import camera_to_world
from paperlib.datasets import humaneva, humaneva_like, synthetic
from paperlib.datasets.filming import share_in_view
from paperlib.detection import DETECTORS, detect, keypoint_error
from paperlib.evaluation import evaluate
from paperlib.models import TemporalModel, filter_widths
from paperlib.recordings import count_frames
from paperlib.skeletons import H36M_17, HUMANEVA_15, convert
from paperlib.training import Recipe, Supervised, train
from paperlib.windows import keypoint_windows


@pytest.fixture(scope="module")
def data():
    return datasets.load("humaneva_like")


def takes(recordings):
    """(subject, action) -> (number, recording) of the chunks in the first camera."""
    found = {}
    for r in recordings:
        if r.camera.name == "C1":
            number = int(r.clip.rsplit("chunk", 1)[1])
            found.setdefault((r.subject, r.action), []).append((number, r))
    return found


def test_it_is_built_as_humaneva_is(data):
    for part, recordings in (("Train", data.train), ("Validate", data.test)):
        assert {(r.subject, r.action) for r in recordings} == {
            (subject, action) for subject in ("S1", "S2", "S3") for action in ("Walk", "Jog", "Box")
        }
        assert all(r.clip.startswith(f"{part} {r.action} 1 chunk") for r in recordings)
        for r in recordings:
            assert r.fps == 60 and (r.camera.width, r.camera.height) == (640, 480)
            assert r.skeleton is r.keypoint_skeleton is HUMANEVA_15 and r.visible is not None
        views = {}
        for r in recordings:
            views.setdefault((r.subject, r.clip), []).append(r.camera.name)
        assert all(names == ["C1", "C2", "C3"] for names in views.values())
        # HumanEva-I has 4018 and 3876 frames of the three actions, a few of them invalid
        assert 3600 < count_frames(recordings) / 3 < 4100
    assert data.name == "humaneva_like" and "invented people" in data.source
    assert "capture is taken to have failed" in data.excluded
    assert list(humaneva.by_action(data)) == ["Walk", "Jog", "Box"]


def test_chunks_are_what_is_left_of_a_take(data):
    """In world space, chunk by chunk, the motion of the whole take at the same moments; the
    numbers count the gaps."""
    cut = 0
    for part, take, recordings in (("Train", 1, data.train), ("Validate", 2, data.test)):
        for (subject, action), chunks in takes(recordings).items():
            family = {"Walk": "walking", "Jog": "jogging", "Box": "boxing"}[action]
            motion = synthetic.world_motion(subject, family, take, seconds=7.5, fps=60)
            whole = convert(torch.from_numpy(motion), H36M_17, HUMANEVA_15)
            end = 0
            for number, r in chunks:
                world = camera_to_world(r.positions, r.camera)
                errors = [
                    (whole[s : s + len(r)] - world).abs().max().item()
                    for s in range(len(whole) - len(r) + 1)
                ]
                start = int(np.argmin(errors))
                assert errors[start] < 1e-4, (part, r.name)
                gap = start - end
                assert (gap > 0) == (number > 0), "a gap lies before every chunk but the first"
                assert number % 2 == 0
                end = start + len(r)
            assert end == len(whole)
            cut += len(chunks) > 1
    assert 4 < cut < 18, "most takes are cut, and some are whole"


def test_people_are_in_the_picture_and_not_always_seen(data):
    shares = [share_in_view(r) for r in (*data.train, *data.test)]
    assert min(shares) > 0.95
    seen = torch.cat([r.visible.float().mean(dim=0)[None] for r in data.train]).mean(dim=0)
    assert 0.7 < seen.mean() < 0.97


def test_cameras_are_level_and_look_at_the_stage_from_three_sides(data):
    azimuths = [np.degrees(np.arctan2(c.position[1], c.position[0])) for c in humaneva_like.CAMERAS]
    apart = np.abs(np.diff(np.sort(azimuths)))
    assert apart.min() > 60
    middle = torch.tensor([[0.0, 0.0, 0.9]])
    for camera in humaneva_like.CAMERAS:
        r = next(r for r in data.test if r.camera is camera)
        ahead = torch.tensor([[0.0, 0.0, 1.0]])
        towards = torch.nn.functional.normalize(middle - torch.tensor(camera.position), dim=-1)
        looks = camera_to_world(ahead, camera) - torch.tensor(camera.position)
        torch.testing.assert_close(looks, towards, atol=1e-5, rtol=0)
        up = camera_to_world(r.positions[:1], camera)[0]
        assert up[HUMANEVA_15.index("head"), 2] > up[HUMANEVA_15.index("left_ankle"), 2] + 1


def test_both_parts_show_the_same_bodies_in_other_motion(data):
    def shins(recordings, subject):
        knee, ankle = HUMANEVA_15.index("left_knee"), HUMANEVA_15.index("left_ankle")
        chosen = [r.positions for r in recordings if r.subject == subject]
        return torch.cat([(p[:, knee] - p[:, ankle]).norm(dim=-1) for p in chosen])

    for subject in ("S1", "S2", "S3"):
        lengths = torch.cat([shins(data.train, subject), shins(data.test, subject)])
        assert lengths.max() - lengths.min() < 1e-4
    first, second = takes(data.train), takes(data.test)
    for key in first:
        a, b = first[key][0][1].positions, second[key][0][1].positions
        frames = min(len(a), len(b))
        assert (a[:frames] - b[:frames]).norm(dim=-1).mean() > 0.1


def test_same_seed_same_bits_and_an_action_alone_is_the_same(data):
    again = humaneva_like.load()
    assert again.fingerprint == data.fingerprint
    alone = humaneva_like.load(actions="Jog")
    whole = [r for r in data.test if r.action == "Jog"]
    assert [r.name for r in alone.test] == [r.name for r in whole]
    pairs = zip(alone.test, whole, strict=True)
    assert all(torch.equal(a.positions, b.positions) for a, b in pairs)


def test_another_seed_gives_other_motion_and_other_gaps():
    one, other = (humaneva_like.load(seed=seed, seconds=2.0, actions="Walk") for seed in (0, 1))
    a, b = one.test[0].positions, other.test[0].positions
    frames = min(len(a), len(b))
    assert (a[:frames] - b[:frames]).norm(dim=-1).mean() > 0.1
    assert [len(r) for r in one.test] != [len(r) for r in other.test]


@pytest.mark.parametrize("detector", DETECTORS)
def test_detectors_see_its_joints(detector):
    small = datasets.load("humaneva_like", small=True)
    assert {r.action for r in small.train} == {"Walk", "Box"} and len(small.test) >= 18
    found = detect(small, detector)
    assert found.keypoint_skeleton is HUMANEVA_15
    error = keypoint_error(found.test, small.test)
    assert error == 0 if detector == "ground_truth" else 1 < error < 12


def test_a_model_learns_and_mirrors_its_fifteen_joints(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path))
    small = detect(datasets.load("humaneva_like", small=True), "simulated", seed=1)
    recipe = Recipe.pavllo2019("smoke").but(epochs=6, batch_size=32, stride=2)

    def build():
        return TemporalModel(15, 2, 15, filter_widths(27), channels=recipe.channels)

    run = train(Supervised(build, small), recipe, device="cpu", progress=False)
    error = evaluate(run.model, small.test, device="cpu").frame_mean("mpjpe")
    all_at_the_root = torch.cat([r.pose for r in small.test]).norm(dim=-1).mean()
    assert error < 0.8 * all_at_the_root
    windows = keypoint_windows(small.train, 27)  # the second half are mirror images
    inputs, poses = windows.batch(torch.tensor([40, 40 + len(windows) // 2]))
    swapped = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 14]
    assert torch.equal(inputs[1], inputs[0][:, swapped] * torch.tensor([-1.0, 1.0]))
    assert torch.equal(poses[1], poses[0][:, swapped] * torch.tensor([-1.0, 1.0, 1.0]))


@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.2])
def test_the_shortest_takes_work(seconds):
    short = humaneva_like.load(seconds=seconds, actions="Box")
    assert {r.subject for r in short.train} == {r.subject for r in short.test} == {"S1", "S2", "S3"}
    assert min(map(len, (*short.train, *short.test))) >= 1
