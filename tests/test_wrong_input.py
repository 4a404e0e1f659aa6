"""Wrong input is refused where it enters, in words that help: what no part's own tests hold."""

import os
import signal

import pytest
import torch
from samples import recording

from paperlib import datasets
from paperlib.datasets.archives import read_archive
from paperlib.datasets.cmu import read_expmap
from paperlib.datasets.mpi_inf_3dhp import read_calibration
from paperlib.detection import detect
from paperlib.detection.files import read_keypoints
from paperlib.experiment.checkpoints import evaluate_checkpoint
from paperlib.models import TemporalModel, filter_widths, load_videopose3d_checkpoint
from paperlib.outside.matlab import read_mat
from paperlib.prediction import predict
from paperlib.training import choose_device, resolve_preset


def test_wrong_joint_count():
    with pytest.raises(ValueError, match=r"\(5, 16, 2\).*17 keypoints of h36m_17"):
        recording(keypoints=torch.rand(5, 16, 2))
    with pytest.raises(ValueError, match=r"expected keypoints \(B, T, 17, 2\).*16"):
        TemporalModel(17, 2, 17, (3,), channels=4)(torch.rand(1, 5, 16, 2))


@pytest.mark.parametrize(
    ("attempt", "names"),
    [
        (lambda: datasets.load("syntetic"), ["'synthetic'", "'cmu'", "'human36m'", "Did you mean"]),
        (lambda: resolve_preset("labtop"), ["'smoke'", "'laptop'", "'paper'", "Did you mean"]),
        (lambda: filter_widths(100), ["1, 3, 9, 27, 81, 243, 729"]),
        (lambda: detect(None, "perfect"), ["'ground_truth'", "'simulated'"]),
    ],
)
def test_unknown_names_are_answered_with_the_choices(attempt, names):
    with pytest.raises(ValueError) as refusal:
        attempt()
    assert [name for name in names if name not in str(refusal.value)] == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu():
    with pytest.raises(ValueError, match=r'no GPU.*use device="auto" or "cpu"'):
        choose_device("cuda")


@pytest.mark.parametrize("frames", [1, 2, 26])
@pytest.mark.parametrize("causal", [False, True])
def test_a_sequence_shorter_than_the_receptive_field_is_padded(frames, causal):
    model = TemporalModel(17, 2, 17, (3, 3, 3), causal=causal, channels=4)
    assert predict(model, recording(frames)).shape == (frames, 17, 3)


READERS = {
    "archive": ("a.npz", read_archive),
    "keypoints": ("a.json", read_keypoints),
    "keypoints of a frame": ("0_keypoints.json", lambda path: read_keypoints(path.parent)),
    "checkpoint": ("a.bin", load_videopose3d_checkpoint),
    "checkpoint to evaluate": (
        "a.bin",
        lambda path: evaluate_checkpoint(path, "synthetic", "ground_truth"),
    ),
    "exponential map": ("a.txt", read_expmap),
    "calibration": ("camera.calibration", read_calibration),
    "MATLAB": ("annot.mat", lambda path: read_mat(path, "annot2")),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("kind", READERS)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, kind):
    name, read = READERS[kind]
    os.mkfifo(tmp_path / name)
    signal.alarm(20)  # without the refusal, the tests would wait for ever
    try:
        with pytest.raises(ValueError, match=rf"{name} is a named pipe, not a file"):
            read(tmp_path / name)
    finally:
        signal.alarm(0)
