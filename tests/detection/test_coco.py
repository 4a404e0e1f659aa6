"""COCO's points stand on the body where they should, and are seen by the recording's camera."""

import numpy as np
import pytest
import torch

from paperlib import datasets
from paperlib.cameras import Camera, project
from paperlib.detection import PROFILES, ErrorProfile, simulate
from paperlib.detection.coco import Clicks, as_coco, coco_points
from paperlib.kinematics import rotation_from_vector
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15
from paperlib.windows import mirror

LENS = {"radial": (-0.2, 0.24, -0.003), "tangential": (-0.001, -0.0015)}
CAMERA = Camera("front", 1000, 1000, focal=(1100.0, 1105.0), centre=(510.0, 490.0), **LENS)
# someone who faces +x, left +y, up +z, metres
STANDING = {"pelvis": (0, 0, 1.0), "spine": (0, 0, 1.25), "thorax": (0, 0, 1.5)}
STANDING |= {"neck_nose": (0.05, 0, 1.62), "head_top": (0, 0, 1.8)}
STANDING |= {"hip": (0, 0.1, 1.0), "knee": (0, 0.1, 0.5), "ankle": (0, 0.1, 0.1)}
STANDING |= {"shoulder": (0, 0.2, 1.48), "elbow": (0, 0.2, 1.2), "wrist": (0.1, 0.2, 1.0)}
SAME = ("elbow", "wrist", "knee", "ankle")


def standing() -> torch.Tensor:
    """(17, 3) float64."""
    rows = []
    for joint in H36M_17.joints:
        x, y, z = STANDING[joint.removeprefix("left_").removeprefix("right_")]
        rows.append((x, -y if joint.startswith("right_") else y, z))
    return torch.tensor(rows, dtype=torch.float64)


def recording(positions: torch.Tensor, skeleton=H36M_17) -> Recording:
    ones, joints = torch.ones(positions.shape[:2]), [skeleton] * 2
    blank = torch.zeros(*ones.shape, 2), ones, positions, *joints
    return Recording("S1", "standing", "take1", 50.0, CAMERA, *blank, visible=ones > 0)


def seen(frames: int = 6) -> Recording:
    """People turned this way and that, in camera space, float32."""
    turns = rotation_from_vector(torch.randn(frames, 3, dtype=torch.float64))
    body = standing() - standing()[0]
    positions = body @ turns.mT + torch.tensor([0.1, -0.2, 5.0], dtype=torch.float64)
    return recording(positions.float())


def point(points: torch.Tensor, joint: str) -> list[float]:
    return points[COCO_17.index(joint)].tolist()


def test_where_the_points_of_someone_standing_are():
    points = coco_points(standing())
    close = {"abs": 1e-9}
    assert point(points, "nose") == pytest.approx([0.12, 0, 1.655], **close)
    assert point(points, "left_eye") == pytest.approx([0.09, 0.032, 1.685], **close)
    assert point(points, "right_ear") == pytest.approx([0.01, -0.073, 1.67], **close)
    # hips 0.2 m apart: 0.05 of that outward, 0.2 down; shoulders 0.4 m: 0.05 and 0.06 up
    assert point(points, "left_hip") == pytest.approx([0, 0.11, 0.96], **close)
    assert point(points, "right_hip") == pytest.approx([0, -0.11, 0.96], **close)
    assert point(points, "right_shoulder") == pytest.approx([0, -0.22, 1.504], **close)


@pytest.mark.parametrize("part", SAME)
def test_the_other_joints_are_the_captures_own(part):
    body = standing() + torch.randn(17, 3)
    for joint in (f"left_{part}", f"right_{part}"):
        assert point(coco_points(body), joint) == body[H36M_17.index(joint)].tolist()


def test_turned_and_moved_with_the_body():
    turn = rotation_from_vector(torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64))
    shift = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    moved = coco_points(standing() @ turn.mT + shift)
    torch.testing.assert_close(moved, coco_points(standing()) @ turn.mT + shift)


def test_the_mirror_image_of_a_body_has_the_mirror_image_of_its_points():
    body = standing() + 0.1 * torch.randn(5, 17, 3, dtype=torch.float64)
    mirrored = mirror(coco_points(body), COCO_17)
    torch.testing.assert_close(coco_points(mirror(body, H36M_17)), mirrored)


def test_a_bent_neck_takes_the_face_along():
    body = standing()
    # looks to the floor
    body[H36M_17.index("head_top")] = torch.tensor([0.3, 0.0, 1.5], dtype=torch.float64)
    nose, ear = point(coco_points(body), "nose"), point(coco_points(body), "left_ear")
    assert nose == pytest.approx([0.3 - 0.145, 0, 1.5 - 0.12], abs=1e-9)
    assert ear == pytest.approx([0.3 - 0.13, 0.073, 1.5 - 0.01], abs=1e-9)


def test_up_is_where_the_lower_trunk_points_for_hips_and_the_upper_one_for_shoulders():
    body = standing()
    body[H36M_17.index("spine")] = torch.tensor([0.375, 0.0, 1.0], dtype=torch.float64)
    points = coco_points(body)
    assert point(points, "left_hip") == pytest.approx([-0.04, 0.11, 1.0], abs=1e-9)
    # the thorax lies 0.375 m behind and 0.5 m above the spine: a direction of (-0.6, 0, 0.8)
    shoulder = [-0.6 * 0.024, 0.22, 1.48 + 0.8 * 0.024]
    assert point(points, "left_shoulder") == pytest.approx(shoulder, abs=1e-9)


def test_only_the_keypoints_change():
    one = seen()
    found = as_coco(one)
    assert found.keypoint_skeleton is COCO_17 and found.skeleton is H36M_17
    assert found.positions is one.positions and found.visible is one.visible
    assert found.name == one.name
    assert torch.equal(found.confidence, torch.ones(6, 17))
    assert found.keypoints.dtype == torch.float32
    torch.testing.assert_close(found.keypoints, project(coco_points(one.positions), CAMERA))
    ankles = [COCO_17.index("left_ankle"), H36M_17.index("left_ankle")]
    exact = project(one.positions, CAMERA)
    torch.testing.assert_close(found.keypoints[:, ankles[0]], exact[:, ankles[1]])


def test_positions_of_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"S1/standing.*h36m_17 positions, these are humaneva_15"):
        as_coco(recording(torch.ones(2, 15, 3), HUMANEVA_15))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_simulated_detector_errs_on_them(profile):
    exact = as_coco(recording((standing() + torch.tensor([0, 0, 4.0])).float().repeat(400, 1, 1)))
    found = simulate(exact, profile)
    assert found.keypoint_skeleton is COCO_17
    error = (found.keypoints - exact.keypoints).norm(dim=-1).median(dim=0).values
    wrist, hip = (error[COCO_17.index(f"left_{p}")] for p in ("wrist", "hip"))
    assert 0.5 < hip < 40 and 0.5 < wrist < 40
    # the first ones say that wrists are harder; of real ones, hips are
    assert hip < wrist or isinstance(profile, ErrorProfile)


def test_embedded_people_have_their_noses_in_front():
    for one in datasets.load("synthetic", small=True).test[::5]:
        points = coco_points(one.positions)
        nose, left, right = (points[:, COCO_17.index(j)] for j in ("nose", "left_ear", "right_ear"))
        joints = (H36M_17.index(j) for j in ("pelvis", "spine", "left_hip", "right_hip"))
        pelvis, spine, *hips = (one.positions[:, j] for j in joints)
        ahead = torch.linalg.cross(hips[0] - hips[1], spine - pelvis)
        assert (((nose - (left + right) / 2) * ahead).sum(-1) > 0).all()
        # and nobody's face is larger than a face
        assert ((nose - left).norm(dim=-1) < 0.16).all()


def test_clicks_of_other_detectors():
    """Drawn ones lie about the usual ones, follow from their key, and move hips, not knees."""
    positions = datasets.load("synthetic", small=True).test[0].positions[:5]
    drawn = [Clicks.drawn(f"clip {n}") for n in range(60)]
    assert drawn[0] == Clicks.drawn("clip 0") != drawn[1]
    for name, width in (("hip", 0.2), ("shoulder", 0.1), ("face", 0.03)):
        values = np.array([getattr(each, name) for each in drawn])
        usual = np.array(getattr(Clicks(), name))
        assert np.abs(values - usual).max() <= width
        assert np.abs(values.mean(axis=0) - usual).max() < 0.35 * width
    moved = coco_points(positions, drawn[0]) - coco_points(positions)
    knees = [COCO_17.index(f"{side}_knee") for side in ("left", "right")]
    hips = [COCO_17.index(f"{side}_hip") for side in ("left", "right")]
    assert moved[:, knees].abs().max() == 0
    assert 0.001 < moved[:, hips].norm(dim=-1).max() < 0.09
