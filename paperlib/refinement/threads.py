"""One thread alone, for work of many small steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

try:
    from threadpoolctl import ThreadpoolController
except ImportError:  # the same results, only later
    ThreadpoolController = None


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch and LAPACK without their other threads, which would wait for the next of many small
    steps at work, and in each other's way. On two cores that is five times as fast."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if ThreadpoolController is None:
            yield
        else:
            with _controller().limit(limits=1, user_api="blas"):
                yield
    finally:
        torch.set_num_threads(threads)


@cache
def _controller() -> "ThreadpoolController":
    return ThreadpoolController()  # looks through the loaded libraries, which takes a while
