"""Predictions have a pose for each frame, and their errors are averaged as the paper does."""

import math
from dataclasses import replace

import numpy as np
import pytest
import samples
import torch
from networks import lifting as model
from torch import nn

from paperlib import metrics
from paperlib.evaluation import Evaluation, compare, evaluate, joined
from paperlib.prediction import predict
from paperlib.recordings import Recording


def recording(frames, action="walking", subject="S6", **changes) -> Recording:
    fields = {"action": action, "subject": subject, "confidence": torch.ones(frames, 17)}
    return samples.recording(frames, **(fields | changes))


@pytest.mark.parametrize("act", ["predict", "evaluate"])
def test_the_model_is_left_in_evaluation_mode_and_otherwise_as_it_was(act):
    net = model()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    if act == "predict":
        predict(net, recording(20))
    else:
        evaluate(net, [recording(20)], device="cpu")
    assert not any(m.training for m in net.modules())
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(p.grad is None for p in net.parameters())


# ---- errors --------------------------------------------------------------------------------------


KINDS = ("10 walking S6", "3 walking S7", "25 boxing S6", "4 boxing S7", "6 reaching S7")
RECORDINGS = tuple(recording(int(n), *about) for n, *about in map(str.split, KINDS))


def by_hand(net) -> dict[str, list[float]]:
    found = {"mpjpe": [], "n_mpjpe": [], "p_mpjpe": [], "mpjve": [], "acceleration_error": []}
    for one in RECORDINGS:
        target = one.positions.double().numpy()
        target = target - target[:, :1]
        given = predict(net, one).double().numpy()

        def distance(a, b):
            return float(np.sqrt(((a - b) ** 2).sum(-1)).mean())

        found["mpjpe"].append(distance(given, target))
        scale = (given * target).sum((1, 2)) / (given * given).sum((1, 2))
        found["n_mpjpe"].append(distance(scale[:, None, None] * given, target))
        aligned = []
        for p, q in zip(given, target, strict=True):
            p0, q0 = p - p.mean(0), q - q.mean(0)
            u, s, vt = np.linalg.svd(q0.T @ p0)
            s[-1] *= np.sign(np.linalg.det(u @ vt))
            vt[-1] *= np.sign(np.linalg.det(u @ vt))
            aligned.append(s.sum() / (p0**2).sum() * p0 @ (u @ vt).T + q.mean(0))
        found["p_mpjpe"].append(distance(np.stack(aligned), target))
        found["mpjve"].append(distance(given[1:] - given[:-1], target[1:] - target[:-1]))
        found["acceleration_error"].append(distance(np.diff(given, 2, 0), np.diff(target, 2, 0)))
    return found


def test_metrics_and_averages_equal_those_by_hand(device):
    net = model(9)
    result = evaluate(net.to(device), RECORDINGS, device=device.type)
    assert result.recordings == RECORDINGS
    for metric, values in by_hand(net).items():
        assert result.values[metric] == pytest.approx(values, rel=1e-4), metric
        walking = (10 * values[0] + 3 * values[1]) / 13
        boxing = (25 * values[2] + 4 * values[3]) / 29
        reaching = values[4]
        actions, mean = result.per(metric)
        expected = {"walking": walking, "boxing": boxing, "reaching": reaching}
        assert actions == pytest.approx(expected, rel=1e-4)
        assert mean == pytest.approx((walking + boxing + reaching) / 3, rel=1e-4)
        assert result.average(metric) == mean
        frames = sum(len(r) * v for r, v in zip(RECORDINGS, values, strict=True)) / 48
        assert result.frame_mean(metric) == pytest.approx(frames, rel=1e-4)
        first = (10 * values[0] + 25 * values[2]) / 35
        second = (3 * values[1] + 4 * values[3] + 6 * values[4]) / 13
        subjects, mean = result.per(metric, "subject")
        assert subjects == pytest.approx({"S6": first, "S7": second}, rel=1e-4)
        sequences, mean = result.per(metric, "sequence")
        assert list(sequences) == [r.name for r in RECORDINGS]
        assert list(sequences.values()) == pytest.approx(values, rel=1e-4)
        assert mean == pytest.approx(sum(values) / 5, rel=1e-4)
        both, mean = result.per(metric, ("subject", "action"))
        assert list(both)[:3] == [("S6", "walking"), ("S7", "walking"), ("S6", "boxing")]
        assert list(both.values()) == pytest.approx(values, rel=1e-4)
        assert mean == pytest.approx(sum(values) / 5, rel=1e-4)
        assert result.per(metric, ("subject",))[0] == {(s,): v for s, v in subjects.items()}
        assert result.per(metric, "camera")[0] == {"front": result.frame_mean(metric)}


def test_the_frames_of_a_subject_pooled_are_not_its_actions_averaged():
    """Worked by hand: millimetres, frames."""
    about = ("10 walking S9", "30 walking S9", "20 eating S9", "5 walking S11", "45 eating S11")
    recordings = tuple(recording(int(n), *rest) for n, *rest in map(str.split, about))
    found = Evaluation(recordings, {"mpjpe": (40.0, 20.0, 70.0, 10.0, 60.0)})
    pooled, mean = found.per("mpjpe", "subject")
    assert pooled == pytest.approx({"S9": 2400 / 60, "S11": 2750 / 50})  # 40, 55
    assert (found.average("mpjpe", "subject"), mean) == pytest.approx((47.5, 47.5))
    # walking of S9: (400 + 600) / 40
    actions, mean = found.per("mpjpe", "subject", over="action")
    assert actions == pytest.approx({"S9": (25 + 70) / 2, "S11": (10 + 60) / 2})
    assert mean == pytest.approx((47.5 + 35) / 2)
    assert found.average("mpjpe", by="subject", over="action") == mean
    cells = {("S9", "walking"): 25, ("S9", "eating"): 70}
    cells |= {("S11", "walking"): 10, ("S11", "eating"): 60}
    assert found.per("mpjpe", ("subject", "action"))[0] == pytest.approx(cells)
    # the other way round: subjects alike within an action
    assert found.per("mpjpe", ("action",), "subject") == (
        pytest.approx({("walking",): 17.5, ("eating",): 65.0}),
        pytest.approx(41.25),
    )
    assert found.average("mpjpe", (), "action") == pytest.approx(found.average("mpjpe"))


def test_the_root_counts_as_a_joint():
    """The prediction's root is compared with zero, not moved there."""
    one = recording(4)

    class Shifted(nn.Module):
        receptive_field, causal = 1, False

        def __init__(self):
            super().__init__()
            self.nothing = nn.Parameter(torch.zeros(1))

        def forward(self, keypoints):
            return (one.pose + torch.tensor([0.0, 0.0, 0.1])).expand(len(keypoints), -1, -1, -1)

    assert evaluate(Shifted(), [one], flip=False).average("mpjpe") == pytest.approx(0.1, rel=1e-4)


def test_flip_is_passed_on():
    net = model()
    with_flip, without = (evaluate(net, RECORDINGS, flip=f, device="cpu") for f in (True, False))
    assert with_flip.values["mpjpe"] != without.values["mpjpe"]
    one = RECORDINGS[0]
    by_hand = (predict(net, one, flip=False) - one.pose).norm(dim=-1).mean().item()
    assert without.values["mpjpe"][0] == pytest.approx(by_hand, rel=1e-5)


def test_poses_may_be_changed_before_they_are_measured():
    net, two = model(), [recording(20), recording(30, action="boxing")]

    def still(poses, of):
        assert len(poses) == len(of)
        return poses.mean(dim=0).expand_as(poses)

    found = evaluate(net, two, device="cpu", after=still)
    expected = [metrics.mpjpe(still(predict(net, r), r), r.pose).item() for r in two]
    assert found.values["mpjpe"] == pytest.approx(expected)
    motion = [metrics.mpjve(torch.zeros_like(r.pose), r.pose).item() for r in two]
    assert found.values["mpjve"] == pytest.approx(motion)


# ---- recordings too short for errors of motion ---------------------------------------------------


def test_recordings_too_short_for_a_metric_do_not_count_in_it():
    short, long = recording(1, clip="a"), recording(20, clip="b")
    result = evaluate(model(), [short, long], device="cpu")
    assert math.isnan(result.values["mpjve"][0])
    assert result.average("mpjve") == pytest.approx(result.values["mpjve"][1])
    assert result.frame_mean("mpjve") == pytest.approx(result.values["mpjve"][1])
    mean = (result.values["mpjpe"][0] + 20 * result.values["mpjpe"][1]) / 21
    assert result.average("mpjpe") == pytest.approx(mean)


def test_two_frames_have_a_velocity_but_no_acceleration():
    result = evaluate(model(), [recording(2)], device="cpu")
    assert result.values["mpjve"][0] > 0
    assert math.isnan(result.values["acceleration_error"][0])


def test_a_metric_that_no_recording_has_is_refused_in_words():
    result = evaluate(model(), [recording(1)], device="cpu")
    with pytest.raises(ValueError, match="mpjve"):
        result.per("mpjve")


def test_an_error_that_is_no_number_is_not_averaged_away():
    result = Evaluation(RECORDINGS[:2], {"mpjpe": (0.1, math.nan)})
    assert math.isnan(result.average("mpjpe"))
    assert math.isnan(result.frame_mean("mpjpe"))


# ---- what is refused -----------------------------------------------------------------------------


def test_a_film_without_positions_is_not_judged():
    film = recording(12, positions=None)
    with pytest.raises(ValueError, match="S6/walking/take1/front/0 has no 3D positions"):
        evaluate(model(), [recording(4), film], device="cpu")


def test_no_recordings_are_refused():
    with pytest.raises(ValueError, match="no recordings"):
        evaluate(model(), [])


def test_unknown_metrics_and_groups_are_refused():
    result = evaluate(model(), RECORDINGS[:1], device="cpu")
    for act in (result.per, result.frame_mean):
        with pytest.raises(ValueError, match="'mpjpe', 'p_mpjpe'"):
            act("pmpjpe")
    with pytest.raises(ValueError, match="'action', 'subject', 'sequence'"):
        result.average("mpjpe", "weather")
    with pytest.raises(ValueError, match="unknown group 'actions'"):
        result.average("mpjpe", "subject", over="actions")


def test_recordings_of_other_joints_are_refused():
    with pytest.raises(ValueError, match="16"):
        evaluate(model(joints_in=16), [recording(4)], device="cpu")
    with pytest.raises(ValueError, match=r"\(4, 15, 3\), expected \(4, 17, 3\): .* h36m_17"):
        evaluate(model(joints_out=15), [recording(4)], flip=False, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="for computers without a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no GPU"):
        evaluate(model(), RECORDINGS, device="cuda")


def test_unknown_devices_are_refused():
    with pytest.raises(ValueError, match="'auto', 'cpu', 'cuda'"):
        evaluate(model(), RECORDINGS, device="gpu")


# ---- poses that no model of ours gave, and folds -------------------------------------------------


def test_given_poses_are_compared_as_a_models_are():
    recordings = [recording(20), recording(9, "boxing")]
    net = model()
    found = compare([predict(net, r) for r in recordings], recordings)
    assert found.values == evaluate(net, recordings, device="cpu").values
    shifted = [r.pose + torch.tensor([0.03, 0.0, 0.04]) for r in recordings]
    assert compare(shifted, recordings).values["mpjpe"] == pytest.approx((0.05, 0.05))
    with pytest.raises(ValueError, match=r"poses of shape \(19, 17, 3\), expected \(20, 17, 3\)"):
        compare([recordings[0].pose[1:]], recordings[:1])
    with pytest.raises(ValueError, match="argument"):
        compare([recordings[0].pose], recordings)
    with pytest.raises(ValueError, match="no 3D positions"):
        compare(iter([]), [replace(recordings[0], positions=None)])


def test_shares_of_joints_are_counted_where_they_are_asked_for():
    """One of 17 joints is 0.2 m off: 15 of the 16 beside the root are within 150 mm, at each of the
    31 thresholds but 0, where none is."""
    one = recording(12)
    moved = one.pose.clone()
    moved[:, 3, 0] += 0.2
    found = compare([moved], [one], shares=True)
    assert found.values["pck3d"] == pytest.approx((15 / 16,))
    assert found.values["auc3d"] == pytest.approx((30 / 31 * 15 / 16,))
    assert set(compare([moved], [one]).values) == set(found.values) - {"pck3d", "auc3d"}
    rooted = one.pose - torch.tensor([0.2, 0.0, 0.0])
    rooted[:, 0] += torch.tensor([0.2, 0.0, 0.0])  # it alone is right
    assert compare([rooted], [one], shares=True).values["pck3d"] == (0.0,)
    net = model()
    asked = evaluate(net, [one], device="cpu", shares=True).values
    assert asked == compare([predict(net, one)], [one], shares=True).values


def test_evaluations_of_folds_are_joined():
    net = model()
    first, second = ([recording(20)], [recording(9, "boxing"), recording(30, clip="other")])
    together = joined([evaluate(net, part, device="cpu") for part in (first, second)])
    whole = evaluate(net, first + second, device="cpu")
    assert together.recordings == whole.recordings and together.values == whole.values
    with pytest.raises(ValueError, match="in two of the evaluations"):
        joined([whole, whole])
    with pytest.raises(ValueError, match="no evaluations"):
        joined([])
