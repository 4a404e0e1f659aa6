"""The film of two people, as its keypoints travel with the project."""

import numpy as np
import pytest
import torch

from paperlib.cameras import camera_to_world, project
from paperlib.datasets import two_people
from paperlib.datasets.triangulation import who_is_who
from paperlib.skeletons import COCO_17


@pytest.fixture(scope="module")
def film():
    return {(one.subject, one.camera.name): one for one in two_people.load().test}


def test_both_people_in_every_view(film):
    views = [f"cam0{number}" for number in range(1, 5)]
    assert set(film) == {(who, view) for who in two_people.PEOPLE for view in views}
    for (who, _), one in film.items():
        assert len(one) == 100 and one.fps == 60 and one.person == two_people.PEOPLE.index(who)
        assert one.skeleton == one.keypoint_skeleton == COCO_17
        assert (one.camera.width, one.camera.height) == (1088, 1920)
        assert (one.confidence > 0).any(dim=1).sum() >= 95


def test_each_view_is_near_what_the_others_say(film):
    """To a few pixels of about seven hundred; and both are people."""
    for (who, _), one in film.items():
        off = (project(one.positions, one.camera) - one.keypoints).norm(dim=-1)
        assert off[one.confidence > 0].median() < 25
        ankle, ear = (COCO_17.index(f"left_{joint}") for joint in ("ankle", "ear"))
        tall = (one.positions[:20, ear] - one.positions[:20, ankle]).norm(dim=-1).median()
        assert (1.25 if who == "man" else 0.9) < tall < (1.8 if who == "man" else 1.25)


def test_the_truth_of_a_view_is_not_its_own(film, tmp_path, monkeypatch):
    """The keypoints of one view far off: its reference stays, that of the others hardly moves."""
    archive = dict(np.load(two_people.FILE))
    changed = archive["keypoints"].copy()
    changed[3, :, 50:] += 1500  # tenths of a pixel
    np.savez(tmp_path / "two_people.npz", **(archive | {"keypoints": changed}))
    monkeypatch.setattr(two_people, "FILE", tmp_path / "two_people.npz")
    two_people.load.cache_clear()
    try:
        moved = {(one.subject, one.camera.name): one for one in two_people.load().test}
    finally:
        two_people.load.cache_clear()
    torch.testing.assert_close(moved["man", "cam04"].positions, film["man", "cam04"].positions)
    assert (moved["man", "cam04"].keypoints[60] - film["man", "cam04"].keypoints[60]).min() > 100
    off = (moved["man", "cam01"].positions - film["man", "cam01"].positions).norm(dim=-1)
    assert off[:50].max() < 1e-5 and off[50:].mean() > 0.001


def test_nobody_else_is_as_likely():
    pixels, scores = two_people.seen()
    best, second, *_ = who_is_who(pixels, scores > 0, two_people.cameras())
    assert best.pixels < 20 and second.pixels > 3 * best.pixels


def test_the_man_without_her_is_where_the_others_see_him(film):
    alone, each, own = two_people.alone(), two_people.each_alone(), film["man", two_people.HIDDEN]
    assert torch.equal(alone.positions, own.positions) and alone.camera == own.camera
    limbs = slice(COCO_17.index("left_shoulder"), None)
    away = [
        (one.keypoints - project(one.positions, one.camera))[60:, limbs].norm(dim=-1).mean()
        for one in (alone, own, each)
    ]
    assert away[0] < 30 and away[2] > 2 * away[1]
    # she is in front of him in the end
    assert (each.confidence[80:] == 0).all() and (alone.confidence > 0).any(dim=1).all()


def test_people_stand_on_one_floor(film):
    """Their feet, in the world, are at its ground."""
    for one in film.values():
        world = camera_to_world(one.positions.double(), one.camera)
        feet = world[:, [COCO_17.index(f"{side}_ankle") for side in ("left", "right")], 2]
        assert feet.min(dim=1).values.median() == pytest.approx(0.1, abs=0.12)


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    archive = dict(np.load(two_people.FILE))
    np.savez(tmp_path / "two_people.npz", **(archive | {"scores": archive["scores"][:3]}))
    monkeypatch.setattr(two_people, "FILE", tmp_path / "two_people.npz")
    with pytest.raises(ValueError, match=r"two_people\.npz: scores is \(3, 2, 100, 17\)"):
        two_people.seen()
