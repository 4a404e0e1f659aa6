"""Detecting several people in one picture: a person behind another may be lost.

:mod:`paperlib.detection.simulated` says what a 2D detector finds of one person. This adds what
other people do to it: a joint behind another's body gets a low score, and a person of whom hardly
anything is visible is not found, which leaves zeros (veges2020, reference).
"""

from dataclasses import replace

import torch
from torch import Tensor

from paperlib.detection.crossing import cross
from paperlib.detection.detectors import PROFILES, detect
from paperlib.detection.profiles import ErrorProfile
from paperlib.recordings import PARTS, Dataset, Recording

LOST, FOUND = 0.7, 0.5  # shares of joints hidden: from which a person is lost, below which found
_DOUBT = 0.3  # factor on the score of a joint that is hidden, while much of the person is


def detect_people(dataset: Dataset, detector: str = "simulated", seed: int = 0) -> Dataset:
    """The data set as a 2D detector sees it (see :func:`paperlib.detection.detect`), which loses
    people behind others. ``"ground_truth"`` sees everything. Detectors of the second kind also take
    people for each other (:mod:`paperlib.detection.crossing`)."""
    found = detect(dataset, detector, seed)
    if detector == "ground_truth":
        return found
    found, profile = found.map(lose_hidden), PROFILES[detector]
    if not isinstance(profile, ErrorProfile):
        return found
    parts = {
        part: tuple(cross(dataset.split(part), found.split(part), profile, seed)) for part in PARTS
    }
    return replace(found, **parts)


def lose_hidden(recording: Recording) -> Recording:
    """The recording without the keypoints of the frames in which its person is lost: keypoints and
    scores are 0 there. Scores of single hidden joints fall with the share of the body that is
    hidden, where the detector's joints are those of the recording."""
    if recording.visible is None:
        raise ValueError(f"{recording.name}: it is not known which joints are visible")
    hidden = 1 - recording.visible.float()
    share = hidden.mean(dim=1, keepdim=True)
    confidence = recording.confidence
    if recording.keypoint_skeleton == recording.skeleton:
        confidence = confidence * (1 - (1 - _DOUBT) * hidden * _ramp(share))
    found = ~_lost(share[:, 0])[:, None]
    return replace(
        recording, keypoints=recording.keypoints * found[..., None], confidence=confidence * found
    )


def _ramp(share: Tensor) -> Tensor:
    """0 up to a third of the body hidden, which the body itself often does; 1 from LOST on."""
    return ((share - 1 / 3) / (LOST - 1 / 3)).clamp(0, 1)


def _lost(share: Tensor) -> Tensor:
    """``(T,)`` bool: once lost, a person is found again only when half of the body is seen."""
    lost, state = [], False
    for hidden in share.tolist():
        state = hidden >= (FOUND if state else LOST)
        lost.append(state)
    return torch.tensor(lost)
