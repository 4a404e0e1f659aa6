"""Kernels with sockets of their own: no port is asked for, and nothing is left behind."""

from pathlib import Path

import pytest
import zmq

pytest.importorskip("ipykernel")
from paperlib.workflow.kernels import OwnSocketsKernelManager

pytestmark = pytest.mark.skipif(not zmq.has("ipc"), reason="the system has no socket files")


@pytest.fixture
def manager():
    made = OwnSocketsKernelManager(kernel_name="python3")
    yield made
    if made.has_kernel:
        made.shutdown_kernel(now=True)


def answers(manager) -> bool:
    """Whether the kernel computes what it is sent."""
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive("assert 6 * 7 == 42", timeout=60)
        return reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()


def test_two_kernels_never_share_a_socket():
    first, second = OwnSocketsKernelManager(), OwnSocketsKernelManager()
    assert first.transport == second.transport == "ipc"
    assert Path(first.ip).is_absolute()  # a kernel runs in another folder than its client
    assert first.ip != second.ip
    for manager in (first, second):
        manager.cleanup_connection_file()
        assert not Path(manager.ip).parent.exists()


def test_a_kernel_answers_also_when_started_anew_and_leaves_nothing(manager, tmp_path):
    folder = Path(manager.ip).parent
    manager.start_kernel(cwd=str(tmp_path))
    assert answers(manager)
    assert len(list(folder.iterdir())) == 5  # shell, iopub, stdin, heartbeat, control
    manager.restart_kernel(now=True)
    assert answers(manager)
    manager.shutdown_kernel(now=True)
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_who_asks_for_ports_gets_them():
    manager = OwnSocketsKernelManager(transport="tcp", ip="127.0.0.1")
    assert manager.transport == "tcp"
    manager.cleanup_connection_file()
