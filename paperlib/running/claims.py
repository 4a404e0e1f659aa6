"""Judge a claim anew: run what it takes, in a record of its own, and read the verdict there.

The record is a folder in ``out/``. It begins as a copy of the project's, without the rows that the
claim was judged by and without its verdict, so that no number of ours can stand in for one that was
not measured again. Notebooks write there what they would write for the record, and the project's
own is left as it is.
"""

import shutil
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from paperlib import claims, results
from paperlib.claims import Verdict, ledger
from paperlib.claims.costs import Need, need
from paperlib.errors import NotebookFailed
from paperlib.paths import OUT, ROOT, environment
from paperlib.randomness import check_seed
from paperlib.running.notebook import known_parameters, published_with, run

NOTEBOOKS = ROOT / "notebooks"
_LEDGER = ledger.path().name


def judge_again(
    name: str, seeds: Sequence[int] | None = None, folder: str | Path | None = None
) -> Verdict:
    """The verdict on a claim by what is measured now: its notebook is run on the data and with the
    detector and preset of the verdict on record, once for each of ``seeds`` (by default those of
    the record), and the claim judged by all of them.

    What is written lies in ``folder``, by default ``out/claims/<name>``, whose earlier contents
    go. Trained models are kept, and found again, where all are (``runs/``). A claim that cannot be
    judged here, or for which nothing was ever measured, keeps its verdict. ``ValueError`` for an
    unknown claim, one that no notebook has judged yet, and a wrong seed.
    """
    claims.claim(name)
    line = claims.recorded()[name]
    if not isinstance(line, Verdict):
        raise ValueError(f"{name} is open: no notebook has judged it yet, so there is none to run")
    what = need(line)
    if what is None:
        return line
    chosen = tuple(dict.fromkeys(what.seeds if seeds is None else seeds))
    for seed in chosen:
        check_seed(seed)
    if what.seeds and not chosen:
        raise ValueError(f"{name} is measured: name at least one seed")
    folder = Path(folder) if folder else OUT / "claims" / name
    _begin(folder, what, name)
    # what notebooks keep goes there (paperlib.results.keeping)
    with environment(PAPERLIB_RECORD="own", PAPERLIB_OUT=str(folder.resolve())):
        for number, parameters in enumerate(_runs(what, chosen)):
            run(_place(what.notebook), folder / f"run{number}.ipynb", parameters)
        found = _read(folder, name)
        if not isinstance(found, Verdict):  # it is judged on the ledger's own page
            run(_place("claims"), folder / "claims.ipynb")
            found = _read(folder, name)
    if not isinstance(found, Verdict):
        raise NotebookFailed(f"{what.notebook} ran, and gave no verdict on {name}")
    return found


def _place(notebook: str) -> Path:
    return NOTEBOOKS / f"{notebook}.ipynb"


def _read(folder: Path, name: str):
    return claims.recorded(folder / "results" / _LEDGER)[name]


def _runs(what: Need, seeds: Sequence[int]) -> Iterator[dict]:
    """The parameters of each run; what was computed or timed takes one, of the notebook as it
    stands."""
    if not what.preset:
        yield {}
        return
    page = _place(what.notebook)
    known, fixed = known_parameters(page), published_with(page)
    # a page goes through its detectors by itself where it takes none, or was published with one
    by_itself = "detector" not in known or "detector" in fixed
    detectors = (None,) if by_itself else what.detectors
    # the label of rows also says what is unusual about the cameras
    fixed |= {"dataset": what.dataset.split(", ")[0], "preset": what.preset}
    for detector, seed in product(detectors, seeds if what.seeds else (0,)):
        yield fixed | {"seed": seed} | ({"detector": detector} if detector else {})


def _begin(folder: Path, what: Need, name: str) -> None:
    """A record that begins as the project's, without what is to be measured again."""
    shutil.rmtree(folder, ignore_errors=True)
    kept = folder / "results"
    kept.mkdir(parents=True)
    for file in results.RESULTS.glob("*.csv"):
        shutil.copyfile(file, kept / file.name)
    own = kept / results.file_name(what.notebook)
    if own.is_file() and what.preset:
        rows = results.read(own)
        rows[~what.of(rows)].to_csv(own, index=False)
    verdicts = pd.read_csv(kept / _LEDGER, dtype=str, keep_default_na=False)
    verdicts[verdicts["claim"] != name].to_csv(kept / _LEDGER, index=False)
