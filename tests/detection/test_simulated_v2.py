"""The second simulated detector: each of its errors alone, on somebody who stands still."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from detection.people import profile, standing

from paperlib.cameras import project
from paperlib.detection import DETECTORS, ERROR_PROFILES, PROFILES, detect, resolve, simulate
from paperlib.detection.detectors import CURRENT
from paperlib.detection.height import image_height
from paperlib.detection.profiles import Confidence, Hidden, Losses, Noise, Spikes, Standing, Swaps
from paperlib.detection.simulated_v2 import on_known, simulate_v2
from paperlib.detection.standing import standing_bias
from paperlib.recordings import Dataset
from paperlib.skeletons import CMU_38, COCO_17, COMMON_14, H36M_17, HUMANEVA_15, MPII_16

HIP, WRIST, KNEE = (H36M_17.index(f"left_{p}") for p in ("hip", "wrist", "knee"))
PERCENT = 2.6  # pixels, at 5 m


def error(one, of, seed=0):
    """(T, K, 2) % of the height."""
    found = simulate_v2(one, of, seed)
    return (found.keypoints - one.keypoints) / image_height(one)[:, None, None] * 100


def equal(one, other):
    return torch.equal(one.keypoints, other.keypoints) and torch.equal(
        one.confidence, other.confidence
    )


# ---- sizes -------------------------------------------------------------------------------------


def test_the_height_is_that_of_trunk_and_leg_whatever_the_pose():
    one = standing(3)
    assert image_height(one).tolist() == pytest.approx([260.0] * 3)
    assert image_height(standing(3, depth=10.0)).tolist() == pytest.approx([130.0] * 3)
    bent = one.positions.clone()
    bent[1] = bent[1].flip(0)  # in one frame of three the joints are anywhere
    assert image_height(replace(one, positions=bent)).tolist() == pytest.approx([260.0] * 3)


def test_a_profile_is_in_percent_of_the_height_near_and_far():
    """A hip of weight 0.9; twice as far away it is half as many pixels."""
    noisy = profile(noise=Noise(1.0, 0.0, 0.2, bursts=0.0))
    near, far = (standing(4000, depth=d) for d in (5.0, 10.0))
    pixels = [simulate_v2(r, noisy).keypoints - r.keypoints for r in (near, far)]
    assert pixels[0][:, HIP].std().item() == pytest.approx(0.9 * PERCENT, rel=0.05)
    torch.testing.assert_close(pixels[0], 2 * pixels[1], atol=1e-3, rtol=1e-3)


def test_bursts_make_tails_heavier_and_no_error_larger():
    plain, burst = (
        error(standing(6000), profile(noise=Noise(1.0, 0.0, 0.2, bursts=b))).flatten(1)
        for b in (0.0, 0.6)
    )
    sizes = [x.square().mean().sqrt().item() for x in (plain, burst)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)

    def kurtosis(x):
        return (x**4).mean() / x.square().mean() ** 2

    assert kurtosis(burst) > 2 * kurtosis(plain)
    # large errors stand together
    size = error(standing(6000), profile(noise=Noise(1.0, 0.0, 0.2, bursts=0.6)))[:, HIP].norm(
        dim=1
    )
    assert torch.corrcoef(torch.stack([size[1:], size[:-1]]))[0, 1] > 0.15


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_drift_lasts_as_long_at_any_frame_rate(fps):
    drift = error(standing(6000, fps=fps), profile(noise=Noise(0.0, 1.0, 0.2, bursts=0.0)))
    lag = round(0.2 * fps)
    correlation = (drift[lag:] * drift[:-lag]).mean() / drift.square().mean()
    assert correlation.item() == pytest.approx(np.exp(-1), abs=0.05)


# ---- standing bias -----------------------------------------------------------------------------


def turned(angle, frames=1, clip="take"):
    one = standing(frames, clip=clip)
    angle = torch.tensor(float(angle))
    c, s = torch.cos(angle), torch.sin(angle)
    turn = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    middle = torch.tensor([0.0, 0.0, 5.0])
    positions = (one.positions - middle) @ turn.T + middle
    return replace(one, positions=positions, keypoints=project(positions, one.camera))


def test_the_standing_bias_is_the_profiles_not_the_recordings():
    biased = profile(standing=Standing(2.0))
    found = [error(standing(3, clip=clip), biased, seed) for clip, seed in (("a", 0), ("b", 7))]
    torch.testing.assert_close(found[0], found[1], atol=1e-3, rtol=0)
    assert (found[0] - found[0][0]).abs().max() < 1e-3  # nothing moves: nor does the bias
    other = error(standing(3), replace(biased, name="another"))
    assert (other - found[0]).norm(dim=-1).mean() > 0.5


def test_the_standing_bias_follows_the_view_smoothly():
    biased = Standing(1.0)
    bias = [standing_bias(turned(a), biased, "x")[0] for a in (0.0, 0.05, np.pi)]
    near, far = (np.linalg.norm(bias[0] - b, axis=-1).mean() for b in bias[1:])
    assert 0 < near < 0.15 * far
    fixed = replace(biased, constant=1.0)
    bias = [standing_bias(turned(a), fixed, "x")[0] for a in (0.0, np.pi)]
    np.testing.assert_allclose(*bias, atol=1e-6)


def test_the_standing_bias_has_its_size():
    """Over views and profiles, root mean square: 2 % for an elbow of weight 1."""
    views = [turned(a) for a in np.linspace(0, 2 * np.pi, 12)]
    elbow = H36M_17.index("left_elbow")
    bias = [standing_bias(v, Standing(2.0), str(n))[0, elbow] for n in range(60) for v in views]
    assert np.sqrt(np.square(bias).sum(axis=1).mean()) == pytest.approx(2.0, rel=0.1)


def test_in_the_mirror_limbs_have_the_mirror_image_of_their_bias():
    one = turned(0.7, 2)
    flip = torch.tensor([-1.0, 1.0, 1.0])
    mirrored = replace(one, positions=(one.positions * flip)[:, list(H36M_17.mirrored)])
    bias, other = (standing_bias(r, Standing(1.0), "x") for r in (one, mirrored))
    limbs = [*H36M_17.left, *H36M_17.right]
    expected = (bias * [-1, 1])[:, list(H36M_17.mirrored)]
    np.testing.assert_allclose(other[:, limbs], expected[:, limbs], atol=1e-5)


# ---- spikes, snaps, swaps, losses --------------------------------------------------------------


def test_spikes_are_as_rare_and_far_as_said():
    """Elbows have weight 1. Single ones last a frame; those of the person move all joints alike."""
    elbow = H36M_17.index("left_elbow")
    away = error(standing(40_000), profile(spikes=Spikes(share=0.01, size=40.0))).norm(dim=-1)
    flown = away[:, elbow] > 1
    assert flown.float().mean().item() == pytest.approx(0.01, rel=0.15)
    assert away[:, elbow][flown].median().item() == pytest.approx(40, rel=0.1)
    assert (away[:, WRIST] > 1).sum() > 2 * flown.sum()
    assert (flown[1:] & flown[:-1]).sum() < 0.1 * flown.sum()

    lasting = error(standing(40_000), profile(spikes=Spikes(lasting_share=0.01, seconds=0.2)))
    flown = lasting[:, elbow].norm(dim=-1) > 1
    assert flown.float().mean().item() == pytest.approx(0.01, rel=0.35)
    assert (flown[1:] & flown[:-1]).sum() > 0.8 * flown.sum()

    together = error(standing(40_000), profile(spikes=Spikes(person_share=0.005)))
    gone = together.norm(dim=-1) > 1
    assert torch.equal(gone.all(dim=1), gone.any(dim=1))
    assert gone.float().mean().item() == pytest.approx(0.005, rel=0.25)
    torch.testing.assert_close(together[:, 3], together[:, 8], atol=1e-2, rtol=0)


def hiding(frames=400, joint=KNEE):
    """The left knee behind the right leg, of which the camera sees both in one place."""
    one = standing(frames)
    positions = one.positions.clone()
    right = [H36M_17.index(f"right_{p}") for p in ("knee", "ankle")]
    positions[:, right, 2] -= 0.4  # the right leg is stretched forward, towards the camera
    positions[:, right, 0] += 0.18
    visible = torch.ones(frames, 17, dtype=torch.bool)
    visible[:, joint] = False
    exact = {"positions": positions, "keypoints": project(positions, one.camera)}
    return replace(one, visible=visible, **exact)


def test_a_hidden_joint_snaps_to_the_bone_in_front_of_it():
    one = hiding(20_000)
    found = simulate_v2(one, profile(hidden=Hidden(1.0, snaps=0.3, seconds=0.2))).keypoints
    moved = (found - one.keypoints).norm(dim=-1) > 0.01
    assert moved[:, KNEE].float().mean().item() == pytest.approx(0.3, rel=0.1)
    assert not moved[:, [j for j in range(17) if j != KNEE]].any()
    # it lies on a line between two joints of the right leg
    image = one.keypoints[0].double()
    place = found[moved[:, KNEE]][0, KNEE].double()
    chain = [H36M_17.index(f"right_{p}") for p in ("hip", "knee", "ankle")]
    distances = []
    for a, b in pairwise(chain):
        along = image[b] - image[a]
        share = ((place - image[a]) @ along / (along @ along)).clamp(0, 1)
        distances.append((image[a] + share * along - place).norm().item())
    assert min(distances) < 0.05


def test_what_nothing_of_the_body_hides_does_not_snap():
    one = hiding(500)
    away = one.positions.clone()
    away[:, KNEE, 2] = 1.0  # nothing is nearer to the camera
    found = simulate_v2(replace(one, positions=away), profile(hidden=Hidden(1.0, snaps=0.9)))
    torch.testing.assert_close(found.keypoints, one.keypoints, atol=1e-3, rtol=0)


def test_hidden_joints_err_more():
    noisy = profile(noise=Noise(1.0, 0.0, 0.2, bursts=0.0), hidden=Hidden(2.0, 0.0))
    found = error(hiding(4000), noisy)
    assert found[:, KNEE].std().item() == pytest.approx(2 * 0.9, rel=0.1)
    assert found[:, HIP].std().item() == pytest.approx(0.9, rel=0.1)


def exchanged(one, swaps):
    """(T, 2) bool: whether the limbs have changed places, legs and arms."""
    found = simulate_v2(one, profile(swaps=swaps)).keypoints
    limbs = []
    for parts in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        left, right = ([H36M_17.index(f"{s}_{p}") for p in parts] for s in ("left", "right"))
        there = torch.isclose(found[:, left], one.keypoints[:, right], atol=1e-3).all(-1).all(-1)
        back = torch.isclose(found[:, right], one.keypoints[:, left], atol=1e-3).all(-1).all(-1)
        assert torch.equal(there, back)
        limbs.append(there)
    return torch.stack(limbs, dim=1)


def test_limbs_are_exchanged_where_they_are_close_and_where_they_are_hidden():
    """Legs are 20 cm apart, 15 % of the height; arms 73 cm, 56 %."""
    one = standing(5000)
    close = exchanged(one, Swaps(close=0.2, within=20.0)).float().mean(dim=0)
    assert close.tolist() == pytest.approx([0.2, 0.0], rel=0.15, abs=1e-9)
    assert not exchanged(one, Swaps(close=0.2, within=14.0)).any()
    assert not exchanged(one, Swaps(hidden=0.9)).any()
    behind = exchanged(hiding(5000), Swaps(hidden=0.3, within=1.0)).float().mean(dim=0)
    assert behind.tolist() == pytest.approx([0.3, 0.0], rel=0.15, abs=1e-9)


def test_lost_keypoints_are_interpolated_and_have_confidence_0():
    one = hiding(10_000)
    found = simulate_v2(one, profile(losses=Losses(share=0.02, hidden=0.2, seconds=0.1)))
    lost = found.confidence == 0
    assert lost[:, KNEE].float().mean().item() == pytest.approx(0.2, rel=0.1)
    seen = [j for j in range(17) if j != KNEE]
    assert lost[:, seen].float().mean().item() == pytest.approx(0.02, rel=0.15)
    torch.testing.assert_close(found.keypoints, one.keypoints, atol=1e-3, rtol=0)


def test_where_nothing_is_ever_found_nothing_is_left():
    found = simulate_v2(standing(1), profile(losses=Losses(share=1.0)), seed=1)
    lost = found.confidence == 0
    assert (found.keypoints[lost.all(dim=1)] == 0).all()
    assert found.keypoints.isfinite().all()


# ---- confidence --------------------------------------------------------------------------------


def test_confidence_is_partly_right():
    """Two normal distributions one deviation apart: the chance is Phi(1 / sqrt 2) = 0.76."""
    one = standing(20_000)
    visible = torch.ones(20_000, 17, dtype=torch.bool)
    visible[10_000:, HIP] = False
    sure = Confidence(level=1.0, scale=1.0, hidden=1.0, error=0.0)
    score = simulate_v2(replace(one, visible=visible), profile(confidence=sure)).confidence
    seen, hidden = score[:9990, HIP], score[10_010:, HIP]
    chance = (hidden[torch.randperm(9990)] < seen).float().mean().item()
    assert chance == pytest.approx(0.76, abs=0.05)
    assert seen.logit().mean().item() == pytest.approx(1.0, abs=0.15)


def test_errors_lower_confidence_by_their_logarithm():
    """40 % off is 3.7 e-folds; the doubt of a spike is so many deviations larger."""
    sure = Confidence(level=2.0, scale=1.0, hidden=0.0, error=0.5)
    one = standing(20_000)
    of = profile(confidence=sure, spikes=Spikes(share=0.01, size=40.0, spread=0.0))
    found = simulate_v2(one, of)
    flown = (found.keypoints - one.keypoints).norm(dim=-1) > 1
    drop = found.confidence[~flown].logit().mean() - found.confidence[flown].logit().mean()
    assert drop.item() == pytest.approx(0.5 * np.log(40), rel=0.1)


# ---- the train/test gap ------------------------------------------------------------------------


def test_a_gap_is_off_by_default_and_for_the_training_part_alone():
    data = Dataset("x", "here", (standing(50, clip="a"),), (standing(50, clip="b"),))
    plain, gap = (detect(data, "simulated_v2", 1, **g) for g in ({}, {"gap": 0.5}))
    assert equal(plain.test[0], gap.test[0])
    assert equal(plain.train[0], detect(data, "simulated_v2", 1, gap=0.0).train[0])
    size = [
        (d.train[0].keypoints - data.train[0].keypoints).norm(dim=-1).median() for d in (plain, gap)
    ]
    assert size[1] < 0.8 * size[0]


def test_on_what_it_has_learnt_from_a_detector_errs_and_doubts_less():
    noisy = profile(
        noise=Noise(1.0, 1.0, 0.2),
        standing=Standing(1.0),
        confidence=Confidence(1.0, 1.0, 1.0, 0.3),
    )
    one = standing(300)
    small, large = (simulate_v2(one, noisy, gap=g) for g in (0.25, 0.0))
    torch.testing.assert_close(
        small.keypoints - one.keypoints,
        0.75 * (large.keypoints - one.keypoints),
        atol=1e-3,
        rtol=1e-3,
    )
    assert small.confidence.std() < large.confidence.std()
    assert on_known(noisy, 0.0) is noisy


@pytest.mark.parametrize("gap", [-0.1, 1.0, float("nan"), True, "0.5", None])
def test_a_gap_out_of_range_is_refused(gap):
    with pytest.raises(ValueError, match="expected a share from 0"):
        simulate_v2(standing(2), profile(), gap=gap)
    with pytest.raises(ValueError, match="expected a share from 0"):
        detect(Dataset("x", "here", (standing(2),), ()), "simulated_v2", gap=gap)


def test_detectors_without_a_gap_say_so():
    data = Dataset("x", "here", (standing(2),), ())
    for name in ("ground_truth", "simulated_v1"):
        with pytest.raises(ValueError, match=f"{name} has no gap.*simulated_v2"):
            detect(data, name, gap=0.2)
    with pytest.raises(ValueError, match="has no gap"):
        simulate(standing(2), PROFILES["simulated_v1"], gap=0.2)


# ---- by name -----------------------------------------------------------------------------------


def test_simulated_is_the_second_one_and_results_say_so():
    assert CURRENT == "simulated_v2" and PROFILES["simulated"] is PROFILES["simulated_v2"]
    data = Dataset("x", "here", (standing(30),), ())
    assert equal(detect(data, "simulated", 2).train[0], detect(data, "simulated_v2", 2).train[0])
    assert [resolve(name) for name in DETECTORS[-2:]] == ["simulated_v2_coarse", "simulated_v2"]
    assert {*ERROR_PROFILES} < {*DETECTORS}


@pytest.mark.parametrize("of", ERROR_PROFILES.values(), ids=ERROR_PROFILES)
def test_the_same_seed_and_names_give_the_same_in_any_order(of):
    a, b = standing(60, clip="a"), standing(60, clip="b")
    first = simulate(a, of, 3)
    simulate(b, of, 3)
    torch.manual_seed(5)
    assert equal(first, simulate(a, of, 3))
    assert not equal(first, simulate(a, of, 4))
    apart = (simulate(b, of, 3).keypoints - first.keypoints).norm(dim=-1)
    assert apart.mean() > 0.2
    both = detect(Dataset("x", "here", (b, a), ()), of.name, 3)
    assert equal(both.train[1], first)


@pytest.mark.parametrize("of", ERROR_PROFILES.values(), ids=ERROR_PROFILES)
@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_short_recordings(of, frames):
    found = simulate(standing(frames, visible=torch.rand(frames, 17) > 0.3), of)
    assert found.keypoints.shape == (frames, 17, 2) and found.keypoints.dtype == torch.float32
    assert found.confidence.dtype == torch.float32


@pytest.mark.parametrize("skeleton", [COCO_17, HUMANEVA_15, MPII_16, COMMON_14], ids=str)
def test_other_skeletons(skeleton):
    found = error(standing(300, skeleton=skeleton), ERROR_PROFILES["simulated_v2"])
    assert 0.5 < found.norm(dim=-1).median() < 4


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(
        ValueError, match=r"standing/take/front/0 has no 3D positions.*truth is known"
    ):
        simulate_v2(replace(standing(2), positions=None), profile())
    with pytest.raises(ValueError, match="cmu_38 has no left_hip"):
        simulate_v2(standing(2, skeleton=CMU_38), profile())
    with pytest.raises(ValueError, match="frames per second"):
        replace(standing(2), fps=None)
    with pytest.raises(ValueError, match="Did you mean 'simulated_v2_smooth'"):
        detect(Dataset("x", "here", (standing(2),), ()), "simulated_v2_smoth")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"standing": lambda: Standing(-1.0)}, "standing.size is -1.0"),
        ({"standing": lambda: Standing(1.0, constant=1.2)}, "standing.constant is 1.2.*0 to 1"),
        ({"noise": lambda: Noise(1.0, 1.0, 0.0)}, "noise.drift_seconds is 0.0"),
        ({"noise": lambda: Noise(float("nan"), 1.0, 0.2)}, "noise.jitter is nan"),
        ({"spikes": lambda: Spikes(share=2.0)}, "spikes.share is 2.0"),
        ({"swaps": lambda: Swaps(hidden=1.5)}, "swaps.hidden is 1.5"),
        ({"losses": lambda: Losses(seconds=0.0)}, "losses.seconds is 0.0"),
        (
            {"confidence": lambda: Confidence(float("inf"), 1.0, 1.0, 0.0)},
            "confidence.level is inf",
        ),
    ],
)
def test_a_profile_of_no_meaning_is_refused(part, said):
    with pytest.raises(ValueError, match=rf"profile quiet: {said}"):
        profile(**{name: make() for name, make in part.items()})
