"""Each metric by hand, against a formula of its own in NumPy, and under what must not change it."""

from math import pi

import numpy as np
import pytest
import torch
from samples import aligned
from scipy.spatial.transform import Rotation

from paperlib.metrics import (
    acceleration_error,
    auc3d,
    best_scale,
    mean_angle_error,
    mpjpe,
    mpjve,
    mrpe,
    n_mpjpe,
    n_mrpe,
    p_mpjpe,
    pck3d,
    pooled,
    weighted_mpjpe,
)

_AS_THEY_ARE = mpjpe, p_mpjpe, n_mpjpe, mpjve, acceleration_error, mrpe, n_mrpe, mean_angle_error
METRICS = {metric.__name__: metric for metric in _AS_THEY_ARE} | {
    "n_mpjpe_sequence": lambda p, t, **kw: n_mpjpe(p, t, scale="sequence", **kw),
    "pck3d": lambda p, t, **kw: pck3d(p, t, threshold=1.0, **kw),
    "auc3d": lambda p, t, **kw: auc3d(p, t, thresholds=torch.linspace(0, 2, 21), **kw),
    "weighted_mpjpe": lambda p, t, **kw: weighted_mpjpe(p, t, torch.ones_like(p[..., 0, 0]), **kw),
}
PRECISIONS = {torch.float32: 3e-6, torch.float64: 1e-13}
EVERY_METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
BOTH_PRECISIONS = pytest.mark.parametrize(("dtype", "close"), PRECISIONS.items(), ids=str)


def random_poses(*shape, dtype=torch.float64, device="cpu"):
    """Targets like people a few metres away, and predictions that miss them."""
    target = torch.randn(*shape, 17, 3, dtype=torch.float64) * 0.5
    target += torch.tensor([0.5, -0.2, 5.0], dtype=torch.float64)
    predicted = target * 0.9 + torch.randn(*shape, 17, 3, dtype=torch.float64) * 0.3
    return predicted.to(device, dtype), target.to(device, dtype)


def sequence(*rows) -> torch.Tensor:
    """One joint over time, ``(T, 1, 3)``."""
    return torch.tensor(rows, dtype=torch.float64)[:, None]


# ---- the same numbers from formulas of their own -------------------------------------------------


def distance(a, b):
    return np.sqrt(((a - b) ** 2).sum(axis=-1))


def pose_by_pose(p, t, aligned):
    poses = zip(p.reshape(-1, 17, 3), t.reshape(-1, 17, 3), strict=True)
    return np.mean([distance(aligned(a, b), b).mean() for a, b in poses])


def scaled(p, t):
    return p * np.vdot(p, t) / np.vdot(p, p)


PLAIN = {
    "mpjpe": lambda p, t: distance(p, t).mean(),
    "p_mpjpe": lambda p, t: pose_by_pose(p, t, aligned),
    "n_mpjpe": lambda p, t: pose_by_pose(p, t, scaled),
    "n_mpjpe_sequence": lambda p, t: distance(scaled(p, t), t).mean(),
    "mpjve": lambda p, t: distance(np.diff(p, axis=1), np.diff(t, axis=1)).mean(),
    "acceleration_error": lambda p, t: distance(np.diff(p, 2, 1), np.diff(t, 2, 1)).mean(),
    "mrpe": lambda p, t: distance(p[..., 0, :], t[..., 0, :]).mean(),
    "n_mrpe": lambda p, t: distance(scaled(p, t), t)[..., 0].mean(),
    "pck3d": lambda p, t: (distance(p, t) < 1.0).mean(),
    "auc3d": lambda p, t: np.mean([(distance(p, t) < k / 10).mean() for k in range(21)]),
    "mean_angle_error": lambda p, t: np.linalg.norm((p - t).reshape(-1, 51), axis=1).mean(),
    "weighted_mpjpe": lambda p, t: distance(p, t).mean(),
}


@BOTH_PRECISIONS
@pytest.mark.parametrize("name", METRICS)
def test_metric_is_the_formula(name, dtype, close, device):
    predicted, target = random_poses(3, 9, dtype=dtype, device=device)
    value = METRICS[name](predicted, target)
    assert value.shape == ()
    assert value.device.type == device.type
    plain = PLAIN[name](predicted.cpu().double().numpy(), target.cpu().double().numpy())
    slack = 1e-6 if name in ("pck3d", "auc3d") else 20 * close  # percentages are float32
    assert value.item() == pytest.approx(plain, abs=slack)
    assert 0 < value.item() < 20


@BOTH_PRECISIONS
@EVERY_METRIC
def test_metric_keeps_the_precision_it_is_given(metric, dtype, close):
    predicted, target = random_poses(2, 5, dtype=dtype)
    value = metric(predicted, target)
    if metric not in (METRICS["pck3d"], METRICS["auc3d"]):
        assert value.dtype == dtype


# ---- worked by hand ------------------------------------------------------------------------------


def test_arrays_are_taken_as_tensors_are():
    a, b = random_poses(5)
    for metric in (mpjpe, p_mpjpe, n_mpjpe, mpjve, mrpe, pck3d, auc3d):
        assert torch.equal(metric(a.numpy(), b.numpy()), metric(a, b))
    with pytest.raises(ValueError, match=r"\(16, 3\) and target \(17, 3\) must have the same"):
        mpjpe(np.zeros((16, 3)), np.zeros((17, 3)))


def test_mpjpe_and_weighted_mpjpe_by_hand():
    target = torch.zeros(2, 2, 3)
    predicted = torch.tensor([[[3.0, 4, 0], [0, 0, 1]], [[0, 0, 0], [0, 2, 0]]])
    assert mpjpe(predicted, target).item() == 2.0  # 5, 1, 0 and 2
    assert mpjpe(predicted, target, reduction="none").tolist() == [[5.0, 1.0], [0.0, 2.0]]
    by_pose, by_joint = torch.tensor([0.5, 2.0]), torch.tensor([[1.0, 0.0], [7.0, 0.5]])
    assert weighted_mpjpe(predicted, target, by_pose).item() == (2.5 + 0.5 + 0 + 4) / 4
    assert weighted_mpjpe(predicted, target, by_joint).item() == (5 + 0 + 0 + 1) / 4


def test_p_mpjpe_by_hand():
    # a cross of four points, one arm of it moved by 1 along the axis it stands on
    target = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]).double()
    predicted = target.clone()
    predicted[0, 0] = 2.0
    # centred: x = 7/4, -5/4, -1/4, -1/4; times the target 5, times itself 27/4: scale 20/27.
    # What is left: 8/27, 2/27, and twice (5/27, 7/27)
    expected = (8 + 2 + 2 * 74**0.5) / 27 / 4
    assert p_mpjpe(predicted, target).item() == pytest.approx(expected, abs=1e-12)


def test_n_mpjpe_by_hand():
    # pose 1 is half as large, pose 2 a third: one scale each leaves no error
    target = torch.ones(2, 1, 3, dtype=torch.float64)
    predicted = torch.stack([target[0] / 2, target[1] / 3])
    assert n_mpjpe(predicted, target).item() == pytest.approx(0, abs=1e-15)
    # one scale for both: (3/2 + 3/3) / (3/4 + 3/9) = 30/13
    expected = 3**0.5 * ((15 / 13 - 1) + (1 - 10 / 13)) / 2
    shared = n_mpjpe(predicted, target, scale="sequence").item()
    assert shared == pytest.approx(expected, abs=1e-12)


def test_mpjve_and_acceleration_by_hand():
    target = sequence([0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0])
    predicted = sequence([0, 0, 0], [1, 3, 0], [2, 3, 4], [3, 3, 4])
    # velocities differ by 3 along y, by 4 along z, by nothing
    assert mpjve(predicted, target, reduction="none").flatten().tolist() == [3.0, 4.0, 0.0]
    assert mpjve(predicted, target).item() == pytest.approx(7 / 3)
    # accelerations by (0, -3, 4) and (0, 0, -4)
    assert acceleration_error(predicted, target, "none").flatten().tolist() == [5.0, 4.0]
    assert acceleration_error(predicted, target).item() == 4.5


def test_mrpe_by_hand():
    target = torch.zeros(2, 3, 3)
    predicted = torch.full((2, 3, 3), 100.0)
    predicted[:, 0] = torch.tensor([[0.0, 3, 4], [1, 0, 0]])
    predicted[:, 2] = torch.tensor([[2.0, 0, 0], [0, 0, 8]])
    assert mrpe(predicted, target).item() == 3.0
    assert mrpe(predicted, target, root=2).item() == 5.0
    assert mrpe(predicted, target, reduction="none").tolist() == [5.0, 1.0]


def test_n_mrpe_has_one_scale_for_all_people():
    # two people of one root and one other joint each, in one frame, along z
    target = torch.zeros(2, 1, 2, 3, dtype=torch.float64)
    target[0, 0, :, 2], target[1, 0, :, 2] = torch.tensor([4.0, 4.0]), torch.tensor([2.0, 2.0])
    predicted = target.clone()
    predicted[0] /= 2
    # <p, t> = 8 + 8 + 4 + 4 = 24; <p, p> = 4 + 4 + 4 + 4 = 16; the scale is 1.5
    expected = [[1.0], [1.0]]  # 1.5 * 2 against 4, and 1.5 * 2 against 2
    assert n_mrpe(predicted, target, reduction="none").tolist() == expected
    alone = [n_mrpe(p, t).item() for p, t in zip(predicted, target, strict=True)]
    assert alone == [0.0, 0.0]


def test_pck_counts_what_is_strictly_closer():
    target = torch.zeros(1, 4, 3)
    predicted = torch.zeros(1, 4, 3)
    predicted[0, :, 1] = torch.tensor([0.0, 0.124, 0.125, 0.126])
    assert pck3d(predicted, target, threshold=0.125).item() == 0.5
    kept = pck3d(predicted, target, threshold=0.125, reduction="none")
    assert kept.tolist() == [[True, True, False, False]]
    assert pck3d(predicted, target).item() == 1.0  # 150 mm unless told otherwise
    assert pck3d(predicted * 1000, target, threshold=150).item() == 1.0


@BOTH_PRECISIONS
def test_auc_is_the_mean_over_31_thresholds(dtype, close):
    target = torch.zeros(1, 4, 3, dtype=dtype)
    predicted = target.clone()
    predicted[0, :, 2] = torch.tensor([0.0, 0.0725, 0.1475, 0.151], dtype=dtype)
    each = auc3d(predicted, target, reduction="none")[0] * 31
    # nothing is closer than 0; then 5 ... 150 mm, 75 ... 150 mm, 150 mm alone, none
    assert each.tolist() == pytest.approx([30, 16, 1, 0], abs=1e-5)
    assert auc3d(predicted, target).item() == pytest.approx(47 / 31 / 4, abs=1e-6)


def test_auc_thresholds_are_as_exact_as_the_poses():
    target = torch.zeros(1, 29, 3, dtype=torch.float64)
    predicted = target.clone()
    predicted[0, :, 0] = torch.arange(1, 30, dtype=torch.float64) * 0.005 + 1e-10
    each = auc3d(predicted, target, reduction="none")[0] * 31
    assert each.round().tolist() == list(range(29, 0, -1))


def test_auc_takes_other_thresholds():
    predicted, target = torch.tensor([[[0.0, 3.0, 4.0]]]), torch.zeros(1, 1, 3)
    thresholds = torch.tensor([1.0, 5.0, 6.0, 50.0])
    assert auc3d(predicted, target, thresholds).item() == 0.5


def test_mean_angle_error_by_hand():
    target = torch.zeros(2, 2, 3, dtype=torch.float64)
    predicted = target.clone()
    predicted[0, 0, 0], predicted[0, 1, 2], predicted[1, 1, 1] = 3.0, 4.0, 2 * pi - 1
    assert mean_angle_error(predicted, target, reduction="none").tolist() == [5.0, 2 * pi - 1]
    assert mean_angle_error(predicted, target).item() == pytest.approx((4 + 2 * pi) / 2)
    wrapped = mean_angle_error(predicted, target, wrap=True, reduction="none").tolist()
    assert wrapped == pytest.approx([((2 * pi - 4) ** 2 + 9) ** 0.5, 1.0])


def test_best_scale_by_hand():
    predicted = torch.tensor([[[1.0, 0, 0], [0, 2, 0]]])
    target = torch.tensor([[[2.0, 9, 0], [0, 3, 9]]])
    assert best_scale(predicted, target).flatten().tolist() == pytest.approx([8 / 5])
    assert best_scale(torch.zeros(1, 2, 3), target).item() == 0.0


# ---- what changes a metric, and what does not ----------------------------------------------------


def moved(poses, angle=1.1, shift=(0.3, -2.0, 1.0)):
    turn = torch.from_numpy(Rotation.from_rotvec(np.array([0.6, 0.0, 0.8]) * angle).as_matrix())
    return poses @ turn.T + torch.tensor(shift, dtype=torch.float64)


@pytest.mark.parametrize("name", ["mpjpe", "p_mpjpe", "mpjve", "acceleration_error", "mrpe"])
def test_moving_both_poses_changes_nothing(name):
    predicted, target = random_poses(2, 6)
    value = METRICS[name](predicted, target).item()
    assert METRICS[name](moved(predicted), moved(target)).item() == pytest.approx(value)


def test_p_mpjpe_forgives_any_similarity_but_no_reflection():
    predicted, target = random_poses(2, 6)
    value = p_mpjpe(predicted, target).item()
    assert p_mpjpe(2.5 * moved(predicted), target).item() == pytest.approx(value)
    assert p_mpjpe(moved(target) * 0.1, target).item() == pytest.approx(0, abs=1e-12)
    mirrored = target * torch.tensor([-1.0, 1.0, 1.0])
    assert p_mpjpe(mirrored, target).item() > 0.1
    assert p_mpjpe(predicted, target) < mpjpe(predicted, target)


@pytest.mark.parametrize("scale", ["pose", "sequence"])
def test_n_mpjpe_forgives_size_only(scale):
    predicted, target = random_poses(2, 6)
    value = n_mpjpe(predicted, target, scale).item()
    assert n_mpjpe(3.0 * predicted, target, scale).item() == pytest.approx(value)
    assert n_mpjpe(0.2 * target, target, scale).item() == pytest.approx(0, abs=1e-12)
    assert n_mpjpe(moved(target), target, scale).item() > 0.1
    own = torch.linspace(0.5, 2, 6, dtype=torch.float64)[:, None, None]
    forgiven = n_mpjpe(own * target, target, scale).item()
    assert (forgiven < 1e-12) == (scale == "pose")


def test_n_mrpe_forgives_one_size_for_the_sequence():
    predicted, target = random_poses(2, 6)
    value = n_mrpe(predicted, target).item()
    assert n_mrpe(3.0 * predicted, target).item() == pytest.approx(value)
    people = torch.tensor([0.5, 2.0], dtype=torch.float64)[:, None, None, None]
    assert n_mrpe(people * target, target).item() > 0.1


@pytest.mark.parametrize("metric", [mpjve, acceleration_error])
def test_a_constant_offset_is_no_motion(metric):
    predicted, target = random_poses(2, 9)
    value = metric(predicted, target).item()
    offset = torch.randn(1, 1, 17, 3, dtype=torch.float64)
    assert metric(predicted + offset, target).item() == pytest.approx(value)
    assert metric(target + offset, target).item() == pytest.approx(0, abs=1e-12)
    drift = torch.arange(9, dtype=torch.float64)[:, None, None] * offset
    assert (metric(target + drift, target).item() < 1e-12) == (metric is acceleration_error)


@pytest.mark.parametrize("metric", [mpjve, acceleration_error])
def test_order_of_frames_matters_to_motion_alone(metric):
    predicted, target = random_poses(12)
    order = torch.randperm(12)
    shuffled = metric(predicted[order], target[order]).item()
    assert abs(shuffled - metric(predicted, target).item()) > 1e-3
    alike = mpjpe(predicted, target).item()
    assert mpjpe(predicted[order], target[order]).item() == pytest.approx(alike)


def test_motion_does_not_run_from_one_sequence_into_the_next():
    predicted, target = random_poses(4, 5)
    alone = [mpjve(p, t).item() for p, t in zip(predicted, target, strict=True)]
    assert mpjve(predicted, target).item() == pytest.approx(np.mean(alone))


@pytest.mark.parametrize(
    "name", ["mpjpe", "p_mpjpe", "n_mpjpe", "n_mpjpe_sequence", "mpjve", "mrpe", "n_mrpe"]
)
def test_metric_returns_the_unit_it_is_given(name):
    predicted, target = random_poses(2, 6)
    metres = METRICS[name](predicted, target).item()
    assert METRICS[name](1000 * predicted, 1000 * target).item() == pytest.approx(1000 * metres)


@EVERY_METRIC
def test_perfect_poses_have_no_error(metric):
    _, target = random_poses(2, 6)
    perfect = metric(target, target).item()
    right = {METRICS["pck3d"]: 1.0, METRICS["auc3d"]: 20 / 21}.get(metric, 0.0)
    assert perfect == pytest.approx(right, abs=1e-7)


# ---- shapes, gradients, refusals -----------------------------------------------------------------

OTHER_SHAPES = {"mpjve": (2, 5, 17), "acceleration_error": (2, 4, 17)}  # than (2, 6, 17)
OTHER_SHAPES |= dict.fromkeys(("mrpe", "n_mrpe", "mean_angle_error"), (2, 6))


@pytest.mark.parametrize("name", METRICS)
def test_unreduced_metric_averages_to_the_reduced_one(name):
    predicted, target = random_poses(2, 6)
    each = METRICS[name](predicted, target, reduction="none")
    assert each.shape == OTHER_SHAPES.get(name, (2, 6, 17))
    whole = METRICS[name](predicted, target).item()
    assert each.double().mean().item() == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"pck3d", "auc3d"}))
@pytest.mark.parametrize("case", ["random", "perfect", "flat"])
def test_gradients_are_finite(name, case):
    predicted, target = random_poses(2, 5)
    if case == "perfect":
        predicted = target.clone()
    if case == "flat":
        target[..., 2] = 1.0
    predicted.requires_grad_()
    METRICS[name](predicted, target).backward()
    assert torch.isfinite(predicted.grad).all()
    if case == "random":
        assert predicted.grad.abs().max() > 0


def test_gradient_of_p_mpjpe_is_the_slope():
    predicted, target = random_poses(2)
    assert torch.autograd.gradcheck(p_mpjpe, (predicted.requires_grad_(), target))


@EVERY_METRIC
def test_poses_of_different_shapes_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(4, 17, 3\).*\(4, 16, 3\).*same shape \(\.\.\., J, 3"):
        metric(torch.zeros(4, 17, 3), torch.zeros(4, 16, 3))
    with pytest.raises(ValueError, match="same shape"):
        metric(torch.zeros(4, 17, 3), torch.zeros(17, 3))  # would broadcast
    with pytest.raises(ValueError, match="same shape"):
        metric(torch.zeros(4, 17, 2), torch.zeros(4, 17, 2))


@EVERY_METRIC
@pytest.mark.parametrize("shape", [(0, 5, 17, 3), (5, 0, 3)])
def test_nothing_to_compare_is_refused(metric, shape):
    with pytest.raises(ValueError, match="no poses to compare"):
        metric_weightless(metric)(torch.zeros(shape), torch.zeros(shape))


def metric_weightless(metric):
    """The weighted metric with a weight for every joint, so that poses may have no joints."""
    if metric is METRICS["weighted_mpjpe"]:
        return lambda p, t: weighted_mpjpe(p, t, torch.ones(p.shape[:-1]))
    return metric


@EVERY_METRIC
def test_unknown_reduction_is_refused(metric):
    predicted, target = random_poses(1, 5)
    with pytest.raises(ValueError, match=r"unknown reduction 'sum'.*'mean', 'none'"):
        metric(predicted, target, reduction="sum")


@pytest.mark.parametrize(("metric", "least"), [(mpjve, 2), (acceleration_error, 3)])
def test_too_few_frames_are_refused(metric, least):
    enough = torch.zeros(2, least, 17, 3)
    assert metric(enough, enough).item() == 0
    with pytest.raises(ValueError, match=f"more than {least - 1} frames"):
        metric(enough[:, 1:], enough[:, 1:])
    with pytest.raises(ValueError, match=r"needs \(\.\.\., T, J, 3\)"):
        metric(torch.zeros(17, 3), torch.zeros(17, 3))


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match=r"unknown scale 'frame'.*'pose', 'sequence'"):
        n_mpjpe(torch.ones(2, 17, 3), torch.ones(2, 17, 3), scale="frame")


@pytest.mark.parametrize("metric", [mrpe, n_mrpe])
def test_a_root_that_is_no_joint_is_refused(metric):
    with pytest.raises(ValueError, match="root=14 is none of the 3 joints"):
        metric(torch.ones(2, 3, 3), torch.ones(2, 3, 3), root=14)


@pytest.mark.parametrize("shape", [(5,), (5, 9, 1, 1), (5, 5, 17)])
def test_weights_that_are_not_one_for_each_pose_or_joint_are_refused(shape):
    poses = torch.zeros(5, 5, 5, 3)
    with pytest.raises(ValueError, match="weight"):
        weighted_mpjpe(poses, poses, torch.ones(shape))


def test_weights_may_be_an_array():
    poses, weight = np.random.default_rng(0).random((4, 5, 3)), np.arange(4)
    expected = weighted_mpjpe(*map(torch.tensor, (poses, 0 * poses, weight)))
    assert torch.equal(weighted_mpjpe(poses, 0 * poses, weight), expected)


# ---- averages over sequences and actions ---------------------------------------------------------


def test_frames_count_within_an_action_and_actions_count_alike():
    means, overall = pooled([10.0, 20.0, 40.0], [1, 3, 2], ["walk", "walk", "sit"])
    assert means == {"walk": 17.5, "sit": 40.0}  # (10 + 3 * 20) / 4
    assert overall == 28.75


def test_sequences_that_are_their_own_groups_count_alike():
    means, overall = pooled([1.0, 2.0, 6.0], [100, 1, 5], range(3))
    assert means == {0: 1.0, 1: 2.0, 2: 6.0}
    assert overall == 3.0


def test_pooling_by_frames_is_the_mean_over_frames():
    predicted, target = random_poses(10)
    parts = [slice(0, 2), slice(2, 9), slice(9, 10)]
    values = [mpjpe(predicted[s], target[s]) for s in parts]
    _, overall = pooled(values, [2, 7, 1], ["walk"] * 3)
    assert overall == pytest.approx(mpjpe(predicted, target).item())


@pytest.mark.parametrize("nothing", [([], [], []), ([1.0], [0], ["walk"])])
def test_pooling_nothing_is_refused(nothing):
    with pytest.raises(ValueError, match="at least one frame"):
        pooled(*nothing)


def test_pooling_lists_of_different_lengths_is_refused():
    with pytest.raises(ValueError, match="argument"):
        pooled([1.0, 2.0], [1], ["walk", "sit"])
