"""Videos of several people: who stands where, who hides whom, and that nothing jumps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib.cameras import camera_to_world, project
from paperlib.datasets import muco_temp, synthetic
from paperlib.datasets.muco_temp import Size, compose, joined, single, to_and_fro
from paperlib.kinematics import bone_lengths

FAMILIES = ("walking", "reaching", "boxing")
SIZE = Size(train=2, test=1, frames=120)


@pytest.fixture(scope="module")
def source():
    return synthetic.load(seconds=2.4, subjects=("S1", "S2", "S6"), families=FAMILIES)


@pytest.fixture(scope="module")
def videos(source):
    return compose(source, SIZE)


def people(data, clip="train00"):
    return [r for r in data.train + data.test if r.clip == clip]


def test_a_video_is_four_people_of_one_camera(videos):
    assert len(videos.train) == 8 and len(videos.test) == 4
    for clip in ("train00", "train01"):
        seen = people(videos, clip)
        assert [r.person for r in seen] == [0, 1, 2, 3]
        assert len({r.camera for r in seen}) == 1
        assert {len(r) for r in seen} == {120} and {r.fps for r in seen} == {25.0}
    assert people(videos)[0].camera != people(videos, "train01")[0].camera


def test_people_of_the_test_part_come_from_the_test_part(videos):
    assert {r.subject for r in videos.train} == {"S1", "S2"}
    assert {r.subject for r in videos.test} == {"S6"}


def test_a_take_stands_twice_only_where_there_are_too_few(videos, source):
    taken = [(r.subject, r.action) for r in people(videos)]
    assert len(set(taken)) == 4  # six takes to choose from
    alone = source.select(lambda r: r.action == "boxing" and r.subject != "S2")
    assert len(compose(alone, SIZE).train) == 8


def test_nobody_comes_close_to_another_or_leaves_the_picture(videos):
    for clip in ("train00", "train01", "test00"):
        seen = people(videos, clip)
        floor = torch.stack([camera_to_world(r.trajectory, r.camera)[:, :2] for r in seen])
        for a in range(4):
            for b in range(a):
                assert (floor[a] - floor[b]).norm(dim=-1).min() > muco_temp.APART - 1e-3
        for r in seen:
            assert (r.trajectory[:, 2] > 2.0).all()
            u = project(r.trajectory, r.camera)[:, 0] / r.camera.width
            assert (u > 0.05).all() and (u < 0.95).all()


def test_who_is_set_down_stays_as_tall_and_stands_on_the_floor(videos, source):
    """Turning and moving along the floor changes no bone, and no height."""
    for r in people(videos):
        takes = [t for t in source.train if (t.subject, t.action) == (r.subject, r.action)]
        theirs, ours = (bone_lengths(x.positions, x.skeleton.parents) for x in (takes[0], r))
        assert (ours.mean(dim=0) - theirs.mean(dim=0)).abs().max() < 0.02
        heights = camera_to_world(r.positions, r.camera)[..., 2]
        world = camera_to_world(takes[0].positions, takes[0].camera)[..., 2]
        assert heights.amin() >= world.amin() - 1e-3
        assert heights.amax() <= world.amax() + 1e-3


def test_keypoints_are_the_exact_projections(videos):
    for r in videos.train:
        assert torch.equal(r.keypoints, project(r.positions, r.camera))


def test_whoever_is_behind_is_hidden_and_whoever_is_alone_is_not(source):
    """The same people, once with the others taken away."""
    crowd = compose(source, Size(train=6, test=0, frames=120))
    hidden_by_others = 0
    for r in crowd.train:
        alone = muco_temp.people_visibility(r.positions[None], r.skeleton).visible[0]
        assert (r.visible <= alone).all()  # company never makes a joint visible
        hidden_by_others += (alone & ~r.visible).sum().item()
    assert hidden_by_others > 0


def test_nothing_jumps(videos):
    """At 25 Hz nobody moves a joint by more than their fastest motion, which the turns at the ends
    of a take must not exceed."""
    for r in videos.train:
        assert r.positions.diff(dim=0).norm(dim=-1).max() < 0.5
        assert r.trajectory.diff(n=2, dim=0).norm(dim=-1).max() < 0.1


def test_the_same_seed_gives_the_same_videos_however_many(source, videos):
    again = compose(source, replace(SIZE, train=1))
    first = people(videos)
    pairs = zip(again.train, first, strict=True)
    assert all(torch.equal(a.positions, b.positions) for a, b in pairs)
    other = compose(source, replace(SIZE, train=1, test=0), seed=1)
    assert not torch.equal(other.train[0].positions, first[0].positions)


def test_single_people_at_the_rate_of_the_videos(source):
    slow = single(source)
    assert {r.fps for r in slow.train} == {25.0}
    assert torch.equal(slow.train[0].positions, source.train[0].positions[::2])


def test_to_and_fro_by_hand():
    """Five frames, turning within one: the line 0 … 4 … 0, rounded at its ends."""
    place = to_and_fro(np.arange(0.0, 9.0), 5, 1.0)
    assert place.tolist() == [0.5, 1.0, 2.0, 3.0, 3.5, 3.0, 2.0, 1.0, 0.5]
    assert to_and_fro(np.array([3.0, 4.0]), 5, 0.0).tolist() == [3.0, 4.0]
    assert to_and_fro(np.arange(3), 1, 1.0).tolist() == [0.0, 0.0, 0.0]


def test_to_and_fro_has_no_jump_in_speed():
    moments = np.linspace(0, 400, 40001)
    speed = np.diff(to_and_fro(moments, 100, 10.0)) / np.diff(moments)
    assert np.abs(speed).max() <= 1 + 1e-6
    assert np.abs(np.diff(speed)).max() < 0.002


def test_too_short_takes_are_refused(source):
    short = source.map(lambda r: r.cut(0, 60))
    with pytest.raises(ValueError, match="no take lasts 2 seconds"):
        compose(short, SIZE)


def test_too_many_people_are_refused(source, monkeypatch):
    monkeypatch.setattr(muco_temp, "_RESTARTS", 2)
    with pytest.raises(ValueError, match="train, video 0: no room for 40 people"):
        compose(source, Size(train=1, test=0, frames=50, people=40))


def test_single_people_and_videos_are_learnt_from_together(source, videos):
    data = joined(single(source), videos)
    assert len(data.train) == len(source.train) + len(videos.train) and data.test == videos.test
    assert f"({len(source.train)}, " in data.source and videos.source in data.source


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"people": 0}, {"train": -1}])
def test_sizes_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        Size(**wrong)


def test_the_papers_size():
    assert muco_temp.SIZES["paper"] == Size(train=77, test=20, frames=2000, people=4)
