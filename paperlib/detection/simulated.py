"""A 2D detector, simulated: the errors that real ones make, on motion whose truth is known.

Errors have the size of body parts, not of pixels, since detectors work on a crop of the person: a
profile gives them in metres at the person's distance. They are of five kinds: jitter from frame
to frame; drift that stays for a while (a detector is wrong in the same way in frames that look
alike); both grow to the ends of the limbs and where a joint is hidden; left and right confused
where they lie close together; and outliers. Confidence falls where a joint is hidden or an outlier.
"""

from dataclasses import dataclass

import numpy as np
import torch

from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import part

# how much harder a joint is to find than a hip
_DIFFICULTY = {
    "pelvis": 0.8,
    "hip": 1.0,
    "spine": 0.8,
    "thorax": 0.7,
    "neck": 0.7,
    "shoulder": 0.9,
    "knee": 1.0,
    "ankle": 1.3,
    "elbow": 1.2,
    "wrist": 1.6,
    "head_top": 0.8,
}
# pairs that a detector confuses as a whole
_LIMBS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))


@dataclass(frozen=True)
class Profile:
    """How a simulated detector errs. Metres are at the person's distance."""

    jitter: float  # metres: standard deviation, new in each frame
    drift: float  # metres: standard deviation, correlated over time
    drift_seconds: float = 0.4  # after which the correlation of the drift has fallen to 1/e
    hidden: float = 2.5  # factor on both where the joint is hidden
    swaps_per_second: float = 0.0  # begun confusions, while left and right are within 12 cm
    outliers_per_second: float = 0.0  # begun outliers of one joint
    outlier: float = 0.25  # metres: their standard deviation


PROFILES = {
    # better than any there is: half the errors of the next
    "simulated_fine": Profile(0.004, 0.007, swaps_per_second=0.08, outliers_per_second=0.01),
    # like a strong detector tuned to the data
    "simulated_v1": Profile(0.008, 0.014, swaps_per_second=0.15, outliers_per_second=0.02),
    # like the same detector as it comes, trained on other pictures
    "simulated_pretrained": Profile(0.012, 0.022, swaps_per_second=0.4, outliers_per_second=0.05),
    # like a weak one
    "simulated_coarse": Profile(0.020, 0.032, swaps_per_second=0.8, outliers_per_second=0.15),
}


def simulate(recording: Recording, profile: Profile, seed: int = 0) -> Recording:
    """The recording as such a detector sees it; the same for the same seed, profile and name."""
    rng = generator_of(f"{seed}|{profile}|{recording.name}")
    skeleton, frames = recording.keypoint_skeleton, len(recording)
    exact = recording.keypoints.numpy().astype(np.float64)
    # pixels to a metre at the person, frame by frame
    depth = recording.trajectory[:, 2].numpy()[:, None, None]
    pixels = np.asarray(recording.camera.focal).mean() / depth
    hidden = _hidden(recording)
    difficulty = [_DIFFICULTY.get(part(joint), 0.9) for joint in skeleton.joints]
    scale = np.array(difficulty)[None, :, None]
    scale = scale * (1 + (profile.hidden - 1) * _smooth(hidden))[..., None]

    noise = profile.jitter * rng.standard_normal(exact.shape)
    noise += profile.drift * _correlated(rng, exact.shape, profile.drift_seconds * recording.fps)
    found = exact + noise * scale * pixels
    outlier = _events(rng, (frames, len(skeleton)), profile.outliers_per_second, recording.fps)
    found += profile.outlier * rng.standard_normal(exact.shape) * pixels * outlier[..., None]
    found = _confuse(rng, found, skeleton, pixels, profile.swaps_per_second, recording.fps)

    score = 0.92 - 0.5 * hidden - 0.5 * outlier - 4 * profile.jitter * scale[..., 0]
    score += 0.05 * rng.standard_normal(score.shape)
    return recording.with_keypoints(
        torch.from_numpy(found).float(), torch.from_numpy(score).float().clamp(0.02, 1.0)
    )


def _hidden(recording: Recording) -> np.ndarray:
    """(T, K): 1.0 where the joint of a keypoint's name is hidden; what is not known is seen."""
    joints, points = recording.skeleton.joints, recording.keypoint_skeleton.joints
    hidden = np.zeros((len(recording), len(points)))
    if recording.visible is not None:
        for k, joint in enumerate(points):
            if joint in joints:
                hidden[:, k] = 1.0 - recording.visible[:, joints.index(joint)].numpy()
    return hidden


def _smooth(hidden: np.ndarray, frames: int = 5) -> np.ndarray:
    """A joint becomes hard to see over a few frames, not from one to the next."""
    kernel = np.ones(frames) / frames
    padded = np.pad(hidden, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)


def _correlated(rng: np.random.Generator, shape: tuple[int, ...], frames: float) -> np.ndarray:
    """First-order autoregressive noise of unit variance along the first axis."""
    from scipy.signal import lfilter

    keep = np.exp(-1 / max(frames, 1e-6))
    white = rng.standard_normal(shape) * np.sqrt(1 - keep**2)
    white[0] /= np.sqrt(1 - keep**2)  # start in the stationary state
    return lfilter([1.0], [1.0, -keep], white, axis=0)


def _events(
    rng: np.random.Generator, shape: tuple[int, int], per_second: float, fps: float
) -> np.ndarray:
    """1.0 in the frames of randomly begun events of two to five frames, else 0.0."""
    begun = rng.random(shape) < per_second / fps
    length = rng.integers(2, 6, shape)
    running = np.zeros(shape)
    for ahead in range(min(5, len(begun))):
        running[ahead:] += (begun & (length > ahead))[: len(begun) - ahead]
    return np.minimum(running, 1.0)


def _confuse(rng, found, skeleton, pixels, per_second, fps) -> np.ndarray:
    """Exchange the left and the right limb during events, where the two lie close together."""
    found = found.copy()
    for parts in _LIMBS:
        left = [skeleton.joints.index(f"left_{p}") for p in parts]
        right = [skeleton.joints.index(f"right_{p}") for p in parts]
        apart = np.linalg.norm(found[:, left] - found[:, right], axis=-1).mean(axis=1)
        close = apart < 0.12 * pixels[:, 0, 0]
        event = _events(rng, (len(found), 1), per_second, fps)[:, 0] > 0
        frames = np.flatnonzero(event & close)
        exchanged = found[np.ix_(frames, right)]
        found[np.ix_(frames, right)] = found[np.ix_(frames, left)]
        found[np.ix_(frames, left)] = exchanged
    return found
