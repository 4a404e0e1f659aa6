"""How much an error depends on which clips were filmed: an interval by the bootstrap over takes."""

from collections.abc import Sequence

import numpy as np

from paperlib.evaluation.errors import Evaluation
from paperlib.randomness import check_seed, generator_of


def over_clips(
    evaluations: Evaluation | Sequence[Evaluation],
    metric: str = "mpjpe",
    draws: int = 2000,
    seed: int = 0,
    less: Evaluation | Sequence[Evaluation] = (),
) -> tuple[float, float, float]:
    """The mean over actions, and the 95 % interval of it that comes from the choice of clips:
    (mean, low, high), in the metric's unit.

    Takes are drawn anew with replacement within their action, as many as there are, ``draws`` times
    (percentile bootstrap); views and pieces of one take (:attr:`.Recording.take`) are drawn
    together, since their errors go together. Frames are pooled within an action and actions count
    alike, as in :meth:`.Evaluation.average`.

    ``evaluations`` are one, or several of the same recordings, as of models of several seeds, whose
    errors are averaged first: this interval is over clips alone, :func:`paperlib.results.interval`
    the one over seeds. With ``less``, those of another system, it is that of the difference, clip
    by clip: what makes a clip hard for both of them cancels. An action of a single take cannot tell
    how much takes differ and adds nothing to the width; where there is no other, low and high are
    NaN. ``ValueError`` for evaluations of different recordings.
    """
    check_seed(seed)
    if not isinstance(draws, int) or draws < 100:
        raise ValueError(f"draws is {draws!r}: an interval needs a whole number, 100 or more")
    several, others = (
        [given] if isinstance(given, Evaluation) else list(given) for given in (evaluations, less)
    )
    if not several:
        raise ValueError("no evaluation to take an interval of")
    measured = [evaluation.measured(metric) for evaluation in several + others]
    names = [[recording.name for _, recording in pairs] for pairs in measured]
    if any(other != names[0] for other in names):
        raise ValueError("the evaluations are not of the same recordings, in the same order")
    errors = np.array([[value for value, _ in pairs] for pairs in measured])
    values = errors[: len(several)].mean(axis=0)
    if others:
        values -= errors[len(several) :].mean(axis=0)
    actions: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    for value, (_, recording) in zip(values, measured[0], strict=True):
        takes = actions.setdefault(recording.action, {})
        sums = takes.setdefault((recording.subject, recording.take), np.zeros(2))
        sums += (value * len(recording), len(recording))
    mean, drawn = 0.0, np.zeros(draws)
    for action in sorted(actions):
        total, frames = np.array(list(actions[action].values())).T
        mean += total.sum() / frames.sum()
        chance = generator_of(f"clips of {action}, seed {seed}")
        which = chance.integers(len(total), size=(draws, len(total)))
        drawn += total[which].sum(axis=1) / frames[which].sum(axis=1)
    mean, drawn = mean / len(actions), drawn / len(actions)
    if all(len(takes) == 1 for takes in actions.values()):
        return float(mean), float("nan"), float("nan")
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(mean), float(low), float(high)
