"""Evaluating a trained model without a notebook: a run of ours, or a published checkpoint.

The protocol is that of pavllo2019 (5.3, reference implementation): every frame of the test split,
the result averaged with that of the mirrored input, frames pooled within an action, the actions
then averaged alike.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd
from torch import nn

from paperlib import datasets, results
from paperlib.cameras import project
from paperlib.detection import DETECTORS, detect, keypoint_error
from paperlib.errors import CheckpointError, one_of
from paperlib.evaluation import Evaluation, evaluate
from paperlib.experiment.rows import SHOWN_METRICS
from paperlib.experiment.selection import of_actions, of_subjects
from paperlib.models import OcclusionAware, TemporalPoseNet, load_videopose3d_checkpoint
from paperlib.occlusion import GUESSES, with_guess
from paperlib.paths import runs_dir, shown
from paperlib.recordings import Dataset, Recording, count_frames
from paperlib.training import downsampled, load_run
from paperlib.words import in_words

METRICS = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "mrpe")
GROUPS = ("action", "subject", "sequence")
#: by subject: the two means of one subject, and what each is ``over`` (see :meth:`Evaluation.per`)
MEANS = {"mean of actions": "action", "mean of frames": None}

_FILE = "checkpoint.safetensors"  # of a run of ours


@dataclass(frozen=True)
class Evaluated:
    """``table`` has a row for each action (sequence) and one ``average``, a column for each of
    :data:`METRICS` that the model has (MRPE: only one that answers absolute positions), in
    millimetres (MPJVE: a frame); ``notes`` say what was measured.

    By subject, rows are ``(subject, action)``, then ``(subject, mean)`` for both :data:`MEANS`:
    actions that count alike, as the reference implementation has it, and all frames pooled. The
    ``("average", mean)`` are over the subjects, which count alike.
    """

    table: pd.DataFrame
    notes: str


def evaluate_checkpoint(
    checkpoint: str | Path,
    dataset: str,
    keypoints: str,
    flip: bool = True,
    device: str = "auto",
    by: str = "action",
    causal: bool = False,
    guess: str | None = None,
    subjects: str | Iterable[str] | None = None,
    actions: str | Iterable[str] | None = None,
    fps: float | None = None,
    widths: Sequence[int] | None = None,
    dense: bool | None = None,
) -> Evaluated:
    """The errors of a model on the test split of a data set.

    ``checkpoint`` is a public VideoPose3D file, which does not say whether its model is
    ``causal``, nor always its ``widths`` and whether it is ``dense``
    (:func:`paperlib.models.load_videopose3d_checkpoint`); or a run of ours, which does: its folder,
    the ``checkpoint.safetensors`` in it, or its key. ``keypoints`` is one of
    :data:`paperlib.detection.DETECTORS` (with the seed that a run of ours was trained with) or, on
    a licensed data set, the ``<name>`` in ``data_2d_h36m_<name>.npz``. How many joints a model
    takes is checked; whether they are the same ones in the same order, no public checkpoint tells.
    ``guess`` says from which keypoints may be hidden what a model goes by that takes such guesses
    (:data:`paperlib.occlusion.GUESSES`).

    ``subjects``, as ``"S9,S11"`` or a list, limits what is measured; subjects that are only in the
    training part can be named too. ``actions`` keeps those that start with one of these words, as
    the reference implementation does: ``"Walk"`` is Walking, WalkDog and WalkTogether; ``"*"`` is
    all. ``fps`` takes every n-th frame, before the model sees them.

    By action, HumanEva is averaged over each action of each subject (pavllo2019, table 4).
    """
    one_of("group", by, GROUPS)
    name = datasets.resolve(dataset)
    if name not in datasets.LICENSED:
        one_of(f"keypoints of {name} data", keypoints, DETECTORS)
    model, about, seed = _load(checkpoint, causal, widths, dense)
    data = _test_split(name, keypoints, seed, subjects, actions, fps)
    _check_joints(model, data)
    data = _with_guess(model, data, guess)
    evaluation = evaluate(model, data.test, flip, device)
    columns = {}
    for metric in (m for m in METRICS if m in evaluation.values):
        title, unit, factor = SHOWN_METRICS[metric]
        columns[f"{title}, {unit}"] = factor * pd.Series(_rows(evaluation, metric, by, name))
    # by the first column: short sequences have no velocity
    table = pd.DataFrame(columns).reindex(next(iter(columns.values())).index)
    table = table.rename_axis(["subject", "action"] if by == "subject" else by)
    where = next(model.parameters()).device.type
    return Evaluated(table, f"{about}\n{_protocol(data, keypoints, flip, by, name, where)}")


# -- the model -----------------------------------------------------------------------------------


def _load(
    checkpoint: str | Path, causal: bool, widths: Sequence[int] | None, dense: bool | None
) -> tuple[nn.Module, str, int]:
    """The model, a sentence about it, and the seed of the detections that it learnt from."""
    path = Path(checkpoint)
    if path.exists() and not path.is_dir() and path.name != _FILE:
        model = load_videopose3d_checkpoint(path, causal, widths=widths, dense=dense)
        if model.config["in_features"] != 2:
            raise CheckpointError(
                f"the model takes {model.config['in_features']} numbers for each keypoint, "
                "expected 2: x and y"
            )
        listed = ",".join(map(str, model.config["filter_widths"]))
        origin = f"a public checkpoint, {'dense ' if model.dense else ''}widths {listed}"
        return model, _about(path.name, model, origin), 0
    run = load_run(_key(checkpoint))
    if "num_joints_out" not in run.model.config:
        raise CheckpointError(
            f"{path.name} is a {type(run.model).__name__}, which sees pictures and gives no poses: "
            "expected a model that lifts keypoints"
        )
    if causal or widths is not None or dense is not None:
        raise ValueError(
            f"{path.name}: a run of ours says itself whether it is causal or dense, and its widths"
        )
    epochs = run.description["recipe"]["epochs"]
    about = _about(Path(run.key).name, run.model, f"trained for {run.epoch} of {epochs} epochs")
    return run.model, about, run.description["seed"]


def _key(checkpoint: str | Path) -> str:
    """What :func:`load_run` knows a run by: its key, or the whole path of its folder."""
    path = Path(checkpoint)
    folder = path.parent if path.is_file() else path
    if folder.is_dir():
        if not (folder / _FILE).is_file():
            raise CheckpointError(f"{folder}: there is no {_FILE} in this folder")
        return str(folder.resolve())
    if not (runs_dir() / str(checkpoint) / _FILE).is_file():
        count = len(list(runs_dir().glob(f"*/{_FILE}")))
        raise CheckpointError(
            f"no checkpoint {str(checkpoint)!r}: there is neither a file nor a folder of this name "
            f"here, nor is it one of the {count} runs in {shown(runs_dir())}"
        )
    return str(checkpoint)


def _about(name: str, model: nn.Module, origin: str) -> str:
    joints, frames = model.config["num_joints_in"], model.receptive_field
    return (
        f"{name}: {origin}; {type(model).__name__}, {joints} joints in and "
        f"{model.config['num_joints_out']} out, receptive field {frames}, "
        f"{'causal' if model.causal else 'symmetric'}."
    )


# -- the data ------------------------------------------------------------------------------------


def _test_split(
    name: str,
    keypoints: str,
    seed: int,
    subjects: str | Iterable[str] | None,
    actions: str | Iterable[str] | None,
    fps: float | None,
) -> Dataset:
    """What is to be measured, as the detector sees it; nothing to learn from."""
    simulated = keypoints in DETECTORS
    data = datasets.load(name) if simulated else datasets.load(name, keypoints=keypoints)
    data = of_actions(of_subjects(data, subjects), actions)
    data = detect(data, keypoints, seed) if simulated else data
    return data if fps is None else downsampled(data, fps)


def _check_joints(model: nn.Module, data: Dataset) -> None:
    sides = {
        "num_joints_in": ("takes", "keypoints", data.keypoint_skeleton),
        "num_joints_out": ("gives", "joints", data.skeleton),
    }
    if isinstance(model, TemporalPoseNet):  # it takes the joints that all skeletons have in common
        del sides["num_joints_in"]
    for entry, (does, what, skeleton) in sides.items():
        if model.config[entry] != len(skeleton):
            raise CheckpointError(
                f"the model {does} {model.config[entry]} {what}, but {data.name} data have "
                f"{len(skeleton)} ({skeleton.name}): choose data or keypoints of the same joints"
            )


def _with_guess(model: nn.Module, data: Dataset, guess: str | None) -> Dataset:
    """The data set with the guesses that the model goes by in the place of the confidence."""
    features = model.config.get("in_features", 2)
    if guess is None:
        if isinstance(model, OcclusionAware):
            raise ValueError(
                "an occlusion-aware model goes by guesses of what is hidden: name their source by "
                f"guess (--guess), one of {', '.join(GUESSES)}"
            )
        return data
    if features != 3 or isinstance(model, TemporalPoseNet):
        raise ValueError(f"guess={guess!r}, but a {type(model).__name__} of 2 features takes none")
    return data.map(lambda recording: with_guess(recording, guess))


# -- the numbers ---------------------------------------------------------------------------------


def _rows(evaluation: Evaluation, metric: str, by: str, name: str) -> dict:
    """The rows of the table, in metres."""
    if by != "subject":
        group = ("action", "subject") if _of_each_subject(by, name) else by
        groups, average = evaluation.per(metric, group)
        return {**(_in_order(groups, name) if by == "action" else groups), "average": average}
    cells, _ = evaluation.per(metric, ("subject", "action"))
    means = {mean: evaluation.per(metric, "subject", over) for mean, over in MEANS.items()}
    rows: dict[tuple[str, str], float] = {}
    for subject in dict.fromkeys(subject for subject, _ in cells):
        own = {action: value for (whose, action), value in cells.items() if whose == subject}
        own = _in_order(own, name) | {mean: groups[subject] for mean, (groups, _) in means.items()}
        rows |= {(subject, row): value for row, value in own.items()}
    return rows | {("average", mean): value for mean, (_, value) in means.items()}


def _of_each_subject(by: str, name: str) -> bool:
    return by == "action" and name in datasets.HUMANEVA


def _in_order(groups: dict, name: str) -> dict[str, float]:
    """Actions as in the papers' tables, or as they come; ``("Walk", "S1")`` as ``Walk S1``."""
    order = getattr(import_module(f"paperlib.datasets.{name}"), "ACTIONS", ())
    if order:

        def place(group: str | tuple[str, str]) -> int:
            action = group if isinstance(group, str) else group[0]
            return order.index(action) if action in order else len(order)

        groups = {group: groups[group] for group in sorted(groups, key=place)}
    return {" ".join(g) if isinstance(g, tuple) else g: value for g, value in groups.items()}


def _protocol(data: Dataset, keypoints: str, flip: bool, by: str, name: str, device: str) -> str:
    """What must be said below the table."""
    group = "action of a subject" if _of_each_subject(by, name) else by
    averaged = f"frames pooled within each {group}, these averaged alike"
    if by == "subject":
        averaged = (
            "frames pooled within each action of a subject; mean of actions: these averaged alike "
            "(VideoPose3D's --by-subject), mean of frames: all frames of a subject pooled; "
            "average: over the subjects, which count alike"
        )
    first = data.test[0]
    error = "joints of its own"
    if first.keypoint_skeleton == first.skeleton:
        exact = tuple(_exactly(r) for r in data.test)
        error = f"{keypoint_error(data.test, exact):.1f} px mean error"
    # keypoints are a file's name, which stays as it is
    return (
        f"{in_words(data.source)} 2D: {keypoints}, {error}. {count_frames(data.test)} frames of "
        f"{len(data.test)} test recordings at {first.fps:g} Hz, root-relative; "
        f"{'averaged over the mirrored input' if flip else 'no test-time flip'}; {averaged}; "
        f"excluded: {in_words(data.excluded)}. On {in_words(results.machine(device))}."
    )


def _exactly(recording: Recording) -> Recording:
    projected = project(recording.positions, recording.camera)
    return recording.with_keypoints(projected, recording.confidence)
