"""What detections are like: the statistics by which a simulated detector is set beside real ones.

They are taken alike from a real film (:mod:`paperlib.datasets.real_video`) and from simulated
recordings: over the twelve joints from shoulders to ankles, in pieces as long as the film, each
after its own median error, which a camera that moved would add; in % of the person's height. What
was not detected is counted, and left out of the errors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from paperlib.cameras import project
from paperlib.datasets import load
from paperlib.detection.height import image_height
from paperlib.recordings import Recording
from paperlib.skeletons import part

PIECE = 100 / 60  # seconds: the length of the film
LAGS = (1, 5, 10, 25)  # frames at 60 Hz
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_WORST = 0.1  # share of the errors that confidence is asked to find


@dataclass(frozen=True)
class Errors:
    """The errors of one piece: ``error`` (T, K, 2) in % of the height, less their median, and
    ``confidence`` (T, K); ``hidden`` (T, K) is None where nobody knows it."""

    error: np.ndarray
    confidence: np.ndarray
    hidden: np.ndarray | None
    fps: float
    joints: tuple[str, ...]  # the names of the K

    @property
    def found(self) -> np.ndarray:
        return self.confidence > 0


def errors_of(
    recording: Recording, exact: Recording | None = None, seconds: float = PIECE
) -> list[Errors]:
    """The pieces of a recording, of ``seconds`` each; all of it where it is shorter, and no rest.

    Keypoints are compared with those of ``exact`` or, without it, with the projections of the
    positions. ``ValueError`` where there are no positions, or no joints of the limbs in common.
    """
    if not 0 < seconds < float("inf"):
        raise ValueError(f"pieces of {seconds} seconds: expected a time above 0")
    if exact is not None and (
        len(exact) != len(recording) or exact.keypoint_skeleton != recording.keypoint_skeleton
    ):
        raise ValueError(f"{recording.name}: the exact keypoints are of other frames or joints")
    points = recording.keypoint_skeleton.joints
    truth = recording.skeleton if exact is None else exact.keypoint_skeleton
    names = [n for n in points if part(n) in _LIMBS and n in truth.joints]
    if not names:
        raise ValueError(f"{recording.name}: {points} have no joint of arms or legs")
    places = project(recording.truth, recording.camera) if exact is None else exact.keypoints
    columns = [points.index(name) for name in names]
    error = recording.keypoints[:, columns] - places[:, [truth.index(name) for name in names]]
    error = (100 * error.double() / image_height(recording)[:, None, None]).numpy()
    confidence = recording.confidence[:, columns].double().numpy()
    hidden = None
    if recording.visible is not None and set(names) <= set(recording.skeleton.joints):
        hidden = ~recording.visible[:, [recording.skeleton.index(n) for n in names]].numpy()
    length = min(round(seconds * recording.fps), len(recording))
    return [
        Errors(
            _centred(error[i : i + length], confidence[i : i + length] > 0),
            confidence[i : i + length],
            None if hidden is None else hidden[i : i + length],
            recording.fps,
            tuple(names),
        )
        for i in range(0, len(recording) - length + 1, length)
    ]


def _centred(error: np.ndarray, found: np.ndarray) -> np.ndarray:
    return error - np.median(error[found], axis=0) if found.any() else error


def statistics(
    recordings: Iterable[Recording],
    exact: Sequence[Recording] | None = None,
    seconds: float = PIECE,
) -> dict[str, float]:
    """The statistics of a detector's errors over ``recordings`` with its keypoints:

    ``mean``, ``median``, ``p95`` of their length, ``heaviness`` (root mean square over mean),
    ``bias`` (mean length of a joint's mean error in a piece), ``correlation_1`` to ``_25`` (of
    errors less that mean, after as many frames at 60 Hz, or the nearest time there is), ``jitter``
    (median length of the change from frame to frame), ``auc_worst`` (how well low confidence finds
    the worst tenth), ``auc_hidden`` (and the hidden joints; NaN where nobody knows them), ``lost``
    (the share that was not found), ``hidden`` (the share of hidden joints). All errors are % of the
    height. ``ValueError`` where there are none.
    """
    recordings = tuple(recordings)
    pairs = zip(recordings, exact or [None] * len(recordings), strict=True)
    pieces = [piece for one, other in pairs for piece in errors_of(one, other, seconds)]
    if not pieces or not any(piece.found.any() for piece in pieces):
        raise ValueError("no recordings with keypoints to take statistics of")
    found = np.concatenate([p.found.ravel() for p in pieces])
    length = np.concatenate([np.linalg.norm(p.error, axis=-1).ravel() for p in pieces])[found]
    confidence = np.concatenate([p.confidence.ravel() for p in pieces])
    worst = length > np.quantile(length, 1 - _WORST)
    known = all(p.hidden is not None for p in pieces)
    hidden = np.concatenate([p.hidden.ravel() for p in pieces]) if known else None
    still = [_less_mean(p) for p in pieces]
    return {
        "mean": float(length.mean()),
        "median": float(np.median(length)),
        "p95": float(np.quantile(length, 0.95)),
        "heaviness": float(np.sqrt(np.square(length).mean()) / length.mean())
        if length.any()
        else float("nan"),
        "bias": float(np.mean(np.concatenate([bias for _, bias in still]))),
        **{f"correlation_{lag}": _correlation(pieces, still, lag / 60) for lag in LAGS},
        "jitter": _jitter(pieces),
        "auc_worst": auc(-confidence[found], worst),
        "auc_hidden": auc(-confidence, hidden) if known else float("nan"),
        "lost": float(1 - found.mean()),
        "hidden": float(hidden.mean()) if known else float("nan"),
    }


def auc(score: np.ndarray, positive: np.ndarray) -> float:
    """The chance that a positive one scores above a negative one, ties counting half: the area
    under the ROC curve. NaN where one of the two kinds is missing."""
    score, positive = np.ravel(score), np.ravel(positive)
    count = positive.sum()
    if count in (0, len(positive)):
        return float("nan")
    ranks = rankdata(score)[positive].sum()
    return float((ranks - count * (count + 1) / 2) / (count * (len(positive) - count)))


def table(detections: dict[str, Iterable[Recording]]) -> pd.DataFrame:
    """A column of :func:`statistics` for each detector by name."""
    return pd.DataFrame({name: statistics(found) for name, found in detections.items()})


def real() -> dict[str, tuple[Recording, ...]]:
    """The detections of the real film by name: each detector against the reference of the other, as
    no error should be measured against itself, and against that of both together."""
    return {
        f"{keypoints}, {reference}": load(
            "real_video", keypoints=keypoints, reference=reference
        ).test
        for reference in ("other", "joint")
        for keypoints in ("openpose", "blazepose")
    }


def _less_mean(piece: Errors) -> tuple[np.ndarray, np.ndarray]:
    """Errors less the mean of their joint, 0 where not found; and the lengths of these means."""
    found = piece.found[..., None]
    count = found.sum(axis=0)
    mean = np.where(found, piece.error, 0).sum(axis=0) / np.maximum(count, 1)
    lengths = np.linalg.norm(mean, axis=-1)[count[:, 0] > 0]
    return np.where(found, piece.error - mean, 0), lengths


def _correlation(pieces: list[Errors], still: list, seconds: float) -> float:
    product = pairs = square = count = 0.0
    for piece, (error, _) in zip(pieces, still, strict=True):
        lag = max(1, round(seconds * piece.fps))
        product += (error[lag:] * error[:-lag]).sum()
        pairs += (piece.found[lag:] & piece.found[:-lag]).sum()
        square += np.square(error).sum()
        count += piece.found.sum()
    if not pairs or not square:
        return float("nan")
    return float((product / pairs) / (square / count))


def _jitter(pieces: list[Errors]) -> float:
    changes = [
        np.linalg.norm(np.diff(p.error, axis=0), axis=-1)[p.found[1:] & p.found[:-1]]
        for p in pieces
    ]
    changes = np.concatenate(changes)
    return float(np.median(changes)) if len(changes) else float("nan")
