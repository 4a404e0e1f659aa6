"""The pages put together, and the site built from them."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import plotly

from paperlib.paths import OUT, ROOT
from paperlib.player import SCRIPT
from tools.site import demos, notebooks, reference, slides

PAGES = Path(__file__).parent / "pages"
# of the README's map: | [title](notebooks/…) | about | minutes |
_ROW = re.compile(
    r"^\| \[`?(?P<title>[^\]]*?)`?\]\((?P<path>notebooks/[^)]*)\)[^|]*\| (?P<about>.*) \|[^|]*\|$"
)
_PART = re.compile(r"^\| \*\*(?P<title>[^*]*)\*\* \| \*?(?P<about>[^*|]*)\*? \|[^|]*\|$")
_UP = "](../../../"  # from the pages by hand to the project


@dataclass(frozen=True)
class Page:
    """A line of the README's map of notebooks."""

    title: str
    path: str
    about: str


def build(folder: Path | None = None) -> Path:
    """Build the site in ``folder`` (``out/site`` unless told otherwise); its first page.

    Needs the extra ``site`` (Sphinx). Any warning of Sphinx ends it with ``ValueError``."""
    folder = folder or OUT / "site"
    source = folder.with_name(f"{folder.name}_source")
    for old in (source, folder):
        shutil.rmtree(old, ignore_errors=True)
    assemble(source)
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    found = subprocess.run(
        [*words, "-j", "auto", str(source), str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if found.returncode:
        raise ValueError(f"the site was not built:\n{found.stderr.strip()[-4000:]}")
    slides.write(folder)
    for made in (source, folder / ".doctrees", folder / "_sources"):
        shutil.rmtree(made, ignore_errors=True)
    return folder / "index.html"


def assemble(source: Path) -> None:
    """Write what Sphinx reads: the pages by hand, the notebooks, the reference, the figures."""
    shutil.copytree(PAGES, source)
    for page in source.glob("*.md"):
        page.write_text(page.read_text("utf-8").replace(_UP, "]("), "utf-8")
    data = (ROOT / "data" / "README.md").read_text("utf-8")
    (source / "data.md").write_text(data.replace("](../", "]("), "utf-8")
    shutil.copytree(ROOT / "figures", source / "figures")
    terms = glossary((PAGES / "glossary.md").read_text("utf-8"))
    for place in (p for pages in parts().values() for p in pages):
        target = source / place.path
        target.parent.mkdir(parents=True, exist_ok=True)
        depth = len(Path(place.path).parts) - 1
        nbformat.write(notebooks.page(ROOT / place.path, terms, depth), target)
    reference.write(source / "reference")
    demos.write(source / "demos")
    for script in (Path(plotly.__file__).parent / "package_data" / "plotly.min.js", SCRIPT):
        shutil.copyfile(script, source / "static" / script.name)
    index = source / "index.md"
    index.write_text(index.read_text("utf-8") + "\n".join(_contents()), "utf-8")


def parts() -> dict[str, list[Page]]:
    """The README's map of notebooks: the pages under each of its headings, in its order."""
    found: dict[str, list[Page]] = {"The companion": []}
    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        if part := _PART.match(line):
            found[part["title"]] = []
        elif row := _ROW.match(line):
            found[next(reversed(found))].append(Page(**row.groupdict()))
    return found


def glossary(text: str) -> dict[str, str]:
    """Term -> its meaning, long terms first: of ``### term`` and the paragraph under it."""
    found = re.findall(r"^### (.+)\n\n((?:.+\n)+)", text, flags=re.MULTILINE)
    meanings = {term: notebooks.plain(meaning) for term, meaning in found}
    return dict(sorted(meanings.items(), key=lambda item: -len(item[0])))


def _contents() -> list[str]:
    """The site's table of contents, which previous and next follow."""
    trees = {"Reading": ["reading", "demos", "glossary", "guide", "code", "data"]}
    trees |= {
        title: [p.path.removesuffix(".ipynb") for p in pages] for title, pages in parts().items()
    }
    trees["The package"] = ["reference/index"]
    lines = []
    for title, pages in trees.items():
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"]
    return lines
