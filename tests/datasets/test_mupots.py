"""MuPoTS-3D: on small files of the public format, made here."""

import pickle

import numpy as np
import pytest
import torch
from scipy.io import savemat
from veges2020_files import FRAMES, PEOPLE, cells, lens, scene, tracks_of, write_scene, write_tracks

from paperlib.cameras import project
from paperlib.datasets import mupots
from paperlib.errors import MissingDataError, UnsafeFileError
from paperlib.skeletons import COCO_19, MUPOTS_17


@pytest.fixture
def made(folder):
    """TS1 and TS7 on the disk."""
    scenes = {"TS1": scene("TS1"), "TS7": scene("TS7", people=3)}
    for name, one in scenes.items():
        write_scene(folder, name, one)
    return scenes


def test_all_sequences_and_people(folder):
    for name in mupots.SEQUENCES:
        write_scene(folder, name, scene(name, frames=3, people=3 if name == "TS7" else 2))
    data = mupots.load()
    assert data.name == "mupots-normal" and data.train == () and len(data.test) == 41
    assert data.skeleton is data.keypoint_skeleton is MUPOTS_17
    assert list(dict.fromkeys(r.clip for r in data.test)) == [f"TS{k}" for k in range(1, 21)]
    assert [r.person for r in data.test if r.clip == "TS7"] == [0, 1, 2]
    for r in data.test:
        indoors = r.clip in ("TS1", "TS2", "TS3", "TS4", "TS5")
        assert (r.fps, r.camera.width, r.camera.height) == (
            (30, 2048, 2048) if indoors else (60, 1920, 1080)
        )
        assert r.action == ("indoors" if indoors else "outdoors")
    assert "TS1, TS2" in data.source and "without a valid annotation" in data.excluded


def test_positions_and_keypoints_are_those_of_the_file(made):
    for name, one in made.items():
        tracks = mupots.load(sequences=name).test
        assert len(tracks) == one["annot3"].shape[1]
        for p, r in enumerate(tracks):
            np.testing.assert_allclose(r.positions.numpy(), one["annot3"][:, p] / 1000, atol=1e-6)
            np.testing.assert_allclose(r.keypoints.numpy(), one["annot2"][:, p], rtol=1e-6)
            assert r.positions.dtype == r.keypoints.dtype == torch.float32


def test_universal_positions_leave_camera_and_keypoints_as_they_are(made):
    normal, scaled = (mupots.load("TS7", c) for c in ("normal", "universal"))
    assert scaled.name == "mupots-universal" and "universal coordinates" in scaled.source
    for p, (a, b) in enumerate(zip(normal.test, scaled.test, strict=True)):
        expected = made["TS7"]["univ_annot3"][:, p] / 1000
        np.testing.assert_allclose(b.positions.numpy(), expected, atol=1e-6)
        assert a.camera == b.camera and torch.equal(a.keypoints, b.keypoints)


def test_intrinsics_are_fitted(made):
    for r in mupots.load(["TS1", "TS7"]).test:
        fx, fy, cx, cy = lens(r.clip)
        assert r.camera.focal == pytest.approx((fx, fy), abs=1e-3)
        assert r.camera.centre == pytest.approx((cx, cy), abs=1e-3)
        assert (project(r.positions, r.camera) - r.keypoints).abs().max() < 0.01


def test_the_fit_is_the_least_squares_of_valid_annotations(folder):
    """With noise: the line of u over X/Z; frames that do not hold play no part."""
    one = scene("TS8")
    one["annot2"] += np.random.default_rng(1).normal(0, 5, one["annot2"].shape)
    one["annot2"][~one["isValidFrame"]] += 300
    write_scene(folder, "TS8", one)
    camera = mupots.load("TS8").test[0].camera
    pixels, points = (
        one[f][one["isValidFrame"]].reshape(-1, n) for f, n in (("annot2", 2), ("annot3", 3))
    )
    for axis in range(2):
        line = np.polyfit(points[:, axis] / points[:, 2], pixels[:, axis], 1)
        assert (camera.focal[axis], camera.centre[axis]) == pytest.approx(line, abs=1e-4)


def test_validity_and_occlusion(made):
    for p, r in enumerate(mupots.load("TS1").test):
        valid = made["TS1"]["isValidFrame"][:, p]
        assert (mupots.valid_frames(r).numpy() == valid).all() and not valid.all()
        seen = ~made["TS1"]["occluded"][:, p] & valid[:, None]
        assert (r.visible.numpy() == seen).all() and seen.any()
        assert (r.confidence.numpy() == np.repeat(valid[:, None], 17, axis=1)).all()


def test_someone_hidden_altogether_still_counts(folder):
    one = scene("TS1")
    one["occluded"][:, 0] = True
    write_scene(folder, "TS1", one)
    first = mupots.load("TS1").test[0]
    assert not first.visible.any()
    assert mupots.valid_frames(first).tolist() == [True, False, True, True, True]


def test_what_is_stored_for_frames_that_do_not_hold(folder):
    """Kept as it is if it can be a person before the camera; else the nearest frame that holds."""
    one = scene("TS1", frames=6)
    one["isValidFrame"][:] = True
    one["isValidFrame"][[0, 1, 4, 5], 0] = False
    one["annot3"][0, 0] = np.nan
    one["annot2"][0, 0] = np.nan
    one["annot3"][1, 0] = 0
    one["annot3"][4, 0] = 123, 45, 4000
    one["annot3"][5, 0] = -one["annot3"][5, 0]
    write_scene(folder, "TS1", one)
    first = mupots.load("TS1").test[0]
    stored = torch.from_numpy(one["annot3"][:, 0] / 1000).float()
    expected = stored[[2, 2, 2, 3, 4, 3]]
    torch.testing.assert_close(first.positions, expected)
    assert mupots.valid_frames(first).tolist() == [False, False, True, True, False, False]
    assert not first.visible[[0, 1, 4, 5]].any()


def test_an_array_of_structures_is_read_as_well(folder, made):
    one = made["TS1"]
    fields = ("annot2", "annot3", "univ_annot3", "isValidFrame")
    array = np.zeros((FRAMES, PEOPLE), dtype=[(f, object) for f in fields])
    for place in np.ndindex(array.shape):
        for f in fields:
            array[place][f] = np.atleast_2d(one[f][place]).T.astype("f8")
    before = mupots.load("TS1").fingerprint
    write_scene(folder, "TS1", one, annotations=array)
    assert mupots.load("TS1").fingerprint == before


def test_the_downloads_own_folder_may_stay(folder, made):
    assert mupots.find() == folder
    before = mupots.load("TS7").fingerprint
    (folder / "MultiPersonTestSet").mkdir()
    for name in made:
        (folder / name).rename(folder / "MultiPersonTestSet" / name)
    assert mupots.load("TS7").fingerprint == before
    assert mupots.find() == folder / "MultiPersonTestSet"


# ---- HRNet's keypoints ---------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 5])
def test_hrnets_keypoints_take_the_place_of_the_annotated_ones(folder, made, protocol):
    stored = tracks_of(made["TS1"])
    write_tracks(folder, stored, protocol=protocol)
    annotated, data = mupots.load("TS1"), mupots.load("TS1", keypoints="hrnet")
    assert data.name == "mupots-normal-hrnet" and "HRNet" in data.source
    for person, (before, r) in enumerate(zip(annotated.test, data.test, strict=True)):
        assert r.keypoint_skeleton is COCO_19 and r.name == before.name
        assert torch.equal(r.positions, before.positions) and r.camera == before.camera
        own = np.nan_to_num(stored["pose"][:, person])
        assert (r.keypoints.numpy() == own[..., :2]).all()
        assert (r.confidence.numpy() == own[..., 2].clip(0, 1)).all() and own.max() > 1
        assert (r.found.numpy() == stored["valid_pose"][:, person]).all()


def test_tracks_that_are_not_there_or_of_something_else_are_refused(folder, made):
    with pytest.raises(
        MissingDataError, match=r"hrnet_pose2d/TS1\.pkl is missing.*pose_refinement"
    ):
        mupots.load("TS1", keypoints="hrnet")
    one = made["TS1"]
    nan = tracks_of(one)
    nan["pose"][0, 0, 3, 1] = np.nan
    for stored, said in (
        (tracks_of(made["TS7"]), r"'pose' of float32 \(5, 3, 19, 3\), expected .*\(5, 2, 19, 3\)"),
        (tracks_of(one, valid_pose=np.ones(5)), r"'valid_pose' of float64 \(5,\)"),
        (tracks_of(one, pose=[["a"]]), "'pose' of <U1"),
        ({"poses": 1}, r"TS1\.pkl: expected a dictionary .* found \['poses'\]"),
        ([1], "found list"),
        (nan, "NaN or infinite keypoints of people who are said to be found"),
        (pickle.dumps(tracks_of(one))[:-200], "not a readable pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
    ):
        write_tracks(folder, stored)
        with pytest.raises(ValueError, match=said):
            mupots.load("TS1", keypoints="hrnet")
    write_tracks(folder, pickle.dumps({"pose": print, "valid_pose": 1}))
    with pytest.raises(UnsafeFileError, match=r"builtins\.print"):
        mupots.load("TS1", keypoints="hrnet")
    with pytest.raises(ValueError, match="unknown keypoints 'openpose'"):
        mupots.load("TS1", keypoints="openpose")


# ---- what is refused -----------------------------------------------------------------------------


def test_missing_labels(folder):
    write_scene(folder, "TS1", scene("TS1"))
    (folder / "TS1" / "occlusion.mat").unlink()
    with pytest.raises(MissingDataError, match=r"TS1/occlusion\.mat is missing"):
        mupots.load("TS1")


def metres(one):
    one["annot3"] = one["annot3"] / 1000
    one["annot3"][1, 0] = 1e6  # what does not hold says nothing


SPOILT = {
    "metres": metres,
    "universal metres": lambda one: one.update(univ_annot3=one["univ_annot3"] / 1000),
    "fourteen joints": lambda one: one.update(annot3=one["annot3"][:, :, :14]),
    "columns": lambda one: one.update(annot2=one["annot2"].swapaxes(-1, -2)),
    "nan": lambda one: one["univ_annot3"][3, 1, 2].fill(np.nan),
    "other people": lambda one: one.update(annot2=one["annot2"][:, ::-1]),
    "scattered": lambda one: one.update(
        annot2=one["annot2"] + 200 * (-1) ** np.arange(17)[:, None]
    ),
    "nothing holds": lambda one: one["isValidFrame"].fill(False),
    "behind": lambda one: one.update(annot3=-one["annot3"]),
    "few flags": lambda one: one.update(occluded=one["occluded"][..., :15]),
    "short labels": lambda one: one.update(occluded=one["occluded"][:-1]),
}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("metres", r"annot\.mat: positions up to 4\.\d+: metres\? expected millimetres"),
        ("universal metres", r"annot\.mat: positions up to \d\.\d+: metres"),
        ("fourteen joints", r"annot3 of shape \(3, 14\) in .* person \(0, 0\); expected \(3, 17\)"),
        ("columns", r"annot2 of shape \(17, 2\)"),
        ("nan", r"TS6-1/outdoors/TS6/TS6/1: positions has NaN .* in 1 of 5 frames.* frame 3"),
        ("other people", "positions and keypoints fit no camera"),
        ("scattered", r"positions are seen \d{3} pixels from the keypoints \(median\)"),
        ("nothing holds", "no valid annotation before the camera"),
        ("behind", "no valid annotation before the camera"),
        ("few flags", r"occlusion\.mat: 15 flags for frame and person \(0, 0\); expected 17"),
        ("short labels", r"annotations \(5, 2\), occlusion labels \(4, 2\)"),
    ],
)
def test_spoilt_annotations(folder, what, said):
    one = scene("TS6")
    SPOILT[what](one)
    write_scene(folder, "TS6", one)
    with pytest.raises(ValueError, match=said):
        mupots.load("TS6", "universal")


def test_structures_without_a_field_or_none_at_all(folder, made):
    entries = cells(made["TS1"])
    del entries[2, 1]["isValidFrame"]
    write_scene(folder, "TS1", made["TS1"], annotations=entries)
    with pytest.raises(ValueError, match=r"no isValidFrame in .* person \(2, 1\)"):
        mupots.load("TS1")
    write_scene(folder, "TS1", made["TS1"], annotations=np.zeros((FRAMES, PEOPLE)))
    with pytest.raises(ValueError, match=r"no isValidFrame in .* person \(0, 0\)"):
        mupots.load("TS1")


@pytest.mark.parametrize("name", ["annot", "occlusion"])
def test_files_that_cannot_be_read(folder, made, name):
    path = folder / "TS1" / f"{name}.mat"
    whole = path.read_bytes()
    for part in (whole[: len(whole) // 2], whole[:60], b"", b"no such file at all" * 20):
        path.write_bytes(part)
        with pytest.raises(ValueError, match=rf"{name}\.mat: (not a readable MATLAB|no variable)"):
            mupots.load("TS1")
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM" + bytes(400))
    with pytest.raises(ValueError, match=rf"{name}\.mat: of MATLAB 7\.3; .*'-v7'"):
        mupots.load("TS1")
    savemat(path, {"something": np.zeros(3)})
    with pytest.raises(ValueError, match=rf"{name}\.mat: no variable .*; this is another kind"):
        mupots.load("TS1")
