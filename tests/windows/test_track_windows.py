"""What the Temporal PoseNet sees of a track, and what it is to answer."""

import math
from dataclasses import replace

import pytest
import torch

from paperlib.cameras import Camera, project
from paperlib.datasets import synthetic
from paperlib.models.temporal_posenet import absolute
from paperlib.skeletons import COMMON_14, H36M_17
from paperlib.windows import draw_zoom, mirror, track_features, track_targets, track_windows

HIP = COMMON_14.root


@pytest.fixture(scope="module")
def data():
    loaded = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))
    return loaded.select(lambda r: r.camera.name == "cam1")


@pytest.fixture
def recording(data):
    return data.train[0]


def filmed(recording, positions, camera, **changes):
    """The recording of somebody else before another camera."""
    seen = {"keypoints": project(positions, camera), "camera": camera}
    return replace(recording, positions=positions, **seen, **changes)


def test_features_by_hand(recording):
    """A camera of focal length 1000: ten pixels are a hundredth."""
    camera = Camera("c", 1000, 800, focal=(1000.0, 500.0), centre=(400.0, 300.0))
    keypoints = torch.full((1, 17, 2), 400.0)
    keypoints[0, H36M_17.index("pelvis")] = torch.tensor([410.0, 310.0])
    keypoints[0, H36M_17.index("left_wrist")] = torch.tensor([430.0, 305.0])
    confidence = torch.full((1, 17), 0.8)
    confidence[0, H36M_17.index("right_knee")] = 0.05
    given = replace(recording.cut(0, 1), camera=camera, keypoints=keypoints, confidence=confidence)
    seen = track_features(given)[0]
    assert seen.shape == (14, 3)
    assert seen[HIP].tolist() == pytest.approx([0.01, 0.02, 0.8])
    assert seen[COMMON_14.index("left_wrist")].tolist() == pytest.approx([0.02, -0.01, 0.8])
    assert seen[COMMON_14.index("right_knee")].tolist() == pytest.approx([-1.7, -3.4, 0.05])
    zoomed = track_features(given, zoom=2.0)[0]
    assert zoomed[HIP].tolist() == pytest.approx([0.01, 0.02, 0.8])
    assert zoomed[COMMON_14.index("left_wrist")].tolist() == pytest.approx([0.01, -0.005, 0.8])
    assert zoomed[COMMON_14.index("right_knee")].tolist() == pytest.approx([-1.7, -3.4, 0.05])


def test_features_mean_the_same_in_every_camera(recording):
    """Another lens of the same place: the picture changes, the features do not."""
    plain = recording.camera.without_distortion()
    other = replace(plain, focal=(700.0, 900.0), centre=(300.0, 350.0), width=640, height=480)
    seen = [track_features(filmed(recording, recording.positions, c)) for c in (plain, other)]
    assert torch.allclose(*seen, atol=1e-5)


def test_who_is_not_found_gives_constants(recording):
    nothing = {name: 0 * getattr(recording, name) for name in ("keypoints", "confidence")}
    lost = replace(recording, **nothing)
    seen = track_features(lost)
    others = [j for j in range(14) if j != HIP]
    assert (seen[:, others] == seen[:1, others[:1]]).all()
    assert (seen[:, others, :2] < -1).all() and (seen[..., 2] < 1e-5).all()


def test_the_mirror_image_is_what_a_mirrored_person_gives(recording):
    """A mirrored camera filming the mirrored person."""
    camera = recording.camera.mirrored()
    positions = mirror(recording.positions, recording.skeleton)
    # scores follow their joints to the other side
    score = torch.rand(recording.confidence.shape)
    given = replace(recording, confidence=score)
    swapped = score[:, list(recording.skeleton.mirrored)]
    turned = filmed(recording, positions, camera, confidence=swapped)
    assert torch.allclose(track_features(given, mirrored=True), track_features(turned), atol=1e-5)
    assert torch.allclose(track_targets(given, mirrored=True), track_targets(turned), atol=1e-6)


def test_targets_and_back(recording):
    answer = track_targets(recording)
    assert torch.allclose(absolute(answer, 0), recording.positions, atol=1e-5)
    assert torch.allclose(answer[:, 0, 2].exp(), recording.trajectory[:, 2])
    batched = absolute(answer[None].expand(2, -1, -1, -1), 0)
    assert torch.allclose(batched[1], recording.positions, atol=1e-5)


def test_zoom_moves_the_root_and_leaves_the_pose(recording):
    near, far = track_targets(recording), track_targets(recording, zoom=1.5)
    assert torch.equal(near[:, 1:], far[:, 1:])
    assert torch.allclose(absolute(far, 0)[:, 0], 1.5 * recording.trajectory, atol=1e-5)


def test_a_zoomed_track_looks_as_if_it_were_so_far_away(recording):
    """For a flat person, straight before a camera without distortion, zooming is exact."""
    camera = recording.camera.without_distortion()
    flat = recording.pose * torch.tensor([1.0, 1.0, 0.0])
    place = torch.tensor([0.3, -0.2, 4.0])
    near, far = (filmed(recording, flat + zoom * place, camera) for zoom in (1.0, 1.3))
    assert torch.allclose(track_features(near, zoom=1.3), track_features(far), atol=1e-5)


def test_drawn_zooms(data):
    """Normal about 1, within limits, and one for each name and seed."""
    recording = data.train[0]
    drawn = [draw_zoom(recording, seed) for seed in range(400)]
    assert draw_zoom(recording, 7) == drawn[7]
    assert min(drawn) >= 0.6 and max(drawn) <= 1.5
    assert abs(sum(drawn) / 400 - 1) < 0.03
    spread = math.sqrt(sum((d - 1) ** 2 for d in drawn) / 400)
    assert 0.17 < spread < 0.21
    assert draw_zoom(replace(recording, person=1), 7) != drawn[7]


def test_no_zoom_puts_a_joint_behind_the_camera(recording):
    close = replace(recording, positions=recording.pose + torch.tensor([0.0, 0.0, 0.9]))
    for seed in range(50):
        zoom = draw_zoom(close, seed)
        assert (zoom * 0.9 + close.pose[..., 2]).min() > 0.099


def test_tracks_hold_each_track_four_times(data):
    tracks = track_windows(data.train, 27)
    frames = sum(len(r) for r in data.train)
    assert len(tracks) == 2 * frames
    first, length = data.train[0], len(data.train[0])
    places = [13, 13 + length, 13 + 2 * frames, 13 + 2 * frames + length]
    seen, answers = tracks.batch(torch.tensor(places))
    assert seen.shape == (4, 27, 14, 3) and answers.shape == (4, 1, 17, 3)
    zoom = draw_zoom(first)
    assert torch.equal(seen[0], track_features(first)[:27])
    assert torch.equal(seen[1], track_features(first, zoom)[:27])
    assert torch.equal(seen[2], track_features(first, mirrored=True)[:27])
    assert torch.equal(seen[3], track_features(first, zoom, mirrored=True)[:27])
    versions = [track_targets(first, z, mirrored=m)[13] for m in (False, True) for z in (1.0, zoom)]
    assert torch.equal(answers[:, 0], torch.stack(versions))


def test_at_the_ends_the_edge_frame_is_repeated(data):
    tracks = track_windows(data.train, 9, zoom=False, flip=False)
    seen, _ = tracks.batch(torch.tensor([0, len(data.train[0]) - 1]))
    own = track_features(data.train[0])
    assert torch.equal(seen[0], own[[0, 0, 0, 0, 0, 1, 2, 3, 4]])
    assert torch.equal(seen[1], own[[-5, -4, -3, -2, -1, -1, -1, -1, -1]])


def test_frames_without_a_person_are_no_targets(data):
    confidence = torch.ones_like(data.train[0].confidence)
    confidence[10:20] = 0
    lost = replace(data.train[0], confidence=confidence)
    tracks = track_windows([lost], 9, zoom=False, flip=False)
    assert len(tracks) == len(lost) - 10
    assert not set(tracks.starts.tolist()) & set(range(10, 20))
    every = track_windows([lost], 9, zoom=False, flip=False, lost=True)
    assert every.starts.tolist() == list(range(len(lost)))
    every_third = track_windows([lost], 9, zoom=False, flip=False, stride=3, lost=True)
    assert every_third.starts.tolist() == list(range(0, len(lost), 3))
    assert torch.equal(every.inputs, tracks.inputs)  # the windows of others see them anyhow
    with pytest.raises(ValueError, match="nobody was found"):
        track_windows([replace(lost, confidence=0 * confidence)], 9)


def test_an_epoch_takes_every_example_once_mirrored_or_not(data):
    tracks = track_windows(data.train, 9)
    order = tracks.order(torch.Generator().manual_seed(3))
    assert sorted((order % len(tracks)).tolist()) == list(range(len(tracks)))
    mirrored = (order >= len(tracks)).float().mean().item()
    assert 0.4 < mirrored < 0.6
    plain = track_windows(data.train, 9, flip=False)
    assert sorted(plain.order(torch.Generator()).tolist()) == list(range(len(plain)))


def test_wrong_tracks_are_refused(data):
    with pytest.raises(ValueError, match="no recordings"):
        track_windows([], 9)
    said = "stride must be at least 1 and a window have a middle"
    for wrong in ({"stride": 0}, {"receptive_field": 8}, {"receptive_field": 0}):
        with pytest.raises(ValueError, match=said):
            track_windows(data.train, **{"receptive_field": 9} | wrong)


def test_who_is_behind_the_camera_is_refused(recording):
    behind = replace(recording, positions=recording.positions - torch.tensor([0.0, 0.0, 20.0]))
    with pytest.raises(ValueError, match="not in front of the camera in frame 0"):
        track_targets(behind)
