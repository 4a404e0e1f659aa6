"""The limbs of a person on a film: joints that all detectors have, about the middle of the hips."""

from dataclasses import replace

import pytest
import samples
import torch

from paperlib.cameras import project
from paperlib.detection.coco import coco_points
from paperlib.evaluation import compare, limbs, of_limbs, without_depth
from paperlib.skeletons import CMU_38, COCO_17, COCO_19, COMMON_14, convert


def film(turn=None):
    """Somebody seen exactly, whose truth is COCO's points; in one plane where ``turn`` is 0."""
    person = samples.recording(6)
    points = coco_points(person.positions)
    if turn is not None:
        points = points * torch.tensor([1.0, 1.0, turn]) + torch.tensor([0.0, 0.0, 4.0])
    found = project(points, person.camera)
    seen = person.with_keypoints(found, torch.ones(found.shape[:2]), COCO_17)
    return replace(seen, positions=points, skeleton=COCO_17)


def test_hips_are_in_the_middle_wherever_the_person_stands():
    points = film().positions
    found = limbs(points)
    torch.testing.assert_close(found, limbs(points + torch.tensor([3.0, -1.0, 9.0])))
    left, right = (found[:, COMMON_14.index(f"{side}_hip")] for side in ("left", "right"))
    torch.testing.assert_close(left, -right)
    torch.testing.assert_close(found[:, COMMON_14.root], torch.zeros(6, 3))


def test_the_same_limbs_from_other_joints():
    points = film().positions
    torch.testing.assert_close(limbs(convert(points, COCO_17, COCO_19), COCO_19), limbs(points))
    with pytest.raises(ValueError, match="17 joints"):
        limbs(points[:, 1:])
    with pytest.raises(ValueError, match="conversion"):
        limbs(torch.zeros(2, 38, 3), CMU_38)


def test_true_limbs_have_no_error_against_the_truth():
    view = film()
    errors = compare([limbs(view.positions)], [of_limbs(view)])
    assert errors.average("mpjpe") < 1e-6
    with pytest.raises(ValueError, match="no 3D positions"):
        of_limbs(replace(view, positions=None))


def test_who_is_flat_is_found_without_depth_and_nobody_else():
    flat, deep = film(0.0), film()
    torch.testing.assert_close(without_depth(flat), limbs(flat.positions), atol=1e-5, rtol=0)
    off = (without_depth(deep) - limbs(deep.positions)).norm(dim=-1).mean()
    assert off > 0.1 and not without_depth(deep)[..., 2].any()
    whole = replace(flat.camera, focal=tuple(map(int, flat.camera.focal)))
    assert torch.equal(without_depth(replace(flat, camera=whole)), without_depth(flat))


def test_the_distance_counts_from_the_hips():
    view = film(0.0)
    nearer = view.positions.clone()
    nearer[:, COCO_17.index("nose"), 2] -= 1.0
    torch.testing.assert_close(
        without_depth(replace(view, positions=nearer)), without_depth(view), atol=1e-6, rtol=0
    )
