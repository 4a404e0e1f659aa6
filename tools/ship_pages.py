"""The runs of pages whose weights travel along: what a newcomer meets first, on embedded data."""

import re
from unittest.mock import patch

import jupytext

from paperlib.evaluation import evaluate
from paperlib.experiment import Experiment
from paperlib.paths import ROOT
from paperlib.training import Recipe, Run, ship, shipped, shipped_run, train
from paperlib.training.shipping import FOLDER

PAGES = ("start_here", "table1", "pavllo2019/figure1", "pavllo2019/table2")
WITH = {"dataset": "synthetic", "preset": "laptop", "device": "cpu"}
TOLERANCE = 0.05  # mm; rounding the weights changes no system's error by more


def ship_page(page: str, commit: str) -> list[str]:
    """Train what a page trains with :data:`WITH`, and put it into the package, unless it is there
    and not stale. Gives the names of what the page finds from then on.

    ``ValueError`` where rounding changes an error by more than :data:`TOLERANCE`."""
    names = []

    def shipping(experiment: Experiment, system: str, objective, recipe: Recipe, **options) -> Run:
        own = experiment.training_options
        run = shipped_run(objective, recipe, own["seed"], own["device"], system, own_first=False)
        if run is None:
            run = train(objective, recipe, name=system, **own, **options)
            source = experiment.exact.source
            about = {
                "for": f"{page}, {system}",
                "data": f"{source[0].lower()}{source[1:]} 2D: {experiment.detector}.",
                "commit": commit,
            }
            name = re.sub(r"\W+", "_", f"{page}_{system}")
            run = _rounded_and_measured(run, name, objective, recipe, about)
        names.append(run.key)
        return run

    # the page itself says what is trained on what
    namespace: dict = {"__name__": "__main__"}
    with patch.object(Experiment, "train", shipping):
        for cell in jupytext.read(ROOT / "notebooks" / f"{page}.py").cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, page, "exec"), namespace)
                namespace |= WITH if "parameters" in cell.metadata.get("tags", ()) else {}
    return names


def _rounded_and_measured(run: Run, name: str, objective, recipe: Recipe, about: dict) -> Run:
    """The shipped run; its file says each action's error, in mm, and by how much rounding changed
    their mean."""
    ship(run, name, objective, recipe, **about)
    (before, mean), (after, rounded) = (
        evaluate(model, objective.dataset.test, recipe.test_flip, "cpu").per("mpjpe")
        for model in (run.model, shipped(name).model)
    )
    change = 1000 * (rounded - mean)
    print(f"{name}: {1000 * mean:.2f} mm, and {change:+.4f} mm once rounded")
    if abs(change) > TOLERANCE:
        (FOLDER / f"{name}.safetensors").unlink()
        raise ValueError(f"{name}: rounding changes the error by {change:+.3f} mm: not shipped")
    errors = {action: round(1000 * error, 3) for action, error in after.items()}
    largest = max(1000 * abs(after[action] - before[action]) for action in after)
    about |= {"errors": errors, "rounding": {"mean": change, "largest of an action": largest}}
    ship(run, name, objective, recipe, **about)
    return shipped(name)
