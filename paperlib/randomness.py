"""Chance that follows from a name, so that the same name always draws the same."""

import hashlib

import numpy as np


def generator_of(key: str) -> np.random.Generator:
    """A generator seeded by ``key``, which says what is drawn and for whom: other keys draw
    independent numbers, in whatever order they are asked for."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
