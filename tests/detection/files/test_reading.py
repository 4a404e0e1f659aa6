import copy
import json
import os
from contextlib import suppress

import numpy as np
import pytest
import samples

from paperlib.detection.files import Keypoints2D, read_keypoints
from paperlib.errors import UnsafeFileError
from paperlib.skeletons import COCO_17

RNG = np.random.default_rng(11)


def person(at: float = 100.0, score: float = 0.5, joints: int = 17) -> np.ndarray:
    """(joints, 3): x, y, score; every number differs."""
    steps = np.arange(float(joints))
    return np.stack([at + steps, at + 50 + steps, score + steps / 100], axis=1)


# -- VideoPose3D custom data sets


def write_custom(path, videos: dict, sizes: dict | None = None, **changed):
    metadata = samples.metadata("coco") | {"video_metadata": sizes or {}} | changed
    stored = {name: {"custom": [points]} for name, points in videos.items()}
    np.savez_compressed(path, positions_2d=stored, metadata=metadata)
    return path


def test_custom_data_set(tmp_path):
    videos = {"a.mp4": RNG.uniform(0, 900, (5, 17, 2)).astype("f4"), "b.mp4": np.ones((3, 17, 2))}
    sizes = {"a.mp4": {"w": 1920, "h": 1080}}
    read = read_keypoints(write_custom(tmp_path / "data_2d_custom_x.npz", videos, sizes))
    expected = [("a.mp4", 1920, 1080), ("b.mp4", None, None)]
    assert [(k.name, k.width, k.height) for k in read] == expected
    for k in read:
        np.testing.assert_array_equal(k.keypoints, videos[k.name])
        assert k.keypoints.dtype == k.confidence.dtype == np.float32
        assert k.skeleton is COCO_17 and (k.confidence == 1).all() and len(k) == len(videos[k.name])


def test_spoilt_custom_data_sets(tmp_path):
    path = tmp_path / "x.npz"
    points = np.ones((4, 17, 2))
    spoilt = points.copy()
    spoilt[2, 3, 1] = np.nan
    for videos, changed, said in (
        ({"a": points[:, :16]}, {}, r"a: keypoints of shape \(4, 16, 2\)"),
        ({"a": points[:0]}, {}, "a: keypoints of no frames"),
        ({}, {}, "no videos"),
        ({"a": points}, {"num_joints": 16}, "16 joints, layout 'coco'"),
        ({"a": spoilt}, {}, r"a: keypoints has NaN .* in 1 of 4 .* frame 2"),
    ):
        with pytest.raises(ValueError, match=said):
            read_keypoints(write_custom(path, videos, **changed))


def test_hostile_custom_data_set(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    np.savez_compressed(tmp_path / "x.npz", positions_2d={"a": Hostile()}, metadata={})
    with pytest.raises(UnsafeFileError, match="system"):
        read_keypoints(tmp_path / "x.npz")
    assert not (tmp_path / "ran").exists()


# -- Detectron archives


def write_detectron(path, frames: list, size=(640, 480)):
    """``frames``: per frame the people as (box score, (17, 3) x, y, probability)."""
    boxes, keypoints = [], []
    for people in frames:
        found = np.array([[0, 0, 9, 9, score] for score, _ in people], "f4").reshape(-1, 5)
        rows = [[j[:, 0], j[:, 1], j[:, 2] * 7 - 3, j[:, 2]] for _, j in people]  # with logits
        boxes.append([[], found])
        keypoints.append([[], np.array(rows, "f4") if rows else []])
    ragged = np.empty((2, len(frames), 2), dtype=object)
    for kind, listed in enumerate((boxes, keypoints)):
        for t, pair in enumerate(listed):
            ragged[kind, t, 0], ragged[kind, t, 1] = pair
    more = {"segments": np.array(None, dtype=object), "metadata": {"w": size[0], "h": size[1]}}
    np.savez_compressed(path, boxes=ragged[0], keypoints=ragged[1], **more)
    return path


def test_detectron_takes_the_best_box_and_fills_gaps(tmp_path):
    first, last = person(100), person(130, 0.7)
    frames = [[], [(0.4, person(7)), (0.9, first)], [], [], [(0.8, last), (0.3, person(9))], []]
    (k,) = read_keypoints(write_detectron(tmp_path / "walk.mp4.npz", frames))
    assert (k.name, k.width, k.height, len(k)) == ("walk.mp4", 640, 480, 6)
    expected = [first, first, first + 10, first + 20, last, last]  # constant at the ends
    np.testing.assert_allclose(k.keypoints, np.stack(expected)[..., :2], rtol=1e-6)
    zero = np.zeros(17)
    scores = [zero, first[:, 2], zero, zero, last[:, 2], zero]
    np.testing.assert_allclose(k.confidence, scores, rtol=1e-6)


def test_detectron_without_anybody_or_with_other_joints(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(ValueError, match=r"x\.npz: nobody was detected"):
        read_keypoints(write_detectron(path, [[], [], []]))
    with pytest.raises(ValueError, match=r"frame 1 .* \(4, 14\), expected \(4, 17\)"):
        read_keypoints(write_detectron(path, [[], [(0.9, person()[:14])]]))


# -- COCO results


def entry(image, joints: np.ndarray, **more) -> dict:
    return {"image_id": image, "category_id": 1, "keypoints": joints.reshape(-1).tolist(), **more}


def write_json(path, content):
    path.write_text(json.dumps(content))
    return path


def test_alphapose_names_are_ordered_by_number_and_the_best_person_taken(tmp_path):
    people = [
        entry("10.jpg", person(400), score=2.0),
        entry("9.jpg", person(5), score=1.5),
        entry("9.jpg", person(300), score=2.9),
        entry("9.jpg", person(6), score=0.2),
        entry("8.jpg", person(200), score=1.0, idx=1),
        entry("8.jpg", person(1), score=9.0) | {"category_id": 2},  # no person
    ]
    (k,) = read_keypoints(write_json(tmp_path / "results.json", people))
    assert k.keypoints[:, 0, 0].tolist() == [200, 300, 400]
    np.testing.assert_array_equal(k.keypoints[1], person(300)[:, :2])
    np.testing.assert_allclose(k.confidence, np.tile(person()[:, 2], (3, 1)), rtol=1e-6)
    assert (k.name, k.width, k.height) == ("results", None, None)


def test_frames_left_out_of_the_results_are_gaps(tmp_path):
    people = [entry(t, person(100 + 10 * t), score=1.0) for t in (2, 4, 10, 12)]  # every second
    (k,) = read_keypoints(write_json(tmp_path / "r.json", people))
    assert k.keypoints[:, 0, 0].tolist() == [120, 140, 160, 180, 200, 220]
    assert (k.confidence[:, 0] > 0).tolist() == [True, True, False, False, True, True]


def test_scores_may_be_missing_or_above_one(tmp_path):
    people = [entry(0, person(1, 0.1)), entry(0, person(2, 1.2)), entry(0, person(3, 0.5))]
    (k,) = read_keypoints(write_json(tmp_path / "r.json", people))
    np.testing.assert_array_equal(k.keypoints[0], person(2)[:, :2])
    assert (k.confidence == 1).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "nobody was detected"),
        ([entry(1, np.zeros((17, 3)))], "nobody was detected"),
        ([entry(1, person()[:16])], "image 1: 48 numbers per person, expected .* 17 joints"),
        ([entry(1, np.full((17, 3), np.nan))], "nobody was detected"),
        ([entry(1, np.full((17, 3), 1e300))], "numbers that no image has"),
        ([{"image_id": 1, "keypoints": [10**400] * 51}], "no list of numbers"),
        ([{"image_id": 1, "keypoints": {"x": 1}}], "no list of numbers"),
        ([{"image_id": 1, "keypoints": "abc"}], "no list of numbers"),
        ([{"keypoints": []}], "needs 'image_id' and 'keypoints'"),
        ([entry("a/1.jpg", person()), entry("b/1.jpg", person())], "several videos"),
        ([entry("1.jpg", person()), entry("01.jpg", person())], "a frame twice"),
        ([entry("nose.jpg", person())], "'nose.jpg' has no frame number"),
        ([entry(t, person()) for t in (139, 785, 397133)], "no frames of one video"),
        ({"people": []}, "a JSON file that is no list; expected 2D keypoints"),
    ],
)
def test_spoilt_results(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        read_keypoints(write_json(tmp_path / "r.json", content))


# -- OpenPose

# which joint of OpenPose is each of COCO's, by the tables of its documentation
BODY_25 = [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]
COCO_18 = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]


def write_openpose(folder, frames: dict):
    folder.mkdir(exist_ok=True)
    for name, people in frames.items():
        listed = [{"pose_keypoints_2d": p.reshape(-1).tolist()} for p in people]
        write_json(folder / f"{name}_keypoints.json", {"version": 1.3, "people": listed})
    return folder


@pytest.mark.parametrize(("joints", "order"), [(25, BODY_25), (18, COCO_18)])
def test_openpose_joints_are_put_into_the_order_of_coco(tmp_path, joints, order):
    made = person(joints=joints)
    (k,) = read_keypoints(write_openpose(tmp_path / "walk", {"walk_0": [made]}))
    np.testing.assert_allclose(k.keypoints[0], made[order, :2])
    np.testing.assert_allclose(k.confidence[0], made[order, 2], rtol=1e-6)
    assert k.skeleton is COCO_17 and k.name == "walk"


def test_openpose_surest_person_natural_order_and_empty_frames(tmp_path):
    frames = {
        "v_9": [person(100, 0.3, 25), person(200, 0.6, 25)],
        "v_10": [],
        "v_11": [person(220, 0.5, 25), person(300, 0.1, 25)],
    }
    (k,) = read_keypoints(write_openpose(tmp_path / "out", frames))
    assert k.keypoints[:, 0, 0].tolist() == [200, 210, 220]
    assert (k.confidence[1] == 0).all() and (k.confidence[[0, 2]] > 0).all()


def test_openpose_joints_that_were_not_found(tmp_path):
    made = [person(at, joints=25) for at in (100, 110, 120)]
    made[1][0] = 0  # the nose, in the frame between
    for frame in made:
        frame[11] = 0  # the right ankle, never
    frames = {f"v_{t}": [frame] for t, frame in enumerate(made)}
    (k,) = read_keypoints(write_openpose(tmp_path / "out", frames))
    assert k.keypoints[:, 0].tolist() == [[100, 150], [110, 160], [120, 170]]
    assert (k.confidence[:, 0] > 0).tolist() == [True, False, True]
    others = [j for j in range(17) if j != 16]
    np.testing.assert_allclose(k.keypoints[:, 16], k.keypoints[:, others].mean(axis=1), rtol=1e-6)
    assert (k.confidence[:, 16] == 0).all()


def test_spoilt_openpose_folders(tmp_path):
    with pytest.raises(ValueError, match=r"without \*_keypoints.json"):
        read_keypoints(tmp_path)
    with pytest.raises(ValueError, match="nobody was detected"):
        read_keypoints(write_openpose(tmp_path / "empty", {"v_0": [], "v_1": []}))
    with pytest.raises(ValueError, match=r"45 numbers per person, expected .* 25 or 18 joints"):
        read_keypoints(write_openpose(tmp_path / "mpi", {"v_0": [person(joints=15)]}))
    with pytest.raises(ValueError, match="several videos"):
        people = [person(joints=25)]
        read_keypoints(write_openpose(tmp_path / "two", {"v_0": people, "w_0": people}))
    write_json(tmp_path / "two" / "v_0_keypoints.json", [1])
    with pytest.raises(ValueError, match=r"v_0_keypoints\.json: no list of 'people'"):
        read_keypoints(tmp_path / "two")


# -- recognising


def test_what_is_no_keypoint_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_keypoints(tmp_path / "none.json")
    (tmp_path / "video.mp4").write_bytes(b"...")
    with pytest.raises(ValueError, match=r"video\.mp4 is a \.mp4 file; expected"):
        read_keypoints(tmp_path / "video.mp4")
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


# ---- what other tools leave ----------------------------------------------------------------------


def test_a_byte_order_mark_and_a_score_of_none_are_read(tmp_path):
    path = write_json(tmp_path / "r.json", [entry(t, person(), score=None) for t in range(3)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (video,) = read_keypoints(path)
    np.testing.assert_allclose(video.confidence, np.tile(person()[:, 2], (3, 1)), rtol=1e-6)


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


def test_joints_at_minus_one_without_a_score_were_not_detected(tmp_path):
    """As some exports mark them: no coordinate near -1, interpolated between its neighbours."""
    frames = [person(100.0 + 10 * t) for t in range(5)]
    frames[2][9] = (-1, -1, 0)
    path = write_json(tmp_path / "r.json", [entry(t, joints) for t, joints in enumerate(frames)])
    (video,) = read_keypoints(path)
    assert video.confidence[2, 9] == 0 and (video.keypoints > 50).all()
    np.testing.assert_allclose(video.keypoints[2, 9], video.keypoints[[1, 3], 9].mean(axis=0))


def test_the_person_who_was_found_is_taken_and_not_the_one_of_nan(tmp_path):
    lost, found = person(np.nan, np.nan, joints=25), person(300.0, joints=25)
    folder = write_openpose(tmp_path / "video", {t: [lost, found] for t in range(3)})
    (video,) = read_keypoints(folder)
    assert (video.keypoints > 200).all() and (video.confidence > 0).all()


@pytest.mark.parametrize("people", [5, {"0": []}, [7]], ids=str)
def test_people_that_are_no_list_of_people_are_refused(tmp_path, people):
    (tmp_path / "a_0_keypoints.json").write_text(json.dumps({"people": people}))
    with pytest.raises(ValueError, match=r"no list of 'people'|numbers"):
        read_keypoints(tmp_path)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (np.array([None, "x"], dtype=object), "no arrays of numbers"),
        (np.zeros((3, 17)), r"\(3, 17\), expected \(T, K, 2\)"),
    ],
    ids=["objects", "no points"],
)
def test_a_custom_data_set_of_other_things_than_keypoints_is_refused(tmp_path, view, said):
    with pytest.raises(ValueError, match=said):
        read_keypoints(write_custom(tmp_path / "c.npz", {"v": view}))


def test_a_custom_data_set_of_nobody_is_refused(tmp_path):
    path = write_custom(tmp_path / "c.npz", {})
    with np.load(path, allow_pickle=True) as archive:
        metadata = archive["metadata"]
    np.savez(path, positions_2d={"v": {"custom": []}}, metadata=metadata)
    with pytest.raises(ValueError, match="video 'v' must hold"):
        read_keypoints(path)


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
    with suppress(ValueError):
        read_keypoints(path)


def test_anything_anywhere_in_json_is_taken_or_refused(tmp_path):
    pose = [float(n) for n in range(51)]
    entry = {"image_id": "3.jpg", "category_id": 1, "keypoints": pose, "score": 0.5, "idx": 1}
    whole = [entry, entry | {"image_id": "4.jpg"}]
    for place in places(whole):
        for other in ANYTHING:
            (tmp_path / "a.json").write_text(json.dumps(replaced(whole, place, other)))
            taken_or_refused(tmp_path / "a.json")


def test_anything_anywhere_in_an_archive_is_taken_or_refused(tmp_path):
    sides = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
    sizes = {"v.mp4": {"w": 1000, "h": 800}}
    about = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": sides}
    seen = {"v.mp4": {"custom": [np.zeros((5, 17, 2)) + 3]}}
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
    path = write_custom(
        tmp_path / "a.npz", {"v.mp4": person()[None, :, :2]}, {"v.mp4": {"w": [], "h": 1}}
    )
    with pytest.raises(ValueError, match=r"a\.npz: something in it is of another kind"):
        read_keypoints(path)
