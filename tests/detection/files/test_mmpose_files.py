"""MMPose 1.x: what its demonstrations and its inferencer write."""

import numpy as np
import pytest
from detection.figures import COCO, figure, named, write_json

from paperlib.detection.files import read_keypoints, read_people
from paperlib.skeletons import COCO_17

HALPE = f"{COCO} head neck hip left_big_toe right_big_toe left_small_toe right_small_toe"
HALPE += " left_heel right_heel"
H36M = (
    "root right_hip right_knee right_foot left_hip left_knee left_foot spine thorax neck_base head"
    " left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist"
)


def instance(points: np.ndarray, **more) -> dict:
    """A person as ``split_instances`` makes one: the box has a stray pair of brackets."""
    scores = {"keypoint_scores": points[:, 2].tolist(), "bbox": [[1, 2, 3, 4]], "bbox_score": 0.9}
    return {"keypoints": points[:, :2].tolist(), **scores, **more}


def frames(first: int, joints: str = COCO, count: int = 4) -> list[dict]:
    made = [figure(joints.replace("head ", "head_top "), 300 + 2 * t) for t in range(count)]
    listed = [{"frame_id": t + first, "instances": [instance(one)]} for t, one in enumerate(made)]
    return [*listed, {"frame_id": count + first, "instances": []}]


def about(name: str, joints: str | None) -> dict:
    meta = {"dataset_name": name, "sigmas": {"__ndarray__": [0.1], "dtype": "float64"}}
    if joints:
        meta["keypoint_id2name"] = {str(n): j for n, j in enumerate(joints.split())}
    return meta


@pytest.mark.parametrize("joints", [None, COCO])
def test_a_demonstration_counts_frames_from_1_and_a_film_from_0(tmp_path, joints):
    content = {"meta_info": about("coco", joints), "instance_info": frames(1)}
    path = write_json(tmp_path / "results_walk.json", content)
    (one,) = read_people(path)
    assert one.frames.tolist() == [0, 1, 2, 3] and one.skeleton is COCO_17
    np.testing.assert_allclose(one.keypoints[3], figure(COCO, 306)[:, :2], rtol=1e-6)
    np.testing.assert_allclose(one.confidence[3], figure(COCO)[:, 2], rtol=1e-6)
    assert read_keypoints(path)[0].frames.tolist() == [0, 1, 2, 3, 4]


def test_the_inferencer_counts_from_0(tmp_path):
    (one,) = read_people(write_json(tmp_path / "walk.json", frames(0)))
    assert one.frames.tolist() == [0, 1, 2, 3] and one.skeleton is COCO_17
    np.testing.assert_allclose(one.keypoints[1], figure(COCO, 302)[:, :2], rtol=1e-6)


def test_the_inferencer_on_a_folder_of_images_and_on_one(tmp_path):
    for t in (8, 9, 10, 12):
        write_json(tmp_path / "predictions" / f"im{t}.json", [instance(figure(COCO, 300 + t))])
    (one,) = read_people(tmp_path / "predictions")
    assert one.frames.tolist() == [8, 9, 10, 11, 12] and not one.detected[3].any()
    np.testing.assert_allclose(np.diff(one.keypoints[:, 4, 0]), 1, rtol=1e-4)
    (single,) = read_people(tmp_path / "predictions" / "im9.json")
    assert single.frames.tolist() == [0]
    for t in (6, 11):  # nobody, in the first file too
        write_json(tmp_path / "predictions" / f"im{t}.json", [])
    (same,) = read_people(tmp_path / "predictions")
    assert same.frames.tolist() == one.frames.tolist()
    write_json(tmp_path / "empty" / "im0.json", [])
    with pytest.raises(ValueError, match="empty: nobody was detected"):
        read_people(tmp_path / "empty")


def test_a_frame_without_a_number_is_named(tmp_path):
    content = frames(0)
    content[1]["frame_id"] = "second"
    with pytest.raises(
        ValueError, match=r"walk.json: a frame called 'second'; expected its number"
    ):
        read_people(write_json(tmp_path / "walk.json", content))


@pytest.mark.parametrize("where", ["list", "demo", "demo without names"])
def test_26_joints_of_halpe(tmp_path, where):
    content = frames(0, HALPE)
    if where != "list":
        meta = about("halpe26", HALPE if where == "demo" else None)
        content = {"meta_info": meta, "instance_info": content}
    (one,) = read_people(write_json(tmp_path / "r.json", content))
    assert one.skeleton.name == "halpe_26"
    right = named("RBigToe"), named("LSmallToe"), "head_top"
    made = figure(HALPE.replace("head ", "head_top "))
    for joint, row in zip(right, (21, 22, 17), strict=True):
        assert one.keypoints[0, one.skeleton.index(joint)] == pytest.approx(made[row, :2])


def test_of_a_whole_body_its_body_is_read(tmp_path):
    """COCO-WholeBody: feet, then 68 points of the face and 21 of each hand."""
    feet = "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
    body = figure(f"{COCO} {feet}")
    whole = np.concatenate([body, np.tile([310.0, 120.0, 0.3], (110, 1))])
    content = [{"frame_id": t, "instances": [instance(whole)]} for t in range(3)]
    names = f"{COCO} {feet} " + " ".join(f"face-{n}" for n in range(110))
    named_too = {"meta_info": about("coco_wholebody", names), "instance_info": content}
    for each in (content, named_too):
        (one,) = read_people(write_json(tmp_path / "r.json", each))
        assert one.skeleton.joints == tuple(f"{COCO} {feet}".split())
        np.testing.assert_allclose(one.keypoints[0], body[:, :2], rtol=1e-6)


def test_the_names_in_a_file_go_before_the_number_of_its_joints(tmp_path):
    """17 joints, and more than COCO's 17 in another order."""
    turned = " ".join(["hip", *reversed(COCO.split())])
    content = {"meta_info": about("mine", turned), "instance_info": frames(1, turned)}
    (one,) = read_people(write_json(tmp_path / "r.json", content))
    np.testing.assert_allclose(one.keypoints[0], figure(COCO)[:, :2], rtol=1e-6)
    content["meta_info"] = about("h36m", H36M)
    with pytest.raises(ValueError, match=r"its joints \(root, .* lack nose, left_eye"):
        read_people(write_json(tmp_path / "r.json", content))
    content["meta_info"] = about("coco", COCO)
    with pytest.raises(ValueError, match="it names 17 joints, and has people of 18"):
        read_people(write_json(tmp_path / "r.json", content))


def test_spoilt_files(tmp_path):
    twice = [*frames(0), *frames(0)]
    with pytest.raises(ValueError, match="a frame_id is there twice"):
        read_people(write_json(tmp_path / "r.json", twice))
    deep = frames(0)
    for frame in deep:
        for one in frame["instances"]:
            one["keypoints"] = [[*point, 1.0] for point in one["keypoints"]]
    with pytest.raises(ValueError, match=r"shape \(17, 3\) with 17 scores; expected x and y"):
        read_people(write_json(tmp_path / "r.json", deep))
    with pytest.raises(ValueError, match="nobody was detected"):
        read_people(write_json(tmp_path / "r.json", [{"frame_id": 0, "instances": []}]))


def test_the_tool_s_track_numbers(tmp_path):
    both = [instance(figure(COCO, at), track_id=n) for n, at in ((7, 200), (3, 700))]
    content = [{"frame_id": t, "instances": both[:: 1 - 2 * (t % 2)]} for t in range(4)]
    people = read_people(write_json(tmp_path / "r.json", content))
    assert [(one.track, len(one)) for one in people] == [(3, 4), (7, 4)]
    assert people[0].keypoints[:, 0, 0].min() > 600
