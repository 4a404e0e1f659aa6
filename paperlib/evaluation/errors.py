"""Errors of a model on recordings, and how they are averaged."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from paperlib import metrics
from paperlib.errors import one_of
from paperlib.models import TemporalPoseNet
from paperlib.prediction import locate, predict
from paperlib.recordings import Dataset, Recording
from paperlib.training import choose_device

METRICS = {
    "mpjpe": metrics.mpjpe,
    "p_mpjpe": metrics.p_mpjpe,
    "n_mpjpe": metrics.n_mpjpe,
    "mpjve": metrics.mpjve,
    "acceleration_error": metrics.acceleration_error,
}
#: of the joints other than the root, which is right by definition
SHARES = {"pck3d": metrics.pck3d, "auc3d": metrics.auc3d}
_FRAMES_NEEDED = {"mpjve": 2, "acceleration_error": 3}
#: by what errors may be averaged: fields of a recording, or its name ("sequence")
GROUPS = ("action", "subject", "sequence", "clip", "camera", "person")


@dataclass(frozen=True)
class Evaluation:
    """Errors of every recording, in metres (a frame, where they are errors of motion), and, where
    they were asked for, shares of joints, from 0 to 1."""

    recordings: tuple[Recording, ...]
    values: dict[str, tuple[float, ...]]  # metric -> the mean of each recording

    def __repr__(self) -> str:
        errors = ", ".join(
            f"{name} {1000 * self.average(name):.1f} mm" for name in ("mpjpe", "p_mpjpe")
        )
        return f"Evaluation({len(self.recordings)} recordings: {errors}, averaged over actions)"

    def per(
        self, metric: str, by: str | Sequence[str] = "action", over: str | None = None
    ) -> tuple[dict[Hashable, float], float]:
        """The mean of each group, and the mean of those. Within a group a recording counts by its
        frames (pavllo2019, reference).

        ``by`` is one of :data:`GROUPS`, or several, as ``("action", "subject")``, whose groups are
        then tuples. ``()`` makes one group of all.

        ``over``, another of :data:`GROUPS`, makes each group the mean over its parts by that, which
        count alike: ``per(metric, "subject", over="action")`` averages the actions of each subject
        (what the reference implementation prints ``--by-subject``), where ``per(metric,
        "subject")`` pools all frames of each. The two differ where actions differ in length.
        """
        fields = [by] if isinstance(by, str) else list(by)
        for name in [*fields, *([] if over is None else [over])]:
            one_of("group", name, GROUPS)
        if over is not None:
            parts, _ = self.per(metric, (*fields, over))
            groups = [part[0] if isinstance(by, str) else part[:-1] for part in parts]
            return metrics.pooled(parts.values(), [1] * len(parts), groups)
        rows = []
        for value, recording in self.measured(metric):
            group = tuple(_field(recording, name) for name in fields)
            rows.append((value, len(recording), group[0] if isinstance(by, str) else group))
        return metrics.pooled(*zip(*rows, strict=True))

    def average(
        self, metric: str, by: str | Sequence[str] = "action", over: str | None = None
    ) -> float:
        """The mean of the groups of :meth:`per`, which count alike."""
        return self.per(metric, by, over)[1]

    def frame_mean(self, metric: str) -> float:
        """The mean over all frames alike, whichever action they belong to."""
        return self.average(metric, ())

    def measured(self, metric: str) -> list[tuple[float, Recording]]:
        """The values of a metric with their recordings, those that are long enough for it."""
        values = self.values[one_of("metric", metric, self.values)]
        needed = _FRAMES_NEEDED.get(metric, 1)
        pairs = zip(values, self.recordings, strict=True)
        measured = [(value, r) for value, r in pairs if len(r) >= needed]
        if not measured:
            raise ValueError(f"{metric} needs recordings of at least {needed} frames")
        return measured


def joined(evaluations: Iterable[Evaluation]) -> Evaluation:
    """Evaluations of different recordings as one: of the folds of a data set, say, each tested by
    the model that has not seen it. ``ValueError`` for a recording that is in two of them."""
    several = list(evaluations)
    if not several:
        raise ValueError("no evaluations to join")
    recordings = tuple(r for one in several for r in one.recordings)
    if len({r.name for r in recordings}) < len(recordings):
        raise ValueError("a recording is in two of the evaluations")
    shared = [name for name in several[0].values if all(name in one.values for one in several)]
    return Evaluation(
        recordings, {name: tuple(v for one in several for v in one.values[name]) for name in shared}
    )


def _field(recording: Recording, name: str) -> Hashable:
    if name == "sequence":
        return recording.name
    return recording.camera.name if name == "camera" else getattr(recording, name)


def evaluate(
    model: nn.Module,
    recordings: Sequence[Recording],
    flip: bool = True,
    device: str = "auto",
    after: Callable[[Tensor, Recording], Tensor] | None = None,
    shares: bool = False,
) -> Evaluation:
    """All metrics of ``model`` on every frame of ``recordings``; none is left out. A model that
    answers absolute positions has the MRPE too; ``shares`` are as in :func:`compare`.

    ``after(poses, recording)`` is what becomes of a recording's poses ``(T, J, 3)`` before they are
    measured: a filter's answer, say, of the same shape. Raises ``ValueError`` for a recording
    without 3D positions, by its name.
    """
    if not recordings:
        raise ValueError("no recordings to evaluate on")
    model.to(choose_device(device))
    absolute, places = isinstance(model, TemporalPoseNet), []

    def answer(recording: Recording) -> Tensor:
        if not absolute:
            return predict(model, recording, flip)
        located, root = locate(model, recording, flip), recording.skeleton.root
        places.append(metrics.mrpe(located, recording.truth, root).item())
        return located - located[:, root : root + 1]

    poses = (answer(r) if after is None else after(answer(r), r) for r in recordings)
    found = compare(poses, recordings, shares)
    return replace(found, values=found.values | {"mrpe": tuple(places)}) if absolute else found


def compare(
    poses: Iterable[Tensor], recordings: Sequence[Recording], shares: bool = False
) -> Evaluation:
    """All metrics of ``poses``, one for each of ``recordings``: ``(T, J, 3)``, metres, relative to
    the root. For poses that no model of ours gave. With ``shares`` there are the 3D-PCK (150 mm)
    and its AUC too, over all joints but the root. ``ValueError`` for others than the recordings
    have, or recordings without 3D positions."""
    recordings = tuple(recordings)
    values = {name: [] for name in (*METRICS, *(SHARES if shares else ()))}
    truths = [recording.pose for recording in recordings]  # before poses are computed for nothing
    for pose, recording, truth in zip(poses, recordings, truths, strict=True):
        if pose.shape != truth.shape:
            raise ValueError(
                f"{recording.name}: poses of shape {tuple(pose.shape)}, expected "
                f"{tuple(truth.shape)}: frames, joints of {recording.skeleton.name}, metres"
            )
        for name, metric in METRICS.items():
            enough = len(recording) >= _FRAMES_NEEDED.get(name, 1)
            values[name].append(metric(pose, truth).item() if enough else float("nan"))
        limbs = [j for j in range(len(recording.skeleton)) if j != recording.skeleton.root]
        for name, share in SHARES.items() if shares else ():
            values[name].append(share(pose[:, limbs], truth[:, limbs]).item())
    return Evaluation(recordings, {name: tuple(v) for name, v in values.items()})


@dataclass(frozen=True)
class HeldOutError:
    """For ``each_epoch`` of :func:`paperlib.training.train`: the ``test_mpjpe`` of the model as it
    stands on ``dataset.test``, metres, averaged over actions. It is there to be looked at, never to
    choose an epoch by."""

    dataset: Dataset
    flip: bool = True

    def __call__(self, model: nn.Module) -> dict[str, float]:
        where = next(model.parameters()).device.type  # in the middle of its training
        found = evaluate(model, self.dataset.test, self.flip, where)
        return {"test_mpjpe": found.average("mpjpe")}
