"""The simulated detector errs as real ones do, and always in the same way for the same seed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from paperlib.cameras import Camera, project
from paperlib.detection import DETECTORS, detect, keypoint_error
from paperlib.detection.simulated import PROFILES, Profile, simulate
from paperlib.recordings import Dataset, Recording
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16

CAMERA = Camera("front", 1000, 1000, focal=(1000.0, 1000.0), centre=(500.0, 500.0))
QUIET = Profile(0.0, 0.0)  # no errors but those asked for
# metres from the root, x right, y down: left and right stay half a metre apart
DOWN = {"hip": 0.0, "knee": 0.4, "ankle": 0.8, "shoulder": -0.5, "elbow": -0.25, "wrist": 0.05}
REST = {joint: (0.25, y) for joint, y in DOWN.items()} | {"head_top": (0.0, -0.8)}
LEG, ARM = (
    [[H36M_17.index(f"{side}_{part}") for part in limb.split()] for side in ("left", "right")]
    for limb in ("hip knee ankle", "shoulder elbow wrist")
)
HIPS, WRISTS = [side[0] for side in LEG], [side[2] for side in ARM]


def standing(
    frames=200, depth=5.0, clip="take1", camera=CAMERA, width=1.0, skeleton=H36M_17, **changes
) -> Recording:
    """Someone who does not move; ``width`` scales the distance of left and right."""
    rest = torch.zeros(len(skeleton), 3)
    for j, joint in enumerate(skeleton.joints):
        x, y = REST.get(joint.removeprefix("left_").removeprefix("right_"), (0.0, 0.0))
        side = {"left": 1, "right": -1}.get(skeleton.side(j), 0)
        rest[j] = torch.tensor([x * side * width, y, 0.0])
    positions = (rest + torch.tensor([0.0, 0.0, depth])).repeat(frames, 1, 1)
    found = project(positions, camera), torch.ones(frames, len(skeleton)), positions
    return Recording("S1", "standing", clip, 50.0, camera, *found, skeleton, skeleton, **changes)


def errors(recording: Recording, profile: Profile, seed: int = 0) -> torch.Tensor:
    """(T, K, 2) pixels."""
    return simulate(recording, profile, seed).keypoints - recording.keypoints


def equal(one: Recording, other: Recording) -> bool:
    fields = ("keypoints", "confidence")
    return all(torch.equal(getattr(one, field), getattr(other, field)) for field in fields)


# ---- the same again ------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_same_seed_and_name_give_the_same_detections(profile):
    first = simulate(standing(), profile)
    torch.manual_seed(2)
    assert equal(first, simulate(standing(), profile))
    assert not equal(first, simulate(standing(), profile, seed=1))


def test_recordings_cameras_and_people_have_their_own_errors():
    changes = {"clip": "take2"}, {"camera": replace(CAMERA, name="side")}, {"person": 1}
    others = [replace(standing(), **change) for change in (*changes, {"action": "sitting"})]
    found = [errors(one, PROFILES["simulated_v1"]) for one in (standing(), *others)]
    for i, one in enumerate(found):
        for other in found[:i]:
            correlation = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
            assert abs(correlation) < 0.2


def test_profiles_have_their_own_errors():
    first, second = (errors(standing(), Profile(0.01, drift)) for drift in (0.0, 1e-9))
    assert abs(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]) < 0.1


def test_what_is_detected_does_not_depend_on_the_other_recordings():
    a, b, c = (standing(clip=clip) for clip in "abc")
    name = "simulated_v1"
    both = detect(Dataset("x", "made here", (a, b), (c,)), name)
    alone = detect(Dataset("x", "made here", (b,), ()), name)
    assert equal(both.train[1], alone.train[0])
    assert equal(both.test[0], simulate(c, PROFILES[name], 0))


def test_nothing_but_keypoints_and_confidence_changes():
    one = standing(visible=torch.ones(200, 17, dtype=torch.bool), depths=torch.zeros(200, 17))
    kept = one.keypoints.clone()
    found = simulate(one, PROFILES["simulated_v1"])
    assert torch.equal(one.keypoints, kept)
    assert found.name == one.name
    assert found.positions is one.positions
    assert found.visible is one.visible
    assert found.depths is None
    assert found.keypoints.dtype == found.confidence.dtype == torch.float32
    assert found.keypoints.shape == (200, 17, 2)


# ---- by name -------------------------------------------------------------------------------------


DATA = Dataset("x", "made here", (standing(), standing(clip="take2")), (standing(clip="take3"),))


def test_ground_truth_changes_nothing():
    found = detect(DATA, "ground_truth", seed=3)
    for part in ("train", "test"):
        for one, other in zip(found.split(part), DATA.split(part), strict=True):
            assert equal(one, other)
    assert keypoint_error(found.train, DATA.train) == 0


def test_unknown_detectors_are_refused_and_the_choices_named():
    with pytest.raises(ValueError, match="'ground_truth', 'simulated_fine'") as error:
        detect(DATA, "simulate")
    assert "Did you mean 'simulated'?" in str(error.value)
    names = "ground_truth simulated_fine simulated_v1 simulated_pretrained simulated_coarse"
    names += " simulated_v2 simulated_v2_blazepose simulated_v2_smooth simulated_v2_swapping"
    names += " simulated_v2_coarse simulated"
    assert DETECTORS == tuple(names.split())


def test_weaker_detectors_err_more():
    names = ("ground_truth", *PROFILES)
    found = [keypoint_error(detect(DATA, name).train, DATA.train) for name in names]
    for better, worse in pairwise(found):
        assert 1.2 * better < worse
    # a joint of a person 5 m away is off by some pixels, not by a tenth of the picture
    assert 2 < found[1] < found[-1] < 40


def test_the_seed_is_passed_on():
    assert not equal(detect(DATA, seed=0).train[0], detect(DATA, seed=1).train[0])
    assert equal(detect(DATA).train[0], detect(DATA, "simulated", 0).train[0])


def test_keypoint_error_counts_frames_alike():
    exact = (standing(10), standing(30, clip="take2"))
    moved = [
        one.with_keypoints(one.keypoints + torch.tensor([3.0, 4.0]) * factor, one.confidence)
        for one, factor in zip(exact, (1, 2), strict=True)
    ]
    assert keypoint_error(tuple(moved), exact) == pytest.approx((10 * 5 + 30 * 10) / 40)


# ---- how large errors are ------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [Profile(0.01, 0.0), Profile(0.0, 0.01)], ids=str)
def test_a_profile_is_in_metres_at_the_person(profile):
    """A hip's error is the profile's; 0.01 m at 5 m with a focal length of 1000 are 2 pixels."""
    found = errors(standing(4000), profile)
    assert found[:, HIPS].std().item() == pytest.approx(2.0, rel=0.15)
    assert found[:, WRISTS].std().item() == pytest.approx(1.6 * 2.0, rel=0.15)
    assert abs(found.mean().item()) < 0.2


def test_errors_shrink_with_distance():
    profile = PROFILES["simulated_v1"]
    near, far = errors(standing(depth=3.0), profile), errors(standing(depth=6.0), profile)
    torch.testing.assert_close(near, 2 * far, rtol=1e-3, atol=1e-3)


def test_errors_follow_the_distance_frame_by_frame():
    one = standing(400)
    positions = one.positions.clone()
    positions[200:, :, 2] = 10.0
    walked = replace(one, positions=positions)
    found = simulate(walked, Profile(0.01, 0.0)).keypoints - one.keypoints
    assert found[:200].std() / found[200:].std() == pytest.approx(2.0, rel=0.1)


def test_wrists_are_harder_than_hips():
    found = errors(standing(2000), PROFILES["simulated_v1"]).norm(dim=-1).mean(dim=0)
    assert found[WRISTS].mean() > 1.3 * found[HIPS].mean()
    assert found.argmax().item() in WRISTS
    score = simulate(standing(2000), PROFILES["simulated_v1"]).confidence.mean(dim=0)
    assert score[WRISTS].mean() < score[HIPS].mean()


def test_jitter_is_new_in_each_frame_and_drift_stays():
    def correlation(profile, lag):
        found = errors(standing(4000), profile)[:, HIPS].flatten(1)
        return ((found[lag:] * found[:-lag]).mean() / found.square().mean()).item()

    assert correlation(Profile(0.01, 0.0), 1) == pytest.approx(0.0, abs=0.05)
    # 0.4 s at 50 frames per second: 1/e after 20 frames
    assert correlation(Profile(0.0, 0.01), 1) == pytest.approx(np.exp(-1 / 20), abs=0.03)
    assert correlation(Profile(0.0, 0.01), 20) == pytest.approx(np.exp(-1), abs=0.15)
    longer = replace(Profile(0.0, 0.01), drift_seconds=1.6)
    assert correlation(longer, 20) > 0.65


def test_drift_is_as_large_in_the_first_frames_as_later():
    starts = torch.stack([errors(standing(6), Profile(0.0, 0.01), seed)[0] for seed in range(60)])
    assert starts[:, HIPS].std().item() == pytest.approx(2.0, rel=0.25)


# ---- hidden joints -------------------------------------------------------------------------------


def half_hidden(joint: int = HIPS[0], frames: int = 1000) -> Recording:
    visible = torch.ones(frames, 17, dtype=torch.bool)
    visible[frames // 2 :, joint] = False
    return standing(frames, visible=visible)


def test_hidden_joints_err_more_and_are_less_trusted():
    joint, profile = HIPS[0], Profile(0.01, 0.01)
    one = half_hidden(joint)
    found = simulate(one, profile)
    error = (found.keypoints - one.keypoints).norm(dim=-1)
    assert error[510:, joint].mean() / error[:490, joint].mean() == pytest.approx(2.5, rel=0.25)
    assert found.confidence[510:, joint].mean() < found.confidence[:490, joint].mean() - 0.3
    everyone = torch.ones(17, dtype=torch.bool)
    everyone[joint] = False
    before, after = error[:490, everyone].mean(), error[510:, everyone].mean()
    assert after / before == pytest.approx(1.0, abs=0.15)


def test_without_visibility_all_joints_count_as_seen():
    seen = standing(visible=torch.ones(200, 17, dtype=torch.bool))
    assert equal(
        simulate(seen, PROFILES["simulated_v1"]), simulate(standing(), PROFILES["simulated_v1"])
    )


# ---- outliers and confusions ---------------------------------------------------------------------


def test_outliers_are_large_rare_short_and_less_trusted():
    one = standing(3000)
    found = simulate(one, replace(QUIET, outliers_per_second=0.1))
    out = (found.keypoints - one.keypoints).norm(dim=-1) > 0
    # 0.1 a second and joint, for 3.5 frames on average, at 50 frames per second
    assert out.float().mean().item() == pytest.approx(0.1 * 3.5 / 50, rel=0.3)
    lengths = []
    for column in out.T.tolist():
        runs = "".join("x" if o else " " for o in column).split()
        lengths += map(len, runs)
    assert min(lengths) in (1, 2)  # one may be cut by the end
    assert 2 < np.mean(lengths) < 5
    size = (found.keypoints - one.keypoints)[out]
    assert size.std().item() == pytest.approx(0.25 * 200, rel=0.2)
    assert found.confidence[out].mean() < found.confidence[~out].mean() - 0.3


def exchanged(one: Recording, profile: Profile, limb) -> torch.Tensor:
    """(T) bool: where left and right of a limb have changed places; it must be all or nothing."""
    found = simulate(one, profile).keypoints
    left, right = limb
    swapped = (found[:, left] == one.keypoints[:, right]).all(-1)
    swapped &= (found[:, right] == one.keypoints[:, left]).all(-1)
    kept = (found[:, left] == one.keypoints[:, left]).all(-1)
    kept &= (found[:, right] == one.keypoints[:, right]).all(-1)
    assert (swapped.all(-1) | kept.all(-1)).all()
    return swapped.all(-1)


CONFUSED = replace(QUIET, swaps_per_second=2.0)


@pytest.mark.parametrize("limb", [LEG, ARM], ids=["legs", "arms"])
def test_whole_limbs_are_confused_where_they_are_close(limb):
    share = exchanged(standing(1000, width=0.2), CONFUSED, limb).float().mean().item()
    assert share == pytest.approx(1 - np.exp(-2 * 3.5 / 50), rel=0.4)
    assert not exchanged(standing(1000, width=0.2), QUIET, limb).any()


def test_limbs_that_are_apart_are_never_confused():
    """12 cm is the limit: 10 cm apart at 0.2 times the width, 15 cm at 0.3."""
    for limb in (LEG, ARM):
        assert not exchanged(standing(1000), CONFUSED, limb).any()
        assert not exchanged(standing(1000, width=0.3), CONFUSED, limb).any()
        # seen from further off they are as close in the picture, but not for the person's size
        assert not exchanged(standing(1000, width=0.3, depth=50.0), CONFUSED, limb).any()


def test_arms_and_legs_are_confused_at_different_times():
    one = standing(1000, width=0.2)
    legs, arms = (exchanged(one, CONFUSED, limb) for limb in (LEG, ARM))
    assert (legs & ~arms).any()
    assert (arms & ~legs).any()


def test_joints_that_are_no_limbs_are_never_confused():
    one = standing(500, width=0.2)
    limbs = {j for limb in (LEG, ARM) for side in limb for j in side}
    others = [j for j in range(17) if j not in limbs]
    assert torch.equal(simulate(one, CONFUSED).keypoints[:, others], one.keypoints[:, others])


# ---- confidence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_confidence_is_between_0_and_1_and_tells_seen_from_hidden(profile):
    one = half_hidden()
    score = simulate(one, profile).confidence
    assert 0 <= score.min() and score.max() <= 1
    assert score[one.visible].mean() > 0.6
    assert score[~one.visible].mean() < 0.5


# ---- other recordings ----------------------------------------------------------------------------


@pytest.mark.parametrize("skeleton", [COCO_17, HUMANEVA_15, MPII_16], ids=lambda s: s.name)
def test_other_skeletons(skeleton):
    one = standing(50, skeleton=skeleton)
    found = simulate(one, PROFILES["simulated_coarse"])
    assert found.keypoint_skeleton is skeleton
    assert 0.5 < keypoint_error((found,), (one,)) < 40


def test_detected_joints_may_be_others_than_those_of_the_poses():
    coco = standing(50, skeleton=COCO_17)
    visible = torch.ones(50, 17, dtype=torch.bool)
    visible[:, [H36M_17.index("left_wrist"), H36M_17.index("neck_nose")]] = False
    one = standing(50, visible=visible).with_keypoints(coco.keypoints, coco.confidence, COCO_17)
    found = simulate(one, PROFILES["simulated_v1"])
    assert found.keypoint_skeleton is COCO_17
    assert found.skeleton is H36M_17
    # a joint of the same name is hidden with it; whether the nose is seen is not known
    hidden = found.confidence.mean(dim=0) < 0.5
    assert [COCO_17.joints[k] for k in hidden.nonzero().flatten()] == ["left_wrist"]


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_short_recordings(frames, profile):
    visible = torch.rand(frames, 17) > 0.5
    found = simulate(standing(frames, visible=visible), profile)
    assert found.keypoints.shape == (frames, 17, 2)
    assert found.keypoints.isfinite().all()
