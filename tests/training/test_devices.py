"""Which precision matrices are multiplied in, by device."""

import pytest
import torch

from paperlib.training.devices import autocast, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "with_amx", "without"),
    [
        ("auto", "float32", "float32"),
        ("mixed", "bfloat16", "float32"),
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "bfloat16"),
    ],
)
def test_a_processor_without_amx_is_not_given_bfloat16_unasked(
    asked, with_amx, without, monkeypatch
):
    for known, expected in (({"amx_bf16": True}, with_amx), ({"amx_bf16": False}, without)):
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
