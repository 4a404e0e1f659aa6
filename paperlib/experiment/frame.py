"""The frame around a notebook's experiment: parameters in, numbers with their origin out.

What is trained on which data, and what is compared, stands in the notebook.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paperlib import datasets, detection, results
from paperlib.evaluation import Evaluation, over_clips
from paperlib.experiment.common import COMMON_PARAMETERS, check_value, resolved_data
from paperlib.experiment.how_trained import how_trained
from paperlib.experiment.parameters import check_cells
from paperlib.experiment.rows import row
from paperlib.paths import OUT
from paperlib.recordings import Dataset
from paperlib.results import Protocol
from paperlib.training import (
    Objective,
    Recipe,
    Run,
    choose_device,
    resolve_preset,
    shipped_run,
    train,
)
from paperlib.words import in_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.animation import FuncAnimation
    from matplotlib.figure import Figure

    from paperlib.claims import Effects, Verdict


_BANNER = (
    "Preset smoke: this shows that the page runs, in seconds. Its models are all but untrained: no "
    "error, figure or verdict of theirs means anything. Numbers in the text are of the page as it "
    "was published."
)
_LOUD = "border-left: 4px solid #cf4a12; padding: 4px 10px"

_OF_ONE_PERSON = ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "acceleration_error")
_WHERE_ASKED = ("pck3d", "auc3d")
# papers whose data are not those of the first
_DATA_OF = {"veges2020": ("mpi_inf_3dhp", "mupots")}


@dataclass
class Experiment:
    """One run of one notebook, its parameters checked and resolved."""

    notebook: str
    dataset: str
    preset: str
    seed: int
    device: str
    retrain: bool
    parameters: dict[str, Any] = field(default_factory=dict)  # the notebook's own
    _exact: dict[int, Dataset] = field(default_factory=dict, repr=False)  # by fold, once read

    @classmethod
    def begin(
        cls,
        notebook: str,
        namespace: Mapping[str, Any],
        dataset: tuple[str, ...] = COMMON_PARAMETERS["dataset"],
        **own: Iterable | None,
    ):
        """Check the parameters in a notebook's ``globals()``. ``own`` names its own parameters
        and their choices (None: anything goes). Wrong names and values are refused, with the
        right ones in the message.

        ``dataset`` are the choices of a notebook with data sets of its own: ``"auto"``, then
        those that it looks for in this order, the last one embedded.
        """
        known = {**COMMON_PARAMETERS, "dataset": dataset, **own}
        check_cells(namespace, known)
        absent = [name for name in known if name not in namespace]
        if absent:
            raise ValueError(f"the parameters cell does not set {', '.join(absent)}")
        given = {name: namespace[name] for name in known}
        for name, choices in known.items():
            check_value(name, given[name], choices)
        name, device = resolved_data(given["dataset"], dataset), choose_device(given["device"]).type
        preset = resolve_preset(given["preset"], given["device"])
        values = {name: given[name] for name in own}
        if "detector" in values:
            values["detector"] = detection.resolve(values["detector"])
        return cls(notebook, name, preset, given["seed"], device, given["retrain"], values)

    def __repr__(self) -> str:
        own = "".join(in_words(f", {name} {value}") for name, value in self.parameters.items())
        about = f"{in_words(self.dataset)} data, preset {self.preset}, seed {self.seed}"
        banner = f"\n{_BANNER}" if self.preset == "smoke" else ""
        return f"{self.notebook}: {about}, device {self.device}{own}{banner}"

    def _repr_html_(self) -> str | None:
        """A banner above the page of the smoke preset; of others the text is enough."""
        if self.preset != "smoke":
            return None
        about, *_ = repr(self).splitlines()
        return f'<p>{escape(about)}</p><p role="note" style="{_LOUD}"><b>{_BANNER}</b></p>'

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds of the data set, for a notebook that runs them all; one with the smoke preset,
        and where there are none."""
        return (0,) if self.preset == "smoke" else datasets.folds(self.dataset)

    def exact_fold(self, fold: int = 0) -> Dataset:
        """The data set with exact keypoints; a small piece of it with the smoke preset."""
        if fold not in self._exact:
            options = {"small": self.preset == "smoke", "cameras": self.cameras}
            options |= {"fold": fold} if fold else {}
            self._exact[fold] = datasets.load(self.dataset, **options)
        return self._exact[fold]

    @property
    def exact(self) -> Dataset:
        """:meth:`exact_fold`, the first."""
        return self.exact_fold()

    @property
    def detector(self) -> str:
        return self.parameters.get("detector", "ground_truth")

    @property
    def cameras(self) -> str:
        return self.parameters.get("cameras", "studio")

    @property
    def data_label(self) -> str:
        """What rows say of the data: the set, and in words what is not as in the papers."""
        person = self.parameters.get("normalisation") == "person"
        changes = [f"{self.cameras} cameras"] * (self.cameras != "studio") + ["person"] * person
        return ", ".join([self.dataset, *changes])

    @property
    def _receptive_field(self) -> int | None:
        """That of the parameters, where they name one: a notebook of several has "all"."""
        field = self.parameters.get("receptive_field")
        return field if isinstance(field, int) else None

    @property
    def _origin(self) -> dict[str, str]:
        """What rows and verdicts of this experiment have in common."""
        return {"dataset": self.data_label, "detector": self.detector, "preset": self.preset}

    def with_detector(self, detector: str) -> "Experiment":
        """The same experiment with another detector: for a notebook that compares several. The data
        are read once for all of them."""
        own = self.parameters | {"detector": detection.resolve(detector)}
        return replace(self, parameters=own)

    def load(self, fold: int = 0) -> Dataset:
        """The data set with keypoints of the detector in the parameters: a simulated one, or one
        whose keypoints are in a file that belongs to a licensed data set."""
        if self.detector in detection.FILES:
            if self.dataset not in datasets.LICENSED:
                raise ValueError(
                    f"detector={self.detector!r} is a file of keypoints that belongs to a licensed "
                    f"data set; on {self.dataset} data use one of {', '.join(detection.DETECTORS)}"
                )
            small = self.preset == "smoke"
            return datasets.load(self.dataset, small=small, keypoints=self.detector)
        return detection.detect(self.exact_fold(fold), self.detector, self.seed)

    @property
    def caption(self) -> str:
        """Whose data a table was measured on, in words to stand above it."""
        theirs = _DATA_OF.get(self.notebook.split("/")[0], datasets.LICENSED)
        own = "the paper's data" if self.dataset in theirs else "not the paper's data"
        hardly = f"; {results.UNTRAINED}" if self.preset == "smoke" else ""
        return f"measured on {in_words(self.dataset)}, {own}{hardly}"

    def protocol(
        self,
        data: Dataset,
        recipe: Recipe,
        receptive_field: int,
        seeds: Iterable[int] = (),
        exact: Dataset | None = None,
        clips: bool = False,
    ) -> Protocol:
        """What stands below a table of these numbers. ``exact`` is ``data`` with exact keypoints,
        if that is not :attr:`exact`; ``clips`` says that the table has intervals over clips too."""
        first, exact = data.test[0], exact or self.exact
        same = first.keypoint_skeleton == exact.test[0].keypoint_skeleton
        error = detection.keypoint_error(data.test, exact.test) if same else float("nan")
        return Protocol(
            data=data.source,
            detector=self.detector,
            keypoint_error=error,
            joints=len(first.skeleton),
            fps=first.fps,
            receptive_field=receptive_field,
            test_flip=recipe.test_flip,
            seeds=tuple(sorted(set(seeds))) or (self.seed,),
            preset=self.preset,
            device=results.machine(self.device),
            training=how_trained(recipe, self.device),
            excluded=data.excluded,
            clips=clips,
        )

    @property
    def training_options(self) -> dict[str, Any]:
        """The parameters that go to every training."""
        return {"seed": self.seed, "device": self.device, "retrain": self.retrain}

    def train(self, system: str, objective: Objective, recipe: Recipe, **options) -> Run:
        """Train a system, or find it trained (unless ``retrain``): among the reader's own runs, or
        among the weights that travel with the project, which a line then says. What goes on record
        is never of the latter, which are rounded. ``options`` are those of
        :func:`paperlib.training.train` that no parameter decides."""
        if not (self.retrain or results.keeping() or options.get("each_epoch")):
            there = shipped_run(objective, recipe, self.seed, self.device, system)
            if there is not None:
                return there
        return train(objective, recipe, name=system, **self.training_options, **options)

    def about(self, system: str, run: Run | None = None) -> dict[str, Any]:
        """What the rows of a system have in common; a system that was not trained has no ``run``,
        and takes one frame."""
        field = 1 if run is None else run.model.receptive_field
        # the notebook's, also for single-frame systems: their depth follows it
        field = self._receptive_field or field
        about = self._origin | {"system": system, "receptive_field": field, "seed": self.seed}
        seconds = 0.0 if run is None else run.seconds
        return about | {"seconds": seconds, "device": results.machine(self.device)}

    def rows(
        self,
        system: str,
        evaluation: Evaluation,
        run: Run,
        by: str | tuple[str, ...] = "action",
        clips: bool = False,
    ) -> list[dict]:
        """The evaluation as rows of results: each metric for each group, and their average. In the
        place of the action stands the group, as ``Walk S1`` for ``by=("action", "subject")``. With
        ``clips`` there is half the width of the interval over clips, too."""
        about, rows = self.about(system, run), []
        if clips:
            _, low, high = over_clips(evaluation)
            rows.append(row(about, "mpjpe_over_clips", "average", (high - low) / 2))
        asked = [metric for metric in _WHERE_ASKED if metric in evaluation.values]
        for metric in (*_OF_ONE_PERSON, *asked):
            groups, average = evaluation.per(metric, by)
            for group, value in {**groups, "average": average}.items():
                name = group if isinstance(group, str) else " ".join(map(str, group))
                rows.append(row(about, metric, name, value))
        return rows

    def record(self, rows: Iterable[dict]) -> Path | None:
        """Keep rows (see :mod:`paperlib.results`); those of the smoke preset mean nothing and are
        dropped."""
        return None if self.preset == "smoke" else results.record(self.notebook, rows)

    def on_record(self) -> "pd.DataFrame":
        """The rows kept for this notebook, of all seeds, for the same data, detector, preset and
        receptive field; empty where nobody measured that."""
        same = self._origin
        if self._receptive_field:
            same["receptive_field"] = self._receptive_field
        return results.select(results.recorded(self.notebook), **same)

    def measured(self, rows: Iterable[dict]) -> "pd.DataFrame":
        """What was just measured. Other seeds of the same systems are added only where it goes on
        record: a reader's own numbers, perhaps of changed code, are never mixed with these."""
        import pandas as pd

        new = pd.DataFrame(list(rows))
        if not results.keeping():
            return new
        old = self.on_record()
        others = (old["seed"] != self.seed) & old["system"].isin(new["system"])
        return pd.concat([new, old[others]], ignore_index=True)

    def judge(self, claim: str, effects: "Effects", but: str = "") -> "Verdict":
        """The verdict on a claim by effects that were measured (or computed) here, which goes on
        record with the rows: see :func:`paperlib.claims.judge`."""
        from paperlib import claims

        return claims.judge(claim, effects, self.notebook, self._origin, but)

    def save_figure(self, figure: "Figure", name: str) -> Path:
        """Write a figure: to ``figures/`` for the record, else to ``out/figures/``."""
        path = _figures() / f"{name}.png"
        figure.savefig(path, dpi=150, metadata={"Software": None})
        return path

    def save_animation(self, animation: "FuncAnimation", name: str) -> Path:
        """Write an animation as a GIF, to where :meth:`save_figure` writes."""
        path = _figures() / f"{name}.gif"
        animation.save(path, writer="pillow")
        return path


def _figures() -> Path:
    folder = results.FIGURES if results.keeping() else OUT / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
