"""What a file is, is seen by its content; anything anywhere is taken or refused."""

import copy
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from detection.figures import COCO, figure, write_json

from paperlib.detection.files import Keypoints2D, read_keypoints, read_people
from paperlib.paths import data_dir
from paperlib.skeletons import COCO_17

CASES = data_dir().parent / "cases"  # small inputs that once failed


def test_what_is_no_keypoint_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_keypoints(tmp_path / "none.json")
    (tmp_path / "video.mp4").write_bytes(b"...")
    with pytest.raises(ValueError, match=r"video\.mp4 is a \.mp4 file; expected") as refused:
        read_keypoints(tmp_path / "video.mp4")
    tools = ("OpenPose", "BODY_25B", "MMPose", "COCO", "AlphaPose", "MediaPipe", "VideoPose3D")
    assert [tool for tool in tools if tool not in str(refused.value)] == []
    for content in ({"a": 1}, 5, "x", None, {"frames": []}):
        with pytest.raises(ValueError, match=r"other\.json is JSON, a .*; expected 2D keypoints"):
            read_people(write_json(tmp_path / "other.json", content))
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ValueError, match=r"other\.npz is an archive of \['weights'\]; expected"):
        read_keypoints(tmp_path / "other.npz")
    (tmp_path / "cut.json").write_text('[{"image_id": 1, "keyp')
    with pytest.raises(ValueError, match=r"cut\.json: not JSON"):
        read_keypoints(tmp_path / "cut.json")


def test_the_type_checks_itself():
    points, scores = np.ones((2, 17, 2)), np.ones((2, 17))
    with pytest.raises(ValueError, match=r"v: confidence of shape \(2, 16\), expected \(2, 17\)"):
        Keypoints2D(points, scores[:, :16], COCO_17, None, None, "v")
    with pytest.raises(ValueError, match="v: confidence has NaN"):
        Keypoints2D(points, scores * np.inf, COCO_17, None, None, "v")


def test_frames_are_whole_numbers_that_increase():
    points, scores = np.ones((2, 17, 2)), np.ones((2, 17))
    for frames in ([0], [1, 1], [2, 1], [0.5, 1.5]):
        with pytest.raises(ValueError, match="v: frames must be 2 whole numbers that increase"):
            Keypoints2D(points, scores, COCO_17, None, None, "v", np.array(frames))


@pytest.mark.parametrize("name", ["a.json", "data_2d_custom_a.npz"])
def test_a_web_page_and_a_pointer_are_no_keypoints(name, tmp_path):
    path = tmp_path / name
    path.write_text("<!doctype html>")
    with pytest.raises(ValueError, match=f"{name}: a web page, not the file: fetch it again"):
        read_keypoints(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match=f"{name}: a Git LFS pointer"):
        read_keypoints(path)


def test_a_file_that_is_nested_deep_is_no_json(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(ValueError, match="not JSON"):
        read_keypoints(path)


def test_who_is_chosen(tmp_path):
    """A large one, who is there for four frames, and a small one, who is there for ten."""
    people = [(t, figure(COCO, 300 + t, 200)) for t in range(10)]
    people += [(t, figure(COCO, 900, 800)) for t in range(4, 8)]
    listed = [{"image_id": t, "keypoints": one.reshape(-1).tolist()} for t, one in people]
    path = write_json(tmp_path / "a.json", listed)
    assert [len(one) for one in read_people(path)] == [10, 4]
    assert [len(one) for one in read_people(path, "longest")] == [10]
    assert [len(one) for one in read_people(path, "largest")] == [4]
    assert [one.frames.tolist() for one in read_people(path, 1)] == [[4, 5, 6, 7]]
    (whole,) = read_keypoints(path)
    assert whole.detected.any(axis=1).nonzero()[0].tolist() == [4, 5, 6, 7] and len(whole) == 10
    for wrong in ("tallest", 2, None):
        with pytest.raises(ValueError, match=r"unknown person of a .*'longest', 0, 1"):
            read_people(path, wrong)
    with pytest.raises(ValueError, match="read_people gives everybody"):
        read_keypoints(path, "everybody")


# ---- anything anywhere ---------------------------------------------------------------------------

ANYTHING = (None, True, -1, 1e300, float("nan"), 10**400, "x", [], {}, [None], {"a": 1}, [[1, 2]])


def places(value, place=()):
    """Every place within dictionaries and lists."""
    yield place
    items = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value[:3]) if isinstance(value, list) else items:
        yield from places(part, (*place, key))


def replaced(value, place, other):
    if not place:
        return other
    copied = copy.copy(value)
    copied[place[0]] = replaced(value[place[0]], place[1:], other)
    return copied


def taken_or_refused(path) -> None:
    for read in (read_keypoints, read_people):
        with suppress(ValueError):
            read(path, size=(640, 480))


BODY = figure(COCO)
FLAT = BODY.reshape(-1).tolist()
INSTANCE = {"keypoints": BODY[:, :2].tolist(), "keypoint_scores": BODY[:, 2].tolist()}
ENTRY = {"image_id": "3.jpg", "category_id": 1, "keypoints": FLAT, "score": 0.5, "idx": 1}
LANDMARKS = [{"x": 0.5, "y": 0.1 + n / 50, "z": 0.0, "visibility": 0.9} for n in range(33)]
ABOUT = {"dataset_name": "coco", "keypoint_id2name": dict(enumerate(COCO.split()))}
CATEGORY = {"id": 1, "name": "person", "keypoints": COCO.split()}
IMAGES = [{"id": n, "file_name": f"{n}.jpg", "width": 64, "height": 48} for n in (3, 4)]
SEEN = np.column_stack([BODY[:, :2], np.full(17, 2)]).reshape(-1).tolist()
LABELLED = [{"id": n, "image_id": n, "category_id": 1, "keypoints": SEEN} for n in (3, 4)]
WHOLE = {
    "results": [ENTRY, ENTRY | {"image_id": "4.jpg"}],
    "annotations": {"images": IMAGES, "annotations": LABELLED, "categories": [CATEGORY]},
    "inferencer": [{"frame_id": t, "instances": [INSTANCE | {"track_id": 1}]} for t in (0, 1)],
    "demo": {"meta_info": ABOUT, "instance_info": [{"frame_id": 1, "instances": [INSTANCE]}]},
    "by image": {"3.jpg": {"people": [{"pose_keypoints_2d": FLAT}]}},
    "landmarks": [{"frame": 0, "pose_landmarks": [LANDMARKS]}, {"landmark": LANDMARKS}],
    "sized": {"frames": [LANDMARKS], "width": 64, "height": 48},
}


@pytest.mark.parametrize("kind", WHOLE)
def test_anything_anywhere_in_json_is_taken_or_refused(tmp_path, kind):
    path = write_json(tmp_path / "a.json", WHOLE[kind])
    assert read_people(path, size=(640, 480))
    for place in places(WHOLE[kind]):
        for other in ANYTHING:
            path.write_text(json.dumps(replaced(WHOLE[kind], place, other)))
            taken_or_refused(path)


def test_anything_anywhere_in_a_folder_is_taken_or_refused(tmp_path):
    whole = {"people": [{"person_id": [3], "pose_keypoints_2d": FLAT}]}
    assert read_people(write_json(tmp_path / "v_1.json", whole).parent)
    for place in places(whole):
        for other in ANYTHING:
            (tmp_path / "v_1.json").write_text(json.dumps(replaced(whole, place, other)))
            taken_or_refused(tmp_path)


def test_anything_anywhere_in_an_archive_is_taken_or_refused(tmp_path):
    sides = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
    sizes = {"v.mp4": {"w": 1000, "h": 800}}
    about = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": sides}
    seen = {"v.mp4": {"custom": [np.stack([BODY[:, :2]] * 5)]}}
    whole = {"positions_2d": seen, "metadata": about | {"video_metadata": sizes}}
    for place in [place for place in places(whole) if place]:
        for other in (*ANYTHING, np.zeros((5, 17)), np.array("a"), np.zeros((0, 17, 2))):
            parts = {}
            for name, value in replaced(whole, place, other).items():
                held = np.empty(1, object)
                held[0] = value
                parts[name] = held.reshape(())
            np.savez(tmp_path / "a.npz", **parts)
            taken_or_refused(tmp_path / "a.npz")


def test_what_is_of_another_kind_is_said_with_the_file(tmp_path):
    sides = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
    about = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": sides}
    about["video_metadata"] = {"v.mp4": {"w": [], "h": 1}}
    path, seen = tmp_path / "a.npz", {"v.mp4": {"custom": [BODY[None, :, :2]]}}
    np.savez(path, positions_2d=seen, metadata=about)
    with pytest.raises(ValueError, match=r"a\.npz: something in it is of another kind"):
        read_keypoints(path)


# ---- the cases that failed -----------------------------------------------------------------------


def case(name: str) -> Path:
    if not (CASES / name).exists():
        pytest.skip("the cases are not here")
    return CASES / name


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("bom.json", range(5)),
        ("coco_annotations.json", range(20)),
        ("custom_object.npz", range(20)),
        ("custom_zero.npz", range(20)),
        ("halpe26.json", range(20)),
        ("late_entry.json", range(30, 60)),
        ("mmpose_demo.json", range(20)),
        ("mmpose_inferencer.json", range(20)),
        ("openpose_late", range(5, 15)),
        ("pose2sim_names", range(20)),
        ("pose2sim_nan", range(20)),
        ("undetected_minus_one.json", range(20)),
    ],
)
def test_what_once_failed_is_somebody_who_walks(name, frames):
    """All show the same figure, who goes 2 pixels to the right in each frame."""
    (one,) = read_people(case(name))
    assert one.frames.tolist() == list(frames)
    coco = one.converted(COCO_17)
    seen = coco.detected
    assert seen.sum() >= {"custom_zero.npz": 15 * 17}.get(name, len(frames) * 15)
    at = {joint: coco.keypoints[:, j] for j, joint in enumerate(COCO_17.joints)}
    walked = 320 + 2 * np.array(frames)
    np.testing.assert_allclose(at["nose"], np.stack([walked, 0 * walked + 100], 1), rtol=1e-5)
    np.testing.assert_allclose(at["left_ankle"][:, 0], walked + 32, rtol=1e-5)
    np.testing.assert_allclose(at["right_knee"][:, 0], walked - 30, rtol=1e-5)


@pytest.mark.data
def test_the_cases_of_what_is_missing_and_of_two_people():
    (minus,) = read_people(case("undetected_minus_one.json"))
    assert (minus.keypoints > 50).all() and not minus.detected[:, 3].any()
    zero = read_people(case("custom_zero.npz"))[0]
    assert (~zero.detected.any(axis=1)).nonzero()[0].tolist() == list(range(5, 10))
    pair = read_people(case("two_tracked_people.json"))
    assert [one.track for one in pair] == [1, 2]
    assert all(np.abs(np.diff(one.keypoints, axis=0)).max() < 3 for one in pair)
    with pytest.raises(ValueError, match=r"'v\.mp4' must hold"):
        read_people(case("custom_empty.npz"))
