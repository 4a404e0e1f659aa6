"""Kernels with sockets of their own: no port is asked for, and nothing is left behind."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import zmq

pytest.importorskip("ipykernel")
from paperlib.running.kernels import OwnSocketsKernelManager
from paperlib.running.notebook import run

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
    written = Path(manager.connection_file)
    assert written.is_file()
    manager.shutdown_kernel(now=True)
    assert not folder.exists() and not written.exists()
    assert list(tmp_path.iterdir()) == []


def test_notebooks_run_by_papermill_and_by_nbval_are_spoken_to_by_files(write_notebook, tmp_path):
    kernel_module = pytest.importorskip("nbval.kernel")
    assert kernel_module.KernelManager is OwnSocketsKernelManager
    notebook = write_notebook(
        "# Parameters\nseed = 0",
        "from ipykernel.connect import get_connection_info\n"
        "print('by', get_connection_info(unpack=True)['transport'])",
    )
    assert "by ipc" in run(notebook, tmp_path / "out.ipynb", progress=False).read_text()


def test_no_folder_outlives_its_manager_or_python():
    code = (
        "from paperlib.running.kernels import OwnSocketsKernelManager as Manager\n"
        "kept, dropped = Manager(), Manager()\n"
        "print(kept.ip, dropped.ip)\n"
        "del dropped\n"
        "raise KeyboardInterrupt"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    kept, dropped = (Path(ip).parent for ip in done.stdout.split())
    assert kept.name.startswith("kernel-") and not kept.exists() and not dropped.exists()


def test_where_the_temporary_folder_is_too_deep_for_sockets_ports_serve(monkeypatch, tmp_path):
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    manager = OwnSocketsKernelManager(kernel_name="python3")
    assert manager.transport == "tcp"
    assert list(deep.iterdir()) == []
    manager.start_kernel()
    try:
        assert answers(manager)
    finally:
        manager.shutdown_kernel(now=True)


def test_who_asks_for_ports_gets_them():
    manager = OwnSocketsKernelManager(transport="tcp", ip="127.0.0.1")
    assert (manager.transport, manager.ip) == ("tcp", "127.0.0.1")
