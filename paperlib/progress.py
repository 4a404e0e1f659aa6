"""How far long work has come: a bar in a terminal or a notebook; and where a notebook is run from a
terminal, the bars of its kernel in that terminal."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm.auto import tqdm
from tqdm.std import tqdm as plain

from paperlib.paths import environment

# the file in which a kernel's bars say how far they are, for the process that started it
VARIABLE = "PAPERLIB_PROGRESS"
_EVERY = 0.5  # seconds


def bar(**options) -> tqdm:
    """A bar of ``tqdm``, with its ``options``."""
    if path := os.environ.get(VARIABLE):
        return plain(file=_Line(Path(path)), ascii=False, ncols=96, mininterval=_EVERY, **options)
    return tqdm(**options)


class _Line:
    """A file for ``tqdm`` that holds the latest state alone."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, text: str) -> None:
        with suppress(OSError):  # who wanted to know is gone
            self.path.write_text(text.strip(), "utf-8")

    def flush(self) -> None:
        pass


@contextmanager
def from_kernels() -> Iterator[None]:
    """Show the bars of the kernels that start meanwhile: in a terminal, on a line of its own under
    the one that is there."""
    if not sys.stderr.isatty():
        yield
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(bar_format="{desc}", position=1, leave=False) as line,
    ):
        path, done = Path(folder) / "progress", threading.Event()

        def follow() -> None:
            while not done.wait(_EVERY):
                with suppress(OSError):  # there is none yet
                    line.set_description_str(path.read_text("utf-8"))

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            with environment(**{VARIABLE: str(path)}):
                yield
        finally:
            done.set()
            follower.join()
