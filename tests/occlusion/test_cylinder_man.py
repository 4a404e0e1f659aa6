"""The cylinder man: by hand, by many small steps along each line of sight, and what must not
change it."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from paperlib.occlusion import cylinder_man
from paperlib.skeletons import COCO_17, COMMON_14, H36M_17, SKELETONS, Skeleton


def people(skeleton, *shape, dtype=torch.float64, device="cpu"):
    positions = torch.randn(*shape, len(skeleton), 3, dtype=torch.float64) * 0.25
    positions[..., 2] += 3
    return positions.to(device, dtype)


def seen(positions, skeleton, joint, **diameters):
    return cylinder_man(positions, skeleton, **diameters)[skeleton.index(joint)].item()


# ---- the same visibility from many small steps ---------------------------------------------------


def nearest(target, start, end):
    """How near the line of sight to a joint comes to an axis: by ever smaller steps about the
    nearest, since the distance along a straight line has one minimum."""
    low, high = 0.0, 1.0
    along = end - start
    for _ in range(5):
        shares = np.linspace(low, high, 101)
        points = shares[:, None] * target
        t = np.clip((points - start) @ along / (along @ along), 0, 1)
        distances = np.linalg.norm(points - start - t[:, None] * along, axis=1)
        best, step = shares[distances.argmin()], shares[1] - shares[0]
        low, high = max(0, best - step), min(1, best + step)
    return distances.min()


def by_small_steps(pose, name, segments, trunk):
    place = dict(zip(SKELETONS[name].joints, pose, strict=True))
    hips, shoulders, own_of_trunk = trunk
    radii = [0.025] * (len(segments) - 1) + [0.05, 0.1]
    visible = []
    for joint, target in place.items():
        shares = [1.0]
        for (first, second, own), radius in zip(
            [*segments, (shoulders, hips, own_of_trunk)], radii, strict=True
        ):
            if joint not in own:
                a, b = (np.mean([place[name] for name in end], axis=0) for end in (first, second))
                shares.append(nearest(target, a, b) / radius)
        visible.append(min(shares))
    return visible


def test_visibility_is_that_of_small_steps(written, device):
    name, segments, trunk = written
    positions = people(SKELETONS[name], 10, device=device)
    visible = cylinder_man(positions, SKELETONS[name])
    assert visible.shape == (10, len(SKELETONS[name])) and visible.dtype == torch.float64
    assert visible.device.type == device.type
    expected = [by_small_steps(pose, name, segments, trunk) for pose in positions.cpu().numpy()]
    np.testing.assert_allclose(visible.cpu().numpy(), expected, atol=1e-4)
    assert ((visible > 0.01) & (visible < 0.99)).double().mean() > 0.1
    assert (visible == 1).double().mean() > 0.2


def test_float32_agrees_with_float64(device):
    positions = people(H36M_17, 100, dtype=torch.float32, device=device)
    visible = cylinder_man(positions, H36M_17)
    assert visible.dtype == torch.float32
    exact = cylinder_man(positions.double(), H36M_17)
    torch.testing.assert_close(visible, exact.float(), atol=1e-3, rtol=0)


# ---- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("beside", "expected"), [(0.0, 0.0), (0.01, 0.4), (-0.02, 0.8), (0.025, 1.0), (0.03, 1.0)]
)
def test_how_visible_is_the_share_of_the_radius(placed, beside, expected, dtype):
    """An upright fore arm 2 m away, and a knee 4 m away on the camera's axis."""
    arm = {"left_elbow": (beside, -1.0, 2.0), "left_wrist": (beside, 1.0, 2.0)}
    positions = placed(H36M_17, **arm, right_knee=(0.0, 0.0, 4.0)).to(dtype)
    visible = cylinder_man(positions, H36M_17)
    assert visible.dtype == dtype
    assert seen(positions, H36M_17, "right_knee") == pytest.approx(expected, abs=1e-5)
    others = [j for j, name in enumerate(H36M_17.joints) if name != "right_knee"]
    assert (visible[others] == 1).all()


@pytest.mark.parametrize(
    ("diameters", "expected"), [({"limb": 0.04}, 0.5), ({"limb": 0.4}, 0.05), ({"head": 1.0}, 0.4)]
)
def test_diameters_may_be_chosen(placed, diameters, expected):
    arm = {"left_elbow": (0.01, -1.0, 2.0), "left_wrist": (0.01, 1.0, 2.0)}
    positions = placed(H36M_17, **arm, right_knee=(0.0, 0.0, 4.0))
    assert seen(positions, H36M_17, "right_knee", **diameters) == pytest.approx(expected)


def test_what_stands_before_a_limb_is_seen(placed):
    """Beyond the joint the limb hides nothing, unless the joint lies within it."""
    for behind, expected in ((-0.5, 0.0), (0.01, 0.4), (0.02, 0.8), (0.03, 1.0), (1.0, 1.0)):
        arm = {"left_elbow": (0.0, -1.0, 2.0 + behind), "left_wrist": (0.0, 1.0, 2.0 + behind)}
        positions = placed(H36M_17, **arm, right_knee=(0.0, 0.0, 2.0))
        assert seen(positions, H36M_17, "right_knee") == pytest.approx(expected, abs=1e-6)


def test_a_limb_ends_in_half_spheres(placed):
    for beyond, expected in ((0.01, 0.4), (0.02, 0.8), (0.026, 1.0)):
        arm = {"left_elbow": (0.0, -1.0, 2.0), "left_wrist": (0.0, -beyond, 2.0)}
        positions = placed(H36M_17, **arm, right_knee=(0.0, 0.0, 4.0))
        assert seen(positions, H36M_17, "right_knee") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_limbs_in_line_with_the_sight_and_without_length(placed, dtype):
    """One as a cylinder seen from its end, the other as a ball."""
    for depth in (2.0, 3.0):
        arm = {"left_elbow": (0.01, 0.0, 2.0), "left_wrist": (0.01, 0.0, depth)}
        positions = placed(H36M_17, **arm, right_knee=(0.0, 0.0, 4.0)).to(dtype)
        assert seen(positions, H36M_17, "right_knee") == pytest.approx(0.4, abs=1e-4)
    # all of a body in one place: each joint within all that is not its own
    heap = torch.zeros(17, 3, dtype=dtype) + torch.tensor([0.5, 0.0, 3.0], dtype=dtype)
    assert (cylinder_man(heap, H36M_17).abs() < 1e-3).all()


@pytest.mark.parametrize(
    ("beside", "expected"), [(0.0, 0.0), (0.03, 0.6), (0.049, 0.98), (0.051, 1.0)]
)
def test_a_head_is_twice_as_wide_as_a_limb(placed, beside, expected):
    head = {"neck_nose": (beside, 0.5, 2.0), "head_top": (beside, -0.5, 2.0)}
    positions = placed(H36M_17, **head, left_wrist=(0.0, 0.0, 4.0))
    assert seen(positions, H36M_17, "left_wrist") == pytest.approx(expected)


TRUNK = {"left_shoulder": (0.2, -0.3, 2.0), "right_shoulder": (-0.2, -0.3, 2.0)}
TRUNK |= {"left_hip": (0.1, 0.3, 2.0), "right_hip": (-0.1, 0.3, 2.0)}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0.0, 0.0, 4.0), 0.0),
        ((0.1, 0.0, 4.0), 0.5),  # 5 cm beside the axis, half way
        ((0.21, 0.0, 4.0), 1.0),  # between shoulders and hips, and beside the cylinder
        ((0.0, 0.7, 4.0), 0.5),  # 5 cm below the hips, half way
    ],
)
def test_a_trunk_runs_from_the_middle_of_the_shoulders_to_that_of_the_hips(placed, place, expected):
    positions = placed(COCO_17, **TRUNK, nose=place)
    # the slant of the lower line of sight takes a little of its distance
    assert seen(positions, COCO_17, "nose") == pytest.approx(expected, abs=0.01)


def test_shoulders_hips_and_spine_are_never_hidden_by_the_trunk(placed):
    spine = {"spine": (0.0, 0.0, 2.05), "thorax": (0.0, -0.3, 2.0), "pelvis": (0.0, 0.3, 2.0)}
    positions = placed(H36M_17, **TRUNK, **spine, neck_nose=(0.0, -0.2, 2.05))
    visible = cylinder_man(positions, H36M_17)
    assert {H36M_17.joints[j] for j in (visible < 1).nonzero().flatten()} == {"neck_nose"}


def test_a_joint_is_never_hidden_by_its_own_limbs(placed):
    """An arm stretched at the camera, straight."""
    depths = {"left_shoulder": 3.0, "left_elbow": 2.7, "left_wrist": 2.4}
    positions = placed(H36M_17, **{joint: (0.0, 0.0, z) for joint, z in depths.items()})
    assert seen(positions, H36M_17, "left_elbow") == seen(positions, H36M_17, "left_wrist") == 1
    assert seen(positions, H36M_17, "left_shoulder") == pytest.approx(0, abs=1e-9)


def test_a_joint_that_belongs_to_nothing_is_hidden_by_anything_and_no_more_than_seen(placed):
    joints, parents = COMMON_14.joints, COMMON_14.parents
    toes = Skeleton("with_a_toe", (*joints, "left_toe"), (*parents, joints.index("left_ankle")))
    assert (cylinder_man(placed(toes, hip=(0.0, 5.0, 9.0)), toes) == 1).all()
    arm = {"right_elbow": (0.01, -1.0, 2.0), "right_wrist": (0.01, 1.0, 2.0)}
    positions = placed(toes, **arm, left_toe=(0.0, 0.0, 4.0))
    assert seen(positions, toes, "left_toe") == pytest.approx(0.4)


# ---- what must not change it --------------------------------------------------------------------


def test_turning_all_about_the_camera_changes_nothing(skeleton):
    positions = people(skeleton, 30)
    turns = torch.from_numpy(Rotation.random(30, rng=0).as_matrix())
    turned = positions @ turns
    torch.testing.assert_close(cylinder_man(turned, skeleton), cylinder_man(positions, skeleton))


def test_scaling_positions_and_diameters_together_changes_nothing(skeleton):
    positions = people(skeleton, 30)
    visible = cylinder_man(positions, skeleton)
    scaled = cylinder_man(positions * 3, skeleton, limb=0.15, head=0.30, trunk=0.60)
    torch.testing.assert_close(scaled, visible)


def test_a_mirror_image_has_the_visibility_of_the_other_side(skeleton):
    positions = people(skeleton, 30)
    mirrored = positions * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    visible = cylinder_man(mirrored[:, skeleton.mirrored], skeleton)
    torch.testing.assert_close(visible, cylinder_man(positions, skeleton)[:, skeleton.mirrored])


@pytest.mark.parametrize("part", ["limb", "head", "trunk"])
def test_wider_cylinders_hide_more(part):
    positions = people(H36M_17, 50)
    narrow, wide = (cylinder_man(positions, H36M_17, **{part: d}) for d in (0.1, 0.3))
    assert (wide <= narrow).all() and (wide < narrow).any()


def test_positions_may_come_in_any_batch():
    positions = people(H36M_17, 2, 5, 3)
    visible = cylinder_man(positions, H36M_17)
    assert visible.shape == (2, 5, 3, 17)
    assert torch.equal(visible[1, 4, 2], cylinder_man(positions[1, 4, 2], H36M_17))
    turned = cylinder_man(positions.permute(2, 0, 1, 3, 4), H36M_17)
    assert torch.equal(turned, visible.permute(2, 0, 1, 3))
    assert cylinder_man(positions[:, :0], H36M_17).shape == (2, 0, 3, 17)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((5, 15, 3), {}, r"expected positions \(\.\.\., 17, 3\) of h36m_17, got \(5, 1"),
        ((5, 17, 2), {}, r"expected positions .* of h36m_17, got \(5, 17, 2\)"),
        ((3,), {}, r"expected positions .* got \(3,\)"),
        ((5, 17, 3), {"limb": 0.0}, "diameters are above 0 metres, got limb=0.0 head=0.1"),
        ((5, 17, 3), {"head": -0.1}, "diameters are above 0 metres, .* head=-0.1"),
        ((5, 17, 3), {"trunk": 0}, "diameters are above 0 metres, .* trunk=0"),
        ((5, 17, 3), {"trunk": float("nan")}, "diameters are above 0 .* trunk=nan"),
        ((5, 17, 3), {"limb": float("nan")}, "diameters are above 0 .* limb=nan"),
    ],
)
def test_wrong_input_is_explained(shape, options, said):
    with pytest.raises(ValueError, match=said):
        cylinder_man(torch.ones(shape), H36M_17, **options)
