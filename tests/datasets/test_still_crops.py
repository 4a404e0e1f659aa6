"""Squares about people in photographs: joints stay where they are in the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from paperlib.datasets.still_crops import StillCrops
from paperlib.datasets.stills import StillImages
from paperlib.rendering import Augmentation
from paperlib.skeletons import H36M_17

JOINTS = torch.tensor([[30.5, 20.5], [60.5, 70.5], [90.5, 40.5]])


def stills(tmp_path, box=(20.0, 10.0, 80.0, 70.0), factor=1):
    """A photograph of 120 x 90 pixels (times ``factor``), black but for a blob about each of three
    joints, red, green and blue; the other joints are not labelled."""
    row, column = np.mgrid[: 90 * factor, : 120 * factor] + 0.5
    channels = [
        np.exp(-((column - factor * x) ** 2 + (row - factor * y) ** 2) / (8 * factor**2))
        for x, y in JOINTS.tolist()
    ]
    pixels = (255 * np.stack(channels, axis=-1)).round().astype("u1")
    Image.fromarray(pixels).save(tmp_path / f"people{factor}.png")
    keypoints, labelled = torch.zeros(1, 17, 2), torch.zeros(1, 17, dtype=torch.bool)
    chosen = [H36M_17.index(name) for name in ("pelvis", "left_wrist", "right_wrist")]
    keypoints[0, chosen], labelled[0, chosen] = factor * JOINTS, True
    return StillImages(
        "photograph",
        "made here",
        H36M_17,
        (tmp_path / f"people{factor}.png",),
        keypoints,
        labelled,
        labelled,
        factor * torch.tensor([box]),
    )


def centroids(picture):
    """``(3, 2)``: where the blob of each channel has its middle, in pixels."""
    at = torch.arange(picture.shape[-1]) + 0.5
    mass = picture.sum(dim=(1, 2))
    return (
        torch.stack([(picture.sum(1) * at).sum(-1), (picture.sum(2) * at).sum(-1)], -1)
        / mass[:, None]
    )


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation.none(),
        Augmentation.none(rotation=30.0),
        Augmentation.none(scale=(0.7, 0.7)),
        Augmentation.none(shift=0.05, scale=(0.6, 0.8)),
        Augmentation.none(margin=0.5),
    ],
)
@pytest.mark.parametrize("factor", [1, 5])  # of 5, whole pixels are put together first
def test_joints_lie_where_they_are_seen(tmp_path, augmentation, factor):
    crops = StillCrops(stills(tmp_path, factor=factor), 64, augmentation)
    for seed in range(3):
        torch.manual_seed(seed)
        images, points, labelled = crops.draw(torch.tensor([0]))
        assert images.shape == (1, 3, 64, 64)
        chosen = labelled[0].nonzero().flatten()
        order = [H36M_17.joints[j] for j in chosen]
        assert order == ["pelvis", "left_wrist", "right_wrist"]
        assert torch.allclose(centroids(images[0]), points[0, chosen], atol=0.15)


def test_in_the_mirror_left_is_right(tmp_path):
    torch.manual_seed(0)
    plain, points, _ = StillCrops(stills(tmp_path), 64, Augmentation.none()).draw(torch.tensor([0]))
    torch.manual_seed(0)
    crops = StillCrops(stills(tmp_path), 64, Augmentation.none(flip=1.0))
    images, other, labelled = crops.draw(torch.tensor([0]))
    assert torch.equal(images, plain.flip(-1))
    left, right = H36M_17.index("left_wrist"), H36M_17.index("right_wrist")
    assert torch.allclose(
        other[0, right], torch.tensor([64.0, 0]) + points[0, left] * torch.tensor([-1.0, 1])
    )
    assert labelled[0, [left, right]].all()


def test_boxes_outside_of_their_image_are_refused(tmp_path):
    for box in ((120.0, 10.0, 30.0, 30.0), (20.0, -50.0, 30.0, 50.0), (-40.0, 5.0, 30.0, 30.0)):
        crops = StillCrops(stills(tmp_path, box), 64, Augmentation())
        with pytest.raises(ValueError, match=r"people1\.png: the box .* lies outside of its image"):
            crops.draw(torch.tensor([0]))


def test_boxes_of_no_area_and_wrong_shapes_are_refused(tmp_path):
    whole = stills(tmp_path)
    with pytest.raises(ValueError, match="1 boxes have no area, the first is that of person 0"):
        replace(whole, boxes=torch.tensor([[5.0, 5.0, 0.0, 20.0]]))
    with pytest.raises(ValueError, match=r"boxes has shape \(1, 3\), expected \(1, 4\)"):
        replace(whole, boxes=torch.zeros(1, 3))
    with pytest.raises(ValueError, match="that no image has: NaN"):
        replace(whole, keypoints=torch.full((1, 17, 2), torch.nan))
    with pytest.raises(ValueError, match="no people to learn from"):
        replace(whole, files=())
