"""Where the project is run without `make`: on Binder, on Colab, with conda; what can be checked of
that without a network."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import pytest

from tools.publish import text_forms

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / ".binder"
# what a fresh Colab machine does not have, and what no notebook needs to run in a kernel
ABSENT = ("papermill", "jupytext", "nbclient", "jupyterlab", "anywidget", "cryptography", "dask")


def test_binder_installs_the_package_itself_and_nothing_from_an_address():
    files = {path.name: path.read_text("utf-8") for path in BINDER.iterdir()}
    assert set(files) == {"requirements.txt", "runtime.txt"}
    lines = [line for line in files["requirements.txt"].splitlines() if not line.startswith("#")]
    assert lines == ["--editable ."]
    assert not re.search(r"://|index", "".join(files.values()))


def test_binder_has_a_python_that_the_package_takes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least = re.fullmatch(r">=3\.(\d+)", project["requires-python"])[1]
    ours = re.fullmatch(r"python-3\.(\d+)\n", (BINDER / "runtime.txt").read_text("utf-8"))[1]
    assert int(ours) >= int(least)
    assert f"python=3.{ours}" in (ROOT / "environment.yml").read_text("utf-8")


def test_pip_understands_what_binder_gives_it():
    words = ["-m", "pip", "install", "--dry-run", "--no-deps", "--no-build-isolation", "--no-index"]
    words += ["--quiet", "--disable-pip-version-check", "-r", ".binder/requirements.txt"]
    try:
        import setuptools  # noqa: F401
    except ImportError:
        pytest.skip("takes setuptools")
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)


def test_notebooks_import_nothing_that_colab_lacks():
    """All of their imports, from the folder of the project alone, where these cannot be had."""
    lines = set()
    for text in text_forms():
        for cell in jupytext.read(text).cells:
            if cell.cell_type == "code":
                lines |= set(re.findall(r"^(?:from|import) [^(\n]+$", cell.source, re.M))
    assert len(lines) > 40
    look = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT}))  # None: not to be imported
sys.path.insert(0, "")
{chr(10).join(sorted(lines))}
import paperlib
assert paperlib.show and paperlib.experiment.Experiment and paperlib.refinement.refine
print(paperlib.__file__)
"""
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(done.stdout.splitlines()[-1]).parent == ROOT / "paperlib"
