"""Masks hide what they say, as often as they say."""

import math
from dataclasses import asdict

import pytest
import torch

from paperlib.occlusion import OcclusionMasks, SimulatedMaps, crops_of, peaks
from paperlib.occlusion.masks import begin_rate
from paperlib.skeletons import COCO_17, H36M_17

RIGHT_KNEE, LEFT_KNEE = H36M_17.index("right_knee"), H36M_17.index("left_knee")


def windows(batch=400, frames=20, features=3, device="cpu"):
    """No coordinate is zero, and all were found."""
    return (0.5 + torch.rand(batch, frames, 17, features)).to(device)


def hidden(masks, features, skeleton=H36M_17, **options):
    """``(B, T, K)``: what became of the features; all of a keypoint is hidden, or nothing."""
    left = masks.hide(features, skeleton, **options)
    gone = (left == 0).any(dim=-1)
    assert torch.equal(gone, (left == 0).all(dim=-1))
    assert torch.equal(left[~gone], features[~gone])
    return gone


def runs(gone):
    """Lengths of all that is True end to end in ``(N, T)``, but for what touches an end."""
    lengths = []
    for row in gone.tolist():
        text = "".join("x" if hit else " " for hit in row)
        lengths += [len(part) for part in text.strip("x").split()]
    return lengths


def test_without_options_nothing_happens():
    features = windows(3)
    assert torch.equal(OcclusionMasks().hide(features, H36M_17), features)
    maps = torch.rand(2, 3, 17, 8, 8)
    crops = torch.tensor([0.0, 0.0, 2.0]).expand(2, 3, 3)
    assert torch.equal(OcclusionMasks().hide_maps(maps, crops, H36M_17), maps)
    assert OcclusionMasks().noisy(maps) is maps


# ---- shares: the bounds are five standard errors of what is independent --------------------------


@pytest.mark.parametrize("lasting", [1, 8])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_frames_are_hidden_whole_and_as_often_as_said(share, lasting, device):
    features = windows(device=device)
    gone = hidden(OcclusionMasks(frames=share, frames_lasting=lasting), features).cpu()
    assert torch.equal(gone.any(dim=-1), gone.all(dim=-1))
    error = math.sqrt(share * (1 - share) / (400 * 20 / lasting))
    assert gone.float().mean().item() == pytest.approx(share, abs=5 * error)
    # at the first frame as at any other
    edge = math.sqrt(share * (1 - share) / 400)
    for frame in (0, 10, 19):
        assert gone[:, frame, 0].float().mean().item() == pytest.approx(share, abs=5 * edge)


def test_points_are_hidden_each_by_its_own_chance():
    gone = hidden(OcclusionMasks(points=0.3), windows())
    assert gone.float().mean().item() == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 136000))
    together = (gone[..., 0] & gone[..., 1]).float().mean().item()
    assert together == pytest.approx(0.09, abs=5 * math.sqrt(0.09 * 0.91 / 8000))


def test_occlusions_last_from_one_frame_to_the_longest():
    gone = hidden(OcclusionMasks(frames=0.02, frames_lasting=5), windows(200, 300))[..., 0]
    lengths = runs(gone)
    counts = [lengths.count(n) / len(lengths) for n in range(1, 6)]
    # a few meet and last longer
    assert sum(counts) > 0.9 and min(counts) > 0.15 and max(counts) < 0.25
    assert max(runs(hidden(OcclusionMasks(frames=0.02), windows(200, 300))[..., 0])) <= 4


def test_how_often_events_begin():
    assert begin_rate(0.3, 1) == pytest.approx(0.3)
    # of one or two frames: 1 - (1 - q)(1 - q / 2) = 0.5
    rate = begin_rate(0.5, 2)
    assert 1 - (1 - rate) * (1 - rate / 2) == pytest.approx(0.5)
    assert begin_rate(0.0, 4) == pytest.approx(0, abs=1e-12) and begin_rate(
        1.0, 4
    ) == pytest.approx(1)


def test_certain_masks_hide_everything():
    for masks in (OcclusionMasks(frames=1), OcclusionMasks(points=1.0, points_lasting=3)):
        assert hidden(masks, windows(5)).all()


@pytest.mark.parametrize("future", [1, 7])
def test_the_future_is_the_last_frames_exactly(future):
    gone = hidden(OcclusionMasks(future=future), windows(5))
    assert gone[:, -future:].all() and not gone[:, :-future].any()


# ---- an occluder that moves ----------------------------------------------------------------------


def test_the_box_hides_exactly_the_keypoints_inside():
    masks, features = OcclusionMasks(area=1.0, area_size=(0.3, 0.5)), windows(50)
    gone = hidden(masks, features, generator=torch.Generator().manual_seed(3))
    points = features[..., :2]
    crops = crops_of(points, torch.ones_like(gone), margin=0.0)
    low, high = masks.boxes(crops, torch.Generator().manual_seed(3))
    x, y = points.unbind(-1)
    inside = (x >= low[..., :1]) & (x <= high[..., :1]) & (y >= low[..., 1:]) & (y <= high[..., 1:])
    assert torch.equal(gone, inside)
    assert 0.02 < gone.float().mean() < 0.3


def test_the_box_goes_straight_and_keeps_its_size():
    crops = torch.tensor([1.0, -2.0, 4.0]).expand(100, 9, 3)
    low, high = OcclusionMasks(area=1.0, area_size=(0.25, 0.5)).boxes(crops)
    torch.testing.assert_close(low.diff(n=2, dim=1), torch.zeros(100, 7, 2), rtol=0, atol=1e-5)
    size = high - low
    torch.testing.assert_close(size, size[:, :1].expand_as(size))
    assert 1.0 - 1e-5 <= size.min() < 1.1 and 1.9 < size.max() <= 2.0 + 1e-5
    middle = (low + high) / 2 - crops[..., :2]
    assert 1.9 < middle.abs().max() <= 2.0 + 1e-5  # begins and ends about the person
    assert low.diff(dim=1).abs().max() > 0.2


def test_some_windows_have_a_box():
    gone = hidden(OcclusionMasks(area=0.4, area_size=(1.0, 1.0)), windows())
    share = gone.flatten(1).any(dim=1).float().mean().item()
    assert share == pytest.approx(0.4, abs=5 * math.sqrt(0.24 / 400))


# ---- wrong detections ----------------------------------------------------------------------------


def test_swaps_exchange_a_pair_with_all_that_belongs_to_it():
    features = windows(features=4)
    swapped = OcclusionMasks(swaps=0.3).hide(features, H36M_17)
    pairs = [(left, right) for left, right in zip(H36M_17.left, H36M_17.right, strict=True)]
    changed = (swapped != features).any(dim=-1)
    assert not changed[..., [H36M_17.root, *_middle()]].any()
    for left, right in pairs:
        assert torch.equal(changed[..., left], changed[..., right])
        there = changed[..., left]
        assert torch.equal(swapped[..., left, :][there], features[..., right, :][there])
        share = there.float().mean().item()
        assert share == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 8000))
    one, other = changed[..., LEFT_KNEE], changed[..., H36M_17.left[0]]
    assert not torch.equal(one, other)


def _middle():
    return [j for j in range(17) if H36M_17.side(j) == "centre"]


def test_shifts_are_as_far_as_said_in_all_directions():
    features = windows()
    moved = OcclusionMasks(shifts=0.2, shift=0.1).hide(features, H36M_17)
    assert torch.equal(moved[..., 2], features[..., 2])
    way = moved[..., :2] - features[..., :2]
    crops = crops_of(features[..., :2], features[..., 2] > 0, margin=0.0)
    share = way.norm(dim=-1) / crops[..., 2:]
    there = share > 0.05
    torch.testing.assert_close(share[there], torch.full_like(share[there], 0.1), rtol=0, atol=1e-4)
    assert (share[~there] == 0).all()
    assert there.float().mean().item() == pytest.approx(0.2, abs=5 * math.sqrt(0.16 / 136000))
    angles = torch.atan2(way[..., 1], way[..., 0])[there]
    assert angles.cos().mean().abs() < 0.05 and angles.sin().mean().abs() < 0.05


def test_a_shift_that_lasts_stays():
    features = windows(50)
    moved = OcclusionMasks(shifts=0.4, points_lasting=6).hide(features, H36M_17)
    way = moved[..., :2] - features[..., :2]
    there = way.norm(dim=-1) > 1e-3
    both = there[:, 1:] & there[:, :-1]
    jump = (way[:, 1:] - way[:, :-1]).norm(dim=-1)[both]
    assert both.any() and jump.max() < 1e-5


# ---- maps ----------------------------------------------------------------------------------------


def pictures(batch=60, frames=6, size=16):
    """Random Gaussians well inside their maps, and the crops."""
    points = 0.5 * (torch.rand(batch, frames, 17, 2) - 0.5)
    crops = torch.tensor([0.1, 0.0, 1.0]).expand(batch, frames, 3)
    maps = SimulatedMaps(size=size).draw(points, torch.ones(points.shape[:-1]), crops)
    return points, maps, crops


def test_maps_are_hidden_like_keypoints():
    _, maps, crops = pictures()
    gone = OcclusionMasks(frames=0.2, points=0.2, future=2).hide_maps(maps, crops, H36M_17)
    there = gone.amax(dim=(-2, -1)) > 0
    assert torch.equal(gone[there], maps[there])
    assert (gone[~there] == 0).all() and not there[:, -2:].any()
    share = there[:, :-2].any(dim=-1).float().mean().item()
    assert share == pytest.approx(0.8, abs=5 * math.sqrt(0.16 / 240))


def test_maps_of_what_is_inside_the_box_are_hidden():
    _, maps, crops = pictures()
    masks, seed = OcclusionMasks(area=1.0), torch.Generator().manual_seed
    gone = masks.hide_maps(maps, crops, H36M_17, generator=seed(1)).amax(dim=(-2, -1)) == 0
    found = peaks(maps, crops)
    about = crops_of(found[..., :2], found[..., 2] > 0, margin=0.0)
    low, high = (edge[:, :, None] for edge in masks.boxes(about, seed(1)))
    inside = ((found[..., :2] >= low) & (found[..., :2] <= high)).all(dim=-1)
    assert torch.equal(gone, inside) and 0 < gone.float().mean() < 0.5


def test_maps_are_swapped_and_moved_like_keypoints():
    points, maps, crops = pictures()
    swapped = OcclusionMasks(swaps=1.0).hide_maps(maps, crops, H36M_17)
    assert torch.equal(swapped, maps[:, :, list(H36M_17.mirrored)])
    moved = OcclusionMasks(shifts=1.0, shift=0.1).hide_maps(maps, crops, H36M_17)
    way = peaks(moved, crops)[..., :2] - points
    side = crops_of(points, torch.ones(points.shape[:-1]) > 0, margin=0.0)[..., 2:]
    # in between cells the height of neighbours is weighed, which rounds a peak off
    torch.testing.assert_close(way.norm(dim=-1), 0.1 * side.expand(-1, -1, 17), rtol=0, atol=0.01)


def test_noise_is_on_some_windows_and_never_on_what_is_hidden(device):
    maps = torch.full((300, 4, 17, 8, 8), 0.5).to(device)
    maps[:, 1, 3] = 0
    noisy = OcclusionMasks(noise=0.4, noise_size=0.02).noisy(maps)
    assert (noisy[:, 1, 3] == 0).all()
    changed = (noisy != maps).flatten(1).any(dim=1).cpu()
    assert changed.float().mean().item() == pytest.approx(0.4, abs=5 * math.sqrt(0.24 / 300))
    assert (noisy - maps).cpu()[changed][:, 0].std().item() == pytest.approx(0.02, rel=0.02)
    assert OcclusionMasks(noise=1, noise_size=1).noisy(maps).min() == 0


# ---- chance and refusals -------------------------------------------------------------------------

ALL = OcclusionMasks(0.2, 0.2, 0.5, 0.2, 0.2, 0.5, 6, 3, 2)


def test_the_same_seed_draws_the_same():
    features = windows(6)

    def drawn(seed):
        return ALL.hide(features, H36M_17, torch.Generator().manual_seed(seed))

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))
    torch.manual_seed(5)
    first = ALL.hide(features, H36M_17)
    torch.manual_seed(5)
    assert torch.equal(first, ALL.hide(features, H36M_17))


def test_options_are_plain_and_build_the_same_again():
    again = OcclusionMasks(**(asdict(ALL) | {"area_size": list(ALL.area_size)}))
    assert again == ALL and hash(again) == hash(ALL)


def test_nothing_waits_for_a_gpu(pretended):
    """A step in which it is done can be recorded."""
    features = windows(3, device="cuda")
    ALL.hide(features, H36M_17)
    before = pretended.waits, pretended.brought
    ALL.hide(features, H36M_17)
    assert (pretended.waits, pretended.brought) == before


SHARES = ("frames", "points", "area", "shifts", "swaps", "noise")
BAD = (-0.1, 1.1, math.nan, "0.1")
WRONG = [({name: bad}, f"{name} is a probability") for name in SHARES for bad in BAD]
WRONG += [
    ({"frames_lasting": 0}, "frames_lasting counts frames, from 1, got"),
    ({"points_lasting": 1.5}, "points_lasting counts frames, from 1"),
    ({"future": -1}, "future counts frames, from 0"),
    ({"shift": -0.1}, "from 0 to 1, got -0.1"),
    ({"noise_size": math.nan}, "noise_size and both of area_size"),
    ({"area_size": (0.5, 0.2)}, "the least first"),
    ({"area_size": (0.5,)}, "both of area_size"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_numbers_out_of_range_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        OcclusionMasks(**options)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(B, T, 17, 2 or more\) of coco_17, got \(2, 20, 16, 3"):
        ALL.hide(windows(2)[:, :, :16], COCO_17)
    with pytest.raises(ValueError, match="2 or more"):
        ALL.hide(windows(2, features=1), COCO_17)
    with pytest.raises(ValueError, match="20 future frames of a window of 20: nothing is seen"):
        OcclusionMasks(future=20).hide(windows(2), H36M_17)
    with pytest.raises(ValueError, match=r"expected maps \(B, T, 17, H, W\) of h36m_17"):
        ALL.hide_maps(torch.zeros(2, 3, 16, 8, 8), torch.ones(2, 3, 3), H36M_17)
