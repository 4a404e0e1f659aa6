"""The README says what was measured, and names what exists."""

import importlib
import re

import pandas as pd
import pytest

from paperlib import results
from paperlib.detection.detectors import CURRENT
from paperlib.paths import ROOT
from tools import readme

TEXT = readme.README.read_text("utf-8")
PAGES = sorted(
    {*readme.TEXTS, ROOT / "data" / "README.md", *(ROOT / "tools/site/pages").glob("*.md")}
)
ALL = "\n".join(path.read_text("utf-8") for path in PAGES)


@pytest.mark.parametrize("path", readme.TEXTS, ids=lambda path: path.name)
def test_its_numbers_are_those_on_record(path):
    text = path.read_text("utf-8")
    assert readme.written(text) == text, "`python -m tools readme` writes them anew"


def test_each_number_of_its_table_is_the_mean_of_recorded_rows():
    rows = results.recorded("table1")
    rows = results.select(rows, action="average", preset="laptop", detector=CURRENT)
    printed = re.findall(r"^\| (temporal|single frame) \| \d+ \| ([\d.]+)", TEXT, re.MULTILINE)
    assert len(printed) >= 2
    means = rows[rows["metric"] == "mpjpe"].groupby(["dataset", "system"])["value"].mean().round(1)
    for system, value in printed:
        assert float(value) in means.xs(system, level="system").tolist()


@pytest.mark.parametrize(
    "table",
    [
        "table1",
        "generalisation",
        "veges2020/table2",
        "wang2020/section4_2_boxed_man",
        "wang2020/table1_to_5",
    ],
)
def test_a_changed_result_changes_the_text(monkeypatch, table):
    recorded = results.recorded

    def changed(name):
        rows = recorded(name)
        return rows.assign(value=rows["value"] * 2) if name == table else rows

    monkeypatch.setattr(results, "recorded", changed)
    assert any(readme.written(t) != t for t in (path.read_text("utf-8") for path in readme.TEXTS))


def test_a_changed_verdict_changes_the_text(tmp_path, monkeypatch):
    (tmp_path / "claims.csv").write_text(
        (results.RESULTS / "claims.csv").read_text("utf-8").replace(",cannot be judged", ",not dec")
    )
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert readme.claims() not in TEXT


@pytest.mark.parametrize("page", [p for p in PAGES])
def test_what_it_links_to_is_there(page):
    for link in re.findall(r"\]\(((?!https?:)[^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_minutes_are_of_a_seed_and_of_what_each_detector_saw_last(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    about = {"dataset": "mocap", "preset": "laptop", "seed": 0, "metric": "mpjpe", "unit": "mm"}
    about |= {column: "" for column in results.COLUMNS if column not in about} | {"value": 50.0}
    told = (("near", "a", 600), ("near", "b", 120), ("far", "c", 180), ("far", "c", 60))
    rows = [
        about | {"detector": detector, "commit": commit, "seconds": seconds, "system": str(seconds)}
        for detector, commit, seconds in told
    ]
    pd.DataFrame(rows)[list(results.COLUMNS)].to_csv(tmp_path / "page.csv", index=False)
    assert readme.minutes("page") == "6"
    assert readme.minutes("another") == ""


@pytest.mark.parametrize("line", re.findall(r"^from paperlib.* import .*$", ALL, re.MULTILINE))
def test_what_its_code_imports_is_offered(line):
    module, names = line.split("#")[0].removeprefix("from ").split(" import ")
    for name in names.split(","):
        assert name.strip() in dir(importlib.import_module(module)), line


def test_it_maps_every_notebook():
    notebooks = {p.relative_to(ROOT).as_posix() for p in (ROOT / "notebooks").rglob("*.ipynb")}
    linked = set(re.findall(r"\((notebooks/[^)]+\.ipynb)\)", TEXT))
    assert linked == {name for name in notebooks if ".ipynb_checkpoints" not in name}
