"""Clustered occlusions: by hand, by the text's sets one after the other, and what must not
change them."""

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components

from paperlib.occlusion import RULES, TOLERANCE, clustered

EVERY_RULE = pytest.mark.parametrize("rule", RULES)


def in_a_row(*depths, step=0.05):
    """Points ``(J, 2)`` that far apart along x, and their depths."""
    x = torch.arange(len(depths), dtype=torch.float64) * step
    return torch.stack([x, torch.zeros_like(x)], dim=-1), torch.tensor(depths, dtype=torch.float64)


def crowd(*shape, joints=17, ties=False, dtype=torch.float64, device="cpu"):
    """Points of which a few lie together, and depths; with ``ties`` many of these are equal."""
    points = torch.rand(*shape, joints, 2, dtype=torch.float64) * 0.35
    depths = torch.rand(*shape, joints, dtype=torch.float64) + 4
    if ties:
        depths = (depths * 4).round() / 4
    return points.to(device, dtype), depths.to(device, dtype)


# ---- the same labels from loops over the text's sets ---------------------------------------------


def neighbours(points, i, tolerance):
    return [j for j, p in enumerate(points) if torch.dist(points[i], p) < tolerance or i == j]


def by_sets(points, depths, tolerance):
    hidden = [False] * len(points)
    for i in range(len(points)):
        cluster = neighbours(points, i, tolerance)
        nearest = min(cluster, key=lambda p: depths[p].item())  # of equal ones the first
        for p in cluster:
            hidden[p] |= p != nearest
    return hidden


def by_pairs(points, depths, tolerance):
    place = [(depth.item(), j) for j, depth in enumerate(depths)]
    return [
        any(place[j] < place[i] for j in neighbours(points, i, tolerance))
        for i in range(len(points))
    ]


def by_chains(points, depths, tolerance):
    linked = np.zeros((len(points), len(points)))
    for i in range(len(points)):
        linked[i, neighbours(points, i, tolerance)] = 1
    _, group = connected_components(linked)
    first = {}
    for j in sorted(range(len(points)), key=lambda j: (depths[j].item(), j)):
        first.setdefault(group[j], j)
    return [j not in first.values() for j in range(len(points))]


PLAIN = {"sets": by_sets, "pairs": by_pairs, "chains": by_chains}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ties", [False, True], ids=["no ties", "ties"])
@EVERY_RULE
def test_labels_are_those_of_the_loops(rule, ties, dtype, device):
    points, depths = crowd(12, ties=ties, dtype=dtype, device=device)
    hidden = clustered(points, depths, rule=rule)
    assert hidden.shape == (12, 17) and hidden.dtype == torch.bool
    assert hidden.device.type == device.type
    expected = [PLAIN[rule](p, d, 0.06) for p, d in zip(points.cpu(), depths.cpu(), strict=True)]
    assert hidden.tolist() == expected
    assert 0.1 < hidden.double().mean() < 0.9


# ---- by hand ------------------------------------------------------------------------------------


def test_sets_are_the_rule_and_six_hundredths_the_tolerance():
    assert TOLERANCE == 0.06
    points, depths = crowd(30)
    assert torch.equal(clustered(points, depths), clustered(points, depths, 0.06, "sets"))
    assert not torch.equal(clustered(points, depths), clustered(points, depths, 0.06, "pairs"))


@EVERY_RULE
def test_of_two_together_the_nearer_is_seen(rule):
    points, depths = in_a_row(3.0, 2.0)
    assert clustered(points, depths, rule=rule).tolist() == [True, False]
    assert clustered(points, -depths, rule=rule).tolist() == [False, True]
    assert clustered(points, depths, tolerance=0.04, rule=rule).tolist() == [False, False]


def test_a_joint_that_wins_one_cluster_and_loses_another():
    """The first is the nearest of its own two; the middle one's set has the last in it, which is
    nearer still."""
    points, depths = in_a_row(2.0, 3.0, 1.0)
    for rule, first in (("pairs", False), ("sets", True), ("chains", True)):
        assert clustered(points, depths, rule=rule).tolist() == [first, True, False]


def test_only_chains_reach_further_than_two_steps():
    points, depths = in_a_row(2.0, 3.0, 4.0, 1.0)
    for rule, first in (("pairs", False), ("sets", False), ("chains", True)):
        assert clustered(points, depths, rule=rule).tolist() == [first, True, True, False]


@pytest.mark.parametrize("joints", [2, 5, 16, 17])
def test_a_chain_is_one_cluster_however_long(joints):
    points, depths = in_a_row(*range(joints, 0, -1))
    hidden = clustered(points, depths, rule="chains")
    assert hidden.tolist() == [True] * (joints - 1) + [False]
    points, depths = in_a_row(*range(joints))  # the nearest at the other end
    assert clustered(points, depths, rule="chains").tolist() == [False] + [True] * (joints - 1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neighbours_are_less_than_the_tolerance_apart(dtype):
    """3, 4 and 5 in 64ths, which are exact."""
    points = torch.tensor([[0.0, 0.0], [3 / 64, 4 / 64]], dtype=dtype)
    depths = torch.tensor([1.0, 2.0], dtype=dtype)
    assert not clustered(points, depths, tolerance=5 / 64).any()
    assert clustered(points, depths, tolerance=5.001 / 64).tolist() == [False, True]
    assert clustered(points, tolerance=5.001 / 64).all()
    assert not clustered(points, tolerance=5 / 64).any()


@EVERY_RULE
def test_without_a_tolerance_nothing_is_hidden(rule):
    points, depths = torch.zeros(4, 2), torch.arange(4.0)
    assert not clustered(points, depths, tolerance=0, rule=rule).any()
    assert clustered(points, depths, tolerance=1e-9, rule=rule).tolist() == [False] + [True] * 3


@EVERY_RULE
def test_of_equally_near_joints_the_first_is_seen(rule):
    points, depths = in_a_row(2.0, 2.0, 2.0, step=0.01)
    assert clustered(points, depths, rule=rule).tolist() == [False, True, True]
    depths[0] = 3.0
    assert clustered(points, depths, rule=rule).tolist() == [True, False, True]


@EVERY_RULE
def test_without_depths_whole_clusters_are_hidden(rule):
    points = torch.tensor([[0.0, 0.0], [0.0, 0.05], [1.0, 1.0], [0.0, 0.10], [1.2, 1.0]])
    assert clustered(points, rule=rule).tolist() == [True, True, False, True, False]


# ---- what must not change them ------------------------------------------------------------------


def test_pairs_hide_least_and_chains_most_and_no_depths_more_still():
    points, depths = crowd(50)
    pairs, sets, chains = (
        clustered(points, depths, rule=rule) for rule in ("pairs", "sets", "chains")
    )
    blind = clustered(points)
    for fewer, more in ((pairs, sets), (sets, chains), (chains, blind)):
        assert not (fewer & ~more).any()
        assert fewer.sum() < more.sum()


@pytest.mark.parametrize("rule", [*RULES, None])
def test_more_are_hidden_with_more_tolerance(rule):
    """``None``: without depths."""
    points, depths = crowd(30)
    known = {} if rule is None else {"depths": depths, "rule": rule}
    before = torch.zeros(30, 17, dtype=torch.bool)
    for tolerance in (0.0, 0.01, 0.03, 0.06, 0.09, 1.0):
        hidden = clustered(points, tolerance=tolerance, **known)
        assert not (before & ~hidden).any()
        assert hidden.sum() > before.sum() or tolerance == 0.0
        before = hidden
    assert hidden.sum() == 30 * (17 if rule is None else 16)


@EVERY_RULE
def test_only_the_order_of_depths_counts(rule):
    points, depths = crowd(20)
    hidden = clustered(points, depths, rule=rule)
    assert torch.equal(hidden, clustered(points, depths.exp() - 100, rule=rule))
    assert not torch.equal(hidden, clustered(points, -depths, rule=rule))


@EVERY_RULE
def test_scaling_points_and_tolerance_together_changes_nothing(rule):
    points, depths = crowd(20)
    hidden = clustered(points, depths, rule=rule)
    for scale in (0.25, 512.0):
        assert torch.equal(hidden, clustered(points * scale, depths, 0.06 * scale, rule))


@EVERY_RULE
def test_mirroring_shifting_and_the_order_of_joints_change_nothing(rule):
    points, depths = crowd(20)
    hidden = clustered(points, depths, rule=rule)
    moved = points * torch.tensor([-1.0, 1.0], dtype=torch.float64) + 1
    assert torch.equal(hidden, clustered(moved, depths, rule=rule))
    order = torch.randperm(17)
    assert torch.equal(hidden[:, order], clustered(points[:, order], depths[:, order], rule=rule))


@EVERY_RULE
def test_joints_may_come_in_any_batch(rule):
    points, depths = crowd(2, 5, 3)
    hidden = clustered(points, depths, rule=rule)
    assert hidden.shape == (2, 5, 3, 17)
    assert torch.equal(hidden[1, 4, 2], clustered(points[1, 4, 2], depths[1, 4, 2], rule=rule))
    turned = clustered(points.permute(2, 0, 1, 3, 4), depths.permute(2, 0, 1, 3), rule=rule)
    assert torch.equal(turned, hidden.permute(2, 0, 1, 3))
    assert torch.equal(clustered(points)[0, 3, 1], clustered(points[0, 3, 1]))


@EVERY_RULE
def test_no_frames_have_no_labels(rule):
    assert clustered(torch.zeros(0, 17, 2), torch.zeros(0, 17), rule=rule).shape == (0, 17)
    assert clustered(torch.zeros(0, 17, 2), rule=rule).shape == (0, 17)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"points": torch.zeros(5, 17, 3)}, r"expected points \(\.\.\., J, 2\), got \(5, 17, 3\)"),
        ({"points": torch.zeros(2)}, r"expected points \(\.\.\., J, 2\), got \(2,\)"),
        ({"depths": torch.zeros(5, 16)}, r"depths \(5, 16\) do not fit points \(5, 17, 2\).*17\)"),
        ({"depths": torch.zeros(17)}, r"depths \(17,\) do not fit .* one for each joint, \(5, 17"),
        ({"tolerance": -0.01}, "the tolerance is a distance, 0 or more, got -0.01"),
        ({"tolerance": float("nan")}, "the tolerance is a distance, 0 or more, got nan"),
        ({"rule": "set"}, "unknown rule 'set'.*'sets', 'pairs', 'chains'.*mean 'sets'"),
        ({"rule": "set", "depths": None}, "unknown rule 'set'"),
    ],
)
def test_wrong_input_is_explained(arguments, said):
    good = {"points": torch.zeros(5, 17, 2), "depths": torch.zeros(5, 17)}
    with pytest.raises(ValueError, match=said):
        clustered(**good | arguments)
