"""What a page shows in the place of names: of data sets, detectors, actions, machines.

Names stay as they are where they are kept (rows of results, parameters, keys of runs).
"""

import re

_NAMES = {"humaneva_like": "HumanEva-like", "human36m": "Human3.6M", "humaneva": "HumanEva-I"}
_NAMES |= {"cmu": "CMU", "mpi_inf_3dhp": "MPI-INF-3DHP", "mupots": "MuPoTS-3D"}
_UNITS = {"m": "m", "mm": "mm", "s": "s", "mb": "MB"}
# two or more words of a name, as walking_extra, or a single one that stands for a title
_SINGLE = "|".join(name for name in _NAMES if "_" not in name)
_NAME = re.compile(rf"(?<![\w.`])(?:[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|{_SINGLE})(?!\w)")
_ARCHITECTURE = re.compile(r", (?:x86_64|AMD64|i686|aarch64|arm64)\b")


def in_words(text: str) -> str:
    """A text with readable words for the names in it: ``"walking_extra, humaneva_like"`` becomes
    ``"walking extra, HumanEva-like"``, ``"error_m"`` ``"error, m"``, and ``"1 CPU threads,
    x86_64"`` ``"1 CPU thread"``."""
    text = _ARCHITECTURE.sub("", text)
    text = re.sub(r"(?<!\d)1 CPU threads", "1 CPU thread", text)
    return _NAME.sub(lambda found: _word(found.group()), text)


def _word(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    *first, last = name.split("_")
    if last in _UNITS:
        return f"{' '.join(first)}, {_UNITS[last]}"
    return " ".join([*first, last])
