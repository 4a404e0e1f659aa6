"""Keypoints of films at a model's rate, and poses back at the times of a film's own frames."""

from dataclasses import replace

import numpy as np

from paperlib.detection.sequences import Keypoints2D


def even_times(times: np.ndarray, fps: float) -> np.ndarray:
    """Seconds ``(N,)``, ``1 / fps`` apart, that begin with the first of ``times`` (T,) and end with
    the last or just after it. ``ValueError`` for times that do not increase, and another ``fps``
    than a number above 0."""
    times = _increasing(times)
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"{fps!r} frames a second: expected a number above 0")
    # what is 49.999999 frames long is 50
    count = int(np.ceil((times[-1] - times[0]) * fps - 1e-6)) + 1
    return times[0] + np.arange(count) / fps


def sampled(values: np.ndarray, times: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What ``values`` ``(T, …)``, known at ``times`` (T,), are ``at`` others (N,): ``(N, …)``, on
    straight lines between neighbours, and as the nearest before the first and after the last. All
    times in seconds. ``ValueError`` where numbers differ or times do not increase."""
    low, high, share = _between(values, times, at)
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return (values[low] * (1 - share) + values[high] * share).astype(values.dtype, copy=False)


def resampled(one: Keypoints2D, fps: float) -> Keypoints2D:
    """Keypoints at a model's rate, from the person's first frame on; ``frames`` count from 0, and
    ``times`` are still the film's seconds. The confidence is that of the less sure frame beside, so
    that nothing is made from what was not detected. Poses of these frames come back to the film's
    own by ``sampled(poses, resampled(one, fps).times, one.times)``.

    ``ValueError`` where the times of the film are not known."""
    if one.times is None:
        raise ValueError(f"{one.name}: the times of its frames are not known, so its rate is not")
    at = even_times(one.times, fps)
    low, high, share = _between(one.confidence, one.times, at)
    sure = one.confidence
    lesser = np.where(share[:, None] > 0, np.minimum(sure[low], sure[high]), sure[low])
    points = sampled(one.keypoints, one.times, at)
    return replace(one, keypoints=points, confidence=lesser, frames=np.arange(len(at)), times=at)


def _between(
    values: np.ndarray, times: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each moment ``(N,)`` the frames before and after it, and how far it is between them."""
    times, at = _increasing(times), np.asarray(at, dtype=np.float64)
    if len(values) != len(times):
        raise ValueError(f"{len(values)} values, and {len(times)} times of them")
    if at.ndim != 1 or not np.isfinite(at).all():
        raise ValueError("times to sample at are no list of seconds")
    place = np.interp(at, times, np.arange(len(times)))
    # rounding must not mix a frame with its neighbour
    place = np.where(np.abs(place - place.round()) < 1e-6, place.round(), place)
    low = np.floor(place).astype(np.int64)
    return low, np.minimum(low + 1, len(times) - 1), place - low


def _increasing(times: np.ndarray) -> np.ndarray:
    times = np.asarray(times, dtype=np.float64)
    if times.ndim != 1 or not len(times) or not (np.diff(times) > 0).all():
        raise ValueError("times are no list of seconds that increase")
    return times
