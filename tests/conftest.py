"""What every test starts from: a known seed, and the devices of this computer."""

import pytest
import torch

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture(params=DEVICES)
def device(request) -> torch.device:
    """Each device this computer has, one after the other."""
    return torch.device(request.param)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
