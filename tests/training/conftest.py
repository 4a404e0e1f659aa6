"""What the tests of training share."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from paperlib.training.step import Step


@pytest.fixture
def interrupted() -> Callable[..., AbstractContextManager]:
    """``with interrupted(5): train()``: a real Ctrl-C at that step, counted from 1 over all epochs,
    ends the training. Afterwards nothing is patched any more."""

    @contextmanager
    def at(step: int, times: int = 1, match: str | None = None) -> Iterator[None]:
        taken, take = 0, Step.__call__

        def counted(self, examples):
            nonlocal taken
            taken += 1
            if taken == step:
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)
            take(self, examples)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Step, "__call__", counted)
            with pytest.raises(KeyboardInterrupt, match=match):
                yield

    return at
