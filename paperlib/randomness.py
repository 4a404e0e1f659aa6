"""Chance that follows from a name, so that the same name always draws the same."""

import hashlib
from typing import Any

import numpy as np


def check_seed(seed: Any) -> None:
    """``ValueError`` for what cannot seed every generator: NumPy takes 32 bits."""
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}")


def generator_of(key: str) -> np.random.Generator:
    """A generator seeded by ``key``, which says what is drawn and for whom: other keys draw
    independent numbers, in whatever order they are asked for."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
