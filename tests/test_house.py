"""The plan of the house: who may import whom, how large a room may grow, what never comes in."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import paperlib
from paperlib import datasets
from tools import map

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "paperlib"

ROOMS = tuple(paperlib.ROOMS)  # from the ground up
LONGEST = 320  # lines; beyond it a file is two rooms


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_package(package: Path) -> dict[str, ast.Module]:
    """Every module of a package by its dotted name."""
    return {
        module_name(path, package.parent): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in sorted(package.rglob("*.py"))
    }


def folders(package: Path) -> set[str]:
    return {module_name(path, package.parent) for path in package.rglob("__init__.py")}


def imports(module: str, tree: ast.Module, is_folder: bool, known: set[str]) -> set[str]:
    """The modules of the package that a module imports, wherever in its text.

    A name taken from a folder stands for the file of that name, where there is one.
    """
    package = module.split(".")[0]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")
                up = here[: len(here) - node.level + is_folder]
                base = ".".join([*up, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in known else base)
    return {name for name in found if name.split(".")[0] == package}


def graph_of(package: Path) -> dict[str, set[str]]:
    trees, inner = read_package(package), folders(package)
    known = set(trees)
    return {m: imports(m, tree, m in inner, known) for m, tree in trees.items()}


def room(module: str) -> str | None:
    """``paperlib.datasets.cmu`` stands in ``datasets``; the package itself in no room."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def wrong_imports(graph: dict[str, set[str]]) -> list[str]:
    wrong = []
    for module, targets in graph.items():
        for target in sorted(targets):
            here, there = room(module), room(target)
            if there is None and here is not None:
                continue  # the package itself: its version
            if here is None or there not in ROOMS or here not in ROOMS:
                wrong.append(f"{module} imports {target}")
            elif here != there and ROOMS.index(there) > ROOMS.index(here):
                wrong.append(f"{module} imports {target}, which stands above it")
    return wrong


def circle(graph: dict[str, set[str]]) -> list[str]:
    # an import of itself says nothing; a folder may import its files, and they not it
    try:
        TopologicalSorter({m: targets - {m} for m, targets in graph.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return []


TREES = read_package(PACKAGE)
GRAPH = graph_of(PACKAGE)


def test_every_module_stands_in_a_known_room_and_no_room_is_empty():
    assert TREES, "no modules found"
    assert {room(m) for m in TREES} - {None} == set(ROOMS)


def test_nothing_imports_upwards():
    assert wrong_imports(GRAPH) == []


def test_no_modules_import_each_other():
    assert circle(GRAPH) == []


def test_the_package_itself_imports_nothing():
    assert GRAPH["paperlib"] == set()


def test_the_package_needs_nothing_that_is_not_installed_with_it():
    checkout = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"paperlib"}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                named = [node.module]
            assert not checkout & {name.split(".")[0] for name in named}, module


# --- what is offered by name -----------------------------------------------------------------


def test_importing_the_package_loads_no_room_and_using_one_does():
    look = """
import sys, paperlib
print(sorted(m for m in sys.modules if m == "torch" or m.startswith("paperlib.")))
print(sorted(set(dir(paperlib)) ^ {*paperlib.ROOMS, "__version__", "show"}))
print(paperlib.widgets.smoothing_demo.__name__, paperlib.datasets.mupots.load.__name__)
print(hasattr(paperlib, "metric"), hasattr(paperlib.datasets, "cmus"))
from paperlib import *
print(metrics is paperlib.metrics)
"""
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n['__main__']\nsmoothing_demo load\nFalse False\nTrue\n"


# takes from a tenth of a second to two to load each, and most programs need none of them
LATE = {"scipy", "pandas", "matplotlib", "numba", "h5py"}
LATE |= {"plotly", "ipywidgets", "IPython", "nbformat", "papermill", "dask", "distributed"}
# what they show with, or tables, is all that these rooms are for
SHOWING = {"claims", "plotting", "player", "widgets"}
LOOK = f"""
import sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
    print(name, *sorted({LATE} & set(sys.modules)))
"""


def loaded_late(look: str, *words: str) -> list[str]:
    command = [sys.executable, "-c", look, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_what_takes_long_to_load_is_loaded_where_it_is_used():
    own = {*datasets.REGISTRY, "mupots", "mpi_inf_3dhp", "muco_temp"}
    modules = [f"paperlib.{room}" for room in ROOMS if room not in SHOWING]
    modules += [f"paperlib.datasets.{name}" for name in sorted(own)]
    modules += ["paperlib.experiment.frame", "paperlib.experiment.training"]
    assert loaded_late(LOOK, *modules) == modules


def test_the_help_of_the_command_line_loads_no_more_than_it_says():
    look = f"""
import sys
from paperlib.__main__ import main
try:
    main(["train", "--help"])
except SystemExit:
    print(sorted({LATE | {"torch", "numpy"}} & set(sys.modules)))
"""
    assert loaded_late(look)[-1] == "[]"


def test_the_docstring_tells_every_room_in_order():
    lines = paperlib.__doc__.splitlines()[-len(ROOMS) :]
    told = dict(line.split(maxsplit=1) for line in lines)
    assert list(told.items()) == list(paperlib.ROOMS.items())


def test_the_map_in_contributing_is_that_of_the_package():
    page = map.CONTRIBUTING.read_text("utf-8")
    assert map.written(page) == page, "`python -m tools map` writes it anew"
    begin, end = page.index("<!-- map of rooms -->"), page.index("<!-- end of map -->")
    drawn = [line for line in page[begin:end].splitlines() if line.startswith("| [")]
    assert [line.split("`")[1] for line in drawn] == list(ROOMS)
    for line in drawn:
        assert (ROOT / line.split("(")[1].split(")")[0]).exists()


@pytest.mark.parametrize("name", sorted(folders(PACKAGE) - {"paperlib"}))
def test_a_package_offers_its_public_names_and_modules_and_nothing_else(name):
    package, place = import_module(name), PACKAGE.joinpath(*name.split(".")[1:])
    inner = {p.stem for p in place.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    modules = {module for module in inner if not module.startswith("_")}
    named = getattr(package, "__all__", [])
    offered = {each for each in dir(package) if not each.startswith("__")}
    assert offered == {*named, *modules}
    for each in offered:
        assert getattr(package, each) is not None
    # what it imports for its own use is not offered, and what it makes is
    tree = TREES[name].body
    made = {n.name for n in tree if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    assert {n for n in made if not n.startswith("_")} <= set(named)


def test_what_a_package_uses_is_not_what_it_offers():
    names = dir(paperlib.datasets)
    assert {"load", "resolve", "NAMES", "LICENSED", "cmu", "mupots"} <= set(names)
    assert not {"import_module", "Callable", "Dataset", "MissingDataError", "lazily"} & set(names)
    assert {"TemporalModel", "filter_widths", "fast"} <= set(dir(paperlib.models))
    assert "Streaming" in dir(paperlib.prediction)  # of another room, offered by name


def test_the_rule_sees_wrong_imports(tmp_path):
    """The rule itself, on a small house with every fault."""
    files = {
        "__init__.py": "from paperlib.errors import one_of",
        "errors.py": "def f():\n    import paperlib.metrics",
        "metrics.py": "from paperlib import errors, __version__\nfrom .plotting import pages",
        "plotting/__init__.py": "from . import pages\nfrom paperlib.plotting.pages import a",
        "plotting/pages.py": "from .interactive import b\nimport torch\nfrom ..metrics import c",
        "plotting/interactive.py": "from paperlib.plotting import pages",
        "attic.py": "from paperlib import errors",
    }
    for name, text in files.items():
        path = tmp_path / "paperlib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    graph = graph_of(tmp_path / "paperlib")
    assert wrong_imports(graph) == [
        "paperlib imports paperlib.errors",
        "paperlib.attic imports paperlib.errors",
        "paperlib.errors imports paperlib.metrics, which stands above it",
        "paperlib.metrics imports paperlib.plotting.pages, which stands above it",
    ]
    assert graph["paperlib.plotting"] == {"paperlib.plotting.pages"}
    assert graph["paperlib.plotting.pages"] == {"paperlib.plotting.interactive", "paperlib.metrics"}
    assert len(circle(graph)) > 2
    del graph["paperlib.errors"], graph["paperlib.plotting.interactive"]
    graph["paperlib.metrics"].discard("paperlib.plotting.pages")
    assert circle(graph) == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_no_module_grows_too_long(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{path.relative_to(ROOT)} has {lines} lines: it is two rooms"


def unwelcome(tree: ast.Module) -> list[str]:
    """Code made from text, pickles let in, names of unknown origin."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.append(f"line {node.lineno}: import *")
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.id if isinstance(called, ast.Name) else ""
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            name = called.attr if called.value.id == "builtins" else ""
        if name in ("eval", "exec"):
            found.append(f"line {node.lineno}: {name}(")
        for keyword in node.keywords:
            closed = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg == "allow_pickle" and not closed:
                found.append(f"line {node.lineno}: allow_pickle")
    return found


def test_nothing_runs_code_from_text_or_files():
    assert {m: found for m, tree in TREES.items() if (found := unwelcome(tree))} == {}


def test_the_rule_sees_what_is_unwelcome():
    text = """
from torch import *
eval("1")
builtins.exec("2")
np.load(path, allow_pickle=True)
np.load(path, allow_pickle=trusted)
model.eval()
np.load(path, allow_pickle=False)
"""
    found = ["import *", "eval(", "exec(", "allow_pickle", "allow_pickle"]
    assert unwelcome(ast.parse(text)) == [f"line {n}: {it}" for n, it in enumerate(found, start=2)]


def test_environment_and_pyproject_pin_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = ("test", "site", "exports")  # as `make setup` has them
    pins = project["dependencies"] + [pin for name in names for pin in extras[name]]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert {re.split("[=> ]", entry)[0] for entry in conda} == {"python", "pip", "make"}
    assert len(pip) == 1
    ours = [entry for entry in pip[0] if not entry.startswith(("-e", "--editable"))]
    assert sorted(ours) == sorted(pins)
    assert all("==" in pin for pin in pins)
