"""The part of a data set that a table is of: some subjects, some actions, some takes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from paperlib.datasets import LICENSED
from paperlib.errors import one_of
from paperlib.recordings import Dataset, Recording
from paperlib.training.subsets import split_labels

if TYPE_CHECKING:
    from paperlib.experiment.frame import Experiment

# as much as a laptop can make pictures of in minutes: 120,000 frames of all motion capture
_PICTURED = {"learnt": 3, "tested": 2, "seconds": 6.0}


def of_subjects(data: Dataset, subjects: str | Iterable[str] | None) -> Dataset:
    """These subjects (``"S9,S11"`` or a list; None: those of the test split), all to be tested and
    none to learn from: their test recordings, or where they have none those of the training part.
    ``ValueError`` for one that the data do not have."""
    if subjects is None:
        return replace(data, train=())
    tested = {r.subject for r in data.test}
    recordings = (*data.test, *(r for r in data.train if r.subject not in tested))
    everyone = dict.fromkeys(r.subject for r in recordings)
    wanted = [one_of("subject", name, everyone) for name in listed("subjects", subjects)]
    said = [name if name in tested else f"{name} (of the training part)" for name in wanted]
    return replace(
        data,
        source=f"{data.source} Of these, {', '.join(said)}.",
        train=(),
        test=tuple(r for r in recordings if r.subject in wanted),
    )


def of_actions(data: Dataset, actions: str | Iterable[str] | None) -> Dataset:
    """The test recordings of the actions that start with one of these words (``"Walk,Photo"`` or a
    list; None or ``"*"``: all). ``ValueError`` for a word that no action starts with."""
    words = ["*"] if actions is None else listed("actions", actions)
    if "*" in words:
        return data
    there = dict.fromkeys(r.action for r in data.test)
    for word in words:
        if not any(action.startswith(word) for action in there):
            one_of("action", word, there)
    kept = [action for action in there if action.startswith(tuple(words))]
    data = replace(data, source=f"{data.source} Only {', '.join(kept)}.")
    return data.select(lambda recording: recording.action in kept)


def listed(what: str, given: str | int | float | Iterable[str]) -> list[str]:
    """``"S9,S11"`` -> ``["S9", "S11"]``, each once; ``ValueError`` that says ``what`` for none. One
    number is what a command line makes of ``27``."""
    if not isinstance(given, Iterable):
        given = str(given)
    names = [str(name).strip() for name in (given.split(",") if isinstance(given, str) else given)]
    if not names or not all(names):
        raise ValueError(f"{what}={given!r}: expected names, as 'a,b'; leave it out for all")
    return list(dict.fromkeys(names))


def excerpt(data: Dataset, learnt: int, tested: int, seconds: float) -> Dataset:
    """Of each action so many takes to learn from and to test on, spread evenly over those there
    are, and of each clip of them the first ``seconds``, in all views; nothing ``unseen``.
    ``ValueError`` for less than one take, or than a frame."""
    if learnt < 1 or tested < 1 or not seconds * data.test[0].fps >= 1:
        raise ValueError(
            "an excerpt has one take or more of each action and one frame or more of each clip, "
            f"got learnt={learnt!r}, tested={tested!r}, seconds={seconds!r}"
        )
    return replace(
        data,
        name=f"{data.name}-{learnt}-{tested}-takes-{seconds:g}s",
        source=f"{data.source} Of this, up to {learnt} takes of each action to learn from and "
        f"{tested} to test on, and of each clip the first {seconds:g} s.",
        train=_of_takes(data.train, learnt, seconds),
        test=_of_takes(data.test, tested, seconds),
        unseen=(),
    )


def _of_takes(recordings: Sequence[Recording], count: int, seconds: float) -> tuple[Recording, ...]:
    takes: dict[str, list[str]] = {}
    for action, take in sorted({(r.action, r.take) for r in recordings}):
        takes.setdefault(action, []).append(take)
    kept = {
        (action, there[number * len(there) // count])
        for action, there in takes.items()
        for number in range(count)
    }
    chosen = [r for r in recordings if (r.action, r.take) in kept]
    return tuple(r.cut(0, round(seconds * r.fps)) for r in chosen)


def known_and_unknown(
    experiment: "Experiment",
    data: Dataset,
    subjects: Iterable[str],
    fraction: float,
    receptive_field: int,
    fps: float | None = None,
) -> tuple[Dataset, Dataset]:
    """The part of ``data`` that has labels, and the rest: :func:`~paperlib.training.split_labels`.
    On the papers' data as in the reference implementation; on others, whose recordings are short,
    in pieces of three windows at least, so that two windows of three are of what was filmed."""
    least = 0 if experiment.dataset in LICENSED else 3 * receptive_field
    return split_labels(data, subjects, fraction, fps, least)


def pictured(experiment: "Experiment") -> "Experiment":
    """The same experiment on as much of its data as a laptop can make pictures of in minutes
    (:func:`excerpt`); on all of them with the paper's preset."""
    if experiment.preset == "paper":
        return experiment
    return replace(experiment, _exact={0: excerpt(experiment.exact, **_PICTURED)})
