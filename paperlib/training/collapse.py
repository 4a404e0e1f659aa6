"""Whether an adversarial training has gone wrong, read from its history."""

from collections.abc import Mapping, Sequence

_WON, _LOST = 0.98, 0.52  # shares of right answers between which a discriminator teaches something
_ONE_BODY = 1e-4  # metres: no working network's bones differ by as little


def collapse(history: Sequence[Mapping[str, float]]) -> str:
    """What went wrong in a run of :class:`~paperlib.training.Adversarial`, by its ``history``, in
    sentences for the reader of a notebook; ``""`` for nothing.

    Over an epoch in which the generator learnt from the discriminator, the latter was right about
    more than 98 % of the sequences (it has won, and its gradient is next to nothing), or about less
    than 52 % (it knows no more than a coin); or the bones of all that was made were the same.
    Who trains such networks then takes another seed. ``ValueError`` for the history of
    another training.
    """
    if missing := {"adversarial", "bone_spread"} - set(history[0] if history else {}):
        raise ValueError(
            f"no history of an adversarial training: it lacks {', '.join(sorted(missing))}"
        )
    against = [row for row in history if row["adversarial"] > 0]
    right = {row["epoch"]: (row["accuracy_real"] + row["accuracy_fake"]) / 2 for row in against}
    spread = {row["epoch"]: row["bone_spread"] for row in history}
    kinds = {
        f"The discriminator was right about more than {_WON:.0%} of the sequences": [
            epoch for epoch, share in right.items() if share > _WON
        ],
        f"The discriminator was right about fewer than {_LOST:.0%} of the sequences": [
            epoch for epoch, share in right.items() if share < _LOST
        ],
        "The bones of all poses that were made had the same lengths": [
            epoch for epoch, metres in spread.items() if metres < _ONE_BODY
        ],
    }
    return " ".join(
        f"{what} in {len(epochs)} of {len(history)} epochs, from {epochs[0]} to {epochs[-1]}."
        for what, epochs in kinds.items()
        if epochs
    )
