"""A body as the occlusion labels see it."""

import pytest
import torch

from paperlib.occlusion import body_of, boxed_man, boxes, clustered, cylinder_man
from paperlib.skeletons import CMU_38, COCO_17, COMMON_14, H36M_17, SKELETONS, Skeleton

WITH_BODY = [name for name in SKELETONS if name != "cmu_38"]


def named(skeleton, numbers):
    return {skeleton.joints[j] for j in numbers}


def test_segments_are_those_written_out(written):
    name, segments, (hips, shoulders, spine) = written
    skeleton = SKELETONS[name]
    body = body_of(skeleton)
    assert len(body.ends) == len(body.names) == len(segments) == 9 and body.names[-1] == "head"
    found = [
        (*([skeleton.joints[j] for j in end] for end in ends), named(skeleton, own))
        for ends, own in zip(body.ends, body.own, strict=True)
    ]
    assert found == segments
    assert [skeleton.joints[j] for j in body.corners] == hips + shoulders
    assert named(skeleton, body.own_of_trunk) == spine & set(skeleton.joints)


def test_the_tables_of_others_are_the_reverse_of_own():
    body = body_of(H36M_17)
    assert body.others.shape == (17, 9) and body.outside_trunk.shape == (17,)
    arm, elbow = body.names.index("left_shoulder_elbow"), H36M_17.index("left_elbow")
    own = named(H36M_17, (~body.others[:, arm]).nonzero().flatten())
    assert own == {"left_shoulder", "left_elbow"}
    segments = {body.names[s] for s in (~body.others[elbow]).nonzero().flatten()}
    assert segments == {"left_shoulder_elbow", "left_elbow_wrist"}
    trunk = named(H36M_17, (~body.outside_trunk).nonzero().flatten())
    corners = {f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "shoulder")}
    assert trunk == corners | {"pelvis", "spine", "thorax"}


@pytest.mark.parametrize("name", WITH_BODY)
def test_both_sides_are_alike(name):
    skeleton = SKELETONS[name]
    body, mirror = body_of(skeleton), skeleton.mirrored

    def found(turned):
        segments = ((*ends, own) for ends, own in zip(body.ends, body.own, strict=True))
        return {tuple(frozenset(turned[j] for j in part) for part in parts) for parts in segments}

    assert found(mirror) == found(range(len(skeleton)))
    assert {mirror[j] for j in body.own_of_trunk} == body.own_of_trunk
    right_hip, left_hip, left_shoulder, right_shoulder = body.corners
    assert (mirror[right_hip], mirror[right_shoulder]) == (left_hip, left_shoulder)
    for (first, second), own in zip(body.ends, body.own, strict=True):
        assert {*first, *second} <= own


def test_an_end_of_several_joints_is_their_mean(device):
    points = torch.zeros(2, 17, 2, device=device)
    places = {"left_shoulder": (2.0, 4.0), "right_shoulder": (-4.0, 2.0)}
    places |= {"left_ear": (1.0, 0.0), "right_ear": (-2.0, 1.0), "left_knee": (5.0, 7.0)}
    for joint, place in places.items():
        points[1, COCO_17.index(joint)] = torch.tensor(place, device=device)
    start, end = body_of(COCO_17).segments(points)
    assert start.shape == end.shape == (2, 9, 2) and start.device.type == device.type
    assert start[1, -1].tolist() == [-1.0, 3.0] and end[1, -1].tolist() == [-0.5, 0.5]
    thigh = body_of(COCO_17).names.index("left_hip_knee")
    assert start[1, thigh].tolist() == [0.0, 0.0] and end[1, thigh].tolist() == [5.0, 7.0]
    assert not start[0].any() and not end[0].any()


def test_without_a_head_there_are_limbs_and_a_trunk():
    body = body_of(COMMON_14)
    assert len(body.names) == 8 and "head" not in body.names


def test_who_has_no_trunk_is_refused():
    assert "left_shoulder" in CMU_38.joints
    flat, deep = torch.zeros(5, 38, 2), torch.ones(5, 38, 3)
    for function, points in ((body_of, ()), (boxed_man, (flat,)), (cylinder_man, (deep,))):
        with pytest.raises(ValueError, match="cmu_38 has no right_hip, left_hip: no trunk to hide"):
            function(*points, CMU_38)
    toy = Skeleton("toy", ("pelvis", "left_hip", "right_hip"), (-1, 0, 0))
    with pytest.raises(ValueError, match="toy has no left_shoulder, right_shoulder: no trunk"):
        body_of(toy)


NAN = torch.full((17, 3), torch.nan)


@pytest.mark.parametrize(
    ("function", "arguments", "what"),
    [
        (clustered, (NAN[:, :2],), "points"),
        (boxed_man, (NAN[:, :2], H36M_17), "keypoints"),
        (boxes, (NAN[:, :2], H36M_17), "keypoints"),
        (cylinder_man, (NAN, H36M_17), "positions"),
    ],
)
def test_what_is_not_known_is_refused(function, arguments, what):
    with pytest.raises(ValueError, match=f"{what} have NaN or infinite values"):
        function(*arguments)


def test_a_trunk_alone_hides_nothing():
    corners = "right_hip left_hip left_shoulder right_shoulder"
    trunk = Skeleton("trunk", tuple(corners.split()), (-1, 0, 1, 2))
    with pytest.raises(ValueError, match="trunk has neither limbs nor a head"):
        body_of(trunk)
