"""Names of the record as a page shows them."""

import pytest

from paperlib.words import in_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("18 walking_extra, 1 soccer", "18 walking extra, 1 soccer"),
        ("of walking_extra/walking_27;", "of walking extra/walking 27;"),
        ("here, humaneva_like", "here, HumanEva-like"),
        ("measured on cmu, not", "measured on CMU, not"),
        ("CMU motion capture (mocap.cs.cmu.edu)", "CMU motion capture (mocap.cs.cmu.edu)"),
        ("simulated_v2_coarse", "simulated v2 coarse"),
        ("error_m", "error, m"),
        ("peak_mb", "peak, MB"),
        ("1 CPU threads, x86_64", "1 CPU thread"),
        ("21 CPU threads, arm64", "21 CPU threads"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3"),
        ("run `with_labels` of paperlib.with_labels", "run `with_labels` of paperlib.with_labels"),
    ],
)
def test_names_become_words(name, words):
    assert in_words(name) == words
    assert in_words(words) == words
