"""Execute the project's notebooks from their text form, tidy them, and put them in place.

A notebook is written as ``py:percent`` text, which shows changes line by line; the ``.ipynb``
beside it has the same cells with their outputs. Publishing makes the second from the first.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat

from paperlib import results
from paperlib.paths import ROOT, environment, replacing
from paperlib.running.notebook import place_of, run
from paperlib.training import resolve_preset

NOTEBOOKS = ROOT / "notebooks"
# what notebooks are published with, where that is not what a reader's own run begins with: data
# that are never a default, since they are not for commercial use
PUBLISHED_WITH = {
    name: {"dataset": "mocap"}
    for name in (
        *("start_here", "generalisation", "budget", "detector"),
        *("pavllo2019/appendix", "pavllo2019/other_joints"),
        *("pavllo2019/section4_semi_supervised", "pavllo2019/section5_1_datasets"),
        *("pavllo2019/figure1", "pavllo2019/figure4"),
        *("pavllo2019/lstm", "pavllo2019/receptive_field", "pavllo2019/streaming"),
        *("pavllo2019/table1", "pavllo2019/table2", "pavllo2019/table3"),
        *("veges2020/figure3", "veges2020/section3_1_temporal_posenet"),
        "veges2020/section4_1_muco_temp",
        *("veges2020/table1", "veges2020/table2", "veges2020/table3"),
        *("wang2020/codings", "wang2020/section5_5_heat_maps", "wang2020/table6_7"),
        "wang2020/section4_2_boxed_man",
        *("kato2020/figure1", "kato2020/figure_depth", "kato2020/from_video"),
        *("kato2020/section2_first_stage", "kato2020/section2_second_stage"),
        *("kato2020/table1", "kato2020/table2"),
        *("cheng2020/table1", "cheng2020/table3_4", "cheng2020/table5"),
        *("cheng2020/figure3", "cheng2020/figure6"),
        *("cheng2020/section_multi_scale_features", "cheng2020/section_occlusion_augmentation"),
    )
} | {
    # two of its panels have this detector, and the third exact keypoints
    "pavllo2019/figure5": {
        "dataset": "mocap",
        "detector": "simulated",
        "panels": "a,b,c",
        "subsets": "shares",
    },
    "cheng2020/table2": {"dataset": "mocap", "left_out": True},
    "table1": {"dataset": "mocap", "heat_maps": True},
}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
MAX_BYTES = 1_000_000
_PROGRESS = "application/vnd.jupyter.widget-view+json"
_INJECTED = "injected-parameters"  # papermill's tag
SOLUTION = "hide-cell"  # the tag of an exercise's solution: the site folds it
_FOLDED = {"jupyter": {"source_hidden": True, "outputs_hidden": True}}  # so does JupyterLab
_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|mnt)/\S*")


def text_forms(only: list[str] | None = None) -> list[Path]:
    """The text forms of the notebooks, or of those named (``table1``, ``pavllo2019/table5``): what
    git keeps, not a reader's copies beside them. Where the project came without git, all."""
    run = {"cwd": NOTEBOOKS, "capture_output": True, "text": True, "check": True}
    try:
        listed = subprocess.run(["git", "ls-files", "*.py"], **run).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        listed = []
    kept = [path for path in map(NOTEBOOKS.joinpath, listed) if path.is_file()]
    found = sorted(kept or NOTEBOOKS.rglob("*.py"))
    names = {path.relative_to(NOTEBOOKS).with_suffix("").as_posix(): path for path in found}
    wrong = [name for name in only or () if name not in names]
    if wrong:
        raise ValueError(f"no notebook {', '.join(wrong)}: there are {', '.join(names)}")
    return [names[name] for name in only] if only else found


def publish(text: Path, seeds: Iterable[int] = ()) -> Path:
    """Execute one notebook with its own parameters, or those of :data:`PUBLISHED_WITH`, keeping
    results and figures for the record.

    Before that it is run with each of ``seeds``, of which only the results are kept. Refused are
    the smoke preset, and code that is not committed."""
    if resolve_preset() == "smoke":
        raise ValueError("results of the smoke preset mean nothing: publish with another one")
    if results.commit().endswith("+"):
        raise ValueError(
            "paperlib or notebooks have changes that are not committed: commit them first, so that "
            "every number on record names a commit that has the code it came from"
        )
    notebook = jupytext.read(text)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    target = text.with_suffix(".ipynb")
    parameters = PUBLISHED_WITH.get(place_of(text).with_suffix("").as_posix(), {})
    with tempfile.TemporaryDirectory() as folder, environment(PAPERLIB_RECORD="1"):
        source = Path(folder) / text.with_suffix(".ipynb").name
        result = Path(folder) / "executed.ipynb"
        nbformat.write(notebook, source)
        for seed in seeds:
            run(source, Path(folder) / "other.ipynb", parameters | {"seed": seed})
        run(source, result, parameters)
        executed = nbformat.read(result, as_version=4)
        _leave_out_injected(executed)
    executed = tidied(executed, target)
    if parameters:
        executed.metadata["paperlib"] = {"published_with": parameters}
    with replacing(target) as temporary:
        nbformat.write(executed, temporary)
    return target


def _leave_out_injected(notebook: nbformat.NotebookNode) -> None:
    """Without the cell of values that papermill put in, and counted as if it had never been."""
    cells = [c for c in notebook.cells if _INJECTED not in c.metadata.get("tags", ())]
    if len(cells) == len(notebook.cells):
        return
    notebook.cells = cells
    for number, cell in enumerate((c for c in cells if c.cell_type == "code"), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def tidied(notebook: nbformat.NotebookNode, target: Path) -> nbformat.NotebookNode:
    """Without progress bars, times and ids that change with every run, solutions folded.
    ``ValueError`` for warnings, paths of this machine, and more than a megabyte."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        tags = [t for t in cell.metadata.get("tags", []) if not t.startswith("papermill")]
        folded = _FOLDED if SOLUTION in tags else {}
        cell.metadata = nbformat.from_dict({"tags": tags, **folded} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if _PROGRESS not in o.get("data", {})]
            for output in cell.outputs:
                output.pop("metadata", None) if output.output_type == "stream" else None
                if output.get("name") == "stderr":
                    raise ValueError(f"{target.name}, cell {number}: {output.text.strip()[:300]}")
                data = output.get("data", {}).items()
                texts = [value for kind, value in data if kind.startswith("text/")]
                shown = "\n".join(map(str, [output.get("text", ""), *texts]))
                if path := _MACHINE.search(shown):
                    raise ValueError(f"{target.name}, cell {number} shows the path {path.group()}")
    size = len(nbformat.writes(notebook).encode())
    if size > MAX_BYTES:
        raise ValueError(f"{target.name}: {size / 1e6:.1f} MB is too large to keep")
    return notebook


def differences(text: Path) -> list[str]:
    """Where a notebook and its text form differ in cells, their kinds, sources or tags."""
    if not text.with_suffix(".ipynb").is_file():
        return [f"{text.name}: was never published"]
    left, right = jupytext.read(text), nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    if len(left.cells) != len(right.cells):
        return [f"{text.name}: {len(left.cells)} cells in the text, {len(right.cells)} executed"]
    return [
        f"{text.name}: cell {number} differs from the executed one"
        for number, (a, b) in enumerate(zip(left.cells, right.cells, strict=True))
        if (a.cell_type, a.source, a.metadata.get("tags", []))
        != (b.cell_type, b.source, b.metadata.get("tags", []))
    ]
