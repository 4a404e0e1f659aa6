"""A run is another one where code that its training goes through has changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paperlib.training import identity

PACKAGE = Path(identity.__file__).parents[1]
TRAINING = """
import sys
from paperlib import datasets
from paperlib.evaluation import evaluate
from paperlib.models import TemporalModel
from paperlib.training import Recipe, Supervised, train

data = datasets.load("synthetic", seconds=0.4, subjects=("S1", "S6"), families=("walking",))
build = lambda: TemporalModel(17, 2, 17, (3,), channels=8)
run = train(Supervised(build, data), Recipe(epochs=1, channels=8), device="cpu", progress=False)
print("reused" if run.reused else "trained", run.key)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """A copy of the package, to be changed."""
    folder = tmp_path_factory.mktemp("house")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "paperlib", ignore=ignore)
    (folder / "training.py").write_text(TRAINING)
    return folder


def trained(house: Path) -> tuple[str, str]:
    environment = {**os.environ, "PYTHONPATH": str(house), "PAPERLIB_RUNS": str(house / "runs")}
    command = [sys.executable, "training.py"]
    done = subprocess.run(
        command, cwd=house, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return tuple(done.stdout.split())


def change(house: Path, file: str, old: str, new: str) -> None:
    path = house / "paperlib" / file
    text = path.read_text()
    assert text.count(old) == 1, (file, old)
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_change_something_and_run_again(house):
    """What a training goes through makes another run; a plot, a comment, another model do not."""
    first, key = trained(house)
    assert first == "trained"
    assert trained(house) == ("reused", key)
    change(house, "plotting/charts.py", "capsize=3", "capsize=4")
    change(house, "models/linear.py", "dropout: float = 0.5", "dropout: float = 0.4")
    change(house, "cameras.py", "import torch\n", "import torch  # tensors\n\n\n")
    assert trained(house) == ("reused", key)
    scaled = "return pixels * (2 / width)"
    change(house, "cameras.py", scaled, scaled.replace("pixels", "7 * pixels"))
    projected = trained(house)
    assert projected[0] == "trained" and projected[1] != key
    falling = "return self.momentum_start * math.exp(-epoch / self.epochs * fall)"
    change(house, "training/recipes.py", falling, "return self.momentum_start")
    constant = trained(house)
    assert constant[0] == "trained" and len({key, projected[1], constant[1]}) == 3


def test_what_a_training_reaches():
    modules = identity.reached(
        "paperlib.training.loop",
        "paperlib.training.objectives.supervised",
        "paperlib.models.temporal",
    )
    names = {module.removeprefix("paperlib.") for module in modules}
    assert {"cameras", "metrics", "alignment", "recordings", "windows.gather", "skeletons"} <= names
    assert {"training.step", "training.recipes", "models.temporal"} <= names
    rooms = {name.split(".")[0] for name in names}
    assert not rooms & {"plotting", "results", "refinement", "rendering", "datasets", "widgets"}
    assert not {"models.linear", "models.occlusion_aware", "losses"} & names


def test_names_that_a_folder_offers_lead_to_the_file_that_defines_them():
    found = identity.reached("paperlib.training.objectives.semi_supervised")
    assert {"paperlib.models.pose_and_trajectory", "paperlib.losses"} <= found
    assert "paperlib.models.linear" not in found


def test_code_from_elsewhere_counts_by_its_source():
    """A model that a notebook defines."""

    class Mine:
        factor = 2

    class Other:
        factor = 3

    start = "paperlib.training.loop"
    assert identity.code_of(start, Mine) == identity.code_of(start, Mine)
    assert len({identity.code_of(start), *(identity.code_of(start, k) for k in (Mine, Other))}) == 3
