"""3DPW: on small pickles of the public format, made here."""

import os
import pickle

import numpy as np
import pytest
import torch

from paperlib import datasets
from paperlib.cameras import project
from paperlib.datasets import threedpw
from paperlib.errors import MissingDataError, UnsafeFileError
from paperlib.skeletons import COCO_17, COMMON_14, SMPL_24

NAME = "downtown_arguing_00"
OPENPOSE_18 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
    " right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye"
    " right_ear left_ear"
).split()
K = np.array([[1960.0, 0, 540], [0, 1970.0, 960], [0, 0, 1]])
FRAMES = 8


def sequence(frames: int = FRAMES, people: int = 2, seed: int = 0) -> dict:
    """People who drift, before a camera that turns, and the other fields of the real files."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 0.4, frames)
    turn = np.zeros((frames, 4, 4))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0] = np.sin(angle), -np.sin(angle)
    turn[:, 1, 1] = turn[:, 3, 3] = 1
    turn[:, :3, 3] = 0.1, 0.2, 4.0
    joints = [
        rng.normal(0, 0.4, (1, 24, 3)) + rng.normal(0, 0.01, (frames, 24, 3)) for _ in range(people)
    ]
    return {
        "sequence": NAME,
        "betas": [rng.normal(size=10) for _ in joints],
        "poses": [rng.normal(size=(frames, 72)) for _ in joints],
        "genders": ["m", "f"][:people],
        "texture_maps": [],
        "img_frame_ids": np.arange(0, 2 * frames, 2),
        "jointPositions": [j.reshape(frames, 72) for j in joints],
        "poses2d": [seen(j, turn) for j in joints],
        "cam_poses": turn,
        "campose_valid": [np.ones(frames, dtype=bool) for _ in joints],
        "cam_intrinsics": K,
    }


def in_camera(joints: np.ndarray, poses: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nkj->nki", poses[:, :3, :3], joints) + poses[:, None, :3, 3]


def seen(joints: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """(N, 3, 18): SMPL's joints where OpenPose finds them; face and neck a little off."""
    pixels = in_camera(joints, poses) @ K.T
    pixels = pixels[..., :2] / pixels[..., 2:]
    head = SMPL_24.index("head")
    places = [SMPL_24.joints.index(n) if n in SMPL_24.joints else head for n in OPENPOSE_18]
    confidence = np.linspace(0.5, 0.9, 18)
    points = pixels[:, places] + np.arange(18)[:, None]
    return np.concatenate(
        [points, np.tile(confidence[:, None], (len(pixels), 1, 1))], -1
    ).transpose(0, 2, 1)


class Python2(pickle._Pickler):
    """Writes text and bytes as Python 2 did: strings of bytes without an encoding."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, value):
        raw = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = save_bytes


def write(folder, stored, name: str = NAME, python2: bool = False):
    path = folder / "sequenceFiles" / "test" / f"{name}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        (Python2 if python2 else pickle.Pickler)(file, protocol=2).dump(stored)
    return path


@pytest.mark.parametrize("python2", [False, True])
def test_positions_are_smpls_joints_before_the_camera(folder, python2):
    one = sequence()
    write(folder, one, python2=python2)
    data = datasets.load("threedpw", small=True)
    assert data.train == () and [r.person for r in data.test] == [0, 1]
    assert data.skeleton is COMMON_14 and data.keypoint_skeleton is COCO_17
    for person, r in enumerate(data.test):
        joints = one["jointPositions"][person].reshape(FRAMES, 24, 3)
        for ours, theirs in (("hip", "pelvis"), ("neck", "neck"), ("left_wrist", "left_wrist")):
            expected = in_camera(joints, one["cam_poses"])[:, SMPL_24.index(theirs)]
            found = r.positions[:, COMMON_14.index(ours)].numpy()
            np.testing.assert_allclose(found, expected, atol=1e-5)
        assert r.fps == 30 and r.frames.tolist() == list(range(FRAMES))
        assert (r.camera.width, r.camera.height) == (1080, 1920)
        assert r.camera.focal == (1960, 1970)


def test_keypoints_are_cocos_points_of_openpose(folder):
    one = sequence()
    write(folder, one)
    r = threedpw.load(NAME).test[0]
    for j, name in enumerate(COCO_17.joints):
        stored = one["poses2d"][0][:, :, OPENPOSE_18.index(name)]
        np.testing.assert_allclose(r.keypoints[:, j].numpy(), stored[:, :2], rtol=1e-6)
        np.testing.assert_allclose(r.confidence[:, j].numpy(), stored[:, 2], rtol=1e-6)
    wrist = COCO_17.index("left_wrist"), COMMON_14.index("left_wrist")
    number = OPENPOSE_18.index("left_wrist")
    off = r.keypoints[:, wrist[0]] - project(r.positions[:, wrist[1]], r.camera)
    torch.testing.assert_close(off, torch.full_like(off, number), rtol=0, atol=0.01)


def test_frames_left_out_cut_a_track_and_are_counted(folder):
    one = sequence()
    one["poses2d"][0][2, :, 5:] = 0  # five points
    one["poses2d"][0][3, :, 6:] = 0  # six
    one["poses2d"][0][6] = 0
    one["campose_valid"][0][6:] = False
    one["campose_valid"][1][0] = False
    write(folder, one)
    data = threedpw.load(NAME)
    pieces = {r.clip: r.frames.tolist() for r in data.test}
    assert pieces == {
        f"{NAME}#0.0": [0, 1],
        f"{NAME}#0.1": [3, 4, 5],
        f"{NAME}#1.0": [1, 2, 3, 4, 5, 6, 7],
    }
    assert {r.take for r in data.test} == {NAME}
    assert data.excluded == (
        "4 of 16 frames of a person: 1 with fewer than 6 points found, 3 whose camera was not "
        "aligned"
    )


def test_somebody_who_is_never_found_has_no_recording(folder):
    one = sequence()
    one["poses2d"][1][:] = 0
    write(folder, one)
    data = threedpw.load(NAME)
    assert [r.person for r in data.test] == [0] and "8 of 16" in data.excluded


def test_all_sequences_are_wanted_and_the_downloads_own_folder_may_stay(folder):
    inner = folder / "3DPW"
    for name in threedpw.SEQUENCES:
        write(inner, sequence(2, 1), name)
    data = threedpw.load()
    assert len(threedpw.SEQUENCES) == len(data.test) == 24
    assert threedpw.find() == inner
    assert "another protocol" in data.source
    (inner / "sequenceFiles" / "test" / "flat_guitar_01.pkl").unlink()
    with pytest.raises(MissingDataError, match=r"test/flat_guitar_01.pkl is missing"):
        threedpw.load()


def changed(**changes) -> dict:
    return sequence() | changes


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ([1, 2], "found list"),
        ({"poses": 1}, r"expected cam_intrinsics, cam_poses.*found \['poses'\]"),
        (changed(poses2d=[np.zeros((8, 3, 18))]), "as many people.*'poses2d': 1"),
        (changed(poses2d=3), "a list for each"),
        (changed(poses2d=[], jointPositions=[], campose_valid=[]), "as many people"),
        (changed(poses2d=[np.zeros((8, 18, 3))] * 2), r"poses2d of float64 \(8, 18, 3\)"),
        (changed(jointPositions=[np.zeros((7, 72))] * 2), r"jointPositions.*\(8, 72\)"),
        (changed(jointPositions=[np.full((8, 72), np.nan)] * 2), "NaN.*jointPositions"),
        (changed(cam_poses=np.zeros((4, 4))), r"cam_poses.*\(N, 4, 4\)"),
        (changed(cam_intrinsics=np.eye(4)), r"cam_intrinsics.*\(3, 3\)"),
        (changed(cam_intrinsics=-K), "of no camera"),
        (changed(cam_intrinsics="wide"), "cam_intrinsics"),
        (changed(cam_poses=np.linalg.inv(sequence()["cam_poses"])), "not of one film"),
        (changed(jointPositions=[np.full((8, 72), 3.0)] * 2), "pixels from the points"),
    ],
)
def test_files_that_hold_something_else(folder, stored, said):
    write(folder, stored)
    with pytest.raises(ValueError, match=said) as caught:
        threedpw.load(NAME)
    assert f"{NAME}.pkl" in str(caught.value)


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_truncated_files_are_refused(folder, kept):
    path = write(folder, sequence())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else kept])
    with pytest.raises(ValueError, match=rf"{NAME}.pkl: not a readable pickle"):
        threedpw.load(NAME)


def test_nothing_in_a_pickle_is_run(folder, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    write(folder, changed(texture_maps=[Hostile()]))
    with pytest.raises(UnsafeFileError, match="nothing in the file was run"):
        threedpw.load(NAME)
    assert not (tmp_path / "made").exists()
