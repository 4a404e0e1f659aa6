"""Maps that come ready: packed and unpacked, mirrored exactly, gathered as keypoints are."""

from dataclasses import replace

import pytest
import torch
from networks import randomised
from samples import recording

from paperlib.models import MultiStrideTCN
from paperlib.occlusion import SimulatedMaps
from paperlib.recordings import PerFrame, Recording
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.windows import (
    input_of,
    keypoint_windows,
    map_cells,
    map_features,
    map_input,
    mirror,
    mirror_input,
    mirrored_maps,
    network_input,
    packed,
    unpacked,
)


def with_maps(one: Recording, size: int = 8) -> Recording:
    """Any maps, and crops about the middle of the image."""
    maps = torch.rand(len(one), 17, size, size)
    crops = torch.rand(len(one), 3) * torch.tensor([0.2, 0.2, 0.5]) + torch.tensor([0, 0, 0.5])
    return replace(one, heatmaps=PerFrame("any", lambda frames: maps[frames]), crops=crops)


def test_what_is_packed_comes_out_again():
    maps, crops = torch.rand(2, 5, 17, 8, 8), torch.rand(2, 5, 3)
    together = packed(maps, crops)
    assert together.shape == (2, 5, 17, map_features(8)) == (2, 5, 17, 67)
    assert all(map(torch.equal, unpacked(together), (maps, crops)))


def test_maps_of_the_mirrored_film_are_those_drawn_of_its_keypoints():
    """Drawn from keypoints in the mirror, in crops on the other side of the image."""
    drawing, confidence = SimulatedMaps(size=16), torch.rand(3, 9, 17)
    points = torch.rand(3, 9, 17, 2) * 0.6 - 0.1
    crops = drawing.crops(points, confidence)
    together = packed(drawing.draw(points, confidence, crops), crops)
    other, turned = mirror(points, H36M_17), crops * torch.tensor([-1.0, 1.0, 1.0])
    drawn = drawing.draw(other, confidence[..., list(H36M_17.mirrored)], turned)
    torch.testing.assert_close(mirrored_maps(together, H36M_17), packed(drawn, turned))
    assert torch.equal(mirrored_maps(mirrored_maps(together, H36M_17), H36M_17), together)


def test_keypoints_and_maps_are_told_apart_by_their_numbers():
    points = torch.rand(4, 17, 3)
    assert torch.equal(mirror_input(points, H36M_17), mirror(points, H36M_17))
    maps = packed(torch.rand(4, 17, 8, 8), torch.rand(4, 3))
    assert torch.equal(mirror_input(maps, H36M_17), mirrored_maps(maps, H36M_17))
    ready = MultiStrideTCN(17, map_features(8), 17, (1,), 8, {"size": 8}, 8, 8)
    drawn = MultiStrideTCN(17, 3, 17, (1,), 8, {"size": 8}, 8, 8)
    assert input_of(ready) is map_input and ready.ready and not drawn.ready
    one = with_maps(recording(6))
    assert torch.equal(input_of(drawn)(one), network_input(one, confidence=True))


def test_windows_hold_the_maps_of_their_frames_and_mirrored_ones():
    one = with_maps(recording(13))
    found = keypoint_windows([one], 1, features=map_input, chunk=4)
    assert len(found) == 2 * 4
    inputs = found.input(torch.arange(8))
    assert inputs.shape == (8, 4, 17, 67) and inputs.dtype == torch.float16
    frames = torch.arange(-1, 15).clamp(0, 12).view(4, 4)
    seen, crops = unpacked(inputs[:4])
    expected = one.heatmaps(frames.flatten()).view(4, 4, 17, 8, 8)
    torch.testing.assert_close(seen.float(), expected, rtol=0, atol=5e-4)
    torch.testing.assert_close(crops.float(), one.crops[frames], rtol=0, atol=5e-4)
    assert torch.equal(inputs[4:], mirrored_maps(inputs[:4], H36M_17))
    poses = found.target("pose", torch.arange(8))
    assert torch.equal(poses[4:], mirror(poses[:4], H36M_17))


def test_a_network_of_ready_maps_answers_as_to_maps_and_crops():
    net = randomised(MultiStrideTCN(17, 67, 17, (1, 3), 8, {"size": 8}, 12, 8))
    maps, crops = torch.rand(2, 8, 17, 8, 8), torch.rand(2, 8, 3) + 0.5
    together = packed(maps, crops)
    torch.testing.assert_close(net(together), net(maps, crops))
    found, where = net.drawn(together.half())
    assert found.dtype == where.dtype == torch.float32
    assert (net(together) - net(mirrored_maps(together, H36M_17))).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heatmaps": None}, "has no heat maps.*predict_maps makes them"),
        ({"crops": None}, "has no heat maps"),
        ({"heatmaps": PerFrame("few", lambda n: torch.rand(len(n), 14, 8, 8))}, r"\(6, 17, S, S\)"),
        ({"heatmaps": PerFrame("wide", lambda n: torch.rand(len(n), 17, 8, 9))}, r"17, 8, 9\)"),
        ({"heatmaps": PerFrame("flat", lambda n: torch.rand(len(n), 17, 64))}, r"17, 64\)"),
    ],
)
def test_recordings_without_such_maps_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        map_input(replace(with_maps(recording(6)), **changes))


def test_maps_of_other_sizes_are_refused():
    small, large = with_maps(recording(6)), with_maps(recording(6), 16)
    assert map_cells([small]) == 8 and map_cells([large, large]) == 16
    for recordings in ([small, large], []):
        with pytest.raises(ValueError, match="maps of one size"):
            map_cells(recordings)
    net = MultiStrideTCN(17, 67, 17, (1,), 8, {"size": 8}, 8, 8)
    with pytest.raises(ValueError, match=r"\(B, T, 17, 67\).*259"):
        net(map_input(large)[None])
    with pytest.raises(ValueError, match=r"come ready are 259, got in_features=67"):
        MultiStrideTCN(17, 67, 17, (1,), 8, {"size": 16}, 8, 8)
    with pytest.raises(ValueError, match=r"crops has shape \(5, 3\), expected \(6, 3\)"):
        replace(small, crops=torch.rand(5, 3))


def test_another_detectors_keypoints_come_without_maps_and_crops():
    one = with_maps(recording(6))
    other = one.with_keypoints(one.keypoints, one.confidence, COCO_17)
    assert other.heatmaps is None and other.crops is None
