"""Table 2 of veges2020 on its own data, with the models and keypoints of its authors."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from paperlib.datasets import mupots
from paperlib.evaluation import evaluate_scene, pooled_scenes
from paperlib.experiment.rows import SHOWN_METRICS
from paperlib.models import TemporalPoseNet, load_pose_refinement_checkpoint
from paperlib.prediction import locate_scene
from paperlib.refinement import interpolate, refine
from paperlib.scenes import Scene, scenes
from paperlib.training import choose_device

if TYPE_CHECKING:
    import pandas as pd

SYSTEMS = ("without refinement", "interpolation", "refinement")
# on which coordinates each metric is counted, and by which of the models (veges2020, 4.2)
METRICS = {
    "normal": ("mrpe", "mpjpe", "n_mrpe", "n_mpjpe"),
    "universal": ("pck3d", "auc3d", "pck3d_absolute"),
}
VISIBLE = 0.1  # score from which a pose is kept by the interpolation (veges2020, table 3b)


def mupots_table2(
    models: str | Path,
    sequences: Iterable[str] | None = None,
    flip: bool = True,
    device: str = "auto",
) -> "pd.DataFrame":
    """The table: a row for each of :data:`SYSTEMS`, a column for each of :data:`METRICS`, in
    millimetres and per cent.

    ``models`` is the folder of pose_refinement's pretrained models, with ``normal/`` and
    ``universal/`` in it; MuPoTS-3D and its HRNet keypoints are found by
    :func:`paperlib.datasets.mupots.load`. Counted are the person-frames with a valid annotation, of
    which those of a sequence are pooled and ``sequences`` averaged alike; people are those of the
    keypoint files, so nobody is matched anew. 3D-PCK is on bones of their true lengths.

    Two things are not as in the paper: its 1-Euro filter, whose settings it does not give, is left
    out, and N-MPJPE counts the root like MPJPE (17/16 of it is the reference's). Raises
    ``MissingDataError`` and ``FileNotFoundError`` where something is not there.
    """
    import pandas as pd

    columns = {}
    for coordinates, metrics in METRICS.items():
        model = load_pose_refinement_checkpoint(Path(models) / coordinates)
        model = model.to(choose_device(device))
        truth = scenes(mupots.load(sequences, coordinates).test)
        seen = scenes(mupots.load(sequences, coordinates, "hrnet").test)
        measured = {system: [] for system in SYSTEMS}
        for annotated, scene in zip(truth, seen, strict=True):
            counted = torch.stack([mupots.valid_frames(person) for person in annotated.people])
            skeleton = scene.people[0].skeleton
            for system, positions in _answers(model, scene, flip).items():
                aim = (scene.positions, counted, skeleton)
                measured[system].append(evaluate_scene(positions, *aim, bone_lengths=True))
        for metric in metrics:
            name, unit, factor = SHOWN_METRICS[metric]
            columns[f"{name}, {unit}"] = {
                system: factor * pooled_scenes(rows)[metric] for system, rows in measured.items()
            }
    return pd.DataFrame(columns)


def _answers(model: TemporalPoseNet, scene: Scene, flip: bool) -> dict[str, Tensor]:
    """Positions ``(P, T, J, 3)`` of each system."""
    located = locate_scene(model, scene, flip)
    visible = scene.score >= VISIBLE
    visible |= ~visible.any(dim=1, keepdim=True)  # nothing to draw a line between
    bridged = interpolate(located, visible)
    refined = refine(located, scene.score, root=scene.people[0].skeleton.root)
    return dict(zip(SYSTEMS, (located, bridged, refined), strict=True))
