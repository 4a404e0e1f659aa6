"""What every test starts from: a known seed, and the devices of this computer."""

import signal

import pytest
import torch

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture(params=DEVICES)
def device(request) -> torch.device:
    """Each device this computer has, one after the other."""
    return torch.device(request.param)


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard() -> None:
    """Also where a shell started the tests in the background, deaf to a Ctrl-C: some press it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
