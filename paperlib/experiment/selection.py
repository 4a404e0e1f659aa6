"""The part of a data set that a table is of: some subjects, some actions."""

from collections.abc import Iterable
from dataclasses import replace

from paperlib.errors import one_of
from paperlib.recordings import Dataset


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


def listed(what: str, given: str | Iterable[str]) -> list[str]:
    """``"S9,S11"`` -> ``["S9", "S11"]``, each once; ``ValueError`` that says ``what`` for none."""
    names = [str(name).strip() for name in (given.split(",") if isinstance(given, str) else given)]
    if not names or not all(names):
        raise ValueError(f"{what}={given!r}: expected names, as 'a,b'; leave it out for all")
    return list(dict.fromkeys(names))
