"""Rotations against SciPy's, and a jointed arm worked by hand."""

from math import pi, sqrt

import numpy as np
import pytest
import torch
from samples import assert_close
from scipy.spatial.transform import Rotation

from paperlib.kinematics import (
    bone_lengths,
    euler_from_rotation,
    forward_kinematics,
    matrix_to_quaternion,
    quaternion_apply,
    quaternion_inverse,
    quaternion_to_matrix,
    rotation_about,
    rotation_from_euler,
    rotation_from_vector,
    shortest_turn,
    vector_from_rotation,
)
from paperlib.skeletons import H36M_17

PRECISIONS = {torch.float32: 2e-6, torch.float64: 1e-13}
BOTH_PRECISIONS = pytest.mark.parametrize(("dtype", "close"), PRECISIONS.items())


def random_turns(count: int) -> Rotation:
    return Rotation.random(count, rng=np.random.default_rng(0))


def as_tensor(array, dtype=torch.float64) -> torch.Tensor:
    return torch.from_numpy(np.array(array)).to(dtype)


def quaternions(turns: Rotation, dtype=torch.float64) -> torch.Tensor:
    """SciPy puts w last, we put it first."""
    return as_tensor(np.roll(turns.as_quat(), 1, axis=-1), dtype)


@BOTH_PRECISIONS
def test_quaternions_turn_as_scipy_says(dtype, close):
    turns, vectors = random_turns(50), torch.randn(50, 3, dtype=torch.float64)
    q, v = quaternions(turns, dtype), vectors.to(dtype)
    assert_close(quaternion_to_matrix(q), turns.as_matrix(), close)
    assert_close(quaternion_apply(q, v), turns.apply(vectors.numpy()), 5 * close)
    assert_close(quaternion_apply(quaternion_inverse(q), quaternion_apply(q, v)), v, 5 * close)
    assert quaternion_apply(q, v).dtype == quaternion_to_matrix(q).dtype == dtype


@pytest.mark.parametrize(
    ("q_shape", "v_shape"),
    [((4,), (6, 5, 3)), ((5, 4), (6, 5, 3)), ((6, 1, 4), (5, 3)), ((5, 4), (3,))],
)
def test_one_quaternion_turns_many_vectors_and_many_turn_one(q_shape, v_shape):
    q = torch.nn.functional.normalize(torch.randn(q_shape, dtype=torch.float64), dim=-1)
    v = torch.randn(v_shape, dtype=torch.float64)
    expected = (quaternion_to_matrix(q) @ v[..., None]).squeeze(-1)
    assert_close(quaternion_apply(q, v), expected, 1e-12)


@BOTH_PRECISIONS
@pytest.mark.parametrize("largest", range(4))
def test_matrices_become_quaternions_whichever_part_is_largest(largest, dtype, close):
    q = torch.randn(100, 4, dtype=torch.float64) * 0.2
    q[:, largest] += 1
    q = torch.nn.functional.normalize(q, dim=-1)
    q = torch.where(q[:, :1] < 0, -q, q)
    found = matrix_to_quaternion(quaternion_to_matrix(q.to(dtype)))
    assert (found[:, 0] >= 0).all()
    assert_close((found.double() * q).sum(-1).abs(), torch.ones(100), close)
    sure = q[:, 0] > 1e-3  # at half a turn both signs mean the same
    assert_close(found[sure], q[sure], 5 * close)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_half_a_turn_about_each_axis_has_a_quaternion(axis):
    matrix = as_tensor(Rotation.from_rotvec(np.array(axis) * pi).as_matrix())
    assert_close(matrix_to_quaternion(matrix).abs(), [0, *axis], 1e-12)


ANGLES = (0.0, 1e-12, 1e-7, 5e-4, 1e-3, 2e-3, 0.1, 1.0, 3.0, pi - 1e-3, pi - 1e-6)


@BOTH_PRECISIONS
@pytest.mark.parametrize("angle", ANGLES)
def test_exponential_map_is_scipys_at_every_angle(angle, dtype, close):
    axes = torch.nn.functional.normalize(torch.randn(30, 3, dtype=torch.float64), dim=-1)
    vectors = (axes * angle).to(dtype)
    matrices = rotation_from_vector(vectors)
    assert matrices.dtype == dtype
    assert_close(matrices, Rotation.from_rotvec(vectors.numpy()).as_matrix(), 3 * close)
    assert_close(vector_from_rotation(matrices.double()), vectors.double(), 5e-6)
    if dtype == torch.float64 and angle < 3:
        assert_close(vector_from_rotation(matrices), vectors, 1e-13)


def test_vectors_longer_than_half_a_turn_come_back_the_short_way():
    back = vector_from_rotation(rotation_from_vector(torch.tensor([0.0, 0.0, 1.5 * pi])))
    assert back.tolist() == pytest.approx([0, 0, -0.5 * pi], abs=1e-5)


def test_vectors_of_random_rotations_are_scipys():
    turns = random_turns(200)
    assert_close(vector_from_rotation(as_tensor(turns.as_matrix())), turns.as_rotvec(), 1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-4, 0.7])
def test_exponential_map_and_its_inverse_have_gradients(angle):
    vector = (torch.tensor([[0.6, 0.0, -0.8]], dtype=torch.float64) * angle).requires_grad_()
    assert torch.autograd.gradcheck(rotation_from_vector, vector)
    matrix = rotation_from_vector(vector.detach()).requires_grad_()
    (gradient,) = torch.autograd.grad(vector_from_rotation(matrix).sum(), matrix)
    assert torch.isfinite(gradient).all()
    there_and_back = torch.autograd.functional.jacobian(
        lambda v: vector_from_rotation(rotation_from_vector(v)), vector[0].detach()
    )
    assert_close(there_and_back, np.eye(3), 1e-6)


@pytest.mark.parametrize("axes", ["x", "zyx", "xyz", "zxy", "yxz", "zyz"])
def test_euler_angles_multiply_from_left_to_right(axes):
    angles = torch.randn(20, len(axes), dtype=torch.float64)
    # capitals are SciPy's intrinsic rotations: R(a0) R(a1) R(a2)
    expected = Rotation.from_euler(axes.upper(), angles.numpy()).as_matrix()
    assert_close(rotation_from_euler(axes, angles), expected.reshape(20, 3, 3), 1e-13)


def test_a_quarter_turn_about_each_axis_as_worked_by_hand():
    quarter = torch.tensor(pi / 2, dtype=torch.float64)
    x, y, z = torch.eye(3, dtype=torch.float64)
    assert_close(rotation_about("x", quarter) @ y, z, 1e-15)
    assert_close(rotation_about("y", quarter) @ z, x, 1e-15)
    assert_close(rotation_about("z", quarter) @ x, y, 1e-15)


def test_unknown_axes_and_missing_angles_are_refused():
    with pytest.raises(ValueError, match="'w'"):
        rotation_about("w", torch.zeros(2))
    with pytest.raises(ValueError, match=r"'zyx' needs \(\.\.\., 3\) angles, got \(5, 2\)"):
        rotation_from_euler("zyx", torch.zeros(5, 2))


ARM = (-1, 0, 1)  # shoulder, elbow, hand


def test_an_arm_bends_as_worked_by_hand():
    offsets = torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).double()
    quarter = torch.tensor(pi / 2, dtype=torch.float64)
    still = torch.eye(3).double()
    turns = torch.stack([rotation_about("z", quarter), rotation_about("x", quarter), still])
    placed = forward_kinematics(turns, offsets, ARM, torch.tensor([10.0, 0.0, 0.0]).double())
    # the upper arm now points along y; the elbow turns z to -y, and the shoulder that to x
    assert_close(placed, [[10, 0, 1], [10, 2, 1], [11, 2, 1]], 1e-14)


def test_turning_the_hand_moves_nothing():
    offsets, root = torch.randn(3, 3), torch.zeros(3)
    turns = torch.eye(3).repeat(3, 1, 1)
    still = forward_kinematics(turns, offsets, ARM, root)
    turns[2] = rotation_about("x", torch.tensor(1.0))
    assert torch.equal(forward_kinematics(turns, offsets, ARM, root), still)
    assert torch.equal(still, offsets.cumsum(dim=0))


@pytest.mark.parametrize("own_body", [False, True])
def test_bones_keep_their_length_under_any_rotation(own_body):
    frames = 8
    offsets = torch.randn(*((frames,) if own_body else ()), 17, 3, dtype=torch.float64)
    turns = rotation_from_vector(torch.randn(frames, 17, 3, dtype=torch.float64) * 3)
    root = torch.randn(frames, 3, dtype=torch.float64)
    placed = forward_kinematics(turns, offsets, H36M_17.parents, root)
    assert placed.shape == (frames, 17, 3)
    lengths = bone_lengths(placed, H36M_17.parents)
    assert_close(lengths, offsets[..., 1:, :].norm(dim=-1).expand(frames, 16), 1e-12)


def test_bone_lengths_follow_the_order_of_the_joints():
    positions = torch.tensor([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0], [3.0, 4.0, 2.0], [0.0, 1.0, 0.0]])
    assert bone_lengths(positions, (1, -1, 1, 0)).tolist() == [5.0, 2.0, 1.0]


def test_impossible_trees_are_refused():
    turns = torch.eye(3).repeat(3, 1, 1)
    with pytest.raises(ValueError, match="joint 0 comes before its parent 1"):
        forward_kinematics(turns, torch.zeros(3, 3), (1, -1, 0), torch.zeros(3))
    with pytest.raises(ValueError, match="4 parents"):
        forward_kinematics(turns, torch.zeros(3, 3), (-1, 0, 1, 2), torch.zeros(3))
    with pytest.raises(ValueError, match="3 parents"):
        forward_kinematics(turns, torch.zeros(2, 3), ARM, torch.zeros(3))


def test_quaternion_of_the_diagonal_third_of_a_turn():
    matrix = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # x to y to z
    assert matrix_to_quaternion(matrix).tolist() == pytest.approx([0.5] * 4)
    third = 2 * pi / 3 / sqrt(3)
    assert vector_from_rotation(matrix).tolist() == pytest.approx([third] * 3, abs=1e-6)


@pytest.mark.parametrize("axes", ["xyz", "xzy", "yxz", "yzx", "zxy", "zyx"])
def test_euler_angles_are_scipys_and_come_back(axes):
    turns = random_turns(200)
    found = euler_from_rotation(axes, as_tensor(turns.as_matrix()))
    # capitals: about axes that turn with the body, which is the product from left to right
    assert_close(found, turns.as_euler(axes.upper()), 1e-9)
    assert_close(rotation_from_euler(axes, found), turns.as_matrix(), 1e-12)


@pytest.mark.parametrize("axes", ["xyz", "yxz"])
@pytest.mark.parametrize("quarter", [pi / 2, -pi / 2])
def test_where_two_euler_angles_turn_about_one_axis_the_last_is_0(axes, quarter):
    angles = torch.tensor([0.4, quarter, 0.3], dtype=torch.float64)
    found = euler_from_rotation(axes, rotation_from_euler(axes, angles))
    assert found[2] == 0
    back = rotation_from_euler(axes, found)
    assert_close(back, rotation_from_euler(axes, angles), 1e-7)


@pytest.mark.parametrize("axes", ["xyx", "xy", "xyw", "XYZ"])
def test_euler_angles_need_three_axes(axes):
    with pytest.raises(ValueError, match="axes must be 'x', 'y' and 'z'"):
        euler_from_rotation(axes, torch.eye(3))


@BOTH_PRECISIONS
def test_the_shortest_turn_joins_two_directions_by_the_angle_between_them(dtype, close):
    ends = torch.nn.functional.normalize(torch.randn(50, 3, dtype=torch.float64), dim=-1).to(dtype)
    start = torch.tensor([0.6, 0.0, -0.8], dtype=dtype)
    turns = shortest_turn(start, ends)
    assert_close(turns @ start, ends, 5 * close)
    angle = Rotation.from_matrix(turns.double().numpy()).magnitude()
    assert_close(angle, (ends @ start).double().clamp(-1, 1).acos(), 1e-3)
    opposite = shortest_turn(start, -start)
    assert_close(opposite @ start, -start, 5 * close)
    assert_close(opposite @ opposite, torch.eye(3), 5 * close)
    assert_close(shortest_turn(start, torch.zeros(3, dtype=dtype)), torch.eye(3), 0)
