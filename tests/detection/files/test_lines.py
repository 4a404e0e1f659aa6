"""Frames of people as lines of JSON: what is read, and what is refused, with its place."""

import json

import numpy as np
import pytest
from detection.figures import COCO, figure, named

from paperlib.detection.files.joint_sets import BODY_25, HALPE_26
from paperlib.detection.files.lines import Lines
from paperlib.skeletons import COCO_17

BODY = figure(COCO)
HERE = "line 3"


def line(*people, **more) -> bytes:
    return json.dumps({"time": 0.5, "people": people, **more}).encode()


def test_our_own_lines():
    lines = Lines()
    assert lines.read(line(), HERE) == (0.5, []) and lines.skeleton is None
    time, (one,) = lines.read(line({"id": 4, "keypoints": BODY.tolist()}), HERE)
    assert time == 0.5 and one.track == 4 and lines.skeleton is COCO_17
    np.testing.assert_array_equal(one.joints, BODY)


def test_lines_of_openpose_and_of_mmpose():
    openpose = {"people": [{"person_id": [-1], "pose_keypoints_2d": BODY.flatten().tolist()}]}
    mmpose = {"keypoints": BODY[:, :2].tolist(), "keypoint_scores": BODY[:, 2].tolist()}
    for content in (openpose, {"frame_id": 3, "instances": [mmpose]}):
        time, (one,) = Lines().read(json.dumps(content).encode(), HERE)
        assert time is None and one.track is None
        np.testing.assert_array_equal(one.joints, BODY)


def test_what_was_not_found_is_0():
    body = BODY.tolist()
    body[3], body[4], body[5] = [-1, -1, 0], [0, 0, 0.9], [300.0, 200.0, None]
    _, (one,) = Lines().read(line({"keypoints": body}), HERE)
    assert np.flatnonzero(one.joints[:, 2] == 0).tolist() == [3, 4, 5]


def test_other_joint_sets():
    names = named(
        "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip"
        " LKnee LAnkle REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
    )
    lines = Lines()
    lines.read(line({"pose_keypoints_2d": figure(names).tolist()}), HERE)
    assert lines.skeleton is BODY_25
    # of 136 points the first 26 are the body
    whole = np.concatenate([figure(" ".join(HALPE_26.joints)), np.ones((110, 3))])
    lines = Lines()
    _, (one,) = lines.read(line({"keypoints": whole.tolist()}), HERE)
    assert lines.skeleton is HALPE_26 and one.joints.shape == (26, 3)
    lines = Lines("h36m_17")
    lines.read(line({"keypoints": BODY.tolist()}), HERE)
    assert lines.skeleton.name == "h36m_17"


WHOLE = {"keypoints": BODY.tolist()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "no frame"),
        (b"[1]", "no frame"),
        (b"7", "of another kind"),
        (b'{"people": 3}', "no frame"),
        (b'{"people": [3]}', "of another kind"),
        (b'{"people": [{"name": 1}]}', "without keypoints"),
        (b'{"time": NaN, "people": []}', "NaN"),
        (b'{"time": 1e999, "people": []}', "time inf"),
        (b'{"time": "now", "people": []}', "time 'now'"),
        (b'{"time": true, "people": []}', "time True"),
        (line(WHOLE).replace(b"300", b"NaN"), "NaN"),
        (line(WHOLE).replace(b"0.5", b"Infinity"), "Infinity"),
        (line({"keypoints": [[1e9, 1, 1]] * 17}), "numbers that no image has"),
        (line({"keypoints": [[1, 2]] * 17}), "34 numbers"),
        (line({"keypoints": [["a", 2, 1]] * 17}), "no list of numbers"),
        (line({"keypoints": [[9, 9, 1]] * 5}), "15 numbers per person"),
        (line({"keypoints": (BODY / 1000).tolist()}), "normalised"),
        (line({"id": 1, **WHOLE}, WHOLE), "either all people have a number"),
    ],
)
def test_what_is_refused_says_where(text, message):
    with pytest.raises(ValueError, match=message) as refused:
        Lines().read(text, HERE)
    assert str(refused.value).startswith(HERE)


def test_people_must_be_as_those_before():
    lines = Lines()
    lines.read(line(WHOLE), HERE)
    more = {"keypoints": figure(" ".join(HALPE_26.joints)).tolist()}
    with pytest.raises(ValueError, match="line 4: people of 26 joints, after others of 17"):
        lines.read(line(more), "line 4")
    with pytest.raises(ValueError, match="line 5: either all people have a number"):
        lines.read(line({"id": 3, **WHOLE}), "line 5")
