"""The site: it builds without a warning, nothing in it leads nowhere, and nothing comes from
elsewhere."""

import re
import shutil

import nbformat
import numpy as np
import pandas as pd
import pytest

from paperlib.occlusion import labels
from paperlib.refinement import PAPER, refine
from tools.readme import README
from tools.site import build, demos, notebooks, slides
from tools.site.build import PAGES, glossary, parts
from tools.site.check import faults, opened

CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
TERMS = {"P-MPJPE": "after a rigid alignment", "MPJPE": 'the "mean" distance'}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site") / "html")


@pytest.mark.slow
def test_every_page_is_there_and_nothing_leads_nowhere(site):
    assert faults(site.parent) == []
    for page in (page for pages in parts().values() for page in pages):
        assert (site.parent / page.path).with_suffix(".html").is_file()
    text = (site.parent / "notebooks/claims.html").read_text("utf-8")
    assert "pavllo2019/table2.html" in text and ".ipynb" not in text


@pytest.mark.slow
def test_tables_that_a_cell_writes_are_tables(site):
    for page in (page for pages in parts().values() for page in pages):
        text = (site.parent / page.path).with_suffix(".html").read_text("utf-8")
        assert "| —" not in text, page.path


@pytest.mark.slow
def test_formulas_are_drawn_without_a_script(site):
    text = (site.parent / "notebooks/pavllo2019/appendix.html").read_text("utf-8")
    assert "<math" in text and "mathjax.js" not in text.lower()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="takes Chromium")
def test_a_browser_has_nothing_to_complain_of(site):
    for page in ("index.html", "notebooks/claims.html", "reference/metrics.html"):
        assert opened(site.parent / page)[1] == []
    page, errors = opened(site.parent / "demos.html", width=420)
    assert errors == [] and page.count("js-plotly-plot") == 2
    assert "while hidden" in page and "hidden joints found" in page and "mean error" in page


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="takes Chromium")
@pytest.mark.parametrize("name", slides.LESSON)
def test_slides_of_the_lesson_are_shown(site, name):
    page, errors = opened(site.parent / "slides" / f"{name}.html")
    assert errors == [] and 'class="title present"' in page


def test_every_page_of_the_lesson_has_slides_but_the_ledger():
    text = (PAGES / "reading.md").read_text("utf-8").split("## A lesson of ninety minutes")[1]
    text = text.split("## ")[0]
    pages = re.findall(r"\(\.\./\.\./\.\./notebooks/(.*?)\.ipynb\)", text)
    shown = re.findall(r'\(<a href="slides/(.*?)\.html">', text)
    assert tuple(shown) == slides.LESSON and pages == [*shown, "claims"]


def test_a_page_as_slides_ends_with_its_answer(tmp_path):
    opening = (
        '# A page\n\n**Is it so?** It is. <a href="#how">How it was found.</a>\n\nA [link](x.md).'
    )
    table = nbformat.v4.new_output("execute_result", {"text/html": "<table></table>"})
    looked = nbformat.v4.new_output("execute_result", {"text/html": "<b>17</b>"})
    cells = [
        TEXT(opening),
        CODE("import torch", outputs=[table]),
        TEXT("## One\n\nWith $x^2$."),
        CODE("x", outputs=[table]),
        TEXT('**Before you look:**<a id="how"></a> how many?'),
        CODE("y", outputs=[looked]),
        TEXT("## Try next\n\n* more"),
    ]
    path = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    shown = slides.slides(path, "a/page").split("<section")[1:]
    assert "Is it so?" in shown[0] and "It is." not in shown[0]
    assert "A link." in shown[1]
    assert "<math" in shown[2] and "<table>" in shown[2]
    assert "how many?" in shown[3] and "17" not in shown[3] and "17" in shown[4]
    items = "\n".join(f"* {'word ' * 60}" for _ in range(3))
    nbformat.write(nbformat.v4.new_notebook(cells=[TEXT(opening), TEXT(items)]), path)
    assert slides.slides(path, "page").count("<section") == 2 + 3  # no list is longer than a slide
    assert "It is." in shown[5] and 'href="../../notebooks/a/page.html"' in shown[5]
    assert len(shown) == 6


def test_a_long_table_is_cut_on_a_slide_and_a_short_one_is_not(tmp_path):
    def shown(table):
        output = nbformat.v4.new_output("execute_result", {"text/html": table.to_html()})
        opening = '# A page\n\n**So?** Yes. <a href="#how">How it was found.</a>'
        cells = [TEXT(opening), TEXT("## One"), CODE("x", outputs=[output])]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
        return slides.slides(tmp_path / "page.ipynb", "page")

    long = pd.DataFrame({"mm": range(100, 132)}, index=[f"action {n}" for n in range(32)])
    cut = shown(long)
    kept = [n for n in range(32) if f"<td>{100 + n}</td>" in cut]
    assert kept == [*range(8), 29, 30, 31]
    assert '<td colspan="2">… 21 more on the page</td>' in cut
    assert "more on the page" not in shown(long.head(16))
    together = long.set_index(pd.MultiIndex.from_product([["one", "other"], range(16)]))
    assert shown(together).count("<td>1") == 32  # whose rows hang together


@pytest.fixture(scope="module")
def person():
    return demos.hidden_person()


def test_the_player_has_the_bodies_and_what_is_hidden(person):
    recording, _, score = person
    data = demos.player(*person)
    assert [*data["bodies"]] == ["truth", "network", "interpolation", "refinement"]
    assert data["frames"] == len(recording) == len(data["hidden"])
    assert sum(data["hidden"]) == 30 == int((score == 0).sum())
    sides = {data["joints"][child]: side for _, child, side in data["bones"]}
    assert sides["left wrist"] == "left" and sides["right ankle"] == "right"
    assert sides["thorax"] == "centre"


def test_the_paper_s_knobs_of_the_smoothing_give_its_refinement(person):
    _, said, score = person
    knobs = {"root_short": (0.1, PAPER.root_short), "root_long": (PAPER.root_long,)}
    data = demos.smoothing(*person, knobs | {"long_step": (PAPER.long_step, 5)})
    assert data["usual"] == [1, 0, 0] and len(data["refined"]) == 4
    wanted = 1000 * refine(said, score, root=0)[:, 0]
    assert np.abs(np.array(data["refined"]["1-0-0"]) - np.asarray(wanted)).max() <= 0.51
    assert data["refined"]["1-0-0"] != data["refined"]["0-0-0"] != data["refined"]["0-0-1"]


def test_labels_of_the_body_are_those_of_the_package(person):
    recording = person[0]
    data = demos.occlusion(recording, (0,))
    frame = recording.cut(len(recording) // 3, len(recording) // 3 + 1)
    (view,) = data["views"]
    said = np.array(view["said"]["clustered"][data["settings"]["clustered"].index(0.06)])
    marked = labels(frame, "clustered", tolerance=0.06)[0].numpy()
    assert ((said == 1) | (said == 2)).tolist() == marked.tolist()
    truth = labels(frame, "rendered")[0].numpy()
    assert ((said == 1) | (said == 3)).tolist() == truth.tolist() and truth.any()


def test_the_map_of_the_readme_is_read_whole():
    found = [page for pages in parts().values() for page in pages]
    assert len(found) == README.read_text("utf-8").count("](notebooks/") - _mentions()
    assert list(parts())[:2] == ["The companion", "Pavllo et al. 2019"]
    assert all(page.title and page.about for page in found)


def _mentions():
    """Links to notebooks outside of the map."""
    lines = README.read_text("utf-8").splitlines()
    return sum(line.count("](notebooks/") for line in lines if not line.startswith("| ["))


def test_faults_are_found(tmp_path):
    picture, good = tmp_path / "a.png", tmp_path / "good.html"
    picture.write_bytes(b"")
    good.write_text('<p id="here"><a href="#here">x</a><img src="a.png" alt="a line"></p>')
    assert faults(tmp_path) == []
    for wrong, said in {
        '<a href="nowhere.html">': "nothing at nowhere.html",
        '<a href="good.html#there">': "no such place",
        '<img src="b.png" alt="a line">': "nothing at b.png",
        '<img src="a.png">': "without a description",
        '<script src="https://example.org/a.js"></script>': "loads https",
        '<link rel="stylesheet" href="//example.org/a.css">': "loads //",
    }.items():
        (tmp_path / "wrong.html").write_text(wrong)
        (found,) = faults(tmp_path)
        assert said in found and found.startswith("wrong.html")
    (tmp_path / "wrong.html").write_text('<a href="https://example.org">a link is no load</a>')
    assert faults(tmp_path) == []


def page_of(tmp_path, *cells, name="page"):
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return notebooks.page(path, TERMS, depth=1).cells


def test_a_term_is_explained_once_and_never_in_code_or_a_heading(tmp_path):
    text = "# MPJPE\n\n`MPJPE` and MPJPE, P-MPJPE, MPJPE; N-MPJPE, $MPJPE$, [MPJPE](x.md)"
    one, two = page_of(tmp_path, TEXT(text), TEXT("MPJPE"))
    link = "[MPJPE](../glossary.md#mpjpe \"the 'mean' distance\")"
    other = '[P-MPJPE](../glossary.md#p-mpjpe "after a rigid alignment")'
    wanted = f"# MPJPE\n\n`MPJPE` and {link}, {other}, MPJPE; N-MPJPE, $MPJPE$, [MPJPE](x.md)"
    assert one.source == wanted and two.source == "MPJPE"


def test_what_only_prepares_is_folded_and_stands_together(tmp_path):
    parameters = CODE("# Parameters\nseed = 0")
    parameters.metadata["tags"] = ["parameters"]
    imports = CODE("import torch\nfrom paperlib import (\n    metrics,\n)")
    begin = CODE('experiment = Experiment.begin(\n    "table1", globals()\n)\nexperiment')
    work = CODE("run = experiment.train(name, objective, recipe)")
    cells = page_of(tmp_path, parameters, imports, begin, work)
    assert [("hide-input" in cell.metadata.get("tags", ())) for cell in cells] == [
        True,
        True,
        False,
    ]
    assert cells[1].source == f"{imports.source}\n\n{begin.source}"


def test_of_a_table_the_longest_code_is_folded(tmp_path):
    def lines(count):
        return CODE("\n".join(f"a{number} = {number}" for number in range(count)))

    def folded(*lengths, name):
        cells = page_of(tmp_path, CODE("import torch"), *map(lines, lengths), name=name)
        return ["hide-input" in cell.metadata.get("tags", ()) for cell in cells[1:]]

    assert folded(20, 3, 18, 10, name="table1") == [True, False, True, False]
    assert folded(20, 10, name="table1_to_5") == [False, False]
    assert folded(20, 3, 18, 10, name="figure3") == [False] * 4
    long = page_of(tmp_path, lines(20), lines(12), name="table2")[0]
    assert long.metadata["mystnb"]["code_prompt_show"] == "Code: 20 lines"


def test_a_solution_is_folded_with_what_comes_out_of_it(tmp_path):
    solution = CODE("import math\nprint(math.pi)", metadata={"tags": ["hide-cell"]})
    (found,) = page_of(tmp_path, solution)
    assert found.metadata["tags"] == ["hide-cell"]
    assert found.metadata["mystnb"]["code_prompt_show"] == "Solution"


def test_a_demo_that_takes_a_kernel_gives_way_to_the_one_on_the_site(tmp_path):
    cell = CODE("if interactive:\n    import paperlib\n\n    display(paperlib.show(r))")
    (found,) = page_of(tmp_path, cell)
    assert found.cell_type == "markdown" and "](../demos.md)" in found.source


def test_a_picture_is_described_by_what_is_said_before_it(tmp_path):
    output = nbformat.v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
    cell = CODE("figure", outputs=[output])
    text = TEXT("## Velocity\n\nEach line is a *system*. More.\n\n* a list")
    *_, found = page_of(tmp_path, text, cell)
    assert found.metadata["mystnb"]["image"]["alt"] == "Velocity: Each line is a system"


def test_the_glossary_is_what_the_pages_explain():
    found = glossary((PAGES / "glossary.md").read_text("utf-8"))
    assert list(found).index("P-MPJPE") < list(found).index("MPJPE")
    assert all("\n" not in meaning and meaning.endswith(".") for meaning in found.values())
