"""What the tests of training share."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from paperlib.training.step import Step


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch) -> Path:
    """Where a test's runs lie: in a folder of its own."""
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


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


@pytest.fixture
def whole_and_resumed(interrupted, monkeypatch, tmp_path) -> Callable[..., tuple]:
    """``whole_and_resumed(train, calls)``: the run that ``train()`` gives without an interrupt, and
    the one with a Ctrl-C at each of the steps ``calls``, each counted from where it went on."""

    def both(train: Callable, calls: Iterable[int]) -> tuple:
        whole = train()
        monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "parts"))
        for call in calls:
            with interrupted(call):
                train()
        return whole, train()

    return both


@pytest.fixture
def waits_for_nothing(pretended) -> Callable[[Step, Sequence], None]:
    """``waits_for_nothing(step, batches)``: after the first four, each batch is one copy and one
    replay, nothing is brought back, and nobody waits."""

    def check(step: Step, batches: Sequence) -> None:
        first, rest = batches[:4], batches[4:]
        for batch in first:
            step(batch)
        before = pretended.waits, pretended.brought, pretended.operations
        for batch in rest:
            step(batch)
        after = pretended.waits, pretended.brought, pretended.operations - len(rest)
        assert rest and after == before

    return check
