"""Maps are drawn where, as high and as wide as they say, and peaks are found there again."""

import math

import pytest
import torch

from paperlib.occlusion import CROPS, SimulatedMaps, heatmaps, peaks
from paperlib.skeletons import H36M_17

MIRRORED = H36M_17.mirrored


def people(batch=2, frames=5, dtype=torch.float64, device="cpu"):
    """Keypoints about someone who walks, in screen coordinates, and confidence above 0.1."""
    body = torch.rand(batch, 1, 17, 2, dtype=dtype) * torch.tensor([0.2, 0.6], dtype=dtype)
    walk = torch.linspace(-0.3, 0.3, frames, dtype=dtype).view(1, -1, 1, 1)
    moving = body + torch.rand(batch, frames, 17, 2, dtype=dtype) * 0.05
    moving = moving + walk * torch.tensor([1.0, 0.0], dtype=dtype)
    return moving.to(device), (0.1 + 0.9 * torch.rand(batch, frames, 17, dtype=dtype)).to(device)


def square(side=8.0, middle=(0.0, 0.0), frames=1):
    return torch.tensor([*middle, side]).expand(1, frames, 3)


def one_map(place, confidence, maps=None, **options):
    """The map of one keypoint, in a square of 8 by 8 units about the origin: a unit is a cell."""
    drawn = SimulatedMaps(size=8, **options).draw(
        torch.tensor(place).view(1, 1, 1, 2), torch.tensor([[[confidence]]]), square()
    )
    assert drawn.shape == (1, 1, 1, 8, 8)
    return drawn[0, 0, 0]


def test_a_map_by_hand():
    # the cell in column 5, row 2 has its middle at (1.5, -1.5): -4 is the edge of the first
    drawn = one_map((1.5, -1.5), 1.0)
    assert drawn[2, 5].item() == 1.0
    assert drawn[2, 6].item() == pytest.approx(math.exp(-1 / 2))
    assert drawn[4, 6].item() == pytest.approx(math.exp(-5 / 2))


def test_doubt_makes_a_map_lower_and_wider():
    drawn = one_map((1.5, -1.5), 0.25, blur=2.0)  # a width of 1 + 2 * 0.75
    assert drawn[2, 5].item() == 0.25
    assert drawn[2, 6].item() == pytest.approx(0.25 * math.exp(-1 / (2 * 2.5**2)))
    narrow = one_map((1.5, -1.5), 0.25, blur=0.0, sigma=0.5)
    assert narrow[2, 6].item() == pytest.approx(0.25 * math.exp(-2))


@pytest.mark.parametrize("options", [{}, {"confused": 0.6, "occluder": 0.4, "mirrored": MIRRORED}])
def test_what_was_not_found_leaves_zeros_and_nothing_exceeds_one(options):
    points, confidence = people()
    confidence[0, 1, 3] = confidence[1, :, 7] = 0
    visible = torch.rand(confidence.shape) < 0.5
    drawn = SimulatedMaps(**options).draw(points, confidence, visible=visible)
    assert (drawn[confidence == 0] == 0).all() and (drawn.amax(dim=(-2, -1)) > 0)[
        confidence > 0
    ].all()
    assert 0 <= drawn.min() and drawn.max() <= 1 + 1e-9


def test_agrees_with_the_heatmaps_of_one_frame():
    """In the crop that those take: about all keypoints, none of which flew away."""
    points, confidence = people(frames=1)
    ones = torch.ones_like(confidence)
    sure = SimulatedMaps(size=16, sigma=1.5)
    low, high = points.amin(dim=2), points.amax(dim=2)
    side = (high - low).amax(dim=-1, keepdim=True) * 1.4
    crops = torch.cat([(low + high) / 2, side], dim=-1)
    expected = heatmaps(points[:, 0], size=16, sigma=1.5, margin=0.2)
    torch.testing.assert_close(sure.draw(points, ones, crops)[:, 0], expected)


def test_the_second_peak_of_the_other_side():
    """Right and left hip (1, 4 of Human3.6M), the pelvis has no partner."""
    points = torch.full((1, 1, 17, 2), -3.5)
    points[0, 0, 1], points[0, 0, 4] = torch.tensor([2.5, 1.5]), torch.tensor([-1.5, 1.5])
    confidence = torch.ones(1, 1, 17)
    confidence[0, 0, 1], confidence[0, 0, 0] = 0.5, 0.5
    options = {"size": 8, "sigma": 0.3, "blur": 0.0}
    confused = SimulatedMaps(confused=0.8, mirrored=MIRRORED, **options)
    drawn = confused.draw(points, confidence, square())[0, 0]
    assert drawn[1, 5, 6].item() == pytest.approx(0.5)
    assert drawn[1, 5, 2].item() == pytest.approx(0.5 * 0.5 * 0.8)  # as unsure as sure
    assert drawn[4, 5, 2].item() == 1 and drawn[4, 5, 6].item() < 1e-6  # is sure
    alone = SimulatedMaps(**options).draw(points, confidence, square())[0, 0]
    torch.testing.assert_close(drawn[0], alone[0])
    confidence[0, 0, 4] = 0  # a partner that nobody found draws no one
    drawn = confused.draw(points, confidence, square())[0, 0]
    assert drawn[1, 5, 2].item() < 1e-6


def test_the_second_peak_of_what_is_hidden_is_at_the_nearest_visible_keypoint():
    points = torch.tensor([[0.5, 0.5], [2.5, 0.5], [-3.5, 0.5], [1.5, 0.5]]).view(1, 1, 4, 2)
    visible = torch.tensor([[[False, True, True, False]]])
    maps = SimulatedMaps(size=8, sigma=0.2, blur=0.0, occluder=0.5)
    drawn = maps.draw(points, torch.full((1, 1, 4), 0.8), square(), visible)[0, 0]
    assert drawn[0, 4].nonzero().numel() and drawn[0, 4, 4].item() == pytest.approx(0.8)
    assert drawn[0, 4, 6].item() == pytest.approx(
        0.8 * 0.2 * 0.5
    )  # not at the hidden one beside it
    assert drawn[1, 4, 6].item() == pytest.approx(0.8) and drawn[1].sum() < 0.801
    nobody = torch.zeros_like(visible)
    drawn = maps.draw(points, torch.full((1, 1, 4), 0.8), square(), nobody)[0, 0, 0]
    assert drawn.sum() < 0.801  # no one hides it


# ---- crops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("crop", CROPS)
def test_a_square_about_the_keypoints_by_hand(crop):
    """101 keypoints a side: 2 % of them lie outside."""
    line = torch.arange(101.0)
    points = torch.stack([line, line * 0.5 + 7], dim=-1).view(1, 1, 101, 2)
    crops = SimulatedMaps(margin=0.25, crop=crop).crops(points, torch.ones(1, 1, 101))
    assert crops[0, 0].tolist() == pytest.approx([50, 32, 96 * 1.5])


def test_one_that_flew_away_does_not_make_the_person_small():
    points, confidence = people(1, 20)
    for crop in CROPS:
        maps, other = SimulatedMaps(crop=crop), points.clone()
        other[0, 3, 5] = 100.0
        found, before = maps.crops(other, confidence), maps.crops(points, confidence)
        torch.testing.assert_close(found, before, rtol=0, atol=0.1)


@pytest.mark.parametrize("crop", CROPS)
def test_what_was_not_found_has_no_part_in_the_square(crop):
    points, confidence = people(2, 6)
    confidence[:, 4:] = 0  # the future
    confidence[0, 2, 3:9] = 0
    confidence[1] = 0  # nobody
    other = torch.where(confidence[..., None] > 0, points, torch.rand_like(points) * 9)
    maps = SimulatedMaps(crop=crop)
    found = maps.crops(points, confidence)
    assert torch.equal(found, maps.crops(other, confidence))
    assert torch.equal(maps.draw(points, confidence), maps.draw(other, confidence))
    assert torch.equal(found[0, 5], found[0, 3])  # as it was last seen
    assert found[1].unique(dim=0).tolist() == [[0, 0, 2]] and found.isfinite().all()


def test_a_square_that_goes_with_the_person_takes_the_walk_out_of_the_maps():
    points, confidence = people(1, 5)
    walk = torch.linspace(0, 3, 5, dtype=points.dtype).view(1, 5, 1, 1)
    still, moving = points[:, :1].expand(1, 5, 17, 2), points[:, :1] + walk
    confidence = confidence[:, :1].expand(1, 5, 17)
    frame, window = SimulatedMaps(crop="frame"), SimulatedMaps(crop="window")
    torch.testing.assert_close(frame.draw(moving, confidence), frame.draw(still, confidence))
    torch.testing.assert_close(
        frame.crops(moving, confidence)[..., :2] - frame.crops(still, confidence)[..., :2],
        walk.expand(1, 5, 1, 2)[:, :, 0],
    )
    assert window.crops(moving, confidence)[0, :, 2].min() > 3
    assert frame.crops(moving, confidence)[0, :, 2].max() < 1


@pytest.mark.parametrize("crop", CROPS)
def test_scale_place_and_mirror(crop):
    points, confidence = people()
    maps = SimulatedMaps(crop=crop)
    drawn = maps.draw(points, confidence)
    moved = points * 300 + torch.tensor([40.0, -7.0])
    torch.testing.assert_close(maps.draw(moved, confidence), drawn, rtol=0, atol=1e-4)
    mirrored = points * torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(maps.draw(mirrored, confidence).flip(-1), drawn, rtol=0, atol=1e-4)


def test_batches_are_independent_and_types_are_kept(device):
    points, confidence = people(3, 4, torch.float32, device)
    maps = SimulatedMaps(confused=0.3, mirrored=MIRRORED)
    drawn = maps.draw(points, confidence)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(maps.draw(points[order], confidence[order]), drawn[order])
    assert drawn.dtype == torch.float32 and drawn.device.type == device.type
    half = maps.draw(points, confidence, dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), drawn, rtol=0, atol=0.01)


# ---- peaks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_peaks_are_the_keypoints_again(size):
    points, confidence = people()
    maps = SimulatedMaps(size=size, margin=0.3, blur=1.0)
    crops = maps.crops(points, confidence)
    found = peaks(maps.draw(points, confidence, crops), crops)
    torch.testing.assert_close(found[..., :2], points, rtol=0, atol=1e-4)
    assert (found[..., 2] <= confidence + 1e-9).all() and (found[..., 2] > 0.7 * confidence).all()


def test_the_peak_of_nothing_is_in_the_middle():
    crops = square(4.0, (1.0, 2.0))
    assert peaks(torch.zeros(1, 1, 2, 8, 8), crops)[0, 0].tolist() == [[1, 2, 0]] * 2


def test_the_higher_of_two_peaks_counts():
    picture = one_map((1.5, -1.5), 0.9, sigma=0.7) + one_map((-2.5, 2.5), 0.5, sigma=0.7)
    found = peaks(picture.view(1, 1, 1, 8, 8), square())[0, 0, 0]
    assert found.tolist() == pytest.approx([1.5, -1.5, 0.9], abs=0.01)


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *[({"size": size}, f"cells a side, got size={size!r}") for size in (0, 2, 24, 16.0, "16")],
        ({"sigma": 0.0}, "sigma is a number from 0.001"),
        ({"sigma": math.nan}, "sigma=nan"),
        ({"blur": -1.0}, "blur=-1.0"),
        ({"margin": math.inf}, "margin=inf"),
        ({"confused": 1.2, "mirrored": MIRRORED}, "confused is a number from 0 to 1, got"),
        ({"confused": 0.5, "occluder": 0.6, "mirrored": MIRRORED}, "no higher than the first"),
        ({"confused": 0.5}, "where `mirrored` says what they are"),
        ({"mirrored": (0, 2)}, r"an order of all keypoints, got \(0, 2\)"),
        ({"crop": "person"}, "unknown crop 'person': choose one of 'window', 'frame'"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        SimulatedMaps(**options)


def test_other_shapes_are_refused():
    points, confidence = people()
    maps = SimulatedMaps(confused=0.5, mirrored=MIRRORED)
    with pytest.raises(ValueError, match=r"\(B, T, K, 2\).*got \(5, 17, 2\), \(5, 17\)"):
        maps.draw(points[0], confidence[0])
    with pytest.raises(ValueError, match=r"\(2, 5, 17, 2\), \(2, 5, 16\)"):
        maps.crops(points, confidence[..., :16])
    with pytest.raises(ValueError, match=r"True or False for each keypoint, got torch\.float64"):
        maps.draw(points, confidence, visible=confidence)
    with pytest.raises(ValueError, match="16 keypoints, but `mirrored` is of 17"):
        maps.draw(points[:, :, :16], confidence[..., :16])
    with pytest.raises(ValueError, match=r"expected maps \(B, T, K, H, W\).*crops \(B, T, 3\)"):
        peaks(torch.zeros(2, 5, 17, 8, 8), torch.zeros(2, 3))
