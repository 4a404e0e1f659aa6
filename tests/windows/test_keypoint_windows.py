"""Windows hold the frames that they should, the pose of their target frame, and its mirror."""

from dataclasses import replace
from functools import partial

import pytest
import samples
import torch

from paperlib.cameras import (
    Camera,
    normalize_person_coordinates,
    normalize_screen_coordinates,
    project,
    project_to_screen,
    screen_intrinsics,
)
from paperlib.datasets.filming import exact_recording
from paperlib.models import TemporalModel
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, SKELETONS, Skeleton
from paperlib.windows import (
    input_of,
    keypoint_windows,
    mirror,
    network_input,
    pad_sequence,
    padding,
)

CAMERA = Camera(
    "front", 1000, 800, (1100.0, 1090.0), (512.0, 385.0), (-0.2, 0.24, -0.002), (-0.0009, -0.0014)
)
recording = partial(samples.recording, camera=CAMERA)
LENGTHS = (7, 1, 4, 12)
RECORDINGS = [recording(frames, f"take{i}") for i, frames in enumerate(LENGTHS)]


def clamped(sequence: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    """Frames start:stop, those outside being the nearest one inside."""
    return torch.stack([sequence[min(max(t, 0), len(sequence) - 1)] for t in range(start, stop)])


# ---- padding -------------------------------------------------------------------------------------


def test_padding_by_hand():
    values = torch.tensor([[1.0], [2.0], [3.0]])
    assert pad_sequence(values, 5).flatten().tolist() == [1, 1, 1, 2, 3, 3, 3]
    assert pad_sequence(values, 5, causal=True).flatten().tolist() == [1, 1, 1, 1, 1, 2, 3]
    assert pad_sequence(values, 1).flatten().tolist() == [1, 2, 3]
    assert pad_sequence(values[:1], 3).flatten().tolist() == [1, 1, 1]
    assert pad_sequence(values[:1], 27, causal=True).flatten().tolist() == [1] * 27


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("receptive_field", [1, 3, 9, 243])
def test_a_padded_sequence_gives_as_many_poses_as_it_had_frames(receptive_field, causal):
    assert sum(padding(receptive_field, causal)) == receptive_field - 1
    padded = pad_sequence(torch.randn(5, 17, 2), receptive_field, causal)
    assert padded.shape == (5 + receptive_field - 1, 17, 2)
    before, _ = padding(receptive_field, causal)
    assert before == ((receptive_field - 1) if causal else (receptive_field - 1) // 2)


def test_what_a_model_sees_follows_from_its_config():
    about, one = normalize_person_coordinates, RECORDINGS[0]
    for features, normalisation in ((2, "person"), (3, "person"), (2, "screen")):
        model = TemporalModel(17, features, 17, (1,), channels=4, normalisation=normalisation)
        seen = input_of(model)(one)
        screen = normalize_screen_coordinates(one.keypoints, 1000, 800)
        expected = about(one.keypoints) if normalisation == "person" else screen
        assert torch.equal(seen[..., :2], expected) and seen.shape[-1] == features
    with pytest.raises(ValueError, match=r"normalisation must be one of screen, person"):
        TemporalModel(17, 2, 17, (1,), channels=4, normalisation="persons")
    with pytest.raises(ValueError, match=r"unknown normalisation 'image'"):
        network_input(one, normalisation="image")


# ---- batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", [1, 3, 9, 27])
def test_every_example_is_what_slicing_gives(receptive_field, causal, confidence, stride, device):
    """Ends of recordings, and recordings shorter than a window, among them."""
    features = partial(network_input, confidence=confidence)
    options = {"stride": stride, "features": features, "device": device}
    windows = keypoint_windows(RECORDINGS, receptive_field, causal, flip=True, **options)
    before = receptive_field - 1 if causal else receptive_field // 2
    inputs, targets = [], []
    for one in RECORDINGS:
        screen = normalize_screen_coordinates(one.keypoints, 1000, 800)
        if confidence:
            screen = torch.cat([screen, one.confidence[..., None]], dim=-1)
        for t in range(0, len(one), stride):
            inputs.append(clamped(screen, t - before, t - before + receptive_field))
            targets.append(one.positions[t] - one.positions[t, :1])
    inputs, targets = torch.stack(inputs), torch.stack(targets)[:, None]
    sign = torch.tensor([-1.0, 1.0, 1.0])
    swapped = list(H36M_17.mirrored)
    expected_inputs = torch.cat([inputs, inputs[:, :, swapped] * sign[: inputs.shape[-1]]])
    expected_targets = torch.cat([targets, targets[:, :, swapped] * sign])
    assert len(windows) == len(expected_inputs)
    found = windows.batch(torch.arange(len(windows), device=device))
    assert found[0].device.type == found[1].device.type == device.type
    assert torch.equal(found[0].cpu(), expected_inputs)
    assert torch.equal(found[1].cpu(), expected_targets)


@pytest.mark.parametrize(("causal", "target"), [(False, 4), (True, 8)])
def test_the_target_is_the_middle_frame_or_the_last_if_causal(causal, target):
    one = recording(30)
    windows = keypoint_windows([one], 9, causal, flip=False)
    inputs, poses = windows.batch(torch.arange(30))
    screen = network_input(one)
    assert torch.equal(inputs[:, target], screen)
    assert torch.equal(poses[:, 0], one.pose)


@pytest.mark.parametrize("causal", [False, True])
def test_no_window_crosses_into_another_recording(causal):
    marked = [
        recording(frames, f"take{i}", keypoints=torch.full((frames, 17, 2), 100.0 * i))
        for i, frames in enumerate(LENGTHS)
    ]
    inputs, _ = keypoint_windows(marked, 27, causal, flip=False).batch(torch.arange(sum(LENGTHS)))
    assert (inputs.amax((1, 2)) == inputs.amin((1, 2))).all()
    assert len(inputs[:, 0, 0, 0].unique()) == len(LENGTHS)


def test_flip_doubles_the_examples():
    plain, doubled = keypoint_windows(RECORDINGS, 9, flip=False), keypoint_windows(RECORDINGS, 9)
    count = sum(LENGTHS)
    assert (len(plain), len(doubled)) == (count, 2 * count)
    inputs, poses = doubled.batch(torch.arange(2 * count))
    assert torch.equal(inputs[:count], plain.batch(torch.arange(count))[0])
    assert torch.equal(inputs[count:], mirror(inputs[:count], H36M_17))
    assert torch.equal(poses[count:], mirror(poses[:count], H36M_17))


def test_keypoints_are_mirrored_by_their_own_skeleton():
    """Detected joints may be others, in another order, than those of the poses."""
    detected = {"keypoints": torch.rand(6, 17, 2) * 800, "keypoint_skeleton": COCO_17}
    positions = torch.randn(6, 15, 3) + 8
    one = recording(6, skeleton=HUMANEVA_15, positions=positions, **detected)
    inputs, poses = keypoint_windows([one], 1).batch(torch.arange(12))
    assert torch.equal(inputs[6:], mirror(inputs[:6], COCO_17))
    assert torch.equal(poses[6:], mirror(poses[:6], HUMANEVA_15))
    left_wrist, right_wrist = COCO_17.index("left_wrist"), COCO_17.index("right_wrist")
    assert torch.equal(inputs[6:, 0, left_wrist, 0], -inputs[:6, 0, right_wrist, 0])


def test_confidence_is_swapped_but_not_negated():
    windows = keypoint_windows([recording(5)], 3, features=partial(network_input, confidence=True))
    inputs, _ = windows.batch(torch.arange(10))
    assert inputs.shape == (10, 3, 17, 3)
    assert torch.equal(inputs[5:, ..., 2], inputs[:5][:, :, list(H36M_17.mirrored), 2])


# ---- the mirror ----------------------------------------------------------------------------------


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_mirroring_twice_changes_nothing(skeleton):
    points = torch.randn(4, len(skeleton), 3)
    kept = points.clone()
    once = mirror(points, skeleton)
    assert torch.equal(points, kept)
    assert not torch.equal(once, points)
    assert torch.equal(mirror(once, skeleton), points)


def test_the_mirrored_person_is_seen_by_the_mirrored_camera():
    positions = torch.rand(6, 17, 3) * 2 - 1 + torch.tensor([0.0, 0.0, 5.0])
    seen = normalize_screen_coordinates(project(positions, CAMERA), 1000, 800)
    turned = normalize_screen_coordinates(
        project(mirror(positions, H36M_17), CAMERA.mirrored()), 1000, 800
    )
    torch.testing.assert_close(mirror(seen, H36M_17), turned, rtol=1e-5, atol=1e-5)
    # the camera as it is sees something else: its principal point is not in the middle
    same = normalize_screen_coordinates(project(mirror(positions, H36M_17), CAMERA), 1000, 800)
    assert (mirror(seen, H36M_17) - same).abs().max() > 0.01


# ---- where it stands, and what saw it ------------------------------------------------------------

WIDE = Camera(
    "wide", 1920, 1080, (1500.0, 1480.0), (931.0, 555.0), (-0.1, 0.05, 0.01), (0.004, -0.003)
)


ABOUT = {"subject": "S1", "action": "walking", "fps": 50.0}


def seen_by(camera: Camera, frames: int, clip: str, skeleton=H36M_17) -> Recording:
    """Exact keypoints of somebody in front of the camera, none 45 degrees off its axis."""
    around = torch.rand(frames, len(skeleton), 3) * 2 - 1
    positions = around + torch.rand(frames, 1, 3) + torch.tensor([0.3, -0.2, 5.0])
    return exact_recording(positions, camera, skeleton, None, **ABOUT, clip=clip)


PARENTS = tuple(14 - p if p >= 0 else -1 for p in HUMANEVA_15.parents[::-1])
HEAD_FIRST = Skeleton("head_first", HUMANEVA_15.joints[::-1], PARENTS)  # its root comes late


@pytest.mark.parametrize("skeleton", [H36M_17, HEAD_FIRST], ids=lambda s: s.name)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", [1, 9])
def test_true_poses_fall_back_on_the_keypoints_they_came_from(
    receptive_field, causal, stride, skeleton, device
):
    """Every example, mirrored ones too, through the camera and from the place of its target."""
    cameras = (CAMERA, WIDE, CAMERA, replace(WIDE, centre=(1000.0, 500.0)))
    seen = [
        seen_by(camera, frames, f"take{i}", skeleton)
        for i, (camera, frames) in enumerate(zip(cameras, LENGTHS, strict=True))
    ]
    windows = keypoint_windows(seen, receptive_field, causal, stride=stride, device=device)
    assert len(windows) == 2 * sum(-(-frames // stride) for frames in LENGTHS)
    examples = windows.order(torch.Generator().manual_seed(1))
    inputs, poses = windows.batch(examples)
    roots, intrinsics = windows.target("root", examples), windows.constant("intrinsics", examples)
    assert roots.shape == (len(examples), 1, 1, 3)
    assert intrinsics.shape == (len(examples), 9)
    assert roots.device.type == intrinsics.device.type == device.type
    target = receptive_field - 1 if causal else receptive_field // 2
    fallen = project_to_screen(poses + roots, intrinsics)
    torch.testing.assert_close(fallen, inputs[:, [target]], rtol=0, atol=1e-5)


def test_roots_and_cameras_of_each_frame():
    one, other = recording(3, "a"), recording(2, "b", camera=WIDE)
    windows, examples = keypoint_windows([one, other], 3), torch.tensor([4, 0, 2, 5, 9])
    away = torch.tensor([-1.0, 1.0, 1.0])
    (first, _, third), (_, last) = one.trajectory, other.trajectory
    roots = [last, first, third, first * away, last * away]
    assert torch.equal(windows.target("root", examples)[:, 0, 0], torch.stack(roots))
    cameras = [WIDE, CAMERA, CAMERA, CAMERA.mirrored(), WIDE.mirrored()]
    expected = torch.stack([screen_intrinsics(camera) for camera in cameras])
    assert torch.equal(windows.constant("intrinsics", examples), expected)
    plain = keypoint_windows([one, other], 3, flip=False)
    assert torch.equal(plain.target("root", examples[:3]), windows.target("root", examples[:3]))
    assert torch.equal(plain.constant("intrinsics", examples[:3]), expected[:3])


# ---- order ---------------------------------------------------------------------------------------


def test_an_epoch_is_every_example_once_in_an_order_that_follows_from_the_generator(device):
    windows = keypoint_windows(RECORDINGS, 3, device=device)

    def order(seed):
        return windows.order(torch.Generator().manual_seed(seed))

    assert order(1).device.type == device.type
    assert sorted(order(1).tolist()) == list(range(len(windows)))
    assert order(1).tolist() != list(range(len(windows)))
    assert torch.equal(order(1), order(1))
    assert not torch.equal(order(1), order(2))


def test_network_input_is_in_screen_coordinates():
    one = recording(3, keypoints=torch.tensor([0.0, 0.0]).expand(3, 17, 2))
    assert torch.equal(network_input(one), torch.tensor([-1.0, -0.8]).expand(3, 17, 2))
    with_confidence = network_input(one, confidence=True)
    assert torch.equal(with_confidence[..., 2], one.confidence)


# ---- what is refused -----------------------------------------------------------------------------


def test_no_recordings_are_refused():
    with pytest.raises(ValueError, match="no recordings"):
        keypoint_windows([], 3)


@pytest.mark.parametrize("stride", [0, -2])
def test_strides_below_one_are_refused(stride):
    with pytest.raises(ValueError, match=f"got {stride}"):
        keypoint_windows(RECORDINGS, 3, stride=stride)


def test_recordings_of_different_skeletons_are_refused():
    """They may have as many joints; mirrored alike they would be wrong."""
    coco = recording(5, "other", keypoint_skeleton=COCO_17)
    with pytest.raises(ValueError, match="coco_17"):
        keypoint_windows([RECORDINGS[0], coco], 3)
    named_otherwise = replace(H36M_17, name="mine", joints=tuple(reversed(H36M_17.joints)))
    with pytest.raises(ValueError, match="mine"):
        keypoint_windows([RECORDINGS[0], recording(5, "other", skeleton=named_otherwise)], 3)
