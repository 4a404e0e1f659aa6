"""Scores of guessed hidden joints, against counts by hand."""

import math

import pytest
import torch

from paperlib.occlusion import Curve, Scores, clustered, curve, scores


def flags(*rows: str) -> torch.Tensor:
    """A row of ``x`` and ``.`` for each frame."""
    return torch.tensor([[letter == "x" for letter in row] for row in rows])


GUESSED = flags("xx.x", "x..x", ".x..")
HIDDEN = flags("x..x", "x.x.", "xx..")


def test_scores_are_the_counts(device):
    """6 marked, 6 hidden, 4 in both, of 12."""
    found = scores(GUESSED.to(device), HIDDEN.to(device))
    assert all(value.shape == () and value.device.type == device.type for value in found)
    assert [value.item() for value in found] == pytest.approx([4 / 6, 4 / 6, 4 / 6, 0.5, 0.5])
    # 1 marked in addition
    more = scores(GUESSED | flags("..x.", "....", "...."), HIDDEN)
    assert [v.item() for v in more] == pytest.approx([4 / 7, 4 / 6, 8 / 13, 7 / 12, 0.5])


def test_each_joint_has_scores_of_its_own():
    found = scores(GUESSED, HIDDEN, per_joint=True)
    nan = math.nan
    assert found.precision.tolist() == pytest.approx([1, 0.5, nan, 0.5], nan_ok=True)
    assert found.recall.tolist() == pytest.approx([2 / 3, 1, 0, 1])
    assert found.f1.tolist() == pytest.approx([0.8, 2 / 3, 0, 2 / 3])
    assert found.marked.tolist() == pytest.approx([2 / 3, 2 / 3, 0, 2 / 3])
    assert found.hidden.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("guessed", "hidden", "expected"),
    [
        ("xxx", "xxx", (1, 1, 1, 1, 1)),
        ("x..", ".xx", (0, 0, 0, 1 / 3, 2 / 3)),
        ("...", ".xx", (math.nan, 0, 0, 0, 2 / 3)),
        ("x..", "...", (0, math.nan, 0, 1 / 3, 0)),
        ("...", "...", (math.nan, math.nan, math.nan, 0, 0)),
    ],
)
def test_there_is_no_share_of_nothing(guessed, hidden, expected):
    found = scores(flags(guessed), flags(hidden))
    assert [value.item() for value in found] == pytest.approx(list(expected), nan_ok=True)


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    guessed, hidden = torch.rand(50, 17) < 0.4, torch.rand(50, 17) < 0.2
    for found in (scores(guessed, hidden), scores(guessed, hidden, per_joint=True)):
        p, r = found.precision, found.recall
        torch.testing.assert_close(found.f1, 2 * p * r / (p + r))


def test_exchanging_both_exchanges_precision_and_recall():
    guessed, hidden = torch.rand(50, 17) < 0.4, torch.rand(50, 17) < 0.2
    one, other = scores(guessed, hidden), scores(hidden, guessed)
    expected = Scores(one.recall, one.precision, one.f1, one.hidden, one.marked)
    torch.testing.assert_close(tuple(other), tuple(expected))
    assert one.precision != one.recall


@pytest.mark.parametrize("per_joint", [False, True])
def test_frames_may_come_in_any_batch_and_order(per_joint):
    guessed, hidden = torch.rand(2, 6, 5) < 0.4, torch.rand(2, 6, 5) < 0.5
    found = scores(guessed, hidden, per_joint)
    assert found.f1.shape == ((5,) if per_joint else ())
    order = torch.randperm(12)
    again = scores(guessed.reshape(12, 5)[order], hidden.reshape(12, 5)[order], per_joint)
    torch.testing.assert_close(tuple(found), tuple(again), equal_nan=True)
    one = scores(guessed[1, 3], hidden[1, 3], per_joint)
    assert one.marked.double().mean() == pytest.approx(guessed[1, 3].double().mean())


@pytest.mark.parametrize(
    ("guessed", "hidden", "said"),
    [
        (GUESSED, HIDDEN[:2], r"guessed \(3, 4\) .* hidden \(2, 4\) .* must be booleans of the"),
        (GUESSED.float(), HIDDEN, r"guessed \(3, 4\) torch.float32 and hidden .* must be booleans"),
        (GUESSED, HIDDEN.int(), r"hidden \(3, 4\) torch.int32 must be booleans"),
        (GUESSED[:0], HIDDEN[:0], "no joints to score"),
    ],
)
def test_wrong_input_is_explained(guessed, hidden, said):
    with pytest.raises(ValueError, match=said):
        scores(guessed, hidden)
    with pytest.raises(ValueError, match=said):
        curve([0.1], lambda tolerance: guessed, hidden)


# ---- over what a labelling tolerates -------------------------------------------------------------

TRUTH = flags("xxxx....")


def curve_of(*marks: str) -> Curve:
    """The curve of a labelling that marks these at the tolerances 1, 2, ..."""
    return curve(range(1, len(marks) + 1), lambda tolerance: flags(marks[tolerance - 1]), TRUTH)


def test_a_curve_has_the_scores_of_each_tolerance(device):
    points, hidden = torch.rand(20, 17, 2, device=device), torch.rand(20, 17, device=device) < 0.3
    tolerances = [0.0, 0.05, 0.1, 0.3]
    found = curve(tolerances, lambda tolerance: clustered(points, tolerance=tolerance), hidden)
    assert found.tolerances == (0.0, 0.05, 0.1, 0.3)
    expected = [scores(clustered(points, tolerance=tolerance), hidden) for tolerance in tolerances]
    for name in ("precision", "recall", "f1"):
        values = [getattr(at, name).item() for at in expected]
        assert getattr(found, name) == pytest.approx(values, nan_ok=True)
        assert all(isinstance(value, float) for value in getattr(found, name))
    assert math.isnan(found.precision[0]) and found.recall[0] == found.f1[0] == 0
    assert list(found.recall) == sorted(found.recall) and found.recall[-1] > found.recall[1]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (["xxxx...."], 1.0),
        (["xxxxxxxx"], 0.5),
        (["x......."], 0.25),  # what is never reached adds nothing
        (["x.......", "xxxxxxxx"], 0.25 * 1 + 0.75 * 0.5),
        (["x...x...", "xxx.x...", "xxxxxxxx"], 0.25 * 0.5 + 0.5 * 0.75 + 0.25 * 0.5),
        (["........", "xx......", "xx..x...", "xxx.x..."], 0.5 * 1 + 0.25 * 0.75),
        (["........"], 0.0),
        (["....xxxx"], 0.0),
    ],
)
def test_average_precision_is_the_sum_of_gains(marks, expected):
    assert curve_of(*marks).average_precision == pytest.approx(expected)


def test_average_precision_of_every_threshold_is_that_of_a_ranking():
    """Marking one joint more at a time: the mean, over the hidden ones, of the precision where
    each is found."""
    hidden = torch.tensor([[True, False, True, True, False, False, True, False]])
    found = curve(range(9), lambda count: torch.arange(8)[None] < count, hidden)
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3 + 3 / 4 + 4 / 7) / 4)


def test_the_best_tolerance_is_that_of_the_highest_f1():
    """F1 is 0.4, 0.857, 0.889 and 0.667."""
    marks = ["x.......", "xxx.....", "xxxxx...", "xxxxxxxx"]
    assert curve_of(*marks).f1 == pytest.approx([2 / 5, 6 / 7, 8 / 9, 8 / 12])
    assert curve_of(*marks).best == 3
    assert curve_of(*marks[::-1]).best == 2
    assert curve_of("........", *marks).best == 4


def test_where_nothing_is_hidden_only_a_tolerance_that_marks_has_an_f1():
    marked = {1: flags("...."), 2: flags("x...")}
    nothing = flags("....")
    assert curve([1, 2], marked.get, nothing).best == 2
    with pytest.raises(ValueError, match="no tolerance has an F1: nothing was marked and nothing"):
        _ = curve([1], marked.get, nothing).best


@pytest.mark.parametrize("tolerances", [[], [2, 1], [1, 1]])
def test_tolerances_that_do_not_rise_are_refused(tolerances):
    with pytest.raises(ValueError, match="tolerances must rise from one to the next"):
        curve(tolerances, lambda _: TRUTH, TRUTH)
