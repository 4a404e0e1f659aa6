"""Data sets. Each source is one file; all give the same :class:`~paperlib.recordings.Dataset`."""

from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from paperlib import lazily
from paperlib.errors import MissingDataError, one_of
from paperlib.paths import data_dirs
from paperlib.recordings import Dataset

AUTO = "auto"


class Entry(NamedTuple):
    """What notebooks know of a data set beside its name, which is that of its file here."""

    small: dict[str, Any]  # options of its `load` for a piece that shows that everything works
    papers_own: bool = False  # of a paper, whose keypoints come from files: load(keypoints=...)
    everywhere: bool = True  # every notebook can run on it; else only those that name it


REGISTRY = {
    "synthetic": Entry(
        {
            "seconds": 2.0,
            "subjects": ("S1", "S2", "S6"),
            "families": ("walking", "reaching", "boxing"),
        }
    ),
    "cmu": Entry({"actions": ("running", "soccer")}),
    "human36m": Entry({"actions": ("Walking", "Greeting")}, papers_own=True),
    "humaneva": Entry({"actions": ("Walk", "Box")}, papers_own=True, everywhere=False),
    "humaneva_like": Entry({"actions": ("Walk", "Box"), "seconds": 1.5}, everywhere=False),
    "bandai_namco": Entry({"actions": ("walk-left", "bow")}),
    "mocap": Entry({"actions": ("running", "bow")}),
    "real_video": Entry({"views": ("cam03",)}, everywhere=False),  # for testing only
}
NAMES = tuple(name for name, entry in REGISTRY.items() if entry.everywhere)
HUMANEVA = ("humaneva", "humaneva_like")  # 15 joints, one split for all subjects: a table's own
LICENSED = tuple(name for name, entry in REGISTRY.items() if entry.papers_own)


def load(name: str = AUTO, small: bool = False, cameras: str = "studio", **options) -> Dataset:
    """Load a data set by name, one of :data:`REGISTRY`: ``"synthetic"`` (embedded), ``"cmu"``
    (real, free), ``"bandai_namco"`` (real, free for non-commercial use), ``"mocap"`` (both of
    these, in folds: ``fold=0``), ``"human36m"`` (licensed), ``"auto"``: CMU where it is present,
    else the embedded data. For the tables on HumanEva-I: ``"humaneva"`` (licensed), or its protocol
    on embedded data, ``"humaneva_like"``. ``"real_video"`` is a real film with two real detectors,
    to test on only.

    ``small`` loads a piece only. ``cameras="random"`` films the motion anew by cameras drawn for
    each clip (:mod:`~paperlib.datasets.random_cameras`); ``"studio"`` leaves each set its own
    cameras. ``options`` go to the data set's own ``load``; ``ValueError`` for
    one that it does not have. Missing data raise :class:`~paperlib.errors.MissingDataError`, which
    says how to get them.
    """
    from paperlib.datasets.random_cameras import CAMERAS, filmed_by  # late: it renders

    name = resolve(name)
    one_of("cameras", cameras, CAMERAS)
    own = import_module(f"paperlib.datasets.{name}").load
    for option in options:
        one_of(f"option of {name} data", option, signature(own).parameters)
    dataset = own(**(REGISTRY[name].small if small else {}) | options)
    return dataset if cameras == "studio" else filmed_by(dataset, cameras)


def folds(name: str) -> tuple[int, ...]:
    """The folds that a data set comes in, for the option ``fold`` of its ``load``; ``(0,)`` where
    it has no such option."""
    from paperlib.datasets.takes import FOLDS  # late: it films

    own = import_module(f"paperlib.datasets.{resolve(name)}").load
    return FOLDS if "fold" in signature(own).parameters else (0,)


def resolve(name: str, auto: tuple[str, ...] = ("cmu", "synthetic")) -> str:
    """The data set that ``"auto"`` stands for on this machine; any other name as it is.

    ``auto`` lists the data sets in order of preference, the last one embedded: ``HUMANEVA`` for
    a table on HumanEva-I. Other embedded ones are never chosen.
    """
    if one_of("dataset", name, (AUTO, *REGISTRY)) != AUTO:
        return name
    data_dirs()  # a PAPERLIB_DATA that leads nowhere must not pass for "no CMU here"
    *brought, embedded = auto
    for candidate in brought:
        try:
            if find(candidate) is not None:
                return candidate
        except MissingDataError:
            continue
    return embedded


def find(name: str) -> Path | None:
    """Where a data set lies that is brought or downloaded, None for an embedded one;
    :class:`~paperlib.errors.MissingDataError` where it is not there."""
    own = getattr(import_module(f"paperlib.datasets.{name}"), "find", None)
    return own and own()


__getattr__, __dir__ = lazily(__name__)
