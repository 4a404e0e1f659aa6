"""Wrong input is refused where it enters, in words that help: what no part's own tests hold."""

import pytest
import torch
from samples import recording

from paperlib import datasets
from paperlib.detection import detect
from paperlib.models import TemporalModel, filter_widths
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
