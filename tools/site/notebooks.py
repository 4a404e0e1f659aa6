"""A committed notebook as a page: set-up folded, terms explained, figures described."""

import html
import re
from collections.abc import Mapping
from pathlib import Path

import nbformat

from tools.publish import SOLUTION

# what a reader of the page can skip: it is folded, and one click away
_SETUP = re.compile(
    r"^(?:(?:from|import|#|plotting\.use_style|experiment$|experiment = Experiment\.begin|\)"
    r"|\s|own = |smoke = |[\w, ]+= experiment\.load).*)?$"
)
# where no term is explained: code, formulas, links, HTML, headings, tables
_UNTOUCHED = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|!?\[[^\]]*\]\([^)]*\)|<[^>]*>|^[#|][^\n]*$",
    re.DOTALL | re.MULTILINE,
)
_LONG = 30  # lines of code, beyond which a cell is folded
_FOLDED = "hide-input"  # the theme's tag
_VISIBLE = 30  # lines of code that stand open on the page of a table


def page(path: Path, glossary: Mapping[str, str], depth: int) -> nbformat.NotebookNode:
    """The notebook as the site shows it. ``depth`` is how many folders it lies under the pages."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = _together(notebook.cells)
    if path.stem.startswith("table"):
        _fold_the_longest(notebook.cells)
    explained: set[str] = set()
    heading, said = "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading, said = about(cell.source, heading, said)
            cell.source = _explained(cell.source, glossary, explained, "../" * depth)
            continue
        if cell.source.startswith("if interactive:"):
            cell.cell_type, cell.source = (
                "markdown",
                f"Try it here: [demos]({'../' * depth}demos.md).",
            )
            del cell["outputs"], cell["execution_count"]
            continue
        shown = cell.metadata.setdefault("mystnb", {})
        if SOLUTION in cell.metadata.get("tags", ()):
            shown["code_prompt_show"] = shown["code_prompt_hide"] = "Solution"
        elif is_setup(cell):
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), _FOLDED]
            parameters = "parameters" in cell.metadata["tags"]
            shown["code_prompt_show"] = "Parameters" if parameters else "Code: set-up"
            shown["code_prompt_hide"] = shown["code_prompt_show"]
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            shown["image"] = {"alt": picture_of(heading, said)}
        for output in cell.outputs:  # Jupyter's way to a moving picture; HTML needs a type it knows
            data = output.get("data", {})
            if "image/gif" in data:
                data["text/html"] = picture("image/gif", data.pop("image/gif"), heading, said)
    return notebook


def _together(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Cells that only prepare, one after the other, as one."""
    kept: list[nbformat.NotebookNode] = []
    for cell in cells:
        last = kept[-1] if kept else nbformat.v4.new_markdown_cell()
        both = cell.cell_type == last.cell_type == "code" and is_setup(cell) and is_setup(last)
        if both and not last.outputs and "parameters" not in last.metadata.get("tags", ()):
            last.source, last.outputs = f"{last.source}\n\n{cell.source}", cell.outputs
        else:
            kept.append(cell)
    return kept


def _fold_the_longest(cells: list[nbformat.NotebookNode]) -> None:
    """Fold code, the longest cells first, until no more of it stands open than a reader of a table
    wants to see."""
    code = [cell for cell in cells if cell.cell_type == "code" and not is_setup(cell)]
    code.sort(key=_length)
    while sum(map(_length, code)) > _VISIBLE:
        cell = code.pop()
        cell.metadata["tags"] = [*cell.metadata.get("tags", ()), _FOLDED]
        words = f"Code: {_length(cell)} lines"
        cell.metadata["mystnb"] = {"code_prompt_show": words, "code_prompt_hide": words}


def _length(cell: nbformat.NotebookNode) -> int:
    return len(cell.source.splitlines())


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a code cell only prepares: parameters, imports, and the frame of the page."""
    if "parameters" in cell.metadata.get("tags", ()):
        return True
    lines = cell.source.splitlines()
    if len(lines) > _LONG:
        return True
    flat = re.sub(r"\(\n.*?\n\)", "()", cell.source, flags=re.S).splitlines()
    return all(_SETUP.match(line) for line in flat)


def about(source: str, heading: str, said: str) -> tuple[str, str]:
    """The heading that now holds, and the last sentence before what comes next."""
    for part in re.split(r"\n\s*\n", source):
        if part.startswith("#"):
            heading, said = part.lstrip("# ").splitlines()[0], ""
        elif not part.startswith(("*", "-", "|", "1.", "$$", "```", "<")):
            said = re.split(r"(?<=[.?!:])\s", plain(part))[0]
    return heading, said


def picture_of(heading: str, said: str) -> str:
    """What a picture shows: the heading over it, and what was said before it."""
    return ": ".join(part.rstrip(".:") for part in (plain(heading), said) if part)


def picture(kind: str, encoded: str, heading: str, said: str) -> str:
    """A picture of a notebook's output as HTML, described by :func:`picture_of`."""
    described, source = html.escape(picture_of(heading, said)), encoded.replace("\n", "")
    return f'<img alt="{described}" src="data:{kind};base64,{source}">'


def plain(text: str) -> str:
    """Markdown without its marks, on one line."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`$\\]", "", text).split())


def _explained(source: str, glossary: Mapping[str, str], known: set[str], up: str) -> str:
    """``source`` with the first use of each term on the page a link that shows its meaning."""
    kept: list[str] = []

    def keep(text: str) -> str:  # out of the way of what comes next
        kept.append(text)
        return f"\0{len(kept) - 1}\0"

    text = _UNTOUCHED.sub(lambda found: keep(found[0]), source)
    for term, meaning in glossary.items():
        if term in known:
            continue
        title = meaning.replace('"', "'")
        link = f'[{term}]({up}glossary.md#{anchor(term)} "{title}")'
        word = rf"(?<![\w-]){re.escape(term)}(?![\w-])"
        text, found = re.subn(word, lambda _, link=link: keep(link), text, count=1)
        known |= {term} if found else set()
    while "\0" in text:
        text = re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)
    return text


def anchor(term: str) -> str:
    """The address of a term in the glossary."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")
