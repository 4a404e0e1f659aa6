"""Every wrong input that the design names is refused where it enters, in words that help."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from samples import recording

from paperlib import datasets
from paperlib.datasets import archives
from paperlib.detection import detect
from paperlib.errors import CheckpointError, MissingDataError, UnsafeFileError
from paperlib.models import TemporalModel, filter_widths, load_videopose3d_checkpoint
from paperlib.prediction import predict
from paperlib.training import choose_device, resolve_preset


def test_wrong_joint_count():
    with pytest.raises(ValueError, match=r"\(5, 16, 2\).*17 keypoints of h36m_17"):
        recording(keypoints=torch.rand(5, 16, 2))
    with pytest.raises(ValueError, match=r"expected keypoints \(B, T, 17, 2\).*16"):
        TemporalModel(17, 2, 17, (3,), channels=4)(torch.rand(1, 5, 16, 2))


def test_nan_keypoints():
    keypoints = torch.rand(5, 17, 2)
    keypoints[3, 2] = float("nan")
    with pytest.raises(ValueError, match=r"NaN.*1 of 5 frames, the first is frame 3"):
        recording(keypoints=keypoints)


def test_no_frames():
    with pytest.raises(ValueError, match="no frames"):
        recording(0)
    with pytest.raises(ValueError, match="no frames"):
        recording().cut(2, 2)


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
    for name in names:
        assert name in str(refusal.value)


def test_truncated_archive(tmp_path):
    whole = tmp_path / "whole.npz"
    np.savez(whole, positions=np.zeros((100, 32, 3)))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"cut.npz"):
        archives.read_archive(cut)


def test_hostile_archive_runs_nothing(tmp_path):
    marker = tmp_path / "ran"

    class Hostile:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    path = tmp_path / "hostile.npz"
    np.savez(path, positions_3d=np.array(Hostile(), dtype=object))
    with pytest.raises(UnsafeFileError, match=r"hostile.npz"):
        archives.read_archive(path)
    assert not marker.exists()


def test_missing_data_says_where_and_how_and_what_instead(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path)
    for name in ("cmu", "human36m"):
        with pytest.raises(MissingDataError) as missing:
            datasets.load(name)
        assert 'dataset="synthetic"' in str(missing.value)
        assert "PAPERLIB_DATA" in str(missing.value)


def test_checkpoint_of_another_architecture(tmp_path):
    path = tmp_path / "other.bin"
    torch.save({"model_pos": {"layer1.weight": torch.zeros(3, 3)}}, path)
    with pytest.raises(CheckpointError, match=r"other.bin"):
        load_videopose3d_checkpoint(path)


def test_hostile_checkpoint_runs_nothing(tmp_path):
    marker = tmp_path / "ran"

    class Hostile:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    path = tmp_path / "hostile.bin"
    torch.save({"model_pos": {}, "random_state": Hostile()}, path, pickle_module=pickle)
    with pytest.raises(UnsafeFileError, match=r"hostile.bin"):
        load_videopose3d_checkpoint(path)
    assert not marker.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu():
    with pytest.raises(ValueError, match='use device="auto" or "cpu"'):
        choose_device("cuda")


@pytest.mark.parametrize("frames", [1, 2, 26])
@pytest.mark.parametrize("causal", [False, True])
def test_a_sequence_shorter_than_the_receptive_field_is_padded(frames, causal):
    model = TemporalModel(17, 2, 17, (3, 3, 3), causal=causal, channels=4)
    assert predict(model, recording(frames)).shape == (frames, 17, 3)


def test_recording_is_never_changed():
    one = recording()
    with pytest.raises(AttributeError):
        one.fps = 25.0
    assert replace(one, fps=25.0).fps == 25.0
    assert one.fps == 50.0
