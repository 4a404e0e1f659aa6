"""The second simulated 2D detector: errors of the kinds that real ones make; how near they come is
measured by :mod:`paperlib.detection.calibration`.

Each kind of error is a function of its own, with its own part of an
:class:`~paperlib.detection.profiles.ErrorProfile` and its own chance, which follows from the seed,
the profile's name and the recording's name. Nothing depends on other recordings or their order.
"""

from dataclasses import replace

import numpy as np
import torch

from paperlib.arrays import interpolated
from paperlib.detection.events import events, lasting_noise, marked
from paperlib.detection.height import image_height
from paperlib.detection.hidden import faded, hidden_keypoints, on_occluder
from paperlib.detection.profiles import Confidence, ErrorProfile, Losses, Noise, Spikes, Swaps
from paperlib.detection.standing import standing_bias
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton, part

# how much noisier than the mean of the limbs a joint is, and how much more often it flies away
_NOISE = {"hip": 0.9, "shoulder": 0.8, "elbow": 1.1, "wrist": 1.4, "knee": 0.9, "ankle": 1.0}
_FLIGHTS = {"hip": 0.2, "shoulder": 0.3, "elbow": 1.0, "wrist": 3.0, "knee": 0.5, "ankle": 1.0}
_OTHERS = 0.7  # of both, for joints that are not of the limbs
_LIMBS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
_LEAST = 0.02  # confidence of what was found


def simulate_v2(
    recording: Recording, profile: ErrorProfile, seed: int = 0, gap: float = 0.0
) -> Recording:
    """The recording as such a detector sees it, from its exact keypoints; the same for the same
    seed and names of profile and recording.

    ``gap`` from 0 to below 1 is for recordings that the detector itself has learnt from: by that
    share all its errors are smaller and rarer there, and its doubts less. ``ValueError`` without
    positions, from which size and view follow, and for joints without shoulders, hips and legs.
    """
    if recording.positions is None:
        raise ValueError(
            f"{recording.name} has no 3D positions: a detector is simulated where the truth is "
            "known; keep the keypoints that it has"
        )
    profile = on_known(profile, gap)
    points, fps, shape = recording.keypoint_skeleton, recording.fps, recording.confidence.shape

    def chance(of: str) -> np.random.Generator:
        return generator_of(f"{seed}|{profile.name}|{of}|{recording.name}")

    hidden = hidden_keypoints(recording)
    hard = faded(hidden, fps)
    percent = (image_height(recording).double().numpy() / 100)[:, None, None]
    error = standing_bias(recording, profile.standing, profile.name)
    error = error + noise(chance("noise"), profile.noise, points, fps, len(recording)) * (
        1 + (profile.hidden.factor - 1) * hard[..., None]
    )
    error = fly(chance("spikes"), error, profile.spikes, points, fps)
    found = recording.keypoints.numpy() + error * percent

    rng = chance("snaps")
    snaps = events(
        rng, shape[0], np.full(shape[1], profile.hidden.snaps), profile.hidden.seconds, fps
    )
    snaps = snaps.where(hidden[snaps.frame, snaps.column])
    if len(snaps.frame):
        snaps, places = on_occluder(recording, snaps)
        at = snaps.frame, snaps.column
        found[at] = places + error[at] * percent[snaps.frame, :, 0]
    found = swap(chance("swaps"), found, hidden, profile.swaps, points, percent, fps)
    score = confidence(chance("confidence"), error, hard, profile.confidence, fps)
    lost = losses(chance("losses"), hidden, profile.losses, fps)
    if lost.any():
        score[lost] = 0
        found = interpolated(found, ~lost)
    return recording.with_keypoints(
        torch.from_numpy(found).float(), torch.from_numpy(score).float()
    )


def check_gap(gap: float) -> float:
    """The gap, or ``ValueError`` for what is no share."""
    if isinstance(gap, bool) or not isinstance(gap, int | float) or not 0 <= gap < 1:
        raise ValueError(f"gap is {gap!r}: expected a share from 0 (none) to below 1")
    return gap


def on_known(profile: ErrorProfile, gap: float) -> ErrorProfile:
    """The profile on what the detector has learnt from: errors, and doubts, less by ``gap``."""
    if not check_gap(gap):
        return profile
    less = 1 - gap

    def smaller(part, *names: str):
        return replace(part, **{name: less * getattr(part, name) for name in names})

    factor = 1 + less * (profile.hidden.factor - 1)
    return replace(
        profile,
        standing=smaller(profile.standing, "size"),
        noise=smaller(profile.noise, "jitter", "drift"),
        spikes=smaller(profile.spikes, "share", "person_share", "lasting_share"),
        hidden=replace(smaller(profile.hidden, "snaps"), factor=factor),
        swaps=smaller(profile.swaps, "close", "hidden"),
        losses=smaller(profile.losses, "share", "hidden"),
        confidence=smaller(profile.confidence, "scale"),
    )


def _weights(table: dict[str, float], points: Skeleton) -> np.ndarray:
    return np.array([table.get(part(joint), _OTHERS) for joint in points.joints], np.float32)


def noise(
    rng: np.random.Generator, noise: Noise, points: Skeleton, fps: float, frames: int
) -> np.ndarray:
    """``(T, K, 2)`` %: jitter and drift, larger and smaller together in bursts of each joint."""
    shape = (frames, len(points), 2)
    total = rng.standard_normal(shape, dtype=np.float32) * np.float32(noise.jitter)
    lasting = lasting_noise(rng, shape, noise.drift_seconds * fps, noise.smoothness)
    total += np.float32(noise.drift) * lasting
    if noise.bursts:
        burst = lasting_noise(rng, shape[:2], noise.burst_seconds * fps)
        # of mean square 1
        total *= np.exp(np.float32(noise.bursts) * burst - np.float32(noise.bursts**2))[..., None]
    return total * _weights(_NOISE, points)[:, None]


def fly(
    rng: np.random.Generator, error: np.ndarray, spikes: Spikes, points: Skeleton, fps: float
) -> np.ndarray:
    """The errors ``(T, K, 2)`` with those in place of which a joint, or all, are far away."""
    error, frames, often = error.copy(), len(error), _weights(_FLIGHTS, points)
    share = np.concatenate([spikes.share * often, spikes.lasting_share * often])
    seconds = np.array([0.0, spikes.seconds]).repeat(len(points))
    share, seconds = np.append(share, spikes.person_share), np.append(seconds, 0.0)
    flights = events(rng, frames, share, seconds, fps)
    away = _away(rng, flights.count, spikes)[flights.event]
    joints = flights.column < 2 * len(points)
    error[flights.frame[joints], flights.column[joints] % len(points)] += away[joints]
    error[flights.frame[~joints]] += 2 * away[~joints][:, None]
    return error


def _away(rng: np.random.Generator, count: int, spikes: Spikes) -> np.ndarray:
    """``(N, 2)`` %: places in any direction."""
    distance = spikes.size * np.exp(spikes.spread * rng.standard_normal(count))
    angle = rng.uniform(0, 2 * np.pi, count)
    return distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def swap(
    rng: np.random.Generator,
    found: np.ndarray,
    hidden: np.ndarray,
    swaps: Swaps,
    points: Skeleton,
    percent: np.ndarray,
    fps: float,
) -> np.ndarray:
    """``found`` ``(T, K, 2)``, pixels, with the left and the right limb exchanged in some frames:
    those in which they lie close, and those in which one of their joints is hidden."""
    share = np.array([swaps.close, swaps.hidden] * len(_LIMBS))
    happened = marked(events(rng, len(found), share, swaps.seconds, fps), (len(found), len(share)))
    for close, crossed, parts in zip(happened.T[::2], happened.T[1::2], _LIMBS, strict=True):
        left, right = ([points.index(f"{side}_{p}") for p in parts] for side in ("left", "right"))
        apart = np.linalg.norm(found[:, left] - found[:, right], axis=-1).mean(axis=1)
        exchanged = close & (apart < swaps.within * percent[:, 0, 0])
        exchanged |= crossed & hidden[:, left + right].any(axis=1)
        frames = np.flatnonzero(exchanged)[:, None]
        found[frames, left + right] = found[frames, right + left]
    return found


def confidence(
    rng: np.random.Generator, error: np.ndarray, hard: np.ndarray, sure: Confidence, fps: float
) -> np.ndarray:
    """``(T, K)``: how sure the detector says it is of keypoints with such an ``error`` (T, K, 2),
    %, that are so hard to see (T, K). Snaps and swaps it does not notice."""
    doubt = np.float32(np.sqrt(1 - sure.doubt)) * rng.standard_normal(hard.shape, dtype=np.float32)
    lasting = lasting_noise(rng, hard.shape, sure.seconds * fps)
    doubt += np.float32(np.sqrt(sure.doubt)) * lasting
    doubt += np.float32(sure.hidden) * hard
    if sure.error:
        size = np.square(error).sum(axis=-1)
        doubt += np.float32(sure.error / 2) * np.log(np.maximum(size, 1)).astype(np.float32)
    return np.maximum(1 / (1 + np.exp(sure.scale * doubt - sure.level)), _LEAST)


def losses(rng: np.random.Generator, hidden: np.ndarray, losses: Losses, fps: float) -> np.ndarray:
    """``(T, K)`` bool: which keypoints are not found, hidden ones more often."""
    frames, joints = hidden.shape
    share = np.array([losses.share, losses.hidden]).repeat(joints)
    happened = marked(events(rng, frames, share, losses.seconds, fps), (frames, 2 * joints))
    return np.where(hidden, happened[:, joints:], happened[:, :joints])
