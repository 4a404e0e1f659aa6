"""Statistics of detections: by hand on small cases, and the real film beside the simulated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from detection.people import standing

from paperlib import datasets
from paperlib.detection import ERROR_PROFILES, PROFILES, simulate
from paperlib.detection.calibration import auc, errors_of, real, statistics, table
from paperlib.errors import MissingDataError
from paperlib.recordings import count_frames
from paperlib.skeletons import COCO_17, H36M_17

PERCENT = 2.6  # pixels: 1.3 m from shoulder to ankle, 5 m away
LIMBS = [
    j
    for j, n in enumerate(H36M_17.joints)
    if n.split("_")[-1] in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
]


def moved(error, joint="left_wrist", fps=60.0, **changes):
    """Errors ``(T, 2)``, % of the height, of one joint alone."""
    one = standing(len(error), fps=fps, **changes)
    keypoints = one.keypoints.clone()
    keypoints[:, H36M_17.index(joint)] += PERCENT * torch.tensor(error, dtype=torch.float32)
    return replace(one, keypoints=keypoints)


def test_lengths_of_errors_of_one_joint_of_twelve():
    """12 % off in 5 of 100 frames: the mean over twelve joints is 12 * 0.05 / 12 = 0.05."""
    error = np.zeros((100, 2))
    error[10:15, 1] = 12
    found = statistics([moved(error)])
    assert found["mean"] == pytest.approx(0.05, rel=1e-3)
    assert found["heaviness"] == pytest.approx(np.sqrt(144 * 5 / 1200) / 0.05, rel=1e-3)
    # its mean error is 0.6; that of eleven others 0
    assert found["bias"] == pytest.approx(0.6 / 12, rel=1e-3)
    assert found["median"] == found["jitter"] == pytest.approx(0, abs=1e-3)


def test_what_all_joints_share_is_the_cameras():
    one = standing(100, fps=60.0)
    found = statistics([replace(one, keypoints=one.keypoints + torch.tensor([30.0, -7.0]))])
    assert found["mean"] == pytest.approx(0, abs=1e-3)


def test_the_correlation_is_that_of_errors_less_their_mean():
    """A square wave of 20 frames: after 10 it is its opposite, after 5 nothing, after 25 again."""
    wave = np.where(np.arange(100) % 20 < 10, 3.0, -3.0)
    found = statistics([moved(np.stack([wave + 1, 0 * wave], axis=1))])
    assert found["correlation_1"] == pytest.approx(1 - 2 * 9 / 99, abs=0.01)
    assert found["correlation_5"] == pytest.approx(0, abs=0.06)
    assert found["correlation_10"] == pytest.approx(-1, abs=0.01)
    # at 30 Hz the same times are half as many frames
    half = statistics([moved(np.stack([wave, 0 * wave], axis=1)[::2], fps=30.0)])
    assert half["correlation_10"] == pytest.approx(-1, abs=0.01)


def test_jitter_is_the_median_change():
    error = np.zeros((100, 2))
    one = moved(error)
    keypoints = one.keypoints.clone()
    keypoints[::2, LIMBS[:7], 0] += 2 * PERCENT  # seven of twelve joints jump by 2 % each frame
    assert statistics([replace(one, keypoints=keypoints)])["jitter"] == pytest.approx(2, rel=1e-3)


def test_confidence_that_is_right_and_confidence_that_is_not():
    error = np.zeros((100, 2))
    error[:, 0] = 40 * np.sin(np.arange(100))
    one = moved(error)
    wrist, visible = H36M_17.index("left_wrist"), torch.ones(100, 17, dtype=torch.bool)
    visible[:50, wrist] = False
    right, wrong = torch.full((100, 17), 0.9), torch.full((100, 17), 0.9)
    right[:, wrist], wrong[:, wrist] = 0.1, 1.0
    low, high = (statistics([replace(one, confidence=c, visible=visible)]) for c in (right, wrong))
    assert low["auc_worst"] > 0.95 and high["auc_worst"] < 0.05
    # fifty hidden ones have the score of fifty others, and 1100 have a higher one
    assert low["auc_hidden"] == pytest.approx((1100 + 25) / 1150)
    assert low["hidden"] == pytest.approx(50 / 1200)
    assert np.isnan(statistics([one])["auc_hidden"])


def test_the_area_under_the_curve_by_hand():
    score, positive = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False])
    assert auc(score, positive) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert np.isnan(auc(score, np.ones(4, dtype=bool)))


def test_what_was_not_found_is_counted_and_left_out():
    error = np.zeros((100, 2))
    error[20:40] = 100
    one = moved(error)
    confidence = one.confidence.clone()
    confidence[20:40, H36M_17.index("left_wrist")] = 0
    found = statistics([replace(one, confidence=confidence)])
    assert found["mean"] == pytest.approx(0, abs=1e-3)
    assert found["lost"] == pytest.approx(20 / 1200)


def test_pieces_are_as_long_as_the_film():
    assert [len(p.error) for p in errors_of(standing(250))] == [83, 83, 83]
    assert [len(p.error) for p in errors_of(standing(50))] == [50]
    assert errors_of(standing(50))[0].error.shape == (50, 12, 2)


def test_what_has_no_statistics_is_refused():
    with pytest.raises(ValueError, match="no recordings"):
        statistics([])
    with pytest.raises(ValueError, match="no 3D positions"):
        statistics([replace(standing(9), positions=None)])
    with pytest.raises(ValueError, match="pieces of 0 seconds"):
        statistics([standing(9)], seconds=0)
    with pytest.raises(ValueError, match="other frames or joints"):
        statistics([standing(9)], [standing(8)])
    with pytest.raises(ValueError, match="other frames or joints"):
        statistics([standing(9)], [standing(9, skeleton=COCO_17)])


# ---- the real film beside the simulated --------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> pd.DataFrame:
    try:
        datasets.find("cmu"), datasets.find("real_video")
    except MissingDataError:
        pytest.skip("CMU motion capture or the real film is not on this computer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        recordings = datasets.load("cmu").test
    assert count_frames(recordings) > 20_000
    names = ["simulated_v1", *ERROR_PROFILES]
    return table(real() | {n: [simulate(r, PROFILES[n]) for r in recordings] for n in names})


ERRORS = ["mean", "median", "p95", "heaviness", "bias", "jitter", "auc_worst"]
LASTING = [f"correlation_{lag}" for lag in (1, 5, 10, 25)]
TARGETS = {
    "simulated_v2": "openpose, other",
    "simulated_v2_blazepose": "blazepose, other",
    "simulated_v2_smooth": "blazepose, joint",
}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "target"), TARGETS.items())
def test_profiles_that_imitate_are_like_what_they_imitate(measured, name, target):
    """Within 20 %; correlations, of which some are nearly 0, within 0.1."""
    ratio = measured[name][ERRORS] / measured[target][ERRORS]
    assert ratio.between(0.8, 1.2).all(), ratio
    assert (measured[name][LASTING] - measured[target][LASTING]).abs().max() < 0.1


@pytest.mark.data
@pytest.mark.slow
def test_confidence_is_partly_right(measured):
    """The first one knew what is hidden; these do not."""
    assert measured.loc["auc_hidden", "simulated_v1"] > 0.99
    ours = measured[[*ERROR_PROFILES]]
    assert ours.loc["auc_hidden"].between(0.70, 0.85).all()
    assert ours.loc["auc_worst"].between(0.55, 0.70).all()


@pytest.mark.data
@pytest.mark.slow
def test_profiles_differ_in_kind(measured):
    """The order of the profiles is another for each statistic."""
    orders = {tuple(measured.loc[s, [*ERROR_PROFILES]].argsort()) for s in (*ERRORS, *LASTING[:3])}
    assert len(orders) > 5
    assert (
        measured.loc["median", "simulated_v2_swapping"]
        < 0.5 * measured.loc["median", "simulated_v2"]
    )
    assert measured.loc["heaviness", "simulated_v2_swapping"] > 2.2
    assert measured.loc["correlation_1", "simulated_v2_smooth"] > 0.8
