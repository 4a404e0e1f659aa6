# %% [markdown]
# # Figure 5: what labels are worth
#
# *Pavllo et al. 2019, section 6.2, figure 5.*
#
# **What are labels worth?** With 1 % of the labels video without poses lowers the error by 6.8 ±
# 1.2 mm, with 5 % by 5.1 ± 0.9. Without the bone-length term the gain at 1 % is larger, by 3.3 ±
# 0.7 mm, contrary to the paper; at 5 % (1.4 ± 2.0 mm) it is not decided.
# <a href="#how">How it was found.</a>
#
# The paper labels less and less of Human3.6M: all of one subject, then a half, a tenth, …, a
# thousandth of it. Everything else stays in training as video without poses. The fewer labels there
# are, the more [back-projection](section4_semi_supervised.ipynb) gains over training on the labels
# alone.
#
# The three panels of the figure are this notebook with three sets of parameters:
#
# * **a**, Protocol 3 at 10 Hz: `-p fps 10 -p detector simulated`
# * **b**, Protocol 1 at the full rate: `-p detector simulated`
# * **c**, the same with exact keypoints: as it stands.

# %% tags=["parameters"]
# Parameters
dataset = "auto"  # "synthetic" (embedded), "cmu" (real motion capture), or "human36m"
detector = "ground_truth"  # or "simulated", "simulated_pretrained", … (a file's name on human36m)
fps = 50  # 10 takes every fifth frame, as the paper's comparison with earlier work does
subsets = "small"  # 1 and 5 % of the first subject; "all": 0.1 to 100 % of it, and more subjects
preset = "auto"  # "smoke" (seconds), "laptop" (minutes), "paper" (a GPU); "auto": by the machine
seed = 0  # of weights, shuffling, dropout and simulated detections
device = "auto"  # "cpu", "cuda"; "auto": a GPU if there is one
retrain = False  # True trains again where a finished run is on disk

# %%
import pandas as pd
from IPython.display import Markdown

from paperlib import evaluation, plotting, recordings
from paperlib.detection import DETECTORS, FILES
from paperlib.experiment import Experiment
from paperlib.models import PoseAndTrajectory, TemporalModel, filter_widths
from paperlib.results import interval, recorded, select, shown
from paperlib.training import FRACTIONS, Recipe, SemiSupervised, Supervised
from paperlib.training import downsampled, split_labels  # isort: skip

plotting.use_style()
experiment = Experiment.begin(
    "pavllo2019/figure5",
    globals(),
    detector=DETECTORS + FILES,
    fps=(10, 50),
    subsets=("small", "all"),
)
experiment

# %% [markdown]
# ## The subsets
#
# A share of a subject is one piece in a row of every recording, equally long in share. The paper's
# receptive fields follow the subset: 27 frames, 9 with 1 % and a single one with 0.1 %; at 10 Hz 9
# frames, 3 up to 5 % and a single one with 0.1 %.

# %%
whole = data = experiment.load()
exact, slower = experiment.exact, None
if fps == 10:
    slower = 10.0
    data, exact = downsampled(whole, slower), downsampled(exact, slower)
people = list(dict.fromkeys(r.subject for r in data.train))
shares = FRACTIONS if subsets == "all" else (0.01, 0.05)
chosen = {f"{100 * share:g} %": (people[:1], share) for share in shares}
if subsets == "all":
    chosen |= {f"{count} people": (people[:count], 1.0) for count in range(2, len(people))}


def field(share):
    if share == 0.001:
        return 1
    if fps == 10:
        return 3 if share <= 0.05 else 9
    return 9 if share == 0.01 else 27


# %% [markdown]
# ## Training
#
# On every subset three models: supervised on its labels alone, semi-supervised, and semi-supervised
# without the bone-length term (the paper's ablation). All take the same number of steps, and warm
# up on labels for the first tenth of the epochs.


# %%
def train_all(label, subjects, share):
    labelled, unlabelled = split_labels(whole, subjects, share, slower)
    recipe = Recipe.semi_supervised(experiment.preset, 2 * recordings.count_frames(labelled.train))
    joints = (len(data.keypoint_skeleton), 2, len(data.skeleton))
    size = {"filter_widths": filter_widths(field(share)), "channels": recipe.channels}
    warm_up = max(1, recipe.epochs // 10)
    alone = Supervised(lambda: TemporalModel(*joints, **size), labelled)
    yield "supervised", experiment.train(f"{label}, supervised", alone, recipe)
    both = lambda: PoseAndTrajectory(*joints, **size)  # noqa: E731
    for name, bones in (("semi-supervised", True), ("semi-supervised, no bone term", False)):
        objective = SemiSupervised(both, labelled, unlabelled, warm_up, bones)
        yield name, experiment.train(f"{label}, {name}", objective, recipe)


# %%
flip = Recipe.semi_supervised(experiment.preset).test_flip
rows, sizes = [], {}
for label, (subjects, share) in chosen.items():
    sizes[label] = recordings.count_frames(split_labels(whole, subjects, share, slower)[0].train)
    for method, run in train_all(label, subjects, share):
        found = evaluation.evaluate(run.model, data.test, flip, device)
        rows += experiment.rows(f"{method} | {label} | {fps} Hz", found, run)
experiment.record(rows)
print({label: f"{size:,} labelled frames" for label, size in sizes.items()})

# %% [markdown]
# ## The curves
#
# The paper's panel a is Protocol 3 (N-MPJPE), b and c are Protocol 1 (MPJPE).
#
# **Before you look:**<a id="how"></a> One per cent and five per cent of the labels: by how many
# millimetres do the two *supervised* models differ?

# %%
metric, name = ("n_mpjpe", "N-MPJPE") if fps == 10 else ("mpjpe", "MPJPE")
measured = select(experiment.measured(rows), action="average", metric=metric)
parts = measured["system"].str.split(" | ", regex=False, expand=True)
measured = measured.assign(method=parts[0], subset=parts[1], rate=parts[2])
measured = measured[(measured["rate"] == f"{fps} Hz") & measured["subset"].isin(chosen)]
figure = plotting.label_curves(measured, list(chosen), f"{name}, mm")
saved = experiment.save_figure(figure, "pavllo2019_figure5")

# %%
table = measured.pivot_table(index=["subset", "seed"], columns="method", values="value")
table = table[list(dict.fromkeys(measured["method"]))].reindex(list(chosen), level=0)
means = table.groupby(level=0, sort=False).agg(lambda v: shown(*interval(v)))
means.insert(0, "labelled frames", [f"{sizes[label]:,}" for label in means.index])
means.style.set_caption(f"{name} in mm; {experiment.caption}; ± 95 % over seeds")

# %% [markdown]
# ## What is gained
#
# Seed by seed, since a seed's three models start from the same weights and see the same keypoints:
# how much lower the error is than that of the supervised model. An interval that holds 0 says that
# these seeds do not tell.

# %%
gains = pd.DataFrame({m: table["supervised"] - table[m] for m in table if m != "supervised"})
gains["by the bone term"] = table["semi-supervised, no bone term"] - table["semi-supervised"]
gained = gains.groupby(level=0, sort=False).agg(lambda v: shown(*interval(v)))
gained.style.set_caption(f"gain in {name}, mm; {experiment.caption}; ± 95 % over seeds")

# %%
label, (subjects, share) = list(chosen.items())[-1]
protocol = experiment.protocol(
    data,
    Recipe.semi_supervised(experiment.preset, 2 * sizes[label]),
    field(share),
    measured["seed"],
    exact,
)
Markdown(f"*{protocol} (Training and receptive field are those of {label}.)*")

# %% [markdown]
# ## The paper's numbers
#
# Of the figure itself only what its text quotes is known. On Human3.6M, in mm:
#
# | | supervised | semi-supervised | without the bone term |
# |---|---|---|---|
# | c: 1 % of S1, exact keypoints, MPJPE | 100.7 | 78.1 | 91.3 |
# | b: best gain with CPN keypoints, MPJPE | | 14.7 less | |
# | a: below 5,000 labels, 10 Hz, N-MPJPE | | 9 to 10.4 less | |
#
# A percentage is not the same number of frames here as there: the paper's 1 % of S1 are some 2,500
# frames, ours are counted above.
#
# ## The three panels side by side
#
# All rows on record, of every panel and data set that was run (preset `laptop`, the panel's metric
# in mm). A row of three seeds has an interval.

# %%
PANELS = {
    ("ground_truth", "50 Hz"): "c: exact keypoints",
    ("simulated", "50 Hz"): "b: simulated detector",
    ("simulated", "10 Hz"): "a: the same at 10 Hz, N-MPJPE",
}
record = select(recorded("pavllo2019/figure5"), action="average", preset="laptop")
parts = record["system"].str.split(" | ", regex=False, expand=True)
record = record.assign(method=parts[0], labels=parts[1], rate=parts[2])
record["panel"] = [PANELS.get(key) for key in zip(record["detector"], record["rate"], strict=True)]
metric_of = record["rate"].map({"10 Hz": "n_mpjpe", "50 Hz": "mpjpe"})
record = record[(record["metric"] == metric_of) & record["panel"].notna()]
rows_of_panels = ["dataset", "panel", "labels", "seed"]
panels = record.pivot_table(index=rows_of_panels, columns="method", values="value")

# %%
supervised = panels.pop("supervised")
gained = {f"gain, {method}": supervised - panels[method] for method in panels}
panels = pd.concat({"supervised": supervised, **gained}, axis=1)
side_by_side = panels.groupby(level=[0, 1, 2]).agg(lambda v: shown(*interval(v)))
side_by_side.style.set_caption("mm; ± 95 % over seeds; none is measured on the paper's data")

# %% [markdown]
# **Back-projection lowers the error in every panel**, on CMU motion and on the embedded data, on
# both subsets, with each of the three seeds, and more on the smaller subset, as in the paper. (With
# 1 % at 10 Hz seeds scatter so widely that the interval of the gain holds zero.) That better
# keypoints raise the gain does not show: with exact ones it is about as large as with the simulated
# detector's.
#
# **The bone-length term** does what it does in the paper only at 10 Hz, if anywhere: in N-MPJPE the
# gains with and without it lie within each other's intervals (in MPJPE, which the size of the body
# enters, no gain shows without it). At the full rate, with longer receptive fields, it is
# the other way round, on both data sets: the error is lower without the term, clearly so at 1 %
# with exact keypoints. The term is computed as in the reference implementation and tested against a
# calculation by hand, and a longer training (10,000 steps at 1 %, judged on a held-out training
# body) left the order as it is. A likely reason lies in the data: the bodies here were scaled on
# purpose, by up to 12 %, while one body alone has labels, and the means of 64 windows scatter by
# some millimetres with the bodies they happen to hold. So the term pulls towards a wrong size, with
# a force that does not shrink near the goal (an absolute value has the same slope everywhere).
# Perhaps, where few frames are seen and the size is least certain, a wrong size is still better
# than none. Neither is proven.
#
# ## Try next
#
# * `-p subsets all`: the whole axis, up to all subjects but one (about an hour on two cores).
# * `-p detector simulated`: panel b. Do better keypoints raise the gain, as the paper says?
# * Exercises 17 and 18 of [the exercises](exercises.ipynb), with solutions.
