import numpy as np
import pytest
import samples
import torch

import paperlib
from paperlib.cameras import camera_to_world
from paperlib.datasets import human36m
from paperlib.errors import MissingDataError
from paperlib.models import PoseAndTrajectory
from paperlib.skeletons import COCO_17, H36M_17, MPII_16
from paperlib.training import Recipe, SemiSupervised, train

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
CLIPS = {"Directions": 6, "Directions 1": 5, "Walking 1": 7, "Photo": 4}
KEPT = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
CALIBRATION = samples.calibration("human36m")


def into_camera(world, subject, index):
    return samples.into_camera(world, CALIBRATION["extrinsics"][subject][index])


def into_image(points, index):
    """The lens model of gaps.md 1.4, coordinate by coordinate."""
    lens = CALIBRATION["intrinsics"][index]
    k1, k2, k3 = lens["radial_distortion_k1_k2_k3"]
    p1, p2 = lens["tangential_distortion_p1_p2"]
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    assert (np.abs([x, y]) < 1).all()
    r2 = x**2 + y**2
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3 + p1 * x + p2 * y
    (fx, fy), (cx, cy) = lens["focal_length_xy_px"], lens["principal_point_xy_px"]
    return np.stack([fx * (x * factor + p1 * r2) + cx, fy * (y * factor + p2 * r2) + cy], axis=-1)


def motion() -> dict:
    """Subject -> clip -> (T, 32, 3) near the middle of the room, metres, float32."""
    rng = np.random.default_rng(3)
    return {
        subject: {
            clip: rng.uniform([-0.7, -0.7, 0], [0.7, 0.7, 1.8], (frames, 32, 3)).astype("f4")
            for clip, frames in CLIPS.items()
            if (subject, clip) != ("S11", "Directions")
        }
        for subject in SUBJECTS
    }


def filmed(positions: dict, extra: int = 2) -> dict:
    """Subject -> clip -> four arrays (T + extra, 17, 2) float32."""

    def one(world, subject, index):
        longer = np.concatenate([world[:, KEPT].astype("f8"), world[:extra, KEPT]])
        return into_image(into_camera(longer, subject, index), index).astype("f4")

    return {
        subject: {clip: [one(w, subject, i) for i in range(4)] for clip, w in clips.items()}
        for subject, clips in positions.items()
    }


def write_3d(folder, positions):
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=positions)


def write_2d(folder, keypoints, name="gt", layout="h36m", named=False):
    metadata = samples.metadata(layout, named)
    path = folder / f"data_2d_h36m_{name}.npz"
    np.savez_compressed(path, positions_2d=keypoints, metadata=metadata)


def test_split_actions_clips_and_frames(keypoints):
    data = human36m.load()
    assert {r.subject for r in data.train} == {"S1", "S5", "S6", "S7", "S8"}
    assert {r.subject for r in data.test} == {"S9", "S11"}
    assert len(data.train) == 5 * 4 * 4 and len(data.test) == (4 + 3) * 4
    assert {(r.clip, r.action) for r in data.train} == {(c, c.removesuffix(" 1")) for c in CLIPS}
    assert not [r for r in data.test if (r.subject, r.clip) == ("S11", "Directions")]
    for r in (*data.train, *data.test):
        assert len(r) == CLIPS[r.clip] and r.fps == 50
        assert r.positions.dtype == r.keypoints.dtype == torch.float32
        assert r.confidence.shape == (len(r), 17) and (r.confidence == 1).all()
    ids = [r.camera.name for r in data.test[:4]]
    assert ids == ["54138969", "55011271", "58860488", "60457274"]
    assert [r.camera.height for r in data.test[:4]] == [1002, 1000, 1000, 1002]
    assert data.skeleton is data.keypoint_skeleton is H36M_17


def test_positions_are_those_of_the_file_in_each_cameras_space(positions, keypoints):
    data = human36m.load()
    for r in (*data.train, *data.test):
        stored = positions[r.subject][r.clip][:, KEPT].astype("f8")
        index = human36m.camera_ids().index(r.camera.name)
        expected = into_camera(stored, r.subject, index)
        np.testing.assert_allclose(r.positions.numpy(), expected, atol=2e-6)
        back = camera_to_world(r.positions.double(), r.camera).numpy()
        np.testing.assert_allclose(back, stored, atol=2e-6)


def test_keypoints_are_cut_and_agree_with_the_projection(keypoints):
    data = human36m.load()
    for r in (*data.train, *data.test):
        index = human36m.camera_ids().index(r.camera.name)
        assert len(keypoints[r.subject][r.clip][index]) == len(r) + 2
        stored = keypoints[r.subject][r.clip][index]
        np.testing.assert_array_equal(r.keypoints.numpy(), stored[: len(r)])
        projected = paperlib.cameras.project(r.positions, r.camera).numpy()
        assert np.abs(projected - r.keypoints.numpy()).max() < 1e-2


def test_without_a_ground_truth_file_the_positions_are_projected(folder, keypoints):
    stored = human36m.load()
    (folder / "data_2d_h36m_gt.npz").unlink()
    made = human36m.load()
    for a, b in zip(stored.test, made.test, strict=True):
        assert a.name == b.name
        assert (a.keypoints - b.keypoints).abs().max() < 1e-2
    assert "exact projections" in made.source and "exact projections" not in stored.source


def test_files_with_17_joints_and_in_the_root_folder(folder, positions):
    full = human36m.load()
    (folder / "data_3d_h36m.npz").unlink()
    small = {s: {c: p[:, KEPT] for c, p in clips.items()} for s, clips in positions.items()}
    write_3d(folder.parent, small)
    again = human36m.load()
    assert full.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    ("name", "layout", "named", "skeleton"),
    [
        ("detectron_pt_coco", "coco", True, COCO_17),
        ("cpn_ft_h36m_dbb", "h36m", True, H36M_17),
        ("sh_pt_mpii", "mpii", False, MPII_16),
    ],
)
def test_detections(folder, positions, name, layout, named, skeleton):
    made = filmed(positions)
    order = samples.places_in_h36m(skeleton)
    made = {
        s: {c: [v[:, order] + 3 for v in views] for c, views in clips.items()}
        for s, clips in made.items()
    }
    made["S2"] = {"Walking": [np.zeros((9, len(order), 2), "f4")] * 4}  # has no motion capture
    write_2d(folder, made, name, layout, named)
    data = human36m.load(keypoints=name)
    assert data.keypoint_skeleton is skeleton and data.skeleton is H36M_17
    r = data.test[-1]
    np.testing.assert_array_equal(r.keypoints.numpy(), made[r.subject][r.clip][3][: len(r)])
    assert name in data.source and name in data.name


@pytest.mark.parametrize("layout", ["h36m", "coco"])
@pytest.mark.parametrize(
    "wrong", [lambda views: views[::-1], lambda views: [view / 500 - 1 for view in views]]
)
def test_keypoints_of_other_cameras_or_already_normalised_are_refused(
    folder, positions, layout, wrong
):
    skeleton = {"h36m": H36M_17, "coco": COCO_17}[layout]
    order = samples.places_in_h36m(skeleton)
    made = {
        s: {c: wrong([v[:, order] for v in views]) for c, views in clips.items()}
        for s, clips in filmed(positions).items()
    }
    write_2d(folder, made, "det", layout)
    with pytest.raises(ValueError, match=r"h36m_det\.npz: the keypoints of camera 54138969 lie"):
        human36m.load("det")


def test_chosen_cameras_and_actions(keypoints):
    data = human36m.load(cameras=["60457274", 54138969], actions=["Walking"])
    assert {r.action for r in data.train} == {"Walking"}
    assert {r.camera.name for r in data.train} == {"54138969", "60457274"}
    r = data.test[1]  # of the fourth camera, although it comes second here
    stored = keypoints[r.subject][r.clip][3][: CLIPS["Walking 1"]]
    np.testing.assert_array_equal(r.keypoints.numpy(), stored)
    assert "only Walking" in data.source
    for arguments, said in (
        ({"cameras": [1]}, r"unknown camera '1'.*54138969"),
        ({"actions": ["Walk"]}, r"unknown action 'Walk'.*Did you mean"),
        ({"actions": []}, "no action chosen"),
        ({"actions": ["Eating"]}, "no clips of Eating"),
    ):
        with pytest.raises(ValueError, match=said):
            human36m.load(**arguments)


def test_the_source_says_what_is_not_there(keypoints):
    source = human36m.load(actions=["Photo", "Smoking"]).source
    assert "Directions of S11 absent" in source
    assert "S1 Smoking" in source and "S1 Photo" not in source


def test_s11_directions_is_left_out_even_where_a_file_has_it(folder, positions):
    positions["S11"]["Directions"] = positions["S9"]["Directions"]
    write_3d(folder, positions)
    data = human36m.load()
    assert {r.clip for r in data.test if r.subject == "S11"} == set(CLIPS) - {"Directions"}


def test_the_data_sets_own_names_are_understood(folder, positions):
    for clips in positions.values():
        clips["TakingPhoto 1"] = clips.pop("Photo")
        clips["WalkingDog"] = clips["Walking 1"]
    write_3d(folder, positions)
    pairs = {(r.clip, r.action) for r in human36m.load().train}
    assert {("TakingPhoto 1", "Photo"), ("WalkingDog", "WalkDog")} <= pairs


def test_the_fifteen_actions_in_the_papers_order():
    assert len(human36m.ACTIONS) == 15
    assert human36m.ACTIONS[:3] == ("Directions", "Discussion", "Eating")
    assert human36m.ACTIONS[-3:] == ("WalkDog", "Walking", "WalkTogether")


def test_cameras_differ_between_subjects_in_place_but_not_in_lens():
    first, other = human36m.cameras("S1"), human36m.cameras("S9")
    assert [c.focal for c in first] == [c.focal for c in other]
    assert first[0].position != other[0].position
    assert first[0].focal == pytest.approx((1145.0494, 1143.7811), abs=1e-4)
    assert first[0].position == pytest.approx((1.8411, 4.9553, 1.5634), abs=1e-4)
    with pytest.raises(ValueError, match="unknown subject 'S2'"):
        human36m.cameras("S2")


def test_missing_detections_name_what_is_there(keypoints):
    with pytest.raises(MissingDataError, match=r"data_2d_h36m_cpn\.npz.*data_2d_h36m_gt\.npz"):
        human36m.load(keypoints="cpn")


SPOILT = {
    "shorter": lambda made: made["S6"]["Photo"].insert(2, made["S6"]["Photo"].pop(2)[:3]),
    "three cameras": lambda made: made["S9"]["Walking 1"].pop(),
    "no clip": lambda made: made["S8"].pop("Photo"),
    "no subject": lambda made: made.pop("S11"),
    "sixteen joints": lambda made: made["S1"].update(Photo=[np.zeros((6, 16, 2), "f4")] * 4),
    "nan": lambda made: made["S1"]["Photo"][0][1, 2, :1].fill(np.nan),
    "objects": lambda made: made["S1"]["Photo"].insert(2, made["S1"]["Photo"].pop(2).astype("O")),
    "text": lambda made: made["S1"]["Photo"].insert(2, made["S1"]["Photo"].pop(2).astype("U9")),
    "complex": lambda made: made["S1"]["Photo"].insert(2, made["S1"]["Photo"].pop(2) * 1j),
    "ragged": lambda made: made["S1"].update(Photo=[[[[1, 2], [3]]]] * 4),
    "no list": lambda made: made["S1"].update(Photo=3.0),
    "no array": lambda made: made["S1"].update(Photo=np.array(3.0)),
    "no clips": lambda made: made.update(S1=np.zeros((6, 17, 2))),
}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("shorter", r"S6/Photo: keypoints of 3 frames, shorter than the 4 frames"),
        ("three cameras", r"S9/Walking 1: keypoints of 3 cameras, expected 4"),
        ("no clip", r"S8/Photo: no 2D keypoints"),
        ("no subject", r"S11/Directions 1: no 2D keypoints"),
        ("sixteen joints", r"S1/Photo: keypoints of shape \(6, 16, 2\), expected \(T, 17, 2\)"),
        ("nan", r"keypoints has NaN .* frame 1"),
        ("objects", r"gt\.npz: S1/Photo: expected an array of numbers, got one of object"),
        ("text", r"gt\.npz: S1/Photo: expected an array of numbers, got one of <U"),
        ("complex", r"gt\.npz: S1/Photo: expected an array of numbers, got one of complex"),
        ("ragged", r"gt\.npz: S1/Photo: expected an array of numbers, got one of object"),
        ("no list", r"gt\.npz: S1/Photo: expected an array for each camera, got .*float"),
        ("no array", r"gt\.npz: S1/Photo: expected an array for each camera, got .*ndarray"),
        ("no clips", r"gt\.npz: positions_2d\['S1'\] must be a dictionary .*, got ndarray"),
    ],
)
def test_spoilt_keypoints(folder, keypoints, what, said):
    SPOILT[what](keypoints)
    write_2d(folder, keypoints)
    with pytest.raises(ValueError, match=said):
        human36m.load()


def test_spoilt_positions(folder, positions):
    def expect(said):
        write_3d(folder, positions)
        with pytest.raises(ValueError, match=said):
            human36m.load()

    whole = positions["S1"]["Photo"]
    for dtype in ("O", "U12", "c8", "?"):
        positions["S1"]["Photo"] = whole.astype(dtype)
        expect(r"h36m\.npz: S1/Photo: expected an array of numbers, got one of")
    for columns, whose in ((99, "Human3.6M's"), (117, "CMU's")):
        positions["S1"]["Photo"] = np.zeros((4, columns))
        expect(rf"S1/Photo: {columns} columns are {whose} joint angles, not positions")
    positions["S1"]["Photo"] = whole * 1000
    expect(r"S1/Photo: positions up to \d+: millimetres")
    positions["S1"]["Photo"] = positions["S1"]["Photo"][:, :20]
    expect(r"S1/Photo: expected positions \(T, 32, 3\).*\(4, 20, 3\)")
    positions["S1"]["Juggling"] = positions["S1"].pop("Photo")
    expect("unknown action .*'Juggling'")
    del positions["S9"]
    expect("no positions of S9")
    positions["S9"] = whole
    expect(r"h36m\.npz: positions_3d\['S9'\] must be a dictionary .*, got ndarray")


@pytest.mark.parametrize("text", [",".join(["0.1"] * 117), "<html></html>", ""])
def test_a_file_of_another_kind_under_that_name(folder, positions, text):
    """CMU's angles, say."""
    (folder / "data_3d_h36m.npz").write_text(text)
    with pytest.raises(ValueError, match=r"data_3d_h36m\.npz: (not a readable NumPy arch|a web)"):
        human36m.load()


def test_another_archive_under_that_name(folder, positions):
    np.savez_compressed(folder / "data_3d_h36m.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match=r"expected an entry 'positions_3d'.*something"):
        human36m.load()


# ---- subjects without positions ------------------------------------------------------------------

FILMS = {"Walking": [9, 9, 8, 9], "TakingPhoto 1": [5] * 4}  # frames in each camera


def films(subjects=("S2", "S3", "S10"), joints=17) -> dict:
    rng = np.random.default_rng(7)
    return {
        subject: {
            clip: [rng.uniform(100, 900, (frames, joints, 2)).astype("f4") for frames in lengths]
            for clip, lengths in FILMS.items()
        }
        for subject in subjects
    }


def test_subjects_without_positions_are_films_to_learn_from(folder):
    """Without a file of positions, and of the whole of each camera's film."""
    stored = films()
    write_2d(folder, {"S1": {"Walking": stored["S2"]["Walking"]}} | stored, "det")
    data = human36m.load_unlabelled("det")
    assert [(r.subject, r.clip) for r in data.train[::4]] == [(s, c) for s in stored for c in FILMS]
    assert data.test == () and data.skeleton is data.keypoint_skeleton is H36M_17
    assert "S2, S3, S10" in data.source and data.name == "human36m-det-unlabelled"
    for i, r in enumerate(data.train):
        np.testing.assert_array_equal(r.keypoints.numpy(), stored[r.subject][r.clip][i % 4])
        assert r.positions is None and r.fps == 50 and (r.confidence == 1).all()
        assert r.action == {"Walking": "Walking", "TakingPhoto 1": "Photo"}[r.clip]
        known = human36m.cameras("S1")[i % 4]
        for constant in ("name", "width", "height", "focal", "centre", "radial", "tangential"):
            assert getattr(r.camera, constant) == getattr(known, constant)
    some = human36m.load_unlabelled("det", "S3", ["58860488"], ["Walking"])
    assert [(r.subject, r.clip, len(r)) for r in some.train] == [("S3", "Walking", 8)]
    np.testing.assert_array_equal(some.train[0].keypoints, stored["S3"]["Walking"][2])


def test_they_are_learnt_from_beside_labelled_ones(folder, keypoints, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(folder / "runs"))
    write_2d(folder, keypoints | films(), "det")
    labelled, unlabelled = human36m.load("det"), human36m.load_unlabelled("det")
    build = lambda: PoseAndTrajectory(17, 2, 17, filter_widths=(1,), channels=4)  # noqa: E731
    recipe = Recipe(epochs=2, batch_size=64)
    run = train(SemiSupervised(build, labelled, unlabelled), recipe, device="cpu", progress=False)
    assert run.history[1]["projection"] > 0 and run.history[0]["projection"] == 0


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (lambda made: made.clear(), {}, r"h36m_det\.npz: no keypoints of S2, S3, S4, S10"),
        (lambda made: None, {"subjects": ["S4"]}, "unknown subject without poses 'S4'"),
        (lambda made: None, {"subjects": ["S1"]}, "unknown subject without poses 'S1'"),
        (lambda made: None, {"actions": ["Eating"]}, "no clips of Eating"),
        (lambda made: made["S3"]["Walking"].pop(), {}, "S3/Walking: keypoints of 3 cameras"),
        (
            lambda made: made["S2"].update(Walking=[np.zeros((3, 16, 2), "f4")] * 4),
            {},
            r"S2/Walking: keypoints of shape \(3, 16, 2\)",
        ),
        (
            lambda made: made.update(
                S2={"Walking": [np.full((3, 17, 2), 0.5, "f4")] * 4}, S3={}, S10={}
            ),
            {},
            "keypoints up to 10: normalised",
        ),
    ],
)
def test_films_that_are_not_there_or_spoilt(folder, change, arguments, said):
    made = films()
    change(made)
    write_2d(folder, made, "det")
    with pytest.raises(ValueError, match=said):
        human36m.load_unlabelled("det", **arguments)


def test_missing_films(folder):
    with pytest.raises(MissingDataError, match=r"data_2d_h36m_cpn_ft_h36m_dbb\.npz is missing"):
        human36m.load_unlabelled()
