"""One thread alone, for work of many small steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import torch

try:
    from threadpoolctl import ThreadpoolController
except ImportError:  # the same results, only later
    ThreadpoolController = None


@contextmanager
def one_thread(blas: bool = True) -> Iterator[int]:
    """PyTorch, and LAPACK unless told that it is not used, without their other threads, which would
    wait for the next of many small steps at work, and in each other's way. On two cores that is
    five times as fast. Gives how many threads PyTorch has otherwise."""
    threads = _TORCH.alone()
    try:
        if blas and ThreadpoolController is not None:
            with _controller().limit(limits=1, user_api="blas"):
                yield threads
        else:
            yield threads
    finally:
        _TORCH.as_before()


class _Torch:
    """PyTorch's number of threads, which each Python thread has for itself, but a new one takes
    from the last that set it: where several set and restore it at once, each must restore what the
    first of them found."""

    def __init__(self) -> None:
        self.lock, self.inside, self.threads = Lock(), 0, 1

    def alone(self) -> int:
        with self.lock:
            if self.inside == 0:
                self.threads = torch.get_num_threads()
            self.inside += 1
            torch.set_num_threads(1)
            return self.threads

    def as_before(self) -> None:
        with self.lock:
            self.inside -= 1
            torch.set_num_threads(self.threads)


_TORCH = _Torch()


@cache
def _controller() -> "ThreadpoolController":
    return ThreadpoolController()  # looks through the loaded libraries, which takes a while
