"""Which precision matrices are multiplied in, by device."""

import pytest
import torch

from paperlib.training.devices import autocast, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "able", "unable"),
    [
        ("auto", "float32", "float32"),
        ("mixed", "bfloat16", "float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_a_processor_that_cannot_multiply_bfloat16_is_not_given_it_unasked(
    asked, able, unable, monkeypatch
):
    neither = {"amx_bf16": False, "avx512_bf16": False, "avx512_f": True}
    with_one = [neither | {name: True} for name in ("amx_bf16", "avx512_bf16")]
    for known, expected in ((neither, unable), *((k, able) for k in with_one)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known, raising=False)
        assert choose_precision(CPU, asked) == expected
        with autocast(CPU, asked):
            made = torch.ones(2, 2) @ torch.ones(2, 2)
        assert made.dtype == getattr(torch, expected)


def test_an_older_pytorch_does_not_say(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision(CPU, "mixed") == "float32"


def test_unknown_precisions_are_refused():
    with pytest.raises(ValueError, match="'auto', 'mixed', 'float32', 'bfloat16'"):
        choose_precision(CPU, "half")
