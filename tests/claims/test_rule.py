"""From an effect and its interval to a verdict: worked by hand."""

import math
from dataclasses import replace

import pytest

from paperlib.claims import VERDICTS, Part, combined, in_short, parse, printed
from paperlib.claims.facts import known
from paperlib.results import paper_table

NAN = math.nan


def part(direction, than=0.0, margin=0.5) -> Part:
    return Part("", "error of a minus b", direction, than, "mm", margin)


@pytest.mark.parametrize(
    ("direction", "than", "mean", "half", "verdict"),
    [
        # below 0, to 0.5: claimed are negative effects
        ("below", 0, -5.0, 0.8, "shows"),  # [-5.8, -4.2]
        ("below", 0, -0.6, 0.4, "shows"),  # [-1.0, -0.2]: all below 0, and up to 1.0
        ("below", 0, -0.2, 0.1, "does not show"),  # [-0.3, -0.1]: below 0, by less than matters
        ("below", 0, 0.0, 0.4, "does not show"),  # [-0.4, 0.4]
        ("below", 0, 0.0, 0.5, "does not show"),  # [-0.5, 0.5]: the margin itself is within
        ("below", 0, 0.3, 0.1, "does not show"),  # [0.2, 0.4]: above, by less than matters
        ("below", 0, 1.0, 1.2, "does not show"),  # [-0.2, 2.2]: what is left below is too small
        ("below", 0, 1.0, 0.8, "opposite"),  # [0.2, 1.8]
        ("below", 0, -1.0, 1.2, "not decided"),  # [-2.2, 0.2]
        ("below", 0, -0.2, 0.5, "not decided"),  # [-0.7, 0.3]
        ("below", 0, -5.0, NAN, "not decided"),  # one seed
        ("below", 0, -1350.0, 0.0, "shows"),  # computed
        ("below", 0, 1350.0, 0.0, "opposite"),
        # above 10
        ("above", 10, 12.0, 1.0, "shows"),  # [11, 13]
        ("above", 10, 10.2, 0.1, "does not show"),  # [10.1, 10.3]
        ("above", 10, 8.0, 1.0, "opposite"),  # [7, 9]
        ("above", 10, 10.0, 1.0, "not decided"),  # [9, 11]
        # no worse: not above 0, to 0.5
        ("not above", 0, -3.0, 2.0, "shows"),  # [-5, -1]
        ("not above", 0, 0.0, 0.5, "shows"),  # [-0.5, 0.5]: worse by what does not matter
        ("not above", 0, 0.3, 0.4, "not decided"),  # [-0.1, 0.7]
        ("not above", 0, 1.0, 0.3, "opposite"),  # [0.7, 1.3]
        ("not below", 0, -1.0, 0.3, "opposite"),
        ("not below", 0, 1.0, 0.9, "shows"),  # [0.1, 1.9]
        # equal: about -75, to 0.5
        ("about", -75, -75.1, 0.3, "shows"),  # [-75.4, -74.8]
        ("about", -75, -74.0, 0.4, "does not show"),  # [-74.4, -73.6]
        ("about", -75, -76.0, 0.4, "does not show"),
        ("about", -75, -74.6, 0.3, "not decided"),  # [-74.9, -74.3]
        ("about", -75, -75.0, 0.6, "not decided"),  # beyond the margin on both sides
        # exactly 8.56, to 0.5
        ("exactly", 8.56, 8.9, 0.0, "reproduced exactly"),
        ("exactly", 8.56, 9.1, 0.0, "does not show"),
    ],
)
def test_the_rule(direction, than, mean, half, verdict):
    assert part(direction, than).verdict(mean, half) == verdict


def test_what_has_a_spread_is_not_exact():
    with pytest.raises(ValueError, match="error of a minus b: an effect with a spread"):
        part("exactly").verdict(0.0, 0.1)


@pytest.mark.parametrize("direction", ["below", "above"])
@pytest.mark.parametrize("mean", [-3.0, -0.4, -0.1, 0.0, 0.1, 0.24, 0.26, 0.6, 3.0])
def test_the_seeds_it_would_take_decide_and_fewer_do_not(direction, mean):
    """With a standard deviation of 2, the interval of n seeds is ± t(n - 1) 2 / sqrt(n)."""
    from scipy.stats import t

    tested = part(direction)
    needed = tested.seeds(mean, 2.0)

    def after(count):
        return tested.verdict(mean, t.ppf(0.975, count - 1) * 2.0 / math.sqrt(count))

    assert after(needed) != "not decided"
    fewer = math.floor(0.97 * needed) - 1  # the count is good to 2 %
    assert fewer < 2 or after(fewer) == "not decided"


def test_seeds_by_hand():
    # 5 seeds: t(4) = 2.776, so ± 2.776 s / sqrt(5) = 1.24 s; with 4: 3.182 / 2 s = 1.59 s
    assert part("below").seeds(-1.3, 1.0) == 5
    # equal: the nearer edge of the margin is 0.1 away; no worse: 0.5 + 0.8 = 1.3
    assert part("about", -75).seeds(-74.6, 0.1 / 1.3) == 5
    assert part("not above").seeds(-0.8, 1.0) == 5
    assert part("about").seeds(0.5, 1.0) == math.inf  # on the very edge


def test_a_claim_is_as_good_as_its_worst_part():
    exact, shows, not_shown, opposite, undecided, _ = VERDICTS
    assert combined([exact, exact]) == exact
    assert combined([exact, shows]) == shows
    assert combined([shows, undecided, shows]) == undecided
    assert combined([undecided, not_shown]) == not_shown  # one refuted part refutes the claim
    assert combined([not_shown, opposite, shows]) == opposite


# --- tests as they are written ---------------------------------------------------------------


def test_a_test_is_read():
    one, two = parse(
        "lower: MPJPE of what is new, minus old, is below 0 mm, to 0.5; "
        "cut: MPJVE against the old is about -75 %, to 12.5"
    )
    assert one == Part("lower", "MPJPE of what is new, minus old,", "below", 0, "mm", 0.5)
    assert two == Part("cut", "MPJVE against the old", "about", -75, "%", 12.5)
    (share,) = parse("share of the gain is not below 0.5, to 0.1")
    assert share == Part("", "share of the gain", "not below", 0.5, "", 0.1)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("it is good", "'it is good' is no test: expected"),
        ("mpjpe(a) < mpjpe(b)", "is no test"),
        ("error is below 0 mm", "is no test"),  # no margin
        ("error is below zero, to 0.5", "is no test"),
        ("error is smaller 0 mm, to 0.5", "is no test"),
        ("error is below 0 mm, to -0.5", "is no test"),
        ("error is below 0 mm, to 0", "a margin above 0"),
        ("error is below nan mm, to 0.5", "is no test"),
        ("a is below 0, to 1; b is below 0, to 1", "a name of its own"),
        ("x: a is below 0, to 1; x: b is below 0, to 1", "a name of its own"),
        ("a is below 0, to 1;", "'' is no test"),
    ],
)
def test_what_is_no_test_is_refused(test, message):
    with pytest.raises(ValueError, match=message):
        parse(test)


HEAD = "id,paper,where,claim,paper_value,test,tier\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("kato2020-c01,kato2020,I,says,1,,core", "claim 'kato2020-c01' has no test"),
        ("kato2020-c01,kato2020,I,says,1,it is so,core", "'kato2020-c01': 'it is so' is no test"),
        (
            'kato2020-c01,kato2020,I,says,1,"a is below 0, to 1",core\n' * 2,
            "'kato2020-c01' is there twice",
        ),
        ('kato-c01,kato,I,says,1,"a is below 0, to 1",core', "unknown paper .*'kato2020'"),
        ('wang2020-c01,kato2020,I,says,1,"a is below 0, to 1",core', "an id like 'kato2020-c01'"),
    ],
)
def test_wrong_facts_are_refused(tmp_path, rows, message):
    path = tmp_path / "claims.csv"
    path.write_text(HEAD + rows, "utf-8")
    with pytest.raises(ValueError, match=message) as refused:
        known(path)
    assert "claims.csv" in str(refused.value)


# --- effects side by side ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "than", "value", "margins", "asked"),
    [
        ("below", 0, -5.0, 10.0, (0, math.inf)),
        ("above", 10, 9.0, -2.0, (0, math.inf)),
        ("not above", 0, 0.25, -0.5, (-1, math.inf)),
        ("about", 0, 0.25, 0.5, (-1, 1)),
        ("about", -75, -52.0, -46.0, (-1, 1)),  # less than was claimed
        ("about", 0.5, 0.75, 0.5, (-1, 1)),
    ],
)
def test_an_effect_in_margins(direction, than, value, margins, asked):
    tested = part(direction, than)
    assert tested.in_margins(value) == margins and tested.asked == asked


def test_without_a_margin_any_difference_is_too_large():
    exact = replace(part("exactly"), margin=0.0)
    assert [exact.in_margins(value) for value in (-0.5, 0.0, 2.0)] == [-math.inf, 0.0, math.inf]


@pytest.mark.parametrize("direction", ["below", "above", "not below", "not above", "about"])
@pytest.mark.parametrize("mean", [-2.0, -0.4, 0.0, 0.3, 0.9, 4.0])
@pytest.mark.parametrize("half", [0.05, 0.3, 1.0])
def test_what_shows_lies_where_it_is_asked_for(direction, mean, half):
    tested = part(direction)
    low, high = sorted(tested.in_margins(mean + side * half) for side in (-1, 1))
    inside = tested.asked[0] <= low and high <= tested.asked[1]
    assert inside or tested.verdict(mean, half) != "shows"


# --- what the papers print -----------------------------------------------------------------------


def printed_changes(table: str, new: str, old: str) -> dict[str, float]:
    """The change of each metric between two rows of a table of veges2020."""
    rows = paper_table(table).set_index("method")
    names = {"mrpe_mm": "MRPE", "mpjpe_mm": "MPJPE", "pck_3d_percent": "3D-PCK"}
    names |= {"n_mrpe": "N-MRPE", "n_mpjpe": "N-MPJPE"}
    return {name: rows.loc[new, column] - rows.loc[old, column] for column, name in names.items()}


def test_the_papers_effects_are_differences_of_what_they_print():
    effects = printed()
    table = {
        "c04": ("veges2020_table2", "Interpolation", "Ours w/o refine"),
        "c06": ("veges2020_table2", "Ours", "Interpolation"),
        "c07": ("veges2020_table2", "1-Euro", "Interpolation"),
        "c08": ("veges2020_table3b", "Ours", "Ours w/o refine"),
    }
    for claim, rows in table.items():
        for name, change in printed_changes(*rows).items():
            if (f"veges2020-{claim}", name) in effects:
                assert effects[f"veges2020-{claim}", name] == pytest.approx(change), (claim, name)
    means = paper_table("wang2020_table5")["average"].tolist()
    for variant, mean in zip(("(2)", "(3)", "(4)"), means[1:], strict=True):
        assert effects["wang2020-c01", variant] == pytest.approx(mean - means[0])
    single = paper_table("pavllo2019_table2").set_index("model")["average"]
    cut = 100 * (single.iloc[1] / single.iloc[0] - 1)
    assert effects["pavllo2019-c06", "lower"] == pytest.approx(cut, abs=0.05)


def test_effects_of_no_part_are_refused(tmp_path):
    path = tmp_path / "effects.csv"
    path.write_text("claim,part,effect\nwang2020-c03,lower,-0.05\n", "utf-8")
    with pytest.raises(ValueError, match="part of wang2020-c03"):
        printed(path)
    path.write_text("claim,part,effect\nwang2020-c03,,-0.05\nwang2020-c03,,-0.05\n", "utf-8")
    with pytest.raises(ValueError, match="is there twice"):
        printed(path)


def test_each_claim_has_a_few_words():
    words = in_short()
    assert set(words) == set(known())
    assert all(0 < len(text) <= 36 for text in words.values())
