"""Psi and Phi worked by hand, and what neither of them sees (cheng2020, claim c20)."""

import pytest
import torch

from paperlib.kinematics import (
    bone_lengths,
    bone_vectors,
    forward_kinematics,
    kinematic_chain_space,
    rotation_apply,
    rotation_from_vector,
    temporal_kinematic_chain_space,
)
from paperlib.skeletons import H36M_17

PARENTS = H36M_17.parents


def moving(frames: int = 9) -> torch.Tensor:
    """(2, T, 17, 3): two people of constant bones who move every joint and walk about."""
    turns = rotation_from_vector(torch.randn(2, frames, 17, 3, dtype=torch.float64))
    bones = torch.randn(2, 1, 17, 3, dtype=torch.float64).expand(2, frames, 17, 3)
    root = torch.randn(2, frames, 3, dtype=torch.float64)
    return forward_kinematics(turns, bones, PARENTS, root)


def psi_of(positions: torch.Tensor) -> torch.Tensor:
    return kinematic_chain_space(bone_vectors(positions, PARENTS))


def test_an_arm_by_hand():
    """An upper arm of 3 along x and a forearm of 2, first straight on, then bent up by 60 degrees,
    then longer."""
    frames = [(2.0, 0.0), (1.0, 3**0.5), (0.0, 4.0)]
    arm = [[[1.0, 1, 1], [4, 1, 1], [4 + x, 1 + y, 1]] for x, y in frames]
    arm = torch.tensor(arm, dtype=torch.float64)
    bones = bone_vectors(arm, (-1, 0, 1))
    torch.testing.assert_close(
        bones[1], torch.tensor([[3, 1], [0, 3**0.5], [0, 0]], dtype=torch.float64)
    )
    psi = kinematic_chain_space(bones)
    torch.testing.assert_close(psi[0], torch.tensor([[9.0, 6], [6, 4]]).double())
    torch.testing.assert_close(psi[1], torch.tensor([[9.0, 3], [3, 4]]).double())
    torch.testing.assert_close(psi[2], torch.tensor([[9.0, 0], [0, 16]]).double())
    phi = temporal_kinematic_chain_space(psi)
    torch.testing.assert_close(phi[0], torch.tensor([[0.0, -3], [-3, 0]]).double())
    torch.testing.assert_close(phi[1], torch.tensor([[0.0, -3], [-3, 12]]).double())
    wide = temporal_kinematic_chain_space(psi, 2)
    torch.testing.assert_close(wide, torch.tensor([[[0.0, -6], [-6, 12]]]).double())


def test_the_diagonal_holds_the_squares_of_the_bones_lengths():
    positions = torch.randn(4, 5, 17, 3, dtype=torch.float64)
    diagonal = psi_of(positions).diagonal(dim1=-2, dim2=-1)
    torch.testing.assert_close(diagonal, bone_lengths(positions, PARENTS).square())


def test_elsewhere_are_the_angles_weighted_by_both_lengths():
    bones = bone_vectors(torch.randn(17, 3, dtype=torch.float64), PARENTS)
    lengths, psi = bones.norm(dim=0), kinematic_chain_space(bones)
    cosines = torch.nn.functional.cosine_similarity(bones[:, :, None], bones[:, None], dim=0)
    torch.testing.assert_close(psi, cosines * lengths[:, None] * lengths)
    torch.testing.assert_close(psi, psi.T)  # each half is summed in an order of its own


@pytest.mark.parametrize("interval", [1, 3, 5])
def test_bones_that_keep_their_lengths_have_no_diagonal_over_time(interval):
    phi = temporal_kinematic_chain_space(psi_of(moving()), interval)
    assert phi.shape == (2, 9 - interval, 16, 16)
    assert phi.diagonal(dim1=-2, dim2=-1).abs().max() < 1e-12
    assert phi.abs().max() > 0.1  # the angles do change


def test_neither_turning_nor_moving_the_person_is_seen():
    positions = moving()
    turn = rotation_from_vector(torch.randn(2, 1, 1, 3, dtype=torch.float64))
    shift = torch.randn(2, 9, 1, 3, dtype=torch.float64)
    turned = rotation_apply(turn, positions)
    torch.testing.assert_close(psi_of(turned + shift), psi_of(positions))
    # each frame by an angle of its own: not even that shows
    turns = rotation_from_vector(torch.randn(2, 9, 1, 3, dtype=torch.float64))
    spun = psi_of(rotation_apply(turns, positions))
    torch.testing.assert_close(
        temporal_kinematic_chain_space(spun, 3),
        temporal_kinematic_chain_space(psi_of(positions), 3),
    )


def test_a_person_twice_as_large_has_four_times_the_numbers():
    positions = moving()
    torch.testing.assert_close(psi_of(2 * positions), 4 * psi_of(positions))


def test_the_gradient():
    positions = torch.randn(2, 4, 5, 3, dtype=torch.float64, requires_grad=True)

    def phi(positions):
        psi = kinematic_chain_space(bone_vectors(positions, (-1, 0, 1, 0, 3)))
        return temporal_kinematic_chain_space(psi, 2)

    assert torch.autograd.gradcheck(phi, positions)


def test_mixed_precision_leaves_them_alone(device):
    positions = moving().float().to(device)
    turn = rotation_from_vector(torch.randn(2, 1, 1, 3)).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        mixed = psi_of(positions), rotation_apply(turn, positions)
    assert torch.equal(mixed[0], psi_of(positions))
    assert torch.equal(mixed[1], rotation_apply(turn, positions))


def test_turning_is_the_product():
    matrix, v = torch.randn(5, 1, 3, 3).double(), torch.randn(5, 4, 3).double()
    torch.testing.assert_close(rotation_apply(matrix, v), (matrix @ v[..., None]).squeeze(-1))


@pytest.mark.parametrize("interval", [0, -1, 9])
def test_intervals_that_leave_nothing_are_refused(interval):
    with pytest.raises(ValueError, match=f"1 to 8 in a sequence of 9 frames, got {interval}"):
        temporal_kinematic_chain_space(psi_of(moving()), interval)


def test_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"17 parents, but positions \(9, 16, 3\)"):
        bone_vectors(torch.zeros(9, 16, 3), PARENTS)
