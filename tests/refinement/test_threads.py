"""The direct solver and threads; and without a place to keep compiled code."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from threadpoolctl import threadpool_info

from paperlib.refinement import refine
from paperlib.refinement.threads import one_thread

ROOT = Path(__file__).resolve().parents[2]


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_one_thread_leaves_all_as_it_was(two_threads):
    before = blas_threads()
    with one_thread() as threads:
        assert torch.get_num_threads() == 1 and blas_threads() <= {1}
    assert threads == torch.get_num_threads() == 2 and blas_threads() == before
    with one_thread(blas=False):
        assert torch.get_num_threads() == 1 and blas_threads() == before
    assert torch.get_num_threads() == 2


def test_several_at_once_are_one_after_the_other_and_leave_all_as_it_was(two_threads):
    """Whichever of them comes in first or goes out last."""
    pytest.importorskip("numba")
    positions = torch.randn(8, 3, 40, 4, 3, dtype=torch.float64)
    alone = [refine(one) for one in positions]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(refine, positions.repeat(10, 1, 1, 1, 1)))
        seen = set(pool.map(lambda _: torch.get_num_threads(), range(40)))
    for one, expected in zip(together, alone * 10, strict=True):
        assert torch.equal(one, expected)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2  # of a thread that is new
    assert seen == {torch.get_num_threads()} == {2}


CODE = """
import warnings, torch
from paperlib.refinement import direct, refine
warnings.simplefilter("always")
print(refine(torch.zeros(1, 5, 2, 3)).shape)
"""


@pytest.mark.slow
def test_where_compiled_code_cannot_be_kept_the_other_search_runs_and_says_so(tmp_path):
    pytest.importorskip("numba")
    place = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def said() -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=place, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0 and "[1, 5, 2, 3]" in done.stdout, done.stderr
        return done

    assert "numba" not in said().stderr
    kept = sorted(tmp_path.rglob("*.nbi"))
    assert kept
    for file in kept:
        file.write_bytes(b"")
    assert "UserWarning: numba cannot keep or find what it compiles" in said().stderr
