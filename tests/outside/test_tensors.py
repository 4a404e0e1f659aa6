"""What PyTorch has saved is read as PyTorch reads it."""

import pytest
import torch
from torch import nn

from paperlib.errors import CheckpointError
from paperlib.outside.tensors import read_tensors


def tensors() -> dict[str, torch.Tensor]:
    numbers = torch.arange(24.0)
    kinds = "float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool"
    return {
        **{kind: numbers[:6].reshape(2, 3).to(getattr(torch, kind)) for kind in kinds.split()},
        "parameter": nn.Parameter(numbers.reshape(4, 6)),
        "part": numbers[5:9],
        "turned": numbers.reshape(4, 6).T,
        "repeated": numbers[:1].expand(1000),
        "none": torch.empty(0, 3),
        "single": torch.tensor(2.5),
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("part", [None, "state"])
def test_tensors_of_all_kinds(tmp_path, zipped, part):
    path = tmp_path / "a.pt"
    held = tensors() if part is None else {"more": [torch.ones(5)], part: tensors()}
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    found = read_tensors(path, part)
    reference = torch.load(path, weights_only=True)
    for name, expected in (reference if part is None else reference[part]).items():
        assert torch.equal(found[name], expected) and found[name].dtype == expected.dtype, name
        assert found[name].stride() == expected.stride(), name
    assert list(found) == list(tensors())
    found["uint8"] += 1  # memory of its own


def test_what_is_no_dictionary_of_tensors(tmp_path):
    path = tmp_path / "a.pt"
    for held, said in (([1], "the file is no dictionary"), ({"a": 1}, "the file holds something")):
        torch.save(held, path)
        with pytest.raises(CheckpointError, match=rf"a\.pt: {said}"):
            read_tensors(path)
