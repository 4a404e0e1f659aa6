"""Windows with several target frames: where the chunks of a recording lie, and what is refused."""

import pytest
import torch
from samples import recording

from paperlib.cameras import Camera, normalize_screen_coordinates
from paperlib.models import LinearModel, TemporalModel
from paperlib.recordings import Recording
from paperlib.skeletons import H36M_17
from paperlib.windows import Windows, keypoint_windows

CAMERAS = [
    Camera(name, 1000, 800, focal=(focal, focal), centre=(512.0, 385.0))
    for name, focal in (("near", 1100.0), ("far", 2200.0), ("side", 1500.0), ("top", 900.0))
]
LENGTHS = (7, 1, 4, 12)
RECORDINGS = [recording(n, camera=c) for n, c in zip(LENGTHS, CAMERAS, strict=True)]


def screen(one: Recording) -> torch.Tensor:
    return normalize_screen_coordinates(one.keypoints, 1000, 800)


def everything(windows: Windows) -> torch.Tensor:
    return torch.arange(len(windows))


def target_frames(length: int, chunk: int) -> list[list[int]]:
    """Which frames the chunks of a recording have as targets."""
    one = recording(length, camera=CAMERAS[0])
    windows = keypoint_windows([one], 3, flip=False, chunk=chunk)
    _, poses = windows.batch(everything(windows))
    same = (poses[:, :, None] == one.pose).all(-1).all(-1)  # (chunks, frames of each, length)
    assert (same.sum(-1) == 1).all()
    return same.int().argmax(-1).tolist()


# ---- where they lie ------------------------------------------------------------------------------


CHUNKS = [(4, 4, "0123"), (6, 3, "012 345"), (7, 3, "001 234 566"), (6, 4, "0012 3455")]
CHUNKS += [(5, 3, "012 344")]  # where it cannot be centred, the end has one more
CHUNKS += [(1, 4, "0000"), (2, 5, "00111"), (3, 1, "0 1 2")]


@pytest.mark.parametrize(("length", "chunk", "frames"), CHUNKS)
def test_chunks_are_centred_on_the_recording(length, chunk, frames):
    assert target_frames(length, chunk) == [list(map(int, one)) for one in frames.split()]


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
@pytest.mark.parametrize("receptive_field", [1, 3, 9])
def test_every_example_is_what_slicing_gives(receptive_field, causal, chunk, device):
    """Recordings shorter than a chunk, and than a window, among them."""
    windows = keypoint_windows(RECORDINGS, receptive_field, causal, device=device, chunk=chunk)
    before = receptive_field - 1 if causal else receptive_field // 2
    inputs, targets, roots = [], [], []
    for one in RECORDINGS:
        count = -(-len(one) // chunk)
        first = -((count * chunk - len(one)) // 2)
        for start in range(first, first + count * chunk, chunk):
            seen = torch.arange(start - before, start - before + receptive_field + chunk - 1)
            learnt = torch.arange(start, start + chunk).clamp(0, len(one) - 1)
            inputs.append(screen(one)[seen.clamp(0, len(one) - 1)])
            targets.append(one.pose[learnt])
            roots.append(one.trajectory[learnt, None])
    swapped = list(H36M_17.mirrored)
    inputs, targets, roots = map(torch.stack, (inputs, targets, roots))
    sign = torch.tensor([-1.0, 1.0, 1.0])
    expected = (
        torch.cat([inputs, inputs[:, :, swapped] * sign[:2]]),
        torch.cat([targets, targets[:, :, swapped] * sign]),
    )
    assert len(windows) == len(expected[0])
    for found, wanted in zip(windows.batch(everything(windows)), expected, strict=True):
        assert found.device.type == device.type
        assert torch.equal(found.cpu(), wanted)
    found = windows.target("root", everything(windows)).cpu()
    assert torch.equal(found, torch.cat([roots, roots * sign]))


def test_each_chunk_is_seen_by_its_own_camera():
    windows = keypoint_windows(RECORDINGS, 3, chunk=4)
    focal = windows.constant("intrinsics", everything(windows))[:, 0] * 1000 / 2
    expected = [1100.0] * 2 + [2200.0] + [1500.0] + [900.0] * 3
    torch.testing.assert_close(focal, torch.tensor(expected * 2))


MODELS = [TemporalModel(17, 2, 17, (3, 3), c, channels=8) for c in (False, True)]
MODELS += [LinearModel(17, 2, 17, channels=8)]


@pytest.mark.parametrize("model", MODELS, ids=["symmetric", "causal", "linear"])
def test_a_model_gives_a_pose_for_each_target_and_the_same_as_alone(model):
    """A recording of whole chunks: frame by frame, the windows of one target are parts of them."""
    one = recording(24, camera=CAMERAS[0])
    model.eval()
    options = {"receptive_field": model.receptive_field, "causal": model.causal, "flip": False}
    alone, alone_targets = keypoint_windows([one], **options).batch(torch.arange(24))
    inputs, targets = keypoint_windows([one], **options, chunk=8).batch(torch.arange(3))
    with torch.no_grad():
        poses = model(inputs)
        expected = model(alone)
    assert poses.shape == targets.shape == (3, 8, 17, 3)
    assert torch.equal(targets.flatten(0, 1), alone_targets[:, 0])
    torch.testing.assert_close(poses.flatten(0, 1), expected[:, 0], rtol=1e-4, atol=1e-5)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(("chunk", "stride"), [(0, 1), (-2, 1), (2, 2), (5, 3)])
def test_chunks_below_one_and_chunks_with_a_stride_are_refused(chunk, stride):
    with pytest.raises(ValueError, match=f"got chunk {chunk} with stride {stride}: .* stride 1"):
        keypoint_windows(RECORDINGS, 3, stride=stride, chunk=chunk)
