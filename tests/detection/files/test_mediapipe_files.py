"""MediaPipe's 33 landmarks, in the wrappings in which people write them."""

import numpy as np
import pytest
from detection.figures import COCO, expected, figure, write_json

from paperlib.detection.files import read_keypoints, read_people
from paperlib.skeletons import COCO_17

SIZE = (1280, 720)
# PoseLandmark of MediaPipe 0.10, in its order; its mouth_left is our left_mouth
LANDMARKS = (
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear"
    " right_ear left_mouth right_mouth left_shoulder right_shoulder left_elbow right_elbow"
    " left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb right_thumb"
    " left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel right_heel"
    " left_foot_index right_foot_index"
)


def body(t: int) -> np.ndarray:
    return figure(LANDMARKS, 300 + 5 * t)


def landmarks(t: int) -> list[dict]:
    shares = body(t) / (*SIZE, 1)
    return [{"x": x, "y": y, "z": -0.1, "visibility": v} for x, y, v in shares.tolist()]


WRAPPINGS = {
    "list": landmarks,
    "people": lambda t: [landmarks(t)],
    "protocol buffers": lambda t: {"landmark": landmarks(t)},
    "results": lambda t: {"pose_landmarks": {"landmark": landmarks(t)}, "frame": t},
    "tasks": lambda t: {"pose_landmarks": [landmarks(t)], "pose_world_landmarks": [landmarks(0)]},
    "JavaScript": lambda t: {"landmarks": [landmarks(t)], "worldLandmarks": [landmarks(0)]},
}


@pytest.mark.parametrize("kind", WRAPPINGS)
def test_landmarks_in_their_wrappings(tmp_path, kind):
    path = write_json(tmp_path / "pose.json", [WRAPPINGS[kind](t) for t in range(4)])
    (one,) = read_people(path, size=SIZE)
    assert one.skeleton.joints == tuple(LANDMARKS.split()) and one.frames.tolist() == [0, 1, 2, 3]
    assert (one.width, one.height) == SIZE
    np.testing.assert_allclose(one.keypoints[2], body(2)[:, :2], rtol=1e-5)
    np.testing.assert_allclose(one.confidence[2], body(2)[:, 2], rtol=1e-5)
    (coco,) = read_keypoints(path, size=SIZE)
    wanted = expected(body(3), LANDMARKS, COCO_17.joints)
    np.testing.assert_allclose(coco.keypoints[3], wanted[:, :2], rtol=1e-5)
    with pytest.raises(ValueError, match=r"shares of the picture; pass size=\(width, height\)"):
        read_people(path)


@pytest.mark.parametrize("nobody", [None, [], {"pose_landmarks": None}, {"landmarks": []}])
def test_frames_of_nobody_are_gaps_and_a_file_may_tell_the_size(tmp_path, nobody):
    frames = [nobody, landmarks(1), nobody, landmarks(3)]
    content = {"frames": frames, "width": SIZE[0], "height": SIZE[1]}
    (one,) = read_people(write_json(tmp_path / "pose.json", content))
    assert one.frames.tolist() == [1, 2, 3]
    assert one.detected.any(axis=1).tolist() == [True, False, True]
    np.testing.assert_allclose(one.keypoints[1], body(2)[:, :2], rtol=1e-5)


def test_frames_may_be_numbered(tmp_path):
    frames = [{"frame": 30 + t, "landmarks": landmarks(t)} for t in range(3)]
    assert read_people(write_json(tmp_path / "p.json", frames), size=SIZE)[0].frames[0] == 30
    frames[1]["frame"] = 30
    with pytest.raises(ValueError, match="frame 30 is there twice"):
        read_people(write_json(tmp_path / "p.json", frames), size=SIZE)
    frames[1]["frame"] = "frame_0"
    with pytest.raises(ValueError, match=r"p.json: a frame called 'frame_0'; expected its number"):
        read_people(write_json(tmp_path / "p.json", frames), size=SIZE)


def test_other_landmarks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="21 landmarks, MediaPipe's pose has 33"):  # a hand
        read_people(write_json(tmp_path / "p.json", [landmarks(0)[:21]]), size=SIZE)
    pixels = [[p | {"x": p["x"] * 1280} for p in landmarks(0)]]
    with pytest.raises(ValueError, match="landmarks beyond 50; shares of the picture expected"):
        read_people(write_json(tmp_path / "p.json", pixels), size=SIZE)


@pytest.mark.parametrize("columns", [4, 5])
def test_landmarks_as_an_array(tmp_path, columns):
    array = np.full((4, 33, columns), 0.9)
    for t in range(4):
        array[t][:, [0, 1, 3]] = body(t) / (*SIZE, 1)
    array[2] = np.nan
    np.savez(tmp_path / "p.npz", pose_landmarks=array)
    (one,) = read_people(tmp_path / "p.npz", size=SIZE)
    np.testing.assert_allclose(one.keypoints[3], body(3)[:, :2], rtol=1e-5)
    np.testing.assert_allclose(one.confidence[3], body(3)[:, 2], rtol=1e-5)
    assert not one.detected[2].any()
    np.savez(tmp_path / "p.npz", pose_landmarks=array[..., :3])
    with pytest.raises(ValueError, match=r"\(4, 33, 3\), expected \(T, 33, 4\) of x, y, z"):
        read_people(tmp_path / "p.npz", size=SIZE)


def test_33_of_openpose_s_kind_are_mediapipe_s_too(tmp_path):
    """As Pose2Sim writes them, in pixels."""
    for t in range(2):
        people = [{"pose_keypoints_2d": body(t).reshape(-1).tolist()}]
        write_json(tmp_path / "v" / f"v_{t}.json", {"people": people})
    (one,) = read_keypoints(tmp_path / "v")
    np.testing.assert_allclose(one.keypoints[0], figure(COCO)[:, :2], rtol=1e-6)
