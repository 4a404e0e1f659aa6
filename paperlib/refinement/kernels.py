"""The functions of ``compiled`` as machine code, and a word to who waits for it."""

import sys
import warnings
from collections.abc import Callable
from functools import cache

import numba
from numba.core import event

from paperlib.refinement import compiled


class _Notice(event.Listener):
    """Prints once, to a terminal, that numba compiles."""

    shown = False

    def on_start(self, event):
        if sys.stderr.isatty() and not self.shown:
            self.shown = True
            print("The first refinement compiles its solver: some seconds, once.", file=sys.stderr)

    def on_end(self, event):
        pass


@cache
def compiled_kernels() -> dict[str, Callable]:
    """The functions of ``compiled`` as machine code, made here or found in numba's cache."""
    with event.install_listener("numba:compile", _Notice()):
        try:
            return _made(cache=True)
        except Exception as problem:  # a damaged cache can fail in nearly any way
            warnings.warn(
                f"numba cannot keep or find what it compiles ({problem}): the solver is compiled "
                "anew in each program. Emptying numba's cache, in __pycache__ or where "
                "NUMBA_CACHE_DIR says, or giving it a folder there with room left, mends that.",
                stacklevel=4,
            )
            return _made(cache=False)


def _made(cache: bool) -> dict[str, Callable]:
    made = {}
    for name, signature in compiled.SIGNATURES.items():
        made[name] = numba.njit(cache=cache, **compiled.OPTIONS)(getattr(compiled, name))
        made[name].compile(signature)
        made[name].disable_compile()  # numbers of other types are converted
    return made
