"""Detectors by name: each turns a recording into one with its keypoints."""

from dataclasses import replace

from paperlib.detection.profiles import ERROR_PROFILES, ErrorProfile
from paperlib.detection.simulated import PROFILES as FIRST_PROFILES
from paperlib.detection.simulated import Profile
from paperlib.detection.simulated import simulate as simulate_v1
from paperlib.detection.simulated_v2 import check_gap, simulate_v2
from paperlib.errors import one_of
from paperlib.recordings import PARTS, Dataset, Recording

CURRENT = "simulated_v2"  # the one that "simulated" stands for

_NAMED = FIRST_PROFILES | ERROR_PROFILES
PROFILES: dict[str, Profile | ErrorProfile] = _NAMED | {"simulated": _NAMED[CURRENT]}
DETECTORS = ("ground_truth", *PROFILES)
# keypoints of Human3.6M as the field's files have them, data_2d_h36m_<name>.npz
FILES = ("cpn_ft_h36m_dbb", "detectron_ft_h36m", "detectron_pt_coco", "sh_ft_h36m", "sh_pt_mpii")


def resolve(detector: str) -> str:
    """The name that results go by: which version ``"simulated"`` is."""
    return CURRENT if detector == "simulated" else detector


def detect(
    dataset: Dataset, detector: str = "simulated", seed: int = 0, gap: float = 0.0
) -> Dataset:
    """The data set as a 2D detector sees it: ``"ground_truth"`` keeps the exact projections, the
    others are profiles of :mod:`paperlib.detection.simulated` or, ``"simulated_v2…"``, of
    :mod:`paperlib.detection.simulated_v2`. The same seed gives the same detections, recording by
    recording.

    With a ``gap`` above 0 the detector has learnt from the training part itself: by that share its
    errors and doubts are less there than on the test part. ``ValueError`` for detectors without.
    """
    one_of("detector", detector, DETECTORS)
    if check_gap(gap) and not isinstance(PROFILES.get(detector), ErrorProfile):
        raise ValueError(f"{detector} has no gap; detectors with one: {', '.join(ERROR_PROFILES)}")
    if detector == "ground_truth":
        return dataset
    profile = PROFILES[detector]
    gaps = {"train": gap}
    parts = {
        part: tuple(simulate(r, profile, seed, gaps.get(part, 0.0)) for r in dataset.split(part))
        for part in PARTS
    }
    return replace(dataset, **parts)


def simulate(
    recording: Recording, profile: Profile | ErrorProfile, seed: int = 0, gap: float = 0.0
) -> Recording:
    """The recording as a simulated detector sees it, of either kind of profile; ``gap`` is that of
    :func:`~paperlib.detection.simulated_v2.simulate_v2`."""
    if isinstance(profile, ErrorProfile):
        return simulate_v2(recording, profile, seed, gap)
    if check_gap(gap):
        raise ValueError(f"a {type(profile).__name__} has no gap: that is of an ErrorProfile")
    return simulate_v1(recording, profile, seed)


def keypoint_error(detected: tuple[Recording, ...], exact: tuple[Recording, ...]) -> float:
    """Mean distance in pixels of the keypoints of two versions of the same recordings."""
    total = sum(
        (d.keypoints - e.keypoints).norm(dim=-1).mean(dim=-1).sum().item()
        for d, e in zip(detected, exact, strict=True)
    )
    return total / sum(len(r) for r in exact)
