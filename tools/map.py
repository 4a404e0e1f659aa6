"""The map of rooms in CONTRIBUTING.md, written from the list in the package."""

from paperlib import ROOMS
from paperlib.paths import ROOT
from tools.readme import between, table

CONTRIBUTING = ROOT / "CONTRIBUTING.md"


def text() -> str:
    """The rooms from the ground up, as a Markdown table."""
    package = ROOT / "paperlib"
    files = {name: name if (package / name).is_dir() else f"{name}.py" for name in ROOMS}
    rows = [[f"[`{name}`](paperlib/{files[name]})", about] for name, about in ROOMS.items()]
    return table(["room", "what it is for"], rows)


def written(page: str) -> str:
    """``page`` with the map in its place."""
    return between("<!-- map of rooms -->", "<!-- end of map -->", page, text())


def update() -> None:
    """Write the map anew."""
    CONTRIBUTING.write_text(written(CONTRIBUTING.read_text("utf-8")), "utf-8")
