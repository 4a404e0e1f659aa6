"""Frame by frame the poses are those of the whole sequence, at one column of each layer a frame."""

import pytest
import torch
from networks import randomised
from samples import recording
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from paperlib.models import LinearModel, Streaming, TemporalModel, filter_widths, fold
from paperlib.models.complexity import flops_per_frame
from paperlib.prediction import predict
from paperlib.windows import mirror, network_input, pad_sequence


def trained(widths=(3, 3), joints_in=5, features=2, joints_out=4, channels=8, **options):
    options = {"causal": True, "dropout": 0.1} | options
    model = TemporalModel(joints_in, features, joints_out, widths, channels=channels, **options)
    return randomised(model)


def streamed(stream: Streaming, frames: Tensor) -> Tensor:
    poses = [pose for frame in frames if (pose := stream.step(frame)) is not None]
    return torch.stack(poses + stream.finish())


@torch.no_grad()
def in_one_piece(model: TemporalModel, frames: Tensor) -> Tensor:
    """The poses of ``(T, J, F)``, padded as in testing; ``(T, P, J, F)`` person by person."""
    if frames.ndim == 4:
        return torch.stack([in_one_piece(model, person) for person in frames.unbind(1)], 1)
    return model(pad_sequence(frames, model.receptive_field, model.causal)[None])[0]


def test_an_array_is_a_frame_as_a_tensor_is():
    model, frame = trained(), torch.randn(5, 2)
    as_array, as_tensor = Streaming(model).step(frame.numpy()), Streaming(model).step(frame)
    assert torch.equal(as_array, as_tensor)


def assert_same(poses: Tensor, expected: Tensor) -> None:
    assert poses.dtype == torch.float32
    assert expected.shape[-3] == 1 or expected.std(-3).max() > 0.01  # poses that move
    torch.testing.assert_close(poses, expected, rtol=1e-5, atol=1e-5)


# ---- the poses of the whole sequence -------------------------------------------------------------


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
@pytest.mark.parametrize("frames", [1, 2, 5, 100])
@pytest.mark.parametrize("receptive_field", [1, 3, 9, 27, 81])
def test_gives_the_poses_of_the_whole_sequence(receptive_field, frames, causal, device):
    model = trained(filter_widths(receptive_field), causal=causal).to(device)
    sequence = torch.randn(frames, 5, 2, device=device)
    poses = streamed(Streaming(model), sequence)
    assert poses.device.type == device.type
    assert_same(poses, in_one_piece(model, sequence))


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 5, 3), (5, 3), (1, 1, 1), (1, 3), (3, 1)])
def test_any_widths_with_and_without_dilation(widths, dense, causal):
    model = trained(widths, dense=dense, causal=causal)
    sequence = torch.randn(2 * model.receptive_field + 3, 5, 2)
    assert_same(streamed(Streaming(model), sequence), in_one_piece(model, sequence))


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
@pytest.mark.parametrize("people", [1, 3])
def test_people_side_by_side_do_not_mix(people, causal, device):
    model = trained(causal=causal, features=3).to(device)
    sequence = torch.randn(20, people, 5, 3, device=device)
    poses = streamed(Streaming(model), sequence)
    assert poses.shape == (20, people, 4, 3)
    assert_same(poses, in_one_piece(model, sequence))


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
def test_equals_the_evaluation_with_and_without_its_mirror_images(causal):
    model = trained((3, 3), joints_in=17, joints_out=17, causal=causal)
    one = recording(30)
    stream, keypoints = Streaming(model), network_input(one)
    assert_same(streamed(stream, keypoints), predict(model, one, flip=False))
    both = torch.stack([keypoints, mirror(keypoints, one.keypoint_skeleton)], 1)
    poses = streamed(stream, both)
    mean = (poses[:, 0] + mirror(poses[:, 1], one.skeleton)) / 2
    assert_same(mean, predict(model, one, flip=True))


def test_a_full_sized_model():
    model = trained(filter_widths(243), joints_in=17, joints_out=17, channels=1024)
    sequence = torch.randn(5, 17, 2)
    assert_same(streamed(Streaming(model), sequence), in_one_piece(model, sequence))


def test_longer_than_the_memory_many_times_over():
    """Nothing drifts: after a thousand frames the poses are still those of the last nine."""
    model, sequence = trained((3, 3)), torch.randn(1000, 5, 2)
    assert_same(streamed(Streaming(model), sequence), in_one_piece(model, sequence))


# ---- when a pose comes ---------------------------------------------------------------------------


def test_a_causal_model_answers_at_once():
    stream = Streaming(trained(filter_widths(27)))
    assert stream.delay == 0
    assert [tuple(stream.step(frame).shape) for frame in torch.randn(3, 5, 2)] == [(4, 3)] * 3
    assert stream.finish() == []


def test_a_symmetric_model_answers_half_a_receptive_field_later():
    model, sequence = trained((3, 3), causal=False), torch.randn(7, 5, 2)
    stream = Streaming(model)
    assert stream.delay == 4
    poses = [stream.step(frame) for frame in sequence]
    assert [pose is None for pose in poses] == [True] * 4 + [False] * 3
    expected = in_one_piece(model, sequence)
    assert_same(torch.stack(poses[4:]), expected[:3])
    rest = stream.finish()
    assert len(rest) == 4
    assert_same(torch.stack(rest), expected[3:])


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
def test_a_sequence_of_no_frames_has_no_poses(causal):
    stream = Streaming(trained(causal=causal))
    assert stream.finish() == []
    stream.step(torch.randn(5, 2))
    stream.reset()
    assert stream.finish() == []


# ---- what a stream remembers ---------------------------------------------------------------------


@pytest.mark.parametrize("people", [(), (2,)])
@pytest.mark.parametrize("end", ["reset", "finish"])
@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
def test_a_new_sequence_knows_nothing_of_the_last(end, causal, people):
    model = trained(causal=causal)
    stream = Streaming(model)
    for frame in torch.randn(8, 5, 2):
        stream.step(frame)
    getattr(stream, end)()
    sequence = torch.randn(12, *people, 5, 2)
    assert_same(streamed(stream, sequence), in_one_piece(model, sequence))


def test_two_streams_of_one_model_share_nothing():
    model = trained()
    one, other = Streaming(model), Streaming(model)
    sequences = torch.randn(2, 12, 5, 2)
    pairs = zip(*sequences, strict=True)
    poses = torch.stack([torch.stack([one.step(a), other.step(b)]) for a, b in pairs], 1)
    for got, sequence in zip(poses, sequences, strict=True):
        assert_same(got, in_one_piece(model, sequence))


def test_streams_of_a_folded_model_share_its_weights_and_its_precision(device):
    model, sequence = trained().to(device), torch.randn(20, 5, 2, device=device)
    folded = fold(model)
    streams = [Streaming(folded), Streaming(folded)]
    for stream in streams:
        assert_same(streamed(stream, sequence), in_one_piece(model, sequence))
    for parameter in folded.parameters():
        parameter += 0.1
    for stream in streams:
        assert_same(streamed(stream, sequence), in_one_piece(folded, sequence))

    half = fold(model, torch.bfloat16)
    poses = streamed(Streaming(half), sequence)
    assert poses.dtype == torch.float32
    exact = in_one_piece(model, sequence)
    assert 1e-4 < (poses - exact).norm() / exact.norm() < 0.02


def test_what_becomes_of_the_model_and_of_frames_and_poses_changes_nothing():
    model, sequence = trained(causal=False), torch.randn(12, 5, 2)
    expected = in_one_piece(model, sequence)
    stream = Streaming(model)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.zero_()
    frame, poses = torch.empty(5, 2), []
    for given in sequence:
        pose = stream.step(frame.copy_(given))
        frame.fill_(torch.nan)
        if pose is not None:
            poses.append(pose.clone())
            pose.fill_(torch.nan)
    assert_same(torch.stack(poses + stream.finish()), expected)


def test_keypoints_may_be_of_another_kind_and_want_gradients(device):
    model = trained().to(device)
    sequence = torch.randn(12, 5, 2)
    poses = streamed(Streaming(model), sequence.double().requires_grad_())
    assert not poses.requires_grad
    assert_same(poses, in_one_piece(model, sequence.to(device)))


# ---- what a frame costs --------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "symmetric"])
@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
@pytest.mark.parametrize("people", [1, 3])
def test_a_frame_costs_two_operations_for_each_weight(people, dense, causal):
    model = trained((3, 3, 3), dense=dense, causal=causal)
    stream = Streaming(model)
    counted = []
    for frame in torch.randn(40, people, 5, 2):
        with FlopCounterMode(display=False) as counter:
            stream.step(frame)
        counted.append(counter.get_total_flops())
    # the first pose and every one after it; before it only the last layer has nothing to do
    assert counted[stream.delay :] == [people * flops_per_frame(model)] * (40 - stream.delay)
    last = 2 * model.shrink.weight.numel()
    assert counted[: stream.delay] == [people * (flops_per_frame(model) - last)] * stream.delay


class Written(TorchDispatchMode):
    """How many numbers each operation writes; views write none."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not operation.is_view:
            self.sizes.append(result.numel())
        return result


@pytest.mark.parametrize("people", [1, 3])
@pytest.mark.parametrize("dense", [False, True], ids=["dilated", "dense"])
def test_nothing_longer_than_a_column_is_written_or_moved(dense, people):
    stream = Streaming(trained((3, 3, 3), dense=dense, channels=16))
    first, *frames = torch.randn(40, people, 5, 2)
    stream.step(first)
    for frame in frames:
        with Written() as written:
            stream.step(frame)
        assert max(written.sizes) == people * 16


# ---- what is refused -----------------------------------------------------------------------------


def test_a_model_in_training_mode_is_refused():
    with pytest.raises(ValueError, match=r"training mode.*model\.eval\(\)"):
        Streaming(trained().train())


def test_other_models_are_refused():
    with pytest.raises(ValueError, match=r"TemporalModel.*got a LinearModel"):
        Streaming(LinearModel(5, 2, 4, channels=8).eval())


@pytest.mark.parametrize(
    "shape", [(5,), (4, 2), (5, 3), (10,), (0, 5, 2), (3, 4, 2), (1, 1, 5, 2), (2, 5), ()]
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError) as error:
        Streaming(trained()).step(torch.zeros(shape))
    assert "(5, 2) or (P, 5, 2)" in str(error.value)
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(("first", "then"), [((5, 2), (1, 5, 2)), ((2, 5, 2), (3, 5, 2))])
def test_people_who_come_or_go_are_refused(first, then):
    stream = Streaming(trained())
    stream.step(torch.zeros(first))
    with pytest.raises(ValueError, match=r"reset\(\)") as error:
        stream.step(torch.zeros(then))
    assert str(first) in str(error.value)
    assert str(then) in str(error.value)
    stream.reset()
    assert stream.step(torch.zeros(then)).shape == (*then[:-2], 4, 3)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [0, 6])
def test_keypoints_that_are_not_finite_are_refused_and_leave_no_trace(at, wrong):
    model, sequence = trained(causal=False), torch.randn(12, 5, 2)
    stream, poses = Streaming(model), []
    for t, frame in enumerate(sequence):
        if t == at:
            broken = frame.clone()
            broken[2, 1] = wrong
            with pytest.raises(ValueError, match="NaN or infinite"):
                stream.step(broken)
        pose = stream.step(frame)
        poses += [pose] if pose is not None else []
    assert_same(torch.stack(poses + stream.finish()), in_one_piece(model, sequence))
