"""What a history is said to show."""

import pytest

from paperlib.training import collapse

WELL = {"adversarial": 0.01, "accuracy_real": 0.8, "accuracy_fake": 0.7, "bone_spread": 0.02}


def history(*changes: dict) -> list[dict]:
    return [{"epoch": n, **WELL, **change} for n, change in enumerate(changes, start=1)]


def test_nothing_is_said_of_a_run_that_goes_well():
    assert collapse(history({}, {}, {})) == ""


def test_a_discriminator_that_has_won_is_named():
    won = {"accuracy_real": 0.99, "accuracy_fake": 0.98}
    assert collapse(history({}, won, {}, won)) == (
        "The discriminator was right about more than 98% of the sequences in 2 of 4 epochs, from 2 "
        "to 4."
    )


def test_one_that_knows_nothing_is_named():
    # all are taken for true: half of the answers are right
    coin = {"accuracy_real": 1.0, "accuracy_fake": 0.02}
    assert "fewer than 52% of the sequences in 1 of 2 epochs, from 2 to 2" in collapse(
        history({}, coin)
    )


@pytest.mark.parametrize("share", [0.53, 0.97])
def test_between_them_it_teaches_something(share):
    assert collapse(history({"accuracy_real": share, "accuracy_fake": share})) == ""


def test_while_warming_up_it_may_win():
    won = {"accuracy_real": 1.0, "accuracy_fake": 1.0, "adversarial": 0.0}
    assert collapse(history(won, {})) == ""


def test_bones_that_are_all_the_same_are_named_at_any_time():
    same = {"bone_spread": 1e-6}
    assert "same lengths in 2 of 2 epochs" in collapse(history({"adversarial": 0.0} | same, same))


def test_several_things_are_named_one_after_the_other():
    worst = {"accuracy_real": 1.0, "accuracy_fake": 1.0, "bone_spread": 0.0}
    assert collapse(history(worst)).count("in 1 of 1 epochs") == 2


@pytest.mark.parametrize("other", [[], [{"epoch": 1, "train_mpjpe": 0.1}]])
def test_the_history_of_another_training_is_refused(other):
    with pytest.raises(ValueError, match="it lacks adversarial, bone_spread"):
        collapse(other)
