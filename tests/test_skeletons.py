"""Joint sets are those of the papers, and conversions between them keep left and right apart."""

import pytest
import torch

from paperlib.skeletons import (
    _RENAMED,
    CMU_38,
    COCO_17,
    COCO_19,
    COMMON_14,
    H36M_17,
    H36M_17_OF_32,
    HUMANEVA_15,
    MPII_16,
    MUPOTS_17,
    MUPOTS_17_OF_3DHP_28,
    PENN_13,
    SKELETONS,
    SMPL_24,
    Skeleton,
    conversion_matrix,
    convert,
    convert_confidence,
    sources,
)

CONVERSIONS = [(SKELETONS[a], SKELETONS[b]) for a, b in _RENAMED]
ALL = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
EVERY_CONVERSION = pytest.mark.parametrize(
    ("source", "target"), CONVERSIONS, ids=[f"{a}-{b}" for a, b in _RENAMED]
)


# joints in the order of their papers, both sides, and parents where a text gives them; a part such
# as "left hip knee" is left_hip, left_knee
WRITTEN = {
    H36M_17: (
        "pelvis, right hip knee ankle, left hip knee ankle, spine, thorax, neck_nose, head_top, "
        "left shoulder elbow wrist, right shoulder elbow wrist",
        ((4, 5, 6, 11, 12, 13), (1, 2, 3, 14, 15, 16)),
        (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    ),
    HUMANEVA_15: (
        "pelvis, thorax, left shoulder elbow wrist, right shoulder elbow wrist, "
        "left hip knee ankle, right hip knee ankle, head",
        ((2, 3, 4, 8, 9, 10), (5, 6, 7, 11, 12, 13)),
        (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
    ),
    MUPOTS_17: (
        "head_top, neck, right shoulder elbow wrist, left shoulder elbow wrist, "
        "right hip knee ankle, left hip knee ankle, hip, spine, head_nose",
        ((5, 6, 7, 11, 12, 13), (2, 3, 4, 8, 9, 10)),
        # the protocol rescales these bones; there the hip is its own parent
        (1, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1),
    ),
    MPII_16: (
        "right ankle knee hip, left hip knee ankle, pelvis, thorax, upper_neck, head_top, "
        "right wrist elbow shoulder, left shoulder elbow wrist",
        ((3, 4, 5, 13, 14, 15), (2, 1, 0, 12, 11, 10)),
        None,
    ),
    COMMON_14: (
        "hip, right hip knee ankle, left hip knee ankle, neck, "
        "left shoulder elbow wrist, right shoulder elbow wrist",
        ((4, 5, 6, 8, 9, 10), (1, 2, 3, 11, 12, 13)),
        None,
    ),
    SMPL_24: (
        "pelvis, left hip, right hip, spine1, left knee, right knee, spine2, left ankle, "
        "right ankle, spine3, left foot, right foot, neck, left collar, right collar, head, "
        "left shoulder, right shoulder, left elbow, right elbow, left wrist, right wrist, "
        "left hand, right hand",
        ((1, 4, 7, 10, 13, 16, 18, 20, 22), (2, 5, 8, 11, 14, 17, 19, 21, 23)),
        # the model's own kinematic tree
        (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
    ),
}


@pytest.mark.parametrize("skeleton", WRITTEN, ids=lambda s: s.name)
def test_joints_stand_in_the_order_of_their_source(skeleton):
    text, sides, parents = WRITTEN[skeleton]
    names = []
    for part in text.split(", "):
        side, *joints = part.split()
        names += [f"{side}_{joint}" for joint in joints] or [side]
    assert list(skeleton.joints) == names
    assert (skeleton.left, skeleton.right) == sides
    assert parents in (None, skeleton.parents)


def test_human36m_keeps_17_of_32_joints():
    dropped = {4, 5, 9, 10, 11, 16, 20, 21, 22, 23, 24, 28, 29, 30, 31}
    assert tuple(sorted(set(range(32)) - dropped)) == H36M_17_OF_32


def test_mpi_inf_3dhp_joints_are_picked_for_mupots():
    counted_from_one = (8, 6, 15, 16, 17, 10, 11, 12, 24, 25, 26, 19, 20, 21, 5, 4, 7)
    assert tuple(j - 1 for j in counted_from_one) == MUPOTS_17_OF_3DHP_28


def test_coco_alternates_left_and_right_after_the_nose():
    pairs = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert COCO_17.joints == ("nose", *(f"{s}_{p}" for p in pairs for s in ("left", "right")))
    assert COCO_17.left == (1, 3, 5, 7, 9, 11, 13, 15)
    assert COCO_17.right == (2, 4, 6, 8, 10, 12, 14, 16)
    assert COCO_19.joints == (*COCO_17.joints, "hip", "neck")


def test_penn_action_alternates_left_and_right_after_the_head():
    pairs = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert PENN_13.joints == ("head", *(f"{s}_{p}" for p in pairs for s in ("left", "right")))


def test_common_joints_start_at_the_hip():
    assert COMMON_14.root == 0


def test_cmu_bones_are_those_of_the_motion_files():
    # the parent of each node as the skeleton of the motion files numbers it
    legs = (-1, 0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11)
    spine = (0, 13, 14, 15, 16, 17, 18)
    arms = (15, 20, 21, 22, 23, 24, 25, 23, 27, 15, 29, 30, 31, 32, 33, 34, 32, 36)
    assert CMU_38.parents == legs + spine + arms
    assert CMU_38.left == (*range(1, 7), *range(20, 29))
    assert CMU_38.right == (*range(7, 13), *range(29, 38))


def test_cmu_joints_stand_for_the_human36m_joints_closest_to_them():
    picked = [0, 8, 9, 10, 2, 3, 4, 14, 17, 18, 19, 21, 22, 23, 30, 31, 32]
    assert sources(CMU_38, H36M_17) == tuple((j,) for j in picked)


@ALL
def test_each_skeleton_is_one_tree_walked_outwards(skeleton):
    assert skeleton.parents.count(-1) == 1
    assert sorted(skeleton.order) == list(range(len(skeleton)))
    assert skeleton.order[0] == skeleton.root
    for joint in skeleton.order[1:]:
        assert skeleton.order.index(skeleton.parents[joint]) < skeleton.order.index(joint)
    assert len(skeleton.bones) == len(skeleton) - 1
    assert len(set(skeleton.joints)) == len(skeleton)


@ALL
def test_mirroring_twice_changes_nothing(skeleton):
    once = skeleton.mirrored
    assert tuple(once[j] for j in once) == tuple(range(len(skeleton)))
    for left, right in zip(skeleton.left, skeleton.right, strict=True):
        assert once[left] == right
        assert skeleton.joints[left].replace("left", "right") == skeleton.joints[right]
        assert (skeleton.side(left), skeleton.side(right)) == ("left", "right")
    assert all(once[j] == j for j in range(len(skeleton)) if skeleton.side(j) == "centre")


@ALL
def test_bones_keep_to_their_side(skeleton):
    """The mirror image of a bone is a bone."""
    mirrored = {(skeleton.mirrored[p], skeleton.mirrored[c]) for p, c in skeleton.bones}
    assert mirrored == set(skeleton.bones)


@EVERY_CONVERSION
def test_conversions_are_means_of_joints(source, target):
    matrix = conversion_matrix(source, target)
    assert matrix.shape == (len(target), len(source))
    assert (matrix >= 0).all()
    assert torch.equal(matrix.sum(dim=1), torch.ones(len(target)))


@EVERY_CONVERSION
@pytest.mark.parametrize("dimensions", [2, 3])
def test_conversion_and_mirroring_may_change_places(source, target, dimensions):
    pose = torch.randn(4, len(source), dimensions, dtype=torch.float64)
    flip = torch.ones(dimensions, dtype=torch.float64)
    flip[0] = -1

    def mirrored(points, skeleton):
        return (points * flip)[..., skeleton.mirrored, :]

    first_mirrored = convert(mirrored(pose, source), source, target)
    first_converted = mirrored(convert(pose, source, target), target)
    torch.testing.assert_close(first_mirrored, first_converted, rtol=0, atol=1e-12)


@EVERY_CONVERSION
def test_joints_named_alike_stay_where_they_are(source, target):
    pose = torch.randn(len(source), 3)
    converted = convert(pose, source, target)
    renamed = _RENAMED[source.name, target.name]  # CMU's "left_shoulder" is the collar bone's
    for name in set(source.joints) & set(target.joints) - set(renamed):
        torch.testing.assert_close(converted[target.index(name)], pose[source.index(name)])


def test_middle_of_hips_and_shoulders_is_added_to_coco():
    pose = torch.zeros(17, 2, dtype=torch.float64)
    places = {"left_hip": (1.0, 10.0), "right_hip": (3.0, 20.0), "left_shoulder": (5.0, 6.0)}
    for joint, place in places.items():
        pose[COCO_17.index(joint)] = torch.tensor(place).double()
    more = convert(pose, COCO_17, COCO_19)
    assert more.dtype == torch.float64
    assert torch.equal(more[:17], pose)
    assert more[17].tolist() == [2.0, 15.0]
    assert more[18].tolist() == [2.5, 3.0]


def test_a_joint_set_converts_to_itself_unchanged():
    pose = torch.randn(2, 17, 3)
    assert torch.equal(convert(pose, H36M_17, H36M_17), pose)


def test_confidence_of_a_mean_joint_is_harmonic():
    confidence = torch.full((2, 17), 0.9, dtype=torch.float64)
    left, right = COCO_17.index("left_hip"), COCO_17.index("right_hip")
    confidence[0, left], confidence[0, right] = 0.8, 0.2
    confidence[1, left], confidence[1, right] = 0.8, 0.0
    hip = convert_confidence(confidence, COCO_17, COCO_19)[:, COCO_19.index("hip")]
    expected = [2 / (1 / (0.8 + 1e-6) + 1 / (b + 1e-6)) for b in (0.2, 0.0)]
    assert hip.tolist() == pytest.approx(expected, rel=1e-9)
    assert hip[0].item() == pytest.approx(0.32, abs=1e-5)
    assert hip[1].item() < 1e-5  # trusted no more than the weaker of the two


@EVERY_CONVERSION
def test_confidence_of_a_joint_that_is_one_joint_is_left_alone(source, target):
    confidence = torch.rand(5, len(source))
    confidence[0], confidence[1] = 0.0, 1.0
    converted = convert_confidence(confidence, source, target)
    for joint, found in enumerate(sources(source, target)):
        if len(found) == 1:
            assert torch.equal(converted[:, joint], confidence[:, found[0]])
    assert converted.max() <= 1.0 + 1e-5


def test_wrong_joint_count_is_refused():
    with pytest.raises(ValueError, match=r"expected 17 joints of coco_17.*\(2, 16, 3\)"):
        convert(torch.zeros(2, 16, 3), COCO_17, COCO_19)


@pytest.mark.parametrize("count", [16, 19])
def test_confidence_of_a_wrong_joint_count_is_refused(count):
    with pytest.raises(ValueError, match="17"):
        convert_confidence(torch.ones(2, count), COCO_17, COCO_19)


def test_unknown_conversion_names_the_choices():
    with pytest.raises(ValueError, match="unknown conversion") as error:
        convert(torch.zeros(16, 3), MPII_16, CMU_38)
    assert "mpii_16 to cmu_38: it has no hips, left_hip_joint, " in str(error.value)
    assert str(error.value).endswith("known are those to common_14")


def test_unknown_joint_names_the_choices_and_the_nearest():
    with pytest.raises(ValueError, match=r"left_kne.*h36m_17|h36m_17.*left_kne") as error:
        H36M_17.index("left_kne")
    assert "Did you mean 'left_knee'?" in str(error.value)


def test_a_skeleton_needs_a_parent_for_each_joint():
    with pytest.raises(ValueError, match="2 joints, 1 parents"):
        Skeleton("broken", ("a", "b"), (-1,))
