"""Several people: who is who by hand, metrics against a slow reference, sizes, refusals."""

from math import isnan, nan

import numpy as np
import pytest
import torch

from paperlib.evaluation import (
    STANDARD_HEIGHT,
    body_height,
    evaluate_scene,
    match_people,
    match_sequence,
    matched_poses,
    pck_joints,
    pooled_scenes,
    pose_sets,
    rescale_bones,
    universal,
)
from paperlib.kinematics import bone_lengths
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MUPOTS_17

BOTH = pytest.mark.parametrize("skeleton", [MUPOTS_17, H36M_17], ids=lambda s: s.name)
NAMES = set(
    "matched mrpe mpjpe n_mrpe n_mpjpe mrpe_median mpjpe_median pck3d auc3d pck3d_absolute"
    " auc3d_absolute acceleration_error".split()
)


def people(*shape, device="cpu", noise=0.1):
    """Targets (…, 17, 3) a few metres away, and predictions that miss them; float64."""
    target = torch.randn(*shape, 17, 3, dtype=torch.float64) * 0.3
    target += torch.tensor([0.2, 0.1, 4.0], dtype=torch.float64)
    predicted = target * 0.95 + torch.randn(*shape, 17, 3, dtype=torch.float64) * noise
    return predicted.to(device), target.to(device)


def everyone(*shape) -> torch.Tensor:
    """All person-frames count."""
    return torch.ones(*shape, dtype=torch.bool)


# ---- who is who ----------------------------------------------------------------------------------


def at(*places) -> torch.Tensor:
    """People (P, 17, 2) of whom all joints are in one place each."""
    return torch.tensor(places, dtype=torch.float32)[:, None].expand(-1, 17, 2).clone()


def test_people_are_matched_by_the_joints_that_are_near():
    annotated = at((100, 100), (300, 100))
    predicted = at((310, 90), (900, 900), (120, 110))
    assert match_people(predicted, annotated).tolist() == [2, 0]
    assert match_people(predicted[:2], annotated).tolist() == [-1, 0]
    assert match_people(predicted, annotated).dtype == torch.long


def test_near_means_less_than_the_radius_in_x_and_in_y():
    annotated = at((100, 100))
    assert match_people(at((139, 139)), annotated).tolist() == [0]  # 55 pixels apart
    assert match_people(at((140, 100)), annotated).tolist() == [-1]
    assert match_people(at((100, 60)), annotated).tolist() == [-1]
    assert match_people(at((139, 139)), annotated, radius=30).tolist() == [-1]


def test_who_comes_first_chooses_first():
    """The prediction lies on the second person but near the first as well."""
    annotated = at((100, 100), (120, 100))
    assert match_people(at((120, 100)), annotated).tolist() == [0, -1]
    assert match_people(at((120, 100)), annotated.flip(0)).tolist() == [0, -1]
    # with a second prediction, the first person has the choice of two alike: it takes the first
    assert match_people(at((120, 100), (100, 100)), annotated).tolist() == [0, 1]


def test_most_joints_win_and_the_head_top_is_not_asked():
    annotated = at((100, 100))
    predicted = at((100, 100), (100, 100), (900, 900))
    predicted[0, 1:8] = 900.0  # six of the 13 left
    predicted[1, 1:7] = 900.0  # seven left
    assert match_people(predicted, annotated).tolist() == [1]
    predicted[2, [0, 14, 15, 16]] = 100.0  # none of these is a joint to match by
    assert match_people(predicted[2:], annotated).tolist() == [-1]
    assert match_people(predicted[2:], annotated, joints=[0, 3]).tolist() == [0]
    predicted[2, 13] = 100.0
    assert match_people(predicted[2:], annotated).tolist() == [0]


def test_nan_is_near_nobody_and_nobody_may_be_there():
    annotated = at((100, 100), (200, 100))
    predicted = at((100, 100), (200, 100))
    predicted[0] = nan
    assert match_people(predicted, annotated).tolist() == [-1, 1]
    assert match_people(predicted[:0], annotated).tolist() == [-1, -1]
    assert match_people(predicted, annotated[:0]).tolist() == []


def plain_match(predicted, annotated, counted):
    """One frame after another, one pair after another."""
    result = np.full(annotated.shape[:2], -1)
    for t in range(len(annotated)):
        used = set()
        for p in range(annotated.shape[1]):
            if not counted[t, p]:
                continue
            scores = {}
            for q in set(range(predicted.shape[1])) - used:
                pairs = zip(predicted[t, q, 1:14], annotated[t, p, 1:14], strict=True)
                near = sum(abs(a[0] - b[0]) < 40 and abs(a[1] - b[1]) < 40 for a, b in pairs)
                if near > 0:
                    scores[q] = near
            if scores:
                result[t, p] = max(sorted(scores), key=scores.get)
                used.add(int(result[t, p]))
    return result


def test_sequences_are_matched_as_by_the_plain_loop(device):
    annotated = torch.rand(40, 3, 17, 2) * 120
    predicted = torch.rand(40, 4, 17, 2) * 120
    counted = torch.rand(40, 3) < 0.7
    found = match_sequence(predicted.to(device), annotated.to(device), counted.to(device))
    assert found.device.type == device.type
    plain = plain_match(predicted.numpy(), annotated.numpy(), counted.numpy())
    assert (found.cpu().numpy() == plain).all()
    assert len(set(plain.flatten().tolist())) == 5  # all that can happen did
    everyone = match_sequence(predicted, annotated)
    single = [match_people(p, a) for p, a in zip(predicted, annotated, strict=True)]
    assert torch.equal(everyone, torch.stack(single))


def test_poses_follow_the_matches():
    predicted = torch.arange(2 * 3 * 17 * 3.0).reshape(2, 3, 17, 3)
    matches = torch.tensor([[2, -1], [0, 1]])
    poses = matched_poses(predicted, matches)
    assert poses.shape == (2, 2, 17, 3)
    assert torch.equal(poses[0, 0], predicted[0, 2])
    assert torch.equal(poses[:, 1], predicted[1, :2])
    assert poses[1, 0].isnan().all()
    assert matched_poses(predicted[:, :0], torch.full((2, 2), -1)).isnan().all()


def test_pose_sets():
    score = torch.tensor([[0.0, 0.05, 0.1, 0.9]])
    sets = pose_sets(score)
    assert {name: mask.int().tolist() for name, mask in sets.items()} == {
        "all": [[1, 1, 1, 1]],
        "detected": [[0, 1, 1, 1]],
        "visible": [[0, 0, 1, 1]],
        "lost": [[1, 0, 0, 0]],
    }
    assert {mask.dtype for mask in sets.values()} == {torch.bool}


# ---- sizes ---------------------------------------------------------------------------------------


@BOTH
def test_rescaled_bones_have_the_true_lengths_and_the_predicted_directions(skeleton, device):
    predicted, target = people(2, 3, device=device, noise=0.4)
    after = rescale_bones(predicted, target, skeleton)
    found, right = (bone_lengths(poses, skeleton.parents) for poses in (after, target))
    torch.testing.assert_close(found, right)
    for parent, joint in skeleton.bones:
        old = predicted[..., joint, :] - predicted[..., parent, :]
        new = after[..., joint, :] - after[..., parent, :]
        cosine = torch.nn.functional.cosine_similarity(old, new, dim=-1)
        torch.testing.assert_close(cosine, torch.ones_like(cosine))
    assert torch.equal(after[..., skeleton.root, :], predicted[..., skeleton.root, :])
    # neither where the target stands nor its posture matters, only its bones
    turned = target.flip(-1) + 7
    torch.testing.assert_close(rescale_bones(predicted, turned, skeleton), after)


def test_a_bone_of_no_length_stays_on_its_parent():
    predicted, target = people(1)
    predicted[:, 4] = predicted[:, 3]  # the right wrist in the elbow
    after = rescale_bones(predicted, target, MUPOTS_17)
    assert torch.equal(after[:, 4], after[:, 3]) and after.isfinite().all()


def standing(skeleton) -> torch.Tensor:
    """(17, 3): metres, every bone of the legs, the spine and the head along y but the hips."""
    down = {"hip": 0.0, "pelvis": 0.0, "knee": 0.45, "ankle": 0.85, "spine": -0.2, "neck": -0.5}
    down |= {"thorax": -0.5, "neck_nose": -0.6, "head_nose": -0.6, "head_top": -0.75}
    down |= {"shoulder": -0.45, "elbow": -0.2, "wrist": 0.1}
    pose = torch.zeros(17, 3, dtype=torch.float64)
    for j, name in enumerate(skeleton.joints):
        side, _, rest = name.partition("_")
        sided = side in ("left", "right")
        pose[j, 1] = down[rest if sided else name]
        pose[j, 0] = {"left": 0.1, "right": -0.1}.get(side, 0.0) if sided else 0.0
    return pose


@BOTH
def test_height_by_hand(skeleton):
    # hip 0.1, thigh 0.45, shin 0.4, and up to the head top 0.75, through the nose or past it
    pose = standing(skeleton)
    assert body_height(pose, skeleton).item() == pytest.approx(1.7)
    # a longer left shin counts by half
    pose[skeleton.index("left_ankle"), 1] += 0.1
    assert body_height(pose, skeleton).item() == pytest.approx(1.75)
    # one who crouches is as tall
    pose[[skeleton.index("left_ankle"), skeleton.index("right_ankle")], 1] = 0.0
    assert body_height(pose, skeleton).item() == pytest.approx(0.1 + 0.45 + 0.45 + 0.75)
    pose[:, [0, 1]] = pose[:, [1, 0]]
    assert body_height(pose, skeleton).item() == pytest.approx(1.75)


@BOTH
def test_universal_people_are_of_one_height_and_stay_where_they_are(skeleton, device):
    one = standing(skeleton) + torch.tensor([0.3, 0.1, 5.0], dtype=torch.float64)
    short, tall = one[None] * torch.ones(5, 1, 1), 1.3 * one[None] * torch.ones(5, 1, 1)
    short[3] *= 3  # the median over time does not mind a frame gone wrong
    tall[0] = nan
    both = torch.stack([short, tall]).to(device)
    for height in (STANDARD_HEIGHT, 1.0):
        after = universal(both, skeleton, height)
        heights = body_height(after, skeleton)
        assert heights[0, 0].item() == pytest.approx(height)
        assert heights[1, 1:].tolist() == pytest.approx([height] * 4)
        assert heights[0, 3].item() == pytest.approx(3 * height)
        root = skeleton.root
        torch.testing.assert_close(after[:, :, root], both[:, :, root], equal_nan=True)
        # one factor for a person: relative poses keep their shape
        before = both[0, 0] - both[0, 0, root]
        factor = height / body_height(both[0, 0], skeleton)
        torch.testing.assert_close(after[0, 0] - after[0, 0, root], factor * before)
    torch.testing.assert_close(universal(both, skeleton)[0], universal(both[0], skeleton))


def test_joints_that_are_scored():
    assert pck_joints(MUPOTS_17) == tuple(range(14))  # neither hip nor spine nor nose
    scored = {H36M_17.joints[j].replace("thorax", "neck") for j in pck_joints(H36M_17)}
    assert scored == {MUPOTS_17.joints[j] for j in range(14)}
    assert len(pck_joints(H36M_17)) == 14
    assert len(pck_joints(COCO_17)) == 12


# ---- metrics -------------------------------------------------------------------------------------


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(axis=-1))


def plain_rescaled(pose, true, skeleton):
    after = pose.copy()
    for joint in skeleton.order[1:]:
        parent = skeleton.parents[joint]
        bone = pose[joint] - pose[parent]
        length = np.linalg.norm(true[joint] - true[parent])
        after[joint] = after[parent] + bone * length / np.linalg.norm(bone)
    return after


def plain_scene(predicted, target, counted, skeleton, joints, rescaled):
    """One person-frame after another, from the definitions."""
    root, total = skeleton.root, counted.sum()
    found = counted & ~np.isnan(predicted).any(axis=(2, 3))
    places = list(zip(*np.nonzero(found), strict=True))
    dot = sum((predicted[i] * target[i]).sum() for i in places)
    scale = dot / sum((predicted[i] ** 2).sum() for i in places)

    def relative(pose):
        return pose - pose[root]

    def share(absolute, limit):
        right = 0
        for i in places:
            p, t = predicted[i], target[i]
            p = plain_rescaled(p, t, skeleton) if rescaled else p
            p, t = (p, t) if absolute else (relative(p), relative(t))
            right += (distance(p, t)[joints] < limit).sum()
        return right / (total * len(joints))

    jitter = []
    for person, t in zip(*np.nonzero(found), strict=True):
        if t + 2 < found.shape[1] and found[person, t + 1] and found[person, t + 2]:
            p, q = predicted[person, t : t + 3], target[person, t : t + 3]
            second = (p[0] - 2 * p[1] + p[2]) - (q[0] - 2 * q[1] + q[2])
            jitter.append(np.linalg.norm(second, axis=-1).mean())
    limits = [k * 0.005 for k in range(31)]
    pairs = [(predicted[i], target[i]) for i in places]
    return {
        "matched": found.sum() / total,
        "mrpe": np.mean([distance(p[root], t[root]) for p, t in pairs]),
        "n_mrpe": np.mean([distance(scale * p[root], t[root]) for p, t in pairs]),
        "mpjpe": np.mean([distance(relative(p), relative(t)).mean() for p, t in pairs]),
        "mrpe_median": np.median([distance(p[root], t[root]) for p, t in pairs]),
        "mpjpe_median": np.median([distance(relative(p), relative(t)).mean() for p, t in pairs]),
        "n_mpjpe": np.mean([distance(relative(scale * p), relative(t)).mean() for p, t in pairs]),
        "pck3d": share(False, 0.15),
        "pck3d_absolute": share(True, 0.15),
        "auc3d": np.mean([share(False, limit) for limit in limits]),
        "auc3d_absolute": np.mean([share(True, limit) for limit in limits]),
        "acceleration_error": np.mean(jitter),
    }


@BOTH
@pytest.mark.parametrize("rescaled", [False, True])
def test_a_scene_is_scored_as_by_the_plain_loop(skeleton, rescaled, device):
    predicted, target = people(3, 12, device=device)
    counted = torch.rand(3, 12) < 0.8
    lost = torch.rand(3, 12) < 0.15
    predicted[lost.to(device)] = nan
    target[~counted.to(device)] = nan  # what is not counted is not looked at
    scores = evaluate_scene(predicted, target, counted.to(device), skeleton, bone_lengths=rescaled)
    assert set(scores) == NAMES and all(type(value) is float for value in scores.values())
    given = (values.cpu().numpy() for values in (predicted, target, counted))
    plain = plain_scene(*given, skeleton, list(pck_joints(skeleton)), rescaled)
    assert (counted & lost).any() and (~counted).any()
    assert scores == pytest.approx(plain, abs=1e-6)
    assert 0 < scores["pck3d_absolute"] < scores["pck3d"] < 1


def test_a_scene_by_hand():
    """Two people over three frames; the second is found in the first frame only, 4 m too near."""
    target = torch.zeros(2, 3, 17, 3)
    target[..., 2] = 4.0
    target[1, ..., 2] = 8.0
    predicted = target.clone()
    predicted[0, :, 0, 0] = 0.34  # one joint of 17 is 340 mm off
    predicted[0, 1, :, 1] = 0.1  # the whole person 100 mm lower, in one frame
    predicted[1, 0, ..., 2] = 4.0
    predicted[1, 1:] = nan
    scores = evaluate_scene(predicted, target, everyone(2, 3), MUPOTS_17)
    assert scores["matched"] == pytest.approx(4 / 6)
    assert scores["mrpe"] == pytest.approx((0 + 0.1 + 0 + 4) / 4)
    assert scores["mpjpe"] == pytest.approx(3 * 0.34 / 17 / 4)
    assert scores["mrpe_median"] == pytest.approx((0 + 0.1) / 2)  # of 0, 0, 0.1 and 4 m
    assert scores["mpjpe_median"] == pytest.approx(0.34 / 17)
    assert scores["pck3d"] == pytest.approx((3 * 13 + 14) / (6 * 14))
    # the joint is (0.34, 0.1) off in the second frame; the others there are 100 mm off
    assert scores["pck3d_absolute"] == pytest.approx(3 * 13 / (6 * 14))
    assert scores["acceleration_error"] == pytest.approx(0.2, abs=1e-6)


def test_the_root_counts_as_a_joint_without_error():
    """103 mm over 17 joints are 109.4 mm over the 16 that can be wrong (Table 2)."""
    predicted, target = people(2, 4)
    predicted[..., MUPOTS_17.root, :] = target[..., MUPOTS_17.root, :]
    scores = evaluate_scene(predicted, target, everyone(2, 4), MUPOTS_17)
    others = [j for j in range(17) if j != MUPOTS_17.root]
    sixteen = (predicted - target).norm(dim=-1)[..., others].mean().item()
    assert scores["mpjpe"] == pytest.approx(16 / 17 * sixteen)


def test_one_scale_serves_all_people():
    """Both people half as large and near: nothing is left. One of them only: something is."""
    _, target = people(2, 5)
    counted = everyone(2, 5)
    both = evaluate_scene(target / 2, target, counted, MUPOTS_17)
    assert both["n_mrpe"] == pytest.approx(0, abs=1e-12)
    assert both["n_mpjpe"] == pytest.approx(0, abs=1e-12)
    assert both["mrpe"] > 1 and both["mpjpe"] > 0.1
    one = evaluate_scene(torch.stack([target[0] / 2, target[1]]), target, counted, MUPOTS_17)
    assert one["n_mrpe"] > 0.5 and one["n_mpjpe"] > 0.05


def test_bone_lengths_change_the_shares_alone():
    """A person twice as large, in the right posture, is right by all joints after rescaling."""
    _, target = people(1, 4)
    root = target[..., MUPOTS_17.root : MUPOTS_17.root + 1, :]
    predicted = root + 2 * (target - root)
    counted = everyone(1, 4)
    plain = evaluate_scene(predicted, target, counted, MUPOTS_17)
    fitted = evaluate_scene(predicted, target, counted, MUPOTS_17, bone_lengths=True)
    assert plain["pck3d"] < 0.5 and fitted["pck3d"] == fitted["pck3d_absolute"] == 1
    assert fitted["auc3d"] == pytest.approx(30 / 31)  # nothing is closer than 0
    for name in ("mrpe", "mpjpe", "n_mrpe", "n_mpjpe", "acceleration_error"):
        assert plain[name] == fitted[name]


def test_chosen_joints_alone_are_scored():
    _, target = people(1, 3)
    predicted = target.clone()
    predicted[..., 4, :] += 1.0
    counted = everyone(1, 3)
    assert evaluate_scene(predicted, target, counted, MUPOTS_17, joints=[3, 4])["pck3d"] == 0.5
    assert evaluate_scene(predicted, target, counted, MUPOTS_17, joints=[14, 16])["pck3d"] == 1


def test_people_and_frames_have_no_order_and_where_the_scene_is_does_not_matter():
    predicted, target = people(3, 8)
    counted = torch.rand(3, 8) < 0.9
    scores = evaluate_scene(predicted, target, counted, MUPOTS_17)
    shuffled = evaluate_scene(predicted.flip(0), target.flip(0), counted.flip(0), MUPOTS_17)
    backwards = evaluate_scene(predicted.flip(1), target.flip(1), counted.flip(1), MUPOTS_17)
    assert shuffled == pytest.approx(scores) and backwards == pytest.approx(scores)
    shift = torch.tensor([0.5, -0.3, 1.0], dtype=torch.float64)
    moved = evaluate_scene(predicted + shift, target + shift, counted, MUPOTS_17)
    for name in NAMES - {"n_mrpe", "n_mpjpe"}:  # scales are about the camera
        assert moved[name] == pytest.approx(scores[name])


def test_nobody_found_and_no_three_frames_in_a_row():
    predicted, target = people(1, 4)
    counted, nobody = everyone(1, 4), torch.full_like(predicted, nan)
    scores = evaluate_scene(nobody, target, counted, MUPOTS_17, bone_lengths=True)
    assert scores["matched"] == scores["pck3d"] == scores["auc3d_absolute"] == 0
    assert isnan(scores["mrpe"]) and isnan(scores["n_mpjpe"])
    assert isnan(scores["acceleration_error"]) and set(scores) == NAMES
    counted[0, 1] = False
    assert isnan(evaluate_scene(predicted, target, counted, MUPOTS_17)["acceleration_error"])
    two = evaluate_scene(predicted[:, :2], target[:, :2], counted[:, :2], MUPOTS_17)
    assert isnan(two["acceleration_error"]) and two["mrpe"] > 0


def test_scenes_count_alike():
    long = evaluate_scene(*people(2, 9), everyone(2, 9), MUPOTS_17)
    short = evaluate_scene(*people(1, 3), everyone(1, 3), MUPOTS_17)
    mean = pooled_scenes([long, short])
    assert mean == pytest.approx({name: (long[name] + short[name]) / 2 for name in NAMES})
    assert isnan(pooled_scenes(iter([long, short | {"mrpe": nan}]))["mrpe"])


# ---- what is refused -----------------------------------------------------------------------------


def scene(**changes):
    given = dict(zip(("predicted", "target"), people(2, 4), strict=True))
    given |= {"counted": everyone(2, 4), "skeleton": MUPOTS_17}
    return evaluate_scene(**(given | changes))


def holed(value, joint=slice(None)):
    poses, _ = people(2, 4)
    poses[1, 2, joint] = value
    return poses


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counted": torch.zeros(2, 4, dtype=torch.bool)}, "no person-frame is counted"),
        ({"counted": torch.ones(2, 4)}, r"counted: torch.float32 of shape \(2, 4\); expected bool"),
        ({"counted": everyone(4, 2)}, r"shape \(4, 2\); .* of shape \(2, 4\)"),
        ({"predicted": torch.zeros(2, 4, 16, 3)}, r"expected \(\.\.\., 17, 3\), the joints of mup"),
        ({"predicted": torch.zeros(1, 4, 17, 3)}, "all of the same shape"),
        ({"skeleton": HUMANEVA_15}, r"\(\.\.\., 15, 3\), the joints of humaneva_15"),
        ({"target": holed(nan)}, "target: NaN or infinite values in counted frames"),
        ({"predicted": holed(nan, 3)}, "predicted: poses of which some values are NaN"),
        ({"predicted": holed(float("inf"))}, "predicted: poses of which some values are NaN"),
        ({"joints": [17]}, r"joints \(17,\) of 17"),
        ({"joints": []}, r"joints \(\) of 17"),
    ],
)
def test_scenes_that_cannot_be_scored(changes, said):
    with pytest.raises(ValueError, match=said):
        scene(**changes)


def test_a_single_person_needs_an_axis_too():
    predicted, target = people(4)
    with pytest.raises(ValueError, match="a person and a frame each"):
        evaluate_scene(predicted, target, everyone(4), MUPOTS_17)


@pytest.mark.parametrize(
    ("predicted", "annotated", "joints", "said"),
    [
        ((2, 17, 2), (2, 16, 2), [1], "of the same frames and joints"),
        ((2, 17, 3), (2, 17, 3), [1], "in pixels"),
        ((3, 2, 17, 2), (2, 17, 2), [1], r"expected \(T, P', J, 2\)"),
        ((2, 12, 2), (2, 12, 2), range(1, 14), r"joints \(1, 2, .* of 12"),
        ((2, 17, 2), (2, 17, 2), [-1], r"joints \(-1,\) of 17"),
    ],
)
def test_keypoints_that_cannot_be_matched(predicted, annotated, joints, said):
    with pytest.raises(ValueError, match=said):
        match_people(torch.zeros(predicted), torch.zeros(annotated), joints)


def test_other_wrong_input():
    with pytest.raises(ValueError, match="2 scenes with 2 sets of metrics"):
        pooled_scenes([{"mrpe": 1.0}, {"mpjpe": 1.0}])
    with pytest.raises(ValueError, match="0 scenes"):
        pooled_scenes([])
    with pytest.raises(ValueError, match=r"scores from 0 to 1\.5"):
        pose_sets(torch.tensor([[0.0, 1.5]]))
    with pytest.raises(ValueError, match="no NaN"):
        pose_sets(torch.tensor([[nan]]))
    with pytest.raises(ValueError, match=r"expected \(T, P\) indices"):
        matched_poses(torch.zeros(2, 3, 17, 3), torch.tensor([[0, 3], [0, 1]]))
    with pytest.raises(ValueError, match=r"counted: torch\.bool of shape"):
        match_sequence(*torch.zeros(2, 2, 1, 17, 2), everyone(1, 2))
    with pytest.raises(ValueError, match="unknown joint of humaneva_15 'head_top'"):
        universal(torch.ones(2, 15, 3), HUMANEVA_15)
    for of_no_size in (torch.ones(2, 17, 3), torch.full((2, 17, 3), nan)):
        with pytest.raises(ValueError, match="cannot be rescaled"):
            universal(of_no_size, MUPOTS_17)
    with pytest.raises(ValueError, match="height=0"):
        universal(people(2)[0], MUPOTS_17, height=0)
    with pytest.raises(ValueError, match="all of the same shape"):
        rescale_bones(torch.zeros(2, 17, 3), torch.zeros(3, 17, 3), MUPOTS_17)
