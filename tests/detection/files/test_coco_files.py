"""COCO's results and annotations, and AlphaPose's variants of them."""

import numpy as np
import pytest
from detection.figures import COCO, expected, figure, named, write_json

from paperlib import datasets
from paperlib.detection.coco import as_coco
from paperlib.detection.files import read_keypoints, read_people
from paperlib.skeletons import COCO_17

HALPE = f"{COCO} " + named(
    "Head Neck Hip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel"  # Halpe-FullBody's page
)
FACE_AND_HANDS = 110


def entry(image, joints: np.ndarray, **more) -> dict:
    return {"image_id": image, "category_id": 1, "keypoints": joints.reshape(-1).tolist(), **more}


def write(path, *entries):
    return write_json(path / "results.json", list(entries))


@pytest.mark.parametrize("count", [17, 26, 136])
def test_alphapose_s_joint_sets(tmp_path, count):
    body = figure(HALPE)[:count]
    rest = np.tile([350.0, 130.0, 0.4], (count - len(body), 1)) if count > 26 else body[:0]
    whole = np.concatenate([body, rest])
    assert len(whole) == count
    (one,) = read_people(write(tmp_path, *[entry(f"{t}.jpg", whole, score=2.5) for t in range(3)]))
    assert one.skeleton.name == ("coco_17" if count == 17 else "halpe_26")
    assert one.skeleton.joints == tuple(HALPE.split())[:count]
    np.testing.assert_allclose(one.keypoints[0], body[:, :2], rtol=1e-6)
    np.testing.assert_allclose(one.confidence[0], body[:, 2], rtol=1e-6)
    coco = one.converted(COCO_17)
    np.testing.assert_allclose(coco.keypoints[1], figure(COCO)[:, :2], rtol=1e-6)


def test_names_are_ordered_by_number(tmp_path):
    people = [entry(f"{t}.jpg", figure(COCO, 300 + t)) for t in (10, 9, 8)]
    people.append(entry("8.jpg", figure(COCO, 900)) | {"category_id": 2})  # no person
    (one,) = read_people(write(tmp_path, *people))
    np.testing.assert_allclose(np.diff(one.keypoints[:, 0, 0]), 1, rtol=1e-4)
    assert one.frames.tolist() == [8, 9, 10]
    assert (one.name, one.width, one.height) == ("results", None, None)


def test_frames_left_out_of_the_results_are_gaps(tmp_path):
    people = [entry(t, figure(COCO, 300 + 10 * t)) for t in (2, 4, 10, 12)]  # every second
    (k,) = read_keypoints(write(tmp_path, *people))
    np.testing.assert_allclose(np.diff(k.keypoints[:, 0, 0]), 20, rtol=1e-4)
    assert (k.confidence[:, 0] > 0).tolist() == [True, True, False, False, True, True]
    assert k.frames.tolist() == [2, 4, 6, 8, 10, 12]


def test_a_person_does_not_change_with_the_scores(tmp_path):
    """Two people whose scores alternate; one who has a score of NaN; one without any."""
    people = []
    for t in range(10):
        sure = [float("nan"), 2.0 + t % 2][t % 3 > 0]
        people.append(entry(t, figure(COCO, 300 + t), score=sure))
        people.append(entry(t, figure(COCO, 900 + t, 300), score=3.0 - t % 2))
    people[4].pop("score")
    one, other = read_people(write(tmp_path, *people))
    for person in (one, other):
        assert len(person) == 10 and np.abs(np.diff(person.keypoints, axis=0)).max() < 1.5
    (largest,) = read_keypoints(tmp_path / "results.json")
    np.testing.assert_array_equal(largest.keypoints, one.keypoints)


def test_scores_above_one_are_one(tmp_path):
    (k,) = read_keypoints(write(tmp_path, entry(0, figure(COCO, score=1.2))))
    assert (k.confidence == 1).all()


@pytest.mark.parametrize("mark", [(-1, -1, 0), (-1, -1, 0.4), (0, 0, 0.4), (5, 5, 0), (5, 5, -2)])
def test_joints_that_were_not_found_lie_between_their_neighbours(tmp_path, mark):
    frames = [figure(COCO, 300.0 + 10 * t) for t in range(5)]
    frames[2][9] = mark
    path = write(tmp_path, *[entry(t, joints) for t, joints in enumerate(frames)])
    (video,) = read_keypoints(path)
    assert video.confidence[2, 9] == 0 and (video.keypoints > 50).all()
    assert (video.detected.sum(), video.detected.size) == (5 * 17 - 1, 5 * 17)
    np.testing.assert_allclose(video.keypoints[2, 9], video.keypoints[[1, 3], 9].mean(axis=0))


def test_a_joint_just_out_of_the_picture_was_found(tmp_path):
    body = figure(COCO)
    body[9, :2] = -4.0, 120.0
    (one,) = read_people(write(tmp_path, entry(0, body)))
    assert one.detected.all() and one.keypoints[0, 9].tolist() == [-4.0, 120.0]


@pytest.mark.parametrize("wrapped", [int, lambda n: [n], lambda n: [[float(n)], [9.0]]])
def test_alphapose_s_own_track_numbers(tmp_path, wrapped):
    people = []
    for t in range(6):  # somebody who jumps, as it says
        people.append(entry(f"{t}.jpg", figure(COCO, 200 + 400 * (t % 2)), idx=wrapped(2)))
        people.append(entry(f"{t}.jpg", figure(COCO, 600 - 400 * (t % 2)), idx=wrapped(5)))
    one, other = read_people(write(tmp_path, *people))
    assert (one.track, other.track) == (2, 5)
    assert np.abs(np.diff(one.keypoints[..., 0], axis=0)).min() > 399
    (chosen,) = read_people(tmp_path / "results.json", person=5)
    np.testing.assert_array_equal(chosen.keypoints, other.keypoints)
    with pytest.raises(ValueError, match=r"unknown person of results 3: .* 2, 5"):
        read_people(tmp_path / "results.json", person=3)


@pytest.mark.parametrize("idx", [(0, 0), (1, 1), (1, None)])
def test_numbers_that_tell_nobody_apart_are_no_tracks(tmp_path, idx):
    """An AlphaPose that followed nobody writes 0 for all."""
    people = []
    for t in range(6):
        both = [entry(t, figure(COCO, at), idx=[n]) for at, n in zip((200, 600), idx, strict=True)]
        people += both[:: 1 - 2 * (t % 2)]
    one, other = read_people(write(tmp_path, *people))
    assert [len(one), len(other)] == [6, 6]
    assert np.ptp(one.keypoints[:, 0, 0]) == np.ptp(other.keypoints[:, 0, 0]) == 0


@pytest.mark.parametrize("key", ["people", "bodies"])
def test_alphapose_as_openpose(tmp_path, key):
    names = named(
        "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee"
        " LAnkle REye LEye REar LEar"
    )
    joints = {"people": "pose_keypoints_2d", "bodies": "joints"}[key]
    content = {
        f"{t}.jpg": {key: [{joints: figure(names, 300 + t).reshape(-1).tolist()}]} for t in range(3)
    }
    (one,) = read_keypoints(write_json(tmp_path / "alphapose-results.json", content))
    wanted = expected(figure(names), names, COCO_17.joints)
    np.testing.assert_allclose(one.keypoints[0], wanted[:, :2], rtol=1e-6)
    assert one.frames.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "nobody was detected"),
        ([entry(1, np.zeros((17, 3)))], "nobody was detected"),
        ([entry(1, np.full((17, 3), np.nan))], "nobody was detected"),
        ([entry(1, figure(COCO)[:16])], "48 numbers per person, expected .* 17, 18,"),
        ([entry(1, np.full((17, 3), 1e300))], "numbers that no image has"),
        ([entry(1, figure(COCO)[:, :2])], "34 numbers per person are no x, y, score"),
        ([{"image_id": 1, "keypoints": [10**400] * 51}], "no list of numbers"),
        ([{"image_id": 1, "keypoints": {"x": 1}}], "no list of numbers"),
        ([{"image_id": 1, "keypoints": "abc"}], "no list of numbers"),
        ([{"keypoints": []}], "needs 'image_id' and 'keypoints'"),
        ([entry("a/1.jpg", figure(COCO)), entry("b/1.jpg", figure(COCO))], "several videos"),
        ([entry("1.jpg", figure(COCO)), entry("01.jpg", figure(COCO))], "a frame twice"),
        ([entry("nose.jpg", figure(COCO))], "'nose.jpg' has no frame number"),
        ([entry(t, figure(COCO)) for t in (139, 785, 397133)], "no frames of one video"),
    ],
)
def test_spoilt_results(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        read_keypoints(write_json(tmp_path / "r.json", content))


def test_17_joints_that_are_clearly_not_coco_s(tmp_path):
    """Networks for Human3.6M have 17 too; nothing in the file says so but where they lie."""
    film = datasets.load("synthetic", small=True).test[0]
    points = np.concatenate([film.keypoints.numpy(), np.ones((len(film), 17, 1))], axis=-1)
    path = write(tmp_path, *[entry(t, one.astype(float)) for t, one in enumerate(points)])
    (one,) = read_people(path)
    assert one.skeleton.name == "h36m_17"
    np.testing.assert_allclose(one.keypoints, film.keypoints, rtol=1e-5)
    assert read_people(path, layout="coco_17")[0].skeleton is COCO_17
    points[..., :2] = as_coco(film).keypoints
    path = write(tmp_path, *[entry(t, one.astype(float)) for t, one in enumerate(points)])
    assert read_people(path)[0].skeleton is COCO_17


# -- annotations


def annotations(**changes) -> dict:
    """Two people in images 1 to 4, none in 5; each joint's third number says 0, 1 or 2."""
    images = [
        {"id": t, "file_name": f"im{t:04d}.jpg", "width": 640, "height": 480} for t in range(1, 6)
    ]
    people = []
    for t in range(1, 5):
        for at in (200, 500):
            body = figure(COCO, at + t)
            body[:, 2] = 2
            body[10], body[9, 2] = 0, 1
            people.append({"id": len(people), **entry(t, body), "bbox": [0, 0, 1, 1]})
    category = {"id": 1, "name": "person", "keypoints": COCO.split()}
    return {"images": images, "annotations": people, "categories": [category]} | changes


@pytest.mark.parametrize("categories", [annotations()["categories"], None, []])
def test_annotations(tmp_path, categories):
    path = write_json(tmp_path / "person_keypoints.json", annotations(categories=categories))
    one, other = read_people(path)
    assert one.frames.tolist() == [1, 2, 3, 4] and (one.width, one.height) == (640, 480)
    wanted = np.ones(17)
    wanted[[9, 10]] = 0.5, 0  # labelled though hidden; not labelled
    np.testing.assert_array_equal(other.confidence, [wanted] * 4)
    places = figure(COCO, 204)[:, :2]
    np.testing.assert_allclose(one.keypoints[3, :10], places[:10], rtol=1e-6)
    assert read_keypoints(path)[0].frames.tolist() == [1, 2, 3, 4, 5]


def test_annotations_say_in_what_order_their_joints_are(tmp_path):
    content = annotations()
    content["categories"][0]["keypoints"] = list(reversed(COCO.split()))
    (one, _) = read_people(write_json(tmp_path / "a.json", content))
    np.testing.assert_allclose(one.keypoints[0, 0], figure(COCO, 201)[16, :2], rtol=1e-6)
    content["categories"][0]["keypoints"][-3] = "head_bottom"
    with pytest.raises(ValueError, match=r"its joints .*head_bottom.* lack right_eye of COCO's"):
        read_people(write_json(tmp_path / "a.json", content))


def test_spoilt_annotations(tmp_path):
    content = annotations()
    content["annotations"][0]["image_id"] = 77
    with pytest.raises(ValueError, match="a person in image 77, which is not listed"):
        read_people(write_json(tmp_path / "a.json", content))
    with pytest.raises(ValueError, match="nobody was detected"):
        read_people(write_json(tmp_path / "a.json", annotations(annotations=[])))
    content = annotations()
    content["annotations"][0]["keypoints"] = [1.0] * 50
    with pytest.raises(ValueError, match=r"a\.json: image \d+: 50 numbers per person are no x, y"):
        read_people(write_json(tmp_path / "a.json", content))


def test_a_category_that_is_no_person_is_named(tmp_path):
    content = annotations()
    content["categories"][0]["name"] = "Person"
    assert len(read_people(write_json(tmp_path / "a.json", content))) == 2
    joints = figure(COCO).flatten().tolist()
    results = [{"image_id": t, "category_id": 0, "keypoints": joints} for t in range(3)]
    with pytest.raises(ValueError, match=r"people have category_id 1, and here are \[0\]"):
        read_people(write_json(tmp_path / "r.json", results))
