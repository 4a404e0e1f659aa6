"""HumanEva-I: on small files of the public format, made here."""

from pathlib import Path

import numpy as np
import pytest
import samples
import torch

from paperlib import datasets
from paperlib.cameras import camera_to_world, project, world_to_camera
from paperlib.datasets import humaneva
from paperlib.errors import MissingDataError, UnsafeFileError
from paperlib.recordings import count_frames
from paperlib.skeletons import COCO_17, HUMANEVA_15
from paperlib.windows import keypoint_windows

SUBJECTS = ("S1", "S2", "S3")
CLIPS = {  # frames of every chunk; the numbers left out were invalid
    part: {
        f"{name} 1 chunk{n}": int(frames) for name, n, frames in map(str.split, clips.split(", "))
    }
    for part, clips in {
        "Train": "Walking 0 6, Walking 2 40, Jog 1 5, Box 0 4, Gestures 0 3, ThrowCatch 0 4",
        "Validate": "Walking 0 5, Jog 0 7, Jog 4 2, Box 0 3, Gestures 0 2, ThrowCatch 0 4",
    }.items()
}
CALIBRATION = samples.calibration("humaneva")
# fx, fy, cx, cy, k1, k2, p1, p2 of lenses as those of such cameras, in OpenCV's model, which is
# the one of the data set's own tools
LENSES = (
    (765.8, 765.3, 299.8, 232.3, -0.289, 0.106, -0.00136, 0.00113),
    (700.0, 698.5, 281.0, 225.0, -0.25, 0.09, 0.0004, -0.0008),
    (724.0, 723.5, 302.5, 250.0, -0.27, 0.11, 0.0007, 0.0005),
)
MEANS = [1, 3, 6, 9, 12]  # thorax, elbows and knees lie half way between two markers


def into_camera(world, subject, index):
    return samples.into_camera(world, CALIBRATION["extrinsics"][subject][f"C{index + 1}"])


def into_image(points, index):
    fx, fy, cx, cy, k1, k2, p1, p2 = LENSES[index]
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)
    v = y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
    return np.stack([fx * u + cx, fy * v + cy], axis=-1)


def motion() -> dict:
    """Part/subject -> chunk -> (T, 15, 3) on the stage, metres, float32."""
    rng = np.random.default_rng(4)
    return {
        f"{part}/{subject}": {
            clip: rng.uniform([-1.0, -0.8, 0], [1.0, 0.8, 1.8], (frames, 15, 3)).astype("f4")
            for clip, frames in clips.items()
            if (subject, clip[:5]) != ("S3", "Throw")  # damaged, and left out of the files
        }
        for part, clips in CLIPS.items()
        for subject in SUBJECTS
    }


def filmed(positions: dict) -> dict:
    """Part/subject -> chunk -> three arrays (T, 15, 2) float32. As in the public files, a joint
    between two markers is the mean of their projections."""
    apart = np.zeros((15, 3))
    apart[MEANS] = [0.03, -0.02, 0.04]

    def one(world, subject, index):
        ends = [into_camera(world + sign * apart, subject, index) for sign in (1, -1)]
        return np.mean([into_image(end, index) for end in ends], axis=0).astype("f4")

    return {
        key: {
            clip: [one(w.astype("f8"), key[-2:], i) for i in range(3)] for clip, w in clips.items()
        }
        for key, clips in positions.items()
    }


def write_3d(folder, positions):
    np.savez_compressed(folder / "data_3d_humaneva15.npz", positions_3d=positions)


def write_2d(folder, keypoints, name="gt", layout="humaneva15"):
    path = folder / f"data_2d_humaneva15_{name}.npz"
    np.savez_compressed(path, positions_2d=keypoints, metadata=samples.metadata(layout))


def coded() -> dict:
    """What a COCO detector found, made so that every chunk, view and part has one value only."""
    values = iter(range(1, 1000))
    found = {
        key: {
            clip: [np.full((len(world), 17, 2), next(values), "f8") for _ in range(3)]
            for clip, world in clips.items()
        }
        for key, clips in motion().items()
    }
    # the public file has detections of what was not captured as well
    found["Unlabeled/Train/S1"] = {"Walking 1 chunk1": [np.zeros((9, 17, 2), "f4")] * 3}
    found["Unlabeled/S4"] = {"Box 1": [None, None, np.zeros((9, 17, 2), "f4")]}
    return found


# ---- what is read --------------------------------------------------------------------------------


def test_split_actions_chunks_and_frames(keypoints):
    data = datasets.load("humaneva")
    assert data.name == "humaneva-gt" and data.skeleton is data.keypoint_skeleton is HUMANEVA_15
    for part, recordings in (("Train", data.train), ("Validate", data.test)):
        counted = [(r.subject, r.clip, r.camera.name, len(r)) for r in recordings]
        expected = [
            (subject, f"{part} {clip}", camera, frames)
            for subject in SUBJECTS
            for clip, frames in CLIPS[part].items()
            if clip[0] in "WJB"
            for camera in ("C1", "C2", "C3")
        ]
        assert counted == expected
    assert {r.action for r in data.train} == {"Walk", "Jog", "Box"}
    assert {r.action for r in data.test if "Walking" in r.clip} == {"Walk"}
    for r in (*data.train, *data.test):
        assert r.fps == 60 and (r.camera.width, r.camera.height) == (640, 480)
        assert r.positions.dtype == r.keypoints.dtype == torch.float32
        assert r.confidence.shape == (len(r), 15) and (r.confidence == 1).all()
    assert "Walk, Jog, Box of S1, S2, S3" in data.source and "gt" in data.source
    assert data.excluded == "frames without valid motion capture"


def of_file(recording, stored):
    part, clip = recording.clip.split(" ", 1)
    return stored[f"{part}/{recording.subject}"][clip]


def test_positions_are_those_of_the_file_in_each_cameras_space(positions, keypoints):
    data = humaneva.load()
    for r in (*data.train, *data.test):
        world = of_file(r, positions).astype("f8")
        expected = into_camera(world, r.subject, int(r.camera.name[1]) - 1)
        np.testing.assert_allclose(r.positions.numpy(), expected, atol=5e-6)
        back = camera_to_world(r.positions.double(), r.camera).numpy()
        np.testing.assert_allclose(back, world, atol=5e-6)


def test_keypoints_are_those_of_the_file_and_of_the_right_camera(keypoints):
    data = humaneva.load()
    for r in (*data.train, *data.test):
        view = of_file(r, keypoints)[int(r.camera.name[1]) - 1]
        np.testing.assert_array_equal(r.keypoints.numpy(), view)


def test_cameras_stand_where_the_data_sets_own_calibration_has_them(keypoints):
    """Rotation and translation of C1 as calibration files write them: X_c = R X_w + T."""
    turn = [
        [-0.143362, 0.989627, 0.009217],
        [0.167173, 0.033395, -0.985362],
        [-0.975449, -0.139723, -0.170226],
    ]
    shift = [-0.088085494, 0.804781346, 4.315339452]
    world = torch.rand(20, 3, dtype=torch.float64) * 2 - 1
    expected = world @ torch.tensor(turn).double().T + torch.tensor(shift).double()
    data = humaneva.load()
    for subject in ("S1", "S3"):
        first = next(r.camera for r in data.test if r.subject == subject)
        assert first.name == "C1"
        assert (world_to_camera(world, first) - expected).abs().max() < 1e-5
    other = next(r.camera for r in data.test if r.subject == "S2")
    assert (world_to_camera(world, other) - expected).abs().max() > 0.01


def test_lenses_are_recovered_from_the_exact_projections(keypoints):
    data = humaneva.load()
    cameras = {(r.subject, r.camera.name): r.camera for r in (*data.train, *data.test)}
    assert len(cameras) == 9
    for (_, name), camera in cameras.items():
        fx, fy, cx, cy, k1, k2, *_ = LENSES[int(name[1]) - 1]
        assert camera.focal == pytest.approx((fx, fy), abs=1.0)
        assert camera.centre == pytest.approx((cx, cy), abs=1.0)
        assert camera.radial == pytest.approx((k1, k2, 0.0), abs=0.02)
    for r in (*data.train, *data.test):
        assert (project(r.positions, r.camera) - r.keypoints).norm(dim=-1).max() < 0.25


def test_faulty_markers_do_not_spoil_the_lens(folder, positions):
    frame = positions["Validate/S3"]["Walking 1 chunk0"][1]
    frame[[10, 13]] = [30, 5, -1], [-30, 5, -1]  # far to the right and the left of what C2 sees
    write_3d(folder, positions)
    write_2d(folder, filmed(positions))
    cameras = {r.camera.name: r.camera for r in humaneva.load().test if r.subject == "S3"}
    for name, camera in cameras.items():
        assert camera.focal == pytest.approx(LENSES[int(name[1]) - 1][:2], abs=1.0)


def test_a_lens_does_not_depend_on_what_was_chosen(keypoints):
    whole, some = humaneva.load(), humaneva.load(actions="Box", cameras="C2")
    assert {r.camera for r in some.test} < {r.camera for r in whole.test}


def test_chosen_actions_and_cameras(keypoints):
    data = humaneva.load(actions=["ThrowCatch", "Walk"], cameras=["C3", "C1"])
    expected = {(subject, "Walk") for subject in SUBJECTS}
    expected |= {("S1", "ThrowCatch"), ("S2", "ThrowCatch")}
    assert {(r.subject, r.action) for r in data.test} == expected
    assert [r.camera.name for r in data.test[:2]] == ["C1", "C3"]
    stored = keypoints["Validate/S1"]["Walking 1 chunk0"][2]
    np.testing.assert_array_equal(data.test[1].keypoints.numpy(), stored)
    assert "Walk, ThrowCatch of" in data.source and "cameras C1, C3" in data.source
    assert {r.action for r in datasets.load("humaneva", small=True).train} == {"Walk", "Box"}


def test_single_actions(keypoints):
    data = humaneva.load()
    single = humaneva.by_action(data)
    assert list(single) == ["Walk", "Jog", "Box"]
    for action, one in single.items():
        assert {r.action for r in (*one.train, *one.test)} == {action}
        assert {r.subject for r in one.train} == {r.subject for r in one.test} == set(SUBJECTS)
        assert one.name == f"humaneva-gt-{action}" and one.source.endswith(f"{action}.")
    assert sum(len(one.train) for one in single.values()) == len(data.train)
    assert len({one.fingerprint for one in single.values()} | {data.fingerprint}) == 4


def test_detections_of_other_joints(folder, keypoints):
    found = coded()
    write_2d(folder, found, "detectron_pt_coco", "coco")
    data = humaneva.load(keypoints="detectron_pt_coco")
    assert data.keypoint_skeleton is COCO_17 and data.skeleton is HUMANEVA_15
    assert data.name == "humaneva-detectron_pt_coco" and "detectron_pt_coco" in data.source
    exact = humaneva.load()
    for r, e in zip(data.test, exact.test, strict=True):
        view = of_file(r, found)[int(r.camera.name[1]) - 1]
        np.testing.assert_array_equal(r.keypoints.numpy(), view)
        assert r.keypoints.dtype == torch.float32
        assert r.camera == e.camera and torch.equal(r.positions, e.positions)


def test_no_window_reaches_from_a_chunk_into_another(folder, keypoints):
    """The detections are one number throughout each chunk: a window holds no second one."""
    write_2d(folder, coded(), "detectron_pt_coco", "coco")
    data = humaneva.load(keypoints="detectron_pt_coco")
    windows = keypoint_windows(data.train, receptive_field=27, flip=False)
    assert len(windows) == count_frames(data.train) == 3 * 3 * (6 + 40 + 5 + 4)
    inputs, _ = windows.batch(torch.arange(len(windows)))
    assert inputs.shape == (len(windows), 27, 17, 2)
    assert (inputs[..., 0].flatten(1).amax(1) == inputs[..., 0].flatten(1).amin(1)).all()
    assert len(inputs[..., 0].unique()) == len(data.train)


def test_files_beside_the_folder_and_auto(folder, keypoints):
    assert datasets.resolve("auto", auto=datasets.HUMANEVA) == "humaneva"
    inside = humaneva.load()
    for path in folder.iterdir():
        path.rename(folder.parent / path.name)
    assert humaneva.load().fingerprint == inside.fingerprint
    assert humaneva.find() == folder.parent


# ---- what is refused -----------------------------------------------------------------------------


def test_auto_without_it(folder):
    assert datasets.resolve("auto", auto=datasets.HUMANEVA) == "humaneva_like"
    # an embedded one is not chosen for being there
    several = ("humaneva", "humaneva_like", "synthetic")
    assert datasets.resolve("auto", auto=several) == "synthetic"


def test_missing_keypoints_name_what_is_there(folder, positions):
    write_2d(folder, coded(), "detectron_pt_coco", "coco")
    missing = r"data_2d_humaneva15_gt\.npz is missing .*data_2d_humaneva15_detectron_pt_coco\.npz"
    with pytest.raises(MissingDataError, match=missing):
        humaneva.load(keypoints="detectron_pt_coco")
    write_2d(folder, filmed(positions))
    with pytest.raises(MissingDataError, match=r"data_2d_humaneva15_cpn\.npz is missing"):
        humaneva.load(keypoints="cpn")


@pytest.mark.parametrize("name", ["data_3d_humaneva15", "data_2d_humaneva15_gt"])
def test_truncated_files(folder, keypoints, name):
    path = folder / f"{name}.npz"
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ValueError, match=rf"{name}\.npz: not a readable NumPy archive"):
        humaneva.load()


def test_hostile_files_run_nothing(folder, keypoints):
    np.savez(folder / "data_3d_humaneva15.npz", positions_3d=np.array({"Train/S1": Path("x")}))
    with pytest.raises(UnsafeFileError, match=r"pathlib.*nothing in the file was run"):
        humaneva.load()


def test_another_archive_under_that_name(folder, keypoints):
    np.savez_compressed(folder / "data_3d_humaneva15.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match=r"expected an entry 'positions_3d'.*something"):
        humaneva.load()


BOX, JOG = "Box 1 chunk0", "Jog 1 chunk0"
SPOILT_POSITIONS = {
    "twenty joints": lambda made: made["Train/S2"].update({BOX: np.zeros((4, 20, 3), "f4")}),
    "millimetres": lambda made: np.multiply(made["Train/S2"][BOX], 1000, made["Train/S2"][BOX]),
    "not valid": lambda made: made["Train/S2"][BOX][2, 3].fill(np.nan),
    "no chunks": lambda made: made["Train/S2"].update({"Box 1": made["Train/S2"].pop(BOX)}),
    "other action": lambda made: made["Train/S2"].update({"Bax 1 chunk0": made["Train/S2"][BOX]}),
    "no part": lambda made: made.pop("Validate/S3"),
    "empty part": lambda made: made["Train/S1"].clear(),
    "no action": lambda made: [made[f"Validate/{subject}"].pop(BOX) for subject in SUBJECTS],
    "no frames": lambda made: made["Train/S2"].update({BOX: np.zeros((0, 15, 3), "f4")}),
}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("twenty joints", r"Train/S2/Box 1 chunk0: expected positions \(T, 15, 3\).*\(4, 20, 3\)"),
        ("millimetres", r"Train/S2/Box 1 chunk0: positions up to \d+: millimetres"),
        ("not valid", r"S2/Box/Train Box 1 chunk0.*positions has NaN.*frame 2"),
        ("no chunks", r"Train/S2/Box 1: expected the name of a chunk such as 'Walking 1 chunk0'"),
        ("other action", r"unknown action .*'Bax'.*Did you mean 'Box'"),
        ("no part", r"no positions of Validate/S3"),
        ("empty part", r"no positions of Train/S1"),
        ("no action", r"nothing of Box to test on"),
        ("no frames", r"a sequence of no frames"),
    ],
)
def test_spoilt_positions(folder, keypoints, positions, what, said):
    SPOILT_POSITIONS[what](positions)
    write_3d(folder, positions)
    for key, clips in positions.items():  # everything else is there
        for clip, world in clips.items():
            keypoints[key].setdefault(clip, [np.zeros((len(world), 15, 2), "f4")] * 3)
    write_2d(folder, keypoints)
    with pytest.raises(ValueError, match=said):
        humaneva.load()


SPOILT_KEYPOINTS = {
    "shorter": lambda made: change(made, lambda one, two, three: [one, two, three[:3]]),
    "two cameras": lambda made: change(made, lambda one, two, three: [two, three]),
    "no view": lambda made: change(made, lambda one, two, three: [one, None, three]),
    "no chunk": lambda made: made["Validate/S2"].pop("Jog 1 chunk4"),
    "fourteen joints": lambda made: change(made, lambda *views: [view[:, :14] for view in views]),
    "nan": lambda made: made["Validate/S2"][JOG][1][3, 2].fill(np.nan),
    "outside": lambda made: outside(made),
}


def change(made, step):
    made["Validate/S2"][JOG] = step(*made["Validate/S2"][JOG])


def outside(made):
    for clip in (clip for part in ("Train/S2", "Validate/S2") for clip in made[part].values()):
        clip[1] = clip[1] - 1000


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("shorter", r"Validate/S2/Jog 1 chunk0: keypoints of 3 frames, shorter than the 7 frames"),
        (
            "two cameras",
            r"Validate/S2/Jog 1 chunk0: keypoints of 2 cameras, expected 3 \(C1, C2, C3",
        ),
        ("no view", r"Validate/S2/Jog 1 chunk0: expected an array of numbers, got one of obj"),
        ("no chunk", r"Validate/S2/Jog 1 chunk4: no 2D keypoints"),
        ("fourteen joints", r"keypoints of shape \(7, 14, 2\), expected \(T, 15, 2\)"),
        ("nan", r"S2/Jog/Validate Jog 1 chunk0/C2.*keypoints has NaN .* frame 3"),
        ("outside", r"no lens of camera C2 projects the positions of S2"),
    ],
)
def test_spoilt_keypoints(folder, keypoints, what, said):
    SPOILT_KEYPOINTS[what](keypoints)
    write_2d(folder, keypoints)
    with pytest.raises(ValueError, match=said):
        humaneva.load()


def test_cameras_in_another_order_are_noticed(folder, keypoints):
    for clips in keypoints.values():
        for clip, (first, second, third) in clips.items():
            clips[clip] = [second, first, third]
    write_2d(folder, keypoints)
    with pytest.raises(ValueError, match=r"no lens of camera C1 projects the positions of S1"):
        humaneva.load()


def test_exact_keypoints_must_be_of_the_same_joints(folder, keypoints):
    write_2d(folder, coded(), "gt", "coco")
    with pytest.raises(ValueError, match=r"joints of coco_17, expected humaneva15's"):
        humaneva.load()
