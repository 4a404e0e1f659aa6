"""From pixels and depths about the root to camera space, and back exactly."""

from dataclasses import replace

import pytest
import torch
from samples import recording

from paperlib.cameras import Camera
from paperlib.datasets import synthetic
from paperlib.prediction import (
    bone_lengths,
    estimated_root_depth,
    first_stage_poses,
    to_camera_space,
)
from paperlib.windows import as_inputs


@pytest.fixture(scope="module")
def data():
    return synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))


def exact(one):
    return as_inputs(one, "gt_2d_depth")


def test_exact_pixels_and_depths_are_the_exact_pose(data):
    """Through the studio's lenses, to a tenth of a millimetre."""
    for one in data.train[:4]:
        assert torch.allclose(to_camera_space(exact(one)), one.positions, atol=1e-4)
        assert torch.allclose(first_stage_poses(exact(one)), one.pose, atol=1e-4)


def test_the_depth_of_a_known_body_is_found(data):
    """Of a body whose bones are as long as those that were measured, to millimetres; of one a
    tenth larger, as much nearer: what its bones look like is then closer."""
    one = data.train[0]
    own = bone_lengths([one])
    found = estimated_root_depth(exact(one), own)
    assert (found - one.trajectory[:, 2]).abs().max() < 0.005
    larger = to_camera_space(exact(one), "estimated", own)
    assert torch.allclose(larger, one.positions, atol=0.005)
    other = estimated_root_depth(exact(one), 1.1 * own)
    assert (other > found).all()


def test_by_hand():
    """Two joints a metre above each other, 4 metres away, in a camera of focal length 100: 25
    pixels apart. A bone of two metres is at 8 metres then."""
    camera = Camera("plain", 200, 200, focal=(100.0, 100.0), centre=(100.0, 100.0))
    keypoints = torch.full((1, 17, 2), 100.0)
    keypoints[:, 10, 1] = 75.0  # the top of the head
    flat = recording(1, camera=camera, keypoints=keypoints, depths=torch.zeros(1, 17))
    lengths = torch.zeros(16)
    place = [child for _, child in flat.skeleton.bones].index(10)
    lengths[place] = 1.0
    assert estimated_root_depth(flat, lengths).item() == pytest.approx(4.0, rel=1e-5)
    assert estimated_root_depth(flat, 2 * lengths).item() == pytest.approx(8.0, rel=1e-5)
    tilted = flat.depths.clone()
    tilted[:, 10] = 0.6  # the head leans back by 0.6 m: it is at Z + 0.6, and 0.25 (Z + 0.6) higher
    leaning = replace(flat, depths=tilted)
    depth = estimated_root_depth(leaning, lengths).item()
    assert (0.25 * (depth + 0.6)) ** 2 + 0.6**2 == pytest.approx(1.0, rel=1e-4)


def test_a_frame_of_no_such_body_has_the_smallest(data):
    """Depths that alone are longer than all bones: everybody is in front of the camera still."""
    one = exact(data.train[0])
    wild = replace(one, depths=5 * torch.randn_like(one.depths))
    positions = to_camera_space(wild, "estimated", bone_lengths(data.train))
    assert positions.isfinite().all()
    assert (positions[..., 2] > 0.09).all()


def test_what_does_not_fit_is_refused(data):
    one = exact(data.train[0])
    with pytest.raises(ValueError, match=r"unknown root_depth 'guessed'.*'estimated'"):
        to_camera_space(one, "guessed")
    with pytest.raises(ValueError, match="needs the lengths of bones"):
        to_camera_space(one, "estimated")
    with pytest.raises(ValueError, match=r"expected lengths \(16,\).*\(17,\)"):
        to_camera_space(one, "estimated", torch.ones(17))
    with pytest.raises(ValueError, match=r"depths of the joints of h36m_17 are needed.*none"):
        to_camera_space(data.train[0])
    behind = one.positions.clone()
    behind[3] -= torch.tensor([0.0, 0.0, 20.0])
    with pytest.raises(ValueError, match="the root is behind the camera in frame 3"):
        to_camera_space(replace(one, positions=behind))
    with pytest.raises(ValueError, match="no recordings to measure bones of"):
        bone_lengths([])
