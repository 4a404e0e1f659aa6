"""Smooth curves over time, from which procedural motion is made. Times are seconds."""

from collections.abc import Iterator, Sequence

import numpy as np


def minimum_jerk(u: np.ndarray) -> np.ndarray:
    """0 to 1 as ``u`` goes from 0 to 1, at rest at both ends: how hands and feet travel."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u * u)


def ease(t: np.ndarray, start: float, length: float) -> np.ndarray:
    """0 before ``start``, 1 from ``start + length`` on."""
    return minimum_jerk((t - start) / length)


def pulse(t: np.ndarray, start: float, up: float, hold: float, down: float) -> np.ndarray:
    """0, rising to 1 in ``up`` seconds, staying for ``hold``, falling to 0 in ``down``."""
    return ease(t, start, up) - ease(t, start + up + hold, down)


def keyed(t: np.ndarray, times: Sequence[float], values: Sequence) -> np.ndarray:
    """Through ``values`` at ``times`` without overshooting, constant outside; (T, ...)."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(times, np.asarray(values, float))(np.clip(t, times[0], times[-1]))


def wander(
    t: np.ndarray, rng: np.random.Generator, size: float, slow: float = 0.07, fast: float = 0.5
) -> np.ndarray:
    """Aimless smooth movement about 0 with standard deviation ``size``, ``slow`` to ``fast`` Hz."""
    rates = np.exp(rng.uniform(np.log(slow), np.log(fast), 5))
    phases = rng.uniform(0, 2 * np.pi, 5)
    weights = rng.uniform(0.4, 1.0, 5)
    waves = np.sin(2 * np.pi * rates * t[:, None] + phases) @ weights
    return size * waves / np.sqrt((weights**2).sum() / 2)


def smooth(values: np.ndarray, fps: float, seconds: float) -> np.ndarray:
    """``values`` (T, ...) with corners rounded by a Gaussian of that standard deviation."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(values, seconds * fps, axis=0, mode="nearest")


def repeats(
    rng: np.random.Generator, seconds: float, length: tuple[float, float], gap: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """(start, length) of one repetition after another, with pauses, until the take is over.

    The first may have begun before the take did.
    """
    start = rng.uniform(-0.3, 0.6) * gap[1]
    while start < seconds:
        took = rng.uniform(*length)
        yield start, took
        start += took + rng.uniform(*gap)
