"""The lesson's pages as slides to show: the same headings, words and outputs, the answer last.

Drawn by reveal.js, which lies beside them; a reader's browser fetches nothing.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from paperlib.paths import ROOT
from tools.site.notebooks import about, is_setup, picture

# of the lesson in pages/reading.md, in its order, but for the ledger, in which one looks up
LESSON = (
    *("start_here", "pavllo2019/figure1", "pavllo2019/section3_temporal_convolutions"),
    *("pavllo2019/table2", "generalisation"),
)
_WORDS = 100  # that stand on one slide, unless a paragraph has more …
_BESIDE = 45  # … and with what comes out of the next cell
_LINK = re.compile(r"!?\[([^\]]*)\]\((?!https?:)[^)]*\)")
_ANSWER = re.compile(r'\s*<a href="#how">How it was found\.</a>')
_ANCHOR = re.compile(r'<a id="[^"]*"></a>')
_ROWS = 16  # of a table that is shown whole; of a longer one the first and the last
_FIRST, _LAST = 8, 3
_SMALL_PRINT = 400  # characters of one paragraph in italics: a protocol, which the page has
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}: slides</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{up}_static/reveal/reveal.css">
<link rel="stylesheet" href="{up}_static/slides.css"></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="{up}_static/reveal/reveal.js"></script>
<script>
Reveal.initialize({{width: 1280, height: 720, margin: 0.04, center: false, hash: true,
  slideNumber: "c/t", transition: "none", navigationMode: "linear",
  keyboard: {{38: null, 40: null}}}});  // up and down are left to slides that are too long
Reveal.on("slidechanged", (event) => event.currentSlide.focus());
</script>
</body></html>
"""


def write(site: Path) -> None:
    """Put the slides of every page of :data:`LESSON` into ``site/slides``."""
    reveal = site / "_static" / "reveal"
    reveal.mkdir(parents=True, exist_ok=True)
    for name in ("dist/reveal.js", "dist/reveal.css", "LICENSE"):
        source = files("sphinx_revealjs") / "_static" / "revealjs" / name
        (reveal / Path(name).name).write_bytes(source.read_bytes())
    for name in LESSON:
        target = site / "slides" / f"{name}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(slides(ROOT / "notebooks" / f"{name}.ipynb", name), "utf-8")


def slides(path: Path, name: str) -> str:
    """One notebook as a page of slides. ``name`` says how deep that page lies."""
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.source.strip()]
    opening, *rest = _pieces(cells[0].source)
    title = opening.lstrip("# ")
    number = next(n for n, piece in enumerate(rest) if _ANSWER.search(piece))
    question, answer = _parted(rest.pop(number))
    made = [_Slide(title)]
    for piece in rest:
        made[-1].takes(piece) or made.append(_Slide(title, piece))
    for heading, piece, output in _told(cells[1:], title):
        if heading != made[-1].heading or not made[-1].takes(piece, output):
            made.append(_Slide(heading, piece, output))
    up = "../" * (name.count("/") + 1)
    link = f'\n\n<a href="{up}notebooks/{name}.html">The page, with its code</a>'
    first = _section(f"# {title}\n\n{question}", kind="title")
    last = _section(f"## {title}\n\n{answer}{link}", kind="title")
    shown = (_section(f"## {s.heading}\n\n{s.text}", s.output) for s in made)
    whole = "\n".join([first, *shown, last])
    return _PAGE.format(title=html.escape(title), up=up, slides=whole)


@dataclass
class _Slide:
    """Text under a heading, and at most one output below it."""

    heading: str
    text: str = ""
    output: str = ""

    def takes(self, text: str, output: str = "") -> bool:
        """Put text or an output on this slide too, if there is room; whether there was. No output
        stands beside the question to guess it by."""
        words = len(f"{self.text} {text}".split())
        full = self.output or words > (_BESIDE if output else _WORDS)
        if full or (output and "Before you look" in self.text):
            return False
        self.text, self.output = f"{self.text}\n\n{text}", output
        return True


def _told(cells: list[nbformat.NotebookNode], title: str) -> Iterator[tuple[str, str, str]]:
    """What is said and shown, piece by piece: heading, text, output."""
    heading, said = title, ""
    for cell in cells:
        if cell.cell_type == "markdown":
            _, said = about(cell.source, heading, said)
            for part in re.split(r"^(?=#+ )", cell.source, flags=re.MULTILINE):
                pieces = _pieces(part)
                if pieces and pieces[0].startswith("#"):
                    heading = pieces.pop(0).lstrip("# ")
                if heading == "Try next":
                    return
                yield from ((heading, piece, "") for piece in pieces)
        elif not is_setup(cell):
            shown = (_shown(output, heading, said) for output in cell.outputs)
            yield from ((heading, "", output) for output in shown if output)


def _parted(piece: str) -> tuple[str, str]:
    """The question of a page, in bold, and the answer that follows it."""
    question, answer = re.match(r"(\*\*.+?\*\*)\s*(.*)", _ANSWER.sub("", piece), re.S).groups()
    return question, answer


def _pieces(markdown: str) -> list[str]:
    """Its paragraphs, formulas, items of lists and tables, one by one."""
    markdown = _LINK.sub(r"\1", _ANCHOR.sub("", markdown))
    return [p.strip() for p in re.split(r"\n\s*\n|\n(?=\* )", markdown) if p.strip()]


def _shown(output: nbformat.NotebookNode, heading: str, said: str) -> str:
    """One output of a cell as HTML; nothing, if it is not for a slide."""
    data = output.get("data", {})
    for kind in ("image/gif", "image/png"):
        if kind in data:
            return picture(kind, data[kind], heading, said)
    if "text/html" in data:
        return _cut(data["text/html"])
    if "text/markdown" in data:
        text = data["text/markdown"]
        small = text.startswith("*") and len(text) > _SMALL_PRINT
        return "" if small else _text(_LINK.sub(r"\1", text))
    if output.output_type == "stream":
        return f"<pre>{html.escape(output.text)}</pre>"
    return ""


def _cut(table: str) -> str:
    """A table of many rows without those in its middle, which the page has; one whose rows hang
    together is left whole."""
    parts = re.split(r"(?<=<tbody>)(.*?)(?=</tbody>)", table, maxsplit=1, flags=re.S)
    rows = re.findall(r"<tr.*?</tr>", parts[1], re.S) if len(parts) == 3 else []
    if len(rows) <= _ROWS or "rowspan" in parts[1]:
        return table
    cells = len(re.findall(r"<t[hd]", rows[0]))
    more = f'<tr><td colspan="{cells}">… {len(rows) - _FIRST - _LAST} more on the page</td></tr>'
    return "\n".join([parts[0], *rows[:_FIRST], more, *rows[-_LAST:], parts[2]])


def _section(text: str, output: str = "", kind: str = "") -> str:
    return f'<section class="{kind}" tabindex="0">{_text(text)}{output}</section>'


def _text(markdown: str) -> str:
    return _MARKDOWN.render(markdown)


def _formula(text: str, options: dict) -> str:
    return convert(text, display="block" if options["display_mode"] else "inline")


_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
_MARKDOWN.use(dollarmath_plugin, renderer=_formula, double_inline=True)
