"""Rows of results: which metrics are shown, under which name and in which unit."""

from collections.abc import Mapping
from typing import Any

# what the tables show: the metric's name there, its unit, and the factor from metres or shares
SHOWN_METRICS = {
    "mpjpe": ("MPJPE", "mm", 1000),
    "p_mpjpe": ("P-MPJPE", "mm", 1000),
    "n_mpjpe": ("N-MPJPE", "mm", 1000),
    "mpjve": ("MPJVE", "mm/frame", 1000),
    "acceleration_error": ("Accel", "mm/frame²", 1000),
    "mpjpe_over_clips": ("MPJPE ± clips", "mm", 1000),  # half the interval over clips
    "mrpe": ("MRPE", "mm", 1000),
    "n_mrpe": ("N-MRPE", "mm", 1000),
    "mrpe_median": ("MRPE, median", "mm", 1000),
    "mpjpe_median": ("MPJPE, median", "mm", 1000),
    "pck3d": ("3D-PCK", "%", 100),
    "auc3d": ("AUC", "%", 100),
    "pck3d_absolute": ("3D-PCK, absolute", "%", 100),
}
METRIC_NAMES = {metric: shown[0] for metric, shown in SHOWN_METRICS.items()}


def row(about: Mapping[str, Any], metric: str, action: str, value: float) -> dict[str, Any]:
    """A row of results; ``value`` is as the metric gives it, in metres or as a share."""
    _, unit, factor = SHOWN_METRICS[metric]
    return {**about, "metric": metric, "action": action, "value": factor * value, "unit": unit}
