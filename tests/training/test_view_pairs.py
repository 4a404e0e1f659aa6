"""Pairs of views: which windows they are of, how they are drawn, and how their axes lie."""

from dataclasses import replace

import pytest
import torch
from views import data, filmed, without_poses

from paperlib.cameras import camera_to_world
from paperlib.kinematics import rotation_apply
from paperlib.training.objectives.view_pairs import (
    ViewPairs,
    partners,
    seen_keypoints,
    world_to_camera_rotation,
)
from paperlib.windows import keypoint_windows

CLIPS = (*filmed("a", 18, 4, seed=1), *filmed("b", 9, 4, seed=2), *filmed("c", 7, 3, seed=3))
CHUNK = 5  # frames: 4, 2 and 2 windows of the clips


def pairs(recordings=CLIPS, films=None, paired=True, flip=True, warm_up=1, device="cpu"):
    labelled, *others = (
        part and keypoint_windows(part, 1, flip=flip, chunk=CHUNK, device=device, labelled=known)
        for part, known in ((recordings, True), (films, False), (films, False))
    )
    return ViewPairs(recordings, labelled, *others, paired, warm_up)


def order(examples: ViewPairs, epoch: int = 0, seed: int = 0) -> torch.Tensor:
    return examples.order(torch.Generator().manual_seed(seed), epoch)


def where(examples: ViewPairs) -> list[tuple]:
    """Clip, place in it, whether mirrored, and camera of each window."""
    windows, found = examples.labelled, []
    for track, start in zip(windows.track.tolist(), windows.starts.tolist(), strict=True):
        recording = CLIPS[track % len(CLIPS)]
        place = start - int(windows.first[track])
        found.append(((recording.clip, place, track >= len(CLIPS)), recording.camera.name))
    return found


def test_both_windows_show_the_same_moments_from_two_sides():
    examples = pairs()
    windows, drawn = where(examples), order(examples)
    # of four views two pairs, of three one; mirrored ones apart
    assert len(examples) == len(drawn) == 2 * (4 * 2 + 2 * 2 + 2 * 1)
    for first, second in drawn.tolist():
        assert windows[first][0] == windows[second][0]
        assert windows[first][1] != windows[second][1]
    used = drawn.flatten().tolist()
    assert len(set(used)) == len(used)  # none twice


def test_every_epoch_pairs_anew():
    examples = pairs()
    drawn = [{tuple(sorted(pair)) for pair in order(examples, seed=s).tolist()} for s in range(30)]
    assert torch.equal(order(examples), order(examples))
    assert len(set().union(*drawn)) == 2 * (6 * (4 + 2) + 3 * 2)  # each pair there is, some time
    assert order(examples).tolist() != sorted(order(examples).tolist())


def test_without_pairing_an_example_is_any_two_windows():
    examples = pairs(CLIPS[:5], paired=False)  # one view alone will do
    drawn = order(examples)
    count = len(examples.labelled)
    assert count == 2 * (4 * 4 + 2)
    assert len(examples) == len(drawn) == count // 2
    assert sorted(drawn.flatten().tolist()) == list(range(count))
    odd = pairs(CLIPS[4:5] + CLIPS[8:9] + CLIPS[:1], paired=False, flip=False)
    assert len(odd.labelled) == 8
    odd = pairs(filmed("d", 15, 1), paired=False, flip=False)
    assert len(odd.labelled) == 3 and order(odd).shape == (1, 2)


def test_films_are_beside_them():
    films = without_poses(*filmed("d", 30, 2, seed=4)).train
    examples = pairs(films=films)
    drawn = order(examples)
    assert drawn.shape == (len(examples), 3)
    assert len(examples.films) == 24 < len(examples)
    assert sorted(drawn[:24, 2].tolist()) == list(range(24))  # all before any comes again
    assert torch.equal(drawn[:, :2], order(pairs()))


def test_fooling_begins_after_the_warm_up(device):
    examples = pairs(warm_up=2, device=device)
    assert examples.fooling.device.type == device.type
    found = []
    for epoch in (0, 1, 2, 3, 0):
        order(examples, epoch)
        found.append(examples.fooling.item())
    assert found == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("flip", [False, True])
def test_the_rotation_brings_a_true_pose_into_the_other_view(flip):
    examples = pairs(flip=flip)
    drawn = order(examples)
    first, second = (examples.labelled.target("pose", drawn[:, view]) for view in (0, 1))
    turned = rotation_apply(examples.rotation(drawn)[:, None, None], first)
    torch.testing.assert_close(turned, second, atol=1e-5, rtol=0)
    assert (first - second).abs().amax(dim=(1, 2, 3)).min() > 0.01
    products = examples.rotation(drawn).double()
    eye = torch.eye(3, dtype=torch.float64).expand_as(products)
    torch.testing.assert_close(products @ products.mT, eye, atol=1e-5, rtol=0)


def test_the_rotation_of_a_camera_is_the_inverse_of_its_way_into_the_world():
    recording = CLIPS[0]
    ways = camera_to_world(torch.eye(3), recording.camera)
    ways = ways - camera_to_world(torch.zeros(3), recording.camera)
    turned = rotation_apply(world_to_camera_rotation(recording), ways)
    torch.testing.assert_close(turned, torch.eye(3), atol=1e-5, rtol=0)


def test_views_without_a_partner_are_refused():
    with pytest.raises(ValueError, match=r"S1/moving/c/cam0/0 has no view from another camera"):
        partners(CLIPS[:9])
    other_person = replace(CLIPS[1], person=1)
    with pytest.raises(ValueError, match="no view from another camera"):
        partners([CLIPS[0], other_person])


def test_views_of_other_frames_are_refused():
    with pytest.raises(ValueError, match=r"cam0/0 \(18 frames\) and .*cam1/0 \(17\) are not"):
        partners([CLIPS[0], CLIPS[1].cut(0, 17)])
    frames = torch.arange(18)
    known = [replace(CLIPS[i], frames=frames + i) for i in (0, 1)]
    with pytest.raises(ValueError, match="not of the same frames"):
        partners(known)
    assert partners([replace(r, frames=frames) for r in CLIPS[:2]]) == [[0, 1]]


def test_what_is_seen_of_a_film():
    film = data(*filmed("d", 6, 1)).train[0]
    confidence = torch.ones(6, 17)
    confidence[2, 3] = 0
    visible = torch.ones(6, 17, dtype=torch.bool)
    visible[4, 5] = False
    film = replace(film, confidence=confidence, visible=visible, positions=None)
    seen = seen_keypoints(film)
    expected = torch.ones(6, 17)
    expected[2, 3] = expected[4, 5] = 0
    assert torch.equal(seen[..., 2], expected)
    pixels = (seen[..., :2] + 1) * film.camera.width / 2  # of a square image
    torch.testing.assert_close(pixels, film.keypoints, atol=1e-2, rtol=0)
