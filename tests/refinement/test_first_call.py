"""The direct solver's threads, and how and when it is compiled."""

import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from paperlib.refinement import refine

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import warnings, torch
from paperlib.refinement import refine
warnings.simplefilter("always")
print(refine(torch.zeros(1, 5, 2, 3)).shape)
"""


@pytest.mark.parametrize("size", [0.1, 2.0])
def test_one_and_several_threads_give_the_same(size):
    positions = size * torch.randn(9, 60, 4, 3, dtype=torch.float64)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = refine(positions)
        torch.set_num_threads(3)
        assert torch.equal(refine(positions), alone)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(refine, positions.repeat(3, 1, 1, 1)))
    assert torch.equal(torch.stack(together), alone.repeat(3, 1, 1, 1))


def said(place: Path) -> str:
    """What a program that refines says on its standard error, a terminal."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "NUMBA_CACHE_DIR": str(place), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=settings, stdout=-1, stderr=theirs, text=True, timeout=120
    )
    os.write(theirs, b"end")
    text = os.read(ours, 100_000).decode().removesuffix("end")
    os.close(ours), os.close(theirs)
    assert done.returncode == 0 and "[1, 5, 2, 3]" in done.stdout, text
    return text


@pytest.mark.slow
def test_the_first_call_says_that_it_compiles_and_the_next_one_does_not(tmp_path):
    assert said(tmp_path).count("The first refinement compiles") == 1
    assert said(tmp_path) == ""
    # where compiled code cannot be found it is compiled anew
    # a pickle of something else first, since the index is read before it
    for pattern, content in (("*.nbc", b"I1\n."), ("*.nbi", b"")):
        kept = sorted(tmp_path.rglob(pattern))
        assert kept
        for file in kept:
            file.write_bytes(content)
        text = said(tmp_path)
        assert "UserWarning: numba cannot keep or find what it compiles" in text
        assert "The first refinement compiles" in text
