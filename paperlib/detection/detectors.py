"""Detectors by name: each turns a recording into one with its keypoints."""

from paperlib.detection.simulated import PROFILES, simulate
from paperlib.errors import one_of
from paperlib.recordings import Dataset, Recording

DETECTORS = ("ground_truth", *PROFILES)
# keypoints of Human3.6M as the field's files have them, data_2d_h36m_<name>.npz
FILES = ("cpn_ft_h36m_dbb", "detectron_ft_h36m", "detectron_pt_coco", "sh_ft_h36m", "sh_pt_mpii")


def detect(dataset: Dataset, detector: str = "simulated", seed: int = 0) -> Dataset:
    """The data set as a 2D detector sees it: ``"ground_truth"`` keeps the exact projections, the
    others are noise profiles of :mod:`paperlib.detection.simulated`. The same seed gives the same
    detections, recording by recording."""
    if one_of("detector", detector, DETECTORS) == "ground_truth":
        return dataset
    return dataset.map(lambda recording: simulate(recording, PROFILES[detector], seed))


def keypoint_error(detected: tuple[Recording, ...], exact: tuple[Recording, ...]) -> float:
    """Mean distance in pixels of the keypoints of two versions of the same recordings."""
    total = sum(
        (d.keypoints - e.keypoints).norm(dim=-1).mean(dim=-1).sum().item()
        for d, e in zip(detected, exact, strict=True)
    )
    return total / sum(len(r) for r in exact)
