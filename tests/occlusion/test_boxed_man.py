"""The boxed man: by hand, by the text's slopes, and what must not change it."""

import math

import numpy as np
import pytest
import torch
from matplotlib.path import Path
from scipy.spatial import Delaunay

from paperlib.occlusion import body_of, boxed_man, boxes, hidden_behind
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, SKELETONS


def people(skeleton, *shape, dtype=torch.float64, device="cpu"):
    points = torch.randn(*shape, len(skeleton), 2, dtype=torch.float64) * 0.3
    return points.to(device, dtype)


def hidden_names(points, skeleton, **options):
    hidden = boxed_man(points, skeleton, **options)
    return {skeleton.joints[j] for j in hidden.nonzero().flatten()}


# ---- the same labels from the text's construction ------------------------------------------------


def corners_of_the_text(a, b, delta):
    """A1, A2, B2, B1 from the slope of AB, which is neither upright nor level."""
    slope = (b[1] - a[1]) / (b[0] - a[0])
    turned = math.atan(-1 / slope)
    away = np.array([math.cos(turned), math.sin(turned)]) * delta
    return np.array([a - away, a + away, b + away, b - away])


def by_the_text(points, name, segments, trunk, delta):
    """Hidden joints of one pose; the trunk is what lies in one of Delaunay's triangles."""
    place = dict(zip(SKELETONS[name].joints, points, strict=True))
    hidden = dict.fromkeys(place, False)
    for first, second, own in segments:
        a, b = (np.mean([place[joint] for joint in end], axis=0) for end in (first, second))
        inside = Path(corners_of_the_text(a, b, delta)).contains_points(points)
        for joint, within in zip(place, inside, strict=True):
            hidden[joint] |= bool(within) and joint not in own
    hips, shoulders, own = trunk
    spanned = Delaunay([place[joint] for joint in hips + shoulders])
    for joint, within in zip(place, spanned.find_simplex(points) >= 0, strict=True):
        hidden[joint] |= bool(within) and joint not in own
    return list(hidden.values())


def test_labels_are_those_of_the_text(written, device):
    name, segments, trunk = written
    points = people(SKELETONS[name], 40, device=device)
    hidden = boxed_man(points, SKELETONS[name], width=0.05)
    assert hidden.shape == (40, len(SKELETONS[name])) and hidden.dtype == torch.bool
    assert hidden.device.type == device.type
    expected = [by_the_text(p, name, segments, trunk, 0.05) for p in points.cpu().numpy()]
    assert hidden.tolist() == expected
    assert 0.1 < hidden.double().mean() < 0.9


def same_rectangle(one, other):
    """Whether both have the same corners in the same order around, from any of them, either way."""
    turns = [np.roll(way, k, axis=0) for way in (other, other[::-1]) for k in range(4)]
    return any(np.allclose(one, turn, atol=1e-12) for turn in turns)


def test_boxes_are_those_of_the_text(written):
    name, segments, _ = written
    skeleton = SKELETONS[name]
    points = people(skeleton, 6)
    found = boxes(points, skeleton, width=0.05)
    assert found.shape == (6, 9, 4, 2)
    for pose, rectangles in zip(points.numpy(), found.numpy(), strict=True):
        place = dict(zip(skeleton.joints, pose, strict=True))
        for (first, second, _), rectangle in zip(segments, rectangles, strict=True):
            a, b = (np.mean([place[joint] for joint in end], axis=0) for end in (first, second))
            assert same_rectangle(rectangle, corners_of_the_text(a, b, 0.05))


def test_float32_agrees_with_float64():
    points = people(H36M_17, 200, dtype=torch.float32)
    both = boxed_man(points, H36M_17), boxed_man(points.double(), H36M_17)
    assert (both[0] != both[1]).double().mean() < 1e-3
    assert boxes(points, H36M_17).dtype == torch.float32


# ---- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0, 30, 90, 135, 180, 270])  # degrees: level and upright too
@pytest.mark.parametrize("along", [-0.02, 0.02, 0.5, 0.98, 1.02])
@pytest.mark.parametrize("aside", [-0.11, -0.09, 0.0, 0.09, 0.11])
def test_a_box_ends_with_its_joints_and_is_as_wide_as_said(placed, turn, along, aside):
    """It has no rounded cap. The spine belongs to no limb; of the left arm only the fore arm has
    a length."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    arm = {"left_shoulder": (0.0, 0.0), "left_elbow": (0.0, 0.0), "left_wrist": (cos, sin)}
    spine = (cos * along - sin * aside, sin * along + cos * aside)
    points = placed(H36M_17, **arm, spine=spine)
    inside = 0 < along < 1 and abs(aside) < 0.1
    assert ("spine" in hidden_names(points, H36M_17, width=0.1)) == inside


def test_a_segment_without_length_hides_nothing(placed):
    """Not even what lies at the same place."""
    here = {"left_shoulder": (0.0, 0.0), "left_elbow": (0.0, 0.0), "left_wrist": (0.0, 0.0)}
    points = placed(H36M_17, **here, spine=(0.0, 0.0))
    assert "spine" not in hidden_names(points, H36M_17, width=0.1)
    assert not boxed_man(torch.zeros(3, 17, 2), H36M_17, width=0.1).any()
    assert (boxes(torch.zeros(3, 17, 2), H36M_17, width=0.1) == 0).all()


def test_upright_and_level_limbs_have_boxes(placed):
    arm = {"left_elbow": (0.0, 0.0), "left_wrist": (0.0, -2.0)}
    points = placed(H36M_17, **arm, right_knee=(-3.0, 0.0), right_ankle=(-4.0, 0.0))
    body = body_of(H36M_17)
    found = boxes(points, H36M_17, width=0.5)
    assert torch.isfinite(found).all()
    arm = found[body.names.index("left_elbow_wrist")].tolist()
    assert sorted(arm) == [[-0.5, -2.0], [-0.5, 0.0], [0.5, -2.0], [0.5, 0.0]]
    leg = found[body.names.index("right_knee_ankle")].tolist()
    assert sorted(leg) == [[-4.0, -0.5], [-4.0, 0.5], [-3.0, -0.5], [-3.0, 0.5]]


def test_a_keypoint_is_never_hidden_by_its_own_segments(placed):
    """An arm folded so that the wrist lies on the upper arm, and the shoulder in the fore arm's
    box."""
    arm = {"left_shoulder": (0.0, 0.0), "left_elbow": (0.0, -1.0)}
    points = placed(HUMANEVA_15, **arm, left_wrist=(0.0, 0.5))
    # the shoulder lies on the fore arm; elbow and wrist belong to it, and the upper arm ends first
    assert hidden_names(points, HUMANEVA_15, width=0.1) == {"left_shoulder"}
    points = placed(HUMANEVA_15, **arm, left_wrist=(0.0, -0.5))
    assert hidden_names(points, HUMANEVA_15, width=0.1) == {"left_wrist"}


def test_a_face_is_not_hidden_by_its_head_and_a_hand_is(placed):
    head = {"left_shoulder": (-1.0, 0.0), "right_shoulder": (1.0, 0.0)}
    head |= {"left_ear": (-0.1, -1.0), "right_ear": (0.1, -1.0)}
    face = {"nose": (0.0, -0.9), "left_eye": (-0.05, -0.95), "right_eye": (0.05, -0.95)}
    points = placed(COCO_17, **head, **face, left_wrist=(0.05, -0.5), left_ankle=(0.3, -0.5))
    assert hidden_names(points, COCO_17, width=0.2) == {"left_wrist"}


SQUARE = {"left_shoulder": (1.0, 0.0), "right_shoulder": (-1.0, 0.0)}
SQUARE |= {"left_hip": (1.0, 2.0), "right_hip": (-1.0, 2.0)}
INSIDE, OUTSIDE = [(0.3, 1), (-0.99, 0.01), (0.99, 1.98)], [(-1.01, 1), (0.3, -0.01), (-0.3, 2.01)]


@pytest.mark.parametrize("place", INSIDE + OUTSIDE)
def test_what_lies_between_shoulders_and_hips_is_hidden(placed, place):
    """With boxes of no width, for the trunk alone."""
    points = placed(COCO_17, **SQUARE, nose=place)
    assert hidden_names(points, COCO_17, width=0) == ({"nose"} if place in INSIDE else set())


@pytest.mark.parametrize("swapped", ["shoulder", "hip", None])
def test_a_trunk_seen_from_the_side_is_all_that_its_corners_span(placed, swapped):
    """With left and right of one pair exchanged its outline crosses itself, and the text's
    quadrilateral would be two triangles that leave out both flanks."""
    corners = dict(SQUARE)
    if swapped:
        left, right = f"left_{swapped}", f"right_{swapped}"
        corners[left], corners[right] = corners[right], corners[left]
    for place in [(0.9, 1.0), (-0.9, 1.0), (0.01, 0.1), (0.01, 1.9)]:
        points = placed(COCO_17, **corners, nose=place)
        assert hidden_names(points, COCO_17, width=0) == {"nose"}, place
    points = placed(COCO_17, **corners, nose=(-1.1, 1.0))
    assert hidden_names(points, COCO_17, width=0) == set()


def test_a_trunk_with_a_corner_within_the_others_is_spanned_by_those(placed):
    corners = SQUARE | {"left_shoulder": (-0.6, 1.2)}
    for place, inside in [((-0.9, 0.5), True), ((0.5, 1.8), True), ((0.5, 0.5), False)]:
        points = placed(COCO_17, **corners, nose=place)
        assert hidden_names(points, COCO_17, width=0) == ({"nose"} if inside else set())


@pytest.mark.parametrize("direction", [(0.0, 1.0), (1.0, 0.0), (0.6, 0.1)])
def test_a_trunk_without_an_area_hides_nothing_beside_it(placed, direction):
    x, y = direction
    flat = {"left_shoulder": 0.1, "right_shoulder": 0.1, "left_hip": 1.9, "right_hip": 1.3}
    corners = {name: (x * share, y * share) for name, share in flat.items()}
    for share in (-0.5, 0.1, 0.7, 1.3, 1.5, 2.5):
        for aside in (-0.01, 0.01):
            beside = (x * share - y * aside, y * share + x * aside)
            points = placed(H36M_17, **corners, neck_nose=beside)
            assert "neck_nose" not in hidden_names(points, H36M_17, width=0)


def test_shoulders_hips_and_spine_are_never_hidden_by_the_trunk(placed):
    within = {"pelvis": (0.0, 1.9), "spine": (0.1, 1.0), "thorax": (0.0, 0.1)}
    points = placed(H36M_17, **SQUARE, **within, neck_nose=(0.1, 1.2))
    assert hidden_names(points, H36M_17, width=0) == {"neck_nose"}
    # one corner within the other three
    points = placed(H36M_17, **SQUARE | {"left_hip": (-0.5, 0.5)}, **within)
    assert hidden_names(points, H36M_17, width=0) == set()


# ---- what must not change them ------------------------------------------------------------------


def test_turning_shifting_and_scaling_the_image_changes_nothing(skeleton):
    points = people(skeleton, 100)
    hidden = boxed_man(points, skeleton, width=0.05)
    for degrees, scale in ((33, 1.0), (90, 0.1), (200, 500.0)):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float64)
        moved = (points @ turn + 0.7) * scale
        assert torch.equal(hidden, boxed_man(moved, skeleton, width=0.05 * scale))


def test_a_mirror_image_has_the_labels_of_the_other_side(skeleton):
    points = people(skeleton, 100)
    hidden = boxed_man(points, skeleton, width=0.05)
    mirrored = (points * torch.tensor([-1.0, 1.0], dtype=torch.float64))[:, skeleton.mirrored]
    assert torch.equal(hidden[:, skeleton.mirrored], boxed_man(mirrored, skeleton, width=0.05))


def test_wider_boxes_hide_more():
    points = people(H36M_17, 50)
    before = boxed_man(points, H36M_17, width=0)
    assert before.any()  # in the trunk
    for width in (0.02, 0.05, 0.2):
        hidden = boxed_man(points, H36M_17, width=width)
        assert not (before & ~hidden).any() and hidden.sum() > before.sum()
        before = hidden
    assert torch.equal(boxed_man(points, H36M_17), boxed_man(points, H36M_17, width=0.02))


def test_keypoints_may_come_in_any_batch():
    points = people(H36M_17, 2, 5, 3)
    hidden = boxed_man(points, H36M_17)
    assert hidden.shape == (2, 5, 3, 17)
    assert torch.equal(hidden[1, 4, 2], boxed_man(points[1, 4, 2], H36M_17))
    turned = boxed_man(points.permute(2, 0, 1, 3, 4), H36M_17)
    assert torch.equal(turned, hidden.permute(2, 0, 1, 3))
    assert torch.equal(boxes(points, H36M_17)[1, 4, 2], boxes(points[1, 4, 2], H36M_17))
    assert boxed_man(points[:, :0], H36M_17).shape == (2, 0, 3, 17)


@pytest.mark.parametrize(
    ("points", "options", "said"),
    [
        (torch.zeros(5, 15, 2), {}, r"expected keypoints \(\.\.\., 17, 2\) of h36m_17, got \(5, 1"),
        (torch.zeros(5, 17, 3), {}, r"expected keypoints \(\.\.\., 17, 2\) of h36m_17, .*17, 3\)"),
        (torch.zeros(2), {}, r"expected keypoints .* got \(2,\)"),
        (torch.zeros(5, 17, 2), {"width": -0.1}, "the width is a distance, 0 or more, got -0.1"),
        (torch.zeros(5, 17, 2), {"width": float("nan")}, "the width is a distance.*got nan"),
    ],
)
def test_wrong_input_is_explained(points, options, said):
    for function in (boxed_man, boxes):
        with pytest.raises(ValueError, match=said):
            function(points, H36M_17, **options)


# ---- somebody else in front ----------------------------------------------------------------------


def standing():
    """COCO's joints of somebody upright: shoulders at 0, hips at 1, ankles at 3, 0.4 wide."""
    heights = {"shoulder": 0, "elbow": 0.5, "wrist": 1.0, "hip": 1.0, "knee": 2.0, "ankle": 3.0}
    rows = []
    for name in COCO_17.joints:
        side, _, joint = name.rpartition("_")
        x = {"left": 0.2, "right": -0.2}.get(side, 0.0)
        x *= 2.0 if joint in ("elbow", "wrist") else 1.0
        rows.append((x, heights.get(joint, -0.3)))
    return torch.tensor(rows, dtype=torch.float64)


def test_what_lies_behind_somebody_by_hand():
    points = {
        (0.0, 0.5): True,  # in the middle of the trunk
        (0.25, 0.5): True,  # beside it, in its flesh
        (0.2, 2.5): True,  # on a shin
        (0.27, 2.5): True,
        (0.31, 2.5): False,
        (0.0, 2.0): False,  # between the knees
        (0.0, -0.2): True,  # the head
        (1.0, 1.0): False,
    }
    hidden = hidden_behind(torch.tensor([*points]).double(), standing(), COCO_17, 0.1)
    assert hidden.tolist() == [*points.values()]
    # anything by which both are moved, turned or made larger
    turn = torch.tensor([[0.0, 2.0], [-2.0, 0.0]], dtype=torch.float64)
    moved = [each @ turn + 3 for each in (torch.tensor([*points]).double(), standing())]
    assert hidden_behind(*moved, COCO_17, 0.2).tolist() == hidden.tolist()


def test_each_frame_has_its_own_body_in_front():
    frames = torch.stack([standing(), standing() + 5])
    hidden = hidden_behind(torch.tensor([[[0.0, 0.5]]] * 2).double(), frames, COCO_17, 0.1)
    assert hidden.tolist() == [[True], [False]]
    with pytest.raises(ValueError, match="width"):
        hidden_behind(frames, frames, COCO_17, -1.0)
