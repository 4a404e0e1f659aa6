"""Chance that follows from a name."""

import numpy as np

from paperlib.randomness import generator_of


def test_the_seed_is_the_first_eight_bytes_of_the_keys_hash():
    """SHA-256 of "abc" begins with ba7816bf 8f01cfea (FIPS 180-2, B.1); the lowest byte first."""
    by_hand = np.random.default_rng(0xEACF018FBF1678BA)
    assert np.array_equal(generator_of("abc").random(5), by_hand.random(5))


def test_the_same_key_draws_the_same_and_others_do_not():
    keys = ["0|train|1", "0|train|2", "1|train|1", "zoom|0|Véges", "zoom|0|Veges"]
    drawn = [generator_of(key).random() for key in keys]
    assert drawn == [generator_of(key).random() for key in keys]
    assert len(set(drawn)) == len(keys)
