"""Penn Action: on small files of the public format, made here."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from paperlib import datasets
from paperlib.datasets import penn_action
from paperlib.errors import MissingDataError
from paperlib.skeletons import H36M_17, PENN_13


def film(frames: int = 6, seed: int = 0, **changes) -> dict:
    """What the data set's files hold, as MATLAB wrote it."""
    rng = np.random.default_rng(seed)
    visibility = (rng.random((frames, 13)) < 0.8).astype("u1")
    visibility[0] = 1
    fields = {
        "action": "squat",
        "pose": "front",
        "x": rng.uniform(1, 480, (frames, 13)),
        "y": rng.uniform(1, 270, (frames, 13)),
        "visibility": visibility,
        "train": np.array([[1]], dtype="i2"),
        "bbox": np.tile([10.0, 10.0, 400.0, 260.0], (frames, 1)),
        "dimensions": np.array([[270, 480, frames]], dtype="u2"),
        "nframes": np.array([[frames]], dtype="u2"),
    }
    return fields | changes


def write(folder, number: int, one: dict, **how):
    (folder / "labels").mkdir(exist_ok=True)
    savemat(folder / "labels" / f"{number:04d}.mat", one, **how)


@pytest.fixture
def films(folder):
    made = {
        1: film(seed=1),
        2: film(4, seed=2, train=np.array([[-1]], dtype="i2")),
        7: film(5, seed=3, action="jump_rope"),
    }
    for number, one in made.items():
        write(folder, number, one, do_compression=number != 7)
    (folder / "labels" / "readme.txt").write_text("not a film")
    return made


def test_films_are_split_as_their_files_say(films):
    data = penn_action.load()
    assert [r.clip for r in data.train] == ["0001", "0007"]
    assert [r.clip for r in data.test] == ["0002"]
    assert [r.action for r in data.train] == ["squat", "jump_rope"]
    assert data.skeleton is data.keypoint_skeleton is PENN_13
    assert "2 films to learn from, 1 to test on" in data.source and "no 3D" in data.source
    assert data.excluded == "nothing"
    small = datasets.load("penn_action", small=True)
    assert [r.clip for r in small.train] == ["0001"] and len(small.test) == 1


def test_points_and_visibility_are_those_of_the_file(films):
    for r in penn_action.load().train:
        one = films[int(r.clip)]
        seen = one["visibility"] == 1
        assert not seen.all() and len(r) == len(seen)
        assert (r.confidence.numpy() == seen).all() and (r.visible.numpy() == seen).all()
        expected = np.stack([one["x"], one["y"]], axis=-1)
        np.testing.assert_allclose(r.keypoints.numpy()[seen], expected[seen], rtol=1e-6)
        assert (r.camera.width, r.camera.height) == (480, 270)
        assert r.positions is None and r.fps == 30
        with pytest.raises(ValueError, match="no 3D positions"):
            _ = r.pose


def test_what_is_not_visible_is_interpolated_whatever_is_stored_there(folder):
    one = film(3, visibility=np.ones((3, 13), dtype="u1"))
    one["visibility"][1, 4] = 0
    one["x"][1, 4], one["y"][1, 4] = np.nan, 1e30
    write(folder, 3, one)
    (r,) = penn_action.load().train
    expected = [(one["x"][0, 4] + one["x"][2, 4]) / 2, (one["y"][0, 4] + one["y"][2, 4]) / 2]
    np.testing.assert_allclose(r.keypoints[1, 4].numpy(), expected, rtol=1e-6)
    assert r.confidence[1, 4] == 0


def test_actions_are_spelt_in_two_ways(folder):
    write(folder, 4, film(action="strumming_guitar"))
    write(folder, 5, film(action="strum_guitar"))
    assert {r.action for r in penn_action.load().train} == {"strum_guitar"}


def test_as_joints_of_human36m(films):
    name = H36M_17.index
    plain = penn_action.load().train[0]
    r = penn_action.load(joints="h36m_17").train[0]
    assert r.skeleton is r.keypoint_skeleton is H36M_17
    assert set(penn_action.JOINTS) == {"penn_13", "h36m_17"}
    for joint in ("left_shoulder", "right_wrist", "left_knee", "right_ankle"):
        theirs = PENN_13.index(joint)
        seen = plain.visible[:, theirs]
        assert torch.equal(r.keypoints[seen, name(joint)], plain.keypoints[seen, theirs])
        assert torch.equal(r.confidence[:, name(joint)], plain.confidence[:, theirs])
    for middle, part in (("pelvis", "hip"), ("thorax", "shoulder")):
        ends = [PENN_13.index(f"{side}_{part}") for side in ("left", "right")]
        both = plain.visible[:, ends].all(dim=1)
        assert torch.equal(r.visible[:, name(middle)], both)
        mean = plain.keypoints[both][:, ends].mean(dim=1)
        torch.testing.assert_close(r.keypoints[both, name(middle)], mean)
    for unknown in ("spine", "neck_nose", "head_top"):
        assert not r.confidence[:, name(unknown)].any() and not r.visible[:, name(unknown)].any()
    assert penn_action.load(joints="h36m_17").name != penn_action.load().name


def test_films_without_a_visible_point_are_left_out_and_counted(folder, films):
    write(folder, 9, film(visibility=np.zeros((6, 13), dtype="u1")))
    data = penn_action.load()
    assert data.excluded == "1 films in which no point is visible"
    assert len(data.train) == 2
    assert penn_action.load(["jump_rope"]).excluded == "nothing"


def test_the_downloads_own_folder_may_stay(folder, films):
    before = penn_action.load().fingerprint
    (folder / "Penn_Action").mkdir()
    (folder / "labels").rename(folder / "Penn_Action" / "labels")
    assert penn_action.load().fingerprint == before
    assert penn_action.find() == folder / "Penn_Action"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "juggling"}, r"unknown action in .*0003.mat: 'juggling'.*'squat'"),
        ({"train": np.array([[0]])}, r"unknown train in .*0003.mat: 0: choose one of 1, -1"),
        ({"x": np.zeros((6, 14))}, r"0003.mat: x of float64 \(6, 14\).*\(N, 13\)"),
        ({"y": np.zeros((5, 13))}, r"0003.mat: 6 rows of x, 5 of y"),
        ({"visibility": np.full((6, 13), 2)}, "visibility of 0 or 1"),
        ({"x": np.full((6, 13), np.nan)}, "pixels up to 100000 of visible points"),
        ({"x": np.full((6, 13), 1e9)}, "pixels up to 100000 of visible points"),
        ({"dimensions": np.array([[0, 480, 6]])}, r"dimensions \[0, 480, 6\]"),
        ({"dimensions": np.array([[270, 480]])}, r"dimensions \[270, 480\], expected height"),
        ({"dimensions": "large"}, "dimensions"),
        ({"x": {"a": 1}}, "0003.mat"),
        ({"action": np.zeros((2, 2))}, "0003.mat"),
        ({"train": np.zeros((2, 2))}, "0003.mat"),
    ],
)
def test_files_that_hold_something_else(folder, changes, said):
    write(folder, 3, film() | changes)
    with pytest.raises(ValueError, match=said):
        penn_action.load()


def test_a_field_that_is_missing(folder):
    one = film()
    del one["visibility"]
    write(folder, 3, one)
    with pytest.raises(ValueError, match=r"0003.mat: no variable visibility"):
        penn_action.load()


@pytest.mark.parametrize("kept", [0, 100, 300, 900])
def test_truncated_files_are_refused(folder, kept):
    write(folder, 3, film())
    path = folder / "labels" / "0003.mat"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"0003.mat"):
        penn_action.load()


def test_a_folder_without_films(folder):
    with pytest.raises(MissingDataError, match="Penn Action: labels is missing"):
        penn_action.load()
    (folder / "labels").mkdir()
    with pytest.raises(ValueError, match=r"no 0001.mat"):
        penn_action.load()
    write(folder, 1, film())
    with pytest.raises(ValueError, match="no films of bowl"):
        penn_action.load(["bowl"])
