"""What every test starts from: a known seed, and a CPU and a GPU, which may be a pretended one."""

import signal
from collections.abc import Iterator

import pytest
import torch
from pretended_gpu import PretendedGPU

try:
    import nbval.kernel
except ImportError:  # tests of the package need no Jupyter
    pass
else:
    from paperlib.running.kernels import OwnSocketsKernelManager

    # workers start kernels at the same time, which must not get the same ports
    nbval.kernel.KernelManager = OwnSocketsKernelManager


@pytest.fixture
def pretended() -> Iterator[PretendedGPU]:
    """A pretended GPU, which counts what it is asked for."""
    if torch.cuda.is_available():
        pytest.skip("there is a real GPU")
    else:
        with PretendedGPU() as gpu:
            yield gpu


@pytest.fixture
def gpu(request) -> torch.device:
    """A GPU: this computer's, or where it has none a pretended one."""
    if not torch.cuda.is_available():
        request.getfixturevalue("pretended")
    return torch.device("cuda")


@pytest.fixture(params=["cpu", "cuda"])
def device(request) -> torch.device:
    """A CPU, then a GPU."""
    return torch.device("cpu") if request.param == "cpu" else request.getfixturevalue("gpu")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_works() -> None:
    """Some tests press it; a shell that starts the tests in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
