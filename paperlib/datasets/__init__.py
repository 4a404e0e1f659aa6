"""Data sets. Each source is one file; all give the same :class:`~paperlib.recordings.Dataset`."""

from collections.abc import Callable
from importlib import import_module

from paperlib import lazily
from paperlib.errors import MissingDataError, one_of
from paperlib.paths import data_dirs
from paperlib.recordings import Dataset

NAMES = ("synthetic", "cmu", "human36m")  # what every notebook can run on
HUMANEVA = ("humaneva", "humaneva_like")  # 15 joints, one split for all subjects: a table's own
LICENSED = ("human36m", "humaneva")  # the papers' own; keypoints may come from files beside them
AUTO = "auto"

# a piece of each, for runs that only show that everything works
_SMALL = {
    "synthetic": {
        "seconds": 2.0,
        "subjects": ("S1", "S2", "S6"),
        "families": ("walking", "reaching", "boxing"),
    },
    "cmu": {"actions": ("running", "soccer")},
    "human36m": {"actions": ("Walking", "Greeting")},
    "humaneva": {"actions": ("Walk", "Box")},
    "humaneva_like": {"actions": ("Walk", "Box"), "seconds": 1.5},
}


def load(name: str = AUTO, small: bool = False, **options) -> Dataset:
    """Load a data set by name: ``"synthetic"`` (embedded), ``"cmu"`` (real, free), ``"human36m"``
    (licensed), or ``"auto"``: CMU where it is present, else the embedded data. For the tables on
    HumanEva-I: ``"humaneva"`` (licensed), or its protocol on embedded data, ``"humaneva_like"``.

    ``small`` loads a few actions only. ``options`` go to the data set's own ``load``. Missing
    data raise :class:`~paperlib.errors.MissingDataError`, which says how to get them.
    """
    name = resolve(name)
    return _loader(name)(**(_SMALL[name] if small else {}) | options)


def resolve(name: str, auto: tuple[str, ...] = ("cmu", "synthetic")) -> str:
    """The data set that ``"auto"`` stands for on this machine; any other name as it is.

    ``auto`` lists the data sets in order of preference, the last one embedded: ``HUMANEVA`` for
    a table on HumanEva-I. Other embedded ones are never chosen.
    """
    if one_of("dataset", name, (AUTO, *NAMES, *HUMANEVA)) != AUTO:
        return name
    data_dirs()  # a PAPERLIB_DATA that leads nowhere must not pass for "no CMU here"
    *brought, embedded = auto
    for candidate in brought:
        find = getattr(import_module(f"paperlib.datasets.{candidate}"), "find", None)
        try:
            if find is not None:
                find()
                return candidate
        except MissingDataError:
            continue
    return embedded


def _loader(name: str) -> Callable[..., Dataset]:
    return import_module(f"paperlib.datasets.{name}").load


__getattr__, __dir__ = lazily(__name__)
