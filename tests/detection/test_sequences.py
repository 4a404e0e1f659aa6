"""The keypoints of one person: joints by name, frames by number."""

import numpy as np
import pytest
import samples
import torch
from detection.figures import COCO, figure

from paperlib.detection.files.joint_sets import HALPE_26
from paperlib.detection.sequences import Keypoints2D
from paperlib.skeletons import COCO_17, COMMON_14, MPII_16

HALPE = " ".join(HALPE_26.joints)


def walk(frames=(30, 31, 33)) -> Keypoints2D:
    points = np.stack([figure(HALPE, 300 + 2 * t) for t in frames])
    return Keypoints2D(
        points[..., :2], points[..., 2], HALPE_26, 640, 480, "v", np.array(frames), track=3
    )


def test_joints_are_converted_by_name_and_all_else_stays():
    one = walk().converted(COCO_17)
    np.testing.assert_allclose(one.keypoints[1], figure(COCO, 362)[:, :2], rtol=1e-6)
    assert one.frames.tolist() == [30, 31, 33] and (one.track, one.width, one.name) == (3, 640, "v")
    with pytest.raises(ValueError, match="unknown conversion"):
        walk().converted(MPII_16)


def test_a_middle_is_as_sure_as_the_least_sure_of_its_ends():
    one = walk().converted(COCO_17)
    scores = one.confidence.copy()
    scores[1, COCO_17.index("left_hip")] = 0
    fewer = Keypoints2D(one.keypoints, scores, COCO_17, None, None, "v").converted(COMMON_14)
    hip = COMMON_14.index("hip")
    ends = [COCO_17.index(f"{side}_hip") for side in ("left", "right")]
    np.testing.assert_allclose(fewer.keypoints[0, hip], one.keypoints[0, ends].mean(axis=0))
    assert fewer.confidence[0, hip] == scores[0, ends].min() and fewer.confidence[1, hip] == 0


def test_over_other_frames_what_is_not_known_has_confidence_0():
    whole = walk().over(range(28, 36))
    assert whole.frames.tolist() == list(range(28, 36)) and whole.track == 3
    known = [False, False, True, True, False, True, False, False]
    assert whole.detected.all(axis=1).tolist() == whole.detected.any(axis=1).tolist() == known
    x = whole.keypoints[:, 0, 0] - whole.keypoints[2, 0, 0]
    np.testing.assert_allclose(x, [0, 0, 0, 2, 4, 6, 6, 6], atol=1e-4)
    assert walk().over([31, 40]).frames.tolist() == [31, 40]


def test_the_size_is_that_of_what_was_found():
    one = walk()
    scores = one.confidence.copy()
    scores[0] = 0
    scores[1, 6:] = 0
    part = Keypoints2D(one.keypoints, scores, HALPE_26, None, None, "v").size
    box = np.ptp(one.keypoints, axis=1)
    np.testing.assert_allclose(part[2], np.linalg.norm(box[2]), rtol=1e-6)
    assert part[0] == 0 and 0 < part[1] < part[2] / 2


def test_what_a_detector_found_in_a_recording():
    one = samples.recording(5, fps=25.0, frames=torch.arange(10, 15))
    found = Keypoints2D.of(one)
    np.testing.assert_array_equal(found.keypoints, one.keypoints.numpy())
    np.testing.assert_array_equal(found.confidence, one.confidence.numpy())
    assert (found.skeleton, found.width, found.height) == (one.keypoint_skeleton, 1000, 1000)
    assert found.frames.tolist() == [10, 11, 12, 13, 14] and found.fps == pytest.approx(25)
    assert Keypoints2D.of(samples.recording(3)).times.tolist() == pytest.approx([0, 0.02, 0.04])
