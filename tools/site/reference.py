"""The reference of the package: a page for each room, from its docstrings."""

import inspect
from importlib import import_module
from pathlib import Path

from paperlib import ROOMS


def write(folder: Path) -> None:
    """Write a page for each public room of the package, and their list."""
    folder.mkdir()
    rooms = {name: about for name, about in ROOMS.items() if not name.startswith("_")}
    for name in rooms:
        (folder / f"{name}.rst").write_text(_room(name), "utf-8")
    rows = [f"`paperlib.{name} <{name}.html>`__\n   {about}\n" for name, about in rooms.items()]
    tree = [".. toctree::", "   :hidden:", "", *(f"   {name}" for name in rooms)]
    text = "\n".join([_title("The package, room by room"), _INTRODUCTION, *rows, *tree, ""])
    (folder / "index.rst").write_text(text, "utf-8")


_INTRODUCTION = """\
Each room imports only from those above it. Shapes stand in the docstrings: ``T`` frames, ``J``
joints, ``P`` people, ``B`` windows of a batch; lengths are metres, angles radians.
"""


def _room(name: str) -> str:
    """A page of what a room offers: its functions and classes, in the order of their names."""
    module = import_module(f"paperlib.{name}")
    names = getattr(module, "__all__", None) or [
        n
        for n, value in vars(module).items()
        if not n.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    lines = [_title(f"paperlib.{name}"), f".. automodule:: {module.__name__}\n   :no-members:\n"]
    for each in sorted(names, key=str.lower):
        value = getattr(module, each)
        home = getattr(value, "__module__", "")
        if not f"{home}.".startswith(f"{module.__name__}."):  # of another room, and described there
            continue
        if inspect.isclass(value):
            lines.append(f".. autoclass:: {module.__name__}.{each}\n   :members:\n")
        elif callable(value) and hasattr(value, "__name__"):
            lines.append(f".. autofunction:: {module.__name__}.{each}\n")
    return "\n".join(lines)


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"
