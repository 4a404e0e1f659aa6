"""The numbers in README and other texts, written from the recorded results: they cannot differ."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from paperlib import claims as ledger
from paperlib import results
from paperlib.detection.detectors import CURRENT
from paperlib.experiment.rows import SHOWN_METRICS
from paperlib.models import OcclusionAware, filter_widths
from paperlib.paths import ROOT

README = ROOT / "README.md"
#: all texts that have numbers from the record in them
TEXTS = (README, *(ROOT / "tools" / "site" / "pages" / name for name in ("index.md", "code.md")))
_NOTEBOOK = re.compile(r"^(\| \[.*\]\(notebooks/(.*)\.ipynb\).* \|) [^|]*\|$", re.MULTILINE)
_DATA = {
    "mocap": "CMU and Bandai Namco motion capture",
    "cmu": "CMU motion capture",
    "synthetic": "embedded synthetic data",
}
_ORDER = (
    "linear baseline",
    "single frame",
    "temporal, causal",
    "temporal",
    "temporal, occlusion-aware",
    "temporal, refined",
    "heat maps, strides",
)
_BRIDGES = ("without refinement", "interpolation", "1-Euro", "Savitzky-Golay", "refinement")
_METRICS = ("mpjpe", "p_mpjpe", "mpjve")
_LABELLINGS = ("clustered", "boxed man", "cylinder man")
_AWARE = ("one vector, clustered (2)", "many vectors, clustered (3)", "many vectors, boxed man (4)")
_SCORES = {"precision": "precision, %", "recall": "recall, %", "f1": "F1, %"}


def table1(receptive_field: int = 27) -> str:
    """The companion's table 1 as Markdown, a part for each data set there are rows for."""
    rows = results.recorded("table1")
    rows = results.select(rows, action="average", preset="laptop", detector=CURRENT)
    heads = [f"{SHOWN_METRICS[m][0]}, {SHOWN_METRICS[m][1]}" for m in _METRICS]
    parts = []
    for dataset, about in _DATA.items():
        part = results.select(rows, dataset=dataset, receptive_field=receptive_field)
        if part.empty:
            continue
        seeds = sorted(set(part["seed"]))
        number = f"{len(seeds)} seeds" if len(seeds) > 1 else f"seed {seeds[0]}"
        means = results.over_seeds(part)[list(_METRICS)]
        lines = [
            [system, str(_frames(system, receptive_field)), *means.loc[system]]
            for system in _ORDER
            if system in means.index
        ]
        parts.append(table([f"{about}, {number}", "frames", *heads], lines))
    return "\n".join(parts)


def generalisation() -> str:
    """Errors in the studio, elsewhere, and on the real film, as Markdown."""
    rows = results.select(results.recorded("generalisation"), preset="laptop", dataset="mocap")
    film = "blazepose, against joint"
    columns = {
        "studio": ("mpjpe", "studio"),
        "random cameras": ("mpjpe", "random cameras"),
        "other data": ("mpjpe", "other data"),
        "real film": ("mpjpe", film),
        "real film, P-MPJPE": ("p_mpjpe", film),
    }
    rows = _by_column(rows, columns)
    means = results.over_seeds(rows).fillna("")
    best = rows[rows["metric"] == "real film"].groupby("system")["value"].mean().sort_values()
    lines = [[system, *means.loc[system]] for system in best.index]
    return table([f"MPJPE, mm, {rows['seed'].nunique()} seeds", *columns], lines)


def _by_column(rows: pd.DataFrame, columns: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """The rows of the ``columns`` of a table: each by its head, a metric of one action."""
    parts = [
        results.select(rows, metric=metric, action=action).assign(metric=head)
        for head, (metric, action) in columns.items()
    ]
    return pd.concat(parts)


def _frames(system: str, receptive_field: int) -> int:
    """How many frames a system of table 1 sees."""
    if system.endswith("occlusion-aware"):  # some more, to guess what is hidden in those
        widths = filter_widths(receptive_field)
        return OcclusionAware(17, 3, 17, widths, vectors="many", channels=1).receptive_field
    if system.startswith("heat maps"):
        return 64  # its windows
    return receptive_field if system.startswith("temporal") else 1


def veges2020() -> str:
    """Table 2 of veges2020 as Markdown: the location of everybody, and of those who can be seen."""
    rows = results.recorded("veges2020/table2")
    same = {"dataset": "mocap", "preset": "laptop", "detector": CURRENT}
    rows = results.select(rows, receptive_field=81, **same)
    columns = {
        "MRPE, mm": ("mrpe", "all"),
        "MRPE of visible poses, mm": ("mrpe", "visible"),
        "MPJPE, mm": ("mpjpe", "all"),
        "Accel, mm/frame²": ("acceleration_error", "all"),
    }
    means = results.over_seeds(_by_column(rows, columns))
    about = f"four people, {_DATA['mocap']}, {rows['seed'].nunique()} seeds"
    return table([about, *columns], [[system, *means.loc[system]] for system in _BRIDGES])


def wang2020() -> str:
    """How good the labellings of wang2020 are, as Markdown, a part for each data set; and what
    networks that go by them are worth."""
    parts = []
    for dataset, about in _DATA.items():
        rows = results.recorded("wang2020/section4_2_boxed_man")
        rows = results.select(rows, dataset=dataset, preset="laptop", seed=0)
        if rows.empty:
            continue
        found = rows.pivot_table("value", "system", "metric")
        lines = [[s, *(f"{found.loc[s, score]:.0f}" for score in _SCORES)] for s in _LABELLINGS]
        parts.append(table([f"an excerpt of {about}", *_SCORES.values()], lines))
    return "\n".join([*parts, *_against_plain()])


def _against_plain() -> list[str]:
    """How much higher the error of the occlusion-aware networks is than the plain one's."""
    rows = results.recorded("wang2020/table1_to_5")
    same = {"dataset": "humaneva_like", "preset": "laptop", "detector": CURRENT}
    errors = results.select(rows, metric="mpjpe", action="average", **same)
    errors = errors.pivot(index="seed", columns="system", values="value")
    about = f"HumanEva-like data, by the cross-entropy, {len(errors)} seeds"
    heads = ["MPJPE against the plain network, mm", about]
    gaps = {system: results.interval(errors[system] - errors["plain (1)"]) for system in _AWARE}
    lines = [[system[:-4], results.shown(*gap, decimals=2)] for system, gap in gaps.items()]
    return [table(heads, lines)]


def claims() -> str:
    """How many claims of each paper have which verdict, as Markdown."""
    counts = ledger.counts(ledger.recorded())
    counts.loc["together"] = counts.sum()
    counts = counts.rename(index=ledger.TITLES)
    lines = [[paper, *(str(n or "") for n in row)] for paper, row in counts.iterrows()]
    return table(["claims of", *counts.columns], lines)


def minutes(notebook: str) -> str:
    """How long the trainings of a notebook took for one seed, as it was published last; nothing
    where it trains nothing."""
    rows = results.recorded(notebook).reindex(columns=list(results.COLUMNS))
    rows = rows[(rows["preset"] == "laptop") & (rows["seconds"] > 0)]
    if rows.empty:
        return ""
    rows = rows[rows["dataset"] == rows["dataset"].iloc[-1]]
    # what each detector saw may have been published by itself
    last = rows.groupby("detector")["commit"].transform("last")
    runs = results.trainings(rows[rows["commit"] == last])
    return f"{max(1, round(runs['seconds'].sum() / runs['seed'].nunique() / 60))}"


def table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(row)} |" for row in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:], ""])


_TABLES = {
    "table1": table1,
    "generalisation": generalisation,
    "veges2020": veges2020,
    "wang2020": wang2020,
    "claims": claims,
}


def written(text: str) -> str:
    """``text`` with each marked part made anew from the results."""
    for name, made in _TABLES.items():
        if (begin := f"<!-- numbers: {name} -->") in text:
            text = between(begin, "<!-- end of numbers -->", text, made())
    return _NOTEBOOK.sub(lambda row: f"{row[1]} {minutes(row[2])} |", text)


def between(begin: str, end: str, text: str, content: str) -> str:
    """``text`` with ``content`` on the lines between the marks ``begin`` and ``end``."""
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def update() -> None:
    """Write the numbers anew in all texts that have some."""
    for path in TEXTS:
        path.write_text(written(path.read_text("utf-8")), "utf-8")
